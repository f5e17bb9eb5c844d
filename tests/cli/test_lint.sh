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
  cp "$here/.clang-format" "$1/"
  source_file "$1/tests/tools/wings.txt" <<'T'
kernels/base:
kernels/text: base
kernels/towers: base
shards/files:
mpi/ranks:
mpi/run: ranks
mpi/main.c: run ranks
T
  source_file "$1/kernels/base/memory.c" <<'C'
/* The only file that allocates. */
#include "kernels/base/memory.h"

#include <stdlib.h>

void vb_free(void *p) { free(p); }
C
  source_file "$1/kernels/base/memory.h" <<'C'
/* The contract of memory.c. */
#ifndef VB_MEMORY_H
#define VB_MEMORY_H

void vb_free(void *p);

#endif
C
  source_file "$1/kernels/text/tokenizer.c" <<'C'
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
  source_file "$1/shards/files/descriptor.c" <<'C'
/* Opens files. */
#include <fcntl.h>
#include <zstd.h>

#include "kernels/base/memory.h"

static int open_it(const char *path) { return open(path, O_RDONLY); }
C
  source_file "$1/shards/files/codec.c" <<'C'
/* Calls through a table. */
struct codec {
    void (*free)(void *);
    int (*open)(int);
};
void error_exit(int code);
static void use(struct codec *codec, void *p) {
    codec->free(p);
    (*codec).open(1);
    error_exit(1);
}
C
  source_file "$1/mpi/run/run.h" <<'C'
/* A run. */
#ifndef VB_RUN_H
#define VB_RUN_H

int vb_run(int a, int b, int c, int d, int e, int f, int g, int h);

#endif
C
  source_file "$1/mpi/run/run.c" <<'C'
/* A run, with one label. */
#include "mpi/run/run.h"

#include "kernels/base/memory.h"

static int step(int a) { return a; }

int vb_run(int a, int b, int c, int d, int e, int f, int g, int h) {
    if (step(a + b + c + d)) goto done;
    vb_free(0);
done:
    return e + f + g + h;
}
C
  source_file "$1/mpi/main.c" <<'C'
/* The program. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "mpi/run/run.h"

int main(void) {
    printf("done\n");
    exit(vb_run(0, 0, 0, 0, 0, 0, 0, 0));
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
mkdir -p "$bad/kernels/towers"
# include FILE LINE...
include() { { echo "/* Does what it may not. */"; printf '%s\n' "${@:2}"; } | source_file "$bad/$1"; }
include kernels/text/a.c '#include <mpi.h>' '#include <yaml.h>' '#include <unistd.h>' '#include <stdio.h>'
include kernels/base/b.c '  #  include <pcre2.h>' '#include <math.h> /* fine */'
include shards/files/c.c '#include <mpi.h>' '#include <immintrin.h>' '#include <png.h>'
include mpi/run/d.c '#include <immintrin.h>' '#include <jpeglib.h>' '#include <webp/decode.h>' '#include <yaml.h>'
include kernels/base/ends.c 'static void f(void) { if (1) abort (); }' 'static void g(void) { _exit(1); }'
include mpi/run/stops.c 'static int f(void) { return MPI_Abort(0, 1); }'
include shards/files/heap.c '/* not' 'the base wing */ static void *f(void) { return malloc(1); }' \
  'static void g(void *p) {free(p);}' 'static char *h(void) { return strdup("x"); }'
include mpi/run/files.c 'static int f(void) { return open("x", 0); }' 'static void *g(void) { return fopen ("x", "r"); }' \
  'static int h(void) { f("a//b"); return rename("x", "y"); }'
include kernels/base/prints.c 'static void f(void) { printf("x"); }'
printf '#include <stdio.h>\n/* Too late. */\n' >"$bad/mpi/run/first.c"
{ echo '/* Long. */'; yes ' ' | head -n 599; echo 'int x;'; } | sed 's/ $//' >"$bad/mpi/run/long.c"
{ echo '/* Wide. */'; printf 'int %0131d;\n' 0; printf '/* %s */\n' "$(printf 'é%.0s' {1..124})"; } >"$bad/mpi/run/wide.c"
printf '/* Tabs. */\nint f(void) {\n\treturn 1;\n}\n' >"$bad/mpi/run/tab.c"
printf '/* Nobody runs it. */\n' >"$bad/tests/unit/test_lost.c"
printf '/* Trails. */\nint x; \n' >"$bad/mpi/run/trail.c"
# The structure: an include and a call that climb, a circle, names, guards, sizes, labels.
include kernels/base/climbs.c '#include "kernels/text/words.h"' 'static int f(void) { return vb_words(1); }'
printf '/* Words. */\n#ifndef VB_WORDS_H\n#define VB_WORDS_H\n\nint vb_words(int n);\nint vb_count(int n);\n\n#endif\n' \
  >"$bad/kernels/text/words.h"
printf '/* Words. */\n#include "kernels/text/words.h"\n\n#include "kernels/text/twin.h"\n\n%s\n' \
  'int vb_words(int n) { return vb_twin(n); }' >"$bad/kernels/text/words.c"
