#!/bin/bash
# Runs every test (or one kind: unit, cli, mpi, slurm) and closes with "N passed, N failed, N skipped".
# Every test speaks TAP: cmocka does so when told, the shell tests through tests/lib.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}; kinds=${2:-unit cli mpi}
[ $# -ge 2 ] || [ "${VOCABENCH_TEST_SLURM:-0}" != 1 ] || kinds="$kinds slurm"
export VOCABENCH_BUILD=$PWD/$build VOCABENCH_SHARED=${VOCABENCH_SHARED:-$PWD/../shared}
export CMOCKA_MESSAGE_OUTPUT=TAP OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
if [ "$(id -u)" = 0 ]; then
  echo "as root: Open MPI is allowed to run by OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
[ -z "${VOCABENCH_KEEP_LOCALE:-}" ] && export LC_ALL=C.UTF-8
logs=$build/test-logs; mkdir -p "$logs"
passed=0 failed=0 skipped=0
for kind in $kinds; do
  case $kind in
    unit) set -- "$build"/tests/unit/*/test_*; limit=300 ;;
    *) set -- tests/"$kind"/test_*.sh; limit=900 ;;
  esac
  for test in "$@"; do
    if ! [ -x "$test" ] || ! [ -f "$test" ]; then continue; fi
    case $test in *.o|*.d) continue ;; esac
    name=${test#"$build"/}; name=${name#tests/}; name=${name%.sh}; log=$logs/${name//\//-}.log
    start=$(date +%s)
    timeout -k 10 "$limit" "$test" </dev/null >"$log" 2>&1; code=$?
    skips='^(not )?ok .*# *(SKIP|skip)' # cmocka says "not ok N # SKIP"
    s=$(grep -cE "$skips" "$log")
    p=$(grep -E '^ok ' "$log" | grep -cvE "$skips")
    f=$(grep -E '^not ok ' "$log" | grep -cvE "$skips")
    # A test that dies without saying "not ok" has failed all the same, and so has one that said nothing.
    if { [ $code -ne 0 ] && [ "$f" = 0 ]; } || [ $((p + s + f)) = 0 ]; then
      f=$((f + 1)); echo "not ok - $name ended with code $code" >>"$log"; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-34s %4d passed %3d failed %3d skipped %5ds\n' "$name" "$p" "$f" "$s" $(($(date +%s) - start))
    [ "$f" = 0 ] || { grep -vE '^ok ' "$log" | tail -n 40 | sed 's/^/    /'; }
    [ "$s" = 0 ] || grep -E "$skips" "$log" | sed -E 's/^(not )?ok/    skipped:/'
  done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
