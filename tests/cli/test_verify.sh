#!/bin/bash
# verify: what holds is VALID; every change by hand, of figures, records, weights, texts or images, is found and named.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
made_vocabularies; short_experiments
make_data images pics 20 4; make_data model m.safetensors; make_data tokenizer tok
sed -i 's/^experiment: e$/experiment: e\nper_image: true/' e.yaml
run e.yaml --output r
mkdir temporary; export TMPDIR=$scratch/temporary # its own: others verify too
"$vocabench" verify r >out 2>err; verdict $? "results as they were written" "$(cat out err)"
like "are valid" '^VALID: [0-9]+ looked at$' out
unlike "nothing was left out" 'not looked at' out
like "the configuration" '^ok +configuration ' out
like "the pair's file and its records" "^ok +'m' on 'd' +the pair's file has the same result, and 1 other file as written$" out
like "the records' figures" "^ok +'m' on 'd' +76 records give its Acc-C" out
for file in m.safetensors vocab.json merges.txt; do
  like "SHA-256 of $file" "^ok +model 'm' +$file has SHA-256 [0-9a-f]{16}" out
done
like "all texts were encoded again" "^ok +'m' on 'd' +all class texts again: digest" out
like "a stated sample of units, to the last bit" \
  "^ok +'m' on 'd' +units [0-9]+, [0-9]+ of [0-9]+ again: [0-9]+ images as similar to their classes as recorded" out
# No unit is drawn twice: as many as there are, or more, are all of them.
units=$(sed -nE 's/.* units [0-9]+, [0-9]+ of ([0-9]+) again:.*/\1/p' out)
for count in 1 2 5 $((units + 3)); do
  "$vocabench" verify r --units "$count" >out 2>err
  drawn=$(sed -nE "s/.* units ([0-9, ]+) of $units again:.*/\1/p" out | tr -d ' ')
  equal "--units $count: distinct ones" "$(tr , '\n' <<<"$drawn" | sort -nu | wc -l)" $((count < units ? count : units)) "$drawn"
