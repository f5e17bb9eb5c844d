#!/bin/bash
# Features that are each tested alone, together: embeddings made elsewhere against brute force, an encoded pair against the same
# one from embeddings.
. "$(dirname "$0")/../lib.sh"
need_oracle "features that meet" meeting_oracle.py

# ---- a corpus of parts, sets of labels, a limit, lengths, folds ------------------------------------------------------
cat >e.yaml <<'E'
experiment: e
limit: 9
datasets: [{name: d, vocabularies: v.yaml}]
corpora: [{name: c, embeddings: corpus, captions: "captions/*.tsv.zst", caption_column: the text, text_embeddings: texts,
  quantized: codes}]
retrieval: {corpus: c, top_k: [2, 5], lambda: [0, 0.3, 0.7], depth: 30, deduplicate: true, similarity: dot,
  renormalize: official, select: cross, folds: 3}
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, text_names: rows.txt,
  labels: sets.json, label_names: labels.txt, similarity: dot}]
E
must "$vocabench" pack --quantize int8 --input corpus --output codes --similarity dot
checked() { # checked NAME FOLDER: by definition
  check "$1: the figures are the definition's" "$python" -W ignore "$oracle" check . "$2/results.json" "$2/retrieval/m--d"
}
run_at 2 e.yaml --output e
checked "lengths, duplicates, a depth, the 8-bit copy" e
plain=(e.yaml --set limit= --set retrieval.renormalize=true --set retrieval.similarity=cosine --set corpora.c.quantized=)
run "${plain[@]}" --output o --set retrieval.depth=
checked "cosines, no limit, no depth" o
holds "a class without captions" '.results[0].retrieval.results[0].classes_without_captions == 1' o/results.json
# As deep as the largest top_k is another rule where it is said: of fewer rows the first that pass count.
run "${plain[@]}" --output o --set retrieval.depth=5 --resume
checked "a depth of the largest top_k, resumed" o
run e.yaml --output o --set limit=3 --set retrieval.folds=16 --set retrieval.filter=none --set retrieval.renormalize=false \
  --set models.m.similarity=cosine --set retrieval.memory=640KiB
checked "blends as they are under cosine, folds without images" o

# ---- images of shards, skipped and limited, names, captions alone: and all of it from embeddings ---------------------
make_data images pics 8 6; make_data model m.safetensors; make_data tokenizer tok
head -c 150 pics/chair/002.png >piece; must mv piece pics/chair/002.png
must tar --sort=name -C pics -cf pics.tar .; must zstd -q pics.tar
cat >v.yaml <<'E'
name: v
vocabularies:
  a: [apple, {id: bear, name: big bear}, chair]
  b: [dolphin, elephant, chair]
  c: [{name: wood, aliases: [forest]}, girl, hamster]
E
printf '%s\t%s\n' apple 'una mela' bear 'un orso' chair 'la sedia' dolphin 'il delfino' elephant elefante wood 'il bosco' \
  girl ragazza hamster criceto >it.tsv
must "$python" "$oracle" pictures .
how=(--weights m.safetensors --activation quick_gelu --precision bf16x3 --raw)
must "$vocabench" encode images "${how[@]}" --input few --output i.npy
for list in texts words; do
  must "$vocabench" encode texts "${how[@]}" --tokenizer tok --input $list.txt --output $list.npy
done
settings='top_k: [2, 4], lambda: [0.25, 0.5, 0], depth: 17, deduplicate: true, query: "vedi {}", select: cross, folds: 3'
cat >m.yaml <<E
experiment: m
limit: 4
datasets: [{name: d, images: pics.tar.zst, vocabularies: v.yaml, labels: sets.json, on_error: skip, names: it.tsv, language: it,
  prompts: ["ecco {}."]}]
corpora:
  - {name: words, captions: words.json, caption_column: testo}
  - {name: rows, embeddings: words.npy, captions: words.json, caption_column: testo, text_embeddings: words.npy}
