#!/bin/bash
# `vocabench compare`: figures by hand and by SciPy, pairing, refusals, broken records.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3

# ---- by hand ----------------------------------------------------------------------------------------------------
# The plane of test_commands.sh, and the same with its second image's embedding turned from north to south-west.
cat >v.yaml <<'E'
name: directions
vocabularies:
  straight: [east, north]
  slanted: [north_east, south_west]
E
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"
floats I.npy 2 <<<"5 1 1 5 3 2.9 1 -9 2 2.1 -1 -5"
floats J.npy 2 <<<"5 1 -5 -4 3 2.9 1 -9 2 2.1 -1 -5"
printf '0\n1\n0\n0\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels
# models NAME DATASET VOCABULARIES TEXTS LABELS MODEL=IMAGES...: an experiment of precomputed models on one dataset.
models() {
  local model
  printf 'experiment: %s\nper_image: true\ndatasets: [{name: %s, vocabularies: %s}]\nmodels:\n' "$1" "$2" "$3"
  for model in "${@:6}"; do
    echo "  - {name: ${model%=*}, family: precomputed, image_embeddings: ${model#*=}, text_embeddings: $4, labels: $5}"
  done
}
models paper plane v.yaml T.npy y.npy first=I.npy second=J.npy >e.yaml
run e.yaml --output two
# In B the second image, a north, is nearer to east (-0.78 against -0.62: no, north), and to south_west by far: own 1, b 1
# instead of 0.
cat >expected <<'E'
A  'first' on 'plane'  two/results.json
B  'second' on 'plane'  two/results.json
6 images in both, 2 vocabularies; percent, differences in points
note: of precomputed embeddings, prompts, preprocessing and images cannot be compared: only labels were

                    A       B             B-A  p by images  by classes  test by images                     by classes
Acc-C          100.00  100.00    +0.00 ± 0.00       1.0000      1.0000  sign flips: 1, all, of 0 images    1, all, of 0 classes
Acc-E           87.50   81.25    -6.25 ± 9.38       1.0000      1.0000  sign flips: 2, all, of 1 images    2, all, of 1 classes
Acc-S           75.00   62.50  -12.50 ± 18.75       1.0000      1.0000  sign flips: 2, all, of 1 images    2, all, of 1 classes
all classes     66.67   50.00  -16.67 ± 19.25       1.0000      1.0000  McNemar: 1 in A only, 0 in B only  2, all, of 1 classes
own, by image  100.00  100.00    +0.00 ± 0.00       1.0000      1.0000  McNemar: 0 in A only, 0 in B only  1, all, of 0 classes
±: standard error of the difference by classes as clusters; by images and vocabularies: --json

B-A       images         Acc-C           Acc-E           Acc-S     all classes
straight       4  +0.00 ± 0.00  -12.50 ± 18.75  -25.00 ± 37.50  -25.00 ± 37.50
slanted        2  +0.00 ± 0.00    +0.00 ± 0.00    +0.00 ± 0.00    +0.00 ± 0.00
±: standard error of the difference by classes as clusters; by images and vocabularies: --json

p by Holm   Acc-C  by classes   Acc-E  by classes   Acc-S  by classes  all classes  by classes
straight   1.0000      1.0000  1.0000      1.0000  1.0000      1.0000       1.0000      1.0000
slanted    1.0000      1.0000  1.0000      1.0000  1.0000      1.0000       1.0000      1.0000
p: of 2 vocabularies, corrected by Holm; as they are: --json
E
"$vocabench" compare two two --model first --model second --json c.json >out 2>err; code=$?
[ $code = 0 ] && [ ! -s err ]
verdict $? "compare ends with 0 and says nothing on stderr" "code $code" "$(cat err)"
check "the figures by hand" diff expected out
holds "the JSON" '.schema == "vocabench.compare/1" and .images == 6 and .overall.acc_e.difference == -0.0625 and
  .overall.top1_all.only_a == 1 and .vocabularies[0].acc_s.difference == -0.25 and .seed == 0 and .permutations == 10000' \
  c.json "$(cat c.json)"
