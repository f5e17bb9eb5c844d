#!/bin/bash
# The rules of the house that a machine can check, as TAP lines with the findings below them: lint.sh [ROOT].
# VOCABENCH_BUILD names the build folder. The checks read text, not C: a macro can hide a call from them.
set -u
tools=$(cd "$(dirname "$0")" && pwd) || exit 1
cd "${1:-$tools/../..}" || exit 1
build=${VOCABENCH_BUILD:-build}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vocabench-lint.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

number() { echo $((passed + failed + skipped)); }
skip() { skipped=$((skipped + 1)); echo "ok $(number) - $1 # SKIP $2"; }
# report NAME FILE: the lines of FILE are the findings, one "place: what" a line.
report() {
  if [ -s "$2" ]; then failed=$((failed + 1)); echo "not ok $(number) - $1"; sed 's/^/# /' "$2"
  else passed=$((passed + 1)); echo "ok $(number) - $1"; fi
}
findings=$scratch/findings
! command -v python3 >/dev/null || python3 "$tools/structure.py" --figures . | sed 's/^/# /'

find . \( -name .git -o -path './build' -o -path './build-*' -o -path ./results \) -prune -o -type f -print | sed 's|^\./||' |
  LC_ALL=C sort >"$scratch/all"
grep -E '\.[ch]$' "$scratch/all" >"$scratch/c"
grep -E '^(kernels|shards|mpi)/' "$scratch/c" >"$scratch/rooms"
grep -v '^tests/golden/' "$scratch/c" >"$scratch/written" # golden numbers are made, not written
grep -E '(\.(c|h|sh|md|ya?ml|sbatch|in|py|conf|supp)|(^|/)(Makefile|LICENSE)|^\.ci/[^/]*|^\.gitignore)$' "$scratch/all" \
  >"$scratch/text"
: >"$scratch/sh"
while IFS= read -r file; do
  case $file in
    *.sh) ;;
    *.[ch] | *.md | *.yaml | *.json | *.npy | *.bin) continue ;;
    *) head -c 40 "$file" | tr -d '\0' | head -n 1 | grep -qE '^#!.*\b(ba|da)?sh\b' || continue ;;
  esac
  echo "$file" >>"$scratch/sh"
done <"$scratch/all"
# on LIST COMMAND...: the command with the files of the list as its last arguments; nothing for an empty list.
on() { local list=$1; shift; [ ! -s "$list" ] || tr '\n' '\0' <"$list" | xargs -0 "$@"; }

