#!/bin/bash
# A short seeded part of the campaign of faults (make test-faults, TESTING.md): what does not hold is a failure by its number.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
command -v python3 >/dev/null || { skip "the campaign of faults" "no python3"; finish; }
TMPDIR=$scratch "$here/tests/campaigns/faults.py" --runs 24 --seed 5 --jobs 2 --seconds 100 >out 2>&1 || true
while IFS= read -r line; do
  case $line in
    "seed 5: "*" 0 did not hold, "*) pass "$line" ;;
    "left out: "*) skip "the campaign of faults: ${line#left out: }" "this machine lacks them" ;;
    *) fail "$line" ;;
  esac
done <out
check "it ends with its counts" grep -qE '^seed 5: ([0-9]+) faulted runs' out
finish
