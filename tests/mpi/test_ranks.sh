#!/bin/bash
# The same bytes on any number of ranks and threads and for any batch: results and per-image records, for folders, CIFAR
# binaries and shards.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- made data: everything in one experiment --------------------------------------------------------------------
# 320 images in folders, 300 records, the same records packed in shards of 50, five images (one unit).
mkdir -p cifar
make_data images pics 20 16; make_data cifar cifar/test.bin 20 300; make_data images five 5 1
make_data model m.safetensors; make_data tokenizer tok
check "pack" "$vocabench" pack --input cifar/test.bin --output packed --samples-per-shard 50
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
on_cut: allow
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml, on_unmatched: skip}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml, on_unmatched: skip}
  - {name: packed, images: packed, vocabularies: v.yaml, on_unmatched: skip}
  - {name: five, images: five, vocabularies: five.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: cifar100}
E
# sized RANKS BATCH THREADS FOLDER [FLAGS]: a run of e.yaml.
sized() { run_at "$1" e.yaml --output "$4" --batch "$2" --threads "$3" "${@:5}"; }
sized 1 16 1 r1
equal "eight pairs" "$(jq '.results | length' r1/results.json)" 8 "$(cat stderr)"
holds "images and classes are counted" '.results[0] | .images == 304 and .data.images_of_no_vocabulary == 16 and
  .data.classes_without_images == 1 and .acc_c > 0.02 and .acc_c < 0.98' \
  r1/results.json "$(jq -c '.results[0].data' r1/results.json)"
equal "a record for every image" "$(zstd -dcq r1/records/plain--folder.jsonl.zst | jq -c .image | sort -u | wc -l)" 304
# The records say the same as the figures.
mean='group_by(.vocabulary) | map(map(if .own then 1 else 0 end) | add / length) | add / length * 1e9 | round'
equal "Acc-C from the records" \
  "$(zstd -dcq r1/records/plain--cifar.jsonl.zst | jq -s "$mean")" "$(jq '.results[1].acc_c * 1e9 | round' r1/results.json)"
of_vocabularies() { query "$1" ".results[$2] | .acc_c, .acc_e, .theft, .vocabularies"; } # of_vocabularies FOLDER PLACE
same "shards give what the binary gives" <(of_vocabularies r1 1) <(of_vocabularies r1 2)
# Each number of ranks with each batch, and each of them with one thread and with two.
threads=1
for ranks in 1 2 3 5 8; do
  for batch in 1 7 64; do
    threads=$((3 - threads))
    rm -rf again && sized $ranks $batch $threads again && agree "$ranks ranks, batch $batch, $threads threads" r1 again
  done
done
equal "every unit was encoded once, for both models" "$(jq '[.run.pairs[].units_encoded] | add' again/results.json)" 119 \
  "$(jq -c '.run.pairs' again/results.json)"
sized 5 7 1 again && agree "from the cache" r1 again
equal "a second run encodes nothing" \
  "$(jq -c '[.run.pairs[] | .units_encoded + .images_encoded + .texts_encoded] | add' again/results.json)" 0 \
  "$(jq -c '.run.pairs' again/results.json)"
rm -rf again && sized 3 7 1 again --set protocol=sampled && rm -rf more && sized 8 1 2 more --set protocol=sampled &&
  agree "sampled protocol" again more
rm -rf again && sized 12 7 1 again && agree "12 ranks, more than there are units" r1 again

# Broken images that are skipped: listed in one order, whoever met them.
head -c 100 pics/bear/000.jpg >broken && cp broken pics/bear/000.jpg && cp broken pics/worm/001.png && : >pics/worm/002.jpg
rm -rf s1 s5 && sized 1 16 1 s1 --set datasets.folder.on_error=skip && sized 5 7 2 s5 --set datasets.folder.on_error=skip &&
  agree "skipped images" s1 s5
equal "are listed" "$(jq -c '[.results[0].data.skipped[].sample]' s5/results.json)" \
  '["bear/000.jpg","worm/001.png","worm/002.jpg"]' "$(jq -c '.results[0].data' s5/results.json)"

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
    activation: quick_gelu
    weights: $shared/fixtures/clip-vit/model.safetensors
    tokenizer: $bpe
    prompts: ["a photo of a {}."]
E
rm -rf c1 && sized 1 16 1 c1
same "CIFAR-100: shards give what the binary gives" <(of_vocabularies c1 0) <(of_vocabularies c1 1)
for shape in "2 1 1" "2 64 2" "3 7 1" "5 64 1" "8 7 2" "8 1 1"; do
  # shellcheck disable=SC2086 # three numbers
  rm -rf again && sized $shape again && agree "CIFAR-100 at: ranks, batch, threads $shape" c1 again
done

# ---- the trained model; its figures on all 10,000 images: tests/cli/test_golden.sh ------------------------------------
model=$shared/models/cifar-tiny-rn
head -c $((3074 * 100)) "$real/test.bin" >part/test.bin
check "the first hundred images" \
  "$vocabench" encode images --weights "$model.safetensors" --activation quick_gelu --input part/test.bin --output i.npy --raw
check "image embeddings of cifar-tiny-rn" "$tools/npy" compare i.npy "$model.first100_image_embeddings.npy" 0.99999 - - 100
jq -r '.[] | if type == "object" then .classes[] else .[] end' "$shared/reference/cifar100_vocabularies.json" 2>/dev/null |
  sed 's/_/ /g; s/.*/a photo of a &./' >texts.txt
check "the texts of the classes" \
  "$vocabench" encode texts --weights "$model.safetensors" --activation quick_gelu \
    --tokenizer "$bpe" --input texts.txt --output t.npy --raw
check "text embeddings of cifar-tiny-rn" "$tools/npy" compare t.npy "$model.text_embeddings.npy" 0.99999 - -
finish
