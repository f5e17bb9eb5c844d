#!/bin/bash
# Whole experiments on a device that OpenCL offers (PoCL here), byte for byte those of the CPU: prompt ensembles, CoOp, REPE, open
# curves, adversarial names, verify; alone, mixed, begun on one and finished on the other; signals; CIFAR-100.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
need_device "experiments on a device"
make_data images pics 20 10; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
printf '%s\n' table train Apple bear lamp whale unicorn 'palm tree' >nouns.txt
printf '%s\n' 'a bear in the snow' 'an apple on a tree' 'a chair' 'a dolphin jumps' 'the forest' 'two chairs' 'a wolf, a worm' \
  'an orange table' 'trains at sea' 'a keyboard' >captions.txt
{ plain_experiment devices | sed '/^models/,$d'
  cat <<'E'
on_cut: allow
analyses: [margin, open_curve]
open_curve: {names: nouns.txt, exclude: names}
adversarial: {candidates: nouns.txt, k: 2, method: exact, exclude: names, wordnet: nowhere}
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: [2, 5], lambda: [0, 0.25]}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, prompts: cifar100}
E
  if /usr/bin/python3 "$here/tests/tools/expansion_oracle.py" context learned.safetensors 64 1 2>err; then
    echo '  - {name: learned, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok,'
    echo '     prompts: {coop: learned.safetensors, position: middle}}'
  fi; } >e.yaml
# caches NAME A B: the same files of the same bytes, but for the rates that were measured.
caches() { equal "$1" "$(diff -rq --exclude=rates "$2/cache" "$3/cache" 2>&1)" ""; }
# lists NAME A B: those of retrieval, and the blends.
lists() { equal "$1" "$(diff -rq "$2/retrieval" "$3/retrieval" 2>&1)" ""; }

# ---- alone and mixed --------------------------------------------------------------------------------------------
run e.yaml --output whole || { cat stderr; finish; }
holds "CoOp, an ensemble and REPE are there" '([.results[].model] | unique | length) == 3 and all(.results[]; .retrieval)' \
  whole/results.json
run e.yaml --output gpu --device gpu
agree "a device alone" whole gpu
caches "every unit that it has computed" whole gpu
lists "what it has retrieved" whole gpu
equal "it has searched all rows" "$(query gpu '[.run.pairs[].retrieval.rows_on_device] | unique | tostring')" '[10]'
mpirun --oversubscribe -n 1 "$vocabench" run e.yaml --output mixed --device cpu : \
  -n 2 "$vocabench" run e.yaml --output mixed --device gpu >stdout 2>stderr
verdict $? "ranks with and without a device" "$(cat stderr)"
agree "mixed ranks" whole mixed
caches "units of both" whole mixed
lists "lists of both" whole mixed
check "the CPU verifies what a device has made, all again" "$vocabench" verify gpu --whole

# ---- what it took, which plan reads -------------------------------------------------------------------------------
plain_experiment shared >s.yaml
run_at 2 s.yaml --output shared --device gpu --ranks-per-model 2
jq -s '[.[0], ([.[1].run.pairs[0].stages[] | select(.stage == "evaluate" or .stage == "encode") | .seconds / .done] | add)]' \
  shared/cache/rates/*.json shared/results.json >took.json
holds "that ranks wait for their device is not what an image takes" \
  '.[0].device == "gpu" and .[0].ranks == 2 and (.[0].image - .[1] | fabs) < 1e-9' took.json
"$vocabench" plan s.yaml --output shared --device gpu --ranks 2 >planned 2>err
like "plan finds it under the device" \
  '^time: .* at 2 ranks of 1 thread, by what earlier runs took on such a processor with a device' planned
OCL_ICD_VENDORS=$scratch "$vocabench" plan s.yaml --output shared --device gpu --ranks 2 >planned 2>err
like "also where there is none, as on a login node" '^time: .*, by what earlier runs took on .* with a device' planned
empty "which that time needs no note for" err
sed 's/^datasets: \[/&{name: again, images: pics, vocabularies: v.yaml}, /' s.yaml >s2.yaml
OCL_ICD_VENDORS=$scratch "$vocabench" plan s2.yaml --output shared --device gpu --ranks 2 >planned 2>err
like "what was not run yet is measured here" 'with a device .* for 1 of 2 pairs, and what was measured here just now' planned
like "which is told" 'note: the time of what no run with a device has done yet is the CPU.s, not a device.s: .*install' err
# memory FILE: bytes a rank, as planned.
memory() { sed -nE 's/.*memory: about ([0-9.]+) MB a rank.*/\1/p' "$1" | tr -d .; }
grown() { # grown ARGUMENT...: by which it grows, in tenths of MB, with 1024 images at once instead of 256
  local some more
  OCL_ICD_VENDORS=$scratch "$vocabench" plan s.yaml --output none --batch 256 "$@" >planned 2>err; some=$(memory planned)
  OCL_ICD_VENDORS=$scratch "$vocabench" plan s.yaml --output none --batch 1024 "$@" >planned 2>err; more=$(memory planned)
  echo $((more - some))
}
pixels=$(jq -n "2 * 768 * 3 * 32 * 32 / 1e5 | round") # two blocks of bytes
check "a device's work space is not the processor's" test "$(($(grown --device gpu) - pixels))" -ge -1 -a \
  "$(($(grown --device gpu) - pixels))" -le 1
