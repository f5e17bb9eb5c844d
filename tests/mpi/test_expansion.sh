#!/bin/bash
# Dataset-level expansions and series of checkpoints: enumeration's figures, each dataset's own prompts, nothing encoded twice,
# the same bytes on any number of ranks and in groups, resuming, merging, and bad input.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
oracle=$here/tests/tools/expansion_oracle.py

# ---- precomputed: every rule -------------------------------------------------------------------------------------

must $python "$oracle" make .
cat >p.yaml <<'E'
experiment: precomputed
analyses: [margin, similarity, alignment, uniformity, spectrum, order]
per_image: true
datasets: [{name: a, vocabularies: a.yaml}, {name: b, vocabularies: b.yaml}, {name: c, vocabularies: c.yaml}]
expansions:
  - {name: same, datasets: [a, b, c]}
  - {name: different, datasets: [a, b, c], shared_names: different}
  - {name: merge, datasets: [a, b, c], shared_names: merge}
  - {name: drop, datasets: [a, b, c], shared_names: drop}
  - {name: two, datasets: [c, b]}
models:
  - name: m
    family: precomputed
    embeddings:
      - {dataset: a, image_embeddings: a-i.npy, text_embeddings: a-t.npy, labels: a-y.npy}
      - {dataset: b, image_embeddings: b-i.npy, text_embeddings: b-t.npy, labels: b-y.npy}
      - {dataset: c, image_embeddings: c-i.npy, text_embeddings: c-t.npy, labels: c-y.npy}
  - {name: part, family: precomputed, dataset: b, image_embeddings: b-i.npy, text_embeddings: b-t.npy, labels: b-y.npy}
E
run p.yaml --output p && check "the figures are those of all orders and subsets" $python "$oracle" check . p/results.json \
  same different merge drop two
equal "a model is on what it has embeddings of" "$(query p '[.results[] | .model + "/" + .dataset] | join(" ")')" \
  "m/a m/b m/c m/same m/different m/merge m/drop m/two part/b"
equal "shared names are listed" "$(query p '.results[] | select(.dataset == "same").expansion.shared | tojson')" \
  '[{"a":"maple_tree","b":"maple tree"},{"a":"cat","b":"cat","c":"cat"},{"b":"sea lion","c":"otaria"}]'
equal "labels are counted over its datasets" "$(query p '[.results[] | select(.model == "m") | {(.dataset): .data.labels}] | add |
  [.same, ([.a, .b, .c] | map(to_entries) | add | group_by(.key) | map({(.[0].key): map(.value) | add}) | add)] |
  .[0] == .[1] and .[0].by_position > 0')" true
for ranks in 2 3 5 8; do
  run_at $ranks p.yaml --output p$ranks --threads $((ranks % 2 + 1))
  agree "precomputed: $ranks ranks, the same bytes" p p$ranks
done
# What `same` forgives is what texts would have that are far from the images of their equivalents, in all that only ranks decide.
must $python "$oracle" far . names.txt
sed '/^analyses/d; /name: part/d' p.yaml >near.yaml
printf '%s\n' 'analyses: [order, open_curve, top5]' 'open_curve: {names: names.txt, embeddings: n.npy, exclude: none}' >>near.yaml
sed 's/[abc]-[it][.]npy/far-&/g; s/n[.]npy/far-n.npy/' near.yaml >far.yaml
forgiven=(--only-dataset same --limit 25 --set protocol=sampled --set models.m.similarity=dot)
run near.yaml --output near "${forgiven[@]}"
run far.yaml --output far "${forgiven[@]}" --set expansions.same.shared_names=different
by_rank() { # by_rank FOLDER: its figures and records
  query "$1" '.results[0] | del(.data, .embedding, .expansion.shared_names)'
  zstd -dqc "$1/records/m--same.jsonl.zst" | jq -c 'del(.similarity, .margin)'
}
same "ranks, errors, orders and foreign names of 'same', of a limit and by drawn orders" <(by_rank near) <(by_rank far)
# The readers of results take them as they take any other: records agree with the figures, whatever the rule.
for name in same different merge drop; do
  check "compare reads the records of '$name'" "$vocabench" compare p p2 --model m --dataset $name
done
check "report takes expansions" "$vocabench" report p --output report.html
# By another rule for shared names the same images and names have other figures: no difference of models.
run p.yaml --output ruled --only-dataset same --set expansions.same.shared_names=different
refuses "compare tells the rules apart" 6 "vocabularies: shared_names same of A, different of B; .*: --allow vocabularies" \
  "$vocabench" compare p ruled --model m --dataset same
