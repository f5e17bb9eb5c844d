#!/bin/bash
# Runs tests of a build with sanitizers: sanitize.sh BUILD quick|all|threads, as tests.txt beside it has them, or BUILD TEST...
# Every process, each rank and each that ends with an error too, writes what its sanitizer finds to BUILD/reports; a report is a
# failure whatever the test says of it. Closes with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1 here=$PWD rows=tests/sanitize/tests.txt
reports=$here/$build/reports
rm -rf "$reports"; mkdir -p "$reports"
log=$(mktemp "${TMPDIR:-/tmp}/vocabench-sanitize.XXXXXX"); trap 'rm -f "$log"' EXIT
# listed WORD: the tests of the rows that begin with it.
listed() { awk -v word="$1" '$1 == word { print $2 }' $rows; }
case $2 in
  quick) tests="unit $(listed quick)" ;;
  threads) tests=$(listed threads) ;;
  all) tests="$(printf '%s\n' tests/{mpi,cli}/test_*.sh | sed 's,^tests/,,; s,\.sh$,,' | grep -vxF -f <(listed out)) unit" ;;
  *) tests=${*:2} ;;
esac
# Memory that cannot be had is an error of the program's, which tests ask for, and some preload a library, which then comes before
# the sanitizer's own. Leaks of libraries stand in leaks.txt.
export ASAN_OPTIONS=log_path=$reports/address:allocator_may_return_null=1:detect_leaks=1:verify_asan_link_order=0
export LSAN_OPTIONS=suppressions=$here/tests/sanitize/leaks.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
# Only what this tree's compiler has seen can be judged: MPI's and OpenMP's own locks cannot. archer tells of OpenMP's barriers.
export TSAN_OPTIONS=log_path=$reports/thread:ignore_noninstrumented_modules=1
export VOCABENCH_TEST_PATIENCE=${VOCABENCH_TEST_PATIENCE:-3}
# shellcheck disable=SC2086 # the tests are meant to be split
tests/run.sh "$build" $tests 2>&1 | tee "$log"
read -r passed failed skipped < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
found=$(find "$reports" -type f -size +0 | wc -l)
if [ "$found" != 0 ]; then
  echo "$found reports under $build/reports; how many of each, and one of each:"
  grep -h '^SUMMARY' -r "$reports" | sort | uniq -c | sort -rn
  grep -h '^SUMMARY' -r "$reports" | sort -u | while IFS= read -r line; do
    head -n 40 "$(grep -lF "$line" -r "$reports" | head -n 1)"
  done | head -n 400
fi
echo "${passed:-0} passed, $((${failed:-1} + found)) failed, ${skipped:-0} skipped"
[ "${failed:-1}" = 0 ] && [ "$found" = 0 ] && [ "$passed" -gt 0 ]
