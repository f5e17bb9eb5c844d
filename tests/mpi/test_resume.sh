#!/bin/bash
# --resume takes a pair only when everything that the pair has written is there, as it was written; merge refuses what is not.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
numbers() { awk -v s="$1" -v n="$2" 'BEGIN { srand(s); for (i = 0; i < n; i++) print 2 * rand() - 1 }'; }
numbers 1 60 | floats t.npy 4; numbers 2 1200 | floats i.npy 4; numbers 3 400 | floats c.npy 4; numbers 4 400 | floats ct.npy 4
seq -f 'caption %g' 0 99 >c.txt; seq 0 299 | awk '{ print $1 % 15 }' >labels; must "$tools/npy" numbers y.npy i8 labels
{ echo 'name: v'; echo 'vocabularies:'; echo "  a: [$(seq -s, -f 'a%g' 1 8)]"; echo "  b: [$(seq -s, -f 'b%g' 1 7)]"; } >v.yaml
cat >e.yaml <<'E'
experiment: resumed
per_image: true
threads: 1
datasets: [{name: d, vocabularies: v.yaml}]
corpora: [{name: c, embeddings: c.npy, captions: c.txt, text_embeddings: ct.npy}]
models:
  - {name: plain, family: precomputed, dataset: d, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}
  - name: repe
    family: precomputed
    dataset: d
    image_embeddings: i.npy
    text_embeddings: t.npy
    labels: y.npy
    retrieval: {corpus: c, top_k: [2, 3], lambda: [0.25, 0.5], filter: none}
E
run_at 2 e.yaml --output whole || finish
sums() { (cd "$1" && find records retrieval pairs -type f | LC_ALL=C sort | xargs md5sum); }
sums whole >truth
holds "the pair's file lists what it has written" '[.files[].path] == ["records/repe--d.jsonl.zst", "retrieval/repe--d.jsonl.zst",
  "retrieval/repe--d-k2-l0.25.npy", "retrieval/repe--d-k2-l0.5.npy",
  "retrieval/repe--d-k3-l0.25.npy", "retrieval/repe--d-k3-l0.5.npy"]' \
  whole/pairs/repe--d.json

sed 's/0\.25, 0\.5/0.25, 0.2500001, 0.1/' e.yaml >near.yaml
run near.yaml --only-model repe --output near
holds "settings that differ in the seventh digit have files of their own" \
  '[.files[2:5][].path | capture("k2-(?<l>.*).npy").l] == ["l0.25", "l0.2500001", "l0.1"]' near/pairs/repe--d.json

# resumed NAME PAIRS: PAIRS of the two are evaluated again, and everything is as in the first run.
resumed() {
  run_at 2 e.yaml --output o --resume || return
  equal "$1: pairs that are made again" "$(query o '.run.pairs | length')" "$2"
  equal "$1: all files" "$(sums o | diff - truth)" ""
  agree "$1: the figures" whole o
}
damaged() { # NAME FILE COMMAND...: one pair is made again
  local name=$1; rm -rf o; cp -r whole o; shift; must "$@"; resumed "$name" 1
}
rm -rf o; cp -r whole o; resumed "nothing is missing" 0
damaged "records removed" rm o/records/plain--d.jsonl.zst
damaged "records cut short" truncate -s -1 o/records/plain--d.jsonl.zst
flip() { printf '\x5a' | dd of="$1" bs=1 seek=40 conv=notrunc status=none; }
damaged "records damaged" flip o/records/repe--d.jsonl.zst
damaged "a list removed" rm o/retrieval/repe--d.jsonl.zst
damaged "a list cut to nothing" truncate -s 0 o/retrieval/repe--d.jsonl.zst
damaged "blended embeddings damaged" flip o/retrieval/repe--d-k3-l0.5.npy
damaged "a figure changed by hand" sed -i '0,/"images": 300/s//"images": 301/' o/pairs/plain--d.json
damaged "a pair of an earlier version" sed -i 's/"files"/"filed"/' o/pairs/plain--d.json
rm -rf o; cp -r whole o; rm -r o/records; resumed "all records removed" 2