models:
  - {name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, precision: bf16x3,
     retrieval: {corpus: words, $settings}}
  - {name: p, family: precomputed, image_embeddings: i.npy, text_embeddings: texts.npy, labels: rows.json,
     retrieval: {corpus: rows, $settings, index_model: m}}
E
mkdir near
run_at 2 m.yaml --only-model m --output m --scratch near
run m.yaml --only-model p --output p --set limit=
figures_alone='.results[0] | del(.data, .embedding, .limit, .model, .retrieval.settings, .retrieval.corpus)'
equal "an encoded pair with all of its settings is the same one from embeddings" "$(query m "$figures_alone")" \
  "$(query p "$figures_alone")"
holds "its broken image is of those that the limit counts, and in no fold" \
  '.results[0] | .images == 31 and .data.images_skipped == 1 and (.retrieval.cross.choices | length) == 3' m/results.json
# What is asked are the names that are shown, in the template of the queries.
sed 's/^ecco \(.*\)[.]$/vedi \1/' texts.txt >asked.txt
must "$vocabench" encode texts "${how[@]}" --tokenizer tok --input asked.txt --output asked.npy
must "$vocabench" retrieve --queries asked.npy --corpus words.npy --top-k 17 --similarity cosine --output asked.jsonl
equal "its queries are the template's" "$(zstd -dcq m/retrieval/m--d.jsonl.zst | jq -c '[.results[].id]')" \
  "$(jq -c '[.results[].id]' asked.jsonl)"
must zstd -q words.json
# Shards know their images without endings; of folders they may be left out, too.
jq 'with_entries(.key |= sub("[.][a-z]+$"; ""))' sets.json >stems.json
run m.yaml --only-model m --output folders --cache m/cache --set datasets.d.images=pics --set datasets.d.labels=stems.json \
  --set corpora.words.captions=words.json.zst
but_for_files='.results[0] | del(.data, .embedding, .retrieval.odd_captions.examples)'
equal "folders are what their shards are, packed captions the plain ones" "$(query folders "$but_for_files")" \
  "$(query m "$but_for_files")"

# ---- sets of records, by the names of their integers, and a limit ----------------------------------------------------
mkdir cifar; make_data cifar cifar/test.bin 6 40
jq -nc '[range(40) | [(. / 7 | floor), (. + 1) % 6] | if .[0] == .[1] then .[:1] else . end]' >records.json
printf '%s\n' wolf bear lamp train seat sea >called.txt
cat >records.yaml <<'E'
experiment: records
limit: 2
per_image: true
datasets: [{name: d, images: cifar/test.bin, vocabularies: w.yaml, labels: records.json, class_names: called.txt}]
expansions: [{name: both, datasets: [d, none]}]
corpora: [{name: c}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["{}"]}]
E
printf 'name: w\nvocabularies: {a: [sea, seat, train], b: [lamp, bear, wolf]}\n' >w.yaml
run records.yaml --output records --set expansions= --set corpora=
equal "the first two records of each class that is listed first, with their sets" \
  "$(zstd -dcq records/records/m--d.jsonl.zst | jq -r '"\(.image | tonumber) \(.classes | join("+"))"')" \
  "$(jq -r --rawfile names called.txt '($names / "\n") as $names | to_entries | group_by(.value[0]) | map(.[:2]) | add | .[] |
    "\(.key) \([.value[] | $names[.]] | join("+"))"' records.json)"

# ---- models of one file of weights, each of which asks for another one, in groups --------------------------------------
cat >three.yaml <<'E'
experiment: three
datasets: [{name: d, images: few, vocabularies: v.yaml}]
corpora: [{name: w, captions: words.txt}]
models:
  - {name: a, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."],
     retrieval: {corpus: w, top_k: 3, filter: none, index_model: b}}
  - {name: b, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, precision: bf16x3,
     prompts: ["a {}.", "the {} there"], retrieval: {corpus: w, top_k: 4, filter: none, index_model: c, query: "{}"}}
  - {name: c, family: clip, activation: gelu, weights: m.safetensors, tokenizer: tok, preprocessing: rgb_first,
     prompts: ["a {}."], retrieval: {corpus: w, top_k: 3, filter: none, index_model: a}}
