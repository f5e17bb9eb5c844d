#!/bin/bash
# fuzz.sh SECONDS TARGET...: runs the built targets (build-fuzz/fuzz_TARGET), each for so long, and prints what each has executed
# and how many edges of the code it has reached. Ends at the first finding, whose input it names.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=$1
shift
for target in "$@"; do
  mkdir -p "build-fuzz/corpus/$target"
  log=build-fuzz/$target.log
  if ! "build-fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2560 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/$target-" "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target" 2>"$log"; then
    tail -n 40 "$log"
    exit 1
  fi
  read -r executed < <(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  read -r edges < <(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  read -r peak < <(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  printf '%-16s %9s executions %7s edges %5s MiB\n' "$target" "${executed:-0}" "${edges:-0}" "${peak:-0}"
done
