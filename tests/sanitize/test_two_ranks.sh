#!/bin/bash
# For `make tsan`: what runs on several threads, on two ranks of three threads, gives the bytes of one rank on one thread. The
# sanitizer's reports are what counts: every threaded part is passed through, at the cost of a few small runs.
# shellcheck disable=SC2317 # functions are called through check
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
limit=300
make_data images pics 20 4; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
cat >e.yaml <<'E'
experiment: e
per_image: true
on_cut: allow
analyses: [margin, similarity, alignment, uniformity, spectrum, order]
datasets: [{name: d, images: pics, vocabularies: v.yaml, on_unmatched: skip}]
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     prompts: ["a photo of a {}.", "the {}"]}
  - {name: three, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,
     precision: bf16x3, prompts: ["a {}."]}
E
# Convolutions, through Winograd's transforms too.
rn=$shared/fixtures/clip-rn/model.safetensors bpe=$shared/reference/bpe_simple_vocab_16e6.txt.gz
if [ -e "$rn" ]; then
  printf '  - {name: rn, family: clip, activation: quick_gelu, weights: %s, tokenizer: %s, prompts: ["a {}."]}\n' \
    "$rn" "$bpe" >>e.yaml
else skip "a ResNet" "no fixtures in the shared data folder"; fi
run_at 1 e.yaml --output one --threads 1 --batch 1
run_at 2 e.yaml --output two --threads 3 --batch 5 && agree "two ranks, three threads" one two
run_at 2 e.yaml --output two --resume --threads 3 && agree "resumed" one two
mkdir copies
run_at 2 e.yaml --output staged --threads 2 --scratch "$scratch/copies" && agree "staged" one staged

# Threads that are at work when their rank ends, or when another fails.
VOCABENCH_FAULT=unit:2:kill@1 mpi 2 timeout -k 5 $limit "$vocabench" run e.yaml --output killed --threads 3 >stdout 2>stderr
verdict "$((! $?))" "a rank is killed"
run_at 2 e.yaml --output killed --threads 3 && agree "after a kill" one killed
for fault in decode:3:EIO read:9:EIO alloc:700:ENOMEM; do
  VOCABENCH_FAULT=$fault@1 mpi 2 timeout -k 5 $limit "$vocabench" run e.yaml --output failed --threads 3 >stdout 2>stderr
  code=$?; [ $code != 124 ] && [ $code != 137 ]; verdict $? "$fault: no hang" "$(cat stderr)"
done

# Scans of embeddings, and their copies in eight bits.
mkdir corpus
for i in 0 1 2; do must "$tools/npy" random corpus/$i.npy 2000 48 $((i + 1)); done
must "$tools/npy" random q.npy 9 48 7
retrieve() { mpi "$1" timeout -k 5 "$limit" "$vocabench" retrieve --queries q.npy --top-k 20 "${@:2}" >stdout 2>stderr; }
check "retrieve on one thread" retrieve 1 --corpus corpus --threads 1 --output one.zst --ids one.npy
check "retrieve" retrieve 2 --corpus corpus --threads 3 --output two.zst --ids two.npy
same "retrieve: two ranks, three threads" one.npy two.npy
check "pack --quantize" mpi 2 timeout -k 5 $limit "$vocabench" pack --quantize int8 --input corpus --output coded --threads 3
check "retrieve in eight bits" retrieve 2 --corpus corpus --quantized coded --threads 3 --output q.zst --ids q8.npy
same "retrieve in eight bits: the same" one.npy q8.npy
finish
