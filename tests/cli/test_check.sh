#!/bin/bash
# The command check: what a run would stop on is an error in its list, with the code that the run ends with; the rest is listed
# too.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 20 3; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment checked >e.yaml
# checked NAME CODE ARGUMENT...: check of e.yaml ends with CODE; its list stands in stdout.
checked() {
  local name=$1 code=$2 got; shift 2
  "$vocabench" check e.yaml "$@" >stdout 2>stderr; got=$?
  equal "$name: code" $got "$code" "$(cat stdout stderr)"
}
checked "a good experiment" 0 --output o
like "the output" '^ok +output +o can be written' stdout
like "the dataset" "^ok +dataset 'folder' +57 images of 19 classes in 3 vocabularies; class folders" stdout
like "the model, and what was stated of it" "^ok +model 'plain' +clip: ViT at .*activation quick_gelu \(experiment\)" stdout
like "the disk" '^ok +disk +embeddings take about' stdout
like "memory" '^(ok|note) +memory +1 rank a node' stdout
like "the sum" '^[0-9]+ ok, [0-9]+ notes?, 0 errors$' stdout
check "nothing was written" test ! -e o
mpi 2 "$vocabench" check e.yaml --output o >two 2>stderr
like "two ranks: one list" '^(ok|note) +memory +2 ranks a node' two
equal "two ranks: one closing line" "$(grep -c '0 errors$' two)" 1

# ---- each fault is found, and the others beside it ---------------------------------------------------------------
checked "no images" 4 --output o --set datasets.folder.images=nowhere
like "said so" "^error +dataset 'folder' .*nowhere" stdout
like "and the model is looked at" "^ok +model 'plain'" stdout
checked "no weights" 4 --output o --set models.plain.weights=nothing.safetensors
like "said so" "^error +model 'plain' .*nothing.safetensors" stdout
head -c 1000 m.safetensors >cut.safetensors
checked "two faults" 4 --output o --set datasets.folder.images=nowhere --set models.plain.weights=cut.safetensors
like "both are listed" ' 2 errors$' stdout
like "the closing line on stderr" '^vocabench: check: 2 errors; a run would stop' stderr
touch file
checked "the output is a file" 7 --output file/under
like "said so" '^error +output ' stdout
mkdir -p old && touch old/results.json
checked "results are there" 0 --output old
like "noted" '^note +output +old/results.json is there already' stdout
cp -r pics broken; printf 'no picture' >broken/apple/000.png
mkdir -p named; cp -r pics/* named/; mv named/apple named/Apple
checked "labels that match no class" 6 --output o --set datasets.folder.images=named
has_text "with both sides" "1 class has no images: 'apple' (label 'Apple'?); " stdout
checked "which is meant" 0 --output o --set datasets.folder.images=named --set datasets.folder.on_unmatched=skip
like "then noted" "^note +dataset 'folder' +2 labels .6 images. match no class: 'Apple' .3 images; class 'apple'.., 'girl'" stdout
like "how labels were resolved" "^ok +dataset 'folder' +labels: 0 are ids, 18 names, 0 places in the vocabulary file" stdout
sed 's/maple_tree, palm tree/&, maple tree/' v.yaml >twice.yaml
checked "a class that is listed twice" 0 --output o --set datasets.folder.vocabularies=twice.yaml
like "is noted" "^note +dataset 'folder' +'maple tree' in 'places' \(line 5\) is also in 'places' \(line 5\)$" stdout
{
  printf 'name: many\nvocabularies:\n'
  for class in pics/*/; do class=$(basename "$class"); echo "  of $class: [$class]"; done
} >many.yaml
many=(--set datasets.folder.vocabularies=many.yaml --set protocol=sampled)
checked "more orders than are drawn" 3 --output o "${many[@]}" --set trials=50001
like "of all vocabularies together" "^error +'plain' on 'folder' .*50001 trials for each of 20 .*, expected 1 to 50000" stdout
refuses "where a run stops" 3 '50001 trials' "$vocabench" run e.yaml --output o "${many[@]}" --set trials=50001
check "before it encodes an image" test -z "$(find o/cache -path '*/seen/*' -print -quit 2>/dev/null)"
rm -rf o
checked "and as many" 0 --output o "${many[@]}" --set trials=50000
checked "a broken image" 10 --output o --set datasets.folder.images=broken
like "with the way out" "^error .*cannot be decoded \(on_error: skip would leave them out\): apple/000.png" stdout
checked "a broken image is skipped" 0 --output o --set datasets.folder.images=broken --set datasets.folder.on_error=skip
like "and noted" "^note +dataset 'folder' .*1 of 20 images that were tried cannot be decoded \(on_error: skip\)" stdout
cp -r pics odd; mkdir odd/0other; printf 'no picture' >odd/0other/000.png
skipped=(--set datasets.folder.images=odd --set datasets.folder.on_unmatched=skip)
checked "a broken image of no class, which no run reads" 0 --output o "${skipped[@]}"
check "a run does not" "$vocabench" run e.yaml --output odd-run "${skipped[@]}"
checked "more ranks than units" 0 --output o --ranks 64
like "noted" '^note +ranks +64 ranks for 8 units of images' stdout

