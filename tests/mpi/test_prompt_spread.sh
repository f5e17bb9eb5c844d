#!/bin/bash
# prompt_spread against NumPy on embeddings of every text alone (tests/tools/prompt_spread_oracle.py), at any number of ranks;
# what reports show; resuming; what is refused.
. "$(dirname "$0")/../lib.sh"
oracle=$here/tests/tools/prompt_spread_oracle.py
cd "$scratch" || exit 1
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { skip "the spread over prompts" "no NumPy"; finish; }
make_data images pics 20 3; make_data model m.safetensors; make_data tokenizer tok
rm -r pics/girl
# bear: by its only sense; whale, wolf: by id; lamp has two senses, no id: none. "beast" would be two classes', "sea" is another.
mkdir wordnet
cat >wordnet/data.noun <<'E'
  1 licence
00000100 03 n 01 entity 0 000 | all
00000200 03 n 03 bear 0 bruin 0 beast 0 001 @ 00000100 n 0000 | brown
00000300 03 n 03 whale 0 giant 0 beast 0 001 @ 00000100 n 0000 | large
00000400 03 n 04 wolf 0 grey_wolf 0 Canis_lupus 0 sea 0 001 @ 00000100 n 0000 | grey
00000500 03 n 02 lamp 0 light 0 001 @ 00000100 n 0000 | one
00000600 03 n 02 lamp 0 lantern 0 001 @ 00000100 n 0000 | another
00000700 03 n 02 sea 0 ocean 0 001 @ 00000100 n 0000 | water
00000800 03 n 02 chair 0 seat 0 001 @ 00000100 n 0000 | to sit on
00000900 03 n 02 chair 1 president 0 001 @ 00000100 n 0000 | who sits on it
E
cat >wordnet/index.noun <<'E'
  1 licence
bear n 1 1 @ 1 0 00000200
beast n 2 1 @ 2 0 00000200 00000300
bruin n 1 1 @ 1 0 00000200
canis_lupus n 1 1 @ 1 0 00000400
chair n 2 1 @ 2 0 00000800 00000900
entity n 1 0 1 0 00000100
giant n 1 1 @ 1 0 00000300
grey_wolf n 1 1 @ 1 0 00000400
lamp n 2 1 @ 2 0 00000500 00000600
lantern n 1 1 @ 1 0 00000600
light n 1 1 @ 1 0 00000500
ocean n 1 1 @ 1 0 00000700
president n 1 1 @ 1 0 00000900
sea n 2 1 @ 2 0 00000700 00000400
seat n 1 1 @ 1 0 00000800
whale n 1 1 @ 1 0 00000300
wolf n 1 1 @ 1 0 00000400
E
cat >v.json <<'E'
{"animals": [["bear", null], ["dolphin", null], ["elephant", null], ["hamster", null], ["rabbit", null], ["whale", "n00000300"],
  ["wolf", "n00000400"], ["worm", null]],
 "things": [["apple", null], ["chair", "n00000800"], ["keyboard", null], ["lamp", null], ["orange", null], ["table", null],
  ["train", null]],
 "places": [["forest", null], ["maple_tree", null], ["palm tree", null], ["sea", "n00000700"]]}
E
jq -r '"name: v", "vocabularies:", (to_entries[] | "  \(.key):", (.value[] |
  "    - {" + (if .[1] then "id: \(.[1]), " else "" end) + "name: \(.[0])}"))' v.json >v.yaml
find pics -name '*.*' -type f | LC_ALL=C sort | sed 's,^pics/,,; s,/[^/]*$,,; s/maple tree/maple_tree/' >labels.txt
cat >e.yaml <<'E'
experiment: spread
threads: 1
analyses: [prompt_spread]
prompt_spread: {wordnet: wordnet, draws: 6}
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
  prompts: ["a photo of a {}.", "{}", "the {} in a picture"]}]
E
must "$vocabench" encode images --raw --weights m.safetensors --activation quick_gelu --input pics --output images.npy
# against FOLDER TEMPLATE...: NumPy's figures of the results in that folder.
against() {
  local folder=$1; shift
  printf '%s\n' "$@" >templates.txt
  must /usr/bin/python3 "$oracle" texts . wordnet
  must "$vocabench" encode texts --raw --weights m.safetensors --activation quick_gelu --tokenizer tok --input texts.txt \
    --output texts.npy
  check "$folder: the figures are NumPy's" /usr/bin/python3 "$oracle" check . wordnet "$folder/results.json"
}
run e.yaml --output whole && against whole "a photo of a {}." "{}" "the {} in a picture"
for ranks in 2 3 5; do
  run_at $ranks e.yaml --output again-$ranks --threads $((ranks % 2 + 1)) && agree "$ranks ranks" whole again-$ranks
