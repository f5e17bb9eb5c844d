#!/bin/bash
# Staging: weights and shards are copied to a scratch folder once a machine, read from there by all ranks, and removed at the end;
# what cannot be copied is read where it lies; a copy with a wrong byte is noticed; the same results always.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mkdir -p cifar more near
make_data cifar cifar/test.bin 20 400; make_data cifar more/test.bin 20 100
make_data images pics 20 2; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
must "$vocabench" pack --input pics --output shards --samples-per-shard 20
{
  plain_experiment staging | sed '/^datasets/,$d'
  cat <<'Y'
datasets:
  - {name: records, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: others, images: more/test.bin, vocabularies: v.yaml}
  - {name: shards, images: "shards/*.tar.zst", vocabularies: v.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
  - {name: gelu, family: clip, activation: gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}
Y
} >e.yaml
run_at 2 e.yaml --output truth
shards=$(compgen -G 'shards/*.tar.zst' | wc -l)

# Notes which processes open files in `near`, and spoils a byte of what is written there when SPOIL is set.
cat >watch.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const int mode = va_arg(list, int), write_only = flags & O_WRONLY;
    va_end(list);
    if (strstr(path, "/near/vocabench-") && !write_only) {
        FILE *log = fopen(getenv("WATCH"), "a");
        if (log) fprintf(log, "%d %s\n", (int)getpid(), strrchr(path, '/') + 1), fclose(log);
    }
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}
ssize_t write(int fd, const void *bytes, size_t n) {
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (getenv("SPOIL") && n > 1000 && readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/near/vocabench-"))
        ((char *)(size_t)bytes)[n / 2] ^= 1;
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, n);
}
C
must cc -shared -fPIC -o watch.so watch.c -ldl
# staged RANKS FOLDER [SCRATCH]: a run with staging under the watch.
staged() {
  rm -f watched
  LD_PRELOAD=$PWD/watch.so WATCH=$PWD/watched mpi "$1" timeout -k 5 $((2 * minute)) "$vocabench" run e.yaml --output "$2" \
    --scratch "${3:-$PWD/near}" >stdout 2>stderr || fail "run with staging" "$(cat stderr)"
}
staged 3 one
files=$((3 + shards))
like "all files are staged, once" "^vocabench: note: $files file\(s\) staged on 1 machine\(s\) in [0-9.]+ s$" stderr
agree "the same results" truth one
equal "the copies are gone" "$(ls near)" ""
equal "every rank has read the weights' copy" "$(grep ' 0$' watched | cut -d' ' -f1 | sort -u | wc -l)" 3 "$(cat watched)"
check "and several that of the records" test "$(grep ' 1$' watched | cut -d' ' -f1 | sort -u | wc -l)" -ge 2
holds "results tell of it" '.run.options.scratch | test("/near$")' one/results.json
run_at 1 e.yaml --output one --resume --scratch near
equal "keys are the originals': nothing is done again" "$(jq -c .run.pairs one/results.json)" '[]'

# ---- what cannot be copied is read where it lies ----------------------------------------------------------------
SPOIL=1 staged 2 spoilt
like "a copy with another byte is not taken" \
  "scratch .*near: $files of [0-9]+ file\(s\) are read where they lie: .*/0: read back it has other bytes$" stderr
equal "nor read but for the look at it" "$(grep -c ' [0-9][0-9]*$' watched)" "$files" "$(cat watched)"
agree "the same results again" truth spoilt
staged 2 none nowhere
has_text "no such folder" "scratch nowhere: no such folder: all is read where it lies" stderr
agree "and the same results" truth none
staged 2 none /proc
has_text "a folder that cannot be written to" "scratch /proc: cannot be written to: all is read where it lies" stderr
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  # 64 MiB are left free: in 65 there is room for the weights, not for all of the records.
  # shellcheck disable=SC2016 # the inner shell expands
  unshare --mount --propagation private sh -c 'mount -t tmpfs -o size=65m tmpfs near &&
    exec "$0" run e.yaml --output full --scratch near' "$vocabench" >stdout 2>stderr
  like "a disk without room for all: what fits, and a line of what does not" \
    "near: [0-9]+ of .*they lie.*test.bin: .* MB, and 6[0-9].[0-9] MB are free, of which 67.1 are to stay so$" stderr
  like "some are staged" "^vocabench: note: [1-9] file\(s\) staged on 1 machine\(s\)" stderr
  agree "the same results with some of them" truth full
else
  skip "a disk without room" "it takes root to mount one"
fi

# ---- killed, and changed meanwhile ------------------------------------------------------------------------------
VOCABENCH_FAULT=unit:2:kill "$vocabench" run e.yaml --output killed --scratch near >stdout 2>stderr
equal "a run that was killed leaves its copies" "$(find near -maxdepth 1 -name 'vocabench-*' | wc -l)" 1
mkdir near/vocabench-other elsewhere; echo mine >elsewhere/kept; ln -s ../elsewhere "near/vocabench-$(id -u)-linked"
others="vocabench-$(id -u)-linked vocabench-other"
[ "$(id -u)" != 0 ] || { mkdir near/vocabench-0-theirs; chown 12345 near/vocabench-0-theirs; others+=" vocabench-0-theirs"; }
run e.yaml --output killed --scratch near && agree "the next one has the right bytes" truth killed
equal "and removes them, nothing of others'" "$(ls near)" "$(tr ' ' '\n' <<<"$others" | LC_ALL=C sort)"
equal "nor what a link of such a name leads to" "$(ls elsewhere)" kept
rm -r near/vocabench-*
VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output changed --scratch near >stdout 2>stderr & job=$!
for ((i = 0; i < 300; i++)); do [ "$(cached changed)" -lt 2 ] || break; sleep 0.1; done
touch cifar/test.bin; wait $job
equal "an original that changes during the run is noticed all the same" $? 5 "$(cat stderr)"
like "and said" '^vocabench: .*changed during the run' stderr
equal "and the copies are gone" "$(ls near)" ""

# ---- MPI fails on one rank while the copies are told: none is left waiting ------------------------------------------
make_data images few 20 1; plain_experiment plain | sed 's/images: pics/images: few/' >p.yaml
codes='' calls=''
for n in {62..69}; do
  VOCABENCH_FAULT=mpi:$n:EIO@0 mpi 2 timeout -k 1 $minute "$vocabench" run p.yaml --output "mpi$n" --scratch near >stdout 2>stderr
  codes+=" $?" calls+=" $(grep -o 'MPI_[A-Za-z_]*: injected' stderr | head -n 1)"
done
equal "a failure of MPI ends all ranks" "$codes" " 9 9 9 9 9 9 9 9"
case $calls in *split_type:*Allreduce:*Bcast:*Bcast:*) true ;; *) false ;; esac
verdict $? "of each call that tells" "$calls"
finish