# ---- corpora -----------------------------------------------------------------------------------------------------
printf 'a bear\nan apple\n' >captions.txt; printf '' >empty.txt; printf 'a\0b\0' | iconv -f UTF-8 -t UTF-16 >wide.txt
must "$tools/npy" random rows.npy 2 31 5
plain_experiment corpora >c.yaml
cat >>c.yaml <<'E'
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: 1, lambda: 0.5, filter: none}
E
check "a corpus of captions" "$vocabench" check c.yaml --output o
sed 's/captions: captions.txt}/captions: captions.txt}, {name: unused, captions: none.txt}/' c.yaml >unused.yaml
check "a corpus that nobody uses, which no run opens" "$vocabench" check unused.yaml --output o
check "nor a plan" "$vocabench" plan unused.yaml
mkdir some && cp captions.txt some/1.txt && : >some/2.txt
for command in run check; do
  check "an empty file of captions beside another: $command" "$vocabench" $command c.yaml --output o-some \
    --set 'corpora.words.captions=some/*.txt'
done
# stumbles NAME CODE PATTERN SETTING...: check finds with that code what run stops at.
stumbles() {
  local name=$1 code=$2 pattern=$3; shift 3
  refuses "$name: run" "$code" "$pattern" "$vocabench" run c.yaml --output r "$@"
  refuses "$name: check" "$code" 'check: 1 error' "$vocabench" check c.yaml --output o "$@"
}
stumbles "no captions" 4 'nope.txt' --set corpora.words.captions=nope.txt
stumbles "empty captions" 4 'empty.txt: no captions' --set corpora.words.captions=empty.txt
stumbles "captions in UTF-16" 5 'UTF-16' --set corpora.words.captions=wide.txt
sed -i 's/^corpora.*/corpora: [{name: words, embeddings: rows.npy, captions: captions.txt}]/' c.yaml
stumbles "other dimensions" 6 '31 dimensions'
must "$tools/npy" random wide.npy 2 32 5
sed -i 's/^corpora.*/corpora: [{name: words, embeddings: wide.npy}]/' c.yaml
stumbles "embeddings without captions" 4 'no captions beside wide.npy'
# The captions of one of two parts: a run comes upon them when it has searched both.
mkdir parts told; for part in 1 2; do must "$tools/npy" random parts/$part.npy 2 32 $part; done
printf 'a bear\nan apple\n' >told/1.txt; : >told/2.txt
of_parts=(--set 'corpora.words.embeddings=parts/*.npy' --set 'corpora.words.captions=told/*.txt' --set retrieval.top_k=4)
refuses "a part with empty captions: run" 6 'told/2.txt: 0 captions for 2 rows' \
  "$vocabench" run c.yaml --output r "${of_parts[@]}"
refuses "a part with empty captions: check" 4 'check: 1 error' "$vocabench" check c.yaml --output o "${of_parts[@]}"
stumbles "a copy in 8 bits that is not there" 4 'quantized: nope/manifest.json' --set corpora.words.captions=captions.txt \
  --set corpora.words.quantized=nope
must "$vocabench" pack --quantize int8 --input rows.npy --output codes
stumbles "one of another corpus" 6 'codes' --set corpora.words.captions=captions.txt --set corpora.words.quantized=codes

