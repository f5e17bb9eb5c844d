#!/bin/bash
# Files that change during a run: one line that names the file and what is different, nothing computed from them is kept, and
# with the old file back the next run is right.
# shellcheck disable=SC2317 # functions are called by `changes`
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 20 26; make_data model m.safetensors; make_data tokenizer tok
mkdir cifar; make_data cifar cifar/test.bin 20 600
made_vocabularies
plain_experiment changed >e.yaml
sed 's,images: pics,images: cifar/test.bin,' e.yaml >c.yaml
run_at 2 e.yaml --output whole; run_at 2 c.yaml --output cifar-whole
find pics -type f | sort >names
# Embeddings made elsewhere: 40 units.
numbers() { awk -v s="$1" -v n="$2" 'BEGIN { srand(s); for (i = 0; i < n; i++) print 2 * rand() - 1 }'; }
awk -F/ '{ print $2 }' names | sort -u >classes.txt
numbers 1 $((10240 * 4)) | floats p.npy 4; numbers 2 $(($(wc -l <classes.txt) * 4)) | floats t.npy 4
seq 1 10240 | awk '{ print $1 % 20 }' >labels; must "$tools/npy" numbers y.npy i8 labels
cat >p.yaml <<'E'
experiment: precomputed
per_image: true
threads: 1
datasets: [{name: folder, vocabularies: v.yaml}]
models: [{name: made, family: precomputed, image_embeddings: p.npy, text_embeddings: t.npy, text_names: classes.txt,
  labels: y.npy,
  label_names: classes.txt}]
E
run_at 2 p.yaml --output made-whole

# changes NAME EXPERIMENT WHOLE FILE PATTERN COMMAND...: the command is run amid the run.
changes() {
  local name=$1 experiment=$2 whole=$3 file=$4 pattern=$5 job code; shift 5
  rm -rf o; cp -p "$file" kept
  VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 "$vocabench" run "$experiment" --output o >stdout 2>stderr </dev/null &
  job=$!
  for _ in $(seq 200); do compgen -G "o/records/*.parts/000000001.zst" >/dev/null && break; sleep 0.05; done
  "$@"; stops $job
  [ "$code" = 5 ] && grep -qE "^vocabench: rank [01]: .*$pattern" stderr && [ "$(grep -c '^vocabench: ' stderr)" = 1 ]
  verdict $? "$name: code 5, one line" "code $code" "$(cat stderr)"
  check "$name: no result" test ! -e o/results.json -a -z "$(compgen -G 'o/pairs/*.json')"
  cp -p kept "$file"; touch -r kept "$file"
  run_at 3 "$experiment" --output o --resume && agree "$name: right again with the old file" "$whole" o
}
zero_a_quarter() { # in place
  local size; size=$(stat -c %s "$1")
  dd if=/dev/zero of="$1" bs=1 seek=$((size / 2)) count=$((size / 4)) conv=notrunc status=none
}
changes "weights rewritten" e.yaml whole m.safetensors 'm.safetensors: changed during the run: the time of its content' \
  zero_a_quarter m.safetensors
changes "weights cut short" e.yaml whole m.safetensors 'm.safetensors: changed during the run: it had [0-9]+ bytes, it has 0' \
  truncate -s 0 m.safetensors
changes "weights cut a little" e.yaml whole m.safetensors 'm.safetensors: changed during the run: it had' \
  truncate -s -4096 m.safetensors
replace() { cp "$1" other; printf x >>other; mv other "$1"; }
changes "weights replaced" e.yaml whole m.safetensors 'm.safetensors: changed during the run: another file' replace m.safetensors
rewrite_quietly() { cp -p "$1" times; zero_a_quarter "$1"; touch -r times "$1"; }
changes "weights rewritten, the time put back" e.yaml whole m.safetensors \
  'm.safetensors: changed during the run: the time of its (content|state)' \
  rewrite_quietly m.safetensors