printf '/* A circle. */\n#ifndef TWIN\n#define TWIN\n\nint vb_twin(int n);\n\n#endif\n' >"$bad/kernels/text/twin.h"
printf '/* A circle. */\n#include "kernels/text/twin.h"\n\n#include "kernels/text/words.h"\n\n%s\n' \
  'int vb_twin(int n) { return vb_words(n); }' >"$bad/kernels/text/twin.c"
printf '/* Of the same name as another. */\n' >"$bad/kernels/towers/words.h"
{
  printf '/* A long function, and a label. */\nstatic int f(void) {\n'
  yes '    g();' | head -n 80
  printf 'out:\n    return 0;\n}\n'
} >"$bad/mpi/run/function.c"
{
  echo '/* Many parameters. */'
  for i in {1..16}; do echo "static int f$i(int a, int b, int c, int d, int e, int f, int g, int h, int i) { return a; }"; done
} >"$bad/mpi/run/many.c"
printf '/* In no wing. */\n' >"$bad/mpi/loose.c"
printf 'name: x \n' >"$bad/configs/prompts/trail.yaml"
printf '/* Left. */\nint x; /* TO%s: later */\n' DO >"$bad/mpi/run/left.c"
printf '# Notes\n\nFIX%s: this\n' ME >"$bad/NOTES.md"
printf '#!/bin/bash\necho $1\n' >"$bad/tests/tools/quote.sh"
mkdir -p "$bad/slurm"; printf '#!/bin/bash\n#SBATCH -n 1\necho $1\n' >"$bad/slurm/job.sbatch"
printf '/* Reads beyond. */\nint f(void);\nint f(void) {\n    int a[2] = {1, 2};\n    return a[2];\n}\n' >"$bad/mpi/run/beyond.c"
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
found "each floor includes only the libraries that it may" \
  'kernels/text/a.c:2: kernels/ may not include <mpi.h>' \
  'kernels/text/a.c:3: kernels/ may not include <yaml.h>' \
  'kernels/text/a.c:4: kernels/ may not include <unistd.h>' \
  'kernels/base/b.c:2: kernels/ may not include <pcre2.h>' \
  'shards/files/c.c:2: shards/ may not include <mpi.h>' \
  'shards/files/c.c:3: shards/ may not include <immintrin.h>' \
  'mpi/run/d.c:2: mpi/ may not include <immintrin.h>' \
  'mpi/run/d.c:3: mpi/ may not include <jpeglib.h>' \
  'mpi/run/d.c:4: mpi/ may not include <webp/decode.h>'
many=()
for i in {1..16}; do many+=("mpi/run/many.c:$((i + 1)): f$i (9): one of 16 functions with more than 8 parameters"); done
found "wings, circles, names and sizes" \
  'kernels/base/climbs.c: kernels/base may not use kernels/text/words.h' \
  'kernels/base/climbs.c: kernels/base may not use kernels/text/words.c' \
  'kernels/text/twin.c: a circle of files: kernels/text/twin.c kernels/text/words.c' \
  'kernels/text/twin.h: the include guard is not VB_TWIN_H' \
  'kernels/text/words.h:6: vb_count does not begin with vb_words' \
  'kernels/text/words.h:6: vb_count is defined nowhere' \
  'kernels/text/words.h: a file of this name stands in kernels/towers/words.h too' \
  'kernels/towers/words.h: the include guard is not VB_WORDS_H' \
  'words: files of this name stand in kernels/text, kernels/towers' \
  'mpi/loose.c: mpi/loose.c is not in tests/tools/wings.txt' \
  'mpi/run/function.c:2: f has 84 lines, at most 80' \
  'mpi/run/function.c:83: a label out' \
  'mpi/run/long.c: 601 lines, at most 600' \
  "${many[@]}"
found "only mpi/main.c ends the process" kernels/base/ends.c:2: kernels/base/ends.c:3: mpi/run/stops.c:2:
found "only kernels/base/memory.c allocates" shards/files/heap.c:3: shards/files/heap.c:5:
found "memory is freed by vb_free" shards/files/heap.c:4:
found "only shards/files/descriptor.c makes calls that a signal may end" mpi/run/files.c:2: mpi/run/files.c:3:
found "only shards/files/ renames and maps files" mpi/run/files.c:4:
found "kernels/ and shards/ print nothing" kernels/base/prints.c:2:
found "every C file opens with a line on what it implements" mpi/run/first.c:1:
found "no source has more than 600 lines" mpi/run/long.c:
found "no line of a source is wider than 130 columns" mpi/run/wide.c:2:
found "every unit test lies on a floor" tests/unit/test_lost.c:
found "C is indented with spaces" mpi/run/tab.c:3:
found "no white space ends a line" configs/prompts/trail.yaml:1: mpi/run/trail.c:2:
found "nothing is left for later" NOTES.md:3: mpi/run/left.c:2:
if command -v shellcheck >/dev/null; then found shellcheck tests/tools/quote.sh:2: slurm/job.sbatch:3:
else skip "finds: shellcheck" "not installed"; fi
if command -v cppcheck >/dev/null; then found cppcheck mpi/run/beyond.c:5:; else skip "finds: cppcheck" "not installed"; fi
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
