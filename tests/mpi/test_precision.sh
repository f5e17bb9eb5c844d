#!/bin/bash
# precision: bf16x3, at every instruction set and number of ranks the same; fastest falls back aloud; errors, keys and commands.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 5 3; make_data model m.safetensors; make_data tokenizer tok; made_vocabularies
experiment() { plain_experiment "$1" | sed "s,v.yaml,five.yaml,; s/prompts: \[/precision: $2, &/"; }
experiment plain fp32 | sed "s,precision: fp32\, ,," >plain.yaml
for word in fp32 bf16x3 fastest; do experiment plain $word >$word.yaml; done

run plain.yaml --output plain && run fp32.yaml --output fp32 && run bf16x3.yaml --output bf16x3
like "bf16x3 that is slower than fp32 says so" \
  '^vocabench: note: model plain: precision: bf16x3: (a rank has no|on the slowest)' stderr
fact='.results[0].embedding.facts.precision'
holds "nothing stated: no fact" "$fact == null and (.results[0].embedding | has(\"precision_error\") | not)" plain/results.json
holds "fp32 stated" "$fact == {value: \"fp32\", source: \"experiment\"}" fp32/results.json
holds "bf16x3 stated" "$fact == {value: \"bf16x3\", source: \"experiment\"}" bf16x3/results.json
holds "its error is one of three products: less than bf16's, more than none" \
  '.results[0].embedding.precision_error | [.images, .texts] | all(. > 1e-9 and . < 1e-4)' bf16x3/results.json
texts='.results[0].embedding.text_embeddings_digest'
equal "fp32 is what nothing stated is" "$(query plain "$texts")" "$(query fp32 "$texts")"
check_not "bf16x3 gives other embeddings" test "$(query plain "$texts")" = "$(query bf16x3 "$texts")"

# ---- the error, by hand, from the embeddings of the same texts ----------------------------------------------------
printf '%s\n' "a photo of a dog." "a bad photo of the tall building." "an origami flower on a wooden table." \
  "itap of a small red airplane" >texts.txt
encode() { must "$vocabench" encode texts --weights m.safetensors --family clip --activation quick_gelu --tokenizer tok \
  --input texts.txt --output "$1.npy" --precision "$1"; }
encode fp32; encode bf16x3
rows() { "$tools/npy" print "$1.npy" | tr -s ' \t' '\n' | grep -E '[0-9]' ; }
by_hand=$(paste <(rows fp32) <(rows bf16x3) | awk '{d = $1 - $2; if (d < 0) d = -d; if (d > m) m = d} END {print m}')
check "the error in the results is that of encode's rows ($by_hand)" awk -v x="$by_hand" \
  -v y="$(query bf16x3 .results[0].embedding.precision_error.texts)" 'BEGIN {d = x - y; exit !(x > 0 && d * d < 9e-16)}'

# ---- levels, ranks, cache ---------------------------------------------------------------------------------------
for level in scalar avx2 avx512; do
  VOCABENCH_ISA=$level run bf16x3.yaml --output $level && agree "the same at level $level" bf16x3 $level
  has_text "level $level says that it has no instructions" "computes the same bits in fp32, several times slower" stderr
done
run_at 3 bf16x3.yaml --output three && agree "the same on three ranks" bf16x3 three
before=$(cached plain); run bf16x3.yaml --output second --cache plain/cache
check "units of fp32 are not taken for bf16x3's" test "$(cached plain)" = $((2 * before))
agree "nor do they change anything" bf16x3 second

# ---- fastest ----------------------------------------------------------------------------------------------------
# One of two ranks without the instructions: both compute in fp32.
# shellcheck disable=SC2317 # bash -c calls it
here_and_not() { VOCABENCH_ISA=$([ "$OMPI_COMM_WORLD_RANK" = 1 ] && echo avx2 || echo vnni) exec "$vocabench" "$@"; }
export -f here_and_not; export vocabench
# shellcheck disable=SC2016 # for the other bash
mpi 2 bash -c 'here_and_not "$@"' _ run fastest.yaml --output fastest >stdout 2>stderr
verdict $? "two ranks that differ" "$(cat stderr)"
has_text "fastest falls back, and says why" "precision: fastest: fp32 is used: a rank has no instructions for bf16" stderr
holds "the results say what was used" "$fact == {value: \"fp32\", source: \"start-up check\"}" fastest/results.json
equal "and it was" "$(query fastest "$texts")" "$(query fp32 "$texts")"

# ---- commands ---------------------------------------------------------------------------------------------------
"$vocabench" check bf16x3.yaml >out 2>&1; has_text "check lists it" "precision bf16x3 (experiment)" out
"$vocabench" plan bf16x3.yaml --cache bf16x3/cache >out 2>&1
has_text "plan says how it is computed" "precision: bf16x3" out
# shellcheck disable=SC2016 # awk's
check "plan finds its units in the cache" awk '$1 == "plain" && $2 == "folder" && $5 >= 1 {found = 1} END {exit !found}' out
"$vocabench" inspect m.safetensors --precision >out 2>&1
like "inspect measures it" '^bf16x3 by [a-z0-9_]+, [0-9.]+ times as fast as fp32 here: precision: fastest takes (it|fp32)$' out
sed 's/fp32/fp64/' fp32.yaml >bad.yaml
refuses "another word" 3 "precision: expected one of fp32, bf16x3, fastest, found .fp64" "$vocabench" run bad.yaml
finish
