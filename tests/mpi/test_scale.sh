#!/bin/bash
# 1 to 64 ranks on one machine: they finish and agree, send and receive to the byte what docs/scaling.md says, and start in
# linear time.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar few
make_data cifar cifar/test.bin 20 3000; make_data cifar few/test.bin 20 300
make_data images five 5 1; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
cat >one.yaml <<'E'
experiment: one
threads: 1
datasets: [{name: cifar, images: cifar/test.bin, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}."]}]
E
limit=200
# at RANKS EXPERIMENT FOLDER [FLAGS]
at() { run_at "$1" "$2" --output "$3" "${@:4}"; }

# ---- communication: docs/scaling.md, "Communication" ------------------------------------------------------------
classes=19 labels=100 entries=19 vocabularies=3 dim=32 units=94
texts=$((256 * dim * 4)) # one unit of 256 prompts holds all classes
tally=$((8 * (classes + 3 * entries * vocabularies + vocabularies ** 2 + vocabularies + 1 + vocabularies ** 3)))
tally=$((tally + (8 << vocabularies)))
reduced=$((tally + 8 * 11 + 8 * (labels + 1) + 8))
maxima=$((8 * 3 + 8 * 3 + 8))
notes() { # bytes of the notes of units that ranks 1 to P - 1 send: "[{"unit":U,"digest":"32 digits"},...]"
  awk -v p="$1" -v units=$units 'BEGIN { for (u = 0; u < units; u++) if (u % p) { n += 53 + length(u ""); has[u % p]++ }
    for (r = 1; r < p; r++) n += 2 + (has[r] > 1 ? has[r] - 1 : 0); print n + 0 }'
}
# harm RANKS: bytes of the tables of classes and the vocabularies that harm them, which ranks 1 to P - 1 send: 28 for each
# kind of image that a rank has.
at 1 one.yaml told --set per_image=true
zstdcat told/records/* | jq -r '[(.image | tonumber), ([.class, .own, .harmful] | tojson)] | @tsv' >kinds
harm() {
  awk -F '\t' -v p="$1" -v unit=32 '{ r = int($1 / unit) % p } r && !((r, $2) in has) { has[r, $2]; n += 28 }
    END { print n + 0 }' kinds
}
at 1 one.yaml c01 # folders of equal length: ranks agree on their paths
traffic() { query "$1" '.run.communication | [.sent, .received] | tojson'; }
equal "one rank sends nothing" "$(traffic c01)" '[0,0]'
at 2 one.yaml c02
# What rank 0 gives to all: the list of files, the schedule, the digests of inputs on which ranks agree; the same at any number.
given=$(($(jq .run.communication.sent c02/results.json) - texts - reduced - 2 * maxima - $(notes 2) - $(harm 2)))
[ $given -gt 0 ] && [ $given -lt 5000 ]
verdict $? "rank 0 gives $given bytes to each"
for ranks in 2 3 5 8 13 64; do
  folder=c$(printf %02d "$ranks")
  [ "$ranks" = 2 ] || at "$ranks" one.yaml "$folder"
  agree "$ranks ranks agree with one" c01 "$folder"
  sent=$((texts + given + (ranks - 1) * reduced + ranks * maxima + $(notes "$ranks") + $(harm "$ranks")))
  received=$(((ranks - 1) * (texts + given) + reduced + ranks * maxima + $(notes "$ranks") + $(harm "$ranks")))
  equal "$ranks ranks: $sent bytes sent, $received received" "$(traffic "$folder")" "[$sent,$received]"
  jq -e --argjson tables "$(($(harm "$ranks") - $(harm 2)))" \
    --slurpfile two c02/results.json '.run.communication as $c | $two[0].run.communication as $t |
    $c.sent_by_one_rank <= $t.sent_by_one_rank + 800 and
    $c.received_by_one_rank <= $t.received_by_one_rank + 800 + $tables' "$folder/results.json" >/dev/null
  verdict $? "$ranks ranks: no rank has more to do than at two, but for the tables" \
    "$(jq -c .run.communication c02/results.json "$folder/results.json")"
done

# ---- 32 ranks in groups, most of them without any data ------------------------------------------------------------
cat >many.yaml <<'E'
experiment: many
threads: 1
analyses: [margin, similarity, alignment, uniformity]
datasets:
  - {name: cifar, images: few/test.bin, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: gelu, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: ["a photo of a {}.", "the {}"]}
E
at 1 many.yaml m1
for size in 32 1; do
  rm -rf m32; at 32 many.yaml m32 --ranks-per-model $size
  agree "32 ranks, $size a model: groups: $(jq '.run.groups | length' m32/results.json)" m1 m32
done
at 32 many.yaml m32 --resume
agree "32 ranks with nothing left to do" m1 m32

# ---- starting ---------------------------------------------------------------------------------------------------
cat >small.yaml <<'E'
experiment: small
threads: 1
datasets: [{name: five, images: five, vocabularies: five.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}."]}]
E
# Not by the clock, nor by the processors' time, which ranks on few cores take for waiting. A rank's work is what the program
# itself asks for: allocations, calls for files, and messages from one rank to another.
cat >count.c <<'C'
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static size_t first, end; /* the program's code */
static _Atomic long allocations, files, messages;
static int look(struct dl_phdr_info *object, size_t size, void *none) {
    (void)size, (void)none;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_LOAD && object->dlpi_phdr[i].p_flags & PF_X) {
            first = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
            end = first + object->dlpi_phdr[i].p_memsz;
        }
    return 1; /* the first object is the program */
}
__attribute__((constructor)) static void begin(void) { dl_iterate_phdr(look, NULL); }
__attribute__((destructor)) static void tell(void) {
    FILE *out = getenv("COUNTED") ? fopen(getenv("COUNTED"), "a") : NULL;
    if (out) fprintf(out, "%ld %ld %ld\n", allocations, files, messages), fclose(out);
}
#define FROM ((size_t)__builtin_return_address(0))
#define COUNT(what) (FROM >= first && FROM < end ? what++ : 0)
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { return COUNT(allocations), __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return COUNT(allocations), __libc_calloc(n, size); }
void *realloc(void *old, size_t n) { return COUNT(allocations), __libc_realloc(old, n); }
void *aligned_alloc(size_t edge, size_t n) { return COUNT(allocations), __libc_memalign(edge, n); }
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    return COUNT(files), NEXT(open)(path, flags, mode);
}
int stat(const char *path, struct stat *at) { return COUNT(files), NEXT(stat)(path, at); }
int lstat(const char *path, struct stat *at) { return COUNT(files), NEXT(lstat)(path, at); }
int access(const char *path, int how) { return COUNT(files), NEXT(access)(path, how); }
DIR *opendir(const char *path) { return COUNT(files), NEXT(opendir)(path); }
ssize_t read(int fd, void *at, size_t n) { return COUNT(files), NEXT(read)(fd, at, n); }
ssize_t pread(int fd, void *at, size_t n, off_t from) { return COUNT(files), NEXT(pread)(fd, at, n, from); }
ssize_t write(int fd, const void *at, size_t n) { return COUNT(files), NEXT(write)(fd, at, n); }
int MPI_Isend(const void *at, int n, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request) {
    return COUNT(messages), PMPI_Isend(at, n, type, rank, tag, comm, request);
}
int MPI_Irecv(void *at, int n, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request) {
    return COUNT(messages), PMPI_Irecv(at, n, type, rank, tag, comm, request);
}
C
must mpicc -shared -fPIC -o count.so count.c -ldl
starts_at() { # starts_at RANKS: the three counts of all of them
  rm -rf start counted
  mpi "$1" -x LD_PRELOAD="$PWD/count.so" -x COUNTED="$PWD/counted" timeout -k 5 $limit "$vocabench" run small.yaml \
    --output start >stdout 2>stderr || fail "$1 ranks start" "$(cat stderr)"
  awk '{ for (i = 1; i <= 3; i++) n[i] += $i } END { print n[1], n[2], n[3] }' counted
}
# A rank more takes what a rank more took before, by a half at most; by the square it would be four times as much.
four=$(starts_at 4) sixteen=$(starts_at 16) most=$(starts_at 64)
awk '{ for (i = 1; i <= 3; i++) { before = ($(i + 3) - $i) / 12; after = ($(i + 6) - $(i + 3)) / 48
    if (!before || after > 1.5 * before) exit 1 } }' <<<"$four $sixteen $most"
verdict $? "start-up is linear: allocations, calls for files and messages" "4 ranks: $four" "16 ranks: $sixteen" "64 ranks: $most"
finish