must "$vocabench" compare p ruled --model m --dataset same --allow vocabularies
must "$vocabench" report p ruled --output ruled.md
equal "reports have results by another rule by themselves" "$(grep '^## same' ruled.md | sed 's/[\]//g' | paste -sd'|')" \
  "## same (shared_names: same)|## same (shared_names: different)"
awk -F' *[|] *' 'NR == 1 { for (i = 2; i < NF; i++) if ($i == "union") union = i }
  /^[|]/ && NR > 2 && union { print $2 "/" $3, $union }' p/table.md >found
query p '.results[] | .model + "/" + .dataset + " " + ([.acc_e_union, .errors.acc_e_union.classes] | map(tostring) | join(" "))' |
  awk '{ printf "%s %.2f ± %.2f\n", $1, 100 * $2, 100 * $3 }' >expected
[ -s expected ] && diff expected found >differences
verdict $? "the main table has both averages of expansions" "$(cat differences)"

# ---- encoded: prompts of their own, nothing twice ----------------------------------------------------------------

make_data images one 5 6; make_data images two 12 4; make_data images three 8 9
make_data model m.safetensors; make_data tokenizer tok
rm -r two/apple two/bear three/dolphin three/elephant
mv "two/maple tree" two/maple_tree
for name in one two three; do
  find $name -mindepth 1 -type d -printf '%f\n' | LC_ALL=C sort | tr _ ' ' >$name.txt
  { echo "name: $name"; echo "vocabularies:"; [ $name != one ] || echo "  begin: [apple, bear]"
    echo "  all: [$(paste -sd, $name.txt)]"; } >$name.yaml
done
cat >e.yaml <<'E'
experiment: encoded
analyses: [margin, similarity, alignment, uniformity]
per_image: true
datasets:
  - {name: one, images: one, vocabularies: one.yaml, prompts: ["a photo of a {}.", "the {}, an animal"]}
  - {name: two, images: two, vocabularies: two.yaml, prompts: ["a {} in the wild"]}
  - {name: three, images: three, vocabularies: three.yaml, prompts: ["{}"]}
expansions:
  - {name: all, datasets: [one, two, three]}
  - {name: pair, datasets: [three, one], shared_names: different}
