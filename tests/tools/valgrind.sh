#!/bin/bash
# The unit tests under valgrind, but for those that take more than a second without it: valgrind.sh BUILD VALGRIND...
# Closes with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1; shift
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive VOCABENCH_ISA=avx2 VOCABENCH_SHARED=${VOCABENCH_SHARED:-$PWD/../shared}
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# out NAME: why a test says nothing of the program under valgrind, if it does not.
out() {
  case $1 in
    mpi/test_spawn | mpi/test_script) echo "posix_spawn tells of no missing program there" ;;
    mpi/test_refusals | mpi/test_system_calls) echo "starts itself by /proc/self/exe, which is valgrind there" ;;
  esac
}
passed=0 failed=0 skipped=0
log=$(mktemp "${TMPDIR:-/tmp}/vocabench-valgrind.XXXXXX")
trap 'rm -f "$log"' EXIT
for test in "$build"/tests/unit/*/test_*; do
  [[ $test != *.[od] ]] || continue
  reason=$(out "${test#"$build"/tests/unit/}")
  [ -z "$reason" ] || { skipped=$((skipped + 1)); echo "skipped: ${test#"$build"/} ($reason)"; continue; }
  # Of the processor, not of the clock: on a busy machine nearly all would be left out.
  (ulimit -S -t 1; exec timeout 120 "$test") >/dev/null 2>&1
  case $? in
    0) ;;
    124 | 152) skipped=$((skipped + 1)); echo "skipped: ${test#"$build"/} (over a second)"; continue ;;
    *) # perhaps a program that it has started ran out of its second
      if timeout 120 "$test" >/dev/null 2>&1; then skipped=$((skipped + 1)); echo "skipped: ${test#"$build"/} (over a second)"
      else failed=$((failed + 1)); echo "failed without valgrind: ${test#"$build"/}"; fi
      continue ;;
  esac
  if timeout 900 "$@" "$test" >"$log" 2>&1; then passed=$((passed + 1))
  else failed=$((failed + 1)); echo "failed: ${test#"$build"/}"; grep -E '^==|not ok|\[  FAILED' "$log" | head -n 30; fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
