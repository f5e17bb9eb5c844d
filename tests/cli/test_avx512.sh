#!/bin/bash
# The kernels for AVX-512, VNNI and BF16 on any processor with AVX2: their sources as they stand, with instructions written in
# AVX2 (tests/emulator/), give the bits of the scalar reference. `make emulate` has the tests of models, too.
. "$(dirname "$0")/../lib.sh"
[ "$(uname -m)" = x86_64 ] || { skip "AVX-512 in AVX2" "a processor other than x86-64"; finish; }
grep -qw avx2 /proc/cpuinfo || { skip "AVX-512 in AVX2" "this processor has no AVX2"; finish; }
[ -x "$build/emulated/test_gemm" ] || { skip "AVX-512 in AVX2" "not built: libsimde-dev is not there"; finish; }
for test in test_{align,attention,bf16x3,coder,confidence,conv,cover,depthwise,features,gemm,layers,scan,similarity,winograd}; do
  check "$test" "$here/tests/tools/emulate.sh" "$build" avx512 "$test"
done
# Where both levels have a kernel of one thing the highest counts.
export VOCABENCH_ISA=avx512
check "test_coder without VNNI" "$here/tests/tools/emulate.sh" "$build" avx512 test_coder
finish