models:
  - {name: own, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok}
  - {name: stated, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
E
run e.yaml --output e
# texts FOLDER DATASET TEMPLATE...: what the encoder makes of a dataset's images and of its classes in each template.
texts() {
  local folder=$1 name=$2 template class n=0 list=(); shift 2
  mkdir -p "$folder"
  for template; do
    while read -r class; do echo "${template/\{\}/$class}"; done <"$name.txt" >texts.txt
    must "$vocabench" encode texts --raw --weights m.safetensors --activation quick_gelu --tokenizer tok \
    --input texts.txt --output "$folder/$name-$n.npy"
    list+=("$folder/$name-$((n++)).npy")
  done
  must "$vocabench" encode images --raw --weights m.safetensors --activation quick_gelu \
    --input "$name" --output "$folder/$name-i.npy"
  must $python "$oracle" gather "$folder" "$name" "$name" "$name.txt" "${list[@]}"
}
texts of-own one "a photo of a {}." "the {}, an animal"; texts of-own two "a {} in the wild"; texts of-own three "{}"
for name in one two three; do texts of-stated $name "a photo of a {}."; done
for model in own stated; do
  jq "{results: [.results[] | select(.model == \"$model\")]}" e/results.json >$model.json
  check "encoded, prompts of '$model': the figures are enumeration's" $python "$oracle" check of-$model $model.json all pair
done
equal "an expansion encodes no image and no text again" \
  "$(query e '[.run.pairs[] | select(.dataset == "all" or .dataset == "pair") | .units_encoded + .texts_encoded] | tojson')" \
  '[0,0,0,0]'
equal "prompts are counted by dataset" \
  "$(query e '[.results[] | select(.dataset == "all") | .embedding.prompts, [.expansion.datasets[].prompts]] | tojson')" \
  '[null,[2,1,1],1,[1,1,1]]'
for ranks in 2 3 5 8; do
  run_at $ranks e.yaml --output e$ranks --batch $ranks
  agree "encoded: $ranks ranks, the same bytes" e e$ranks
done

# ---- resuming, parts, status -------------------------------------------------------------------------------------

pairs() { query "$1" '[.run.pairs[] | .model + "/" + .dataset] | join(" ")'; }
run e.yaml --output e8 --resume
equal "--resume takes all" "$(pairs e8)" ""
run e.yaml --output e8 --resume --set expansions.all.shared_names=merge
equal "--resume notices another rule" "$(pairs e8)" "own/all stated/all"
run e.yaml --output e8 --resume --set expansions.all.shared_names=merge --set 'datasets.two.prompts=["one {}"]'
equal "--resume notices a dataset's prompts" "$(pairs e8)" "own/two own/all"
# Killed in an expansion's unit: what was finished before is taken, the rest made, to the same bytes.
check_not "the fault kills" env VOCABENCH_FAULT=unit:5:kill "$vocabench" run e.yaml --output killed
run_at 3 e.yaml --output killed --resume
agree "a killed run goes on at another rank count" e killed
for model in own stated; do run e.yaml --output part-$model --only-model $model --cache e/cache; done
check "the parts are joined" "$vocabench" merge whole part-own part-stated
agree "merged parts are the whole" e whole
check "status counts expansions" grep -q '10 pair(s): 10 done' <("$vocabench" status e 2>&1)
for file in "$here"/configs/experiments/expansion-*.yaml; do
  check "$(basename "$file") reads" env VOCABENCH_CONFIGS="$here/configs" "$vocabench" inspect "$file"
done
check "plan lists expansions" "$vocabench" plan e.yaml --output planned
# An expansion that is evaluated alone has its images and texts encoded for it; beside its datasets they are counted with them.
"$vocabench" plan e.yaml --output planned >out 2>err
"$vocabench" plan e.yaml --output planned --set only_dataset=all >of-all 2>err
verdict $? "a plan of an expansion alone" "$(cat err)"
# columns FILE DATASETS: units, those in the cache and texts of model own, added up.
columns() { awk -v of="$2" '$1 == "own" && $2 ~ of { u += $4; c += $5; t += $6 } END { print u, c, t }' "$1"; }
equal "it has the units and texts of its datasets" "$(columns of-all '^all$')" "$(columns out '^(one|two|three)$')"
like "by what its time is told" '^time: .* by (what was measured|what earlier runs)' of-all

# ---- series of checkpoints ---------------------------------------------------------------------------------------

mkdir run contexts embeddings
for epoch in 1 2 10; do
  must $python "$oracle" perturb m.safetensors run/epoch_$epoch.safetensors $epoch
  must $python "$oracle" context contexts/e$epoch.pt 64 $epoch
  ln -s ../of-own/one-i.npy embeddings/i$epoch.npy; ln -s ../of-own/one-t.npy embeddings/t$epoch.npy
done
cat >s.yaml <<'E'
experiment: series
analyses: [alignment, uniformity]
datasets:
  - {name: one, images: one, vocabularies: one.yaml}
  - {name: two, images: two, vocabularies: two.yaml}
expansions: [{name: both, datasets: [one, two]}]
models:
  - {name: training, family: clip, activation: quick_gelu, weights: "run/*.safetensors", tokenizer: tok,
     prompts: ["a photo of a {}."]}
  - {name: coop, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: {coop: "contexts/e{1,10,2}.pt", position: middle}}
  - {name: ready, family: precomputed, dataset: one, image_embeddings: "embeddings/i*.npy", text_embeddings: "embeddings/t*.npy",
     labels: of-own/one-y.npy}
E
run s.yaml --output s
equal "checkpoints come in natural order" "$(query s '[.series[] | select(.dataset == "one") | .model] | join(" ")')" \
  "training@epoch_1 training@epoch_2 training@epoch_10 coop@e1 coop@e2 coop@e10 ready@i1 ready@i2 ready@i10"
equal "the configuration has each checkpoint's path as it would be written" \
  "$(query s '.configuration.models | [.[2].weights, .[5].prompts.coop, .[7].image_embeddings] | join(" ")')" \
  "run/epoch_10.safetensors contexts/e10.pt embeddings/i2.npy"
# shellcheck disable=SC2016 # jq's variables
holds "the series has each checkpoint's figures" '
  (.results | map({key: (.model + .dataset), value: .}) | from_entries) as $all | .series | length == 21 and
  all(. as $row | $all[.model + .dataset] | .acc_e == $row.acc_e and .analyses.alignment == $row.alignment and
  .analyses.uniformity_text == $row.uniformity_text and
  .series == {name: $row.series, checkpoint: $row.checkpoint})' s/results.json
equal "checkpoints differ" "$(query s '[.series[] | select(.series != "ready" and .dataset == "two") |
  [.alignment, .uniformity_text]] | unique | length')" 6
equal "series.csv" "$(wc -l <s/series.csv) $(sed -n 3p s/series.csv | tr -d '"' | cut -d, -f1-4)" \
  "22 training,one,epoch_2,training@epoch_2"
