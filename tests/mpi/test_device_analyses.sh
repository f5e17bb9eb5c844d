#!/bin/bash
# Analyses with the products of a device that OpenCL offers (PoCL here): the figures of the CPU, and that each asks the device.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
need_device "analyses with a device"
launches=$(proof_takes device-launch)
# asks NAME FILE TIMES: the same figures with a device, and with one that fails at its first product each TIMES that it is asked.
asks() {
  run "$2" --output cpu-"$1" || return
  run "$2" --output gpu-"$1" --cache "cpu-$1/cache" --device gpu
  agree "$1: the CPU's figures" cpu-"$1" gpu-"$1"
  unlike "$1: by the device" 'compares on' stderr
  VOCABENCH_FAULT=device-launch:$((launches + 1))+:EIO run "$2" --output fails-"$1" --cache "cpu-$1/cache" --device gpu
  agree "$1: and where it fails" cpu-"$1" fails-"$1"
  equal "$1: the evaluation and each analysis ask it" "$(grep -c 'note: rank 0 compares on with the CPU' stderr)" "$3"
}

make_data images pics 20 10; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
{ plain_experiment analyses | sed 's/prompts: .*/prompts: ["a photo of a {}.", "a {}.", "the {}."]}]/'
  echo 'analyses: [order, calibration, prompt_spread, top5]'
  echo 'prompt_spread: {synonyms: false}'; } >e.yaml
asks encoded e.yaml $((1 + 3 + 3)) # three templates, each by itself

python=/usr/bin/python3 wordnet=/usr/share/wordnet
[ -e $wordnet/data.noun ] || { skip "WordNet's hierarchy" "wordnet-base is not installed"; finish; }
$python -c 'import numpy' 2>/dev/null || { skip "WordNet's hierarchy" "python3-numpy is not installed"; finish; }
must $python "$here/tests/tools/hierarchy_oracle.py" make .
cat >h.yaml <<'E'
experiment: h
analyses: [hierarchy]
datasets: [{name: d, vocabularies: v.yaml}]
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
asks given h.yaml 2
finish