changes "a shard rewritten" c.yaml cifar-whole cifar/test.bin 'changed during the run' zero_a_quarter cifar/test.bin
image=$(tail -n 1 names)
changes "an image that was not read yet" e.yaml whole "$image" 'changed during the run' cp "$(head -n 1 names)" "$image"
image=$(head -n 1 names)
changes "an image that was read already" e.yaml whole "$image" 'changed during the run' cp "$(tail -n 1 names)" "$image"
changes "embeddings rewritten" p.yaml made-whole p.npy 'p.npy: changed during the run: the time' zero_a_quarter p.npy
changes "embeddings cut short" p.yaml made-whole p.npy 'p.npy: changed during the run: it had' truncate -s 4096 p.npy
changes "labels rewritten" p.yaml made-whole y.npy 'y.npy: changed during the run' zero_a_quarter y.npy
changes "a tokenizer that is replaced" e.yaml whole tok/merges.txt 'changed during the run' replace tok/merges.txt

# ---- changed behind all pairs, while files are hashed: none of the pairs stays ------------------------------------------
# Eight megabytes of blanks are no words of a tokenizer, and take more than three seconds of hashing.
cp -r tok wide; head -c 8000000 /dev/zero | tr '\0' ' ' >>wide/vocab.json
{ sed '/^models/,$d' e.yaml; cat <<'E'; } >both.yaml
models:
  - {name: wide, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: wide, prompts: ["a photo of a {}."]}
  - {name: same, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: wide, prompts: ["a {}."]}
E
run both.yaml --output both-whole
# behind COMMAND...: what is done to the image meanwhile. All is in the cache but the sums. A run that has ended before the change
# came is not the one that is meant: then once more.
behind() {
  for _ in 1 2 3 4 5 6; do
    rm -rf o both-whole/cache/sha256; cp -p "$image" kept
    VOCABENCH_FAULT=hash:1+:slow "$vocabench" run both.yaml --output o --cache both-whole/cache >stdout 2>stderr & job=$!
    while kill -0 $job 2>/dev/null && [ "$(compgen -G 'o/pairs/*.json' | wc -l)" != 2 ]; do sleep 0.05; done
    "$@"; stops $job
    cp -p kept "$image"; touch -r kept "$image"
    [ "$code" = 0 ] || break
  done
}
behind rm "$image"
equal "gone behind all pairs" "$code" 4 "$(cat stderr)"
like "and named" "^vocabench: .*${image//./\\.}: cannot stat: No such file" stderr
equal "and no pair stays" "$(compgen -G 'o/pairs/*.json')" ""
behind touch "$image"
equal "changed behind all pairs" "$code" 5 "$(cat stderr)"
like "and told" "^vocabench: model '.*' on dataset 'folder': files of its images, or of its corpus, changed during the run$" \
  stderr
equal "no pair stays" "$(compgen -G 'o/pairs/*.json')" ""

# ---- a cache that rots ------------------------------------------------------------------------------------------------
rm -rf o; run_at 2 e.yaml --output o
flipped=0
while IFS= read -r unit; do # a bit of a number
  flipped=$((flipped + 1))
  printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j200 -N1 "$unit") ^ 16)))" |
    dd of="$unit" bs=1 seek=200 conv=notrunc status=none
done < <(find o/cache -name '*.npy' | sort | sed -n '1~9p')
run_at 2 e.yaml --output o && agree "damaged units of a cache are not used" whole o
equal "but encoded again" "$(query o '[.run.pairs[] | .units_encoded + (if .texts_encoded > 0 then 1 else 0 end)] | add')" \
  $flipped

# ---- another file under the same path, of equal size and time ---------------------------------------------------
mkdir other; make_data cifar other/test.bin 20 600; cp -r other third
printf 'x' | dd of=third/test.bin bs=1 seek=100 conv=notrunc status=none
touch -d '2009-06-04 12:00' other/test.bin third/test.bin
ln -s other now; sed 's,images: pics,images: now/test.bin,' e.yaml >n.yaml
run_at 2 n.yaml --output now-1
digest='.results[0].data.images_digest'
ln -sfn third now; first=$(query now-1 "$digest")
run_at 2 n.yaml --output now-1 --resume; run_at 1 n.yaml --output now-2
unlike "its figures are not the other file's" "^$first$" <(query now-1 "$digest")
agree "they are its own" now-2 now-1
finish