# Starts of a run are those of its configuration: another one in the same folder has its own.
rm -rf o; run e.yaml --output o; run e.yaml --output o --resume; equal "starts" "$(query o '.run.starts | length')" 2
run e.yaml --output o --resume --set seed=1
equal "starts of another configuration are not its own" "$(query o '.run.starts | length')" 1

# One that was killed had been there until it last wrote anything, here of a pair: by the clock of its files.
rm -rf o; cp -r whole o; started=$(($(date +%s) - 7200))
jq "del(.ended) | .started = 1 | .begun = $started | .pid = 999999999 | .nodes = 3" whole/state.json >o/state.json
find o -exec touch -d "@$((started + 3600))" {} +; find o/pairs -type f -exec touch -d "@$((started + 5400))" {} +
"$vocabench" status o >told; like "the time of a run that was killed" '^used: 4[.]50 node-hours in 1 start[(]s[)], 1 lost' told

# What an earlier evaluation has left and this one does not write is not taken for its own.
printf 'name: v\nvocabularies: {c: [%s], b: [%s]}\n' "$(seq -s, -f 'a%g' 1 8)" "$(seq -s, -f 'b%g' 1 7)" >other.yaml
sed '/per_image/d; s/v.yaml/other.yaml/; /retrieval:/d' e.yaml >less.yaml
rm -rf o; run e.yaml --output o --latex; must touch o/series.md; run less.yaml --output o
equal "no records or lists of an earlier evaluation" "$(find o -name '*.jsonl.zst')" ""
check_not "no series of an earlier experiment" test -e o/series.md
run less.yaml --output tex --latex; same "LaTeX that was there is of these results" tex/table.tex o/table.tex
check "what has no records is valid" "$vocabench" verify o

# The tasks of an array, and what becomes of their files.
run e.yaml --output one --only-model plain; run e.yaml --output two --only-model repe
must "$vocabench" merge o2 one two
equal "merge copies all files" "$(sums o2 | diff - truth)" ""
rm -rf o; cp -r o2 o; resumed "a merged folder" 0
flip two/retrieval/repe--d.jsonl.zst
refuses "merge of a damaged list" 5 'two/retrieval/repe--d.jsonl.zst: not as the run has written it' "$vocabench" merge o3 one two
rm two/retrieval/repe--d.jsonl.zst
refuses "merge without a list" 4 'two/retrieval/repe--d.jsonl.zst' "$vocabench" merge o3 one two
run e.yaml --output two --only-model repe
sed -i 's,retrieval/repe--d.jsonl.zst,../two/results.json,' two/pairs/repe--d.json
refuses "merge of a file elsewhere" 5 "files\[1\]: '../two/results.json' is no file of a pair" "$vocabench" merge o3 one two

# A corpus in a folder, as clip-retrieval lays it out: its parts, and the captions and text embeddings beside them.
mkdir -p laid/{img_emb,metadata,text_emb}
cp c.npy laid/img_emb/0.npy; cp c.txt laid/metadata/0.txt; cp ct.npy laid/text_emb/0.npy; cp e.yaml named.yaml
sed -i 's/{name: c, .*}\]/{name: c, embeddings: laid}]/; s/filter: none/filter: none, deduplicate: true/' e.yaml
run e.yaml --output folder
# other NAME FILE COMMAND...: the pair that searches the corpus is made again, and is as without --resume.
other() {
  local name=$1 file=$2; shift 2
  rm -rf o; cp -r folder o; cp -p "$file" kept; must "$@"
  run e.yaml --output o --resume && equal "$name: the pair is made again" "$(query o '[.run.pairs[].model] | tojson')" '["repe"]'
  run e.yaml --output again && agree "$name: as without --resume" again o
  check "$name: not as before" test -n "$(differs o folder)"
  cp kept "$file"; run e.yaml --output folder # files that were put back are others
}
other "a part of a folder" laid/img_emb/0.npy cp ct.npy laid/img_emb/0.npy
other "captions beside the parts" laid/metadata/0.txt sed -i 's/[0-9]*$/one/' laid/metadata/0.txt
other "text embeddings beside the parts" laid/text_emb/0.npy cp c.npy laid/text_emb/0.npy
cp named.yaml e.yaml