# ---- plan stops at the same, before its table, and counts what there is -------------------------------------------
plan_of() { "$vocabench" plan "$@" >stdout 2>stderr; }
plan_of c.yaml --set corpora.words.captions=nope.txt; equal "plan: no captions" $? 4
like "one line, with the place once" "^vocabench: c.yaml: corpus 'words': captions: nope.txt: .*looked for beside c.yaml" stderr
unlike "no table before it" '^experiment|TFLOP' stdout
printf 'adversarial: {candidates: nope.txt, k: 1}\n' | cat e.yaml - >n.yaml
plan_of n.yaml; equal "plan: no candidates" $? 4
like "named with its key" '^vocabench: n.yaml:[0-9:]+ adversarial: candidates: nope.txt: ' stderr
plan_of n.yaml --set models.plain.weights=none.bin; like "of several the first, and how many more" \
  'none.bin.*looked for beside n.yaml and in the current folder.; and 1 more error, which vocabench check lists$' stderr
sed 's/apple/appel/' v.yaml >misspelt.yaml
plan_of e.yaml --set datasets.folder.vocabularies=misspelt.yaml; equal "plan: a class without images" $? 6
like "named with the closest label" "1 class has no images: 'appel' .label 'apple'\?.; " stderr
plan_of e.yaml --set datasets.folder.vocabularies=misspelt.yaml --set datasets.folder.on_unmatched=skip
like "and where it is passed over" "^note +dataset 'folder' +1 class has no images: 'appel' .label 'apple'\?.$" stdout
seq -f 'name %g' 50 >fifty.txt; printf 'adversarial: {candidates: fifty.txt, k: 1, exclude: names}\n' | cat c.yaml - >w.yaml
sed -i 's/^corpora.*/corpora: [{name: words, captions: fifty.txt}]/' w.yaml
plan_of w.yaml --threads 1; verdict $? "a plan with candidates and a corpus" "$(cat stderr)"
like "texts of classes and candidates" '^  plain +folder +57 +[0-9]+ +0 +69 ' stdout
plan_of w.yaml --threads 1 --set 'models.plain.prompts=["a {}.", "the {}."]'
like "in every template" '^  plain +folder +57 +[0-9]+ +0 +138 ' stdout
plan_of w.yaml --threads 1
like "captions are counted" '^  corpus words +captions +50 rows, .*, 1 scan, 50 texts to encode, [0-9.e-]+ TFLOP$' stdout
like "the time, by what was measured" \
  '^time: (below|about) [0-9.]+ (s|min) at 1 rank of 1 thread, by what was measured here just now' stdout
plan_of w.yaml --threads 1 --ranks 4; like "at the given ranks" \
  '^time: (below|about) [0-9.]+ (s|min) at 4 ranks of 1 thread,' stdout
# What earlier runs took, of the same model and data, on the same kind of processor with as many threads.
run e.yaml --threads 1 --output rated; equal "a run keeps what a pair took" "$(compgen -G 'rated/cache/rates/*.json' | wc -l)" 1
holds "seconds of an image and of a text" '.image > 0 and .text > 0 and .ranks == 1' rated/cache/rates/*.json
holds "whose they are" '.model == "plain" and .dataset == "folder" and .threads == 1' rated/cache/rates/*.json
plan_of e.yaml --threads 1 --output rated
like "plan goes by it, and says so" \
  "^time: .* of 1 thread, by what earlier runs took on such a processor .the latest ended 20[0-9-]+T[0-9:]+Z., while" stdout
unlike "and measures nothing" 'measured here' stdout
plan_of e.yaml --threads 2 --output rated; like "other threads are measured" 'by what was measured here just now, while' stdout
OMP_NUM_THREADS=3 plan_of e.yaml --set threads=0 --output rated; like "threads are the run's" \
  '^time: .* at 1 rank of 3 threads, by' stdout
jq -c '.image = 50 | .text = 10' rated/cache/rates/*.json >r.json; cp r.json "$(echo rated/cache/rates/*.json)"
rm -r rated/cache/*/seen # its images are not in the cache any more
images=$(find pics -type f | wc -l) texts=$(grep -o '\[.*\]' v.yaml | tr ',' '\n' | wc -l)
plan_of e.yaml --threads 1 --output rated
minutes=$(sed -n 's/^time: about \([0-9]*\) min.*/\1/p' stdout) most=$(((50 * images + 10 * texts) / 60 + 2))
[ "${minutes:-0}" -ge $((most - 7)) ] && [ "$minutes" -le $most ] # images of no class are not encoded
verdict $? "the time is its rates times the work" "$images images, $texts texts" "$(grep ^time: stdout)"
echo '{"image": "x", "text": -1}' >"$(echo rated/cache/rates/*.json)"
plan_of e.yaml --threads 1 --output rated; like "what is no rate is none" 'by what was measured here just now' stdout

