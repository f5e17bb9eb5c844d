#!/bin/bash
# Analyses and adversarial vocabularies: NumPy's figures, enumeration, the same bytes on any number of ranks, Living17, and bad
# input.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
oracle=$here/tests/tools/analyses_oracle.py
limit=300

cat >analyses.yaml <<'E'
experiment: analyses
analyses: [margin, similarity, alignment, uniformity, spectrum, order]
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
adversarial() { # adversarial K METHOD: the same experiment with adversarial vocabularies instead of analyses
  local key="candidates: c.txt, embeddings: c.npy, k: $1, method: $2, exclude: names, wordnet: nowhere"
  sed "s/^analyses:.*/adversarial: {$key}/" analyses.yaml
}

numpy_tests() {
  must $python "$oracle" make .
  run analyses.yaml --output first && check "the analyses are NumPy's" $python "$oracle" check . first/results.json
  adversarial 3 exact >exact.yaml
  local k method ranks name fault code
  for k in 1 2 3; do
    for method in single greedy exact; do
      adversarial $k $method >a.yaml
      run a.yaml --output "adv-$k-$method" &&
        check "$method, k = $k, is enumeration's" $python "$oracle" check . "adv-$k-$method/results.json"
    done
  done
  for ranks in 2 3 5 8; do
    for name in analyses exact; do
      run_at $ranks $name.yaml --output "$name-$ranks" --threads $((ranks % 3 + 1))
    done
    agree "analyses: $ranks ranks, the same bytes" first analyses-$ranks
    agree "adversarial: $ranks ranks, the same bytes" adv-3-exact exact-$ranks
  done
  VOCABENCH_ISA=scalar run analyses.yaml --output scalar
  agree "without SIMD, the same bytes" first scalar
  # A stopped search says how far it may be from the best.
  sed 's/exclude: names/exclude: names, evaluations: 1/' exact.yaml >stopped.yaml
  run stopped.yaml --output stopped
  jq -e --slurpfile full adv-3-exact/results.json '[.results[0].adversarial, $full[0].results[0].adversarial] | transpose |
    all(.[0].accuracy_bound <= .[1].accuracy[-1] + 1e-12 and .[1].accuracy[-1] <= .[0].accuracy[-1] + 1e-12) and
    any(.[0].gap > 0)' stopped/results.json >/dev/null
  verdict $? "a stopped search states a gap that holds" \
    "$(jq -c '[.results[0].adversarial[] | [.accuracy[-1], .gap]]' stopped/results.json)"
  # Where the choice one by one is not the best: of eight images `wide` takes four, `left` and `right` three each, which share two
  # with it. No two take more than 4 and 3 of all, nor than 4 and twice the 1 that each leaves beside `wide`.
  $python -c '
import numpy
images = numpy.hstack([numpy.full((9, 1), 0.3), numpy.eye(9)])
images[8, 0] = 0
sets = [[0, 1, 2, 3], [0, 1, 4], [2, 3, 5]]
names = numpy.array([[float(i - 1 in s) for i in range(10)] for s in sets])
numpy.save("trap-i.npy", images.astype("f4"))
numpy.save("trap-n.npy", names.astype("f4"))
numpy.save("trap-t.npy", numpy.eye(10, dtype="f4")[[0, 9]])
numpy.save("trap-y.npy", numpy.int32([0] * 8 + [1]))'
  printf '%s\n' wide left right >trap.txt; printf 'name: v\nvocabularies: {a: [own], b: [other]}\n' >trap-v.yaml
  sed 's/^adversarial.*/adversarial: {candidates: trap.txt, embeddings: trap-n.npy, k: 2, exclude: none, targets: [a]}/
    s/v.yaml/trap-v.yaml/; s/: \([ity].npy\)/: trap-\1/g' exact.yaml >trap.yaml
  for k in '1 greedy [["wide","left"],[0.5,0.375],0.25,0.125,false]' '2 single [["wide","left"],[0.5,0.375],0.125,0.25,false]' \
    '2 exact [["left","right"],[0.625,0.25],0.25,0,true]'; do
    read -r ranks method expected <<<"$k"
    run_at "$ranks" trap.yaml --output trap --set "adversarial.method=$method"
    run trap.yaml --output three --set "adversarial.method=$method" --set adversarial.k=3
    equal "$method: k may be all that there are" "$(query three '.results[0].adversarial[0].accuracy | tojson')" \
      '[0.5,0.375,0.25]'
    equal "$method: what it chooses, and how far from the best that may be" "$(query trap \
      '.results[0].adversarial[] | [.names, .accuracy, .accuracy_bound, .gap, .proven] | tojson')" "$expected"
  done
  # --resume takes a pair as it is, but not when the question was another.
  run exact.yaml --output stopped --resume
  agree "--resume notices another question" adv-3-exact stopped
  run exact.yaml --output one --set adversarial.targets='[v3]'
  same "one target alone" <(query one '.results[0].adversarial') <(query adv-3-exact '[.results[0].adversarial[3]]')
  # Every image of v0 looks away from its class: none is right within v0, so that nothing can be taken from it.
  $python -c '
import numpy
x, t, y = (numpy.load(f"{n}.npy") for n in "ity")
x[y < 4] = -t[y[y < 4]]
numpy.save("away.npy", x)'
  for k in exact greedy single; do
    run_at 3 exact.yaml --output away --set adversarial.method=$k --set models.m.image_embeddings=away.npy
    holds "$k: a target without right images is reported, the others are attacked" '.results[0].adversarial | length == 6 and
      (.[0] | .right == 0 and .accuracy_before == 0 and .names == [] and .accuracy == [] and .gap == 0 and
        (.note | test("nothing"))) and
      all(.[1:][]; .right > 0 and (.names | length) > 0 and has("note") == ((.names | length) < 3))' away/results.json
  done
  run exact.yaml --output all --set adversarial.exclude=none
  equal "classes of the target are kept out, unless asked for" \
    "$(jq -c '[.results[0].adversarial[].excluded]' all/results.json adv-3-exact/results.json | paste -sd' ')" \
    "[0,0,0,0,0,0] [1,0,0,0,0,0]"

  bad() { refuses "$1" "$2" "$3" "$vocabench" run exact.yaml --output bad "${@:4}"; } # bad WHAT CODE PATTERN FLAGS...
  bad "k out of range" 3 '1 to 16' --set adversarial.k=17
  bad "unknown target" 6 "no vocabulary 'v9'" --set adversarial.targets='[v9]'
  bad "a target twice" 3 "'v1' is listed twice" --set adversarial.targets='[v1, v1]'
  bad "unknown method" 3 "did you mean 'greedy'" --set adversarial.method=gredy
  bad "unknown key" 3 "unknown key 'metod' in adversarial; did you mean 'method'" --set adversarial.metod=greedy
  printf '\n \n\n' >blank.txt
  bad "only empty lines" 4 'blank.txt: no candidates' --set adversarial.candidates=blank.txt
  bad "no candidates" 4 'missing.txt' --set adversarial.candidates=missing.txt
  printf 'a\nb\n' >two.txt
  bad "fewer candidates than k" 6 'two.txt: 2 candidates, but k is 3' --set adversarial.candidates=two.txt
  printf 'a\nb\nc\nd\n' >four.txt
  bad "embeddings of another list" 6 'c.npy: expected 4 x 24.*found 63 x 24' --set adversarial.candidates=four.txt
  bad "no embeddings" 3 "needs the key 'embeddings'" --set adversarial.embeddings=~
  printf 'C0\nc1\nc2\na\n' >mostly.txt
  $python -c '
import numpy
x = numpy.ones((4, 24), "f4")
numpy.save("four.npy", x)
x[2, 5] = numpy.nan
numpy.save("nan.npy", x)
open("many.txt", "w").write("".join("n%d\n" % i for i in range(50000)))
numpy.save("many.npy", numpy.ones((50000, 24), "f2"))'
  bad "too many excluded" 6 "target 'v0': 3 of 4 candidates are excluded" --set adversarial.candidates=mostly.txt \
      --set adversarial.embeddings=four.npy
  bad "NaN in the embeddings" 5 'nan.npy: row 2, column 5: NaN' \
    --set adversarial.candidates=four.txt --set adversarial.embeddings=nan.npy
  bad "no WordNet where synonyms are asked for" 4 'wordnet-base' --set adversarial.exclude=synonyms --set adversarial.wordnet=.
  bad "memory" 8 "more than the 1 MiB a rank of 'memory'" --set adversarial.memory=1 --set adversarial.candidates=many.txt \
      --set adversarial.embeddings=many.npy
  refuses "unknown analysis" 3 "did you mean 'margin'" "$vocabench" run analyses.yaml --output bad --set analyses='[margins]'
  refuses "an analysis twice" 3 "'margin' is listed twice" \
    "$vocabench" run analyses.yaml --output bad --set analyses='[margin, margin]'
  refuses "no analysis" 3 'analyses: expected a list' "$vocabench" run analyses.yaml --output bad --set analyses='[]'
  # A fault on one rank ends all of them.
  for fault in alloc:400:ENOMEM@1 mpi:60:EIO@2; do
    VOCABENCH_FAULT=$fault mpi 3 timeout 60 "$vocabench" run exact.yaml --output bad >stdout 2>err
    code=$?
    { [ $code = 8 ] || [ $code = 9 ]; } && grep -q '^vocabench: rank [12]: ' err
    verdict $? "$fault ends the run everywhere" "code $code" "$(cat err)"
  done
  # More images than the ranks hold together (64 MiB): panel after panel, the last unit and the last panel smaller.
  $python - <<'P'
import numpy
rng = numpy.random.default_rng(5)
drift = numpy.arange(900)[:, None] / 300  # so that units differ, and pairs within them from those between
images = (rng.standard_normal((900, 6)) + drift * rng.standard_normal(6)) @ rng.standard_normal((6, 20000))
numpy.save("wide-i.npy", images.astype(numpy.float16))
numpy.save("wide-t.npy", rng.standard_normal((2, 20000)).astype(numpy.float32))
numpy.save("wide-y.npy", numpy.arange(900) % 2)
P
  printf 'name: wide\nvocabularies: {a: [c0], b: [c1]}\n' >wide.yaml
  sed 's/^analyses:.*/analyses: [uniformity]/; s/v.yaml/wide.yaml/; s/: \([ity].npy\)/: wide-\1/g' analyses.yaml >wide-run.yaml
  for ranks in 1 3; do run_at $ranks wide-run.yaml --output wide-$ranks; done
  agree "uniformity panel after panel: 3 ranks, the same bytes" wide-1 wide-3
  check "and NumPy's" $python - <<'P'
import json, numpy
x = numpy.load("wide-i.npy").astype(numpy.float64)
x /= numpy.linalg.norm(x, axis=1, keepdims=True)
pairs = numpy.exp(4 * (x @ x.T)[numpy.triu_indices(len(x), 1)] - 4)  # exp(-2 |a - b|^2)
found = json.load(open("wide-1/results.json"))["results"][0]["analyses"]
assert abs(found["uniformity_image"] - numpy.log(pairs.mean())) < 1e-9 and found["uniformity_image_n"] == 900, found
P
}
if $python -c 'import numpy' 2>/dev/null; then numpy_tests; else skip "figures by NumPy" "python3-numpy is not installed"; fi

