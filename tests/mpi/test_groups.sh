#!/bin/bash
# Groups of ranks beside each other: the same bytes as one rank at any split, busy groups, errors and stops that reach everyone,
# and reruns that encode nothing twice. VOCABENCH_MOMENTS: how many random moments to kill and to stop at [1].
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar
make_data images pics 20 10; make_data cifar cifar/test.bin 20 300; make_data images five 5 1
make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
printf '%s\n' apple bear chair dolphin elephant >five.txt
must "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input five --output five-i.npy
must "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok \
    --input five.txt --output five-t.npy
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
E
five_encoders >>e.yaml
cat >>e.yaml <<'E'
  - {name: elsewhere, family: precomputed, dataset: five, image_embeddings: five-i.npy, text_embeddings: five-t.npy,
     labels: five.txt}
E
# grouped RANKS RANKS_PER_MODEL FOLDER [FLAGS]: a run of e.yaml.
grouped() { run_at "$1" e.yaml --output "$3" --ranks-per-model "$2" "${@:4}"; }

grouped 1 0 whole
equal "nineteen units, one group" \
  "$(jq -c '[.results | length] + (.run | [(.groups | length), .groups[0].units])' whole/results.json)" \
  '[19,1,19]' "$(jq -c .run whole/results.json)"
images=$(jq '[.run.pairs[].units_encoded] | add' whole/results.json)

# ---- the same bytes at any split --------------------------------------------------------------------------------
grouped 8 3 three && agree "8 ranks in 3 groups" whole three
# shellcheck disable=SC2016 # jq's variables
holds "the idle share is that of the ranks' time" '.run | (.groups | map(.ranks * .idle_seconds) | add) as $idle |
  (.groups | map(.ranks * .busy_seconds) | add) as $busy | $busy > 0 and (.idle_share - $idle / ($idle + $busy) | fabs) < 1e-9' \
  three/results.json "$(jq -c '.run | .idle_share, .groups' three/results.json)"
equal "groups of 3, 3 and 2 ranks" "$(jq -c '[.run.groups[].ranks]' three/results.json)" '[3,3,2]'
holds "each group did some units, each unit was done by one" '(.run.groups | map(.units) | add) == 19 and
  (.run.groups | all(.units > 0)) and ([.run.pairs[].group] | unique) == [0, 1, 2]' \
  three/results.json "$(jq -c '.run | .groups, .pairs' three/results.json)"
names='[.run.pairs[] | .model + " " + .dataset]'
same "pairs stand in the experiment's order" <(jq "$names" whole/results.json) <(jq "$names" three/results.json)
equal "no image is encoded by two groups" \
  "$(jq '[.run.pairs[].units_encoded] | add' three/results.json)" "$images" "$(jq -c .run.pairs three/results.json)"
for shape in "2 1" "3 1" "5 2" "8 0" "8 8" "20 1"; do
  rm -rf again
  # shellcheck disable=SC2086 # two numbers
  grouped $shape again &&
    agree "ranks, ranks a model: $shape; groups: $(jq '.run.groups | length' again/results.json)" whole again
done
equal "more groups than work" "$(jq '.run.groups | length' again/results.json)" 20
grouped 8 3 again --resume && agree "all units are known: --resume" whole again
equal "nothing is done again" "$(jq -c '.run.pairs' again/results.json)" '[]'
rm again/pairs/gelu--* again/pairs/both--five.json
grouped 5 1 again --resume && agree "some units are known: --resume" whole again
equal "only the others are done" "$(jq -c '[.run.pairs[] | .model + "--" + .dataset]' again/results.json)" \
  '["gelu--folder","gelu--cifar","gelu--five","both--five"]' "$(jq -c .run.pairs again/results.json)"
"$vocabench" plan e.yaml --ranks 8 --ranks-per-model 3 >stdout 2>stderr && grep -q '^3 groups of 2 to 3 ranks (as stated)' stdout
verdict $? "plan" "$(cat stdout stderr)"

