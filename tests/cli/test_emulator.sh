#!/bin/bash
# Processors that this machine is not, by qemu-user: one with AVX2 alone and one without any AVX choose their level, and kernels
# give the same bits there. All kernels where the processor itself lacks AVX2; `make emulate` does that anywhere.
. "$(dirname "$0")/../lib.sh"
[ "$(uname -m)" = x86_64 ] || { skip "other processors" "qemu-x86_64 is used on x86-64 only"; finish; }
command -v qemu-x86_64 >/dev/null || { skip "other processors" "qemu-user is not installed"; finish; }
[ -x "$build/tests/unit/kernels/test_dtype" ] || { skip "other processors" "the unit tests are not built"; finish; }
# level CPU WORD: the program's own finding, on a processor whose missing instructions would end it.
level() { like "on $1 the level is $2" "^instruction set: $2;" <<<"$(qemu-x86_64 -cpu "$1" "$vocabench" version 2>&1)"; }
level max avx2
level Nehalem scalar
kernels=(test_dtype test_confidence)
grep -qw avx2 /proc/cpuinfo || kernels+=(test_gemm test_conv test_attention test_layers test_scan test_similarity test_preprocess)
for cpu in max Nehalem; do
  check "kernels on $cpu: ${kernels[*]}" "$here/tests/tools/emulate.sh" "$build" $cpu "${kernels[@]}"
  [ $cpu != max ] || kernels=(test_dtype)
done
finish
