#!/bin/bash
# Killed, stopped and interrupted runs: a rerun at another rank count ends with the same bytes and encodes nothing twice.
# shellcheck disable=SC2015 # pass and fail never fail
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar
"$tools/make_data" images pics 20 10 && "$tools/make_data" cifar cifar/test.bin 20 300 && "$tools/make_data" model m.safetensors &&
  "$tools/make_data" tokenizer tok || fail "test data"
made_vocabularies
cat >e.yaml <<'E'
experiment: interrupted
per_image: true
threads: 1
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
models:
  - {name: plain, family: clip, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, weights: m.safetensors, tokenizer: tok, prompts: ["a {}", "the {}"]}
E
mpi 2 timeout 120 "$vocabench" run e.yaml --output whole >stdout 2>stderr || fail "an undisturbed run" "$(cat stderr)"

units() { find "$1/cache" -name '*.npy' 2>/dev/null | wc -l; }
whole_files() { # no file under a final name may be a piece
  local file
  while IFS= read -r file; do "$tools/npy" print "$file" >/dev/null || return 1; done < <(find "$1/cache" -name '*.npy' 2>/dev/null)
  for file in "$1"/pairs/*.json "$1"/results.json; do [ ! -e "$file" ] || jq . "$file" >/dev/null || return 1; done
  for file in "$1"/records/*.zst; do [ ! -e "$file" ] || zstd -tq "$file" || return 1; done
}
kept=0 swept=0
# finishes NAME FOLDER RANKS [FLAGS]: what a stopped run left is whole; the rerun ends with the bytes of the undisturbed run and encodes
# what was missing, no more.
finishes() {
  local name=$1 folder=$2 ranks=$3 before; shift 3
  whole_files "$folder" && pass "$name: files under final names are whole" || fail "$name: files under final names are whole"
  [ ! -e "$folder/results.json" ] || { fail "$name: the run ended before it was stopped"; return; }
  before=$(units "$folder")
  swept=$((swept + $(find "$folder" -name "*.tmp" | wc -l)))
  [ "$before" = 0 ] || kept=$((kept + 1))
  mpi "$ranks" timeout 120 "$vocabench" run e.yaml --output "$folder" "$@" >stdout 2>stderr ||
    { fail "$name: rerun" "$(cat stderr)"; return; }
  [ -z "$(find "$folder" -name "*.tmp")" ] || fail "$name: the rerun sweeps temporary files away" "$(find "$folder" -name "*.tmp")"
  local differs=no record
  cmp -s <(jq 'del(.run)' whole/results.json) <(jq 'del(.run)' "$folder/results.json") || differs=results
  for record in whole/records/*; do cmp -s "$record" "$folder/records/${record##*/}" || differs=$record; done
  [ "$differs" = no ] && pass "$name: the same bytes at $ranks ranks $*" || fail "$name: $differs differ at $ranks ranks $*"
  # Two groups that need the same texts at the same moment both encode them, into one file.
  local encoded; encoded=$(jq '([.run.pairs[].units_encoded] | add // 0) +
    ([.run.pairs[] | select(.texts_encoded > 0) | .model] | unique | length)' "$folder/results.json")
  [ "$encoded" = $(($(units "$folder") - before)) ] && pass "$name: nothing encoded twice ($before units kept, $encoded new)" ||
    fail "$name: $before units were there, $(units "$folder") are, $encoded were encoded"
}

# ---- killed by the program's own fault points -------------------------------------------------------------------
turn=0
for fault in write:1:kill@0 write:3:kill@1 write:9:kill@0 write:12:kill@2 rename:2:kill@1 rename:5:kill@0 fsync:4:kill@2 unit:2:kill@1 \
  unit:5:kill@0 \
  read:40:kill@2 mpi:12:kill@1; do
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 3 timeout 60 "$vocabench" run e.yaml --output cut >stdout 2>stderr; code=$?
  { [ $code != 0 ] && [ $code != 124 ]; } && pass "$fault: the job dies" || fail "$fault: the job dies" "code $code" "$(cat stderr)"
  turn=$((turn + 1))
  case $((turn % 4)) in
    0) finishes "$fault" cut 1 ;;
    1) finishes "$fault" cut 5 --resume ;;
    2) finishes "$fault" cut 2 ;;
    3) finishes "$fault" cut 8 --resume ;;
  esac