# ---- options, warnings, measurements ----------------------------------------------------------------------------
refuses "--ranks-per-model -1" 3 'ranks_per_model' "$vocabench" run e.yaml --ranks-per-model -1
refuses "--ranks-per-model many" 3 'ranks_per_model' "$vocabench" run e.yaml --ranks-per-model many
cores=$(nproc)
mpi 2 "$vocabench" run e.yaml --output whole --resume --threads $((cores + 1)) >stdout 2>stderr
equal "more threads than cores: one line" "$(grep -c "^warning: 2 ranks x $((cores + 1)) threads on the $cores core" stderr)" 1 \
  "$(cat stderr)"
# Ranks that are bound to a core each have two together; two on one core have that one.
if [ "$cores" -gt 1 ]; then
  cat >bound <<'E'
#!/usr/bin/python3
import os, sys
core = int(os.environ["OMPI_COMM_WORLD_RANK"]) if sys.argv[1] == "apart" else 0
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})
os.execv(sys.argv[2], sys.argv[2:])
E
  chmod +x bound
  warned() { # warned HOW THREADS: the warning of two ranks so bound
    mpi 2 ./bound "$1" "$vocabench" run e.yaml --output whole --resume --threads "$2" 2>&1 >/dev/null | grep '^warning: 2 ranks'
  }
  equal "a core a rank, a thread each" "$(warned apart 1)" ""
  equal "two each" "$(warned apart 2)" "warning: 2 ranks x 2 threads on the 2 cores of a machine: they wait for each other"
  equal "one core for both" "$(warned together 1)" \
    "warning: 2 ranks x 1 thread on the 1 core of a machine: they wait for each other"
else skip "ranks that are bound to cores" "one core"; fi
OPENBLAS_NUM_THREADS=4 "$vocabench" run e.yaml --output whole --resume --threads 1 >stdout 2>stderr
equal "threads of BLAS: one line" "$(grep -c '^warning: OPENBLAS_NUM_THREADS=4' stderr)" 1 "$(cat stderr)"
OPENBLAS_NUM_THREADS=1 "$vocabench" run e.yaml --output whole --resume --threads 1 >stdout 2>stderr
unlike "nothing to warn of" '^warning' stderr
# Eight ranks hold at least what the largest holds, and at most eight times that.
holds "memory is measured" '.run | .peak_memory_a_rank > 4e6 and .peak_memory_a_node > .peak_memory_a_rank and
  .peak_memory_a_node <= 8 * .peak_memory_a_rank' \
  three/results.json "$(jq -c '.run | .peak_memory_a_rank, .peak_memory_a_node' three/results.json)"

# ---- an error in one group --------------------------------------------------------------------------------------
head -c 100000 m.safetensors >cut.safetensors
rm -rf broken
mpi 6 timeout -k 5 $minute "$vocabench" run e.yaml --output broken --ranks-per-model 2 \
  --set models.both.weights=cut.safetensors >stdout 2>stderr
