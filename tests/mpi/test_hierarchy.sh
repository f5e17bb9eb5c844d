#!/bin/bash
# Errors by their way through WordNet: every figure against data.noun itself, at 1 and 3 ranks, of single labels and of sets.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3 wordnet=/usr/share/wordnet
oracle=$here/tests/tools/hierarchy_oracle.py
[ -e $wordnet/data.noun ] || { skip "WordNet's hierarchy" "wordnet-base is not installed"; finish; }
$python -c 'import numpy' 2>/dev/null || { skip "WordNet's hierarchy" "python3-numpy is not installed"; finish; }
must $python "$oracle" make .
cat >e.yaml <<'E'
experiment: e
threads: 1
analyses: [hierarchy]
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
for ranks in 1 3; do run_at $ranks e.yaml --output single-$ranks; done
check "single labels: every figure is data.noun's" $python "$oracle" check . single.sets single-1/results.json $wordnet
agree "3 ranks, the same" single-1 single-3
run_at 3 e.yaml --output sets --set models.m.labels=sets.json
check "sets: the way to the nearest right class" $python "$oracle" check . several.sets sets/results.json $wordnet
# The same dataset twice: classes of one name are one thing, so that nothing is taken, and all is as of all of its classes.
cat >x.yaml <<'E'
experiment: x
threads: 1
analyses: [hierarchy]
datasets: [{name: d, vocabularies: v.yaml}, {name: e, vocabularies: v.yaml}]
expansions: [{name: twice, datasets: [d, e]}]
models:
  - {name: m, family: precomputed, embeddings: [{dataset: d, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy},
       {dataset: e, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]}
E
run_at 2 x.yaml --output twice
# shellcheck disable=SC2016 # jq's variables
hierarchy='.results[] | select(.dataset == $of).analyses.hierarchy | [.chance, (.all | del(.errors, .paths, .hypernyms_se))]'
equal "an expansion of a dataset and itself" "$(jq -c --arg of twice "$hierarchy" twice/results.json)" \
  "$(jq -c --arg of d "$hierarchy" twice/results.json)"
holds "takes nothing" '.results[] | select(.dataset == "twice").analyses.hierarchy |
  .theft.paths == [] and .own.mean_path == .all.mean_path and .own.hyponyms_too == .all.hyponyms_too' twice/results.json
must "$vocabench" report single-1 --output report.html
has_text "the report has a line a model" "hypernyms forgiven" report.html
must "$vocabench" report single-1 --format md --output report.md
equal "errors and thefts of at most four steps are near" \
  "$(awk -F ' *[|] *' 'near { print $7, $9; exit } /near \(%\)/ { getline; near = 1 }' report.md)" \
  "$(jq -r '[.results[0].analyses.hierarchy | .all, .theft | .paths |
    ([.[] | select(.[0] <= 4)[1]] | add // 0) / (map(.[1]) | add)] | map(tostring) | join(" ")' single-1/results.json |
    awk '{ printf "%.2f %.2f\n", 100 * $1, 100 * $2 }')"
has_text "a table by length" "m: images by the steps to the wrong class" report.html
has_text "and the thefts, the nearest first" "m: the nearest thefts" report.html

# ---- what is refused ----------------------------------------------------------------------------------------------
wrong() { # wrong NAME PATTERN SED: of v.yaml
  sed "$3" v.yaml >wrong.yaml
  refuses "$1" 6 "dataset 'd', analysis 'hierarchy': $2" \
    "$vocabench" run e.yaml --output x --set datasets.d.vocabularies=wrong.yaml
}
wrong "a class without an id" "class 'poodle' has no id; expected WordNet's" 's/{id: n02113335, name: poodle}/poodle/'
wrong "an offset that is no synset" "class 'poodle': the id 'n02113336' is no synset of $wordnet/data.noun; .* WordNet 3.0" \
  's/n02113335/n02113336/'
wrong "another kind of id" "class 'hen': the id 'hen-1' is no synset" 's/n01514859/hen-1/'
wrong "a verb's id" "class 'hen': the id 'v01514859' is no synset" 's/n01514859/v01514859/'
refuses "no WordNet, and which key names it" 4 "hierarchy: wordnet: .*none: no index.noun and data.noun there" \
  "$vocabench" run e.yaml --output x --set hierarchy.wordnet=none
sed 's/^analyses:.*/hierarchy: {wordnet: none}/' e.yaml >unasked.yaml
refuses "its key without it" 3 "hierarchy: it is for the analysis of that name" "$vocabench" run unasked.yaml --output x
sed 's/n02113335/n02113336/' v.yaml >wrong.yaml
"$vocabench" check e.yaml --set datasets.d.vocabularies=wrong.yaml >checked 2>/dev/null
has_text "check says so too" "the id 'n02113336' is no synset" checked
# Another WordNet: the results are not resumed.
mkdir own; cp $wordnet/index.noun $wordnet/data.noun own
run e.yaml --output own-results --set hierarchy.wordnet=own
touch -d 2001-01-01 own/data.noun
run e.yaml --output own-results --set hierarchy.wordnet=own --resume
equal "a WordNet that changed is read again" "$(query own-results '.run.pairs | length')" 1
run e.yaml --output own-results --set hierarchy.wordnet=own --resume
equal "one that has not is not" "$(query own-results '.run.pairs | length')" 0
named='.results[0].analyses.hierarchy.wordnet_digest'
like "results name it by what is in its files" '^[0-9a-f]{32}$' <<<"$(query single-1 "$named")"
equal "wherever it lies" "$(query own-results "$named")" "$(query single-1 "$named")"
others() { jq "del(.run, $named)" own-results/results.json; }
others >before; echo '  a line more' >>own/data.noun
run e.yaml --output own-results --set hierarchy.wordnet=own --resume
others >behind
same "of one with a line more nothing else is different" before behind
like "it is another" '^false$' <<<"$(jq -s "map($named) | .[0] == .[1]" {single-1,own-results}/results.json)"
finish
