#!/bin/bash
# Models in their full published sizes, with random weights: each loads, encodes and stays within the memory that `plan` says.
# check_full_size.sh PYTHON MODEL...: a Python with open_clip 3.3 and transformers 5 (and torch), names as make_full_size.py has
# them. By hand.
. "$(dirname "$0")/../lib.sh"
[ $# -ge 2 ] || { echo "usage: check_full_size.sh PYTHON MODEL... (make_full_size.py says which)" >&2; exit 2; }
python=$1; shift
"$python" -c 'import open_clip' 2>/dev/null || { skip "full sizes" "$python has no open_clip"; finish; }
need_shared zoo/repos "full sizes"
# A file that goes with the model's texts; of other kinds than OpenAI's a smaller list of words serves.
tokenizer_of() {
  case $1 in
    align-base) echo "full.txt" ;;
    *CLIPA* | OpenVision*) echo "$shared/zoo/repos/oc-clipa/vocab.txt" ;;
    *SigLIP2* | siglip2-*) echo gemma.model ;;
    *SigLIP*) echo "$shared/zoo/repos/hf-siglip/spiece.model" ;;
    *worldwide*) echo "$shared/zoo/repos/hf-metaclip2/sentencepiece.bpe.model" ;;
    *) echo "$shared/reference/bpe_simple_vocab_16e6.txt.gz" ;;
  esac
}
cd "$scratch" || exit 1
make_data images pics 5 2
made_vocabularies
# A list of words of the size of BERT's, whose tokenizer may not be smaller than the embedding.
{ cat "$shared/zoo/repos/oc-clipa/vocab.txt"; seq -f 'filler%.0f' 30522; } | head -n 30522 >full.txt
PYTHONPATH="$here/tests/golden" "$python" - "$shared/zoo/repos/hf-siglip2/tokenizer.model" gemma.model <<'E'
import sys
from protobuf_fields import unused_pieces
with open(sys.argv[1], "rb") as small, open(sys.argv[2], "wb") as full:
    full.write(small.read() + unused_pieces(256000 - 2500))  # the file has 2500
E
for model in "$@"; do
  weights=$model facts=""
  case $model in
    RN101 | ViT-B-16 | ViT-L-14) weights=$model.pt facts="activation: gelu, " ;;
    SLIP | DeCLIP) weights=$model.pt ;;
    OpenVision*) facts="family: openvision, " ;;
  esac
  "$python" "$here/tests/tools/make_full_size.py" "$model" "$weights" >log 2>&1 ||
    { fail "$model is written" "$(tail -n 3 log)"; continue; }
  cat >"$model.yaml" <<E
experiment: full
threads: 1
datasets: [{name: d, images: pics, vocabularies: five.yaml}]
models: [{name: m, ${facts}weights: $weights, tokenizer: $(tokenizer_of "$model"), prompts: ["a photo of a {}."]}]
E
  planned=$("$vocabench" plan "$model.yaml" 2>&1 | sed -nE 's/^memory of a node with 1 rank: about (.*)$/\1/p')
  if "$vocabench" run "$model.yaml" --output "out-$model" >log 2>&1; then
    used=$(jq .run.peak_memory_a_node "out-$model/results.json")
    limit=$(awk '{split("B kB MB GB TB", unit)
                  for (u in unit) if (unit[u] == $2) printf "%.0f", $1 * 1000 ^ (u - 1)}' <<<"$planned")
    [ "$used" -le "$limit" ]
    verdict $? "$model: $((used / 1000000)) MB, plan says $planned" "plan: $planned"
  else fail "$model encodes" "$(cat log)"; fi
  rm -rf "$weights" "out-$model"
done
finish