# ---- what a pair was made from ------------------------------------------------------------------------------------
make_data images pics 5 4; make_data model m.safetensors; make_data tokenizer tok
printf '%s\n' apple bear chair dolphin elephant >classes.txt; sed 's/.*/n-&\tthe &/' classes.txt >called.tsv
find pics -type f | sed 's,pics/,,' | LC_ALL=C sort |
  jq -Rnc 'reduce inputs as $image ({}; .[$image] = ["abcde" | index($image[:1])])' >sets.json
{ echo 'name: v'; echo 'vocabularies:'; echo '  some: [{name: apple, id: n-apple}, {name: bear, id: n-bear}]'
  echo '  more: [{name: chair, id: n-chair}, {name: dolphin, id: n-dolphin}, {name: elephant, id: n-elephant}]'; } >ids.yaml
cat >a.yaml <<'E'
experiment: asked
per_image: true
threads: 1
datasets: [{name: d, images: pics, vocabularies: ids.yaml, labels: sets.json, class_names: classes.txt, names: called.tsv}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
# made_again NAME FILE COMMAND...: where a file has changed the pair is made again, and is as without --resume.
made_again() {
  local name=$1 file=$2; shift 2
  rm -rf asked again; run a.yaml --output asked || return # files that were put back are others
  rm -rf o; cp -r asked o; cp "$file" kept; must "$@"
  run a.yaml --output again && run a.yaml --output o --resume && agree "$name: as without --resume" again o
  check "$name: not as before" test -n "$(differs o asked)"
  cp kept "$file"
}
made_again "names of integer labels" classes.txt sed -i '1{h;d}; 3G' classes.txt
made_again "names by id" called.tsv sed -i 's/the bear/a whale/' called.tsv
made_again "sets of labels" sets.json sed -i 's/\[1\]/[1,2]/' sets.json
made_again "the names of vocabularies" ids.yaml sed -i 's/some/few/' ids.yaml
made_again "other names of classes" ids.yaml sed -i 's/id: n-bear/id: n-bear, aliases: [ursine]/' ids.yaml
sed -i 's/names: called.tsv/&, language: en/' a.yaml
made_again "what language the names are of" a.yaml sed -i 's/language: en/language: it/' a.yaml
made_again "an image" pics/bear/000.jpg cp pics/apple/000.png pics/bear/000.jpg
sed -i 's,tokenizer: tok,&/merges.txt,' a.yaml
jq -c '.["e"] as $e | .["e"] = .["l"] | .["l"] = $e' tok/vocab.json >turned.json
made_again "the vocabulary beside merges that are stated" tok/vocab.json cp turned.json tok/vocab.json
sed -i 's,tok/merges.txt,tok,' a.yaml
# Parts of one experiment for which a file was another one are no parts of one whole.
seq -f 'caption %g of a thing' 0 99 >c.txt; printf '%s\n' lamp boat >foreign.txt
{ sed '/^models/,$d' a.yaml; echo 'analyses: [open_curve, calibration]'; echo 'open_curve: {names: foreign.txt, exclude: names}'
  echo 'adversarial: {candidates: foreign.txt, exclude: names, k: 1}'
  echo 'corpora: [{name: c, captions: c.txt}]'; echo 'retrieval: {corpus: c, top_k: 2, filter: none}'; echo 'models:'
  for model in m n; do
    echo "  - {name: $model, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,"
    echo "     prompts: ['$model {}.']}"
  done; } >split.yaml
rm -r one two; run split.yaml --only-model m --output one
apart() { # PATTERN FILE COMMAND...
  local pattern=$1 file=$2; shift 2
  cp "$file" kept; must "$@"; run split.yaml --only-model n --output two --cache shared; cp kept "$file"
  refuses "merge of parts of another $file" 6 "$pattern [0-9a-f]* in one/results.json, but [0-9a-f]* in two/" \
    "$vocabench" merge joined one two
}
apart "dataset 'd': labels_digest" sets.json sed -i 's/\[1\]/[1,2]/' sets.json
apart "dataset 'd': names.digest" called.tsv sed -i 's/the bear/a whale/' called.tsv
apart "dataset 'd': adversarial_pool.digest" foreign.txt sed -i 's/boat/ship/' foreign.txt
apart "corpus 'c': sha256" c.txt sed -i 's/thing/whale/' c.txt
for analysis in open_curve calibration; do
  sed "/^adversarial/d; s/^analyses.*/analyses: [$analysis]/" split.yaml >named.yaml; rm -rf one two
  run named.yaml --only-model m --output one --cache shared; sed -i 's/boat/ship/' foreign.txt
  run named.yaml --only-model n --output two --cache shared; sed -i 's/ship/boat/' foreign.txt
  refuses "merge of parts of other names, by $analysis" 6 "dataset 'd': analyses.$analysis.pool.digest [0-9a-f]* in one/" \
    "$vocabench" merge joined one two
done
rm -r one two; run split.yaml --only-model m --output one --cache shared
run split.yaml --only-model n --output two --cache shared
# Nor are results what they are of when a later start has begun to make them anew.
must mkdir later; must cp two/results.json later
must cp c.txt kept; must sed -i 's/thing/whale/' c.txt; run split.yaml --only-model n --output two --cache shared
must cp kept c.txt; must mv later/results.json two
refuses "merge of a pair whose own file has another result" 5 'two/pairs/n--d.json: its result is not that of two/results.json' \
  "$vocabench" merge joined one two
must truncate -s 300 two/pairs/n--d.json
refuses "merge of a pair whose own file is cut" 5 'two/pairs/n--d.json:' "$vocabench" merge joined one two
run split.yaml --only-model n --output two --cache shared --resume; check "merge of both" "$vocabench" merge joined one two
# An image that was skipped is missed when images may not be skipped.
rm -rf o; cp pics/bear/000.jpg kept; head -c 100 kept >pics/bear/000.jpg
run a.yaml --output o --set datasets.d.on_error=skip
refuses "a broken image, --resume of a run that skipped it" 5 'bear/000.jpg' "$vocabench" run a.yaml --output o --resume
cp kept pics/bear/000.jpg

# One cache for two questions that take as many, but other, images of a unit.
for class in apple bear; do
  printf 'name: v\nvocabularies: {some: [%s], more: [chair, dolphin]}\n' $class >$class.yaml
  printf '%s\n' "experiment: $class" 'per_image: true' "datasets: [{name: d, images: pics, vocabularies: $class.yaml,
    on_unmatched: skip}]" "$(sed -n '/^models/,$p' a.yaml)" >of-$class.yaml
  run of-$class.yaml --output own-$class && run of-$class.yaml --output shared-$class --cache shared &&
    agree "images of $class: a cache that others use, too" own-$class shared-$class
