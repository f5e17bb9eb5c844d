#!/bin/bash
# The lint finds what it promises to find, and nothing in a house that only talks about it.
# shellcheck disable=SC2016 # the fixtures hold shell code that must not expand here
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
lint=$here/tests/tools/lint.sh
export VOCABENCH_BUILD=$scratch/no-build

# source ROOT/FILE: the standard input becomes a file.
source_file() { mkdir -p "$(dirname "$1")"; cat >"$1"; }

house() {
  mkdir -p "$1"
  source_file "$1/kernels/memory.c" <<'C'
/* The only file that allocates. */
#include "kernels/base/memory.h"

#include <stdlib.h>

void vb_free(void *p) { free(p); }
C
  source_file "$1/kernels/memory.h" <<'C'
/* The contract of memory.c. */
#ifndef VB_MEMORY_H
#define VB_MEMORY_H

void vb_free(void *p);

#endif
C
  source_file "$1/kernels/tokenizer.c" <<'C'
/* May use pcre2.h; speaks of calls that it does not make. */
#include <pcre2.h>
#include <utf8proc.h>

/* exit(1), malloc(3) and printf("x") are
   not called here: open("file"), abort(). */
// #include <mpi.h>
/* #include <yaml.h> */
const char *words(const char *quote, int c) {
    if (c == '"') return "malloc(1); exit(1); // \" fopen(";
    return c == '\'' ? "/*" : quote; /* free(quote) */
}
C
  source_file "$1/shards/io.c" <<'C'
/* The only file that opens files. */
#include <fcntl.h>
#include <zstd.h>

#include "kernels/base/memory.h"

int vb_open(const char *path) { return open(path, O_RDONLY); }
C
  source_file "$1/shards/codec.c" <<'C'
/* Calls through a table. */
struct codec { void (*free)(void *); int (*open)(int); };
void error_exit(int code);
void done(struct codec *codec, void *p) {
    codec->free(p);
    (*codec).open(1);
    error_exit(1);
}
C
  source_file "$1/shards/json.c" <<'C'
/* Frees what jansson allocated. */
#include <jansson.h>
#include <stdlib.h>

void show(json_t *json, void (*out)(char *)) {
    char *text = json_dumps(json, 0);
    out(text);
    free(text);
}
C
  source_file "$1/mpi/main.c" <<'C'
/* The program. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "kernels/base/memory.h"

int main(void) {
    printf("done\n");
    exit(0);
}
C
  printf '/* Tests may do anything. */\n#include <mpi.h>\n#include <stdlib.h>\n\nint main(void) { exit(0); }\n' |
    source_file "$1/tests/unit/kernels/test_x.c"
  printf '#!/bin/bash\n# Fine.\necho "$1"\n' | source_file "$1/tests/tools/fine.sh"
  printf '#!/bin/bash\n# Fine, too.\necho "$1"\n' | source_file "$1/.ci/run"
  printf '# A comment\nname: simple\nprompts: ["a photo of a {}."]\n' | source_file "$1/configs/prompts/simple.yaml"
  printf 'generated\tand wide \n' | source_file "$1/build/made.c"
}

house "$scratch/clean"
"$lint" "$scratch/clean" >"$scratch/clean.out" 2>&1
verdict $? "a clean house passes" "$(cat "$scratch/clean.out")"
like "the last line counts" '^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$' <<<"$(tail -n 1 "$scratch/clean.out")"

bad=$scratch/bad
house "$bad"
# include FILE LINE...
include() { { echo "/* Does what it may not. */"; printf '%s\n' "${@:2}"; } | source_file "$bad/$1"; }
include kernels/a.c '#include <mpi.h>' '#include "shards/files/io.h"' '#include <yaml.h>' '#include <unistd.h>' '#include <stdio.h>'
include kernels/b.c '  #  include <pcre2.h>' '#include <math.h> /* fine */' '#include "memory.h"'
include shards/a.c '#include <mpi.h>' '#include "mpi/plan.h"' '#include <immintrin.h>' '#include <png.h>'
include mpi/a.c \
  '#include <immintrin.h>' '#include <jpeglib.h>' '#include <webp/decode.h>' '#include <yaml.h>' '#include "shards/io.h"'
include kernels/ends.c 'void f(void) { if (1) abort (); }' 'void g(void) { _exit(1); }'
include mpi/ends.c 'int f(void) { return MPI_Abort(0, 1); }'
include shards/memory.c '/* not' 'the kernels room */ void *f(void) { return malloc(1); }' \
  'void g(void *p) {free(p);}' 'char *h(void) { return strdup("x"); }'
include mpi/files.c 'int f(void) { return open("x", 0); }' 'void *g(void) { return fopen ("x", "r"); }' \
  'int h(void) { f("a//b"); return rename("x", "y"); }'
