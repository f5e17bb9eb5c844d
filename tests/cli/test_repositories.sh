#!/bin/bash
# Repository folders as they were downloaded: the folder alone gives the embeddings that the publishers' libraries compute from
# it, and
# every fact comes from the file that states it. What is not encoded here is refused by its name.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- made folders: no downloaded data ----------------------------------------------------------------------------
make_data images pics 5 2; make_data model m.safetensors; make_data tokenizer tok
printf 'a photo of an apple.\nan apple\n' >texts.txt
images=("$vocabench" encode images --input pics --output x.npy) texts=("$vocabench" encode texts --input texts.txt --output x.npy)
needs="nothing tells the activation of the image tower: no open_clip_config.json .*"
needs+="state activation: quick_gelu .*or activation: gelu"
refuses "a bare file does not tell its activation" 3 "m.safetensors: $needs" "${images[@]}" --weights m.safetensors
must "${images[@]}" --weights m.safetensors --activation quick_gelu; mv x.npy quick.npy
must "${images[@]}" --weights m.safetensors --activation gelu; mv x.npy gelu.npy
must "${images[@]}" --weights m.safetensors --image-activation gelu --text-activation quick_gelu
same "an activation of the image tower alone" x.npy gelu.npy
refuses "an activation of one tower, nothing of the other" 3 "activation of the text tower" \
  "${images[@]}" --weights m.safetensors --image-activation gelu
refuses "texts without a tokenizer" 4 "no tokenizer in this folder: expected one of vocab.json" \
  "${texts[@]}" --weights m.safetensors --activation gelu
refuses "heads that do not divide the width" 6 "does not split into 7 heads" \
  "${images[@]}" --weights m.safetensors --activation gelu --image-heads 7
refuses "a resolution that is not the table's" 6 "a resolution of 4096, but tensor visual.positional_embedding has rows" \
  "${images[@]}" --weights m.safetensors --activation gelu --resolution 4096
refuses "a resize that is none" 2 "resize: expected one of shortest, squash, longest, found 'crop'" \
  "${images[@]}" --weights m.safetensors --activation gelu --resize crop
refuses "a mean of two numbers" 2 "mean: expected three numbers, or one" \
  "${images[@]}" --weights m.safetensors --activation gelu --mean "[0.5, 0.5]"
must "$vocabench" preprocess --resolution 16 --input pics --output p.npy --resize squash --interpolation bilinear --mean 0 --std 1
for way in "--preprocessing rgb_first" "--rgb-first"; do
  # shellcheck disable=SC2086 # a flag and its value
  must "$vocabench" preprocess --resolution 16 --input pics --output "p ${way%% *}.npy" $way
done
same "preprocess: two flags for RGB first" "p --preprocessing.npy" "p --rgb-first.npy"
refuses "which do not contradict each other" 2 'preprocess: --rgb-first beside --preprocessing openai: expected one of them' \
  "$vocabench" preprocess --resolution 16 --input pics --output x.npy --rgb-first --preprocessing openai
refuses "nor in encode" 2 'encode: --rgb-first beside --preprocessing openai' "$vocabench" encode images --weights m.safetensors \
  --activation gelu --input pics --output x.npy --rgb-first --preprocessing openai
refuses "a crop of what is squashed" 2 'preprocess: crop is stated, but resize is squash, which leaves nothing to crop' \
  "$vocabench" preprocess --resolution 16 --input pics --output x.npy --resize squash --crop floor
must "$vocabench" preprocess --resolution 16 --input pics --output plain.npy
equal "preprocess takes them too: as many numbers, others" \
  "$(stat -c %s p.npy) $(cmp -s p.npy plain.npy && echo same)" "$(stat -c %s plain.npy) "

sizes=$("$vocabench" inspect m.safetensors)
number() { sed -nE "s/(^|.*[^0-9])$1.*/\2/p" <<<"$sizes" | head -n 1; }
side=$(number '([0-9]+) x [0-9]+ pixels') patch=$(number 'patches of ([0-9]+)') \
  width=$(number 'patches of [0-9]+, width ([0-9]+)')