check "series.md" grep -q 'training.*both.*epoch.*10 ' s/series.md
# A checkpoint alone gives what it gives in the series.
sed -e 's/name: training/name: alone/; s/"run.*safetensors"/run\/epoch_2.safetensors/' \
  -e '/name: coop/,/position/d; /name: ready/,$d' s.yaml >alone.yaml
run alone.yaml --output alone
same "a checkpoint alone is the same" <(query alone '.results[] | del(.model)') \
  <(query s '.results[] | select(.model == "training@epoch_2") | del(.model, .series)')
for ranks in 3 8; do
  run_at $ranks s.yaml --output s$ranks --ranks-per-model 1
  agree "series: $ranks groups, the same bytes" s s$ranks
done
equal "a series of contexts encodes the images once" \
  "$(query s8 '[.run.pairs[] | select(.model | startswith("coop")) | .units_encoded] | add')" \
  "$(query s8 '[.run.pairs[] | select(.model == "training@epoch_1") | .units_encoded] | add')"
$python "$oracle" perturb m.safetensors run/epoch_3.safetensors 3
run s.yaml --output s --resume
equal "--resume evaluates the new checkpoint alone" "$(pairs s), $(query s '.results | length')" \
  "training@epoch_3/one training@epoch_3/two training@epoch_3/both, 24"

# Where a learned context stands is part of what a unit of texts is known by.
sed -e 's/{1,10,2}/1/; /name: training/,+1d; /name: ready/,$d' s.yaml >learned.yaml
run learned.yaml --output middle
for folder in of-middle of-none; do
  cache=$folder/cache; [ $folder = of-none ] || cache=middle/cache
  run learned.yaml --output $folder --cache $cache --set 'models.coop.prompts={coop: contexts/e1.pt, position: end}'
done
agree "another position of a context, beside the cache of the first" of-none of-middle
digests() { query "$1" '[.results[].embedding.text_embeddings_digest] | tostring'; }
check "has other embeddings" test "$(digests middle)" != "$(digests of-none)"
# A context for each class, of more classes than a unit has texts: each has the texts of its own context.
printf 'name: many\nvocabularies:\n  all: [%s, %s]\n' "$(paste -sd, one.txt)" "$(seq -s, -f 'thing %g' 255)" >many.yaml
must $python "$oracle" contexts contexts/own.safetensors 260 contexts/e1.pt contexts/e2.pt
for context in e1.pt e2.pt own.safetensors; do
  run_at 2 learned.yaml --output of-$context --set datasets.one.vocabularies=many.yaml --only-dataset one \
    --set "models.coop.prompts={coop: contexts/$context, position: middle}"
done
check "contexts of 260 classes" $python "$oracle" turns of-own.safetensors/cache 260 of-e1.pt/cache of-e2.pt/cache
run s.yaml --output lone --set 'models.training.weights=run/*_3.safetensors' --only-model training@epoch_3
equal "a series of one, named as ever" "$(query lone '[.series[].model] | unique | join(" ")')" training@epoch_3
mkdir numbered; cp contexts/e1.pt numbered/model.pth.tar-50
run s.yaml --output numbered-s --set 'models.coop.prompts={coop: "numbered/model.pth.tar-*", position: middle}' \
  --only-model coop@model.pth.tar-50
equal "a number behind a dot is no extension, also of one alone" \
  "$(query numbered-s '[.series[].model] | unique | join(" ")')" coop@model.pth.tar-50
check "report takes series" "$vocabench" report s --output series.html

# ---- bad input ---------------------------------------------------------------------------------------------------

bad() { refuses "$1" "$2" "$3" "$vocabench" run "${@:4}" --output bad; } # bad NAME CODE PATTERN EXPERIMENT [FLAGS]
change() { sed "$1" "${2:-e.yaml}" >bad.yaml; }
change 's/datasets: \[three, one\]/datasets: [three, four]/'
bad "an unknown dataset" 3 "bad.yaml:[0-9]+:[0-9]+: expansion 'pair': there is no dataset 'four'" bad.yaml
change 's/datasets: \[three, one\]/datasets: [three, all]/'
bad "an expansion of an expansion" 3 "expansion 'pair': there is no dataset 'all'" bad.yaml
change 's/datasets: \[three, one\]/datasets: [three]/'
bad "one dataset" 3 "expansion 'pair': datasets: expected a list of at least two datasets, found one" bad.yaml
change 's/datasets: \[three, one\]/datasets: three/'
bad "no list of datasets" 3 "at least two datasets, found no list" bad.yaml
change 's/datasets: \[three, one\]/datasets: [three, one, three]/'
bad "a dataset twice" 3 "expansion 'pair': 'three' is listed twice" bad.yaml
change 's/name: pair/name: two/'
bad "an expansion with a dataset's name" 3 "two expansions or datasets are named two" bad.yaml
change 's/shared_names: different/shared_names: diferent/'
bad "an unknown rule" 3 \
  "shared_names: expected one of same, different, merge, drop, found 'diferent'; did you mean 'different'" bad.yaml