done
run e.yaml --output one --set 'models.plain.prompts=["a photo of a {}."]' --set seed=3 && against one "a photo of a {}."
run e.yaml --output some --set prompt_spread.synonyms=false
equal "synonyms may be left out" "$(query some '.results[0].analyses.prompt_spread | [.synonyms, .templates.count] | tojson')" \
  '[null,3]'
run e.yaml --output other --set prompt_spread.templates=false
equal "templates too" "$(query other '.results[0].analyses.prompt_spread | [.templates, .synonyms.draws] | tojson')" '[null,6]'

# Where no class has another name there is nothing to vary; where no draw changes anything, there is no deviation.
echo 'name: s
vocabularies: {a: [dolphin, elephant, hamster], b: [apple, keyboard, table], c: [forest, maple_tree]}' >none.yaml
run e.yaml --output none --set datasets.folder.vocabularies=none.yaml
holds "no synonyms, none varied" '.results[0].analyses.prompt_spread | .synonyms == null and .templates.count == 3' \
  none/results.json
must "$vocabench" report none --format md --output none.md
equal "the table has templates alone" "$(grep -cE '^\| plain +\| (templates|synonyms) ' none.md)" 1
run e.yaml --output nothing --set datasets.folder.vocabularies=none.yaml --set 'models.plain.prompts=["{}"]'
for format in html md latex; do
  check "nothing to show: $format" "$vocabench" report nothing --format $format --output nothing.$format
done
unlike "no figure and no table of it" 'prompt-spread|over prompt templates' nothing.html
echo 'name: s
vocabularies: {a: [bear, dolphin, elephant, hamster, rabbit, worm], b: [apple, keyboard, orange, table, train],
  c: [forest, maple_tree, palm tree]}' >few.yaml
run e.yaml --output few --limit 1 --set datasets.folder.vocabularies=few.yaml --set prompt_spread.draws=20
holds "equal values are their mean, without a deviation" '[.results[0].analyses.prompt_spread.synonyms |
  .acc_c, .acc_e, .acc_s, .top1_all | select(.min == .max)] | length > 0 and all(.mean == .min and .sd == 0)' few/results.json

# ---- reports, plan, resuming --------------------------------------------------------------------------------------
must "$vocabench" report whole --format md --output page.md
equal "the table has templates and synonyms" "$(grep -cE '^\| plain +\| (templates|synonyms) ' page.md)" 2
equal "and the results' figures" "$(grep -E '^\| plain +\| (templates|synonyms) ' page.md | sed 's/[|±]/ /g' |
  awk '{ for (i = 3; i <= NF; i++) printf "%s%s", $i, i < NF ? " " : "\n" }')" \
  "$(query whole '.results[0] | {acc_c, acc_e, over: (.analyses.prompt_spread | .templates, .synonyms)} | [(.over.list | length),
    .acc_c, (.over.acc_c | .mean, .sd, .min, .max), .acc_e, (.over.acc_e | .mean, .sd, .min, .max)] | @tsv' |
    awk '{ printf "%d", $1; for (i = 2; i <= NF; i++) printf " %.2f", 100 * $i; print "" }')"
equal "the figure's data are the results'" "$(awk -F, '$2 == "synonyms" { print $3 ":" $5 }' page-data/*-prompt-spread-*.csv)" \
  "$(query whole '.results[0].analyses.prompt_spread.synonyms.list | to_entries[] | "\(.key + 1) \(.value.acc_e)"' |
    awk '{ printf "%d:%.10g\n", $1, 100 * $2 }')"
"$vocabench" plan e.yaml >planned 2>&1
like "plan knows the pair, and its texts: 19 classes and their synonyms in 3 templates" \
  " plain +folder .* $((3 * (19 + $(query whole .results[0].analyses.prompt_spread.synonyms.names)))) " planned
"$vocabench" check e.yaml --output new >checked 2>&1
like "check looks at WordNet" 'prompt_spread.*17 nouns' checked
"$vocabench" help run >helped
like "help knows its keys" 'keys of prompt_spread' helped
run e.yaml --output whole --resume
holds "resume takes the pair" '.run.pairs | length == 0' whole/results.json
sed -i 's/grey_wolf 0/gray_wolf 0/' wordnet/data.noun; sed -i 's/^grey_wolf/gray_wolf/' wordnet/index.noun
run e.yaml --output whole --resume
holds "but not with another WordNet" '.run.pairs | length == 1' whole/results.json

