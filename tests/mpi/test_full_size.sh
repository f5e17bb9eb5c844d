#!/bin/bash
# Full-size models with random weights: they load and run, and 8 ranks hold one copy of the weights.
. "$(dirname "$0")/../lib.sh"
python=/usr/bin/python3
$python -c 'import torch' 2>/dev/null || { skip "full-size models" "python3-torch is not installed"; finish; }
need_shared fixtures/images "full-size models"
tokenizer=$shared/reference/bpe_simple_vocab_16e6.txt.gz
printf 'a photo of a cat.\na photo of a dog.\n' >"$scratch/texts.txt"

for model in RN101 ViT-B-16 ViT-L-14; do
  weights=$scratch/$model.pt
  $python "$here/tests/tools/make_full_size.py" $model "$weights" || { fail "$model is written"; continue; }
  check "$model: inspect" "$vocabench" inspect "$weights"
  check "$model: texts" \
    "$vocabench" encode texts --weights "$weights" --activation quick_gelu --tokenizer "$tokenizer" \
    --input "$scratch/texts.txt" --output "$scratch/t.npy"
  check "$model: images" \
    "$vocabench" encode images --weights "$weights" --activation quick_gelu \
    --input "$shared/fixtures/images" --output "$scratch/i.npy" --batch 4
  [ $model = ViT-L-14 ] || rm "$weights"
done

# Proportional set sizes add up to what the node holds: a shared page counts once.
node_memory() {
  local sum=0 pid part
  for pid in $(pgrep -f "^$vocabench encode images --weights $1"); do
    part=$(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup" 2>/dev/null)
    sum=$((sum + ${part:-0}))
  done
  echo "$sum"
}
# Peak memory of the node in kB while so many ranks encode the eight images, one unit each.
peak_of() {
  local ranks=$1 peak=0 now job
  mpi "$ranks" "$vocabench" encode images --weights "$weights" --activation quick_gelu \
    --input "$scratch/packed/*.tar.zst" --output "$scratch/i$ranks.npy" --batch 1 --threads 1 >"$scratch/log" 2>&1 &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    now=$(node_memory "$weights")
    [ "$now" -le "$peak" ] || peak=$now
    sleep 0.2
  done
  wait "$job" && echo "$peak"
}
weights=$scratch/ViT-L-14.pt
check "eight shards of one image" \
  "$vocabench" pack --input "$shared/fixtures/images" --output "$scratch/packed" --samples-per-shard 1
file=$(($(stat -c %s "$weights") / 1024)) one=$(peak_of 1) eight=$(peak_of 8)
same "ViT-L-14: the same embeddings at 1 and 8 ranks" "$scratch/i1.npy" "$scratch/i8.npy"
# Activations of a rank at a batch of one: 257 tokens, each with its row (1024), the normed row and the widest layer (4096), and
# the pixels. MPI, libraries and the products' tiles are what the 15 % are for.
activations=$((257 * (1024 + 1024 + 4096) * 4 / 1024 + 3 * 224 * 224 * 4 / 1024)) expected=$((file + 8 * activations))
share=$((eight * 1000 / expected - 1000))
facts="weights $file kB + 8 x $activations kB of activations = $expected kB; measured: 1 rank $one kB, 8 ranks $eight kB"
[ "$one" -le $((file + activations + 100000)) ] && [ $share -le 150 ]
verdict $? "ViT-L-14: 8 ranks hold one copy of the weights, within $share per mille: $facts" "$share per mille more: $facts"
finish
