#!/bin/bash
# Images with several right labels, as ReaL has them: every figure against the definition, at 1 and 3 ranks; what is refused.
. "$(dirname "$0")/../lib.sh"
need_oracle "sets of labels" label_sets_oracle.py
cat >sets.yaml <<'E'
experiment: sets
per_image: true
threads: 1
analyses: [margin, similarity, alignment, uniformity, open_curve, top5, open_set, calibration]
open_curve: {names: pool.txt, embeddings: n.npy, exclude: none}
adversarial: {candidates: pool.txt, embeddings: n.npy, exclude: none, k: 3}
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, logit_scale: 4, image_embeddings: i.npy, text_embeddings: t.npy, labels: names.json}]
E
for ranks in 1 3; do run_at $ranks sets.yaml --output sets-$ranks; done
zstd -dqc sets-1/records/m--d.jsonl.zst >records.jsonl
check "every figure and record is the definition's" "$python" "$oracle" check . sets-1/results.json records.jsonl
agree "3 ranks, the same" sets-1 sets-3
run sets.yaml --output numbers --set models.m.labels=numbers.json --set models.m.label_names=label_names.txt
has_text "images without any label are told" "note: m / d: images whose set of labels is empty, left out: 3" stdout
has_text "images of several right classes, too" "note: m / d: images with several right classes: " stdout
same_but_for_labels='del(.configuration, .configuration_digest) | del(.results[].data.labels_digest)'
equal "integers by label_names are the names" "$(figures numbers | jq -S "$same_but_for_labels")" \
  "$(figures sets-1 | jq -S "$same_but_for_labels")"

# ---- what is refused ----------------------------------------------------------------------------------------------
refuses "records of images of several vocabularies are not compared" 10 "right classes in several vocabularies" \
  "$vocabench" compare sets-1 sets-3
refuses "order, where sets cross vocabularies" 10 "image 'row [0-9]+' has right classes in several vocabularies: 'order' takes" \
  "$vocabench" run sets.yaml --output x --set 'analyses=[order]' --set open_curve= --set adversarial=
"$vocabench" check sets.yaml --set 'analyses=[order]' --set open_curve= --set adversarial= >stdout 2>stderr
equal "which check finds" $? 10 "$(cat stdout)"
like "with the image" "^error +'m' on 'd' +.*'order': image 'row [0-9]+' has right classes in several vocabularies" stdout
"$vocabench" check sets.yaml --set similarity_engine=scalapack --set per_image=false --set analyses= --set open_curve= \
  --set adversarial= >stdout 2>stderr
equal "and the other engine" "$?$(grep -c "^error .*scalapack takes images of one class" stdout)" 101
# Of a class in two vocabularies an image has one right class in each, the same.
printf 'name: w\nvocabularies: {a: [x, y], b: [x, z]}\n' >w.yaml; echo '[["x"], ["y"], ["z"], ["x"]]' >w.json
floats w.npy 3 <<<"1 0 0 0 1 0 0 0 1 1 0 1"; floats wt.npy 3 <<<"1 0 0 0 1 0 0 0 1"
crossed=(sets.yaml --set datasets.d.vocabularies=w.yaml --set models.m.image_embeddings=w.npy --set models.m.labels=w.json
  --set models.m.text_embeddings=wt.npy --set 'analyses=[order]' --set open_curve= --set adversarial=)
must "$vocabench" check "${crossed[@]}"; must "$vocabench" run "${crossed[@]}" --output w
echo '[["x"], ["y"], ["z"], ["x"], ["z", "y"]]' >w.json; floats w.npy 3 <<<"1 0 0 0 1 0 0 0 1 1 0 1 1 1 0"
must "$vocabench" check "${crossed[@]}" --limit 1 # the last image is beyond it
refuses "but of two classes it is refused, before anything is judged" 10 "image 'row 4' has right classes in several" \
  "$vocabench" run "${crossed[@]}" --output w