# ---- 70 vocabularies: more than a word has bits ------------------------------------------------------------------
must "$tools/npy" random t.npy 140 12 1; must "$tools/npy" random i.npy 560 12 2
seq 0 559 | awk '{ print $1 % 140 }' >labels; must "$tools/npy" numbers y.npy i8 labels
jq -rn '"name: v", "vocabularies:", (range(70) | "  v\(.): [a\(.), b\(.)]")' >v.yaml
run analyses.yaml --output many --set 'analyses=[order]'
# shellcheck disable=SC2016 # jq's variables
holds "70 vocabularies: the worst to come first is the one that takes most, the best the one that takes least" '.results[0] |
  [.theft, .vocabularies, .analyses.order.vocabularies] | transpose | to_entries | length == 70 and all(.key as $own |
    .value | .[1] as $its | .[2] as $order | (.[0] | del(.[$own])) as $taken |
    ($order.worst[1] - ($its.acc_c - ($taken | max) / $its.images) | fabs) < 1e-12 and
    ($order.best[1] - ($its.acc_c - ($taken | min) / $its.images) | fabs) < 1e-12)' many/results.json
holds "... beyond 20 vocabularies exact only where the bounds are reached everywhere" '.results[0].analyses.order |
  .exact == false and any(.vocabularies[]; .worst != .worst_bound or .best != .best_bound)' many/results.json