context=$(number '([0-9]+) tokens of') vocabulary=$(number 'tokens of ([0-9]+)') dim=$(number '([0-9]+) dimensions')
text_width=$(number 'tokens of [0-9]+, width ([0-9]+)') layers=$(number 'patches of [0-9]+, width [0-9]+, ([0-9]+) layers')
text_layers=$(number 'tokens of [0-9]+, width [0-9]+, ([0-9]+) layers')
mkdir repo; must cp m.safetensors repo/open_clip_model.safetensors; must cp tok/* repo/
config() { # config QUICK_GELU PREPROCESS: open_clip_config.json of the model
  cat <<E
{"model_cfg": {"embed_dim": $dim, "quick_gelu": $1,
  "vision_cfg": {"image_size": $side, "layers": $layers, "width": $width, "patch_size": $patch},
  "text_cfg": {"context_length": $context, "vocab_size": $vocabulary, "width": $text_width, "heads": $((text_width / 64)),
   "layers": $text_layers}}, "preprocess_cfg": $2}
E
}
config true '{}' >repo/open_clip_config.json
must "${images[@]}" --weights repo; same "the folder tells: QuickGELU" x.npy quick.npy
must "${images[@]}" --weights repo/open_clip_model.safetensors; same "so it does for the file in it" x.npy quick.npy
must "${images[@]}" --weights repo --activation gelu; same "a statement goes first" x.npy gelu.npy
config false '{}' >repo/open_clip_config.json
must "${images[@]}" --weights repo; same "no quick_gelu: exact GELU" x.npy gelu.npy
check "the folder's tokenizer" "${texts[@]}" --weights repo
mv x.npy folder.npy; must "${texts[@]}" --weights repo --tokenizer tok; same "is the one that could be stated" x.npy folder.npy
config false '{"mean": 0.5, "std": [0.5, 0.5, 0.5], "interpolation": "bilinear", "resize_mode": "squash"}' \
  >repo/open_clip_config.json
must "${images[@]}" --weights repo; mv x.npy folder.npy
must "${images[@]}" --weights m.safetensors --activation gelu --mean 0.5 --std 0.5 --interpolation bilinear --resize squash
same "preprocessing by the folder is preprocessing by flags" x.npy folder.npy
"$vocabench" inspect repo >inspected
like "inspect of the folder: a fact of the file" "^  resize +squash +open_clip_config.json$" inspected
like "inspect of the folder: a fact of the tensors" "^  context +$context +tensors$" inspected
unlike "inspect of the folder: no tokenizer need be stated" "tokenizer:" inspected
like "inspect of the bare file says what to state" "note: .*state activation" <(echo "$sizes")

broken() { # broken NAME CODE PATTERN CONTENT
  printf '%s' "$4" >repo/open_clip_config.json
  refuses "$1" "$2" "repo/open_clip_config.json:$3" "${images[@]}" --weights repo
}
broken "side files: no JSON" 5 "1:" '{"model_cfg": '
broken "side files: a list" 5 " expected an object" '[]'
broken "side files: no model_cfg" 5 ' model_cfg: expected an object, found null' '{}'
broken "side files: a text for a number" 5 ' model_cfg.vision_cfg.width: expected a whole number from .*, found "wide"' \
  '{"model_cfg": {"vision_cfg": {"width": "wide"}}}'
broken "side files: a mode that is none" 5 ' preprocess_cfg.resize_mode: expected one of shortest, squash, longest, found "fit"' \
  '{"model_cfg": {}, "preprocess_cfg": {"resize_mode": "fit"}}'
broken "side files: another architecture" 10 ' model_cfg.vision_cfg.pool_type: "avg" makes this another architecture' \
  '{"model_cfg": {"vision_cfg": {"pool_type": "avg"}}}'
config true '{}' | sed "s/\"width\": $width,/\"width\": 999936,/" >repo/open_clip_config.json
refuses "side files of another model" 6 "image tower of width: 999936, but the tensors of .* have $width: does it belong" \
  "${images[@]}" --weights repo --image-heads 1
rm repo/open_clip_model.safetensors
refuses "a folder without weights" 4 "repo: a folder without weights: expected one of open_clip_model.safetensors" \
  "${images[@]}" --weights repo
cp m.safetensors repo/ViT-tiny.pt
refuses "the one file in it is named" 4 "pytorch_model.bin.index.json; it holds ViT-tiny.pt: name that file, repo/ViT-tiny.pt$" \
  "${images[@]}" --weights repo
cp m.safetensors repo/other.pt
refuses "of two files none" 4 "pytorch_model.bin.index.json$" "${images[@]}" --weights repo
rm repo/*.pt
config true '{}' >repo/open_clip_config.json; cp m.safetensors repo/model.safetensors

# An experiment with the folder alone, and results that say who told what.
made_vocabularies
cat >e.yaml <<'E'
experiment: e
datasets: [{name: d, images: pics, vocabularies: five.yaml}]
models:
  - {name: told, weights: repo, prompts: ["a {}"]}
  - {name: stated, family: clip, weights: m.safetensors, tokenizer: tok, activation: quick_gelu, prompts: ["a {}"]}
  - {name: squashed, family: clip, weights: repo, resize: squash, std: 0.5, image_heads: 1, prompts: ["a {}"]}
E
if run e.yaml --output e; then
  holds "results: a fact of the file" '.results[0].embedding.facts |
    .image_activation == {"value": "quick_gelu", "source": "open_clip_config.json"} and .context.source == "tensors" and
    (.mean.value | map(. * 1e5 | round)) == [48145, 45783, 40821] and .mean.source == "open_clip_config.json"' e/results.json
  holds "results: facts of the experiment and of the family" '.results[1].embedding.facts |
    .image_activation == {"value": "quick_gelu", "source": "experiment"} and .resize == {"value": "shortest", "source":
    "family"}' \
    e/results.json
  holds "results: keys of the model" '.results[2].embedding.facts | .resize == {"value": "squash", "source": "experiment"} and
    .std.value == [0.5, 0.5, 0.5] and .image_heads == {"value": 1, "source": "experiment"} and (has("crop") | not)' e/results.json
  equal "the same facts are the same units, whoever tells them" \
    "$(find e/cache -name '*.npy' -printf '%h\n' | sort -u | wc -l)" 3 "$(find e/cache)"
fi
refuses "a crop where nothing is cropped" 3 'crop is stated, but resize is squash, which leaves nothing to crop' \
  "$vocabench" plan e.yaml --set models.squashed.crop=floor
check "but behind a resize to more" "$vocabench" plan e.yaml --set models.squashed.crop=floor --set models.squashed.resize_to=64
refuses "a key that precomputed embeddings do not take" 3 "family precomputed does not take the key 'resize'" \
  "$vocabench" plan e.yaml --set \
    'models.0={name: p, family: precomputed, image_embeddings: i, text_embeddings: t, labels: l, resize: squash}'

need_shared zoo/repos "the repositories of the zoo"

# ---- the zoo's folders --------------------------------------------------------------------------------------------
repos=$shared/zoo/repos pictures=$shared/fixtures/images captions=$shared/fixtures/texts.json
near() { check "$1" "$tools/npy" compare "$2" "$3" 0.999999 1e-4 -; }
for name in hf-clip-bin hf-clip-gelu hf-clip-quickgelu hf-clip-sharded hf-metaclip2 oc-gelu oc-mean05-bilinear-bin \
  oc-patch14-56 oc-pe oc-quickgelu oc-squash-head80; do
  truth=$repos/expected/$name
  check "$name: images" "$vocabench" encode images --weights "$repos/$name" --input "$pictures" --output i.npy --raw
  near "$name: image embeddings" i.npy "$truth/image_embeddings.npy"
  check "$name: texts" "$vocabench" encode texts --weights "$repos/$name" --input "$captions" --output t.npy --raw
  # Texts are cleaned as the publishers clean them, which Hugging Face's tokenizers leave out.
  cleaned=$truth/text_embeddings_cleaned.npy; [ -e "$cleaned" ] || cleaned=$truth/text_embeddings.npy
  near "$name: text embeddings" t.npy "$cleaned"
  if [ -e "$truth/image_embeddings_original.npy" ]; then
    check "$name: images in OpenAI's order" "$vocabench" encode images --weights "$repos/$name" --input "$pictures" \
      --output o.npy \
      --raw --preprocessing openai --crop round
    near "$name: image embeddings in OpenAI's order" o.npy "$truth/image_embeddings_original.npy"
  fi
  "$vocabench" inspect "$repos/$name" >inspected
  fact() { # fact KEY FILTER: what inspect prints is what expected.json has
    equal "$name: $1" "$(sed -nE "s/^  $1 +(.*[^ ]) +[^ ]+$/\1/p" inspected)" "$(jq -r "$2" "$truth/expected.json")" \
      "$(cat inspected)"
  }
  fact image_activation .image.activation; fact text_activation .text.activation
  fact image_heads .image.heads; fact text_heads .text.heads; fact image_epsilon .image.eps; fact text_epsilon .text.eps
  fact context .text.context; fact resolution .image.image_size; fact resize .image.resize_mode
  fact interpolation .image.interpolation
  fact preprocessing 'if .image.convert_rgb == "first" then "rgb_first" else "openai" end'
  equal "$name: mean and std" \
    "$(sed -nE 's/^  (mean|std) +(\[.*\]) .*/\2/p' inspected | jq -sc 'flatten | map(. * 1e6 | round)')" \
    "$(jq -c '[.image.mean, .image.std] | flatten | map(. * 1e6 | round)' "$truth/expected.json")"
