#!/bin/bash
# Foreign names beside an expansion: its open curve, open set and calibration are those of the single dataset that says the same,
# or of the definition; and where there are none.
. "$(dirname "$0")/../lib.sh"
need_oracle "names beside an expansion" expansion_names_oracle.py

embeddings() { # embeddings DATASET...: entries of the model
  for name; do
    echo "      - {dataset: $name, image_embeddings: $name-i.npy, text_embeddings: $name-t.npy, labels: $name-y.npy}"
  done
}
cat >e.yaml <<E
experiment: names
analyses: [open_curve, open_set, calibration]
open_curve: {names: names.txt, embeddings: n.npy, exclude: none}
datasets: [{name: p, vocabularies: p.yaml}, {name: q, vocabularies: q.yaml}, {name: r, vocabularies: r.yaml},
  {name: apart, vocabularies: apart.yaml}, {name: one, vocabularies: one.yaml}, {name: without, vocabularies: without.yaml},
  {name: far, vocabularies: far.yaml}]
expansions:
  - {name: same, datasets: [p, q]}
  - {name: different, datasets: [p, q], shared_names: different}
  - {name: merge, datasets: [p, q], shared_names: merge}
  - {name: drop, datasets: [p, q], shared_names: drop}
  - {name: nothing shared, datasets: [p, r]}
models:
  - name: m
    family: precomputed
    logit_scale: 20
    embeddings:
$(embeddings p q r apart one without far)
E
run e.yaml --output e
check "shared_names: same: the open curve is the definition's" /usr/bin/python3 "$oracle" check . e/results.json
equal "and a softmax over two texts of one name is none" \
  "$(query e '.results[] | select(.dataset == "same").analyses | keys | join(" ")')" open_curve
# Names of vocabularies and classes are those of the single dataset, but for the two things of one name.
analyses_of() { query e ".results[] | select(.dataset == \"$1\").analyses | tojson" | sed 's/orange of q/orange/'; }
alike() { # alike EXPANSION DATASET
  equal "'$1' is a dataset of two vocabularies" "$(analyses_of "$1")" "$(analyses_of "$2")"
  equal "and has all three" "$(query e ".results[] | select(.dataset == \"$1\").analyses | keys | join(\" \")")" \
    "calibration open_curve open_set"
}
alike different apart; alike merge one; alike drop without; alike "nothing shared" far
equal "images of classes that are dropped are counted" "$(query e '[.results[] | {(.dataset): .}] | add |
  .drop.data.images_of_no_vocabulary == .p.images + .q.images - .drop.images and .drop.data.images_of_no_vocabulary > 0')" true
# All that there is, by dot products, drawn orders, and of a class' first images: every figure and record is the single dataset's.
# (of the rule `merge` the first images are those of each dataset, so all are taken)
every=(--set protocol=sampled --set trials=4 --set seed=9 --set models.m.similarity=dot --per-image
  --set 'analyses=[margin,similarity,alignment,uniformity,order,open_curve,open_set,calibration,top5]')
run e.yaml --output every "${every[@]}"; run e.yaml --output first "${every[@]}" --limit 4
its() { # its FOLDER DATASET
  query "$1" ".results[] | select(.dataset == \"$2\") | del(.dataset, .expansion, .data)" | sed 's/orange of q/orange/'
  # An image of an expansion is its dataset's name and row, of the single dataset its row.
  zstd -dqc "$1/records/m--${2// /%20}.jsonl.zst" | jq -c 'del(.image, .predicted_all_vocabulary)' | sed 's/orange of q/orange/g'
}
for pair in different:apart merge:one drop:without "nothing shared:far"; do
  for folder in every first; do
    [ "$folder $pair" = "first merge:one" ] || same "'${pair%:*}' is that dataset in all figures and records: $folder" \
      <(its $folder "${pair%:*}") <(its $folder "${pair#*:}")
  done