check "which has its own" test "$(grown --device cpu)" -gt $((4 * pixels + 10))

# ---- begun on one, finished on the other --------------------------------------------------------------------------
cp -r whole again
run e.yaml --output again --resume --device gpu
equal "--resume takes the CPU's pairs for a device's" "$(query again '.run.pairs|length')" 0
agree "and they are the same" whole again
cp -r gpu again2
run e.yaml --output again2 --resume --device auto
equal "and a device's for the CPU's" "$(query again2 '.run.pairs|length')" 0
for from in cpu gpu; do
  to=gpu; [ $from = cpu ] || to=cpu
  VOCABENCH_FAULT=unit:9:kill "$vocabench" run e.yaml --output $from-$to --device $from >stdout 2>stderr
  verdict "$((! $?))" "killed on $from"
  left=$(cached $from-$to)
  run e.yaml --output $from-$to --resume --device $to
  agree "$from, then $to" whole $from-$to
  caches "and every unit" whole $from-$to
  check "of which $left were there" test "$left" -gt 0
done

# ---- products of images with classes and foreign names: all else comes from the cache -------------------------------
launches=$(proof_takes device-launch)
run e.yaml --output compared --cache whole/cache --device gpu
agree "a device compares images and names" whole compared
unlike "and does not fail at it" 'goes? on|compares on' stderr
VOCABENCH_FAULT=device-launch:$((launches + 1))+:EIO run e.yaml --output uncompared --cache whole/cache --device gpu
agree "what it cannot compare is compared here" whole uncompared
like "which is told" 'note: rank 0 compares on with the CPU: .*kernel gemm' stderr

# ---- fails in the middle, signals ---------------------------------------------------------------------------------
for fault in device-launch:260+:EIO device-alloc:230+:ENOMEM; do
  VOCABENCH_FAULT=$fault@0 mpi 2 timeout 60 "$vocabench" run e.yaml --output broken --device gpu >stdout 2>stderr; code=$?
  equal "a rank's device fails: $fault" $code 8 "$(tail -n 3 stderr)"
  like "which is told" 'rank 0: .*device .*(CL_OUT_OF_RESOURCES|CL_MEM_OBJECT_ALLOCATION_FAILURE)' stderr
done
run e.yaml --output broken --resume --device cpu
agree "the CPU goes on" whole broken
# start_slow FOLDER: a run of two ranks that takes its time, each picture a tenth of a second; sets $job, the pid of mpirun, and
# the array of its ranks, once it has something to keep.
start_slow() {
  ranks=()
  VOCABENCH_FAULT=decode:1+:slow mpirun --oversubscribe -n 2 "$vocabench" run e.yaml --output "$1" --device gpu >stdout 2>stderr \
    </dev/null & job=$!
  while kill -0 $job 2>/dev/null; do
    [ ${#ranks[@]} = 2 ] || mapfile -t ranks < <(pgrep -P $job -x vocabench)
    [ ${#ranks[@]} = 2 ] && [ "$(cached "$1")" -ge 3 ] && return
    sleep 0.05
  done
  fail "a slow run ended before it was told to" "$(tail -n 3 stderr)"; finish
}
for signal in TERM USR1; do
  start_slow $signal
  kill -$signal "${ranks[1]}"; stops $job
  equal "SIG$signal to a rank that uses a device" "$code" 75 "$(tail -n 3 stderr)"
  like "is told" "^vocabench: rank [01]: stopped by SIG$signal; finished units are kept" stderr
  run e.yaml --output $signal --resume
  agree "and what was made is used" whole $signal
done
start_slow KILL
kill -KILL "${ranks[1]}"; stops $job
check "a killed rank ends the job" test "$code" != 0 -a "$code" != hung
run e.yaml --output KILL --resume --device cpu
agree "and the CPU goes on" whole KILL
caches "with every unit" whole KILL

# ---- pictures and a model of the shared data ----------------------------------------------------------------------
need_shared models/cifar-tiny-rn.safetensors "CIFAR-100 on a device"
head -c $((3074 * 96)) "$shared/data/cifar-100-binary/test.bin" >test.bin
cp "$shared/data/cifar-100-binary/fine_label_names.txt" .
cat >c.yaml <<E
experiment: cifar
per_image: true
datasets: [{name: cifar100, images: test.bin, vocabularies: $here/configs/vocabularies/cifar100.yaml}]
models:
  - {name: tiny, family: clip, activation: quick_gelu, weights: $shared/models/cifar-tiny-rn.safetensors,
     tokenizer: $shared/reference/bpe_simple_vocab_16e6.txt.gz, prompts: ["a photo of a {}."]}
E
run c.yaml --output c
run c.yaml --output c-gpu --device gpu
agree "96 images of CIFAR-100" c c-gpu
caches "their units and texts" c c-gpu
mpirun --oversubscribe -n 1 "$vocabench" run c.yaml --output c-mixed --device gpu : \
  -n 1 "$vocabench" run c.yaml --output c-mixed --device cpu >stdout 2>stderr
agree "mixed ranks on CIFAR-100" c c-mixed
finish
