# Shell tests: TAP output, a scratch folder, the program and the shared data. Source it first; end with `finish`.
# shellcheck shell=bash
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${VOCABENCH_BUILD:-$here/build}
shared=${VOCABENCH_SHARED:-$here/../shared}
# shellcheck disable=SC2034 # used by the tests that source this
vocabench=$build/vocabench
# shellcheck disable=SC2034
tools=$build/tests/tools
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vocabench-test.XXXXXX")
# A subshell that a signal ends early would run this trap too, and take the folder away under the test.
trap 'if [ "$BASHPID" = "$$" ]; then chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"; fi' EXIT
export OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
tests=0 failures=0

pass() { tests=$((tests + 1)); echo "ok $tests - $1"; }
fail() {
  tests=$((tests + 1)); failures=$((failures + 1)); echo "not ok $tests - $1"; shift
  [ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
# check NAME COMMAND...: passes when the command succeeds.
check() { local name=$1; shift; local out; if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "command: $*" "$out"; fi; }
# same NAME FILE FILE: byte-equal.
same() { if cmp -s "$2" "$3"; then pass "$1"; else fail "$1" "$(cmp "$2" "$3" 2>&1)"; fi; }
# refuses NAME CODE PATTERN COMMAND...: exit code CODE, and one line on stderr that matches the extended regular expression.
refuses() {
  local name=$1 code=$2 pattern=$3; shift 3
  local got; timeout -k 5 60 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null; got=$?
  if [ $got != "$code" ]; then fail "$name" "exit code $got instead of $code from: $*" "$(head -c 2000 "$scratch/err")"
  elif ! grep -E '^vocabench' "$scratch/err" | grep -qE -e "$pattern"; then
    fail "$name" "no line matches: $pattern" "$(head -c 2000 "$scratch/err")"
  else pass "$name"; fi
}
# The vocabularies of made data: v.yaml has all of its classes but one, five.yaml the first five.
made_vocabularies() {
  cat >v.yaml <<'E'
name: v
vocabularies:
  animals: [bear, dolphin, elephant, hamster, rabbit, whale, wolf, worm]
  things: [apple, chair, keyboard, lamp, orange, table, train]
  places: [forest, maple_tree, palm tree, sea]
E
  cat >five.yaml <<'E'
name: five
vocabularies: {some: [apple, bear], more: [chair, dolphin, elephant]}
E
}
need_shared() { [ -e "$shared/$1" ] || { skip "$2" "no $1 in the shared data folder"; finish; }; }
finish() { echo "1..$tests"; [ $failures = 0 ]; exit; }
# mpi N COMMAND...
mpi() { local n=$1; shift; mpirun --oversubscribe -n "$n" "$@"; }