code=$?
[ $code = 5 ] && [ "$(grep -c '^vocabench: ' stderr)" = 1 ] && grep -qE '^vocabench: rank [0-5]: .*cut.safetensors' stderr
verdict $? "a damaged model stops all groups" "code $code" "$(cat stderr)"
check "without results" test ! -e broken/results.json
grouped 8 3 broken --resume && agree "and then with the whole one" whole broken
for fault in mpi:6:EIO@3 mpi:25:EIO@0 mpi:60:EIO@5 alloc:700:ENOMEM@2 write:2:ENOSPC@4 rename:9:EACCES@0 unit:2:EIO@3; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 6 timeout -k 5 $minute "$vocabench" run e.yaml --output cut --ranks-per-model 2 >stdout 2>stderr
  code=$?
  case $code in
    0 | 1 | 7 | 8 | 9) ;;
    *) fail "$fault" "code $code" "$(cat stderr)"; continue ;;
  esac
  [ $code = 0 ] || [ "$(grep -c "^vocabench: rank ${fault##*@}: " stderr)" = 1 ] ||
    { fail "$fault: the rank that met it speaks" "$(cat stderr)"; continue; }
  grouped 4 1 cut && agree "$fault: code $code, and a good rerun" whole cut
done

# ---- killed and stopped at moments that nobody chose -------------------------------------------------------------
moments=${VOCABENCH_MOMENTS:-1}
start_slow() { # a run of 6 ranks in 3 groups that takes some seconds; sets $job and $ranks
  rm -rf cut
  VOCABENCH_FAULT=unit:1+:slow \
    mpirun --oversubscribe -n 6 "$vocabench" run e.yaml --output cut --ranks-per-model 2 >stdout 2>stderr </dev/null &
  job=$! ranks=
  for _ in $(seq 500); do
    ranks=$(pgrep -P $job -x vocabench | tr '\n' ' ')
    [ "$(wc -w <<<"$ranks")" = 6 ] && [ -d cut/pairs ] && break
    sleep 0.02
  done
  sleep $((RANDOM % 3)).$((RANDOM % 10))$((RANDOM % 10))
}
# finishes NAME RANKS RANKS_A_MODEL: the rerun has the right bytes, takes finished units as they are, encodes what was missing.
finishes() {
  local before kept; before=$(units_cached cut) kept=$(find cut/pairs -name '*.json' ! -name '.*' | wc -l)
  grouped "$2" "$3" cut --resume || return
  agree "$1: the same bytes ($kept of 19 results, $before of $images units were kept)" whole cut
  equal "$1: nothing is done twice" \
    "$(query cut '.run.pairs | "\(length) \([.[].units_encoded] | add // 0)"')" "$((19 - kept)) $((images - before))" \
    "$kept results, $before units were there" "$(query cut '.run.pairs | tojson')"
}
for moment in $(seq "$moments"); do
  start_slow
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -9 "${@:$((RANDOM % 6 + 1)):1}" 2>/dev/null; stops $job
  case $code in hung | 75) fail "kill -9 of a rank, $moment" "code $code" ;; esac
  finishes "kill -9 of a rank, $moment" $((RANDOM % 8 + 1)) $((RANDOM % 4))
done
for moment in $(seq "$moments"); do
  start_slow
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  signal=$(echo TERM USR1 INT | cut -d' ' -f $((moment % 3 + 1)))
  kill -s "$signal" "${@:$((RANDOM % 6 + 1)):1}" 2>/dev/null; stops $job
  if [ $code = 75 ]; then
    like "SIG$signal to a rank, $moment: code 75" \
      "^vocabench: rank [0-5]: (analyses of .*: )?stopped by SIG$signal; finished units are kept" stderr
  else
    [ $code = 0 ] && [ -e cut/results.json ]
    verdict $? "SIG$signal to a rank, $moment: it had ended" "code $code" "$(cat stderr)"
  fi
  finishes "SIG$signal, $moment" $((RANDOM % 8 + 1)) $((RANDOM % 4))
done

# ---- six models of four families, real tokenizers ---------------------------------------------------------------
need_shared fixtures/slip-vit/checkpoint.pt "six models of four families"
bpe=$shared/reference/bpe_simple_vocab_16e6.txt.gz fixtures=$shared/fixtures
mkdir -p real && head -c $((3074 * 200)) "$shared/data/cifar-100-binary/test.bin" >real/test.bin &&
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
  - {name: vit, family: clip, activation: quick_gelu, weights: $fixtures/clip-vit/model.safetensors, tokenizer: $bpe,
     prompts: ["a photo of a {}."]}
  - {name: resnet, family: clip, activation: quick_gelu, weights: $fixtures/clip-rn/model.safetensors, tokenizer: $bpe,
     prompts: ["a photo of a {}."]}
  - {name: slip, family: slip, weights: $fixtures/slip-vit/checkpoint.pt, tokenizer: $bpe, prompts: ["a photo of a {}."]}
  - {name: declip, family: declip, weights: $fixtures/declip-vit/checkpoint.pth.tar, tokenizer: $bpe,
     prompts: ["a photo of a {}."]}
  - {name: pe, family: clip, activation: quick_gelu, weights: $fixtures/clip-vit/model.safetensors, tokenizer: $bpe,
     prompts: ["a {}", "the {}", "{}"]}
  - {name: torch, family: clip, activation: quick_gelu, weights: $fixtures/clip-vit/state_dict.pt, tokenizer: $bpe,
     prompts: ["a photo of a {}."]}
E
rm -rf whole three; grouped 1 0 whole && grouped 8 3 three && agree "six models, three datasets, 8 ranks in 3 groups" whole three
equal "eighteen units" "$(jq -c '[(.results | length), (.run.groups | length)]' three/results.json)" '[18,3]'
finish