# ---- an encoded model: candidates go through the model's own prompts --------------------------------------------
make_data images pics 6 8; make_data model m.safetensors; make_data tokenizer tok
cat >words.yaml <<'E'
name: v
vocabularies:
  animals: [bear, dolphin]
  things: [apple, chair, forest]
  # elephant is in none
E
{ printf 'table\ntrain\nApple\nbear\nlamp\nwhale\n'; printf 'long %.0s' {1..200}; echo; } >nouns.txt
cat >encoded.yaml <<'E'
experiment: encoded
analyses: [margin, uniformity, spectrum]
adversarial: {candidates: nouns.txt, k: 2, method: exact, exclude: names}
datasets: [{name: d, images: pics, vocabularies: words.yaml}]
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: two, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}.", "{}"]}
E
if run encoded.yaml --output enc; then
  run_at 3 encoded.yaml --output enc3
  agree "encoded candidates: 3 ranks, the same bytes" enc enc3
  equal "a candidate longer than the context is cut, not refused" "$(query enc '.results[0].adversarial_pool.candidates')" 7
  # The same from embeddings: candidates' texts and image embeddings as the program writes them.
  embed() { must "$vocabench" encode "$@" --weights m.safetensors --activation quick_gelu --raw; }
  sed 's/.*/a photo of a &./' nouns.txt >prompts.txt; embed texts --tokenizer tok --input prompts.txt --output C.npy
  printf 'a photo of a %s.\n' bear dolphin apple chair forest >prompts.txt
  embed texts --tokenizer tok --input prompts.txt --output T.npy
  embed images --input pics --output I.npy
  for class in 2 0 3 1 -1 4; do for ((i = 0; i < 8; i++)); do echo "$class"; done; done >labels # apple to forest
  must "$tools/npy" numbers y.npy i4 labels
  cat >given.yaml <<'E'
