#!/bin/bash
# Groups of ranks beside each other: the same bytes as one rank at any split, busy groups, errors and stops that reach everyone, and
# reruns that encode nothing twice. VOCABENCH_MOMENTS: how many random moments to kill and to stop at [3].
# shellcheck disable=SC2015 # pass and fail never fail
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar
"$tools/make_data" images pics 20 16 && "$tools/make_data" cifar cifar/test.bin 20 1000 && "$tools/make_data" images five 5 1 &&
  "$tools/make_data" model m.safetensors && "$tools/make_data" tokenizer tok || fail "test data"
made_vocabularies
printf '%s\n' apple bear chair dolphin elephant >five.txt
"$vocabench" encode images --weights m.safetensors --input five --output five-i.npy >stdout 2>stderr &&
  "$vocabench" encode texts --weights m.safetensors --tokenizer tok --input five.txt --output five-t.npy >stdout 2>stderr ||
  fail "precomputed embeddings" "$(cat stderr)"
# Five encoders; `ensemble` has that of `plain`, so that nobody may encode its images at the same time.
cat >e.yaml <<'E'
experiment: groups
per_image: true
threads: 1
analyses: [margin, uniformity]
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: gelu, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, weights: m.safetensors, tokenizer: tok, prompts: cifar100}
  - {name: rgb, family: clip, weights: m.safetensors, tokenizer: tok, preprocessing: rgb_first, prompts: ["a photo of a {}."]}
  - {name: both, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, preprocessing: rgb_first, prompts: ["the {}"]}
  - {name: quick, family: clip, weights: m.safetensors, tokenizer: tok, activation: quick_gelu, prompts: ["a {}."]}
  - {name: elsewhere, family: precomputed, dataset: five, image_embeddings: five-i.npy, text_embeddings: five-t.npy, labels: five.txt}
E
# run_at RANKS RANKS_PER_MODEL FOLDER [FLAGS]
run_at() {
  local ranks=$1 size=$2 folder=$3; shift 3
  mpi "$ranks" timeout -k 5 120 "$vocabench" run e.yaml --output "$folder" --ranks-per-model "$size" "$@" >stdout 2>stderr ||
    { fail "run at $ranks ranks, $size a model" "$(cat stderr)"; return 1; }
}
# differs A B: what differs, of results less the run block, records and tables; nothing when all is the same.
differs() {
  local record
  cmp -s <(jq 'del(.run)' "$1/results.json") <(jq 'del(.run)' "$2/results.json") || echo results.json
  for record in "$1"/records/*; do cmp -s "$record" "$2/records/${record##*/}" || echo "$record"; done
  cmp -s "$1/table.csv" "$2/table.csv" && cmp -s "$1/table.md" "$2/table.md" || echo tables
}
like() { local found; found=$(differs "$2" "$3"); [ -z "$found" ] && pass "$1" || fail "$1" "$found"; }

run_at 1 0 whole
[ "$(jq -c '[.results | length] + (.run | [(.groups | length), .groups[0].units])' whole/results.json)" = '[19,1,19]' ] &&
  pass "nineteen units, one group" || fail "nineteen units, one group" "$(jq -c .run whole/results.json)"
images=$(jq '[.run.pairs[].units_encoded] | add' whole/results.json)

# ---- the same bytes at any split --------------------------------------------------------------------------------
best=1
for try in 1 2 3; do # other work on this machine may idle a group: the best of three counts
  rm -rf three; run_at 8 3 three && like "8 ranks in 3 groups, run $try" whole three
  best=$(jq "[$best, .run.idle_share] | min" three/results.json)
  jq -n -e "$best < 0.1" >/dev/null && break
done
jq -n -e "$best < 0.1" >/dev/null && pass "idle share below a tenth: $best" ||
  fail "idle share below a tenth: $best" "$(jq -c .run.groups three/results.json)"
[ "$(jq -c '[.run.groups[].ranks]' three/results.json)" = '[3,3,2]' ] && pass "groups of 3, 3 and 2 ranks" ||
  fail "groups of 3, 3 and 2 ranks"
jq -e '(.run.groups | map(.units) | add) == 19 and (.run.groups | all(.units > 0)) and ([.run.pairs[].group] | unique) == [0, 1, 2]' \
  three/results.json >/dev/null && pass "each group did some units, each unit was done by one" ||
    fail "units by groups" "$(jq -c '.run | .groups, .pairs' three/results.json)"
names='[.run.pairs[] | .model + " " + .dataset]'
cmp -s <(jq "$names" whole/results.json) <(jq "$names" three/results.json) && pass "pairs stand in the experiment's order" ||
  fail "pairs stand in the experiment's order"
[ "$(jq '[.run.pairs[].units_encoded] | add' three/results.json)" = "$images" ] && pass "no image is encoded by two groups" ||
  fail "no image is encoded by two groups" "$(jq -c .run.pairs three/results.json)"
for shape in "2 1" "3 1" "5 2" "8 1" "8 0" "8 8" "20 1"; do
  rm -rf again
  # shellcheck disable=SC2086 # two numbers
  run_at $shape again && like "ranks, ranks a model: $shape; groups: $(jq '.run.groups | length' again/results.json)" whole again
