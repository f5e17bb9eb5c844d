#!/bin/bash
# A quick look, `--limit N`: the same figures as of a dataset that holds those images alone, and never taken for the whole.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
made_vocabularies; short_experiments
make_data images pics 20 9; make_data model m.safetensors; make_data tokenizer tok
sed -i 's/^experiment: e$/experiment: e\nper_image: true/' e.yaml
# The first three of each class in the order of their names, by hand: another folder, the same names.
for class in pics/*/; do
  mkdir -p "few/${class#pics/}"
  find "$class" -type f | LC_ALL=C sort | head -n 3 | while IFS= read -r file; do cp "$file" "few/${class#pics/}"; done
done
sed 's/images: pics/images: few/' e.yaml >few.yaml
run few.yaml --output few-out; run e.yaml --limit 3
check "the results lie apart" test -e results/e-limit-3/results.json -a ! -e results/e/results.json
limited=results/e-limit-3
picked='.results[0] | del(.limit, .data)'
equal "the figures are those of the images by hand" "$(query $limited "$picked")" "$(query few-out "$picked")"
records() { zstdcat "$1"/records/*.zst | jq -c 'select(.name or .image) | del(.unit)' | sort; }
equal "and so are the records" "$(records $limited)" "$(records few-out)"
equal "57 of them" "$(records $limited | wc -l)" 57
equal "the entry says so" "$(query $limited '.results[0].limit')" 3
equal "the configuration says so" "$(query $limited .configuration.limit)" 3
like "the terminal says so" "^note: a quick look: of every class the first 3 images at most" stdout
like "every row of the table says so" "d \(first 3 a class\)" $limited/table.md
like "also of table.csv" '^"m","d \(first 3 a class\)",' $limited/table.csv
check "report" "$vocabench" report $limited --output page.md
like "the report says so" 'd .first 3 a class.' page.md
# Several ranks, shards and CIFAR.
run_at 3 e.yaml --limit 3 --output three; agree "three ranks" $limited three
must "$vocabench" pack --input pics --output packed --samples-per-shard 7
run e.yaml --limit 3 --output tar --set datasets.0.images=packed
figures='.results[0] | [.acc_c, .acc_e, .acc_s, .images]'
equal "shards have the same first images" "$(query tar "$figures")" "$(query $limited "$figures")"
mkdir cifar; make_data cifar cifar/test.bin 20 100
run e.yaml --limit 2 --output cifar-out --set datasets.0.images=cifar/test.bin
holds "no class of CIFAR has more" '[.results[0].vocabularies[].classes[].images] | max == 2' cifar-out/results.json
# Of an expansion, whose datasets have prompts of their own, with a broken image among the first ones: it counts, and is skipped.
make_data images five 5 4; picture=$(find five/bear -type f | LC_ALL=C sort | head -n 1)
for class in five/*/; do
  mkdir -p "first/${class#five/}"
  find "$class" -type f | LC_ALL=C sort | head -n 3 | while IFS= read -r file; do cp "$file" "first/${class#five/}"; done
done
rm "first/${picture#five/}"; head -c 60 "$picture" >piece; must mv piece "$picture"
sed 's/chair/{name: seat, aliases: [chair]}/; s/elephant/{name: tusks, aliases: [elephant]}/' five.yaml >other.yaml
cat >both.yaml <<'E'
experiment: both
datasets:
  - {name: d, images: pics, vocabularies: v.yaml, prompts: ["a {}.", "the {}"]}
  - {name: f, images: five, vocabularies: other.yaml, on_error: skip, prompts: ["{}"]}
expansions: [{name: merged, datasets: [f, d], shared_names: merge}, {name: apart, datasets: [d, f], shared_names: drop}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok}]
E
run both.yaml --limit 3 --output both; run both.yaml --output by-hand --set datasets.d.images=few \
  --set datasets.f.images=first
