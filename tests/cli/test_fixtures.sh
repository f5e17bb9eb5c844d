#!/bin/bash
# The encoders, the tokenizer and the preprocessing against what the paper's official code computed, through the program's
# commands.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
bpe=$shared/reference/bpe_simple_vocab_16e6.txt.gz fixtures=$shared/fixtures

# near NAME FILE TRUTH: every row within the promised bounds.
near() { check "$1" "$tools/npy" compare "$2" "$3" 0.999999 1e-4 -; }

# ---- without any data: a model that the test makes is the same by rank count, batch, threads and packing --------
make_data images pics 5 5; make_data model m.safetensors; make_data tokenizer tok
printf 'a photo of an apple.\n\nan   APPLE &amp; a pear\n' >texts.txt
printf '["a photo of an apple.", "", "an   APPLE &amp; a pear"]' >texts.json
check "encode images" "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output i.npy --raw
check "encode texts" "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok \
    --input texts.txt --output t.npy --raw
check "encode texts of a JSON list" \
  "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok/vocab.json \
    --input texts.json --output tj.npy --raw
same "lines and JSON list give the same rows" t.npy tj.npy
mpi 3 "$vocabench" encode images --weights m.safetensors --activation quick_gelu \
    --input pics --output i3.npy --raw --batch 2 --threads 2 2>err ||
  fail "encode on 3 ranks" "$(cat err)"
same "images on 3 ranks, by 2, on 2 threads" i.npy i3.npy
mpi 5 "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok \
    --input texts.txt --output t5.npy --raw 2>err ||
  fail "texts on 5 ranks" "$(cat err)"
same "texts on 5 ranks" t.npy t5.npy
"$vocabench" pack --input pics --output packed --samples-per-shard 7 >/dev/null &&
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input 'packed/*.tar.zst' --output ip.npy --raw
same "packed images give the same rows" i.npy ip.npy
"$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output n.npy
"$tools/npy" print n.npy >n.txt
awk '{ s = 0; for (k = 1; k <= NF; k++) s += $k * $k; if (s < 0.99999 || s > 1.00001) exit 1 }' n.txt
verdict $? "rows are normalised without --raw" "$(cat n.txt)"
check "and point where the raw ones point" "$tools/npy" compare n.npy i.npy 0.9999999 - -
"$vocabench" tokenize --tokenizer tok --input texts.txt --output ids.npy --context-length 32
equal "an empty text is start and end" \
  "$("$tools/npy" print ids.npy | sed -n 2p | tr -s ' ' | cut -d' ' -f1-3)" "513 514 0" "$("$tools/npy" print ids.npy)"
"$vocabench" preprocess --resolution 32 --input pics --output p.npy &&
  "$vocabench" preprocess --resolution 32 --input packed --output pp.npy
same "preprocess of folder and shards" p.npy pp.npy
refuses "embeddings into a folder that is not there" 7 "nowhere/e.npy: cannot create" \
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output nowhere/e.npy

need_shared fixtures "the fixtures of the official code"

# ---- the fixtures -----------------------------------------------------------------------------------------------
encode() { # encode NAME WEIGHTS FOLDER [FLAGS]
  local name=$1 weights=$2 truth=$fixtures/$3; shift 3
  check "$name: images" "$vocabench" encode images --weights "$weights" --input "$fixtures/images" --output i.npy --raw "$@"
  near "$name: image embeddings" i.npy "$truth/image_embeddings.npy"
  check "$name: texts" \
    "$vocabench" encode texts --weights "$weights" --tokenizer "$bpe" --input "$fixtures/texts.json" --output t.npy --raw "$@"
  near "$name: text embeddings" t.npy "$truth/text_embeddings.npy"
}
for container in model.safetensors state_dict.pt torchscript.pt huggingface.safetensors; do
  if [ "$container" = torchscript.pt ]; then told=(); else told=(--activation quick_gelu); fi # OpenAI's archive tells
  encode "clip-vit/$container" "$fixtures/clip-vit/$container" clip-vit "${told[@]}"
done
encode clip-rn "$fixtures/clip-rn/model.safetensors" clip-rn --activation quick_gelu
encode slip-vit "$fixtures/slip-vit/checkpoint.pt" slip-vit
encode "slip-vit, family stated" "$fixtures/slip-vit/checkpoint.pt" slip-vit --family slip
encode declip-vit "$fixtures/declip-vit/checkpoint.pth.tar" declip-vit

