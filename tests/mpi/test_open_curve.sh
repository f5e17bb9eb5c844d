#!/bin/bash
# The open curve against enumeration in exact arithmetic (tests/tools/open_curve_oracle.py), at any number of ranks, with every
# rule of exclusion, for precomputed and for encoding models; and what is refused.
. "$(dirname "$0")/../lib.sh"
need_oracle "the open curve" open_curve_oracle.py
cat >e.yaml <<'E'
experiment: curve
analyses: [open_curve]
open_curve: {names: names.txt, embeddings: n.npy, exclude: names}
datasets: [{name: d, vocabularies: v.yaml}]
models:
  - {name: m, family: precomputed, image_embeddings: i.npy, labels: labels.txt, text_embeddings: t.npy, text_names: classes.txt}
E
# rule NAME ARGUMENT...: a run with that rule, compared with the oracle.
rule() {
  local name=$1; shift
  run e.yaml --output "$name" --set open_curve.exclude="$name" "$@" &&
    check "exclude: $name" /usr/bin/python3 "$oracle" check . "$name/results.json" wordnet
}
rule names
rule none
# A WordNet of eight synsets: entity - animal - bear, whale (also: giant) - wolf, grey wolf; brown bear below bear.
mkdir wordnet
cat >wordnet/data.noun <<'E'
  1 licence
00000100 03 n 01 entity 0 000 | all
00000200 03 n 02 animal 0 beast 0 001 @ 00000100 n 0000 | moves
00000300 03 n 01 bear 0 001 @ 00000200 n 0000 | brown
00000400 03 n 01 brown_bear 0 001 @ 00000300 n 0000 | browner
00000500 03 n 02 whale 0 giant 0 001 @ 00000200 n 0000 | large
00000600 03 n 02 wolf 0 grey_wolf 0 001 @ 00000200 n 0000 | grey
00000700 03 n 02 whale 1 name_7 0 001 @ 00000100 n 0000 | another sense
00000800 03 n 01 stallion 0 001 @ 00000200 n 0000 | a horse
E
cat >wordnet/index.noun <<'E'
  1 licence
animal n 1 1 @ 1 0 00000200
bear n 1 1 @ 1 0 00000300
beast n 1 1 @ 1 0 00000200
brown_bear n 1 1 @ 1 0 00000400
entity n 1 0 1 0 00000100
giant n 1 1 @ 1 0 00000500
grey_wolf n 1 1 @ 1 0 00000600
name_7 n 1 1 @ 1 0 00000700
stallion n 1 1 @ 1 0 00000800
whale n 2 1 @ 2 0 00000500 00000700
wolf n 1 1 @ 1 0 00000600
E
rule synonyms --set open_curve.wordnet=wordnet
rule related --set open_curve.wordnet=wordnet
holds "relatives are kept out of the animals' pool, siblings are not" \
  '[.results[0].analyses.open_curve.vocabularies[].own.names] == [56, 61, 60, 61]' related/results.json \
  "$(jq -c '[.results[0].analyses.open_curve.vocabularies[].own.names]' related/results.json)"
for ranks in 2 3 5; do
  rm -rf again; run_at $ranks e.yaml --output again --set open_curve.exclude=names && agree "$ranks ranks" names again
done
"$vocabench" plan e.yaml >planned 2>&1; like "plan knows the names" ' m +d +90 ' planned
must "$vocabench" report names --output page.html
has_text "the page has the table" "among n foreign names" page.html
must "$vocabench" report names --format md --output page.md
equal "its last column is the accuracy among all classes and all names" \
  "$(grep -E '^\| m +\|' page.md | awk -F '|' '/±/ && NF > 12 { print $(NF - 1) }' | tr -d ' ')" \
  "$(jq -r '.results[0].analyses.open_curve | (.n | index($all)) as $i | .all |
      [.accuracy[$i], .errors.classes[$i]] | map(100 * .)' \
    --argjson all "$(jq '.results[0].analyses.open_curve.all.names' names/results.json)" names/results.json |
    awk '/[0-9]/ { gsub(",", ""); v[n++] = $1 } END { printf "%.2f±%.2f\n", v[0], v[1] }')"