done

for name in hf-siglip oc-siglip oc-clipa; do
  truth=$repos/expected/$name
  "$vocabench" inspect "$repos/$name" >inspected
  fact text_mask .text.mask; fact text_pooling '.text.pool | split(" ")[0]'
done
check "oc-siglip: images" "$vocabench" encode images --weights "$repos/oc-siglip" --input "$pictures" --output i.npy --raw
near "oc-siglip: image embeddings" i.npy "$repos/expected/oc-siglip/image_embeddings.npy"
file=$shared/zoo/fixtures/siglip/model.safetensors
refuses "SigLIP in timm's names does not tell its activation" 3 "state activation: gelu .*or activation: gelu_tanh" \
  "$vocabench" encode images --weights "$file" --input "$pictures" --output x.npy
"$vocabench" inspect "$file" >out
has_line "and what inspect would write is one of the two" "    activation: gelu    # or another: see above" out
"$vocabench" inspect "$file" --operations >out; has_text "as are the operations that it shows" " GELU" out
unlike "of no other kind" QuickGELU out
refuses "SigLIP is not stated as CLIP" 6 "write family: siglip" \
  "$vocabench" encode images --family clip --weights "$file" --input "$pictures" --output x.npy

# Towers of convolutions from bare files: the family, and within it the model, tells the pixels; what tells no side is refused.
for name in convnext-d:64 mobileclip-b:64 mobileclip-s1:128 mobileclip2-s3:128; do
  truth=$shared/zoo/fixtures/${name%:*}
  check "${name%:*}: images" "$vocabench" encode images --weights "$truth/model.safetensors" --input "$pictures" --output i.npy \
    --raw --resolution "${name#*:}"
  near "${name%:*}: image embeddings" i.npy "$truth/image_embeddings.npy"
