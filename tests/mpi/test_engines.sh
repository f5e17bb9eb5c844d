#!/bin/bash
# The scalapack engine against the replicated one and against integers by NumPy: the same bytes at any number of ranks; bad
# input; faults.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
oracle=$here/tests/tools/engine_oracle.py
# divided RANKS EXPERIMENT FOLDER [FLAGS]: with text embeddings divided among all ranks
divided() {
  run_at "$1" "$2" --output "$3" --set similarity_engine=scalapack --ranks-per-model "$1" --threads $(($1 % 3 + 1)) "${@:4}"
}

numpy_tests() {
  local kind ranks
  for kind in many few one odd; do
    mkdir -p $kind; must $python "$oracle" make $kind $kind
    { printf 'experiment: engines\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels:\n'
      for model in cosine dot; do
        echo "  - {name: $model, family: precomputed, similarity: $model, image_embeddings: i.npy, text_embeddings: t.npy,"
        echo "     labels: y.npy}"
      done; } >$kind/e.yaml
    run $kind/e.yaml --output $kind/whole
    check "$kind: the replicated engine counts as NumPy does" $python "$oracle" check $kind $kind/whole/results.json
    for ranks in 1 2 3 5 8; do
      [ $kind != odd ] || [ $ranks = 3 ] || continue
      divided $ranks $kind/e.yaml $kind/$ranks
      agree "$kind: $ranks ranks, the same bytes" $kind/whole $kind/$ranks
    done
  done
  check "comparisons are counted" \
    jq -e '[.run.pairs[].similarity] | length == 2 and all(.engine == "scalapack" and .ranks == 5 and
    .compared == 630000 and .rescored >= 100 and .rescored < 63000)' many/5/results.json
  check "the other engine has no such count" jq -e '[.run.pairs[] | has("similarity")] | any | not' many/whole/results.json
  check "the engine is an option of the machine" jq -e '.run.options.similarity_engine == "scalapack" and
    (.configuration | has("similarity_engine") | not)' many/5/results.json
  divided 3 many/e.yaml many/sampled --set protocol=sampled
  run many/e.yaml --output many/plain --set protocol=sampled
  agree "the sampled protocol" many/plain many/sampled
  $python -c '
import numpy
t = numpy.load("many/t.npy")
t[300, 7] = numpy.nan
numpy.save("many/nan.npy", t)
t[300] = 0
numpy.save("many/zero.npy", t)'
  for what in 'nan row 300, column 7: NaN' 'zero row 300: all zero'; do
    for ranks in 1 3; do
      refuses "${what#* } on $ranks ranks" 5 "many/${what%% *}.npy: ${what#* }" \
        mpirun -n $ranks "$vocabench" run many/e.yaml --output bad \
        --set similarity_engine=scalapack --set models.dot.text_embeddings="${what%% *}.npy" --ranks-per-model $ranks
    done
  done
  local fault code
  for fault in alloc:300:ENOMEM@1 mpi:70:EIO@2 mpi:100:EIO@0 unit:2:EIO@1; do
    VOCABENCH_FAULT=$fault mpi 3 timeout 60 "$vocabench" run many/e.yaml --output bad --set similarity_engine=scalapack \
      --ranks-per-model 3 >stdout 2>err
    code=$?
    [ $code != 0 ] && [ $code -lt 100 ] && grep -q "^vocabench: rank ${fault#*@}: " err
    verdict $? "$fault ends the run everywhere" "code $code" "$(cat err)"
  done
}
if $python -c 'import numpy' 2>/dev/null; then numpy_tests; else skip "counts by NumPy" "python3-numpy is not installed"; fi

# ---- encoded models: texts are dealt out as they are encoded; units of 256 prompts, more classes than one unit holds ----
make_data images pics 6 8; make_data model m.safetensors; make_data tokenizer tok
{ printf 'name: v\nvocabularies:\n  animals: [bear, dolphin]\n  things: [apple, chair, forest]\n  names: [elephant, '
  for ((i = 0; i < 299; i++)); do printf 'name %d, ' $i; done; echo 'lamp]'; } >words.yaml
cat >encoded.yaml <<'E2'
experiment: encoded
datasets: [{name: d, images: pics, vocabularies: words.yaml}]
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: two, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}.", "{}"]}
E2
if run encoded.yaml --output enc; then
  for ranks in 1 2 5; do
    divided $ranks encoded.yaml enc$ranks
    agree "encoded: $ranks ranks, the same bytes" enc enc$ranks
  done
  divided 3 encoded.yaml enc3 --cache enc5/cache
  agree "encoded: texts from the cache" enc enc3
  equal "nothing is encoded twice" \
    "$(jq -c '[.run.pairs[].texts_encoded]' enc3/results.json)" '[0,0]' "$(jq -c '.run.pairs' enc3/results.json)"
fi

bad() { # bad WHAT PATTERN ENGINE [FLAGS]
  local what=$1 pattern=$2 engine=$3; shift 3
  refuses "$what" 3 "$pattern" "$vocabench" run encoded.yaml --output bad --set similarity_engine="$engine" "$@"
}
bad "unknown engine" "did you mean 'scalapack'" scalapak
bad "analyses need all texts" "evaluates only; 'analyses'" scalapack --set analyses='[order]'
bad "adversarial needs all texts" "evaluates only; 'adversarial'" scalapack --set adversarial='{candidates: words.yaml}'
bad "records need all texts" "evaluates only; 'per_image'" scalapack --per-image
bad "retrieval needs all texts" "evaluates only; 'retrieval'" scalapack \
  --set corpora='[{name: c, captions: x.txt}]' --set retrieval='{corpus: c}'
bad "expansions need all texts" "evaluates only; 'expansions'" scalapack --set expansions='[{name: both, datasets: [d, e]}]' \
  --set datasets='[{name: d, images: pics, vocabularies: words.yaml}, {name: e, images: pics, vocabularies: words.yaml}]'
finish