"$vocabench" compare two/results.json two --model second --model first | sed -n '8p' >out2
like "the other way round, by file" 'Acc-E .* [+]6.25 ± 9.38' out2
mpi 3 "$vocabench" compare two two --model first --model second --json c3.json >out3 2>/dev/null
same "the same on 3 ranks" <(cat out c.json) <(cat out3 c3.json)
"$vocabench" compare two two --pairs --json pairs.json >out4 2>&1
holds "pairs: two models are one pair" '.schema == "vocabench.compare_pairs/1" and (.pairs | length) == 1 and
  .pairs[0].a == "first" and .pairs[0].b == "second" and .pairs[0].acc_e.difference == -0.0625 and .pairs[0].acc_e.p_holm == 1' \
  pairs.json "$(cat out4)"
like "and its table" '^second +first +plane +6 +.0.00 ± 0.00 +-6.25 ± 9.38' out4
must "$vocabench" compare two "$PWD/./two/" --pairs --json again.json
same "a folder is itself, however it is written" pairs.json again.json
refuses "pairs, and a model" 2 "compare: --pairs takes all models, --model two" "$vocabench" compare two two --pairs --model first
refuses "no pairs" 2 "two/results.json and two/results.json have no pair of results on one dataset of the name other" \
  "$vocabench" compare two two --pairs --dataset other

# ---- against SciPy ----------------------------------------------------------------------------------------------
# 7 vocabularies of 3 classes or 4, three of which share one; unequal counts of images; classes c0..c19.
{ echo "name: seven"; echo "vocabularies:"
  for v in 0 1 2 3 4 5 6; do
    if [ $v = 6 ]; then echo "  v6: [c18, c19, c4]"; continue; fi
    echo "  v$v: [c$((3 * v)), c$((3 * v + 1)), c$((3 * v + 2))$([ $v != 5 ] || echo ', c4')]"
  done; } >w.yaml
random() { # random SEED NOISE [CLASSES]: 400 images near the text of their class in 8 dimensions
  awk -v seed="$1" -v noise="$2" -v n="${3:-20}" 'BEGIN { srand(5)
    for (c = 0; c < n; c++) for (k = 0; k < 8; k++) t[c, k] = rand() - 0.5
    for (i = 0; i < 400; i++) y[i] = int(rand() * rand() * n)
    srand(seed); for (i = 0; i < 400; i++) for (k = 0; k < 8; k++) print t[y[i], k] + noise * (rand() - 0.5) >"images.txt"
    for (c = 0; c < n; c++) for (k = 0; k < 8; k++) print t[c, k] >"texts.txt"
    for (i = 0; i < 400; i++) print y[i] >"classes.txt" }'
}
random 1 0.9; floats A.npy 8 <images.txt
random 2 1.1; floats B.npy 8 <images.txt
floats W.npy 8 <texts.txt; must "$tools/npy" numbers z.npy i8 classes.txt
experiment() { # experiment NAME IMAGES LABELS VOCABULARIES
  cat >"$1.yaml" <<E
experiment: $1
per_image: true
datasets: [{name: d, vocabularies: $4}]
models: [{name: m, family: precomputed, image_embeddings: $2, text_embeddings: W.npy, labels: $3}]
E
  run "$1.yaml" --output "$1"
}
experiment a A.npy z.npy w.yaml; experiment b B.npy z.npy w.yaml
check "compare random embeddings" "$vocabench" compare a b --json ab.json --permutations 3000 --seed 11
jq -e '.results[0].data | .classes == 20' a/results.json >/dev/null &&
  jq -e '.overall.acc_e.sign_vectors == 3000' ab.json >/dev/null