done
# A message about a tensor says whose names it has.
sed 's/post_layernorm.bias/post_layernarm.bias/' "$shared/zoo/fixtures/siglip-hf/model.safetensors" >less
refuses "a tensor of Hugging Face's names is missing" 6 \
  "less \(Hugging Face's names, here as OpenAI's\): tensor visual.ln_post.bias is missing" \
  "$vocabench" encode images --weights less --input "$pictures" --output x.npy
refuses "inspect says the same" 6 "less \(Hugging Face's names, here as OpenAI's\): tensor visual.ln_post.bias is missing" \
  "$vocabench" inspect less
# Chinese-CLIP squashes its images, where no file says so: as if Pillow had done it before.
cat >squash.py <<'E'
import os, sys
from PIL import Image
source, target = sys.argv[1:]
os.mkdir(target)
for name in os.listdir(source):
    picture = Image.open(os.path.join(source, name)).convert("RGB")
    picture.resize((64, 64), Image.BICUBIC).save(os.path.join(target, os.path.splitext(name)[0] + ".png"))
E
chinese=$shared/zoo/fixtures/chinese-clip/model.safetensors
if /usr/bin/python3 -c 'import PIL' 2>/dev/null; then
  must /usr/bin/python3 squash.py "$pictures" squashed
  must "$vocabench" encode images --weights "$chinese" --input "$pictures" --preprocessing rgb_first --output i.npy
  must "$vocabench" encode images --weights "$chinese" --input squashed --output o.npy
  same "chinese-clip: images are squashed" i.npy o.npy
else
  skip "chinese-clip: images are squashed" "no Pillow"
