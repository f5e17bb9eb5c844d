# Shell tests: TAP output, a scratch folder, the program and the shared data. Source it first; end with `finish`.
# shellcheck shell=bash
set -u
export VOCABENCH_SITE= # no site file of this machine decides what a test finds
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
trap 'exit 143' TERM # only when the command that runs has ended: what it still writes would outlive the folder
. "$here/tests/environment.sh"
# Open MPI's folders: of two mpiruns with one base the first to end may take away what the second is about to use.
export OMPI_MCA_orte_tmpdir_base=$scratch/.mpi; mkdir "$scratch/.mpi"
# Builds that are slower have more time: a minute is so many seconds.
patience=${VOCABENCH_TEST_PATIENCE:-1}; minute=$((60 * patience))
tests=0 failures=0

pass() { tests=$((tests + 1)); echo "ok $tests - $1"; }
fail() {
  tests=$((tests + 1)); failures=$((failures + 1)); echo "not ok $tests - $1"; shift
  [ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
# check NAME COMMAND...: passes when the command succeeds; check_not, when it fails.
check() {
  local name=$1 out; shift
  if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "failed: $*" "$out"; fi
}
check_not() {
  local name=$1 out; shift
  if out=$("$@" 2>&1); then fail "$name" "succeeded: $*" "$out"; else pass "$name"; fi
}
# verdict CODE NAME [DETAIL...]: passes when CODE is 0. For what is more than a command: CODE is the $? of the line above.
verdict() { if [ "$1" = 0 ]; then pass "$2"; else fail "${@:2}"; fi; }
# must COMMAND...: what the test needs, and no check of its own: says nothing unless the command fails.
must() { local out; out=$("$@" 2>&1) || fail "needed: $*" "$out"; }
# equal NAME FOUND EXPECTED [DETAIL...]: the same text.
equal() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "found    $2" "expected $3" "${@:4}"; fi; }
# searched WHAT NAME FILE GREP-ARGUMENT...: for the four below, which read the standard input when they are given no file.
searched() {
  local what=$1 name=$2 text; shift 2
  if ! text=$(cat -- "$1" 2>&1); then fail "$name" "$text"; return; fi
  case $what:$(grep -q "${@:2}" <<<"$text"; echo $?) in
    a:0 | no:1) pass "$name" ;;
    *) fail "$name" "expected $what line by grep ${*:2}" "$(head -c 4000 <<<"$text")" ;;
  esac
}
# like NAME PATTERN [FILE]: a line matches the extended regular expression; unlike, no line does.
like() { searched a "$1" "${3:--}" -E -e "$2"; }
unlike() { searched no "$1" "${3:--}" -E -e "$2"; }
# has_text NAME TEXT [FILE]: a line holds the text; has_line, a line is the text.
has_text() { searched a "$1" "${3:--}" -F -e "$2"; }
has_line() { searched a "$1" "${3:--}" -xF -e "$2"; }
# empty NAME FILE: nothing is in the file.
empty() { if [ -e "$2" ] && [ ! -s "$2" ]; then pass "$1"; else fail "$1" "$(cat "$2" 2>&1)"; fi; }
# holds NAME FILTER FILE [DETAIL...]: jq's filter is true of the file.
holds() {
  local out
  if out=$(jq -e "$2" "$3" 2>&1 >/dev/null); then pass "$1"; else fail "$1" "not true of $3: $2" "$out" "${@:4}"; fi
}
# same NAME FILE FILE: byte-equal.
same() { local found; if found=$(cmp "$2" "$3" 2>&1); then pass "$1"; else fail "$1" "$found"; fi; }
# refuses NAME CODE PATTERN COMMAND...: exit code CODE, and one line on stderr that matches the extended regular expression.
refuses() {
  local name=$1 code=$2 pattern=$3; shift 3
  local got; timeout -k 5 $minute "$@" >"$scratch/out" 2>"$scratch/err" </dev/null; got=$?
  if [ $got != "$code" ]; then fail "$name" "exit code $got instead of $code from: $*" "$(head -c 2000 "$scratch/err")"
  elif ! grep -E '^vocabench' "$scratch/err" | grep -qE -e "$pattern"; then
    fail "$name" "no line matches: $pattern" "$(head -c 2000 "$scratch/err")"
  else pass "$name"; fi
}
need_shared() { [ -e "$shared/$1" ] || { skip "$2" "no $1 in the shared data folder"; finish; }; }
sanitized() { grep -q __asan_init "$vocabench"; }
# make_here TARGET [VARIABLE...]: in the tree, with what the build under test was made with (VOCABENCH_TEST_MAKE, separated by ;),
# one test at a time. None that the program depends on (PREFIX): other tests run it meanwhile.
make_here() {
  local flags
  IFS=';' read -ra flags <<<"${VOCABENCH_TEST_MAKE:-}"
  flock "$build/tests" make -s -C "$here" "$1" BUILD="${build#"$here"/}" "${flags[@]}" "${@:2}"
}
# install_under FOLDER [VARIABLE...]: what was built, as `make install` puts it there.
install_under() { make_here install DESTDIR="$1" "${@:2}"; }
# fits NAME CODE [DETAIL...]: a verdict on memory that the program took; not of a build with sanitizers, which take their own.
fits() {
  if sanitized; then skip "$1" "sanitizers take memory of their own"
  else verdict "$2" "$1" "${@:3}"; fi
}
# need_oracle WHAT FILE: in the scratch folder, with $oracle of tests/tools, which NumPy runs; its own data are made.
need_oracle() {
  oracle=$here/tests/tools/$2 python=/usr/bin/python3
  cd "$scratch" || exit 1
  $python -c 'import numpy' 2>/dev/null || { skip "$1" "python3-numpy is not installed"; finish; }
  must $python "$oracle" make .
}
finish() { echo "1..$tests"; [ $failures = 0 ]; exit; }