printf 'adversarial: {candidates: captions.txt, k: 1, targets: [animals, "<no> & body"]}\n' | cat e.yaml - >a.yaml
"$vocabench" check a.yaml --output o --junit j.xml >stdout 2>&1
equal "JUnit's XML, with names as they are" "$(junit j.xml)" \
  "vocabench check $(grep -cE '^(ok|note|error) ' stdout) 1 0 $(sed -n 's/^error *\([a-z]*\).*/\1/p' stdout)" "$(cat j.xml)"
printf 'adversarial: {candidates: captions.txt, k: 1, targets: [animals, nobody]}\n' | cat e.yaml - >a.yaml
refuses "a target that is no vocabulary" 6 'check: 1 error' "$vocabench" check a.yaml --output o
"$vocabench" check a.yaml --output o >stdout 2>stderr
like "which is named" "^error +adversarial .*there is no vocabulary 'nobody' in" stdout
# Whose names are all classes of the target: a run would find out when all is encoded.
printf 'Apple\n' >left.txt
printf 'adversarial: {candidates: left.txt, k: 1, exclude: names}\n' | cat e.yaml - >a.yaml
"$vocabench" check a.yaml --output o >stdout 2>stderr; equal "a target that keeps out all candidates" $? 6 "$(cat stdout)"
equal "which is the one" "$(sed -n "s/^error *adversarial *//p" stdout | sed "s/'[^']*'/V/")" \
  "adversarial, target V: 1 of 1 candidates are excluded, fewer than k = 1 are left"
refuses "nor is it planned" 6 "1 of 1 candidates are excluded" "$vocabench" plan a.yaml

# ---- embeddings made elsewhere -----------------------------------------------------------------------------------
find pics -type f | sort | awk -F / '{ print $2 }' >labels.txt
must "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output i.npy
grep -o "\[.*\]" v.yaml | tr -d '[]' | tr ',' '\n' | sed 's/^ *//' >names.txt
must "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok --input names.txt --output t.npy
cat >p.yaml <<'E'
experiment: made
datasets: [{name: folder, vocabularies: v.yaml}]
models:
  - {name: made, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: labels.txt, text_names: names.txt}
E
check "precomputed embeddings" "$vocabench" check p.yaml --output o
head -n 5 labels.txt >few.txt
refuses "labels of fewer images" 6 'check: 1 error' "$vocabench" check p.yaml --output o --set models.made.labels=few.txt
# What foreign names need is looked for before anything is evaluated.
wrong_names() { # wrong_names NAME CODE PATTERN LINE: p.yaml with the line
  printf '%s\n' "$4" | cat p.yaml - >names.yaml
  "$vocabench" check names.yaml --output o >stdout 2>/dev/null
  like "$1: check" "^error +'made' on 'folder' .*$3" stdout
  refuses "$1: run" "$2" "$3" "$vocabench" run names.yaml --output o --per-image
  check_not "$1: nothing was evaluated" test -e o/records
}
wrong_names "an open curve without names" 3 "analysis 'open_curve': model 'made' is precomputed: 'open_curve' needs the keys" \
  'analyses: [open_curve]'
wrong_names "names without embeddings" 3 "analysis 'open_set': model 'made' is precomputed: 'open_curve' needs the key" \
  $'analyses: [open_set]\nopen_curve: {names: names.txt}'
wrong_names "those of other names" 6 "adversarial vocabularies of 'made' on 'folder': i.npy: expected 19 x [0-9]+ of" \
  'adversarial: {candidates: names.txt, embeddings: i.npy, k: 1}'
