#!/bin/bash
# The unit tests of kernels that have instruction set levels, on a processor that this one is not:
# emulate.sh BUILD [CPU [TEST...]].
# CPU: max (AVX2; qemu 7.2 has no AVX-512) or one of `qemu-x86_64 -cpu help`, such as Nehalem, which has no AVX at all; or avx512:
# no qemu, but the kernels for AVX-512, VNNI and BF16 as they stand, compiled for AVX2 (tests/emulator/). TAP.
set -u
build=${1:?the build folder} cpu=${2:-max}
shift; [ $# = 0 ] || shift
cd "$(dirname "$0")/../.." || exit 1
if [ $# = 0 ]; then
  mapfile -t tests < <(grep -l vb_isa_limit tests/unit/kernels/test_*.c | sed 's,.*/,,; s,\.c$,,')
  set -- "${tests[@]}"
fi
export CMOCKA_MESSAGE_OUTPUT=TAP OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
program=(qemu-x86_64 -cpu "$cpu" "$build/tests/unit/kernels/")
[ "$cpu" != avx512 ] || program=("$build/emulated/")
export VOCABENCH_TEST_EMULATED=$cpu # what takes how long says nothing
failed=0
for test in "$@"; do
  out=$(timeout -k 5 "${EMULATE_SECONDS:-1800}" "${program[@]::${#program[@]}-1}" "${program[-1]}$test" 2>&1); code=$?
  if [ $code = 0 ] && grep -q '^ok ' <<<"$out"; then echo "ok - $test on $cpu: $(grep -c '^ok ' <<<"$out") tests"
  else echo "not ok - $test on $cpu: code $code"; tail -n 20 <<<"$out" | sed 's/^/# /'; failed=1; fi
done
exit $failed