# junit FILE: suite, cases, failures, skipped, as an XML parser reads them, and the first failure's place.
junit() {
  /usr/bin/python3 - "$1" <<'P'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
failed, skipped = suite.findall('testcase[failure]'), suite.findall('testcase[skipped]')
counts = [len(suite.findall('testcase')), len(failed), len(skipped)]
assert counts == [int(suite.get(k)) for k in ('tests', 'failures', 'skipped')], suite.attrib
print(suite.get('name'), *counts, failed[0].get('classname') if failed else '-')
P
}

# ---- made data --------------------------------------------------------------------------------------------------
# make_data KIND ARGUMENT...: images, models, tokenizers, CIFAR binaries.
make_data() { must "$tools/make_data" "$@"; }
# floats FILE COLUMNS: an array of the numbers that the standard input holds.
floats() {
  tr -s ' ' '\n' | sed '/^$/d' >"$scratch/flat"
  must "$tools/npy" numbers "$scratch/flat.npy" f4 "$scratch/flat"; must "$tools/npy" fold "$scratch/flat.npy" "$1" "$2"
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
# plain_experiment NAME: an experiment of one model over made images in `pics`, on the standard output.
plain_experiment() {
  cat <<E
experiment: $1
per_image: true
threads: 1
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
  prompts: ["a photo of a {}."]}]
E
}
# short_experiments: e.yaml of one model over made images, p.yaml of one on embeddings made elsewhere, both with v.yaml.
short_experiments() {
  cat >e.yaml <<'E'
experiment: e
datasets: [{name: d, images: pics, vocabularies: v.yaml}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
  cat >p.yaml <<'E'
experiment: p
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
}
# five_encoders: the lines of six models of an experiment; `ensemble` has the encoder of `plain`. Made models have a short
# context.
five_encoders() {
  cat <<'E'
on_cut: allow
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: gelu, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: cifar100}
  - {name: rgb, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, preprocessing: rgb_first,
     prompts: ["a photo of a {}."]}
  - {name: both, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, preprocessing: rgb_first,
     prompts: ["the {}"]}
  - {name: quick, family: clip, weights: m.safetensors, tokenizer: tok, activation: quick_gelu, prompts: ["a {}."]}
E
}