done
# A corpus of images that a run which skips broken ones has put into the cache: one that may not skip them finds them there.
mkdir shard; head -c 60 pics/apple/000.png >shard/0.png; cp pics/bear/000.jpg shard/1.jpg; cp pics/chair/000.* shard
must tar -cf pictures.tar -C shard .
{ sed '/^models/,$d; s/labels: sets.json, class_names: classes.txt, names: called.tsv, language: en/on_error: strict/' a.yaml
  echo 'corpora: [{name: c, images: pictures.tar}]'
  echo "models: [$(sed -n 's/^models: .\(.*\)}]$/\1/p' a.yaml), retrieval: {corpus: c, top_k: 1, filter: none}}]"; } >broken.yaml
run broken.yaml --output skipped --cache taken --set datasets.d.on_error=skip
holds "a broken image of a corpus is skipped" '.results[0].retrieval.rows_not_finite == 1' skipped/results.json
for cache in taken own; do
  refuses "a broken image of a corpus, cache '$cache'" 5 "^vocabench: corpus 'c': 0: PNG: truncated" \
    "$vocabench" run broken.yaml --output strict --cache $cache
done
# Two models of one file of weights, one after the other, with tokenizers of their own.
cp -r tok swapped; cp turned.json swapped/vocab.json
one() { echo "{name: $1, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: $1, prompts: ['a {}.']}"; }
printf '%s\n' 'experiment: two' 'datasets: [{name: d, images: pics, vocabularies: bear.yaml, on_unmatched: skip}]' \
  "models: [$(one tok), $(one swapped)]" >two.yaml
