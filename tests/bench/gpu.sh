#!/bin/bash
# Our kernels on a device, and PyTorch on the same one: gpu.sh GPU_OURS BUILD
#   GPU_DEVICE: its number in `vocabench devices` (0). GPU_LAYERS, GPU_BATCH, GPU_CORPUS: sizes; 0: full ones on a GPU, small ones
#   on a processor. GPU_TORCH: a Python that has PyTorch (python3).
# Results: BUILD/bench-gpu.json. Without OpenCL or a device it says so and ends well.
set -u
ours=$1 out=$2/bench-gpu.json
here=$(cd "$(dirname "$0")" && pwd)
rm -f "$out"
"$ours" "$out" "${GPU_DEVICE:-0}" "${GPU_LAYERS:-0}" "${GPU_BATCH:-0}" "${GPU_CORPUS:-0}"
code=$?
if [ $code = 10 ]; then echo "bench-gpu: no device to measure: skipped"; exit 0; fi
[ $code = 0 ] || exit $code
echo
python=${GPU_TORCH:-python3}
if command -v "$python" >/dev/null; then "$python" "$here/gpu_torch.py" "$out" || exit
else echo "bench-gpu: no Python ($python): PyTorch is not compared"; fi
echo "results: $out"