# What plan counts: of 60 vocabularies sets take 2 * 60^3 counters more.
jq -rn '"name: v", "vocabularies:", (range(60) | "  v\(.): [a\(.), b\(.)]")' >many.yaml
must "$tools/npy" random many.npy 120 10 1
jq -cn '[range(150) | ["a\(. % 60)"]]' >many.json; jq -r '.[][]' many.json >many.txt
planned() { # planned LABELS: bytes of a rank
  "$vocabench" plan sets.yaml --set datasets.d.vocabularies=many.yaml --set models.m.text_embeddings=many.npy --set analyses= \
    --set adversarial= --set open_curve= --set models.m.labels="$1" | sed -nE 's/.* memory: about ([0-9.]+) MB a rank.*/\1/p'
}
check "plan counts what sets take" \
  awk "BEGIN { more = $(planned many.json) - $(planned many.txt); exit !(more > 3.4 && more < 4.5) }"
# Sets of one class each are single labels, in every figure.
jq -c '[limit(150; range(15), range(150)) % 15]' -n >single.json; jq -c 'map([.])' single.json >ones.json
jq -r '.[]' single.json >single; must "$tools/npy" numbers single.npy i8 single
every='analyses=[margin,similarity,alignment,uniformity,spectrum,order,open_curve,top5,open_set,calibration]'
for labels in single.npy ones.json; do run sets.yaml --output "$labels-o" --set "$every" --set models.m.labels=$labels; done
# (but the errors, which do not count what sets of several vocabularies have in common)
but_data='.results[0] | del(.data) | walk(if type == "object" then del(.errors) else . end)'
equal "sets of one class each are single labels" "$(query ones.json-o "$but_data")" "$(query single.npy-o "$but_data")"
refuses "the other engine" 10 "similarity_engine: scalapack takes images of one class" \
  "$vocabench" run sets.yaml --output x --set similarity_engine=scalapack --set per_image=false --set analyses= \
  --set open_curve= --set adversarial=
bad() { # bad NAME CODE PATTERN FILTER: numbers.json, changed
  jq -c "$4" numbers.json >bad.json
  refuses "$1" "$2" "bad.json: $3" "$vocabench" run sets.yaml --output x --set models.m.labels=bad.json \
    --set models.m.label_names=label_names.txt
}
bad "an index beyond the names" 6 'label 99, expected 0 to 16 \(rows of label_names\)' '.[7] = [3, 99]'
bad "a label twice" 5 "image 7 \(from 0\): the label '3' stands twice in its set" '.[7] = [3, 4, 3]'
bad "another number of images" 6 '149 sets of labels, but i.npy has 150 rows' '.[1:]'
bad "a label below 0" 5 'image 2 \(from 0\): found the label -1, expected 0 or more' '.[2] = [-1]'
bad "a number that is no integer" 5 'image 2 \(from 0\): a label is a real number, expected a text or an integer' '.[2] = [1.5]'
bad "a list in a set" 5 'image 2 \(from 0\): a label is a list' '.[2] = [[1]]'
bad "an empty text" 5 'image 2 \(from 0\): a label is an empty text' '.[2] = [" "]'
bad "a label beside sets" 5 'image 2 \(from 0\): an integer, expected a list of labels' '.[2] = 1'
bad "sets behind labels" 5 'item 0 is an integer, expected a string' '.[0] = 1'
bad "sets by name, of embeddings" 5 "sets of labels by the images' names; expected a list" '{a: .[0]}'
iconv -f UTF-8 -t UTF-16 numbers.json >wide.json
refuses "UTF-16" 5 'wide.json: .*UTF-16' "$vocabench" run sets.yaml --output x --set models.m.labels=wide.json
head -c 300 numbers.json >cut.json
refuses "a file that is cut" 5 'cut.json:1:[0-9]+' "$vocabench" run sets.yaml --output x --set models.m.labels=cut.json
jq -c 'map([.[] | . + 20])' numbers.json >beyond.json
refuses "places beyond the last class" 6 'beyond.json: image 0 \(from 0\): label 20, expected 0 to 14' \
  "$vocabench" run sets.yaml --output x --set models.m.labels=beyond.json
jq -c 'map([])' numbers.json >empty.json
refuses "no label at all" 6 "vocabulary 'a' has no images" "$vocabench" run sets.yaml --output x --set models.m.labels=empty.json