E
run_at 3 three.yaml --output three --ranks-per-model 2
for model in a b; do
  run three.yaml --output alone --only-model $model
  equal "model $model is what it is alone" "$(query three ".results[] | select(.model == \"$model\")")" \
    "$(query alone '.results[]')"
done

# ---- captions alone in files of several units, none of which crosses a file --------------------------------------------
mkdir several
seq 620 | awk 'BEGIN { split("apple bear chair dolphin elephant wood girl hamster nothing", word, " ") }
  { print $1 % 97, word[$1 % 9 + 1] }' >all.txt
head -n 300 all.txt >several/0.txt; sed -n 301p all.txt >several/1.txt; tail -n +302 all.txt >several/2.txt
cat >several.yaml <<'E'
experiment: several
datasets: [{name: d, images: few, vocabularies: v.yaml}]
corpora: [{name: w, captions: "several/*.txt"}]
retrieval: {corpus: w, top_k: [3, 20], lambda: 0.5, deduplicate: true}
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
run_at 3 several.yaml --output parted
run several.yaml --output joined --set corpora.w.captions=all.txt
of_captions='.results[0].retrieval | del(.settings)'
equal "captions of several files are those of one" "$(query parted "$of_captions")" "$(query joined "$of_captions")"
same "and so are the lists" parted/retrieval/m--d.jsonl.zst joined/retrieval/m--d.jsonl.zst
zstd -dcq parted/retrieval/m--d.jsonl.zst | jq -r '.results[] | "\(.id) \(.caption)"' | sort -u >listed
equal "a row's caption is the line of its number" "$(grep -vxFf <(awk '{ print NR - 1, $0 }' all.txt) listed)" ""
# shellcheck disable=SC2016 # awk's fields
check "rows of the first and of the last file are listed" \
  awk '$1 < 300 { first = 1 } $1 > 300 { last = 1 } END { exit !(first && last) }' listed
holds "what all ranks encoded is counted" '.run.pairs[0].retrieval.rows_encoded == 620' parted/results.json

# ---- captions that are none ------------------------------------------------------------------------------------------
alone=(m.yaml --only-model m --cache m/cache --output x --set models.m.retrieval.filter=none
  --set corpora.words.captions=words.json.zst)
refuses "a key that no caption has" 5 "none of the [0-9]+ rows .* can be used: words.json.zst:[0-9]+: no key 'text'" \
  "$vocabench" run "${alone[@]}" --set corpora.words.caption_column=text
# Of fewer than 16 rows that were listed it may be bad luck.
few=(m.yaml --only-model p --cache m/cache --set limit= --set models.p.retrieval.filter=none
  --set models.p.retrieval.top_k=15 --set models.p.retrieval.depth=16)
for rows in 15 16; do
  must "$tools/npy" rows words.npy $rows.npy <(seq 0 $((rows - 1))); jq ".annotations |= .[:$rows]" words.json >$rows.json
done
listed() { echo "corpora.1={name: rows, embeddings: $1.npy, captions: $1.json, caption_column: text, text_embeddings: $1.npy}"; }
refuses "16 rows without a caption" 5 "none of the 16 rows .* can be used: 16.json:1: no key 'text'" \
  "$vocabench" run "${few[@]}" --output x --set "$(listed 16)"
run "${few[@]}" --output few --set "$(listed 15)"
holds "15 are counted, and every class keeps its text" '.results[0].retrieval | .odd_captions.rows == 15 and
  all(.results[]; .classes_without_captions == 8 and .gain == 0)' few/results.json
refuses "pictures without captions" 5 "none of the [0-9]+ rows .* can be used: an image without a caption" \
  "$vocabench" run "${alone[@]}" --set 'corpora.0={name: words, images: pics.tar.zst}'
finish