# And what a corpus needs.
cat >>p.yaml <<'E'
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: 1, filter: none}
E
needs() { # needs NAME CODE PATTERN CORPUS [SETTING...]
  local name=$1 code=$2 pattern=$3 corpus=$4; shift 4
  refuses "$name: run" "$code" "corpus 'words': .*$pattern" "$vocabench" run p.yaml --output r \
    --set "corpora=[{name: words, $corpus}]" "$@"
  "$vocabench" check p.yaml --output o --set "corpora=[{name: words, $corpus}]" "$@" >stdout 2>/dev/null
  like "$name: check" "^error +corpus 'words' .*$pattern" stdout
}
needs "captions, which a precomputed model does not encode" 6 'encodes nothing; give embeddings' 'captions: captions.txt'
needs "rows of other dimensions than a precomputed model" 6 'embeddings have 31 dimensions' 'embeddings: rows.npy'
needs "captions without their embeddings" 4 'encodes no captions; give their embeddings' \
  'embeddings: wide.npy, captions: captions.txt'
needs "words of classes without captions" 4 'no captions beside wide.npy' 'embeddings: wide.npy, text_embeddings: wide.npy' \
  --set retrieval.filter=class-word
check "embeddings of captions alone" "$vocabench" check p.yaml --output o \
  --set 'corpora=[{name: words, embeddings: wide.npy, text_embeddings: wide.npy}]'
refuses "no experiment" 4 'nothing.yaml' "$vocabench" check nothing.yaml
refuses "no argument" 2 'check' "$vocabench" check

# ---- an expansion: classes of two datasets that are one text to the model ----------------------------------------
mkdir -p left/x right/y; cp pics/apple/000.png left/x; cp pics/apple/000.png right/y
printf 'name: left\nvocabularies:\n  a: [{name: "sea &amp; sky", aliases: [x]}]\n' >left.yaml
printf 'name: right\nvocabularies:\n  b: [{name: "sea & sky", aliases: [y]}]\n' >right.yaml
plain_experiment joined | sed 's/a photo of a {}./{}/' >j.yaml
sed -i 's/^datasets:.*/datasets: [{name: left, images: left, vocabularies: left.yaml},\
  {name: right, images: right, vocabularies: right.yaml}]\
expansions: [{name: both, datasets: [left, right]}]/' j.yaml
refuses "classes of one text: run" 6 "both: 2 classes are the same to it" "$vocabench" run j.yaml --output r
refuses "classes of one text: check" 6 'check: 1 error' "$vocabench" check j.yaml --output o
check "which may be allowed" "$vocabench" check j.yaml --output o --set on_equal=allow

# ---- the memory of a rank is that of the pair that takes most, wherever it stands: records take less than pictures ----
make_data cifar ten.bin 20 40
folder='{name: folder, images: pics, vocabularies: v.yaml}'
records='{name: records, images: ten.bin, vocabularies: v.yaml, on_unmatched: skip}'
most() { # DATASET...
  { sed '/^datasets/,$d' e.yaml; printf 'datasets: [%s]\n' "$(IFS=,; echo "$*")"; sed -n '/^models/,$p' e.yaml; } >most.yaml
  plan_of most.yaml; sed -nE 's/.* memory: about ([0-9.]+) MB a rank.*/\1/p' stdout
}
pictures=$(most "$folder") cifar=$(most "$records")
check "pictures take more" awk -v a="$pictures" -v b="$cifar" 'BEGIN {exit !(b > 0 && a > b + 100)}'
equal "both, pictures first" "$(most "$folder" "$records")" "$pictures" "$cifar"
equal "both, pictures last" "$(most "$records" "$folder")" "$pictures" "$cifar"

# ---- models of unequal sizes: one machine has ranks of as many groups as begin, go on or end there ------------------
# m.safetensors with 25 MB more, of no tower's.
old=$(od -An -t u4 -N 4 m.safetensors)
tail -c +9 m.safetensors | head -c $((old)) | jq -cj '([.[].data_offsets[1]?] | max) as $at |
  . + {padding: {dtype: "U8", shape: [25000000], data_offsets: [$at, $at + 25000000]}}' >header
