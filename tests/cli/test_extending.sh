#!/bin/bash
# Adding one of a kind is one row and one file: a toy family, analysis, dataset format, image codec and tokenizer are added to a
# copy
# of the tree, and must then be found in help, plan, inspect, results, report and the check of the documents without another edit.
# shellcheck source=../lib.sh
# shellcheck disable=SC2317 # row and turn are called by must
. "$(dirname "$0")/../lib.sh"
copy=$scratch/house
mkdir -p "$copy"
(cd "$here" && tar cf - --exclude=./build --exclude='./build-*' --exclude=./.git --exclude=./results .) | tar xf - -C "$copy"
# What was built already is taken along, so that only what the rows touch is compiled.
(cd "$here" && tar cf - "${build#"$here"/}"/{kernels,shards,mpi,*.stamp} 2>/dev/null) | tar xf - -C "$copy" 2>/dev/null
cd "$copy" || exit 1

# row FILE PATTERN TEXT: puts TEXT before the first line that matches.
row() {
  pattern=$2 text=$3 awk '!done && $0 ~ ENVIRON["pattern"] { print ENVIRON["text"]; done = 1 } { print } END { exit !done }' \
    "$1" >"$scratch/row" && cat "$scratch/row" >"$1"
}
# turn FILE PATTERN TEXT: the first text that matches becomes TEXT.
turn() { grep -qE "$2" "$1" && sed -i -E "0,/$2/s//$3/" "$1"; }
toys=$here/tests/toys
cp "$toys/analysis_toy.c" mpi/analyse/toy.c
must row mpi/experiment/analyses_list.h '^    X\(margin' "    X(toy, \"counts toys\") \\"
cp "$toys/dataset_toy.c" shards/datasets/
must turn shards/datasets/dataset.c '\{&vb_dataset_format_folder,' '{\&vb_dataset_format_toy, \&vb_dataset_format_folder,'
must row shards/datasets/dataset_format.h '^extern const vb_dataset_format vb_dataset_format_folder' \
  'extern const vb_dataset_format vb_dataset_format_toy;'
cp "$toys/codec_toy.c" shards/images/
must turn shards/images/image.c '\{&vb_codec_jpeg,' '{\&vb_codec_toy, \&vb_codec_jpeg,'
must row shards/images/codec.h '^extern const vb_codec vb_codec_jpeg' 'extern const vb_codec vb_codec_toy;'
cp "$toys/tokenizer_toy.c" shards/text/
must turn shards/text/tokenizer_file.c '\{&vb_tokenizer_format_vocab,' \
  '{\&vb_tokenizer_format_toy, \&vb_tokenizer_format_vocab,'
must row shards/text/tokenizer_format.h '^extern const vb_tokenizer_format vb_tokenizer_format_vocab' \
  'extern const vb_tokenizer_format vb_tokenizer_format_toy;'
cp "$toys/family_toy.c" kernels/towers/
must turn kernels/towers/family.h 'each\(clip\)' 'each(toy) each(clip)'
# The names of its tensors: here those of OpenAI, which the copy then takes for the toy's.
must row shards/weights/weight_names.c '^    \{"Hugging Face",' \
  '    {.name = "the toy", .family = "toy", .image_anchors = {"visual.class_embedding", NULL},
     .text_anchor = "token_embedding.weight", .image = openai_image, .text = ""},'
# What they touch needs not be quick, but soon compiled.
make -j2 all CFLAGS=-O0 >"$scratch/make.log" 2>&1
verdict $? "the tree with the toys builds" "$(grep -v '^  ' "$scratch/make.log" | head -n 20)"
[ -x build/vocabench ] || finish
program=$copy/build/vocabench

# ---- help ---------------------------------------------------------------------------------------------------------
"$program" help run >help.txt; "$program" help inspect >>help.txt; "$program" help encode >>help.txt
"$program" help --format man >man.txt
like "help knows the analysis" '^ *toy: +counts toys' help.txt
like "help knows the family" 'slip.*toy|toy.*slip' help.txt
like "the man page knows the analysis" 'counts toys' man.txt
like "the man page knows the family" 'slip.*toy|toy.*slip' man.txt

# ---- inspect ------------------------------------------------------------------------------------------------------
cd "$scratch" || exit 1
must "$tools/make_data" model m.safetensors && must "$tools/make_data" tokenizer tok
"$program" inspect m.safetensors >inspect.txt 2>&1
like "inspect shows the family's tower" 'toy tower' inspect.txt
for i in {1..40}; do printf '%b' "\\x0$((i % 3))"; head -c 12 /dev/urandom; done >some.toyset
"$program" inspect some.toyset >inspect.txt 2>&1
like "inspect shows the dataset format" '^toy set: 40 images' inspect.txt
mkdir -p pictures/apple pictures/bear
for n in apple/1 apple/2 bear/1; do { printf 'TOYPIC\x02\x02'; head -c 12 /dev/urandom; } >"pictures/$n.toypic"; done
"$program" inspect pictures >inspect.txt 2>&1
like "class folders hold the codec's pictures" 'class folders: 3 images' inspect.txt
if [ -f tok/merges.txt ]; then echo "$scratch/tok/merges.txt" >a.toytok; fi
printf 'an apple\n' >texts.txt
"$program" tokenize --tokenizer a.toytok --input texts.txt --output a.npy >tokens.txt 2>&1
verdict $? "the tokenizer is read" "$(cat tokens.txt)"

# ---- an experiment ------------------------------------------------------------------------------------------------
cat >v.yaml <<'Y'
name: toys
vocabularies: {one: [apple, bear], two: [chair]}
Y
cat >pairs.yaml <<'Y'
name: pictures
vocabularies: {one: [apple], two: [bear]}
Y
cat >toys.yaml <<'Y'
experiment: toys
datasets:
  - {name: set, images: some.toyset, vocabularies: v.yaml}
  - {name: pictures, images: pictures, vocabularies: pairs.yaml}
models:
  - {name: playful, family: toy, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
analyses: [toy, margin]
Y
"$program" plan toys.yaml >plan.txt 2>&1
like "the plan counts the analysis' memory" '8\.[0-9]+ G' plan.txt
"$program" run toys.yaml --output out >run.txt 2>&1
verdict $? "the experiment with all of them runs" "$(tail -n 3 run.txt)"
holds "its results have the analysis" '[.results[].analyses.toy_classes] == [3, 2]' out/results.json
holds "and the toy set's images" '.results[0].images == 40 and .results[1].images == 3' out/results.json
"$program" report out --output page.html >report.txt 2>&1; "$program" report out --format md --output page.md >>report.txt 2>&1
like "the report shows its number" 'toys' page.md
like "and its table" 'half of the toys' page.md
like "so does the page" 'half of the toys' page.html

# ---- documents ----------------------------------------------------------------------------------------------------
python3 "$copy/tests/tools/check_docs.py" "$copy" >docs.txt 2>&1
like "the check of the documents misses the analysis" "analysis 'toy'" docs.txt
like "and the family" "family 'toy'" docs.txt
like "and the dataset format" "dataset format 'toy set'" docs.txt
like "and the codec" "image codec 'toy picture'" docs.txt

# ---- another prefix, which the program is linked with -------------------------------------------------------------
must make -s -C "$copy" install CFLAGS=-O0 PREFIX="$scratch/opt"
cp opt/bin/vocabench alone
like "away from where it was installed the program knows its prefix" "^configs: $scratch/opt/share/vocabench/configs" \
  <<<"$(./alone version)"
finish