done
[ "$(jq '.run.groups | length' again/results.json)" = 20 ] && pass "more groups than work" || fail "more groups than work"
run_at 8 3 again --resume && like "all units are known: --resume" whole again
[ "$(jq -c '.run.pairs' again/results.json)" = '[]' ] && pass "nothing is done again" || fail "nothing is done again"
rm again/pairs/gelu--* again/pairs/both--five.json && run_at 5 1 again --resume && like "some units are known: --resume" whole again
[ "$(jq -c '[.run.pairs[] | .model + "--" + .dataset]' again/results.json)" = \
  '["gelu--folder","gelu--cifar","gelu--five","both--five"]' ] &&
  pass "only the others are done" || fail "only the others are done" "$(jq -c .run.pairs again/results.json)"
"$vocabench" plan e.yaml --ranks 8 --ranks-per-model 3 >stdout 2>stderr && grep -q '^3 groups of 2 to 3 ranks (as stated)' stdout &&
  pass "plan" ||
  fail "plan" "$(cat stdout stderr)"

# ---- options, warnings, measurements ----------------------------------------------------------------------------
refuses "--ranks-per-model -1" 3 'ranks_per_model' "$vocabench" run e.yaml --ranks-per-model -1
refuses "--ranks-per-model many" 3 'ranks_per_model' "$vocabench" run e.yaml --ranks-per-model many
cores=$(nproc)
mpi 2 "$vocabench" run e.yaml --output whole --resume --threads $((cores + 1)) >stdout 2>stderr
[ "$(grep -c "^warning: 2 ranks x $((cores + 1)) threads on the $cores core" stderr)" = 1 ] && pass "more threads than cores: one line" ||
  fail "more threads than cores: one line" "$(cat stderr)"
OPENBLAS_NUM_THREADS=4 "$vocabench" run e.yaml --output whole --resume --threads 1 >stdout 2>stderr
[ "$(grep -c '^warning: OPENBLAS_NUM_THREADS=4' stderr)" = 1 ] && pass "threads of BLAS: one line" ||
  fail "threads of BLAS: one line" "$(cat stderr)"
OPENBLAS_NUM_THREADS=1 "$vocabench" run e.yaml --output whole --resume --threads 1 >stdout 2>stderr
grep -q '^warning' stderr && fail "nothing to warn of" "$(cat stderr)" || pass "nothing to warn of"
# Eight ranks hold at least what the largest holds, and at most eight times that.
jq -e '.run | .peak_memory_a_rank > 4e6 and .peak_memory_a_node > .peak_memory_a_rank and
  .peak_memory_a_node <= 8 * .peak_memory_a_rank' three/results.json \
  >/dev/null && pass "memory is measured" ||
    fail "memory is measured" "$(jq -c '.run | .peak_memory_a_rank, .peak_memory_a_node' three/results.json)"

# ---- an error in one group --------------------------------------------------------------------------------------
head -c 100000 m.safetensors >cut.safetensors
rm -rf broken
mpi 6 timeout -k 5 60 "$vocabench" run e.yaml --output broken --ranks-per-model 2 --set models.both.weights=cut.safetensors >stdout \
  2>stderr; code=$?
{ [ $code = 5 ] && [ "$(grep -c '^vocabench: ' stderr)" = 1 ] && grep -qE '^vocabench: rank [0-5]: .*cut.safetensors' stderr; } &&
  pass "a damaged model stops all groups" || fail "a damaged model stops all groups" "code $code" "$(cat stderr)"