# ---- runs -------------------------------------------------------------------------------------------------------
# mpi N COMMAND...: ends after $deadline seconds, with code 124 and a line that says so: an mpirun may stand still before its
# ranks have begun, and with it what would have ended them.
deadline=$((10 * minute))
mpi() { local n=$1; shift; "$tools/deadline" "$deadline" mpirun --oversubscribe -n "$n" "$@"; }
# run ARGUMENT...: the command run, in one process; fails and returns 1 when it does.
run() { "$vocabench" run "$@" >stdout 2>stderr || { fail "run $*" "$(cat stderr)"; return 1; }; }
# run_at N ARGUMENT...: the same on N ranks, of which each has $limit seconds.
limit=120
run_at() {
  local ranks=$1 deadline=$((limit * patience + minute)); shift
  mpi "$ranks" timeout -k 5 $((limit * patience)) "$vocabench" run "$@" >stdout 2>stderr ||
    { fail "$ranks ranks: run $*" "$(cat stderr)"; return 1; }
}
# need_device NAME: skips the rest where OpenCL offers no device. Programs are built once for all runs of these tests: of
# those that begin at once the first has its driver compile, for half a minute, and the others wait.
need_device() {
  export XDG_CACHE_HOME=$build/tests/device-cache
  mkdir -p "$XDG_CACHE_HOME"
  flock "$XDG_CACHE_HOME/lock" "$vocabench" devices >list 2>err || { skip "$1" "$(head -n 1 err)"; finish; }
}
# proof_takes SITE: how often the start-up check of a device passes this site of faults (device-launch, device-alloc): with a
# fault from one further on it passes, and whatever comes next fails.
proof_takes() {
  local low=0 high=1024 middle
  local proof=(retrieve --queries "$scratch/proof.npy" --corpus "$scratch/proof.npy" --top-k 1 --output "$scratch/proof.jsonl")
  must "$tools/npy" random "$scratch/proof.npy" 2 4 1
  while [ $((high - low)) -gt 1 ]; do
    middle=$(((low + high) / 2))
    # A search goes on without its device, if only that has proved itself.
    if VOCABENCH_FAULT=$1:$middle+:EIO "$vocabench" "${proof[@]}" --device gpu >/dev/null 2>&1
    then high=$middle; else low=$middle; fi
  done
  echo $low
}
# query FOLDER FILTER: what jq finds in its results.
query() { jq -r "$2" "$1/results.json"; }
# figures FOLDER: its results less the run block.
figures() { jq 'del(.run)' "$1/results.json"; }
# figures_text FOLDER: the text of the same, without parsing it, for which jq takes ten times as long.
figures_text() { sed '/^ "run": {$/,/^ }/d' "$1/results.json"; }
# differs A B: what is not byte-equal in two folders, of figures, records and tables; nothing when all is.
differs() {
  local file
  for file in results.json table.csv; do [ -e "$1/$file" ] || echo "no $1/$file"; done
  compgen -G "$1/records/*" >/dev/null || [ "$(query "$1" .run.options.per_image)" != true ] || echo "no $1/records"
  cmp -s <(figures_text "$1") <(figures_text "$2") || cmp -s <(figures "$1") <(figures "$2") ||
    { echo results.json; diff <(figures "$1") <(figures "$2") | head -n 10; }
  for file in "$1"/records/* "$1"/table.* "$1"/series.*; do
    [ ! -e "$file" ] || cmp -s "$file" "$2/${file#"$1"/}" || echo "${file#"$1"/}"
  done
}
# agree NAME A B: nothing differs.
agree() { equal "$1" "$(differs "$2" "$3")" ""; }
# whole_files FOLDER: no file under a final name is a piece.
whole_files() {
  local file
  while IFS= read -r file; do
    "$tools/npy" print "$file" >/dev/null || return 1
  done < <(find "$1/cache" -name '*.npy' 2>/dev/null)
  local json=() packed=()
  for file in "$1"/pairs/*.json "$1"/results.json; do [ ! -e "$file" ] || json+=("$file"); done
  for file in "$1"/records/*.zst; do [ ! -e "$file" ] || packed+=("$file"); done
  [ ${#json[@]} = 0 ] || jq . "${json[@]}" >/dev/null || return 1
  [ ${#packed[@]} = 0 ] || zstd -tq "${packed[@]}"
}
# cached FOLDER: how many files of embeddings its cache has.
cached() { find "$1/cache" -name '*.npy' 2>/dev/null | wc -l; }
# units_cached FOLDER: how many of them are units of images. The keys of images are those whose folder in `whole` holds `seen`.
units_cached() {
  local key
  for key in whole/cache/*/seen; do
    key=${key#whole/}; find "$1/${key%/seen}" -maxdepth 1 -name '*.npy' ! -name '.*' 2>/dev/null
  done | wc -l
}
# stops JOB: waits for its end, half a minute at most; sets $code, to "hung" when that was not enough.
stops() {
  rm -f hung; (sleep $((minute / 2)); touch hung; kill -9 "$1" 2>/dev/null) & local watch=$!
  wait "$1" 2>/dev/null; code=$?; [ ! -e hung ] || code=hung
  kill $watch 2>/dev/null; wait $watch 2>/dev/null
}