"$vocabench" tokenize --tokenizer "$bpe" --input "$fixtures/texts.json" --output ids.npy
check "tokens" "$tools/npy" compare ids.npy "$fixtures/tokens.npy" - - 0
"$vocabench" tokenize --tokenizer "$bpe" --input "$fixtures/texts.json" --output ids.npy --mask-token
check "DeCLIP's tokens" "$tools/npy" compare ids.npy "$fixtures/tokens_declip.npy" - - 0
for r in 32:2e-6 64:2e-6 224:2e-3; do # the largest is stored in fp16
  "$vocabench" preprocess --resolution ${r%:*} --input "$fixtures/images" --output p.npy
  check "preprocess to ${r%:*}" "$tools/npy" compare p.npy "$fixtures/preprocessed_${r%:*}.npy" - - ${r#*:}
done

# ---- CoOp: the text embeddings of its six classes, as the classifier of a run finds them -------------------------
# The image rows are the fixture's text rows: each must be predicted as its own class, at a cosine of 1.
cat >v.yaml <<'E'
name: six
vocabularies: {one: [apple, aquarium_fish, sweet_pepper], two: [lawn_mower, willow_tree, T-shirt]}
E
mkdir -p cifar; make_data cifar cifar/test.bin 20 20
sed -i '1s/.*/aquarium_fish/; 2s/.*/sweet_pepper/; 3s/.*/lawn_mower/; 4s/.*/willow_tree/; 5s/.*/T-shirt/; 6s/.*/apple/' \
  cifar/fine_label_names.txt
for position in end middle front; do
  cat >coop.yaml <<E
experiment: coop
datasets: [{name: d, images: cifar/test.bin, vocabularies: v.yaml}]
models:
  - name: learned
    family: clip
    activation: quick_gelu
    weights: $fixtures/clip-vit/model.safetensors
    tokenizer: $bpe
    prompts: {coop: $fixtures/coop/model.pth.tar-50, position: $position}
E
  rm -rf coop; run coop.yaml --output coop
  # Two files of the cache hold embeddings of 32: one of images (6 rows), one of the six classes. The texts are those that agree.
  found=no
  for file in coop/cache/*/*.npy; do
    if "$tools/npy" compare "$file" "$fixtures/coop/text_embeddings_$position.npy" 0.999999 1e-4 - >/dev/null; then found=yes; fi
  done
  equal "CoOp, $position: text embeddings" $found yes "$(ls -l coop/cache/*)"
done
other=end
check_not "the positions differ" \
  "$tools/npy" compare "$fixtures/coop/text_embeddings_middle.npy" "$fixtures/coop/text_embeddings_$other.npy" 0.999999 1e-4 -

# ---- wrong combinations say what disagrees ----------------------------------------------------------------------
images="--input $fixtures/images --output x.npy"
# shellcheck disable=SC2086 # two flags with a value each
{
  refuses "SLIP's weights as clip" 6 "clip was stated, but the names of the tensors are SLIP's" \
    "$vocabench" encode images --weights "$fixtures/slip-vit/checkpoint.pt" --family clip $images
  refuses "CLIP's weights as slip" 6 "slip was stated, but the names of the tensors are OpenAI's: write family: clip" \
    "$vocabench" encode images --weights "$fixtures/clip-vit/model.safetensors" --family slip $images
  refuses "CLIP's weights as declip" 6 "text_projection.bias is missing|declip was stated, but" \
    "$vocabench" encode images --weights "$fixtures/clip-vit/model.safetensors" --family declip $images
  refuses "CoOp's checkpoint as weights" 6 "of no family known here" \
    "$vocabench" encode images --weights "$fixtures/coop/model.pth.tar-50" $images
  refuses "weights as a tokenizer" 5 "model.safetensors" \
    "$vocabench" encode texts --weights "$fixtures/clip-vit/model.safetensors" --activation quick_gelu \
    --tokenizer "$fixtures/clip-vit/model.safetensors" --input "$fixtures/texts.json" --output x.npy
}
refuses "a tokenizer of another size" 6 "a tokenizer of 515 tokens, but token_embedding.weight of .* has 49408 rows" \
  "$vocabench" encode texts --weights "$fixtures/clip-vit/model.safetensors" --activation quick_gelu \
    --tokenizer tok --input texts.txt --output x.npy
refuses "and the other way round" 6 "a tokenizer of 49408 tokens, but token_embedding.weight of m.safetensors has 515 rows" \
  "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer "$bpe" --input texts.txt --output x.npy
sed -i "s|weights: .*|weights: $fixtures/declip-vit/checkpoint.pth.tar|; s|family: .*|family: declip|" coop.yaml
check "a CoOp context of the same width on another model" "$vocabench" run coop.yaml --output coop2
finish