[ ! -e broken/results.json ] && pass "without results" || fail "without results"
run_at 8 3 broken --resume && like "and then with the whole one" whole broken
for fault in mpi:6:EIO@3 mpi:14:EIO@4 mpi:25:EIO@0 mpi:60:EIO@5 alloc:700:ENOMEM@2 alloc:2500:ENOMEM@5 write:2:ENOSPC@4 \
  rename:9:EACCES@0 unit:2:EIO@3; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 6 timeout -k 5 60 "$vocabench" run e.yaml --output cut --ranks-per-model 2 >stdout 2>stderr; code=$?
  case $code in
    0 | 1 | 7 | 8 | 9) ;;
    *) fail "$fault" "code $code" "$(cat stderr)"; continue ;;
  esac
  [ $code = 0 ] || [ "$(grep -c "^vocabench: rank ${fault##*@}: " stderr)" = 1 ] ||
    { fail "$fault: the rank that met it speaks" "$(cat stderr)"; continue; }
  run_at 4 1 cut && like "$fault: code $code, and a good rerun" whole cut
done

# ---- killed and stopped at moments that nobody chose -------------------------------------------------------------
moments=${VOCABENCH_MOMENTS:-3}
# Image units in the cache: their keys' folders hold `seen`.
keys=$(cd whole/cache && for key in *; do [ ! -d "$key/seen" ] || echo "$key"; done)
units() { for key in $keys; do find "cut/cache/$key" -maxdepth 1 -name '*.npy' ! -name '.*' 2>/dev/null; done | wc -l; }
start_slow() { # a run of 6 ranks in 3 groups that takes some seconds; sets $job and $ranks
  rm -rf cut
  VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 6 "$vocabench" run e.yaml --output cut --ranks-per-model 2 >stdout 2>stderr \
    </dev/null &
  job=$! ranks=
  for _ in $(seq 500); do
    ranks=$(pgrep -P $job -x vocabench | tr '\n' ' ')
    [ "$(wc -w <<<"$ranks")" = 6 ] && [ -d cut/pairs ] && break
    sleep 0.02
  done
  sleep $((RANDOM % 3)).$((RANDOM % 10))$((RANDOM % 10))
}
stops() { # waits for $job at most 30 s; sets $code, to "hung" when that was not enough
  rm -f hung; (sleep 30; touch hung; kill -9 $job 2>/dev/null) & local watch=$!
  wait $job 2>/dev/null; code=$?; [ ! -e hung ] || code=hung
  kill $watch 2>/dev/null; wait $watch 2>/dev/null
}
finishes() { # finishes NAME RANKS RANKS_A_MODEL: the rerun has the right bytes, takes finished units as they are, encodes what was missing
  local before kept found; before=$(units) kept=$(find cut/pairs -name '*.json' ! -name '.*' | wc -l)
  run_at "$2" "$3" cut --resume || return
  found=$(differs whole cut)
  [ -z "$found" ] && pass "$1: the same bytes ($kept of 19 results, $before of $images units were kept)" || fail "$1: bytes" "$found"
  [ "$(jq -r '.run.pairs | "\(length) \([.[].units_encoded] | add // 0)"' cut/results.json)" = "$((19 - kept)) $((images - before))" ] &&
    pass "$1: nothing is done twice" || fail "$1: nothing is done twice" "$kept results, $before units were there" \
      "$(jq -c .run.pairs cut/results.json)"
}
for moment in $(seq "$moments"); do
  start_slow
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -9 "${@:$((RANDOM % 6 + 1)):1}" 2>/dev/null; stops
  [ $code != hung ] && [ $code != 75 ] || fail "kill -9 of a rank, $moment" "code $code"
  finishes "kill -9 of a rank, $moment" $((RANDOM % 8 + 1)) $((RANDOM % 4))
done
for moment in $(seq "$moments"); do
  start_slow
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  signal=$(echo TERM USR1 INT | cut -d' ' -f $((moment % 3 + 1)))
  kill -s "$signal" "${@:$((RANDOM % 6 + 1)):1}" 2>/dev/null; stops
  if [ $code = 75 ]; then
    grep -qE "^vocabench: rank [0-5]: (analyses of .*: )?stopped by SIG$signal; finished units are kept" stderr &&
      pass "SIG$signal to a rank, $moment: code 75" ||
      fail "SIG$signal to a rank, $moment: the line" "$(cat stderr)"
  elif [ $code = 0 ] && [ -e cut/results.json ]; then pass "SIG$signal to a rank, $moment: it had ended"
  else fail "SIG$signal to a rank, $moment" "code $code" "$(cat stderr)"
  fi
  finishes "SIG$signal, $moment" $((RANDOM % 8 + 1)) $((RANDOM % 4))
done

# ---- six models of four families, real tokenizers ---------------------------------------------------------------
need_shared fixtures/slip-vit/checkpoint.pt "six models of four families"
bpe=$shared/reference/bpe_simple_vocab_16e6.txt.gz fixtures=$shared/fixtures
mkdir -p real && head -c $((3074 * 600)) "$shared/data/cifar-100-binary/test.bin" >real/test.bin &&
  cp "$shared/data/cifar-100-binary/fine_label_names.txt" real/
cat >e.yaml <<E
experiment: families
per_image: true
threads: 1
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: real, images: real/test.bin, vocabularies: configs/vocabularies/cifar100.yaml}
models:
  - {name: vit, family: clip, weights: $fixtures/clip-vit/model.safetensors, tokenizer: $bpe, prompts: ["a photo of a {}."]}
  - {name: resnet, family: clip, weights: $fixtures/clip-rn/model.safetensors, tokenizer: $bpe, prompts: ["a photo of a {}."]}
  - {name: slip, family: slip, weights: $fixtures/slip-vit/checkpoint.pt, tokenizer: $bpe, prompts: ["a photo of a {}."]}
  - {name: declip, family: declip, weights: $fixtures/declip-vit/checkpoint.pth.tar, tokenizer: $bpe, prompts: ["a photo of a {}."]}
  - {name: pe, family: clip, weights: $fixtures/clip-vit/model.safetensors, tokenizer: $bpe, prompts: ["a {}", "the {}", "{}"]}
  - {name: torch, family: clip, weights: $fixtures/clip-vit/state_dict.pt, tokenizer: $bpe, prompts: ["a photo of a {}."]}
E
rm -rf whole three; run_at 1 0 whole && run_at 8 3 three && like "six models, three datasets, 8 ranks in 3 groups" whole three
[ "$(jq -c '[(.results | length), (.run.groups | length)]' three/results.json)" = '[18,3]' ] && pass "eighteen units" ||
  fail "eighteen units"
finish