# ---- of images that are encoded -----------------------------------------------------------------------------------
must mv i.npy images.npy; make_data images pics 20 2; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
# In the order of the file names, which is not that of the data; every fourth set is empty, every third has two classes.
i=0
for picture in pics/*/*; do mv "$picture" "${picture%/*}/$((7 * i % 101 + 100))-$i.${picture##*.}"; i=$((i + 1)); done
printf '%s\n' pics/*/* | awk -F/ '{ printf "%s\t%s\n", $3, $2 }' | LC_ALL=C sort >by-name
jq -Rn '[inputs / "\t" | {name: .[0], class: .[1]}] | to_entries | map({key: .value.name, value: (
  if .key % 4 == 3 and .key > 20 then [] elif .key % 3 == 0 then [.value.class, if .value.class == "sea" then "bear"
  else "sea" end] else [.value.class] end)})' by-name >entries.json
jq -c 'map(.value)' entries.json >real.json; jq -c 'reverse | from_entries' entries.json >object.json
cat >folders.yaml <<'E'
experiment: folders
per_image: true
datasets: [{name: d, images: pics, vocabularies: v.yaml, labels: real.json}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}]
E
run_at 2 folders.yaml --output folders-2; run folders.yaml --output folders
agree "sets of encoded images, at 2 ranks" folders folders-2
"$vocabench" verify folders >stdout
verdict $? "they are verified, to the similarity with the first-ranked right class" "$(cat stdout)"
like "by images that are encoded again" '^ok .*: [0-9]+ images as similar to their classes as recorded, to the last bit' stdout
"$vocabench" check folders.yaml >stdout
verdict $? "and checked" "$(cat stdout)"
like "by images that have a class" "^ok +dataset 'd' +[0-9]+ images were decoded" stdout
refuses "order, before they are encoded" 10 "'order': image [0-9]+ .from 0. has right classes in several vocabularies" \
  "$vocabench" run folders.yaml --output fresh --set 'analyses=[order]'
# Sets of other images have their number and good labels: a packed copy has numbers for names, in another order.
must "$vocabench" pack --input pics --output packed
strangers='note .* [0-9]+ of [0-9]+ images have the data.s own label in their set: are the sets in the order of'
"$vocabench" check folders.yaml >stdout 2>&1; unlike "sets of these images are taken" "$strangers" stdout
"$vocabench" check folders.yaml --set datasets.d.images=packed >stdout 2>&1; like "those of others are told" "$strangers" stdout
run folders.yaml --output object --set datasets.d.labels=object.json
same "an object by file names is the list" folders/records/m--d.jsonl.zst object/records/m--d.jsonl.zst
# The same embeddings as precomputed ones: rows in the order of the data, and sets in that order.
must "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output i.npy
sed -n 's/^ *[a-z]*: *\[\(.*\)\]/\1/p' v.yaml | tr ',' '\n' | sed 's/^ *//; s/_/ /g; s/.*/a photo of a &./' >texts.txt
must "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok --input texts.txt --output t.npy
printf '%s\n' pics/*/* | LC_ALL=C sort | sed 's|.*/||' | jq -Rn --slurpfile by object.json '[inputs | $by[0][.]]' >rows.json
printf '%s\n' 'experiment: rows' 'datasets: [{name: d, vocabularies: v.yaml}]' 'models: [{name: m, family: precomputed,
  image_embeddings: i.npy, text_embeddings: t.npy, labels: rows.json}]' >rows.yaml
run rows.yaml --output rows
figures_alone='.results[0] | del(.data, .embedding)'
equal "and those of the same embeddings, made before" "$(query folders "$figures_alone")" "$(query rows "$figures_alone")"
holds "empty ones are counted" '.results[0].data | .label_sets.images_with_an_empty_set > 3 and
  .images_of_no_vocabulary >= .label_sets.images_with_an_empty_set' folders/results.json
run folders.yaml --output folders --resume
equal "and nothing that has not changed is evaluated again" "$(query folders '.run.pairs | length')" 0
has_text "and told" "images have a set of labels without any: they are left out" stdout
# A limit of images a class counts the first class listed.
run folders.yaml --output limited --set limit=1
equal "one image of each class that is listed first" "$(query limited '.results[0].images')" \
  "$(zstd -dqc folders/records/m--d.jsonl.zst | jq -r .class | sort -u | wc -l)"