each='.results[] | del(.limit, .data)'
equal "an expansion's figures are those of its images by hand" "$(query both "$each")" "$(query by-hand "$each")"
equal "of whom one is skipped" "$(query both '[.results[] | .images, .data.images_skipped] | join(" ")')" "57 0 14 1 71 1 54 1"
# Never taken for the whole: other results, other keys of finished work, no comparison, no merge.
run e.yaml --output whole; must cp -r whole again
run e.yaml --limit 3 --resume --output again
equal "a finished pair of the whole is not taken up" "$(query again '.results[0].images')" 57
run e.yaml --resume --output again
equal "nor that of the quick look for the whole" "$(query again '.results[0].images')" 171
refuses "compare refuses" 6 "data: at most 3 images a class of A, 0 of B" "$vocabench" compare $limited whole
refuses "merge refuses" 6 "configuration" "$vocabench" merge joined $limited whole
check "report of both" "$vocabench" report $limited whole --output both.md
equal "keeps them apart" "$(grep -cE '^## d( .*)?$' both.md)" 2
run e.yaml --limit 1000 --output all
equal "a limit above all counts leaves nothing out" "$(query all '.results[0].images')" 171
digest=$(query whole '.results[0].data.images_digest')
unlike "but it is not the whole's digest" "$digest" <<<"$(query all '.results[0].data.images_digest')"
run e.yaml --limit 2 --output two
unlike "nor is one limit's digest another one's" "$(query $limited '.results[0].data.images_digest')" \
  <<<"$(query two '.results[0].data.images_digest')"
# Precomputed rows.
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"; floats I.npy 2 <<<"5 1  1 5  3 2.9  1 -9  2 2.1  -1 -5"
printf '0\n1\n0\n0\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: v\nvocabularies: {a: [east, north], b: [ne, sw]}\n' >four.yaml
run p.yaml --set datasets.0.vocabularies=four.yaml --limit 1 --output rows
equal "rows of precomputed embeddings: the first of each class" \
  "$(query rows '.results[0] | [.images, .data.images_of_no_vocabulary]' | jq -c .)" "[4,0]"
{ cat p.yaml; echo 'corpora: [{name: c, embeddings: C.npy, captions: c.txt, text_embeddings: C.npy}]
retrieval: {corpus: c, top_k: [1, 2], filter: none, select: cross}'; } >repe.yaml
floats C.npy 2 <<<"1 0  0 1  1 1"; printf 'east\nnorth\nboth\n' >c.txt
run repe.yaml --set datasets.0.vocabularies=four.yaml --limit 1 --output repe
equal "REPE's rows of table.csv say so, too" "$(cut -d, -f2,3,4 repe/table.csv | sort | uniq -c | tr -s ' ')" \
  ' 4 "d (first 1 a class)","exact",4
 1 dataset,protocol,images'
"$vocabench" check e.yaml --limit 3 >out 2>&1; like "check counts them" "57 images \(limit\) of 19 classes" out
"$vocabench" plan e.yaml --limit 3 >out 2>&1; like "plan counts them" "^ +m +d +57 " out
# What one look has encoded is in the cache for others as far as their images are the same: a plan counts what a run finds.
planned() { "$vocabench" plan e.yaml --cache kept "$@" 2>&1 | awk '$1 == "m" && $2 == "d" {print $5}'; }
for limit in 3 2 1000; do
  before=$(planned --limit $limit)
  run e.yaml --limit $limit --output kept-$limit --cache kept
  equal "plan: units that are in the cache, limit $limit" "$before" "$(query kept-$limit '.run.pairs[0].units_cached')"
  equal "and all of them behind the run" "$(planned --limit $limit)" \
    "$(query kept-$limit '.run.pairs[0] | .units_cached + .units_encoded')"
done
# A broken image beyond the limit, which a run does not read; one within it.
cp -r pics beyond; find beyond/apple -type f | LC_ALL=C sort | sed -n 8p | while IFS= read -r file; do echo none >"$file"; done
for command in run check; do
  check "a broken image beyond the limit: $command" "$vocabench" $command e.yaml --limit 3 --output beyond-out \
    --set datasets.d.images=beyond
  refuses "and within it: $command" 10 . "$vocabench" $command e.yaml --limit 9 --output beyond-out \
    --set datasets.d.images=beyond
done
"$vocabench" plan p.yaml --set datasets.0.vocabularies=four.yaml --limit 1 >out 2>&1
like "of rows, too" "^ +[^ ]+ +d +4 " out
refuses "no limit of 0" 3 "limit: expected an integer from 1" "$vocabench" run e.yaml --limit 0
finish
