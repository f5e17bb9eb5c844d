#!/bin/bash
# Models on devices that OpenCL offers (PoCL here): the bytes of the CPU alone, mixed, after a kill, a
# signal and faults; one that differs; machines without.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
export XDG_CACHE_HOME=$build/tests/device-cache # programs are built once for all runs of this test
mkdir -p "$XDG_CACHE_HOME" nothing
make_data images pics 20 10; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment devices >e.yaml
run_at 2 e.yaml --output whole
equal "without a device the results say so" "$(query whole '.run.devices|unique|join(" ")')" cpu

# ---- a machine without drivers, or without the loader's library -------------------------------------------------
export OCL_ICD_VENDORS=$scratch/nothing
refuses "no driver: gpu says what to install" 10 'install the device.s driver .*pocl-opencl-icd|install its loader' \
  "$vocabench" run e.yaml --output none --device gpu
refuses "devices does too" 10 'install' "$vocabench" devices
run e.yaml --output auto --device auto
agree "auto goes on with the CPU" whole auto
unset OCL_ICD_VENDORS

"$vocabench" devices >list 2>err ||
  { skip "models on a device" "$(head -n 1 err)"; finish; }
like "a device proves itself" 'check +equal to the CPU, bit for bit' list
like "its memory and units are told" 'memory +[0-9.]+ GiB, buffers' list

# ---- the same bytes ---------------------------------------------------------------------------------------------
run_at 2 e.yaml --output gpu --device gpu
agree "a device at 2 ranks" whole gpu
unlike "the results name it" '^cpu' <(query gpu '.run.devices[]')
equal "and the option" "$(query gpu .run.options.device)" gpu
mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output mixed --device gpu : \
  -n 1 "$vocabench" run e.yaml --output mixed --device cpu >stdout 2>stderr
verdict $? "ranks with and without a device" "$(cat stderr)"
agree "the same bytes" whole mixed
equal "one of the two had one" "$(query mixed '[.run.devices[]|. == "cpu"]|unique|length')" 2

for what in images texts; do
  input=pics; [ $what = images ] || { printf 'a bear\na chair on a table\n' >t.txt; input=t.txt; }
  for device in cpu gpu; do
    must "$vocabench" encode $what --weights m.safetensors --tokenizer tok --activation quick_gelu --input $input \
      --device $device --output $what-$device.npy
  done
  same "encode $what: the same bytes" $what-cpu.npy $what-gpu.npy
done

# ---- a device that differs: the start-up check leaves out a kernel ----------------------------------------------
VOCABENCH_FAULT=device-launch:1:short refuses "a device that differs is refused" 11 'operation [a-z]+ gives other bits' \
  "$vocabench" run e.yaml --output strict --device gpu
VOCABENCH_FAULT=device-launch:1:short@1 run_at 2 e.yaml --output differs --device gpu --device-check tolerate
like "a tolerated one is told of" 'warning: device .* gives other bits' stderr
equal "the results name it, and it alone" "$(query differs '[.run.devices[]|test("; tolerated: ")]|tostring')" '[false,true]'
agree "the other kernels are right" whole differs
units=$(cached differs)
run e.yaml --output differs --resume --device cpu
equal "--resume takes no pair of it for the CPU's" "$(query differs '.run.pairs|length')" 1
equal "nor a unit or text that either rank has made" "$units, $(cached differs)" "$(cached whole), $((2 * $(cached whole)))"
VOCABENCH_FAULT=device-launch:1:short run e.yaml --output differs --resume --device gpu --device-check tolerate
equal "nor the CPU's pairs for its own" "$(query differs '.run.pairs|length')" 1
equal "what it made with more ranks is found" "$(cached differs)" "$((2 * units))"
VOCABENCH_FAULT=device-launch:1:short run e.yaml --output differs --resume --device gpu --device-check tolerate
equal "and its own pair" "$(query differs '.run.pairs|length')" 0
VOCABENCH_FAULT=device-build:1+:EIO XDG_CACHE_HOME=$scratch/empty refuses "a compiler that fails: not tolerated either" 11 \
  CL_BUILD_PROGRAM_FAILURE "$vocabench" run e.yaml --output unbuilt --device gpu --device-check tolerate

# ---- killed, stopped, and what fails on the device --------------------------------------------------------------
VOCABENCH_FAULT=unit:2:kill@1 mpi 2 timeout 60 "$vocabench" run e.yaml --output cut --device gpu >stdout 2>stderr
verdict "$((! $?))" "a rank is killed"
run_at 1 e.yaml --output cut --device cpu
agree "the CPU goes on to the same bytes" whole cut
VOCABENCH_FAULT=device-launch:40+:EIO "$vocabench" run e.yaml --output failed --device gpu >stdout 2>stderr; code=$?
equal "a device that fails ends the run with its code" $code 8
like "and says what failed" 'kernel [a-z_]+: .*CL_OUT_OF_RESOURCES' stderr
run e.yaml --output failed
agree "the CPU goes on after it" whole failed
VOCABENCH_FAULT=device-alloc:400:ENOMEM run e.yaml --output small --device gpu
agree "little memory, smaller pieces" whole small
VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output stopped --device gpu >stdout 2>stderr & job=$!
while kill -0 $job 2>/dev/null && [ "$(cached stopped)" = 0 ]; do sleep 0.05; done
kill -USR1 $job; stops $job
equal "a driver does not take our signals" "$code" 75 "$(cat stderr)"
finish