done
like "all units: every image" " again: 76 images as similar" out
equal "nothing was left behind" "$(ls -A temporary)" ""
(cd / && "$vocabench" verify "$scratch/r" >"$scratch/out" 2>&1); verdict $? "from anywhere" "$(cat out)"
"$vocabench" verify r --units 0 >out; verdict $? "without a sample"
unlike "nothing is encoded" 'again' out
wrong() { # wrong NAME CODE PATTERN FOLDER ARGUMENT...
  local name=$1 code=$2 pattern=$3; shift 3
  "$vocabench" verify "$@" >out 2>err; equal "$name: exit code" "$?" "$code" "$(cat out err)"
  like "$name: is named" "^error .*$pattern" out
  like "$name: the verdict" '^NOT VALID: [0-9]+ error' out
}
again() { rm -rf x; cp -r r x; }
again; jq '.results[0].acc_c += 0.01' r/results.json >x/results.json
wrong "a figure by hand" 5 "its result is not that of results.json" x --units 0
again; jq '.configuration.seed = 7' r/results.json >x/results.json
wrong "the configuration" 5 "configuration_digest: expected" x --units 0
again; jq '.result.acc_c += 0.01' r/pairs/m--d.json >x/pairs/m--d.json
jq '.results[0].acc_c += 0.01' r/results.json >x/results.json
wrong "both files by hand" 5 "result_digest: expected" x --units 0
again; zstdcat r/records/m--d.jsonl.zst | sed '3s/"similarity":[-0-9.e]*/"similarity":0.5/' | zstd -q >x/records/m--d.jsonl.zst
wrong "records" 5 "records/m--d.jsonl.zst: not as the run has written it" x --units 0
# Even with every digest made anew: the sample tells.
again; jq '.results[0].embedding.text_embeddings_digest = "00"' r/results.json >x/results.json
wrong "other texts" 5 "all class texts again: digest" x --units 1
cp pics/whale/000.png kept.png
for class in pics/*/; do for file in "$class"*; do cp pics/sea/000.png "$file" 2>/dev/null; done; done
wrong "other images" 6 "images of units .* are not as recorded: image '.*': similarity with its class" r --units 3
make_data images pics 20 4
"$vocabench" verify r >out 2>&1; like "the images are back" '^VALID' out
cp m.safetensors kept; printf 'x' | dd of=m.safetensors bs=1 seek=900000 conv=notrunc status=none
wrong "other weights" 5 "m.safetensors: SHA-256 [0-9a-f]{64}, the results state" r
cp kept m.safetensors
# What is gone cannot be looked at, and that is no fault of the results.
mv m.safetensors away; "$vocabench" verify r >out 2>&1; verdict $? "without the weights" "$(cat out)"
like "it is said" "^note +model 'm' .*not looked at: .*m.safetensors" out
like "also in the verdict" '^VALID: [0-9]+ looked at, [0-9]+ could not be$' out
mv away m.safetensors
without() { # without FILTER REASON: nothing is encoded again
  again; jq "$1" r/results.json >x/results.json; "$vocabench" verify x >out 2>&1
  like "no sample: $2" "^note +sample +not looked at: $2" out
}
without '.run.command = ["vocabench", "merge"]' 'the results state no command line of a run'
without '.run |= (.folder = "/no/where" | del(.command_folder))' '/no/where: the folder of the run is not there'
TMPDIR=$PWD/nowhere refuses "no room for a sample" 7 "nowhere/vocabench-verify.*: cannot be made" "$vocabench" verify r
again; echo '{}' >x/pairs/m--d.json
wrong "a pair's file without a result" 5 "pairs/m--d.json: no result in it" x --units 0
sed -i 's/^per_image: true/per_image: true\nseed: 8/' e.yaml; "$vocabench" verify r >out 2>&1
like "an experiment that changed is not encoded" '^note +sample +not looked at: .*e.yaml: is another experiment by now' out
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"; floats I.npy 2 <<<"5 1  1 5  3 2.9  1 -9  2 2.1  -1 -5"
printf '0\n1\n0\n0\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: v\nvocabularies: {a: [east, north], b: [ne, sw]}\n' >v.yaml
run p.yaml --output p --per-image; "$vocabench" verify p >out 2>&1; verdict $? "precomputed embeddings" "$(cat out)"
like "their rows are judged again" ' again: 6 images as similar' out
# Inner products may be of any size, and so is what rounding leaves of their means.
awk 'BEGIN { srand(3); for (i = 0; i < 16; i++) print (2 * rand() - 1) * 3e12 }' | floats large.npy 4
awk 'BEGIN { srand(4); for (i = 0; i < 400; i++) print 2 * rand() - 1 }' | floats many.npy 4
seq 0 99 | awk '{ print $1 % 4 }' >labels; must "$tools/npy" numbers many-y.npy i8 labels
sed 's/^experiment: p$/experiment: p\nanalyses: [margin, similarity]/; s/I.npy/many.npy/; s/T.npy/large.npy/
  s/ y[.]npy/ many-y.npy/; s/precomputed,/& similarity: dot,/; s/[^ ]*v.yaml/four.yaml/' p.yaml >dot.yaml
printf 'name: v\nvocabularies: {a: [k, l], b: [m, n]}\n' >four.yaml
run dot.yaml --output dot --per-image; "$vocabench" verify dot --units 0 >out 2>&1
verdict $? "inner products of 1e12" "$(cat out)"
again_dot() { rm -rf x; cp -r dot x; jq ".results[0].analyses.$1 |= . * (1 + $2)" dot/results.json >x/results.json; }
for figure in margin_mean positive_mean; do
  again_dot $figure 1e-6; "$vocabench" verify x --units 0 >out 2>&1
  like "but $figure by hand" "^error .*from the records: 1 of [0-9]+ figures are not what they should be: $figure is" out
done
# Drawn orders follow from records, too: of more vocabularies than those of which all sets are looked at, and of the sampled
# protocol; so do sets of labels within a vocabulary, and datasets that share names.
must "$tools/npy" random t.npy 46 6 1; must "$tools/npy" random i.npy 150 6 2
seq 0 149 | awk '{ print $1 < 92 ? $1 % 46 : $1 % 9 }' >y.txt; seq 0 149 | awk '{ print $1 % 6 }' >small.txt
jq -nc '[range(150) | [. % 46, (. % 46 / 2 | floor) * 2] | unique]' >sets.json
{ printf 'name: v\nvocabularies:\n'; for v in {0..22}; do echo "  v$v: [c$((2 * v)), c$((2 * v + 1))]"; done; } >many.yaml
head -n 5 many.yaml >few.yaml; sed 's/c0/new/' few.yaml >other.yaml; must "$tools/npy" rows t.npy few.npy <(seq 0 5)
cat >drawn.yaml <<'E'
experiment: drawn
per_image: true
datasets: [{name: many, vocabularies: many.yaml}, {name: sets, vocabularies: many.yaml}, {name: one, vocabularies: few.yaml},
  {name: two, vocabularies: other.yaml}]
expansions: [{name: both, datasets: [one, two]}]
models:
  - name: m
    family: precomputed
    embeddings:
      - {dataset: many, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}
      - {dataset: sets, image_embeddings: i.npy, text_embeddings: t.npy, labels: sets.json}
      - {dataset: one, image_embeddings: i.npy, text_embeddings: few.npy, labels: small.txt}
      - {dataset: two, image_embeddings: i.npy, text_embeddings: few.npy, labels: small.txt}
E
for protocol in exact sampled; do
  run drawn.yaml --output drawn --set protocol=$protocol --set seed=9 --set union_permutations=20
  "$vocabench" verify drawn --units 0 >out 2>&1; verdict $? "protocol: $protocol" "$(cat out)"
  equal "all is counted from the records" "$(grep -c "^ok .* counted from the records, .* more figures, as stated$" out)" 5
done
holds "orders are drawn for the union, too" '[.results[].acc_e_union_method == "sampled"] | any' drawn/results.json
rm -rf x; cp -r drawn x; jq '.results[].acc_e += 0.001' drawn/results.json >x/results.json
"$vocabench" verify x --units 0 >out 2>&1
equal "drawn figures by hand" "$(grep -c '^error .* counted from the records, .*: 1 of [0-9]* .*: acc_e is ' out)" 5 "$(cat out)"
jq '.configuration.trials = 0' drawn/results.json >x/results.json; "$vocabench" verify x --units 0 >out 2>&1
like "no number of orders" '^error .* 0 trials' out
# Names as long as they may be, in any script: whole, and XML.
long=$(printf '名%.0s' {1..33})
sed "s/name: d,/name: ${long}d,/; s/name: m,/name: ${long}m,/" p.yaml >long.yaml; run long.yaml --output long
"$vocabench" verify long --units 0 --junit long.xml >out 2>&1; verdict $? "long names" "$(cat out)"
like "which are told whole" "^ok +'${long}m' on '${long}d' +the pair" out
equal "in the XML, too" "$(junit long.xml | cut -d' ' -f1-2)" "vocabench verify"
"$vocabench" check long.yaml --junit long.xml >out 2>&1; verdict $? "check of long names" "$(cat out)"
like "they are told whole" "^ok +'${long}m' on '${long}d' " out
equal "and the XML is XML" "$(junit long.xml | cut -d' ' -f1-2)" "vocabench check"
rm -rf x; cp -r long x; sed "s/${long}m/$(printf 'よ%.0s' {1..2000})/" long/results.json >x/results.json
"$vocabench" verify x --units 0 --junit long.xml >out 2>&1
equal "the XML of results with a name by hand" "$(junit long.xml | cut -d' ' -f1-2)" "vocabench verify"
# ---- REPE, analyses, adversarial names: what records and figures allow, what is left, and all of it ----------------
mkdir caps; seq -f 'caption %g' 40 >caps/1.txt; seq -f 'caption %g' 41 60 >caps/2.txt; seq -f 'name %g' 40 >names.txt
cat >g.yaml <<'E'
experiment: g
per_image: true
analyses: [margin, similarity, alignment, top5]
datasets: [{name: d, images: pics, vocabularies: v.yaml}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
corpora: [{name: words, captions: "caps/*.txt"}]
retrieval: {corpus: words, top_k: [2, 3], lambda: [0.5], filter: none}
adversarial: {candidates: names.txt, k: 2, exclude: names}
E
made_vocabularies; make_data images pics 20 4; run g.yaml --output g
"$vocabench" verify g --units 0 >out 2>&1; verdict $? "a run with everything" "$(cat out)"
like "figures that follow from records" "^ok +'m' on 'd' +from the records: [0-9]+ more figures, as stated$" out
like "gains of REPE" "^ok +'m' on 'd' +REPE: 3 more figures" out
like "what names leave" "^ok +'m' on 'd' +adversarial names: [0-9]+ more figures" out
like "and what was not covered" \
  "^note +'m' on 'd' +not looked at: .*alignment.*accuracies of REPE, what adversarial names take: they rest on embeddings" out
sums=$( (cd caps && sha256sum -- *) | sha256sum)
like "the corpus" \
  "^ok +corpus 'words' +2 files, $(cat caps/* | wc -c) bytes, with the SHA-256 that are stated, together ${sums:0:16}" out
# A corpus that changed under the results, whatever its files' times say.
cp -rp caps kept.caps
back() { rm -rf caps; cp -rp kept.caps caps; }
sed -i 's/caption 42$/capt1on 42/' caps/2.txt; touch -r kept.caps/2.txt caps/2.txt
wrong "a caption" 5 "corpus 'words' +$PWD/caps/2.txt: SHA-256 $(sha256sum <caps/2.txt | cut -c1-64), the results state" \
  g --units 0
unlike "the other file is right" 'caps/1.txt' out
back; truncate -s 100 caps/2.txt
wrong "a file cut off" 5 "caps/2.txt: 100 bytes, the results state [0-9]+: it is cut off" g --units 0
back; echo more >>caps/1.txt; rm caps/2.txt
wrong "a file gone, another longer" 5 "caps/2.txt: not there any more" g --units 0
like "both are named" '^error .*caps/1.txt: [0-9]+ bytes, the results state [0-9]+: it is another file by now' out
back; rm caps/2.txt
wrong "a file gone" 4 "corpus 'words' +$PWD/caps/2.txt: not there any more, other files of the corpus are" g --units 0
mpi 2 "$vocabench" verify g --units 0 >out 2>&1; equal "two ranks end alike" $? 4 "$(cat out)"
rm -r caps; "$vocabench" verify g --units 0 >out 2>&1; verdict $? "a corpus that is gone cannot be looked at" "$(cat out)"
like "it is said" "^note +corpus 'words' +not looked at: .*caps/1.txt: not there, nor is any other of its files$" out
back; rm -rf x; cp -r g x; jq '.run.corpora[0].list[1].sha256 |= ("0" + .[1:])' g/results.json >x/results.json
wrong "the list by hand" 5 "corpus 'words' .*: sha256: expected [0-9a-f]{64}, which its list gives" x --units 0
sed 's/"list":/"lost":/' g/results.json >x/results.json # jq would round figures
"$vocabench" verify x --units 0 >out 2>&1
verdict $? "results without the list" "$(cat out)"
like "it is said, too" "^note +corpus 'words' +not looked at: the results have no list of its files$" out
# More than can be hashed: sizes alone; more than can be listed: nothing.
jq '.run.corpora[0] |= (.sha256 = null | .list[].sha256 = null)' g/results.json >x/results.json
"$vocabench" verify x --units 0 >out 2>&1
like "sizes alone" "^note +corpus 'words' +2 files have the sizes that are stated; not looked at: what is in them" out
for n in $(seq 30); do echo "$n" >"caps/extra$n.txt"; done
jq --arg d "$PWD/caps" '.run.corpora[0] |= (.sha256 = null | .list = [.list[0]] +
  [range(1; 31) | {path: "\($d)/extra\(.).txt", bytes: 99, sha256: null}])' g/results.json >x/results.json
"$vocabench" verify x --units 0 >out 2>&1
equal "of very many wrong files twenty are named" "$(grep -c 'the results state 99' out)" 20
like "and the others counted" "^error +corpus 'words' +10 more of its 31 files are gone or others$" out
back
# Merged results have their parts' sums, and each part's pairs are encoded again by its own command.
cat >two.yaml <<'E'
experiment: two
per_image: true
datasets: [{name: d, images: pics, vocabularies: v.yaml}]
models:
  - {name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
  - {name: n, family: clip, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
corpora: [{name: words, captions: "caps/*.txt"}]
retrieval: {corpus: words, top_k: 2, lambda: 0.5, filter: none}
E
for model in m n; do run two.yaml --output "part-$model" --only-model $model; done
must "$vocabench" merge both part-m part-n; must "$vocabench" merge again both
(cd / && "$vocabench" verify "$scratch/again" --units 1) >out 2>&1; verdict $? "merged results" "$(cat out)"
for model in m n; do
  like "weights of $model" "^ok +model '$model' +m.safetensors has SHA-256" out
  like "images of $model" "^ok +'$model' on 'd' +units [0-9]+ of [0-9]+ again: [0-9]+ images as similar" out
done
equal "the corpus that both search, once" "$(grep -c "^ok  *corpus 'words'  *2 files" out)" 1 "$(cat out)"
equal "a merge of a merge has the parts of it" "$(query again '[.run.merged[] | .command | length > 2] | @json')" "[true,true]"
"$vocabench" verify both --units 0 --whole >out 2>&1; verdict $? "merged results, all of it again" "$(cat out)"
equal "each once" "$(grep -c "^ok .*all of it again, from the images on: the same to the last bit" out)" 2 "$(cat out)"
"$vocabench" verify g --units 0 >out 2>&1; verdict $? "all is back" "$(cat out)"
unlike "covered figures are not in that list" 'not looked at: .*(margin_mean|positive_mean|class_recall,)' out
# by_hand NAME FILTER PATTERN: found by the figures, whatever digests say.
by_hand() {
  rm -rf x; cp -r g x; jq ".results[0] |= ($2)" g/results.json >x/results.json
  "$vocabench" verify x --units 0 >out 2>&1; like "$1 by hand" "^error +'m' on 'd' +$3" out
}
by_hand "Acc-S" '.acc_s += 0.01' 'from the records: 1 of [0-9]+ .*acc_s is'
by_hand "a vocabulary's Acc-E" '.vocabularies[1].acc_e += 0.01' "from the records: 1 of .*of vocabulary 'things' acc_e is"
by_hand "theft" '.theft[0][1] += 1' 'from the records: 1 of .*theft.0..1. is'
by_hand "the curve" '.curve[1] += 0.01' 'from the records: 1 of .*curve.1. is'
counted='counted from the records, with errors and intervals: 1 of [0-9]+ .*:'
by_hand "a standard error" '.errors.acc_e.classes += 0.001' "$counted errors acc_e classes is"
by_hand "one that is none" '.errors.acc_e_union.images = null' "$counted errors acc_e_union images is"
by_hand "an interval" '.errors.acc_s.interval.vocabularies[1] += 0.001' "$counted errors acc_s interval vocabularies.1. is"
by_hand "an error of the curve" '.errors.curve.images[1] += 0.001' "$counted errors curve images.1. is"
by_hand "accuracy over the union" '.acc_e_union += 0.001' "$counted acc_e_union is"
by_hand "a histogram" '.vocabularies[1].harm_histogram[0] += 1' "$counted vocabularies 'things' harm_histogram.0. is"
by_hand "a vocabulary's error" '.vocabularies[0].acc_s_se += 0.001' "$counted vocabularies 'animals' acc_s_se is"
by_hand "a class" '.vocabularies[2].classes[0].acc_e += 0.001' "$counted vocabularies 'places' classes 'forest' acc_e is"
by_hand "a class's interval" '.vocabularies[2].classes[0].errors.acc_c.interval.wilson[0] += 0.001' \
  "$counted vocabularies 'places' classes 'forest' errors acc_c interval wilson.0. is"
by_hand "the mean margin" '.analyses.margin_mean += 0.01' 'from the records: 1 of .*margin_mean is'
by_hand "recall" '.analyses.class_recall += 0.01' 'from the records: 1 of .*class_recall is'
by_hand "REPE's gain" '.retrieval.results[0].gain += 0.01' 'REPE: 1 of 3 .*gain is'
by_hand "an attack" '.adversarial[0].accuracy_before += 0.01' 'adversarial names: 2 of .*accuracy_before is'
by_hand "what is taken" '.adversarial[0].right += 1' 'adversarial names: [0-9]+ of '
"$vocabench" verify g --units 0 --whole >out 2>&1; verdict $? "all of it again" "$(cat out)"
like "to the last bit" "^ok +'m' on 'd' +all of it again, from the images on: the same to the last bit$" out
unlike "then nothing is left" 'not looked at' out
rm -rf x; cp -r g x; sed -i 's/"alignment": *[0-9]*/"alignment": 9/' x/results.json # jq would round the others
"$vocabench" verify x --units 0 --whole >out 2>&1
like "a figure that rests on embeddings" "^error +'m' on 'd' +all of it again, from the images on: 'analyses' is another$" out