# The code without comments, and without what stands in quotes except in #include: "path:line:code".
cat >"$scratch/strip.awk" <<'AWK'
FNR == 1 { comment = 0 }
{
  line = $0; out = ""
  include = !comment && line ~ /^[ \t]*#[ \t]*include/
  while (line != "") {
    if (comment) {
      end = index(line, "*/")
      if (!end) break
      comment = 0; line = substr(line, end + 2); out = out " "
      continue
    }
    if (!match(line, /["']|\/\*|\/\//)) { out = out line; break }
    out = out substr(line, 1, RSTART - 1)
    two = substr(line, RSTART, 2); quote = substr(two, 1, 1); rest = substr(line, RSTART + 1)
    if (two == "//") break
    if (two == "/*") { comment = 1; line = substr(rest, 2); continue }
    if (quote == "\"") found = match(rest, /^([^"\\]|\\.)*"/); else found = match(rest, /^([^'\\]|\\.)*'/)
    if (!found) break
    out = out quote (include ? substr(rest, 1, RLENGTH - 1) : "") quote
    line = substr(rest, RLENGTH + 1)
  }
  print FILENAME ":" FNR ":" out
}
AWK
on "$scratch/rooms" awk -f "$scratch/strip.awk" >"$scratch/code"

# ---- what each floor may include of others' libraries -----------------------------------------------------------
cat >"$scratch/floors.awk" <<'AWK'
BEGIN {
  libc = "^(assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic"
  libc = libc "|stdbool"
  libc = libc "|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|threads|time|uchar|wchar|wctype)\\.h$"
  posix = "^(dirent|fcntl|fnmatch|glob|libgen|poll|pthread|sched|termios|unistd)\\.h$|^sys/"
  codecs = "^(yaml|zstd|zstd_errors|jansson|jpeglib|jerror|png|tiffio|zlib|xxhash)\\.h$|^webp/"
  simd = "intrin\\.h$|^cpuid\\.h$|^arm_neon\\.h$"
  images = "^(jpeglib|jerror|png|tiffio)\\.h$|^webp/"
}
match($0, /:[ \t]*#[ \t]*include[ \t]*<[^>]*/) {
  split($0, place, ":")
  file = place[1]; floor = file; sub(/\/.*/, "", floor)
  header = substr($0, RSTART, RLENGTH); sub(/^[^<]*</, "", header)
  if (floor == "kernels") {
    fine = header ~ libc || header == "omp.h" || header == "immintrin.h"
    if (header == "sys/mman.h" && file == "kernels/base/memory.c") fine = 1 # huge pages
    if (header ~ "^(cpuid|sys/syscall|unistd)\\.h$" && file == "kernels/base/isa.c") fine = 1 # AMX is asked for
    if ((header == "dlfcn.h" || header == "CL/cl.h") && file ~ /^kernels\/gpu\/opencl\./) fine = 1
    if ((header == "pcre2.h" || header == "utf8proc.h") && file ~ /^kernels\/text\//) fine = 1
  } else if (floor == "shards") {
    fine = header ~ libc || header ~ posix || header ~ codecs
  } else {
    fine = header !~ simd && header !~ images
  }
  if (!fine) print file ":" place[2] ": " floor "/ may not include <" header ">"
}
AWK
awk -f "$scratch/floors.awk" "$scratch/code" >"$findings"
report "each floor includes only the libraries that it may" "$findings"

# ---- wings, circles, names, sizes -------------------------------------------------------------------------------
if ! command -v python3 >/dev/null; then skip "wings, circles, names and sizes" "no python3"
else
  python3 "$tools/structure.py" . >"$findings" 2>&1
  report "wings, circles, names and sizes" "$findings"
fi

# calls NAME ROOMS EXCEPT WORDS: none of the functions is called in the rooms, but for the files that EXCEPT (a regular
# expression) names.
calls() {
  grep -E "^($2)/" "$scratch/code" | grep -vE "^($3):" | grep -E "(^|[^A-Za-z0-9_.>])($4)[[:space:]]*\(" >"$findings"
  report "$1" "$findings"
}
calls "only mpi/main.c ends the process" "kernels|shards|mpi" "mpi/main\.c" "exit|_exit|_Exit|quick_exit|abort|MPI_Abort"
calls "only kernels/base/memory.c allocates" "kernels|shards|mpi" "kernels/base/memory\.c" \
  "malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|asprintf|vasprintf|alloca"
calls "memory is freed by vb_free" "kernels|shards|mpi" "kernels/base/memory\.c" "free"
calls "only shards/files/json_parse.c lets jansson read and write" "kernels|shards|mpi" "shards/files/json_parse\.c" \
  "json_(load|dump)[a-z]*"
changers="json_(object|array)_(set|append|insert|extend|update)[a-z_]*"
calls "in mpi/ only base/json.c makes and writes JSON" "mpi" "mpi/base/json\.c" \
  "json_(object|array|stringn?|real|integer|boolean|pack|v?sprintf|(deep_)?copy|dump[a-z]*)|$changers"
calls "only shards/files/descriptor.c makes calls that a signal may end" "kernels|shards|mpi" "shards/files/descriptor\.c" \
  "open|openat|creat|fopen|freopen|fdopen|opendir|fsync|fdatasync|flock|fallocate|posix_fallocate"
calls "only shards/files/ renames and maps files" "kernels|shards|mpi" "shards/files/(map|memory_file|path|writer)\.c" \
  "rename|renameat|mkdir|mkstemp|mmap|munmap"
calls "kernels/ and shards/ print nothing" "kernels|shards" "none" "printf|vprintf|puts|putchar|fprintf|vfprintf|fputs|perror"

# ---- the look of a source ---------------------------------------------------------------------------------------
# shellcheck disable=SC2016 # $0 is awk's
on "$scratch/c" awk 'FNR == 1 && $0 !~ /^\/\* [^ ]/ { print FILENAME ":1: the first line is no /* comment on the file" }' \
  >"$findings"
report "every C file opens with a line on what it implements" "$findings"
cat "$scratch/written" "$scratch/sh" | LC_ALL=C sort -u >"$scratch/sources"
grep -vE '_tables?\.h$' "$scratch/sources" >"$scratch/read" # tables are made, not read
on "$scratch/read" awk 'FNR == 601 { print FILENAME ": more than 600 lines" }' >"$findings"
report "no source has more than 600 lines" "$findings"
on "$scratch/sources" env LC_ALL=C.UTF-8 grep -HnoE '^.{131}' |
  sed 's/^\([^:]*:[0-9]*:\).*/\1 wider than 130 columns/' >"$findings"
report "no line of a source is wider than 130 columns" "$findings"
if ! command -v clang-format >/dev/null; then skip "C looks as .clang-format says" "no clang-format"
else
  grep '\.[ch]$' "$scratch/read" | grep -v '^tests/golden/' >"$scratch/formatted"
  on "$scratch/formatted" clang-format --dry-run 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+:' | cut -d: -f1,2 | sort -u |
    sed 's/$/: clang-format would change it/' >"$findings"
  report "C looks as .clang-format says" "$findings"
fi
grep -E '^tests/unit/test_[^/]*$' "$scratch/c" | sed 's/$/: in no folder of a floor: make and the runner pass it by/' >"$findings"
report "every unit test lies on a floor" "$findings"
on "$scratch/c" grep -Hn "$(printf '\t')" >"$findings"
report "C is indented with spaces" "$findings"
on "$scratch/text" grep -HnE '[[:space:]]$' >"$findings"
report "no white space ends a line" "$findings"
on "$scratch/text" grep -HnwE 'TO[D]O|FIX[M]E|X[X]X' >"$findings"
report "nothing is left for later" "$findings"

if ! command -v codespell >/dev/null; then skip "spelling" "no codespell"
else
  # Tests misspell on purpose.
  grep -v '^tests/' "$scratch/text" | grep -vE '_tables?\.h$' >"$scratch/prose"
  on "$scratch/prose" codespell >"$findings" 2>&1
  report "spelling" "$findings"
fi

# ---- other people's eyes ----------------------------------------------------------------------------------------
if ! command -v shellcheck >/dev/null; then skip shellcheck "not installed"
else
  on "$scratch/sh" shellcheck -x -P SCRIPTDIR -f gcc >"$findings" 2>&1
  report shellcheck "$findings"
fi
if ! command -v cppcheck >/dev/null; then skip cppcheck "not installed"
else
  # Test code reaches for null pointers and leaks on purpose where an assertion ends it, so only the rooms are checked; but for
  # one file, which takes minutes: fourteen unrolled rows of the source that two other files have with fewer.
  grep '\.c$' "$scratch/rooms" | grep -v '^kernels/matrix/attention_avx512\.c$' >"$scratch/cppcheck"
  if [ -s "$scratch/cppcheck" ]; then
    # Suppressed: SIMD loads cast pointers; the loop that fills an array may run zero times for all that cppcheck knows (the
    # compiler warns of uninitialised reads better). Style notes that slip through its selection are none of its business here.
    mkdir -p "$build/cppcheck" # what it found is kept for unchanged files
    timeout 180 cppcheck -q -j2 --cppcheck-build-dir="$build/cppcheck" --std=c11 --language=c --enable=warning,portability \
      --error-exitcode=3 --inline-suppr -I. \
      --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
      --suppress=invalidPointerCast --suppress='uninitvar:kernels/matrix/conv.c' \
      --template='{file}:{line}: {severity}: {message} [{id}]' --file-list="$scratch/cppcheck" >"$scratch/out" 2>&1
    code=$?
  else code=0; : >"$scratch/out"; fi
  if [ $code = 124 ]; then skip cppcheck "took more than three minutes"
  else
    grep -v ': style: ' "$scratch/out" >"$findings"
    [ $code = 0 ] || [ $code = 3 ] || echo "cppcheck ended with code $code" >>"$findings"
    report cppcheck "$findings"
  fi
fi

# The program itself judges best; without one Python does. Code 10 is YAML of a kind that `inspect` has nothing to say about.
grep -E '^configs/.*\.ya?ml$' "$scratch/all" >"$scratch/yaml"
: >"$findings"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
if [ -x "$build/vocabench" ]; then
  while IFS= read -r file; do
    "$build/vocabench" inspect "$file" >"$scratch/out" 2>&1 </dev/null
    code=$?
    [ $code = 0 ] || [ $code = 10 ] ||
      { sed "s|^|$file: |" "$scratch/out"; echo "$file: inspect ended with code $code"; } >>"$findings"
  done <"$scratch/yaml"
  report "the YAML files parse" "$findings"
elif python3 -c 'import yaml' 2>/dev/null; then
  on "$scratch/yaml" python3 -c '
import sys, yaml
for path in sys.argv[1:]:
    try: yaml.safe_load(open(path, encoding="utf-8"))
    except Exception as error: print(path + ": " + " ".join(str(error).split()))' >"$findings" 2>&1
  report "the YAML files parse" "$findings"
else skip "the YAML files parse" "neither a program that reads them nor python3-yaml"; fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
