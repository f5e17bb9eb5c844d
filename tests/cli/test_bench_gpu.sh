#!/bin/bash
# make bench-gpu and check-gpu where something is missing: a device, PyTorch, fixtures; and their files.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
bench=$here/tests/bench
mkdir nothing build
check "a machine without OpenCL: bench-gpu ends well" \
  env OCL_ICD_VENDORS="$scratch/nothing" "$bench/gpu.sh" "$build/tests/bench/gpu_ours" build
OCL_ICD_VENDORS=$scratch/nothing "$bench/gpu.sh" "$build/tests/bench/gpu_ours" build >out 2>err
has_line "and says what it left out" "bench-gpu: no device to measure: skipped" out
like "and why" 'gpu_ours: .*(install|no OpenCL)' err
[ ! -e build/bench-gpu.json ]; verdict $? "and writes nothing"
OCL_ICD_VENDORS=$scratch/nothing refuses "check-gpu without a device" 10 'install' "$bench/gpu_check.sh" "$build"

# A player of our own, which has measured; PyTorches that are none, that see no GPU, and that compute.
cat >ours <<'E2'
#!/bin/sh
[ "$2 $3 $4 $5" = "1 2 0 300" ] || exit 2
cat >"$1" <<'E3'
{"processor": PROCESSOR, "peak_gflops": 1, "towers": [], "torch": null,
 "retrieval": {"rows": 300, "dim": 8, "top_k": 3, "queries": []}}
E3
E2
chmod +x ours; mkdir -p none blind
echo 'raise ImportError("none here")' >none/torch.py
printf '__version__ = "9"\nclass cuda:\n    def is_available(): return False\n' >blind/torch.py
race() { # race PROCESSOR MODULES
  sed "s/PROCESSOR/$1/" ours >player; chmod +x player
  PYTHONPATH=$2 GPU_DEVICE=1 GPU_LAYERS=2 GPU_CORPUS=300 GPU_TORCH=/usr/bin/python3 "$bench/gpu.sh" ./player build >out 2>err
}
race false none; code=$?
equal "without PyTorch it ends well" "$code" 0 "$(cat err)"
like "and says so" '^PyTorch cannot be imported: none here$' out
equal "and the file does" "$(jq -r .torch.skipped build/bench-gpu.json)" "PyTorch cannot be imported: none here"
race false blind
equal "a PyTorch that sees no GPU" "$(jq -r .torch.skipped build/bench-gpu.json)" \
  "PyTorch 9 sees no GPU (torch.cuda.is_available() is false)"
# check-gpu fails by a tower of bench-gpu alone, if it has other bits.
mkdir -p free/tests/bench
printf '#!/bin/sh\necho a device\n' >free/vocabench; chmod +x free/vocabench
for bits in true false; do
  # shellcheck disable=SC2016 # the other shell expands
  printf '#!/bin/sh\necho %s >"$1"\n' "'{\"towers\": [{\"equal_to_cpu\": $bits}]}'" >free/tests/bench/gpu_ours
  chmod +x free/tests/bench/gpu_ours
  VOCABENCH_SHARED=$scratch/nothing GPU_TORCH=none/python "$bench/gpu_check.sh" free >out 2>err
  equal "check-gpu: towers equal to the CPU: $bits" "$? $(grep -c '^DIFFERS a tower' out)" \
    "$([ $bits = true ] && echo 0 0 || echo 1 1)" "$(cat out err)"
done
printf '#!/bin/sh\nexit 8\n' >player; "$bench/gpu.sh" ./player build >out 2>err
equal "a device that fails is told by the code" $? 8
finish