fi
"$vocabench" inspect "$chinese" >inspected
like "chinese-clip: inspect tells so" "^  resize +squash +family$" inspected
# A text tower alone is of the family that is stated: its names are those of many.
/usr/bin/python3 - "$shared/zoo/fixtures/mobileclip-s1/model.safetensors" text.safetensors <<'E'
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
n = 8 + struct.unpack('<Q', data[:8])[0]
names = {k: v for k, v in json.loads(data[8:n]).items() if not k.startswith('visual.')}
blob = b''
for k in [k for k in names if k != '__metadata__']:
    begin, end = names[k]['data_offsets']
    names[k]['data_offsets'] = [len(blob), len(blob) + end - begin]
    blob += data[n + begin:n + end]
head = json.dumps(names).encode()
head += b' ' * (-len(head) % 8)
open(sys.argv[2], 'wb').write(struct.pack('<Q', len(head)) + head + blob)
E
check "a text tower alone" "$vocabench" encode texts --family mobileclip_s --weights text.safetensors --input "$captions" --raw \
  --tokenizer "$shared/zoo/fixtures/tok/bpe_clip.txt.gz" --output t.npy
near "a text tower alone: embeddings" t.npy "$shared/zoo/fixtures/mobileclip-s1/text_embeddings.npy"
file=$shared/zoo/fixtures/convnext-w/model.safetensors
refuses "ConvNeXt does not tell its side" 3 "nothing tells the side of the images.*state resolution: 256" \
  "$vocabench" encode images --weights "$file" --input "$pictures" --output x.npy
refuses "heads of a tower that has none" 3 "image towers of family convnext do not leave it open" \
  "$vocabench" encode images --weights "$file" --input "$pictures" --output x.npy --resolution 64 --image-heads 4
"$vocabench" inspect "$file" >inspected
like "inspect asks for it too" "^    resolution: 256    # or another" inspected

# MobileCLIP S under Apple's own names: the same tensors, but that the projection is the other way round and has no bias.
cat >apple.py <<'E'
import json, re, struct, sys
import numpy as np
source, truth, target, expected = sys.argv[1:]
data = open(source, "rb").read()
n = 8 + struct.unpack("<Q", data[:8])[0]
head = {k: v for k, v in json.loads(data[8:n]).items() if k != "__metadata__"}
def array(name):
    begin, end = head[name]["data_offsets"]
    kinds = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}
    return np.frombuffer(data[n + begin:n + end], kinds[head[name]["dtype"]]).reshape(head[name]["shape"])
rules = [(r"^visual\.trunk\.", "image_encoder.model."), (r"model\.stem", "model.patch_embed"), (r"conv_kxk", "rbr_conv"),
         (r"conv_scale", "rbr_scale"), (r"\.identity", ".rbr_skip"), (r"(final_conv\.se)\.fc1", r"\1.reduce"),
         (r"(final_conv\.se)\.fc2", r"\1.expand"), (r"final_conv", "conv_exp"), (r"large_conv", "lkb_origin"),
         (r"proj\.0\.reparam_conv", "proj.0.lkb_reparam"), (r"(stages\.\d\.blocks\.\d+)\.mlp", r"\1.convffn"), (r"\.gamma$", ""),
         (r"stages\.3\.blocks", "network.7"), (r"stages\.3\.pos_emb\.pos_enc", "network.6.pe"),
         (r"stages\.3\.pos_emb", "network.6"),
         (r"stages\.(\d)\.blocks", lambda m: f"network.{2 * int(m[1])}"),
         (r"stages\.(\d)\.downsample", lambda m: f"network.{2 * int(m[1]) - 1}"),
         (r"^text\.token_embedding", "text_encoder.embedding_layer"), (r"^text\.ln_final", "text_encoder.final_layer_norm"),
         (r"^text\.positional_embedding", "text_encoder.positional_embedding.pos_embed.pos_embed"),
         (r"^text\.text_projection", "text_encoder.projection_layer"),
         (r"^text\.transformer\.resblocks", "text_encoder.transformer"),
         (r"\.ln_1\.", ".pre_norm_mha.0."), (r"\.attn\.in_proj_", ".pre_norm_mha.1.qkv_proj."),
         (r"\.attn\.out_proj", ".pre_norm_mha.1.out_proj"), (r"\.ln_2\.", ".pre_norm_ffn.0."),
         (r"\.mlp\.c_fc", ".pre_norm_ffn.1"),
         (r"\.mlp\.c_proj", ".pre_norm_ffn.4")]
