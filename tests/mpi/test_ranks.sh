#!/bin/bash
# The same bytes on any number of ranks and threads and for any batch: results and per-image records, for folders, CIFAR binaries and
# shards.
# shellcheck disable=SC2015 # pass and fail never fail
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- made data: everything in one experiment --------------------------------------------------------------------
# 640 images in folders, 600 records, the same records packed in shards of 100, five images (one unit).
mkdir -p cifar
"$tools/make_data" images pics 20 32 && "$tools/make_data" cifar cifar/test.bin 20 600 && "$tools/make_data" images five 5 1 &&
  "$tools/make_data" model m.safetensors && "$tools/make_data" tokenizer tok || fail "test data"
check "pack" "$vocabench" pack --input cifar/test.bin --output packed --samples-per-shard 100
cat >v.yaml <<'E'
name: v
vocabularies:
  animals: [bear, dolphin, elephant, hamster, rabbit, whale, wolf, worm]
  things: [apple, chair, keyboard, lamp, orange, table, train, unicorn]
  places: [forest, maple_tree, palm tree, sea]
  # girl is in none
E
cat >five.yaml <<'E'
name: five
vocabularies: {some: [apple, bear], more: [chair, dolphin, elephant]}
E
cat >e.yaml <<'E'
experiment: ranks
per_image: true
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: packed, images: packed, vocabularies: v.yaml}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, weights: m.safetensors, tokenizer: tok, prompts: cifar100}
E
run_at() { # run_at RANKS BATCH THREADS FOLDER [FLAGS]
  local ranks=$1 batch=$2 threads=$3 folder=$4; shift 4
  mpi "$ranks" timeout 120 "$vocabench" run e.yaml --output "$folder" --batch "$batch" --threads "$threads" "$@" >stdout 2>stderr ||
    fail "run at $ranks ranks, batch $batch, $threads threads" "$(cat stderr)"
}
# like NAME A B: results less the run block, and the records, byte by byte.
like() {
  local name=$1 a=$2 b=$3 record
  cmp -s <(jq 'del(.run)' "$a/results.json") <(jq 'del(.run)' "$b/results.json") ||
    { fail "$name: results" "$(diff <(jq 'del(.run)' "$a/results.json") <(jq 'del(.run)' "$b/results.json") | head -n 10)"; return; }
  for record in "$a"/records/*; do cmp -s "$record" "$b/records/${record##*/}" || { fail "$name: ${record##*/}"; return; }; done
  cmp -s "$a/table.csv" "$b/table.csv" && cmp -s "$a/table.md" "$b/table.md" && pass "$name" || fail "$name: tables"
}
run_at 1 16 1 r1
[ "$(jq '.results | length' r1/results.json)" = 8 ] && pass "eight pairs" || fail "eight pairs" "$(cat stderr)"
jq -e '.results[0] | .images == 608 and .data.images_of_no_vocabulary == 32 and .data.classes_without_images == 1 and .acc_c > 0.02 and
  .acc_c < 0.98' \
  r1/results.json >/dev/null && pass "images and classes are counted" ||
    fail "images and classes are counted" "$(jq -c '.results[0].data' r1/results.json)"
[ "$(zstd -dcq r1/records/plain--folder.jsonl.zst | jq -c .image | sort -u | wc -l)" = 608 ] && pass "a record for every image" ||
  fail "a record for every image"
# The records say the same as the figures.
mean='group_by(.vocabulary) | map(map(if .own then 1 else 0 end) | add / length) | add / length * 1e9 | round'
[ "$(zstd -dcq r1/records/plain--cifar.jsonl.zst | jq -s "$mean")" = \
  "$(jq '.results[1].acc_c * 1e9 | round' r1/results.json)" ] && pass "Acc-C from the records" || fail "Acc-C from the records"
cmp -s <(jq '.results[1] | .acc_c, .acc_e, .theft, .vocabularies' r1/results.json) <(jq \
  '.results[2] | .acc_c, .acc_e, .theft, .vocabularies' r1/results.json) &&
  pass "shards give what the binary gives" || fail "shards give what the binary gives"
for ranks in 1 2 3 5 8; do
  for batch in 1 7 64; do
    for threads in 1 2; do
      rm -rf again && run_at $ranks $batch $threads again && like "$ranks ranks, batch $batch, $threads threads" r1 again
    done
  done
done
[ "$(jq '[.run.pairs[].units_encoded] | add' again/results.json)" = 230 ] && pass "every unit was encoded once, for both models" ||
  fail "every unit was encoded once, for both models" "$(jq -c '.run.pairs' again/results.json)"
run_at 5 7 1 again && like "from the cache" r1 again
[ "$(jq -c '[.run.pairs[] | .units_encoded + .images_encoded + .texts_encoded] | add' again/results.json)" = 0 ] &&
  pass "a second run encodes nothing" ||
  fail "a second run encodes nothing" "$(jq -c '.run.pairs' again/results.json)"
rm -rf again && run_at 3 7 1 again --set protocol=sampled && rm -rf more && run_at 8 1 2 more --set protocol=sampled &&
  like "sampled protocol" again more
