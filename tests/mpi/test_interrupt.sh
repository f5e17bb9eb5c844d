#!/bin/bash
# Killed, stopped and interrupted runs: a rerun at another rank count ends with the same bytes and encodes nothing twice.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar
make_data images pics 20 10; make_data cifar cifar/test.bin 20 300; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
cat >e.yaml <<'E'
experiment: interrupted
per_image: true
threads: 1
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}", "the {}"]}
E
run_at 2 e.yaml --output whole

kept=0 swept=0
# finishes NAME FOLDER RANKS [FLAGS]: what a stopped run left is whole; the rerun ends with the bytes of the undisturbed run and
# encodes what was missing, no more.
finishes() {
  local name=$1 folder=$2 ranks=$3 before; shift 3
  check "$name: files under final names are whole" whole_files "$folder"
  [ ! -e "$folder/results.json" ] || { fail "$name: the run ended before it was stopped"; return; }
  before=$(cached "$folder")
  swept=$((swept + $(find "$folder" -name "*.tmp" | wc -l)))
  [ "$before" = 0 ] || kept=$((kept + 1))
  run_at "$ranks" e.yaml --output "$folder" "$@" || return
  [ -z "$(find "$folder" -name "*.tmp")" ] ||
    fail "$name: the rerun sweeps temporary files away" "$(find "$folder" -name "*.tmp")"
  agree "$name: the same bytes at $ranks ranks $*" whole "$folder"
  # Two groups that need the same texts at the same moment both encode them, into one file.
  local encoded; encoded=$(jq '([.run.pairs[].units_encoded] | add // 0) +
    ([.run.pairs[] | select(.texts_encoded > 0) | .model] | unique | length)' "$folder/results.json")
  equal "$name: nothing encoded twice ($before units kept, $encoded new)" "$encoded" $(($(cached "$folder") - before))
}

# ---- killed by the program's own fault points -------------------------------------------------------------------
turn=0
for fault in write:1:kill@0 write:3:kill@1 write:9:kill@0 write:12:kill@2 rename:2:kill@1 rename:5:kill@0 fsync:4:kill@2 \
  unit:2:kill@1 unit:5:kill@0 read:40:kill@2 mpi:12:kill@1; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 3 timeout 60 "$vocabench" run e.yaml --output cut >stdout 2>stderr; code=$?
  [ $code != 0 ] && [ $code != 124 ]
  verdict $? "$fault: the job dies" "code $code" "$(cat stderr)"
  turn=$((turn + 1))
  case $((turn % 4)) in
    0) finishes "$fault" cut 1 ;;
    1) finishes "$fault" cut 5 --resume ;;
    2) finishes "$fault" cut 2 ;;
    3) finishes "$fault" cut 8 --resume ;;
  esac
done
check "most of them had finished units" test $kept -ge 5
check "temporary files of killed ranks were swept away: $swept" test $swept -ge 4

# ---- signals at moments that nobody chose, on a run that is slowed down -----------------------------------------
# Every unit takes a tenth of a second more, so that a run of some 60 units for each model on 2 ranks takes at least 3 seconds.
start_slow() { # sets $job, the pid of mpirun, and $ranks, those of its ranks
  rm -rf cut
  VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 "$vocabench" run e.yaml --output cut >stdout 2>stderr </dev/null &
  job=$!
  ranks=
  for _ in $(seq 100); do
    ranks=$(pgrep -P $job -x vocabench | tr '\n' ' ')
    [ "$(wc -w <<<"$ranks")" = 2 ] && [ "$(cached cut)" -ge "${1:-1}" ] && break
    sleep 0.05
  done
}
for moment in 1 3 6; do
  start_slow $moment
  sleep 0.0$((RANDOM % 10))
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -9 "${@:$((RANDOM % 2 + 1)):1}" 2>/dev/null; stops $job
  [ $code != 0 ] && [ $code != hung ]
  verdict $? "kill -9 of a rank after $moment units: the job dies" "code $code"
  finishes "kill -9 after $moment units" cut $((moment % 3 + 1)) --resume
done
for signal in TERM INT; do
  start_slow 3; kill -s $signal $job; stops $job
  [ $code != 0 ] && [ $code != hung ]
  verdict $? "SIG$signal to mpirun: the job dies" "code $code"
  finishes "SIG$signal to mpirun" cut 3
done
for signal in TERM INT USR1; do
  start_slow 3
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -s $signal "$2"; stops $job
  [ $code = 75 ] && grep -qE "^vocabench: rank [01]: stopped by SIG$signal; finished units are kept" stderr
  verdict $? "SIG$signal to a rank: code 75" "code $code" "$(cat stderr)"
  finishes "SIG$signal to a rank" cut 5 --resume
done
rm -rf cut; VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output cut >stdout 2>stderr </dev/null & job=$!
for _ in $(seq 100); do [ "$(cached cut)" -ge 3 ] && break; sleep 0.05; done
kill -s INT $job 2>/dev/null || fail "no job"; kill -s TERM $job; stops $job
equal "a run without mpirun: code 75" $code 75 "$(cat stderr)"
finishes "a run without mpirun" cut 3

# Encoding to a file stops too, and leaves nothing under the file's name.
VOCABENCH_FAULT=read:1+:slow \
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu \
    --input cifar/test.bin --output i.npy >stdout 2>stderr &
job=$!
for _ in $(seq 200); do compgen -G '.i.npy*' >/dev/null && break; sleep 0.05; done
kill -s TERM $job; stops $job
[ $code = 75 ] && [ ! -e i.npy ] && ! compgen -G '.i.npy*' >/dev/null
verdict $? "encode images stops" "code $code" "$(cat stderr)"

# So do packing and checking; and what never looks whether it was told to ends at once.
# looks JOB: it catches SIGTERM.
looks() {
  local caught
  caught=$(sed -n 's/^SigCgt:\s*//p' "/proc/$1/status" 2>/dev/null)
  [ $((0x${caught:-0} >> 14 & 1)) = 1 ]
}
# begun FAULT ARGUMENT...: a slow command, told to stop a third of a second after it began to look, or would have.
begun() {
  VOCABENCH_FAULT=$1 "$vocabench" "${@:2}" >stdout 2>stderr </dev/null & job=$!
  until [ "$2" = compare ] || looks $job || ! kill -0 $job; do sleep 0.05; done 2>/dev/null
  sleep 0.3; kill -s TERM $job; stops $job
}
begun read:1+:slow pack --input cifar/test.bin --output packed
equal "pack stops" $code 75
like "and says how far it was" '^vocabench: pack: stopped after [0-9]+ of 300 images; the same command begins anew$' stderr
equal "no shard is left, nor a part of one" "$(ls -A packed)" ""
must "$vocabench" pack --input cifar/test.bin --output packed
check "it begins anew" test -s packed/manifest.json
begun read:1+:slow check e.yaml --output looked --junit looked.xml
equal "check stops" $code 75
like "which is no error of the experiment" '^vocabench: stopped by SIGTERM' stderr
unlike "nor listed as one" '^error' stdout
check "no list of what was not looked at" test ! -e looked.xml
begun read:1+:slow compare whole whole --model plain --dataset cifar
equal "compare ends as programs do" $code 143
finish
