#!/bin/bash
# Models on devices that OpenCL offers (PoCL here): the bytes of the CPU alone, mixed, after a kill, a
# signal and faults; one that differs; machines without.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
shared=$build/tests/device-cache # read only: a file that is written again, in place, ends those who have it mapped
export XDG_CACHE_HOME=$scratch/device-cache
mkdir -p "$shared" nothing
cp -R "$shared" device-cache 2>/dev/null # but what a compiler has just taken away
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
codes=
for n in {18..23}; do # while the ranks agree on their devices, and around that
  VOCABENCH_FAULT=mpi:$n:EIO "$vocabench" run e.yaml --output "auto$n" --device auto >stdout 2>stderr; codes+=" $?"
done
equal "but not past a failure of MPI" "$codes" " 9 9 9 9 9 9"
"$vocabench" plan e.yaml --output none --device gpu >planned 2>err
verdict $? "plan of a machine that has no device" "$(cat err)"
like "plan tells that the time is the CPU's" 'note: the time is the CPU.s, not a device.s: .*install' err
like "and gives one" '^time: .*measured here just now(,| for)' planned
unset OCL_ICD_VENDORS

"$vocabench" devices >list 2>err ||
  { skip "models on a device" "$(head -n 1 err)"; finish; }
like "a device proves itself" 'check +equal to the CPU, bit for bit' list
like "its memory and units are told" 'memory +[0-9.]+ GiB, buffers' list
like "and the tiles that were the fastest" 'tiles +large [0-9x/]+ [0-9x/]+, short .*, attention [0-9]+$' list

name=$(sed -n '1s/^0  \(.*\) (.*)$/\1/p' list)
"$vocabench" plan e.yaml --output none --device gpu --ranks 2 >planned 2>err
has_text "plan measures on the device" "measured here just now on $name" planned
like "and says what it will take there" '^memory on .*: about [0-9.]+ [kMG]B of [0-9.]+ [MGT]B for each group of ranks' planned

# ---- the same bytes ---------------------------------------------------------------------------------------------
tiles() { grep -l '^large ' "$XDG_CACHE_HOME"/vocabench/devices/*.blob; }
notes() { grep -c 'note: .*the fastest tiles are measured' stderr; }
tiles | xargs rm # earlier sources' too, which the cache of this build may have
run_at 2 e.yaml --output gpu --device gpu
equal "of two ranks one measures tiles" "$(notes)" 1 "$(cat stderr)"
agree "a device at 2 ranks" whole gpu
printf x | dd of="$(tiles)" bs=1 seek=40 conv=notrunc 2>/dev/null
unlike "the results name it" '^cpu' <(query gpu '.run.devices[]')
equal "and the option" "$(query gpu .run.options.device)" gpu
mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output mixed --device gpu : \
  -n 1 "$vocabench" run e.yaml --output mixed --device cpu >stdout 2>stderr
verdict $? "ranks with and without a device" "$(cat stderr)"
equal "a damaged choice of tiles is measured anew" "$(notes)" 1
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
VOCABENCH_FAULT=device-launch:1:short "$vocabench" plan e.yaml --output none --device gpu >planned 2>err
like "and plan tells the CPU's time instead" '^time: .*measured here just now(,| for)' planned
VOCABENCH_FAULT=device-launch:1:short@1 run_at 2 e.yaml --output differs --device gpu --device-check tolerate
like "a tolerated one is told of" 'warning: device .* gives other bits' stderr
equal "the results name it, and it alone" "$(query differs '[.run.devices[]|test("; tolerated: ")]|tostring')" '[false,true]'
agree "the other kernels are right" whole differs
"$vocabench" verify differs >verdict 2>&1
like "verify cannot encode again what it has made, and says why" 'sample.*computed by a device of other bits than the CPU' verdict
like "and that is a note" '^VALID: [0-9]+ looked at, [1-9][0-9]* could not be' verdict
units=$(cached differs)
run e.yaml --output differs --resume --device cpu
equal "--resume takes no pair of it for the CPU's" "$(query differs '.run.pairs|length')" 1
equal "nor a unit or text that either rank has made" "$units, $(cached differs)" "$(cached whole), $((2 * $(cached whole)))"
VOCABENCH_FAULT=device-launch:1:short run e.yaml --output differs --resume --device gpu --device-check tolerate
equal "nor the CPU's pairs for its own" "$(query differs '.run.pairs|length')" 1
equal "what it made with more ranks is found" "$(cached differs)" "$((2 * units))"
VOCABENCH_FAULT=device-launch:1:short run e.yaml --output differs --resume --device gpu --device-check tolerate
equal "and its own pair" "$(query differs '.run.pairs|length')" 0
# A precomputed model whose captions are found by the queries of one that the device computes.
seq 1 10 | floats I5.npy 2; seq 3 12 | floats T5.npy 2; floats C5.npy 2 <<<"1 2 2 1"
seq 0 4 >labels; must "$tools/npy" numbers y5.npy i8 labels
cat >asked.yaml <<'E'
experiment: asked
threads: 1
datasets: [{name: d, images: pics, vocabularies: five.yaml, on_unmatched: skip}]
corpora: [{name: c, embeddings: texts-cpu.npy, text_embeddings: C5.npy}]
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: given, family: precomputed, image_embeddings: I5.npy, text_embeddings: T5.npy, labels: y5.npy,
     retrieval: {corpus: c, top_k: 1, filter: none, index_model: plain}}
E
VOCABENCH_FAULT=device-launch:1:short run asked.yaml --only-model given --output asked --device gpu --device-check tolerate
run asked.yaml --only-model given --output asked --resume --device cpu
equal "nor one for which it has made queries" "$(query asked '.run.pairs|length')" 1
run asked.yaml --only-model given --output asked --resume --device cpu
equal "but that of the CPU" "$(query asked '.run.pairs|length')" 0
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