new=$(stat -c %s header)
# shellcheck disable=SC2059 # the length's bytes
printf "$(printf '\\x%02x\\x%02x\\x%02x' $((new & 255)) $((new >> 8 & 255)) $((new >> 16)))\\0\\0\\0\\0\\0" >large.safetensors
{ cat header; tail -c +$((9 + old)) m.safetensors; head -c 25000000 /dev/zero; } >>large.safetensors
sed '/^models/,$d' e.yaml >two.yaml
cat >>two.yaml <<'E'
batch: 4096
models:
  - {name: small, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
  - {name: large, family: clip, activation: quick_gelu, weights: large.safetensors, tokenizer: tok, prompts: ["a {}."]}
  - {name: gelu, family: clip, activation: gelu, weights: large.safetensors, tokenizer: tok, prompts: ["a {}."]}
E
# mapped RANKS RANKS_A_MODEL RANKS_A_NODE: bytes of the largest models of one machine, as planned.
mapped() {
  plan_of two.yaml --ranks "$1" --ranks-per-model "$2" --ranks-per-node "$3"
  sed -nE 's/.*weights of up to ([0-9.]+ [kM]B) mapped once a node$/\1/p' stdout
}
large=$(stat -c %s large.safetensors) small=$(stat -c %s m.safetensors)
megabytes() { awk -v n="$1" 'BEGIN {printf "%.1f MB\n", n / 1e6}'; }
equal "plan: one group a machine" "$(mapped 4 2 2)" "$(megabytes "$large")" "$(cat stdout stderr)"
equal "plan: two groups" "$(mapped 4 2 4)" "$(megabytes $((2 * large)))" "$(cat stdout stderr)"
equal "plan: groups of 3 and 2 ranks, both on the machine with the third and the fourth" "$(mapped 5 3 2)" \
  "$(megabytes $((2 * large)))" "$(cat stdout stderr)"
equal "plan: groups of 2, 2 and 1 ranks on machines of 3" "$(mapped 5 2 3)" "$(megabytes $((2 * large)))" "$(cat stdout stderr)"
equal "plan: more groups than models" "$(mapped 8 1 8)" "$(megabytes $((2 * large + small)))" "$(cat stdout stderr)"
looked() { # RANKS_A_MODEL -> hundredths of a GB that two ranks take, by check
  "$vocabench" check two.yaml --output o --ranks 2 --ranks-per-model "$1" >stdout 2>stderr
  sed -nE 's/.* memory +2 ranks a node take about ([0-9]+)\.([0-9]+) GB.*/\1\2/p' stdout
}
one=$(looked 2) two=$(looked 1)
verdict $((10#$two - 10#$one >= 2 ? 0 : 1)) "check: as many models as a plan" "$one, $two" "$(cat stdout stderr)"

# ---- weights in the kernels' layout, kept for small batches, in the memory of a plan ------------------------------
need_shared fixtures/clip-rn "plan: weights kept for small batches"
kept_plan() { # BATCH RANKS [DEVICE], which this machine lacks -> tenths of a MB of what is mapped once a node
  plan_of e.yaml --set models.plain.weights="$shared/fixtures/clip-rn/model.safetensors" --set batch="$1" --ranks "$2" \
    --set models.plain.tokenizer="$shared/reference/bpe_simple_vocab_16e6.txt.gz" --device "${3-cpu}"
  sed -n 's/.*weights of up to \([0-9]*\)\.\([0-9]\) MB mapped once.*/\1\2/p' stdout
}
mkdir drivers; export OCL_ICD_VENDORS=$scratch/drivers
two=$(kept_plan 2 2) three=$(kept_plan 3 2) none=$(kept_plan 4096 2) device=$(kept_plan 2 2 gpu) more=$(kept_plan 2 4)
verdict $((two > three + 20 && three > none + 5 ? 0 : 1)) \
  "plan: filters kept for two images at once, packed weights for three, nothing for many" "$two, $three, $none" "$(cat stderr)"
equal "plan: once a node, however many ranks" "$more" "$two" "$(cat stderr)"
equal "plan: a device keeps none here" "$device" "$none" "$(cat stderr)"
finish
