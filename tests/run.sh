#!/bin/bash
# Runs every test (or some kinds: unit, cli, mpi, slurm) and closes with "N passed, N failed, N skipped": run.sh [BUILD [KINDS]]
# Every test speaks TAP: cmocka does so when told, the shell tests through tests/lib.sh.
# Tests run beside each other, VOCABENCH_TEST_JOBS [two a processor: they wait for disks, signals and MPI more than they compute]
# at a time; those on Slurm, which share a cluster, one by one.
set -um # each test has a process group of its own: an interrupt takes all of its processes
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}; kinds=${2:-mpi cli unit} # the longest first: none is left to run alone at the end
[ $# -ge 2 ] || [ "${VOCABENCH_TEST_SLURM:-0}" != 1 ] || kinds="$kinds slurm"
export VOCABENCH_BUILD=$PWD/$build VOCABENCH_SHARED=${VOCABENCH_SHARED:-$PWD/../shared}
export CMOCKA_MESSAGE_OUTPUT=TAP OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
export HWLOC_COMPONENTS=${HWLOC_COMPONENTS:--opencl} # an OpenCL driver may take mpirun's signals: docs/cluster.md
if [ "$(id -u)" = 0 ]; then
  echo "as root: Open MPI is allowed to run by OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
[ -z "${VOCABENCH_KEEP_LOCALE:-}" ] && export LC_ALL=C.UTF-8
logs=$build/test-logs; mkdir -p "$logs"; rm -f "$logs"/*.end
skips='^(not )?ok .*# *(SKIP|skip)' # cmocka says "not ok N # SKIP"
TIMEFORMAT='%R %U %S' # seconds: on the clock, of computing, in the system

# one TEST LIMIT LOG: runs a test; then "CODE" and its times stand in LOG.end.
one() {
  local code
  { time timeout --foreground -k 10 "$2" "$1" </dev/null >"$3" 2>&1; code=$?; } 2>"$3.time"
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
    *) set -- tests/"$kind"/test_*.sh; limit=1200 ;;
  esac
  [ "$kind" != slurm ] || { collect 0; jobs=1; }
  for test in "$@"; do
    case $kind:${test##*/} in unit:*.*) continue ;; esac # what the compiler left beside it
    if ! [ -x "$test" ] || ! [ -f "$test" ]; then
      failed=$((failed + 1)); echo "not ok - $test cannot be executed"
      continue
    fi
    name=${test#"$build"/}; name=${name#tests/}; name=${name%.sh}; log=$logs/${name//\//-}.log
    collect $((jobs - 1))
    one "$test" "$limit" "$log" & running[$!]="$name $log"
  done
done
collect 0
echo "all tests: $((SECONDS - start)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