done
[ $kept -ge 5 ] && pass "most of them had finished units" || fail "most of them had finished units" "$kept"
[ $swept -ge 4 ] && pass "temporary files of killed ranks were swept away: $swept" || fail "no temporary files to sweep" "$swept"

# ---- signals at moments that nobody chose, on a run that is slowed down -----------------------------------------
# Every unit takes a tenth of a second more, so that a run of some 60 units for each model on 2 ranks takes at least 3 seconds.
start_slow() { # sets $job, the pid of mpirun, and $ranks, those of its ranks
  rm -rf cut
  VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 "$vocabench" run e.yaml --output cut >stdout 2>stderr </dev/null &
  job=$!
  ranks=
  for _ in $(seq 100); do
    ranks=$(pgrep -P $job -x vocabench | tr '\n' ' ')
    [ "$(wc -w <<<"$ranks")" = 2 ] && [ "$(units cut)" -ge "${1:-1}" ] && break
    sleep 0.05
  done
}
stops() { # waits for $job at most 20 s; sets $code, to "hung" when that was not enough
  rm -f hung; (sleep 20; touch hung; kill -9 $job 2>/dev/null) & local watch=$!
  wait $job 2>/dev/null; code=$?; [ ! -e hung ] || code=hung
  kill $watch 2>/dev/null; wait $watch 2>/dev/null
}
for moment in 1 3 6; do
  start_slow $moment
  sleep 0.0$((RANDOM % 10))
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -9 "${@:$((RANDOM % 2 + 1)):1}" 2>/dev/null; stops
  [ $code != 0 ] && [ $code != hung ] && pass "kill -9 of a rank after $moment units: the job dies" || fail "kill -9 of a rank" "code $code"
  finishes "kill -9 after $moment units" cut $((moment % 3 + 1)) --resume
done
for signal in TERM INT; do
  start_slow 3; kill -s $signal $job; stops
  [ $code != 0 ] && [ $code != hung ] && pass "SIG$signal to mpirun: the job dies" || fail "SIG$signal to mpirun" "code $code"
  finishes "SIG$signal to mpirun" cut 3
done
for signal in TERM INT USR1; do
  start_slow 3
  # shellcheck disable=SC2086 # pids
  set -- $ranks
  kill -s $signal "$2"; stops
  { [ $code = 75 ] && grep -qE "^vocabench: rank [01]: stopped by SIG$signal; finished units are kept" stderr; } &&
    pass "SIG$signal to a rank: code 75" ||
    fail "SIG$signal to a rank" "code $code" "$(cat stderr)"
  finishes "SIG$signal to a rank" cut 5 --resume
done
rm -rf cut; VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output cut >stdout 2>stderr </dev/null & job=$!
for _ in $(seq 100); do [ "$(units cut)" -ge 3 ] && break; sleep 0.05; done
kill -s INT $job 2>/dev/null || fail "no job"; kill -s TERM $job; stops
[ $code = 75 ] && pass "a run without mpirun: code 75" || fail "a run without mpirun" "code $code" "$(cat stderr)"
finishes "a run without mpirun" cut 3

# Encoding to a file stops too, and leaves nothing under the file's name.
VOCABENCH_FAULT=read:1+:slow "$vocabench" encode images --weights m.safetensors --input cifar/test.bin --output i.npy >stdout 2>stderr & \
  job=$!
for _ in $(seq 200); do compgen -G '.i.npy*' >/dev/null && break; sleep 0.05; done
kill -s TERM $job; stops
[ $code = 75 ] && [ ! -e i.npy ] && ! compgen -G '.i.npy*' >/dev/null && pass "encode images stops" ||
  fail "encode images stops" "code $code" "$(cat stderr)"
finish