run two.yaml --output both; run two.yaml --output alone --only-model swapped
equal "a tokenizer of its own" "$(query both .results[1])" "$(query alone .results[0])"
holds "which is another one" '[.results[].embedding | .tokenizer_digest, .text_embeddings_digest] | unique | length == 4' \
  both/results.json

# What another model asks of the corpus, the index model, is part of a pair as its own model is.
cp m.safetensors w.safetensors
awk 'BEGIN { for (i = 0; i < 400; i++) print i * 7919 % 1000, "of", i * 104729 % 997, "things", i }' >c.txt
cat >asking.yaml <<'E'
experiment: asking
threads: 1
datasets: [{name: d, images: pics, vocabularies: bear.yaml, on_unmatched: skip, prompts: ["the {}"]}]
corpora: [{name: c, captions: c.txt}]
models:
  - {name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."],
     retrieval: {corpus: c, top_k: [2, 20], filter: none, index_model: other}}
  - {name: other, family: clip, activation: quick_gelu, weights: w.safetensors, tokenizer: tok}
E
run asking.yaml --only-model m --output asked
equal "the files of an index model are named, though it is not evaluated itself" \
  "$(query asked '[.run.models[] | .model + ": " + .files[0].name] | join(", ")')" "m: m.safetensors, other: w.safetensors"
run asking.yaml --only-model other --output asking
equal "of one that asks nothing they are not" "$(query asking '[.run.models[].model] | join(", ")')" other
asked_again() { # NAME FILE COMMAND...: as made_again
  local name="the index model: $1" file=$2; shift 2
  rm -rf before again; run asking.yaml --only-model m --output before || return
  rm -rf o; cp -r before o; cp "$file" kept; must "$@"
  run asking.yaml --only-model m --output again && run asking.yaml --only-model m --output o --resume &&
    agree "$name: as without --resume" again o
  check "$name: not as before" test "$(query o .results)" != "$(query before .results)"
  cp kept "$file"
}
asked_again "its weights" w.safetensors dd if=m.safetensors of=w.safetensors bs=4000 skip=50 seek=60 count=190 conv=notrunc
asked_again "its tokenizer" asking.yaml sed -i '/name: other/s/tok}/swapped}/' asking.yaml
asked_again "the dataset's prompts, which it takes" asking.yaml sed -i 's/"the {}"/"some {}"/' asking.yaml
asked_again "its activation" asking.yaml sed -i '/name: other/s/quick_gelu/gelu/' asking.yaml
# Contexts that were learned are in its queries, and in no text of the model that asks.
context() { # SEED: four vectors
  local head='{"ctx":{"dtype":"F32","shape":[4,64],"data_offsets":[0,1024]}}'
  must "$tools/npy" random r.npy 4 64 "$1"
  { printf "\\x$(printf %02x ${#head})\0\0\0\0\0\0\0%s" "$head"; tail -c 1024 r.npy; } >ctx.safetensors
}
context 1; sed -i '/name: other/s/tok}/tok, prompts: {coop: ctx.safetensors}}/' asking.yaml
asked_again "the contexts that it has learned" ctx.safetensors context 2
finish