mkdir ten; jq '.results[].analyses.open_curve.own.names = 10' names/results.json >ten/results.json
must "$vocabench" report ten --format md --output ten.md
equal "a pool of ten has a tenth name, and no hundredth" \
  "$(grep -E '^\| m +\|' ten.md | awk -F ' *[|] *' '/±/ && NF > 12 { print $3, $5 ~ /±/, $6 }')" "10 1 –"
has_text "and the figure" "accuracy among n random foreign names" page.html

# ---- a model that encodes, with WordNet's nouns by default -------------------------------------------------------
make_data images pics 20 3; make_data model m.safetensors; make_data tokenizer tok
cp v.yaml small.yaml; made_vocabularies # over v.yaml, until below
plain_experiment encoded >p.yaml
printf 'analyses: [open_curve]\nopen_curve: {wordnet: wordnet}\n' >>p.yaml
run p.yaml --output encoded
holds "the nouns are the pool" '.results[0].analyses.open_curve | .pool.candidates == 11 and .pool.excluded_by == "synonyms" and
  .own.names == 5 and (.n == [0, 1, 2, 3, 5])' encoded/results.json \
  "$(jq -c '.results[0].analyses.open_curve | .pool, .own, .n' encoded/results.json)"
rm -rf again; run_at 3 p.yaml --output again && agree "3 ranks encode them" encoded again
must "$vocabench" check p.yaml --output again
run p.yaml --output encoded --resume
holds "resume takes the pair" '.run.pairs | length == 0' encoded/results.json
sed -i 's/^00000800 03 n 01 stallion 0 001 @ 00000200/00000800 03 n 01 stallion 0 001 @ 00000100/' wordnet/data.noun
run p.yaml --output encoded --resume
holds "but not with another WordNet" '.run.pairs | length == 1' encoded/results.json
cp small.yaml v.yaml
refuses "no WordNet" 4 'no index.noun and data.noun there' "$vocabench" run p.yaml --output o --set open_curve.wordnet=nowhere
refuses "no embeddings" 3 "needs the key 'embeddings'" "$vocabench" run e.yaml --output o --set open_curve.embeddings=~
refuses "no names for a precomputed model" 3 "needs the keys 'names'" "$vocabench" run e.yaml --output o \
  --set open_curve.names=~ --set open_curve.wordnet=wordnet
refuses "names without the analysis" 3 "its names serve the analyses open_curve, open_set and" "$vocabench" run e.yaml \
  --output o --set 'analyses=[margin]'
# Each rank finds another WordNet at one place, as machines of a cluster may.
cp -r wordnet other; sed -i '/grey_wolf/d' other/index.noun; sed -i 's/02 wolf 0 grey_wolf 0/01 wolf 0/' other/data.noun
# shellcheck disable=SC2016 # the program expands it
mpirun --oversubscribe -n 1 env WORDNET=wordnet "$vocabench" run e.yaml --output o --set open_curve.exclude=synonyms \
  --set 'open_curve.wordnet=$WORDNET' : -n 1 env WORDNET=other "$vocabench" run e.yaml --output o \
  --set open_curve.exclude=synonyms --set 'open_curve.wordnet=$WORDNET' >stdout 2>stderr
equal "ranks with other WordNets do not agree" $? 6 "$(cat stderr)"
refuses "an unknown rule" 3 "exclude.*related" "$vocabench" run e.yaml --output o --set open_curve.exclude=kin
refuses "an unknown key" 3 "nmes" "$vocabench" run e.yaml --output o --set open_curve.nmes=names.txt
printf '\n\n' >blank.txt
refuses "only blank names" 4 "no candidates" "$vocabench" run e.yaml --output o --set open_curve.names=blank.txt
finish