change 's/^  - {name: all.*/  - {name: all, dataset: [one, two]}/'
bad "an unknown key" 3 "unknown key 'dataset' in an expansion; did you mean 'datasets'" bad.yaml
change 's/, prompts: \["{}"\]//'
bad "a dataset without prompts" 3 \
  "model 'own': family clip needs the key 'prompts', or every dataset its own: dataset 'three' has none" bad.yaml
change 's/prompts: \["{}"\]/prompts: ["no place"]/'
bad "a dataset's prompt without a place" 3 "the prompt 'no place' has no .. for the class name" bad.yaml
change 's/dataset: c,/dataset: a,/' p.yaml
bad "embeddings of a dataset twice" 3 "model 'm': embeddings of dataset 'a' are listed twice" bad.yaml
change '/dataset: a, image/d' p.yaml
bad "a dataset that no model covers" 3 "bad.yaml:[0-9]+:[0-9]+: dataset 'a': no model has embeddings of it" bad.yaml
change '/- {dataset: b, image/d' p.yaml
bad "an expansion that no model covers" 3 "expansion 'same': no model has embeddings of all its datasets" bad.yaml
change '0,/family: precomputed$/s//family: precomputed\n    labels: a-y.npy/' p.yaml
bad "keys beside embeddings" 3 "model 'm': 'labels' beside 'embeddings', in whose entries it belongs" bad.yaml
$python -c "import numpy as n; n.save('c7.npy', n.load('c-i.npy')[:, :7]); n.save('c7t.npy', n.load('c-t.npy')[:, :7])"
change 's/c-i.npy/c7.npy/; s/c-t.npy/c7t.npy/' p.yaml
bad "other dimensions" 6 \
  "model 'm' on expansion 'same': text embeddings of dataset 'c' have 7 dimensions, those of 'a' 12" bad.yaml
printf 'name: c\nvocabularies: {all: [cat, elk]}\n' >few.yaml
$python -c \
  "import numpy; numpy.save('few-t.npy', numpy.load('c-t.npy')[:2]); numpy.save('few-y.npy', numpy.load('c-y.npy').clip(-1, 1))"
change 's/vocabularies: c.yaml/vocabularies: few.yaml/; s/c-t.npy/few-t.npy/; s/c-y.npy/few-y.npy/' p.yaml
bad "nothing left of a dataset" 6 "expansion 'drop': 'c': no class is left, all its names are shared and dropped" bad.yaml
printf 'name: c\nvocabularies: {all: [cat, {id: n7, name: gnu}, hen, yak]}\n' >ids.yaml
change 's/vocabularies: c.yaml/vocabularies: ids.yaml/; /name: same/d' p.yaml
printf 'name: b\nvocabularies: {all: [maple tree, elk, cat, fox, {id: n7, name: sea lion}, gnu, bank]}\n' >b2.yaml
sed -i 's/vocabularies: b.yaml/vocabularies: b2.yaml/' bad.yaml
bad "two classes of one name" 6 "'b': its classes 'sea lion' and 'gnu' are both of one name" bad.yaml
sed '/name: merge/d; /name: drop/d; /name: two/d' bad.yaml >apart.yaml
run apart.yaml --output apart && equal "two classes of one name are two things where all names are" \
  "$(query apart '.results[] | select(.dataset == "different").expansion.shared | tojson')" \
  '[{"a":"maple_tree","b":"maple tree"},{"a":"cat","b":"cat","c":"cat"},{"b":"sea lion","c":"gnu"},{"b":"gnu","c":"gnu"}]'
bad "a pattern without files" 4 "s.yaml:[0-9]+:[0-9]+: weights: .*run/\*.pth|s.yaml: command line: weights: .*run/\*.pth" s.yaml \
  --set 'models.training.weights=run/*.pth'
bad "series of two lengths" 3 "text_embeddings: 2 files match, but 3 of the other pattern" s.yaml \
  --set 'models.ready.text_embeddings=embeddings/t{1,2}.npy'
bad "a model of a checkpoint's name" 3 "two models are named coop@e1" s.yaml --set models.training.name=coop@e1 \
  --set models.0.weights=m.safetensors
bad "a checkpoint that is none" 6 "contexts/e1.pt" s.yaml --set 'models.0.weights=contexts/*.pt'
finish
