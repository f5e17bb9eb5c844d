#!/bin/bash
# Memory that the ranks of a machine share, and the weights in it: made once a machine, the same embeddings, no rank left waiting.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
check "three ranks share memory" mpi 3 "$build/tests/unit/mpi/test_node_memory"

make_data images pics 4 3; make_data model m.safetensors
encode() { # RANKS BATCH OUTPUT: of the pictures
  timeout -k 5 $minute mpirun --oversubscribe -n "$1" "$vocabench" encode images --weights m.safetensors --activation quick_gelu \
    --input pics --output "$3" --batch "$2" --threads 1
}
must encode 1 4096 plain.npy # more rows than weights are kept for
for ranks in 1 3; do
  must encode $ranks 1 kept.npy
  same "$ranks rank(s): kept weights change no byte" plain.npy kept.npy
done
for rank in 0 1 2; do # the file of rank 0, and each rank's map; before them weights are mapped
  told=no code=8
  for ((n = 1; code == 8 && n < 9; n++)); do
    VOCABENCH_FAULT=mmap:$n:ENOMEM@$rank encode 3 1 fault.npy >/dev/null 2>err; code=$?
    ! grep -q "no shared memory" err || told=yes
  done
  equal "no memory to share on rank $rank: all end, with the reason" "$told, then $code" "yes, then 0" "$(cat err)"
done
finish