verdict $? "a class of three vocabularies, drawn sign vectors"
records_of() { # records_of NAME FOLDER_A FOLDER_B
  zstd -dcf "$2"/records/*.zst >ra || fail "$1" "no records of $2"
  zstd -dcf "$3"/records/*.zst >rb || fail "$1" "no records of $3"
}
# errors NAME JSON FOLDER_A FOLDER_B
errors() {
  records_of "$1" "$3" "$4"
  check "$1" $python "$here/tests/tools/compare_errors_oracle.py" "$2" ra rb "$3/results.json" "$4/results.json"
}
export OPENBLAS_NUM_THREADS=1
errors "errors, tests by class and Holm are NumPy's" ab.json a b
oracle() { # oracle NAME JSON FOLDER_A FOLDER_B
  records_of "$1" "$3" "$4"
  check "$1" $python "$here/tests/tools/compare_oracle.py" "$2" ra rb "$3/results.json"
}
scipy=$($python -c 'import scipy.stats; print("yes")' 2>/dev/null)
if [ "$scipy" = yes ]; then oracle "every figure is SciPy's" ab.json a b;
  else skip "every figure is SciPy's" "python3-scipy is not installed"; fi
# Three models against each other: by Holm over three pairs, from the p of each alone.
models three d w.yaml W.npy z.npy x=A.npy y=B.npy z=C.npy >three.yaml
random 3 1.5; floats C.npy 8 <images.txt
run three.yaml --output three
must "$vocabench" compare three three --pairs --permutations 999 --json three.json
must "$vocabench" compare three three --model x --model z --permutations 999 --json xz.json
# shellcheck disable=SC2016 # jq's variables
holds "three pairs, Holm over them" '([.pairs[] | .a + .b] == ["xy", "xz", "yz"]) and
  ([("acc_c", "acc_e", "acc_s", "top1_all") as $k | [.pairs[] | .[$k]] | (., map(.by_class)) | sort_by(.p) as $s |
    [$s[0].p * 3, $s[1].p * 2, $s[2].p] as $h | range(3) as $i | (([$h[:$i + 1] | max, 1] | min) - $s[$i].p_holm | fabs)] |
    length == 24 and max < 1e-12)' three.json
equal "a pair is as it is alone" \
  "$(jq -c '.pairs[1] | [.acc_c.p, .acc_e.difference, .acc_e.errors, .top1_all.by_class.p]' three.json)" \
  "$(jq -c '.overall | [.acc_c.p, .acc_e.difference, .acc_e.errors, .top1_all.by_class.p]' xz.json)"
refuses "pairs on two datasets" 2 "--pairs compares on datasets of one name; expected --dataset once" \
  "$vocabench" compare three three --pairs --dataset d --dataset e
# Results of two folders: every one of A with every one of B.
must "$vocabench" compare three a --pairs --permutations 99 --json across.json
must "$vocabench" compare three a --model x --model m --permutations 99 --json xa.json
holds "pairs of two folders: all of A with all of B" '[.pairs[] | .a + .b] == ["xm", "ym", "zm"]' across.json
same "the first of them is as it is alone" <(jq '.pairs[0].acc_e | del(.p_holm, .by_class.p_holm)' across.json) \
  <(jq .overall.acc_e xa.json)
jq -n --slurpfile c ab.json --slurpfile a a/results.json --slurpfile b b/results.json '
  $c[0].overall as $o | ("acc_c", "acc_e", "acc_s", "top1_all") as $k |
  select((($o[$k].a - $a[0].results[0][$k]) | fabs) > 1e-12 or (($o[$k].b - $b[0].results[0][$k]) | fabs) > 1e-12) | $k' \
  >differ 2>&1
empty "both sides are the figures of their results" differ
"$vocabench" compare a a --json aa.json >/dev/null && jq -e '[.overall[], (.vocabularies[] | .acc_c, .acc_e, .acc_s, .top1_all)] |
  all(.difference == 0 and .difference_se == 0 and .p == 1)' aa.json >/dev/null
verdict $? "a result against itself"
{ echo "name: one"; echo "vocabularies:"; echo "  all: [$(seq -s ', ' -f 'c%g' 0 19)]"; } >one.yaml
experiment one_a A.npy z.npy one.yaml; experiment one_b B.npy z.npy one.yaml
"$vocabench" compare one_a one_b --json one.json >out && jq -e '.overall.acc_s | .a == null and .p == null' one.json >/dev/null &&
  grep -q '^Acc-S  *-  *-  *-  *-' out
verdict $? "a single vocabulary has no Acc-S" "$(cat out)"
[ "$scipy" != yes ] || oracle "a single vocabulary against SciPy" one.json one_a one_b
errors "errors of a single vocabulary" one.json one_a one_b
# More classes than all signs are counted for: drawn in the order of their first images, which is not that of the vocabularies.
mkdir many && cd many || exit 1
{ echo "name: many"; echo "vocabularies:"
  for v in 0 1 2 3 4; do echo "  v$v: [$(seq -s ', ' -f 'c%g' $((6 * v)) $((6 * v + 5)))]"; done; } >many.yaml
random 1 0.9 30; floats A.npy 8 <images.txt
random 2 0.9 30; floats B.npy 8 <images.txt
floats W.npy 8 <texts.txt; must "$tools/npy" numbers z.npy i8 classes.txt
experiment a A.npy z.npy many.yaml; experiment b B.npy z.npy many.yaml
must "$vocabench" compare a b --json ab.json --permutations 999 --seed 3
holds "drawn signs of classes" '[.overall.acc_e, .overall.acc_s, .overall.top1_all | .by_class | .sign_vectors == 999 and
  .differing_classes > 20] | all' ab.json "$(jq -c '.overall[].by_class' ab.json)"
errors "their tests are NumPy's" ab.json a b
cd .. || exit 1

# ---- refusals ---------------------------------------------------------------------------------------------------
no="A and B cannot be compared as they are"
awk '{ print NR == 7 ? ($1 + 1) % 20 : $1 }' classes.txt >other.txt && "$tools/npy" numbers z2.npy i8 other.txt
experiment relabelled B.npy z2.npy w.yaml
refuses "other labels" 6 "$no: data: labels_digest [0-9a-f]{8} of A, [0-9a-f]{8} of B; .*: --allow data$" \
  "$vocabench" compare a relabelled
class="of class 'c[0-9]+' in"
refuses "other labels, allowed: the image is named" 6 "image 'row 6' is $class a/.* and $class relabelled/" \
  "$vocabench" compare a relabelled --allow data
seq 0 19 | sed 's/^/c/' >ids.txt; sed '1!G;h;$!d' ids.txt >reversed.txt
experiment named A.npy "z.npy, label_names: ids.txt" w.yaml; experiment others B.npy "z.npy, label_names: ids.txt" w.yaml
experiment backward B.npy "z.npy, label_names: reversed.txt" w.yaml
refuses "one file of labels, under other names" 6 "$no: data: labels_digest [0-9a-f]{8} of A, [0-9a-f]{8} of B; " \
  "$vocabench" compare named backward
check "labels under the same names" "$vocabench" compare named others
sed 's/c18, c19, c4/c18, c19/' w.yaml >w2.yaml && experiment shrunk B.npy z.npy w2.yaml
refuses "other vocabularies" 6 "$no: vocabularies: digest" "$vocabench" compare a shrunk
"$vocabench" compare a shrunk --allow vocabularies --json s.json >out &&
  grep -q '^note: vocabularies: digest .* (allowed)$' out &&
  jq -e '.images == 400 and (.vocabularies | length) == 7 and .allowed_differences[0].kind == "vocabularies"' s.json >/dev/null
verdict $? "other vocabularies, allowed: those of the same name" "$(cat out)"
errors "errors, where a class is in three vocabularies, and in two of one side" s.json a shrunk
# The same vocabularies in another order, with classes by name: no figure is another one. (Ties go by the order; there are none.)
{ sed -n 1,2p w.yaml; sed -n '3,7p' w.yaml | tac; sed -n 8,9p w.yaml; } >turned.yaml
seq -f 'c%g' 0 19 >names.txt; sed 's/^/c/' classes.txt >named.txt
for side in w turned; do
  models $side d $side.yaml W.npy named.txt m=B.npy | sed 's/labels:/text_names: names.txt, labels:/' >of-$side.yaml
  run of-$side.yaml --output of-$side
  must "$vocabench" compare a of-$side --allow vocabularies,data --permutations 99 --json a-$side.json
done
same "vocabularies in another order" <(jq '.overall, .vocabularies' a-w.json) <(jq '.overall, .vocabularies' a-turned.json)
# B has a vocabulary less: each side among its own.
sed '/v6/d' w.yaml >six.yaml
models six d six.yaml W.npy named.txt m=B.npy | sed 's/labels:/text_names: names.txt, labels:/' >six.e.yaml
run six.e.yaml --output six
must "$vocabench" compare a six --allow vocabularies,data --permutations 99 --json a-six.json
errors "errors, where one side has a vocabulary more" a-six.json a six
# Of v6 no image is in both.
rm -rf apart; cp -r b apart
zstd -dc b/records/m--d.jsonl.zst | sed -E '/"class":"c(4|18|19)"/s/"image":"/&other /' |
  zstd -q -f -o apart/records/m--d.jsonl.zst
must "$vocabench" compare a apart --allow data --permutations 99 --json apart.json
holds "a vocabulary without images in both is in no mean" '([.vocabularies[].name] == ["v0", "v1", "v2", "v3", "v4", "v5"]) and
  (([.vocabularies[].acc_e.difference] | add / 6) - .overall.acc_e.difference | fabs) < 1e-12' apart.json
# A name with a slash, and what it would be with the vocabulary before it.
printf 'name: slashes\nvocabularies: {a: [b/c, x], a/b: [c, d]}\n' >slashes.yaml
models slashes plane slashes.yaml T.npy y.npy m=I.npy >slashes.e.yaml; run slashes.e.yaml --output slashes
check "names with slashes" "$vocabench" compare slashes slashes
# Names that begin alike for a while.
long=$(printf 'a%.0s' {1..1100}); printf 'name: long\nvocabularies: {a: [%s1, %s2], b: [c, d]}\n' "$long" "$long" >long.yaml
models long plane long.yaml T.npy y.npy m=I.npy >long.e.yaml; run long.e.yaml --output long
check "long names" "$vocabench" compare long long
cp -r a twofold && jq '.results[0].vocabularies[1].classes |= (. + [.[0]])' a/results.json >twofold/results.json
refuses "a class twice, by its name" 5 "vocabulary '[^']+' lists class 'c[0-9]+' twice" "$vocabench" compare twofold twofold
# What a run of encoders records, by hand: the check reads nothing else.
change() { rm -rf "$2" && cp -r "$1" "$2" && jq "$3" "$1/results.json" >"$2/results.json"; }
encoded='.results[0].data.kind = "class folders" | .results[0].embedding.preprocessing = "to 224" |
  .configuration.models[0].prompts = ["a photo of a {}."]'
change a enc "$encoded"; change b same "$encoded | .results[0].data.images_digest = \"x\""
refuses "other images" 6 "$no: data: images_digest f?[0-9a-f]+ of A, x of B" "$vocabench" compare enc same
change b same "$encoded | .results[0].data.images_digest = $(jq .results[0].data.images_digest a/results.json)"
check "the same images, prompts and preprocessing" "$vocabench" compare enc same
change same sets '.results[0].data.labels_digest = "x"'; change same single 'del(.results[0].data.labels_digest)'
refuses "other sets of labels of the same images" 6 "$no: data: labels_digest [0-9a-f]{8} of A, x of B" \
  "$vocabench" compare enc sets
refuses "sets against single labels" 6 "$no: data: labels_digest x of A, \(none\) of B" "$vocabench" compare sets single
unlike "no note without a reason" 'note:' <<<"$("$vocabench" compare enc same)"
change same prompts '.configuration.models[0].prompts = ["a bad photo of a {}."]'
refuses "other prompts" 6 "$no: prompts: 'a photo of a \{\}.' of A, 'a bad photo of a \{\}.' of B" \
  "$vocabench" compare enc prompts
# A model without prompts has those of its datasets.
of_data='del(.configuration.models[0].prompts) | .configuration.datasets[0].prompts = '
change same data1 "$of_data [\"a photo of a {}.\"]"; change same data2 "$of_data [\"the {}\"]"
check "the dataset's prompts are the model's" "$vocabench" compare enc data1
refuses "other prompts of the dataset" 6 "$no: prompts: 'a photo of a \{\}.' of A, 'the \{\}' of B" \
  "$vocabench" compare data1 data2
expanded='.configuration.expansions = [{name: "d", datasets: ["e", "f"]}] | .configuration.datasets |= map(.name = "e") |
  .configuration.datasets += [{name: "f", prompts: ["a {}"]}]'
change data1 joined1 "$expanded"; change data2 joined2 "$expanded"
check "an expansion of datasets with the same prompts" "$vocabench" compare joined1 joined1
refuses "and with others" 6 "$no: prompts: those of 2 datasets of A, those of 2 datasets of B" \
  "$vocabench" compare joined1 joined2
change same names1 '.results[0].data.names = {language: "it", digest: "00", unused: 0}'
change same names2 '.results[0].data.names = {language: "it", digest: "01", unused: 0}'
refuses "names of another language" 6 "$no: prompts: names of classes its own of A, 00 of B" "$vocabench" compare same names1
refuses "names of another file" 6 "$no: prompts: names of classes 00 of A, 01 of B" "$vocabench" compare names1 names2
change same both '.configuration.models[0].prompts = ["a {}.", "the {}."] | .results[0].embedding.preprocessing = "to 336"'
refuses "a refusal ends with the flag that is missing" 6 "to compare them all the same: --allow prompts,preprocessing$" \
  "$vocabench" compare enc both
refuses "and what was allowed already" 6 ": --allow vocabularies,prompts,preprocessing$" \
  "$vocabench" compare enc both --allow vocabularies,prompts
refuses "prompts and preprocessing: both reasons" 6 "prompts: 'a photo of a \{\}.' of A, 2 templates of B;
  preprocessing: 'to 224' of A, 'to 336' of B" "$vocabench" compare enc both
refuses "one of two allowed" 6 "$no: preprocessing: 'to 224' of A" "$vocabench" compare enc both --allow prompts
"$vocabench" compare enc both --allow prompts,preprocessing >out && [ "$(grep -c 'note: p.*(allowed)$' out)" = 2 ]
verdict $? "both allowed" "$(cat out)"
coop='.configuration.models[0].prompts = {coop: "c.pt", position: "end"}'
change enc coop1 "$coop"; change same coop2 "$coop"
check "the same learned prompts" "$vocabench" compare coop1 coop2
change coop2 coop3 '.results[0].embedding.text_embeddings_digest = "x"'
refuses "learned prompts that changed under their name" 6 "prompts: CoOp 'c.pt' of A" "$vocabench" compare coop1 coop3
refuses "precomputed against encoded" 6 "data: the images of B are precomputed embeddings, those of A are not" \
  "$vocabench" compare enc a
refuses "a kind that is none" 2 "--allow: expected data, .* found 'promts'; did you mean 'prompts'" \
  "$vocabench" compare a b --allow promts

# Other images of the same names are paired by name.
seq 0 299 >some && "$tools/npy" rows A.npy A300.npy some && head -n 300 classes.txt >c300 && "$tools/npy" numbers z300.npy i8 c300
experiment part A300.npy z300.npy w.yaml
refuses "fewer images" 6 "$no: data: labels_digest" "$vocabench" compare part b
"$vocabench" compare b part --allow data --json part.json >out &&
  jq -e '.images == 300 and .only_a == 100 and .only_b == 0' part.json >/dev/null &&
  grep -q 'note: left out: 100 images only in A, 0 only in B' out
verdict $? "fewer images, allowed" "$(cat out)"
[ "$scipy" != yes ] || oracle "images paired by name against SciPy" part.json b part
errors "errors of images paired by name" part.json b part

# ---- bad input --------------------------------------------------------------------------------------------------
refuses "no such folder" 4 "nothing: cannot open" "$vocabench" compare nothing a
refuses "one result only" 2 "compare: expected A B" "$vocabench" compare a
refuses "several results" 2 "A: two/results.json: several results;
  name one with --model and --dataset: 'first' on 'plane', 'second' on 'plane'" "$vocabench" compare two a
refuses "a model that is misspelt" 2 "no such results of frist; did you mean 'first'\?; name one" \
  "$vocabench" compare two a --model frist
refuses "no such model" 2 "B: a/results.json: no such results of third; name" "$vocabench" compare a a --model m --model third
mkdir -p bad && echo '{"schema": "other/1"}' >bad/results.json
refuses "another schema" 10 "bad/results.json: schema: expected vocabench.results/1, found 'other/1'" "$vocabench" compare bad a
echo '{"schema": ' >bad/results.json
refuses "no JSON" 5 "bad/results.json:2:0: " "$vocabench" compare bad a
change a none '.results = []'
refuses "no result" 5 "none/results.json: results: expected a list with at least one entry" "$vocabench" compare none a
change a noentry '.results[0].theft |= .[1:]'
refuses "an entry that is not whole" 5 "results\[0\]: 'theft' is missing or not" "$vocabench" compare noentry a
rm -rf norec && cp -r a norec && rm -r norec/records
refuses "no records" 4 "norec/records/m--d.jsonl.zst: no records of the images; .*--per-image" "$vocabench" compare norec a
records() { # records FOLDER EDIT: a's folder with edited records
  rm -rf "$1" && cp -r a "$1" &&
    zstd -dc a/records/m--d.jsonl.zst | eval "$2" | zstd -q -f -o "$1/records/m--d.jsonl.zst"
}
while IFS='|' read -r name edit code pattern; do
  records broken "$edit" && refuses "records: $name" "$code" "$pattern" "$vocabench" compare broken b
done <<'E'
no JSON|sed '3s/.*/{nope/'|5|line 3, column
another class|sed '4s/"class":"[^"]*"/"class":"unheard"/'|5|line 4: class: expected the name of a class
no own|sed '5s/"own":[a-z]*/"own":1/'|5|line 5: own: expected true or false
a vocabulary that is none|sed '1s/"harmful":\[[^]]*\]/"harmful":["x"]/'|5|line 1: harmful
a cut line|head -c -9|5|line 400: the file ends within it
a missing line|head -n 399|6|399 records, the result of 'm' on 'd' has 400 images
none of a vocabulary|sed 's/"class":"[^"]*","vocabulary":"[^"]*"/"class":"c0","vocabulary":"v0"/'|6|no record of vocabulary 'v1'
another run's|sed 's/"own":false/"own":true/'|6|the records give Acc-C = .*: they are of another run
nothing|cat /dev/null|6|0 records
E
# Whatever the digests of the data say, the records are compared as well.
records turned tac
refuses "records: another order" 6 "$no: data: 400 images are in both, 0 only in A, 0 only in B, or their order differs" \
  "$vocabench" compare turned b
records doubled "sed '2s/\"image\":\"row 1\"/\"image\":\"row 0\"/'"
refuses "records: two images of a name" 6 "doubled/records/m--d.jsonl.zst: two images 'row 0': images of another order cannot" \
  "$vocabench" compare doubled b
records strange "sed 's/\"image\":\"/&x/'"
refuses "records: no image that both have" 6 "strange/.*.zst and b/.*.zst have no image in common" "$vocabench" compare strange b
cp -r a cut && size=$(stat -c %s cut/records/m--d.jsonl.zst) && truncate -s $((size - 20)) cut/records/m--d.jsonl.zst
refuses "records: truncated" 5 "cut/records/m--d.jsonl.zst" "$vocabench" compare cut b
refuses "--json that cannot be written" 7 "no/where.json" "$vocabench" compare a b --json no/where.json
for n in 1 2 3 5 8 13 21 34 55; do
  VOCABENCH_FAULT=alloc:$n:ENOMEM refuses "no memory at allocation $n" 8 "no memory" "$vocabench" compare a b
done
finish
