#!/bin/bash
# Injected failures at every kind of call, on one rank of three: no hang, one line, a documented code, nothing half-written, and
# a good rerun.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 20 26; make_data model m.safetensors; make_data tokenizer tok
cat >v.yaml <<'E'
name: v
vocabularies: {animals: [bear, dolphin, elephant], things: [apple, chair], places: [forest, sea]}
E
cat >e.yaml <<'E'
experiment: faults
per_image: true
latex: true
threads: 1
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}.", "a {}"]}]
E
limit=60
run_at 3 e.yaml --output whole
sums() { (cd "$1" && jq 'del(.run)' results.json && md5sum records/* table.*); }
sums whole >truth

# breaks FAULT CODES: one rank meets the fault. The codes that fit; 0 where the run may not come so far, or may do without.
breaks() {
  local fault=$1 codes=$2 code lines
  rm -rf cut
  VOCABENCH_FAULT=$fault mpi 3 timeout -k 5 $minute "$vocabench" run e.yaml --output cut >stdout 2>stderr; code=$?
  lines=$(grep -c '^vocabench: ' stderr)
  if [ $code = 124 ] || [ $code = 137 ]; then fail "$fault: hung" "$(cat stderr)"; return; fi
  [[ " $codes " == *" $code "* ]] ||
    { fail "$fault: code $code, expected one of $codes" "$(grep -a '^vocabench' stderr)"; return; }
  if [ $code = 0 ]; then
    [ "$lines" = 0 ] && sums cut | cmp -s - truth
    verdict $? "$fault: goes on" "$(cat stderr)"; return
  fi
  fired=$((fired + 1)); met+=" ${fault%%:*}"
  [ "$lines" = 1 ] || { fail "$fault: $lines lines instead of one" "$(cat stderr)"; return; }
  grep -qE "^vocabench: rank [0-2]: .{10}" stderr || { fail "$fault: the line names no rank" "$(cat stderr)"; return; }
  whole_files cut || { fail "$fault: a piece under a final name"; return; }
  [ -z "$(find cut -name '*.tmp' 2>/dev/null)" ] ||
    { fail "$fault: a temporary file is left" "$(find cut -name '*.tmp')"; return; }
  mpi 2 timeout -k 5 $minute "$vocabench" run e.yaml --output cut >stdout 2>stderr2 && sums cut | cmp -s - truth
  verdict $? "$fault: code $code, and a good rerun" "$(cat stderr2)"
}
fired=0 met=''
for n in 1 2 4; do
  breaks "write:$n:ENOSPC@$((n % 2))" "0 7"
  breaks "fsync:$n:EIO@$((n % 2))" "0 7"
  breaks "rename:$n:EACCES@$((n % 2))" "0 7"
done
breaks write:1+:short@1 0
breaks write:1+:ENOSPC 7
breaks open:1+:EACCES@2 4
for n in 1 3 9 40; do breaks "open:$n:EACCES@$((n % 3))" "0 4 7"; done
for n in 1 30 150; do breaks "read:$n:EIO@$((n % 3))" "0 4 5"; breaks "read:$n:short@$(((n + 1) % 3))" "0 5"; done
for n in 1 2; do breaks "mmap:$n:ENOMEM@$((n % 3))" "0 8"; done
for n in 1 3 8 21 55 144 377 987; do breaks "alloc:$n:ENOMEM@$((n % 3))" "0 8"; done
breaks alloc:1000+:ENOMEM@1 8
for n in 1 3 4 7 11 16; do breaks "mpi:$n:EIO@$((n % 3))" "0 9"; done
# A call of one rank alone, whose failure the others learn of in their next one, which is on another communicator.
for ((n = 76; n < 96; n++)); do
  breaks "mpi:$n:EIO@1" 9
  grep -q MPI_Comm_split_type stderr && break
done
check "a group's communicator was among them (call $n)" test $n -lt 96
for n in 1 2; do breaks "unit:$n:EIO@$n" "0 1"; done
breaks decode:3:EIO@1 "0 1"
breaks decode:1+:ENOMEM@2 "0 8"
check "faults were met ($fired)" test $fired -gt 30
for site in open read write fsync rename mmap alloc mpi unit decode; do
  has_text "a failing $site is not passed over" " $site" <<<"$met"
done

# ---- the other commands, on one rank: every call fails once -----------------------------------------------------
printf 'a bear\nan apple\n' >texts.txt
commands=("encode images --weights m.safetensors --activation quick_gelu --input pics --output x/o"
  "encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok --input texts.txt --output x/o"
  "tokenize --tokenizer tok --input texts.txt --output x/o"
  "preprocess --resolution 16 --input pics --output x/o"
  "pack --input pics --output x/o"
  "inspect pics" "inspect m.safetensors" "plan e.yaml")
for command in "${commands[@]}"; do
  rm -rf x; mkdir x
  # shellcheck disable=SC2086 # a command line
  must "$vocabench" $command
  for fault in open:1:EACCES open:3:EIO read:1:EIO read:2:short mmap:1:ENOMEM alloc:2:ENOMEM alloc:40:ENOMEM alloc:400:ENOMEM \
    write:1:ENOSPC fsync:1:EIO rename:1:EIO; do
    rm -rf x; mkdir x
    # shellcheck disable=SC2086 # a command line
    VOCABENCH_FAULT=$fault timeout -k 5 $minute "$vocabench" $command >stdout 2>stderr; code=$?
    [ $code = 0 ] && continue
    case ${fault%%:*}:$code in
      write:7 | fsync:7 | rename:7 | alloc:8 | mmap:8 | open:4 | open:7 | read:4 | read:5) ;;
      *) fail "$fault: $command" "code $code" "$(cat stderr)"; continue ;;
    esac
    [ "$(grep -c '^vocabench: .' stderr)" = 1 ] || { fail "$fault: $command: one line" "$(cat stderr)"; continue; }
    # A folder synced after the rename is a whole file; everything else leaves nothing.
    equal "$fault: ${command%% --*}" "$(find x -type f ! -name '*.tar.zst')" "" "$(find x -type f)"
  done
done

# ---- a disk that is really full ---------------------------------------------------------------------------------
mkdir -p small
if mount -t tmpfs -o size=64k none small 2>/dev/null; then
  trap 'umount "$scratch/small"; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
  cat >big.yaml <<'E'
experiment: big
on_cut: allow
datasets: [{name: folder, images: pics, vocabularies: v.yaml}]
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: cifar100}]
E
  mpi 3 timeout -k 5 $minute "$vocabench" run big.yaml --output small/o >stdout 2>stderr; code=$?
  [ $code = 7 ] && grep -qE '^vocabench: rank [0-2]: .*small/o/.*No space left on device' stderr
  verdict $? "a full disk: code 7" "code $code" "$(cat stderr)"
  equal "nothing temporary is left on it" "$(find small -name '*.tmp')" ""
  mount -o remount,size=8m small && mpi 2 timeout -k 5 $minute "$vocabench" run big.yaml --output small/o >stdout 2>stderr
  verdict $? "and with room it goes on" "$(cat stderr)"
  umount small; trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
else
  skip "a full disk" "a tmpfs cannot be mounted here; a limit on file sizes stands in"
fi
# A limit on the size of files: the kernel's own error at write, where a signal would end the process.
(ulimit -f 8192; timeout -k 5 $minute "$vocabench" preprocess --resolution 96 --input pics --output big.npy >stdout 2>stderr)
code=$?
[ $code = 7 ] && grep -qE '^vocabench: big.npy: cannot write: File too large' stderr &&
  [ -z "$(find . -maxdepth 1 -name '*big.npy*')" ]
verdict $? "a file that may not grow: code 7" "code $code" "$(cat stderr)"
finish