# A vocabulary whose only image is first of another class: beyond a limit, and broken.
sed '$a\  late: [late]' v.yaml >late.yaml
jq -c 'map(.value) | map(if length > 0 then . else ["bear"] end) | .[-1] = ["bear", "late"]' entries.json >late.json
IFS=$'\t' read -r file class < <(tail -n 1 by-name)
late=(folders.yaml --output x --set datasets.d.vocabularies=late.yaml --set datasets.d.labels=late.json)
sed '/  animals/!{/  things/d; /  places/d}' late.yaml >late-rows.yaml
echo '[["bear"], ["bear", "late"]]' >late-rows.json
must "$tools/npy" random late-i.npy 2 4 1; must "$tools/npy" random late-t.npy 9 4 2
rows=(rows.yaml --output x --set datasets.d.vocabularies=late-rows.yaml --set models.m.labels=late-rows.json
  --set models.m.image_embeddings=late-i.npy --set models.m.text_embeddings=late-t.npy)
none="dataset 'd': limit: vocabulary 'late' has no images among the first 1 of each class, by the first label of their sets"
for how in run check; do
  "$vocabench" $how "${late[@]}" --limit 1 >out 2>&1
  has_text "$how: a limit that leaves a vocabulary no image is told" "$none" out
  "$vocabench" $how "${rows[@]}" --limit 1 >out 2>&1
  has_text "$how: of embeddings, too" "$none" out
done
check "a larger one leaves it one" "$vocabench" run "${rows[@]}" --limit 2
cp "pics/$class/$file" whole; head -c 100 whole >"pics/$class/$file"
refuses "a vocabulary that lost its image is told with that" 5 \
  "vocabulary 'late' has no images left: 1 was skipped, the first: .*$file" "$vocabench" run "${late[@]}" \
  --set datasets.d.on_error=skip
cp whole "pics/$class/$file"
# A broken image in the middle of a unit: those behind it move up, and keep their sets.
file=$(printf '%s\n' pics/*/* | LC_ALL=C sort | sed -n 6p); cp "$file" whole; head -c 100 whole >"$file"
run folders.yaml --output hole --set datasets.d.on_error=skip; cp whole "$file"
jq -c '.[5] = []' rows.json >hole.json
run rows.yaml --output hole-rows --set models.m.labels=hole.json
equal "without an image that is broken" "$(query hole "$figures_alone")" "$(query hole-rows "$figures_alone")"
holds "which is skipped" '.results[0].data.images_skipped == 1' hole/results.json
two='[{name: d, images: pics, vocabularies: v.yaml, labels: real.json}, {name: e, images: pics, vocabularies: v.yaml}]'
sed "s|^datasets:.*|datasets: $two|; \$a expansions: [{name: both, datasets: [d, e]}]" folders.yaml >both.yaml
refuses "an expansion of sets" 10 "the labels of dataset 'd' are sets, and expansions take images of one class each" \
  "$vocabench" run both.yaml --output x
wrong() { # wrong NAME CODE PATTERN FILTER: entries.json, changed
  jq -c "$4" entries.json >wrong.json
  refuses "$1" "$2" "dataset 'd': wrong.json: $3" "$vocabench" run folders.yaml --output x --set datasets.d.labels=wrong.json
}
wrong "a set too few" 6 '[0-9]+ sets of labels, but pics has [0-9]+ images' '.[1:] | from_entries'
wrong "an image that is not there" 6 "there is no image 'none.png' in the data" '.[3].key = "none.png" | from_entries'
wrong "labels that are no sets" 5 'expected a JSON list of lists of labels' '["bear"]'
wrong "a label twice" 5 "image '[0-9]+-[0-9]+.(png|jpg)': the label 'x' stands twice" '.[5].value = ["x", "x"] | from_entries'
cp pics/bear/* pics/sea
# Files of one name in two folders.
printf '%s\n' pics/*/* | jq -Rn '[inputs | ltrimstr("pics/") | {key: ., value: [split("/")[0]]}] | from_entries' >full.json
jq -c 'with_entries(.key |= sub("[.][^.]*$"; ""))' full.json >stems.json
for names in full stems; do run folders.yaml --output $names --set datasets.d.labels=$names.json; done
same "images are named by folders, with endings or without" full/records/m--d.jsonl.zst stems/records/m--d.jsonl.zst
jq -c 'map(.value) | . + .[:2]' entries.json >wrong.json
refuses "two images of a name" 6 "wrong.json: two images are called '[0-9]+-[0-9]+.(png|jpg)': name them by their folders" \
  "$vocabench" run folders.yaml --output x --set datasets.d.labels=wrong.json
finish