done
# A page shows as stolen what is right in its own dataset and not among all: also where another dataset's class has the same name.
sed '/^analyses/d; /^open_curve/d' e.yaml >bare.yaml
for name in same different; do
  run bare.yaml --only-dataset $name --set per_image=true --output stolen-$name
  must "$vocabench" report stolen-$name --output $name.html
  sed -n '/class="stolen"/,$p' $name.html | grep -oE '[0-9]+ taken by' >taken
  equal "'$name': the stolen images of a page" "$(awk '{ n += $1 } END { print n + 0 }' taken)" \
    "$(zstdcat stolen-$name/records/*.zst | jq -s "(map(select(.own)) | length) - $(query stolen-$name \
      '.results[0] | .top1_all * .images + 0.5 | floor')")"
done
# Classes of one name and two ids are two: the first image of p is taken by the crane of q.
echo '{name: p, vocabularies: {a: [{name: crane, id: n1}, {name: x, id: n3}]}}' >bird.yaml
echo '{name: q, vocabularies: {b: [{name: crane, id: n2}, {name: y, id: n4}]}}' >lift.yaml
floats bird-t.npy 3 <<<"1 0 0 0 1 0"; floats bird-i.npy 3 <<<"0.7 0 0.7 0 1 0"
floats lift-t.npy 3 <<<"0.6 0 0.8 0 -1 0"; floats lift-i.npy 3 <<<"0.6 0 0.8 0 -1 0"
printf '0\n1\n' >both; for name in bird lift; do must "$tools/npy" numbers $name-y.npy i8 both; done
cat >ids.yaml <<E
experiment: ids
per_image: true
datasets: [{name: bird, vocabularies: bird.yaml}, {name: lift, vocabularies: lift.yaml}]
expansions: [{name: ids, datasets: [bird, lift]}]
models:
  - name: m
    family: precomputed
    embeddings:
$(embeddings bird lift)
E
run ids.yaml --output ids --only-dataset ids; must "$vocabench" report ids --output ids.html
holds "one of four" '.results[0].top1_all == 0.75 and .results[0].acc_c == 1' ids/results.json
like "a class of another id is another one" '^<p>crane: 1 taken by <b>crane</b></p>$' ids.html
run_at 3 e.yaml --output e3 && agree "3 ranks, the same bytes" e e3

# ---- encoded: names need prompts that all datasets have ----------------------------------------------------------
make_data images one 5 4; make_data images two 4 4; make_data model m.safetensors; make_data tokenizer tok
for name in one two; do
  { echo "name: $name"; echo "vocabularies:"; echo "  all: [$(find $name -mindepth 1 -type d -printf '%f\n' | sort | paste -sd,)]"
  } >$name.yaml
done
cat >x.yaml <<'E'
experiment: encoded
analyses: [open_curve]
open_curve: {names: names.txt, exclude: none}
datasets:
  - {name: one, images: one, vocabularies: one.yaml, prompts: ["a photo of a {}.", "the {}"]}
  - {name: two, images: two, vocabularies: two.yaml, prompts: ["a photo of a {}.", "the {}"]}
expansions: [{name: both, datasets: [one, two]}]
models:
  - {name: own, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok}
  - {name: stated, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}.", "the {}"]}
E
run x.yaml --output x
curve() { query "$1" "[.results[] | select(.dataset == \"both\" and .model == \"$2\").analyses.open_curve] | tojson"; }
holds "the datasets' prompts, where they are the same" \
  '[.results[] | select(.dataset == "both").analyses.open_curve.own.names] == [40, 40]' x/results.json
equal "are as good as the model's" "$(curve x own)" "$(curve x stated)"
sed -i '/name: two/s/, "the {}"//' x.yaml
run x.yaml --output y
equal "other prompts for each dataset are none for the names" "$(curve y own)" '[null]'
equal "the model's still are" "$(curve y stated)" "$(curve x stated)"
finish
