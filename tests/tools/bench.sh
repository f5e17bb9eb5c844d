#!/bin/bash
# Runs every benchmark that was built, with the facts of the machine on top: bench.sh [BUILD]
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}

fact() { printf '%-13s %s\n' "$1:" "${2:-unknown}"; }
fact processor "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
fact cores "$(nproc)"
fact load "$(cut -d ' ' -f 1-3 /proc/loadavg) (a busy machine makes poor timings)"
level=$("$build/vocabench" version 2>/dev/null | sed -n 's/^instruction set: \([^;]*\).*/\1/p')
fact instructions "$level${VOCABENCH_ISA:+ (VOCABENCH_ISA)}"
fact threads "${OMP_NUM_THREADS:-$(nproc)}${OMP_NUM_THREADS:+ (OMP_NUM_THREADS)}"
fact compiler "$("${MPICC:-mpicc}" --version 2>/dev/null | head -n 1)"
fact vocabench "$("$build/vocabench" version 2>/dev/null | head -n 1)"

ran=0 failed=0
for bench in "$build"/tests/bench/bench_* tests/bench/bench_*.sh; do
  if ! [ -x "$bench" ] || ! [ -f "$bench" ]; then continue; fi
  printf '\n== %s\n' "$(basename "$bench")"
  ran=$((ran + 1))
  VOCABENCH_BUILD=$build "$bench" </dev/null || { echo "$(basename "$bench") ended with code $?" >&2; failed=$((failed + 1)); }
done
if [ $ran = 0 ]; then echo "no benchmarks under $build/tests/bench; make bench builds and runs them" >&2; exit 1; fi
printf '\n%d benchmarks, %d failed\n' $ran $failed
[ $failed = 0 ]