include shards/files.c 'void *f(void) { return mmap(0, 1, 1, 1, 1, 0); }'
include kernels/prints.c 'void f(void) { printf("x"); }'
printf '#include <stdio.h>\n/* Too late. */\n' >"$bad/mpi/first.c"
{ echo '/* Long. */'; yes ' ' | head -n 899; echo 'int x;'; } | sed 's/ $//' >"$bad/mpi/long.c"
{ echo '/* Wide. */'; printf 'int %0141d;\n' 0; printf '/* %s */\n' "$(printf 'é%.0s' {1..134})"; } >"$bad/mpi/wide.c"
printf '/* Tabs. */\nint f(void) {\n\treturn 1;\n}\n' >"$bad/mpi/tab.c"
printf '/* Trails. */\nint x; \n' >"$bad/mpi/trail.c"
printf 'name: x \n' >"$bad/configs/prompts/trail.yaml"
printf '/* Left. */\nint x; /* TO%s: later */\n' DO >"$bad/mpi/left.c"
printf '# Notes\n\nFIX%s: this\n' ME >"$bad/NOTES.md"
printf '#!/bin/bash\necho $1\n' >"$bad/tests/tools/quote.sh"
mkdir -p "$bad/slurm"; printf '#!/bin/bash\n#SBATCH -n 1\necho $1\n' >"$bad/slurm/job.sbatch"
printf '/* Reads beyond. */\nint f(void);\nint f(void) {\n    int a[2] = {1, 2};\n    return a[2];\n}\n' >"$bad/mpi/beyond.c"
printf 'name: [x\n' >"$bad/configs/prompts/open.yaml"
"$lint" "$bad" >"$scratch/bad.out" 2>&1
code=$?
equal "a bad house fails" $code 1

# found CHECK FINDING...: the check failed, and each finding is the beginning of a line under it; no other line is.
found() {
  local check=$1 missing=; shift
  awk -v check="$check" '
    /^(not )?ok / { on = index($0, "not ok ") == 1 && substr($0, index($0, " - ") + 3) == check; next }
    on && /^# / { print substr($0, 3) }' "$scratch/bad.out" >"$scratch/found"
  for finding in "$@"; do
    awk -v f="$finding" 'index($0, f) == 1 { n++ } END { exit !n }' "$scratch/found" || missing="$missing [$finding]"
  done
  [ "$(wc -l <"$scratch/found")" = $# ] || missing="$missing $# findings"
  equal "finds: $check" "$missing" "" "missing:$missing" "$(cat "$scratch/found")"
}
found "each room includes only what it may" \
  'kernels/a.c:2: kernels/ may not include <mpi.h>' \
  'kernels/a.c:3: kernels/ may not include "shards/files/io.h"' \
  'kernels/a.c:4: kernels/ may not include <yaml.h>' \
  'kernels/a.c:5: kernels/ may not include <unistd.h>' \
  'kernels/b.c:2: kernels/ may not include <pcre2.h>' \
  'kernels/b.c:4: kernels/ may not include "memory.h"' \
  'shards/a.c:2: shards/ may not include <mpi.h>' \
  'shards/a.c:3: shards/ may not include "mpi/plan.h"' \
  'shards/a.c:4: shards/ may not include <immintrin.h>' \
  'mpi/a.c:2: mpi/ may not include <immintrin.h>' \
  'mpi/a.c:3: mpi/ may not include <jpeglib.h>' \
  'mpi/a.c:4: mpi/ may not include <webp/decode.h>'
found "only mpi/main.c ends the process" kernels/ends.c:2: kernels/ends.c:3: mpi/ends.c:2:
found "only kernels/base/memory.c allocates" shards/memory.c:3: shards/memory.c:5:
found "memory is freed by vb_free, but for jansson's texts" shards/memory.c:4:
found "only shards/files/io.c opens, renames and maps files" mpi/files.c:2: mpi/files.c:3: mpi/files.c:4: shards/files.c:2:
found "kernels/ and shards/ print nothing" kernels/prints.c:2:
found "every C file opens with a line on what it implements" mpi/first.c:1:
found "no source has more than 900 lines" mpi/long.c:
found "no line of a source is wider than 140 columns" mpi/wide.c:2:
found "C is indented with spaces" mpi/tab.c:3:
found "no white space ends a line" configs/prompts/trail.yaml:1: mpi/trail.c:2:
found "nothing is left for later" NOTES.md:3: mpi/left.c:2:
if command -v shellcheck >/dev/null; then found shellcheck tests/tools/quote.sh:2: slurm/job.sbatch:3:
else skip "finds: shellcheck" "not installed"; fi
if command -v cppcheck >/dev/null; then found cppcheck mpi/beyond.c:5:; else skip "finds: cppcheck" "not installed"; fi
if python3 -c 'import yaml' 2>/dev/null; then found "the YAML files parse" configs/prompts/open.yaml:
else skip "finds: YAML" "no python3-yaml"; fi

# A program that reads YAML is asked first.
mkdir -p "$scratch/program"
printf '#!/bin/sh\ncase $2 in *open.yaml) echo "vocabench: $2:2:1: broken" >&2; exit 3;; *simple.yaml) exit 10;; esac\n' \
  >"$scratch/program/vocabench"
chmod +x "$scratch/program/vocabench"
VOCABENCH_BUILD=$scratch/program "$lint" "$bad" >"$scratch/bad.out" 2>&1
found "the YAML files parse" 'configs/prompts/open.yaml: vocabench: configs/prompts/open.yaml:2:1: broken' \
  'configs/prompts/open.yaml: inspect ended with code 3'
finish