(cd / && "$vocabench" verify "$scratch/x" --units 0 --junit "$scratch/j.xml") >out 2>&1
ok=$(grep -c '^ok ' out) notes=$(grep -c '^note ' out)
equal "JUnit's XML: what is wrong is a failure" "$(junit j.xml)" \
  "vocabench verify $((ok + notes + 1)) 1 $notes 'm' on 'd'" "$(cat out)"
refuses "no results" 4 "nothing" "$vocabench" verify nothing
# Records of an earlier run in the folder are nobody's, and the results hold.
cp -r part-m left
must "$vocabench" run two.yaml --output left --only-model m --set per_image=false --set 'models.m.prompts=["the {}"]'
must cp -r part-m/records left # as earlier versions have done
"$vocabench" verify left >out 2>&1; verdict $? "records that an earlier run left" "$(cat out)"
like "they are not looked at" "^note +'m' on 'd' +not looked at: .*: the records of an earlier run" out
# Shards may have a name twice.
mkdir shards sample; printf 'name: w\nvocabularies: {a: [sea], b: [bear]}\n' >w.yaml
for n in 0 1; do
  echo sea >sample/x.cls; echo bear >sample/y.cls
  for sample in x=sea y=bear; do
    for file in pics/"${sample#*=}"/"00$n".*; do cp "$file" "sample/${sample%=*}.${file##*.}"; done
  done
  (cd sample && tar -cf ../shards/$n.tar x.* y.*); rm sample/*
done
run e.yaml --output shared --set datasets.d.images=shards --set datasets.d.vocabularies=w.yaml --set seed=1
equal "two images of each name" "$(zstdcat shared/records/*.zst | jq -r .image | paste -sd' ')" "x y x y"
for count in 1 2; do
  "$vocabench" verify shared --units $count >out 2>&1; verdict $? "images of one name, $count of 2 units" "$(cat out)"
  like "$((2 * count)) images are compared" " again: $((2 * count)) images as similar" out
done
zstdcat shared/records/*.zst | sed '4s/"similarity":[-0-9.e]*/"similarity":0.5/' >lines
zstd -qf lines -o shared/records/m--d.jsonl.zst
"$vocabench" verify shared >out 2>&1
like "one of them by hand" "^error .* 1 of 4 images of units 0, 1 are not as recorded: image 'y'" out
finish
