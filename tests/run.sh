#!/bin/bash
# Runs every test, or some: run.sh [BUILD [KIND|TEST...]], as unit, cli, mpi, slurm, or cli/test_help, unit/kernels/test_gemm.
# Closes with "N passed, N failed, N skipped".
# Every test speaks TAP: cmocka does so when told, the shell tests through tests/lib.sh.
# Tests run beside each other, VOCABENCH_TEST_JOBS [two a processor: they wait for disks, signals and MPI more than they compute]
# at a time; those on Slurm, which share a cluster, one by one.
set -um # each test has a process group of its own: an interrupt takes all of its processes
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}; kinds=${*:2}; kinds=${kinds:-mpi cli unit} # the longest first: none is left to run alone at the end
[ $# -ge 2 ] || [ "${VOCABENCH_TEST_SLURM:-0}" != 1 ] || kinds="$kinds slurm"
export VOCABENCH_BUILD=$PWD/$build VOCABENCH_SHARED=${VOCABENCH_SHARED:-$PWD/../shared}
export CMOCKA_MESSAGE_OUTPUT=TAP
. tests/environment.sh
[ "$(id -u)" != 0 ] ||
  echo "as root: Open MPI is allowed to run by OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
[ -z "${VOCABENCH_KEEP_LOCALE:-}" ] && export LC_ALL=C.UTF-8
# The folders of tests lie in memory where there is room, unless TMPDIR says where: much of what they would wait for, and of their
# processor time, is a disk that is told to keep what nobody will read (TESTING.md).
disk=${TMPDIR:-/tmp} folders=${TMPDIR:-/tmp}
gib() { echo $((($(stat -f -c '%a * %S' /dev/shm)) >> 30)) $(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) >> 20)); }
if [ -z "${TMPDIR:-}" ] && grep -E '^[^ ]+ /dev/shm tmpfs ' /proc/mounts | grep -qv noexec && [ -w /dev/shm ]; then
  read -r room memory < <(gib)
  [ "$room" -lt 6 ] || [ "$memory" -lt 8 ] || folders=/dev/shm
fi
logs=$build/test-logs; mkdir -p "$logs"; rm -f "$logs"/*.end
skips='^(not )?ok .*# *(SKIP|skip)' # cmocka says "not ok N # SKIP"
TIMEFORMAT='%R %U %S' # seconds: on the clock, of computing, in the system

# one TEST LIMIT LOG FOLDER: runs a test; then "CODE" and its times stand in LOG.end.
one() {
  local code
  { time TMPDIR=$4 timeout --foreground -k 10 "$2" "$1" </dev/null >"$3" 2>&1; code=$?; } 2>"$3.time"
  echo "$code $(tail -n 1 "$3.time")" >"$3.end"; rm -f "$3.time"
}

passed=0 failed=0 skipped=0
# told NAME LOG: counts and prints what a test has said.
told() {
  local code seconds user system s p f
  read -r code seconds user system <"$2.end"
  s=$(grep -cE "$skips" "$2"); p=$(grep -E '^ok ' "$2" | grep -cvE "$skips"); f=$(grep -E '^not ok ' "$2" | grep -cvE "$skips")
  # A test that dies without saying "not ok" has failed all the same, and so has one that said nothing.
  if { [ "$code" != 0 ] && [ "$f" = 0 ]; } || [ $((p + s + f)) = 0 ]; then
    f=$((f + 1)); echo "not ok - $1 ended with code $code" >>"$2"; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '%-34s %4d passed %3d failed %3d skipped %6.1f s, computing %6.1f\n' "$1" "$p" "$f" "$s" "$seconds" \
    "$(awk "BEGIN { print $user + $system }")"
  [ "$f" = 0 ] || { grep -vE '^ok ' "$2" | tail -n 40 | sed 's/^/    /'; }
  [ "$s" = 0 ] || grep -E "$skips" "$2" | sed -E 's/^(not )?ok/    skipped:/'
}

declare -A running=() # process group -> name and log
# An interrupted run leaves no process behind: mpirun ends its ranks when it is told to.
stop() {
  trap - INT TERM EXIT
  for group in "${!running[@]}"; do kill -TERM -- "-$group" 2>/dev/null; done
  for ((tenths = 0; tenths < 50; tenths++)); do # killed at once, mpirun would leave its ranks, and a test its folder
    for group in "${!running[@]}"; do kill -0 -- "-$group" 2>/dev/null || unset "running[$group]"; done
    [ ${#running[@]} -gt 0 ] || break
    sleep 0.1
  done
  for group in "${!running[@]}"; do kill -KILL -- "-$group" 2>/dev/null; done
  echo "interrupted: $passed passed, $failed failed, $skipped skipped so far" >&2
  exit 130
}
trap stop INT TERM

# collect MOST: waits until at most so many tests run.
collect() {
  local group name log
  while [ ${#running[@]} -gt "$1" ]; do
    wait -n -p group 2>/dev/null || [ -n "${group:-}" ] || return
    read -r name log <<<"${running[$group]}"
    kill -KILL -- "-$group" 2>/dev/null # what it left behind
    unset "running[$group]"
    told "$name" "$log"
  done
}

start=$SECONDS
for kind in $kinds; do
  jobs=${VOCABENCH_TEST_JOBS:-$((2 * $(nproc)))}
  case $kind in
    unit) set -- "$build"/tests/unit/*/test_*; limit=600 ;;
    unit/*) set -- "$build/tests/$kind"; limit=600 ;;
    */*) set -- "tests/$kind.sh"; limit=1200 ;;
    *) set -- tests/"$kind"/test_*.sh; limit=1200 ;;
  esac
  limit=$((limit * ${VOCABENCH_TEST_PATIENCE:-1})) # of builds that are slower
  [ "$kind" != slurm ] || { collect 0; jobs=1; }
  for test in "$@"; do
    case $kind:${test##*/} in unit:*.*) continue ;; esac # what the compiler left beside it
    if ! [ -x "$test" ] || ! [ -f "$test" ]; then
      failed=$((failed + 1)); echo "not ok - $test cannot be executed"
      continue
    fi
    name=${test#"$build"/}; name=${name#tests/}; name=${name%.sh}; log=$logs/${name//\//-}.log
    collect $((jobs - 1))
    case $name in # files that stay and change; pretended nodes, each with a memory of its own
      mpi/test_resume | mpi/test_lock | mpi/test_changed_inputs | slurm/*) where=$disk ;;
      *) where=$folders ;;
    esac
    one "$test" "$limit" "$log" "$where" & running[$!]="$name $log"
  done
done
collect 0
echo "all tests: $((SECONDS - start)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