table, blob = {}, b""
for name in head:
    value, to = array(name), name
    if name == "visual.trunk.head.fc.bias": continue
    for pattern, text in rules: to = re.sub(pattern, text, to)
    if name == "visual.trunk.head.fc.weight": to, value = "image_encoder.model.head.proj", value.T
    bytes_ = np.ascontiguousarray(value).tobytes()
    table[to] = {"dtype": head[name]["dtype"], "shape": list(value.shape), "data_offsets": [len(blob), len(blob) + len(bytes_)]}
    blob += bytes_
text = json.dumps(table).encode()
text += b" " * (-len(text) % 8)
open(target, "wb").write(struct.pack("<Q", len(text)) + text + blob)
np.save(expected, np.load(truth) - array("visual.trunk.head.fc.bias").astype(np.float32))
E
for name in mobileclip-s1 mobileclip-s1-reparam; do
  truth=$shared/zoo/fixtures/$name
  must /usr/bin/python3 apple.py "$truth/model.safetensors" "$truth/image_embeddings.npy" apple.safetensors expected.npy
  "$vocabench" inspect apple.safetensors >inspected
  like "$name: Apple's names" "names of Apple, .* tensors" inspected
  check "$name in Apple's names: images" "$vocabench" encode images --weights apple.safetensors --input "$pictures" \
    --output i.npy --raw --resolution 128
  near "$name in Apple's names: image embeddings" i.npy expected.npy
  check "$name in Apple's names: texts" "$vocabench" encode texts --weights apple.safetensors --input "$captions" --raw \
    --tokenizer "$shared/zoo/fixtures/tok/bpe_clip.txt.gz" --output t.npy
  near "$name in Apple's names: text embeddings" t.npy "$truth/text_embeddings.npy"
done

# SigLIP 2 NaFlex: images keep their shape, in as many patches as preprocessor_config.json allows.
naflex=$shared/zoo/fixtures/siglip2-naflex
mkdir nf
must cp "$naflex/model.safetensors" nf/
must cp "$shared/zoo/fixtures/tok/bpe.model" nf/tokenizer.model
tower='"hidden_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2'
cat >nf/config.json <<E
{"model_type": "siglip2", "vision_config": {$tower, "num_patches": 16}, "text_config": {$tower, "vocab_size": 2500}}
E
processor() {
  echo "{\"image_processor_type\": \"Siglip2ImageProcessorFast\", \"max_num_patches\": $1}" >nf/preprocessor_config.json
}
processor 24
check "naflex: images" "$vocabench" encode images --weights nf --input "$pictures" --output i.npy --raw
near "naflex: image embeddings" i.npy "$naflex/image_embeddings.npy"
check "naflex: texts" "$vocabench" encode texts --weights nf --input "$captions" --output t.npy --raw
near "naflex: text embeddings" t.npy "$naflex/text_embeddings.npy"
must "$vocabench" encode images --weights nf --input "$pictures" --output o.npy --raw --batch 1 --threads 2
same "naflex: batches of one" i.npy o.npy
processor 256
must "$vocabench" encode images --weights nf --input "$pictures" --output o.npy --raw --max-patches 24
same "naflex: patches as they are stated" i.npy o.npy
echo '{"image_processor": {"image_processor_type": "Siglip2ImageProcessor", "max_num_patches": 24}}' >nf/processor_config.json
must "$vocabench" encode images --weights nf --input "$pictures" --output o.npy --raw
same "naflex: patches as transformers 5 writes them, before the older file's" i.npy o.npy
"$vocabench" inspect nf >inspected
like "naflex: inspect tells whose patches they are" "^  max_patches +24 +processor_config.json" inspected
rm nf/processor_config.json
"$vocabench" inspect nf >inspected
like "naflex: inspect tells the patches" "^  max_patches +256 +preprocessor_config.json" inspected
refuses "naflex: a side of squares" 3 "resolution is stated, but the model sees images in their own shape" \
  "$vocabench" encode images --weights nf --input "$pictures" --output x.npy --resolution 224
refuses "naflex: a crop" 3 "crop is stated, but the model sees images in their own shape" \
  "$vocabench" encode images --weights nf --input "$pictures" --output x.npy --crop round