# Sets of right labels: each template alone is what a run with that template alone gives; some sets cross vocabularies.
find pics -name '*.*' -type f | LC_ALL=C sort | sed 's,^pics/,,' | jq -Rn '[inputs] | to_entries |
  map({(.value): ([.value | split("/")[0]] +
    (if .key % 3 == 0 then ["sea", "lamp"][.key % 2:.key % 2 + 1] else [] end))}) | add' >sets.json
# (of a limit and by dot products; drawn orders leave the exact figures)
sets=(--set datasets.folder.labels=sets.json --limit 2 --set models.plain.similarity=dot --set protocol=sampled)
run e.yaml --output sets "${sets[@]}" --set prompt_spread.draws=2
holds "some images have right classes in several vocabularies" \
  '.results[0].data.label_sets.images_of_several_vocabularies > 5' sets/results.json
for k in 0 2; do
  jq -r ".results[0].analyses.prompt_spread.templates.list[$k].template" sets/results.json >template
  run e.yaml --output alone-$k "${sets[@]}" --set analyses= --set prompt_spread= \
    --set "models.plain.prompts=[\"$(cat template)\"]"
  equal "sets: template $k alone" \
    "$(query sets ".results[0].analyses.prompt_spread.templates.list[$k] | [.acc_c, .acc_e, .acc_s, .top1_all] | tojson")" \
    "$(query alone-$k '.results[0] | [.acc_c, .exact.acc_e, .exact.acc_s, .top1_all] | tojson')"
done
holds "drawn orders have another Acc-E" '.results[0] | .acc_e != .exact.acc_e' sets/results.json
must "$vocabench" report sets --format md --output sets.md
equal "the page has the exact one beside the spread's" \
  "$(awk -F, '$2 == "as run" { print $4, $5, $6 }' sets-data/*-prompt-spread-*.csv)" \
  "$(query sets '.results[0] | [.acc_c, .exact.acc_e, .exact.acc_s] | @tsv' |
    awk '{ printf "%.10g %.10g %.10g", 100 * $1, 100 * $2, 100 * $3 }')"
run_at 3 e.yaml --output sets-3 "${sets[@]}" --set prompt_spread.draws=2; agree "sets: three ranks" sets sets-3

# ---- what is refused ----------------------------------------------------------------------------------------------
refuses "no WordNet, and which key names it" 4 'prompt_spread: wordnet: .*nowhere: no index.noun and data.noun there' \
  "$vocabench" run e.yaml --output o --set prompt_spread.wordnet=nowhere
refuses "an unknown key" 3 "drws" "$vocabench" run e.yaml --output o --set prompt_spread.drws=3
refuses "one draw, which has no spread" 3 "draws" "$vocabench" run e.yaml --output o --set prompt_spread.draws=1
refuses "the key without the analysis" 3 "prompt_spread: it is about the analysis of that name" "$vocabench" run e.yaml \
  --output o --set 'analyses=[margin]'
printf 'experiment: p\nanalyses: [prompt_spread]\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels:\n' >p.yaml
echo "  - {name: m, family: precomputed, image_embeddings: images.npy, text_embeddings: images.npy, labels: labels.txt}" >>p.yaml
refuses "embeddings made elsewhere" 3 "model 'm' is precomputed: the analysis 'prompt_spread' needs models that encode texts" \
  "$vocabench" run p.yaml --output o
# Each rank finds another WordNet at one place, as machines of a cluster may.
cp -r wordnet other-net; sed -i 's/bruin 0/beer 0/' other-net/data.noun; sed -i 's/^bruin/beer/' other-net/index.noun
sed -i '/^beer/d; /^bear/a beer n 1 1 @ 1 0 00000200' other-net/index.noun
# shellcheck disable=SC2016 # the program expands it
mpirun --oversubscribe -n 1 env WORDNET=wordnet "$vocabench" run e.yaml --output o --set 'prompt_spread.wordnet=$WORDNET' : \
  -n 1 env WORDNET=other-net "$vocabench" run e.yaml --output o --set 'prompt_spread.wordnet=$WORDNET' >stdout 2>stderr
equal "ranks with other WordNets do not agree" $? 6 "$(cat stderr)"
finish