experiment: given
adversarial: {candidates: nouns.txt, embeddings: C.npy, k: 2, method: exact, exclude: names}
datasets: [{name: d, vocabularies: words.yaml}]
models: [{name: plain, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
  run given.yaml --output given
  taken() { query "$1" '.results[0].adversarial | del(.[].examples[][].image)'; } # images are names of files or numbers of rows
  same "encoded and given embeddings agree" <(taken enc) <(taken given)
fi

# Before and after REPE: every setting has its analyses, less the images' own; with nothing blended in they are the plain ones,
# but for margins, which a single prompt's blend takes from products that are not normalised.
printf 'a bear in the snow\nan apple on a tree\na chair\na dolphin jumps\nthe forest\ntwo chairs\n' >captions.txt
sed '/^adversarial/d; s/^analyses.*/analyses: [margin, alignment, uniformity, spectrum]/; /name: two/d' encoded.yaml >repe.yaml
printf 'corpora: [{name: words, captions: captions.txt}]\nretrieval: {corpus: words, top_k: 2, lambda: [0, 0.5]}\n' >>repe.yaml
run repe.yaml --output repe
# shellcheck disable=SC2016 # jq's variables
holds "before and after REPE" '.results[0] as $r | $r.analyses as $a | [$r.retrieval.results[].analyses] as [$zero, $half] |
  all("alignment", "modality_gap", "uniformity_text"; . as $k |
    ($zero[$k] - $a[$k] | fabs) < 1e-6 and ($half[$k] - $a[$k] | fabs) > 1e-6) and
  ($zero | has("margin_mean") and (has("uniformity_image") | not)) and ($zero.spectrum | keys) == ["text"]' repe/results.json \
  "$(jq -c '.results[0].retrieval.results[].analyses | del(.histograms)' repe/results.json)"

# ---- WordNet ----------------------------------------------------------------------------------------------------
mkdir -p wn && cat >wn/data.noun <<'E'
  1 A licence: its lines begin with spaces.
00000100 03 n 01 Entity 0 002 ~ 00000200 n 0000 ~ 00000300 n 0000 | all there is
00000200 03 n 02 animal 0 beast 1 002 @ 00000100 n 0000 ~ 00000400 n 0000 | it moves
00000300 03 n 02 thing 0 beast 2 001 @ 00000100 n 0000 | it does not
00000400 03 n 02 sea_lion 0 Brown_Bear 0 002 @ 00000200 n 0000 + 00000001 v 0101 | barks
E
cat >wn/index.noun <<'E'
  1 A licence.
animal n 1 2 @ ~ 1 0 00000200
beast n 2 1 @ 2 0 00000300 00000200
brown_bear n 1 1 @ 1 0 00000400
entity n 1 1 ~ 1 0 00000100
sea_lion n 1 1 @ 1 0 00000400
thing n 1 1 @ 1 0 00000300
E
nouns() { "$vocabench" candidates wordnet --wordnet wn --output nouns.out "$@" >stdout 2>err && paste -sd, nouns.out; }
are() { equal "$1" "$(nouns "${@:3}")" "$2" "$(cat err)"; } # are NAME EXPECTED FLAGS...
are "all nouns" "animal,beast,brown bear,entity,sea lion,thing"
are "single words" "animal,beast,entity,thing" --single-words
are "heads of synsets" "animal,entity,sea lion,thing" --heads
are "depth" "animal,beast,thing" --min-depth 1 --max-depth 1
refuses "no noun is left" 2 'no noun meets' "$vocabench" candidates wordnet --wordnet wn --output x --min-depth 9
refuses "no WordNet" 4 'wordnet-base' "$vocabench" candidates wordnet --wordnet pics --output x
refuses "a name that says packed" 2 'candidates: --output: n.txt.zst: nothing is packed there' \
  "$vocabench" candidates wordnet --wordnet wn --output n.txt.zst
check_not "and nothing is written" test -e n.txt.zst
refuses "another list" 2 "expected 'wordnet'" "$vocabench" candidates words --output x
for edit in 's/00000200 03 n 02/00000200 03 n 09/' 's/^00000300/00000150/' \
  's/00000300 03 n/00000300 03 v/' 's/@ 00000200/@ 00000201/'; do
  mkdir -p broken && cp wn/index.noun broken && sed "$edit" wn/data.noun >broken/data.noun
  refuses "a broken data.noun: $edit" 5 'broken/(data|index).noun:[0-9]+: expected' \
      "$vocabench" candidates wordnet --wordnet broken --output x
done
cp wn/data.noun broken && sed 's/^beast n 2/beast n 3/' wn/index.noun >broken/index.noun
refuses "a broken index.noun" 5 'index.noun:3: expected' "$vocabench" candidates wordnet --wordnet broken --output x
# Synonyms: 'dolphin' is a sea lion here by its id, and so a brown bear.
printf 'sea lion\nbrown_bear\nlamp\ntable\n' >nouns.txt
sed -i 's/\[bear, dolphin\]/[bear, {id: n00000400, name: dolphin}]/' words.yaml
sed -i 's/exclude: names/exclude: synonyms, wordnet: wn/; /name: two/d; /^analyses/d' encoded.yaml
run encoded.yaml --output synonyms
equal "synonyms of a class are kept out" \
  "$(query synonyms '.results[0] | [[.adversarial[].excluded], .adversarial_pool.excluded_by] | tojson')" '[[2,0],"synonyms"]'

# ---- the plan's memory of analyses and adversarial vocabularies, against what runs take ---------------------------
if $python -c 'import numpy' 2>/dev/null; then
  mkdir -p planned; must $python - <<'P'
import numpy
rng = numpy.random.default_rng(1)
dim, classes, images, pool = 256, 40, 12000, 12000
for name, n in (("t", classes), ("i", images), ("c", pool)):
    numpy.save(f"planned/{name}.npy", rng.standard_normal((n, dim), "f4") + 1)
numpy.save("planned/y.npy", (numpy.arange(images) % classes).astype("i4"))
with open("planned/c.txt", "w", encoding="utf-8") as file:
    file.write("".join(f"noun {i}\n" for i in range(pool)))
with open("planned/v.yaml", "w", encoding="utf-8") as file:
    file.write("name: v\nvocabularies:\n")
    for v in range(10):
        file.write(f"  v{v}: [{', '.join(f'c{4 * v + c}' for c in range(4))}]\n")
P
  cat >planned/plain.yaml <<'E2'
experiment: planned
threads: 1
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E2
  { cat planned/plain.yaml; echo 'analyses: [margin, uniformity, spectrum]'; } >planned/analyses.yaml
  { cat planned/plain.yaml; echo 'adversarial: {candidates: c.txt, embeddings: c.npy, k: 2, exclude: names}'; } \
    >planned/adversarial.yaml
  # bytes NUMBER UNIT, as the plan prints them
  bytes() {
    awk '{ split("B kB MB GB TB", u, " "); for (i = 1; i <= 5; i++) if (u[i] == $2) printf "%.0f\n", $1 * 1000 ^ (i - 1) }'
  }
  planned() {
    "$vocabench" plan planned/"$1".yaml --ranks "$2" | sed -nE 's/.*memory: about ([0-9.]+ [kMGT]?B) a rank.*/\1/p' | bytes
  }
  work() { "$vocabench" plan planned/"$1".yaml | awk '$1 == "m" { printf "%.0f\n", $NF * 1e12 }'; }
  for name in analyses adversarial; do
    for ranks in 1 3; do
      run_at $ranks planned/$name.yaml --output planned/$name-$ranks --ranks-per-model $ranks
      taken=$(jq .run.peak_memory_a_rank planned/$name-$ranks/results.json) wanted=$(planned $name $ranks)
      [ "$taken" -le $((wanted * 11 / 10)) ] && [ "$wanted" -le $((taken * 5 / 2)) ]
      fits "$name on $ranks ranks: plan $((wanted / 1000000)) MB, peak $((taken / 1000000)) MB" $? \
        "the plan says $wanted bytes, the run took $taken"
    done
  done
  # 2 x 12,000 x 40 x 256 operations for the similarities; pairs of images, the margins again, Gram matrices and eigenvalues;
  # 12,000 candidates and three passes over bits.
  equal "plan: operations" "$(work plain)" 246000000
  # shellcheck disable=SC2317 # called through check
  about() { awk -v a="$1" -v p="$(work plain)" "BEGIN { x = $2; exit !(a > 0.99 * x && a < 1.01 * x) }"; }
  check "plan: operations of analyses" about "$(work analyses)" \
    'p * 2 + (12e3 ^ 2 + 1600) * 256 + 2 * 12040 * 65536 + 8 * 256 ^ 3'
  check "plan: operations of adversarial" about "$(work adversarial)" 'p * 2 + 2 * 12e3 * 12e3 * 256 + 30 * 12e3 / 64 * 12e3'
fi

# ---- Living17 on real embeddings --------------------------------------------------------------------------------
need_shared data/clip-vit-b32-imagenet "Living17's analyses"
imagenet=$shared/data/clip-vit-b32-imagenet truth=$shared/reference/living17-clip-vit-b32.expected.json
cut -f2 "$imagenet/imagenet_classes.tsv" | tail -n +2 >wnids.txt
cat >living.yaml <<E
experiment: living17
analyses: [margin, similarity, alignment, uniformity]
datasets: [{name: living17, vocabularies: configs/vocabularies/living17.yaml}]
models:
  - {name: b32, family: precomputed, image_embeddings: $imagenet/imagenet_image_7per_class.npy,
     labels: $imagenet/imagenet_image_labels.npy,
     text_embeddings: $imagenet/imagenet_text_a_photo_of.npy, text_names: wnids.txt, label_names: wnids.txt}
E
run_at 3 living.yaml --output living
out=$(jq -r --slurpfile t "$truth" '.results[0].analyses as $a |
  ("margin_median", "margin_mean", "positive_mean", "negative_mean", "alignment", "uniformity_text",
   "uniformity_image", "uniformity_image_n") as $k |
  if (($a[$k] - $t[0][$k]) | fabs) <= 1e-9 then empty
  else "\($k): \($a[$k]), expected \($t[0][$k])" end' living/results.json 2>&1)
equal "Living17's analyses to 1e-9" "$out" ""
finish