refuses "naflex: patches of a model of squares" 3 "max_patches is stated, but the model sees squares" \
  "$vocabench" encode images --weights "$repos/hf-siglip2" --input "$pictures" --output x.npy --max-patches 24
echo '{"image_processor_type": "SiglipImageProcessor", "size": 224}' >nf/preprocessor_config.json
refuses "naflex: a file of squares" 6 "preprocessor_config.json makes squares of images, but the model of" \
  "$vocabench" encode images --weights nf --input "$pictures" --output x.npy
echo '{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 14}' >nf/preprocessor_config.json
refuses "naflex: patches of another side" 6 "tells patches of side: 14, but the tensors of .* have 16" \
  "$vocabench" encode images --weights nf --input "$pictures" --output x.npy
processor 24
sed -i 's/"num_patches": 16/"num_patches": 25/' nf/config.json
refuses "naflex: a table of other positions" 6 "tells positions of patches: 25, but the tensors of .* have 16" \
  "$vocabench" encode images --weights nf --input "$pictures" --output x.npy

# ---- shards -------------------------------------------------------------------------------------------------------
cp -r "$repos/hf-clip-sharded" cut && chmod -R u+w cut
index=cut/model.safetensors.index.json
refuses_index() { # refuses_index NAME CODE PATTERN JQ-FILTER
  jq "$4" "$repos/hf-clip-sharded/model.safetensors.index.json" >$index
  refuses "shards: $1" "$2" "$3" "${images[@]}" --weights cut
}
refuses_index "a tensor in another shard" 5 \
  "tensor logit_scale is in shard model-00002-of-00005.safetensors, expected it in model-00001" \
  '.weight_map.logit_scale = "model-00001-of-00005.safetensors"'
refuses_index "a tensor that is in none" 5 "tensor more is in none of the 5 shards" \
  '.weight_map.more = "model-00001-of-00005.safetensors"'
refuses_index "a tensor that is not listed" 5 "tensor logit_scale is not in the weight_map" 'del(.weight_map.logit_scale)'
refuses_index "a shard that is not there" 4 "model-9.safetensors: no such file: the shard of tensor logit_scale" \
  '.weight_map.logit_scale = "model-9.safetensors"'
refuses_index "a shard of another folder" 5 "expected the name of a file in the same folder, found ../x" \
  '.weight_map.logit_scale = "../x"'
refuses_index "no map" 5 'no "weight_map"' 'del(.weight_map)'
jq . "$repos/hf-clip-sharded/model.safetensors.index.json" >$index
must "${images[@]}" --weights cut; mv x.npy folder.npy
must "${images[@]}" --weights $index; same "shards: by the folder and by the index" x.npy folder.npy
cp cut/model-00001-of-00005.safetensors cut/model-00006-of-00005.safetensors
refuses_index "a tensor in two" 5 "tensor text_model.embeddings.token_embedding.weight is in two shards" \
  '.weight_map.logit_scale = "model-00006-of-00005.safetensors"'

# ---- PE, EVA ----------------------------------------------------------------------------------------------------------
for name in pe-core-b/model.safetensors pe-core-g/model.safetensors pe-core-meta/model.pt \
  eva01-g/model.safetensors eva02-b/model.safetensors eva02-b-baai/model.pt eva02-e/model.safetensors; do
  check "$name: images" "$vocabench" encode images --weights "$shared/zoo/fixtures/$name" --input "$pictures" --output i.npy --raw
  near "$name: image embeddings" i.npy "$shared/zoo/fixtures/${name%/*}/image_embeddings.npy"
done

# ---- Long-CLIP ----------------------------------------------------------------------------------------------------
long=$shared/zoo/fixtures/long-clip bpe=$shared/zoo/fixtures/tok/bpe_clip.txt.gz
check "Long-CLIP: texts" "$vocabench" encode texts --weights "$long/model.safetensors" --tokenizer "$bpe" --input "$captions" \
  --output t.npy --raw
near "Long-CLIP: two tables of positions" t.npy "$long/text_embeddings.npy"
check "Long-CLIP: images" "$vocabench" encode images --weights "$long/model.safetensors" --input "$pictures" --output i.npy --raw
near "Long-CLIP: image embeddings" i.npy "$long/image_embeddings.npy"
finish
