#!/bin/bash
# What a machine with an accelerator is asked, within five minutes: gpu_check.sh BUILD
#   the list of devices, each with its self-check; models of all fixtures on the device against the CPU, byte for byte; bench-gpu.
# Needs BUILD/vocabench and BUILD/tests/bench/gpu_ours, which may have been built elsewhere, and nothing that compiles. Fixtures
# and repositories lie in $VOCABENCH_SHARED (../shared). CHECK_SECONDS (120): no further model is begun after that.
set -u
build=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${VOCABENCH_SHARED:-$here/../shared}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
vocabench=$build/vocabench limit=${CHECK_SECONDS:-120} failed=0 equal=0

"$vocabench" devices || exit
echo
SECONDS=0

# compare NAME WHAT INPUT FLAGS...: `encode` on the device and on the CPU.
compare() {
  local name=$1 what=$2 input=$3 kind; shift 3
  for kind in cpu gpu; do
    "$vocabench" encode "$what" "$@" --input "$input" --device $kind --output "$scratch/$kind.npy" >"$scratch/log" 2>&1 ||
      { echo "FAILED  $name, $what on $kind: $(grep -v note: "$scratch/log" | tail -n 1)"; failed=$((failed + 1)); return; }
  done
  if cmp -s "$scratch/cpu.npy" "$scratch/gpu.npy"; then equal=$((equal + 1))
  else echo "DIFFERS $name, $what"; failed=$((failed + 1)); fi
}

# Every fixture as docs/models.md has it opened, then the folders of repositories.
fixtures=$shared/fixtures
clip=(--activation quick_gelu)
models=("clip-vit $fixtures/clip-vit/model.safetensors" "clip-rn $fixtures/clip-rn/model.safetensors"
  "slip-vit $fixtures/slip-vit/checkpoint.pt" "declip-vit $fixtures/declip-vit/checkpoint.pth.tar")
for folder in "$shared"/zoo/repos/*/; do
  [ ! -e "$folder/config.json" ] && [ ! -e "$folder/open_clip_config.json" ] || models+=("$(basename "$folder") $folder")
done
printf 'a photo of a bear.\na chair on a table\nthe sea, at night\n' >"$scratch/texts.txt"
tried=0
for model in "${models[@]}"; do
  name=${model%% *} weights=${model#* }
  [ -e "$weights" ] || continue
  if [ $SECONDS -gt "$limit" ]; then echo "not tried, $limit s are over: $name"; continue; fi
  tried=$((tried + 1)) flags=(--weights "$weights") words=()
  case $name in clip-*) flags+=("${clip[@]}") ;; esac
  [ -d "$weights" ] || words=(--tokenizer "$shared/reference/bpe_simple_vocab_16e6.txt.gz")
  compare "$name" images "$fixtures/images" "${flags[@]}"
  compare "$name" texts "$scratch/texts.txt" "${flags[@]}" "${words[@]}"
done
[ $tried != 0 ] || echo "no fixtures under $shared: models are not compared; VOCABENCH_SHARED names their folder"
echo "models on the device: $equal equal to the CPU byte for byte, $failed not, $SECONDS s"
echo
"$here/tests/bench/gpu.sh" "$build/tests/bench/gpu_ours" "$build" || failed=$((failed + 1))
if grep -q '"equal_to_cpu": false' "$build/bench-gpu.json" 2>/dev/null; then
  echo "DIFFERS a tower of bench-gpu"; failed=$((failed + 1))
fi
[ $failed = 0 ]