rm -rf again && run_at 12 7 1 again && like "12 ranks, more than there are units" r1 again

# Broken images that are skipped: listed in one order, whoever met them.
head -c 100 pics/bear/000.jpg >broken && cp broken pics/bear/000.jpg && cp broken pics/worm/001.png && : >pics/worm/002.jpg
rm -rf s1 s5 && run_at 1 16 1 s1 --set datasets.folder.on_error=skip && run_at 5 7 2 s5 --set datasets.folder.on_error=skip &&
  like "skipped images" s1 s5
[ "$(jq -c '[.results[0].data.skipped[].sample]' s5/results.json)" = '["bear/000.jpg","worm/001.png","worm/002.jpg"]' ] &&
  pass "are listed" ||
  fail "are listed" "$(jq -c '.results[0].data' s5/results.json)"

# ---- real data --------------------------------------------------------------------------------------------------
need_shared data/cifar-100-binary "CIFAR-100 on several rank counts"
real=$shared/data/cifar-100-binary bpe=$shared/reference/bpe_simple_vocab_16e6.txt.gz
mkdir -p part && head -c $((3074 * 600)) "$real/test.bin" >part/test.bin && cp "$real/fine_label_names.txt" part/
check "pack CIFAR-100" "$vocabench" pack --input part/test.bin --output part/packed --samples-per-shard 128
cat >e.yaml <<E
experiment: cifar100
per_image: true
datasets:
  - {name: binary, images: part/test.bin, vocabularies: configs/vocabularies/cifar100.yaml}
  - {name: packed, images: "part/packed/*.tar.zst", vocabularies: configs/vocabularies/cifar100.yaml}
models:
  - name: clip-vit
    family: clip
    weights: $shared/fixtures/clip-vit/model.safetensors
    tokenizer: $bpe
    prompts: ["a photo of a {}."]
E
rm -rf c1 && run_at 1 16 1 c1
cmp -s <(jq '.results[0] | .acc_c, .acc_e, .theft, .vocabularies' c1/results.json) <(jq \
  '.results[1] | .acc_c, .acc_e, .theft, .vocabularies' c1/results.json) &&
  pass "CIFAR-100: shards give what the binary gives" || fail "CIFAR-100: shards give what the binary gives"
for shape in "2 1 1" "2 64 2" "3 7 1" "5 64 1" "8 7 2" "8 1 1"; do
  # shellcheck disable=SC2086 # three numbers
  rm -rf again && run_at $shape again && like "CIFAR-100 at: ranks, batch, threads $shape" c1 again
done

# ---- the trained model, all 10,000 images, once -----------------------------------------------------------------
model=$shared/models/cifar-tiny-rn
cat >e.yaml <<E
experiment: tiny
datasets: [{name: cifar100, images: $real/test.bin, vocabularies: configs/vocabularies/cifar100.yaml}]
models: [{name: tiny, family: clip, weights: $model.safetensors, tokenizer: $bpe, prompts: ["a photo of a {}."]}]
E
mpi 2 timeout 280 "$vocabench" run e.yaml --output tiny --threads 1 >stdout 2>stderr || fail "cifar-tiny-rn" "$(cat stderr)"
jq -e --slurpfile t "$model.expected.json" '.results[0] | . as $r | .images == 10000 and
  (["acc_c", "acc_e", "acc_s"] | all(. as $k | ($r[$k] - $t[0][$k] | fabs) < 0.0005))' tiny/results.json >/dev/null &&
  pass "cifar-tiny-rn: Acc-C, Acc-E, Acc-S" ||
    fail "cifar-tiny-rn" "$(jq -c '.results[0] | [.images, .acc_c, .acc_e, .acc_s]' tiny/results.json)"
jq -r --slurpfile t "$model.expected.json" '.results[0] | [.vocabularies[].acc_c] as $a | [$t[0].per_vocabulary[].acc_c] as $b |
  range($b | length) | ($a[.] - $b[.]) | fabs' tiny/results.json | awk '$1 > 0.0041 { bad = 1 } END { exit bad || NR != 20 }' &&
  pass "cifar-tiny-rn: every vocabulary" || fail "cifar-tiny-rn: every vocabulary"
head -c $((3074 * 100)) "$real/test.bin" >part/test.bin
check "the first hundred images" "$vocabench" encode images --weights "$model.safetensors" --input part/test.bin --output i.npy --raw
check "image embeddings of cifar-tiny-rn" "$tools/npy" compare i.npy "$model.first100_image_embeddings.npy" 0.99999 - - 100
jq -r '.[] | if type == "object" then .classes[] else .[] end' "$shared/reference/cifar100_vocabularies.json" 2>/dev/null |
  sed 's/_/ /g; s/.*/a photo of a &./' >texts.txt
check "the texts of the classes" "$vocabench" encode texts --weights "$model.safetensors" --tokenizer "$bpe" --input texts.txt --output \
  t.npy --raw
check "text embeddings of cifar-tiny-rn" "$tools/npy" compare t.npy "$model.text_embeddings.npy" 0.99999 - -
finish
