#!/bin/bash
# Tokenizer files of every kind: what they are, their ids, and what surrounds them.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data tokenizer tok
printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##n\n##t\nca\n.\nand\n' >vocab.txt
printf 'A cat, &amp; an ant.\n' >texts.txt
tokens() { # tokens CONTEXT ARGUMENTS: the ids of the text
  must "$vocabench" tokenize --input texts.txt --output ids.npy --context-length "$1" "${@:2}"
  tail -c $(($1 * 4)) ids.npy | od -An -v -t d4 | xargs
}
equal "WordPiece: the tokenizer alone" "$(tokens 16 --tokenizer vocab.txt)" "4 7 6 1 1 1 1 4 5 4 5 6 8 0 0 0"
equal "WordPiece: as CLIPA has it" "$(tokens 8 --tokenizer vocab.txt --convention clipa)" "2 4 7 6 1 1 4 0"
equal "WordPiece: as Chinese-CLIP has it, cleaned" \
  "$(tokens 14 --tokenizer vocab.txt --convention bert --cleaning whitespace)" "2 4 7 6 1 1 4 5 4 5 6 8 3 0"
refuses "a convention of another kind of tokenizer" 6 \
  "vocab.txt: a tokenizer of the kind WordPiece, with which the convention siglip .SigLIP. does not go" \
  "$vocabench" tokenize --input texts.txt --output ids.npy --tokenizer vocab.txt --convention siglip
"$vocabench" inspect vocab.txt >inspected
like "inspect says what a tokenizer file is" '^tokenizer: WordPiece vocabulary: WordPiece, 10 tokens$' inspected
like "inspect says what goes with it" '^  clipa +CLIPA, OpenVision$' inspected
"$vocabench" inspect tok/vocab.json >inspected
like "inspect of vocab.json" "^tokenizer: byte-pair encoding of vocab.json and merges.txt: OpenAI's byte-pair encoding" inspected

# ---- models -------------------------------------------------------------------------------------------------------
make_data model m.safetensors
refuses "a tokenizer that the family was not published with" 6 \
  "of the kind WordPiece, but texts of the family clip are cut by the convention openai xlm_roberta siglip: state convention" \
  "$vocabench" encode texts --weights m.safetensors --activation gelu --tokenizer vocab.txt --input texts.txt --output x.npy
printf 'x\n' >one.txt; printf 'X\n' >large.txt
encode() { must "$vocabench" encode texts --weights m.safetensors --activation gelu --tokenizer tok "$@"; }
encode --input one.txt --output one.npy; encode --input large.txt --output large.npy
same "texts are in lower case" one.npy large.npy
encode --input one.txt --output one.npy --cleaning whitespace; encode --input large.txt --output large.npy --cleaning whitespace
check_not "but where another cleaning is stated" cmp -s one.npy large.npy

need_shared zoo/repos "the tokenizers of the zoo"
tok=$shared/zoo/fixtures/tok repos=$shared/zoo/repos captions=$shared/fixtures/texts.json
while read -r file says; do
  "$vocabench" inspect "$tok/$file" >inspected
  like "inspect of $file" "^tokenizer: $says" inspected
done <<'E'
uni.model SentencePiece model: SentencePiece unigram, 2000 tokens
bpe.model SentencePiece model: SentencePiece BPE, 2500 tokens
vocab.txt WordPiece vocabulary: WordPiece, 2000 tokens
bpe_clip.txt.gz OpenAI's merges: OpenAI's byte-pair encoding, 2002 tokens
E
for name in hf-metaclip2 hf-siglip hf-siglip2 oc-siglip; do
  check "$name: texts" "$vocabench" encode texts --weights "$repos/$name" --input "$captions" --output t.npy --raw
  truth=$repos/expected/$name/text_embeddings
  [ -e "${truth}_cleaned.npy" ] && truth=${truth}_cleaned
  check "$name: text embeddings" "$tools/npy" compare t.npy "$truth.npy" 0.999999 1e-4 -
done
# tokenizer.json where it is the only file gives the same ids.
for name in hf-metaclip2:xlm_roberta hf-siglip2:siglip2 oc-clipa:clipa hf-clip-quickgelu:openai; do
  folder=$repos/${name%:*}
  ids=("$vocabench" tokenize --input "$captions" --context-length 77 --convention "${name#*:}")
  must "${ids[@]}" --tokenizer "$folder" --output one.npy
  must "${ids[@]}" --tokenizer "$folder/tokenizer.json" --output two.npy
  same "$name: ids of tokenizer.json" one.npy two.npy
done
# Files that were cut at the end of a line.
embed=("$vocabench" encode texts --input "$captions" --output t.npy --raw --weights)
mkdir cut && cp "$repos/hf-clip-gelu/"{config.json,preprocessor_config.json,model.safetensors,vocab.json} cut
head -n 700 "$repos/hf-clip-gelu/merges.txt" >cut/merges.txt
refuses "a cut merges.txt" 6 "merges.txt: 789 of 2002 entries of the vocabulary are made by no merge, such as '.*': is .* cut" \
  "${embed[@]}" cut
rm cut/vocab.json cut/merges.txt && jq '.model.merges |= .[:699]' "$repos/hf-clip-gelu/tokenizer.json" >cut/tokenizer.json
refuses "a cut tokenizer.json" 6 "tokenizer.json: 789 of 2002 entries .* are made by no merge" "${embed[@]}" cut
mkdir few && cp "$repos/oc-clipa/"open_clip_*[a-z] few && head -n 1900 "$repos/oc-clipa/vocab.txt" >few/vocab.txt
check "a vocabulary somewhat smaller than the embedding" "${embed[@]}" few
"$vocabench" inspect few >inspected
unlike "end ids that are the convention's go without saying" '^  end_ids' inspected
sed -i '/strip_sep_token/s/true/false/' few/open_clip_config.json
"$vocabench" inspect few >inspected
like "end ids that are not the convention's are a fact" '^  end_ids +kept +open_clip_config.json$' inspected
head -n 200 "$repos/oc-clipa/vocab.txt" >few/vocab.txt
refuses "a cut vocab.txt" 6 "few/vocab.txt: a tokenizer of 200 tokens, but token_embedding.weight of .* has [0-9]* rows" \
  "${embed[@]}" few
# Bare files, with a tokenizer of their family's kind.
while read -r name file more; do
  read -ra flags <<<"$more"
  check "$name: texts" "$vocabench" encode texts --weights "$shared/zoo/fixtures/$name/model.safetensors" \
    --tokenizer "$tok/$file" --input "$captions" --output t.npy --raw "${flags[@]}"
  check "$name: text embeddings" "$tools/npy" compare t.npy "$shared/zoo/fixtures/$name/text_embeddings.npy" 0.999999 1e-4 -
done <<'E'
clipa vocab.txt
metaclip2 xlm.model --activation gelu --end-token 2
openvision vocab.txt
siglip uni.model --activation gelu
siglip2 bpe.model --image-activation gelu --text-activation gelu_tanh
E
# The same as folders, with the files that lie beside such models.
folder() { # folder NAME WEIGHTS TOKENIZER AS: the rest is the configuration, from stdin, as NAME
  mkdir -p "$1" && cp "$shared/zoo/fixtures/$1/model.safetensors" "$1/$2" && cp "$tok/$3" "$1/$4" && cat >"$1/$5"
  check "$1: the folder alone" "$vocabench" encode texts --weights "$1" --input "$captions" --output t.npy --raw "${@:6}"
  check "$1: its text embeddings" "$tools/npy" compare t.npy "$shared/zoo/fixtures/$1/text_embeddings.npy" 0.999999 1e-4 -
}
plain='"vision_cfg": {"image_size": 64, "layers": 1, "width": 128, "patch_size": 16}'
folder xlm-roberta open_clip_model.safetensors xlm.model sentencepiece.bpe.model open_clip_config.json <<E
{"model_cfg": {"embed_dim": 32, $plain, "text_cfg": {"hf_model_name": "xlm-roberta-base", "hf_tokenizer_name": "xlm-roberta-base",
  "hf_pooler_type": "mean_pooler"}}}
E
"$vocabench" inspect xlm-roberta >inspected
like "inspect of it: how texts are pooled" '^  text_pooling +mean +open_clip_config.json$' inspected
like "inspect of it: the context" '^  context +77 +open_clip_config.json$' inspected
folder nllb open_clip_model.safetensors xlm.model sentencepiece.bpe.model open_clip_config.json --start-token 2002 <<E
{"model_cfg": {"embed_dim": 32, $plain, "text_cfg": {"hf_model_name": "facebook/nllb-200-distilled-600M",
  "hf_proj_type": "linear",
  "hf_tokenizer_name": "facebook/nllb-200-distilled-600M", "hf_pooler_type": "cls_pooler"}}}
E
towers='"vision_config": {"hidden_size": 128, "image_size": 64, "patch_size": 16, "num_hidden_layers": 1'
towers+=', "num_attention_heads": 2}'
folder altclip model.safetensors xlm.model sentencepiece.bpe.model config.json <<E
{"model_type": "altclip", "projection_dim": 32, $towers, "text_config": {"hidden_size": 128, "num_hidden_layers": 2,
  "num_attention_heads": 2, "vocab_size": 2002, "max_position_embeddings": 82}}
E
folder chinese-clip model.safetensors vocab.txt vocab.txt config.json <<E
{"model_type": "chinese_clip", "projection_dim": 32, $towers, "text_config": {"hidden_size": 128, "num_hidden_layers": 2,
  "num_attention_heads": 2, "vocab_size": 2000}}
E
# NLLB's texts beside SigLIP's images: the fixtures' towers in one file, the projection's rows repeated.
if [ -x /usr/bin/python3 ]; then
  /usr/bin/python3 - "$shared/zoo/fixtures" <<'P'
import json, struct, sys
def read(name):
    data = open(f"{sys.argv[1]}/{name}/model.safetensors", "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    head.pop("__metadata__", None)
    return {k: (v["dtype"], v["shape"], data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]) for k, v in head.items()}
both = {k: v for k, v in read("siglip").items() if k.startswith("visual.")}
width = both["visual.trunk.norm.weight"][1][0]
both.update({k: v for k, v in read("nllb").items() if k.startswith("text.")})
kind, shape, data = both["text.proj.weight"]
both["text.proj.weight"] = (kind, [width, shape[1]], data * (width // shape[0]))
head, body = {}, b""
for name, (kind, shape, data) in both.items():
    head[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
head = json.dumps(head).encode()
open("joined.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + body)
P
  check "NLLB and SigLIP: images" "$vocabench" encode images --weights joined.safetensors --input "$shared/fixtures/images" \
    --output i.npy --raw
  check "they are SigLIP's" "$tools/npy" compare i.npy "$shared/zoo/fixtures/siglip/image_embeddings.npy" 0.999999 1e-4 -
  check "NLLB and SigLIP: texts" "$vocabench" encode texts --weights joined.safetensors --tokenizer "$tok/xlm.model" \
    --start-token 2002 --input "$captions" --output t.npy --raw
  "$vocabench" inspect joined.safetensors >inspected
  like "the family is told by the tensors" '^family: nllb_siglip$' inspected
  like "its texts are of ReLU" '^  text_activation +relu +family$' inspected
fi
sed -i 's/xlm-roberta-base/google-mt5-base/; s/mean_pooler/max_pooler/' xlm-roberta/open_clip_config.json
refuses "texts of a model that is not encoded" 10 'hf_model_name: "google-mt5-base" makes this another architecture' \
  "$vocabench" encode texts --weights xlm-roberta --input "$captions" --output t.npy
refuses "a language that the model has not" 6 "token 256047 stands around texts by the convention nllb" \
  "$vocabench" encode texts --weights "$shared/zoo/fixtures/nllb/model.safetensors" --tokenizer "$tok/xlm.model" \
  --input "$captions" --output t.npy
# A language that open_clip's tokenizer is set to begins texts; where no token is of that name, its number must be stated.
sed -i 's/"hf_pooler_type"/"tokenizer_kwargs": {"language": "deu_Latn"}, "hf_pooler_type"/' nllb/open_clip_config.json
refuses "a language that the file tells and the tokenizer has not" 6 \
  "xlm.model: no token deu_Latn, the language of texts by open_clip_config.json: state start_token, its number" \
  "${embed[@]}" nllb --tokenizer "$tok/xlm.model"
check "nllb: it is stated" "${embed[@]}" nllb --start-token 2002
check "nllb: and first" "$tools/npy" compare t.npy "$shared/zoo/fixtures/nllb/text_embeddings.npy" 0.999999 1e-4 -
jq '{version, truncation, padding, added_tokens: [{id: 1007, content: "deu_Latn", special: true, single_word: false,
  lstrip: false, rstrip: false, normalized: false}], normalizer, pre_tokenizer, post_processor, decoder, model}' \
  "$repos/hf-metaclip2/tokenizer.json" >nllb.json
jq '.model.vocab[1007][0] = "deu_Latn"' nllb.json >nllb/tokenizer.json
"${embed[@]}" nllb --tokenizer nllb/tokenizer.json && mv t.npy told.npy
sed -i 's/deu_Latn/eng_Latn/' nllb/open_clip_config.json
must "${embed[@]}" nllb --tokenizer nllb/tokenizer.json --start-token 1007
same "nllb: the language that the file tells begins texts" t.npy told.npy
# MetaCLIP 2's models of mT5's vocabulary: SigLIP's tokenizer, and texts that are pooled where token 1 comes first.
mkdir mt5 && cp "$repos/hf-metaclip2/"{config.json,preprocessor_config.json,model.safetensors} "$repos/hf-siglip/spiece.model" mt5
sed -i 's/"eos_token_id": 2/"eos_token_id": 1/' mt5/config.json
check "texts of mT5's vocabulary" "${embed[@]}" mt5
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  must /usr/bin/python3 - "$shared/zoo/specs" "$captions" truth.npy <<'P'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import clip, common, numpy, text_tokenizers
tensors = common.read_safetensors("mt5/model.safetensors")
pieces = text_tokenizers.SentencePiece("mt5/spiece.model")
rows = [numpy.array(text_tokenizers.siglip_row(text, pieces, 77)) for text in json.load(open(sys.argv[2]))]
numpy.save(sys.argv[3], numpy.array([clip.text_hf(row, tensors, 3, common.quick_gelu, eos=1) for row in rows], "float32"))
P
  check "their embeddings" "$tools/npy" compare t.npy truth.npy 0.999999 1e-4 -
else
  skip "their embeddings" "no NumPy"
fi
refuses "a tokenizer whose texts end elsewhere than the model's" 6 \
  "spiece.model: texts of this model are pooled at token 7 .experiment., but end with 2 by the convention xlm_roberta: another" \
  "${embed[@]}" mt5 --end-token 7
/usr/bin/python3 - mt5.safetensors <<'P'
import json, struct, sys
block = "transformer.resblocks.0."
shapes = {"token_embedding.weight": [250000, 64], "positional_embedding": [77, 64], "text_projection": [64, 8],
          "ln_final.weight": [64], "ln_final.bias": [64], block + "attn.in_proj_weight": [192, 64],
          block + "attn.in_proj_bias": [192], block + "attn.out_proj.weight": [64, 64], block + "attn.out_proj.bias": [64],
          block + "mlp.c_fc.weight": [64, 64], block + "mlp.c_fc.bias": [64], block + "mlp.c_proj.weight": [64, 64],
          block + "mlp.c_proj.bias": [64]}
shapes.update({block + f"ln_{i}.{part}": [64] for i in (1, 2) for part in ("weight", "bias")})
head, size = {}, 0
for name, shape in shapes.items():
    bytes_ = 2 * shape[0] * (shape + [1])[1]
    head[name] = {"dtype": "F16", "shape": shape, "data_offsets": [size, size + bytes_]}
    size += bytes_
head = json.dumps(head).encode()
with open(sys.argv[1], "wb") as out: # zeros
    out.write(struct.pack("<Q", len(head)) + head)
    out.truncate(8 + len(head) + size)
P
"$vocabench" inspect mt5.safetensors >inspected
like "its vocabulary tells where texts end" '^  end_token +1 +tensors$' inspected
"$vocabench" inspect "$repos/hf-metaclip2" >inspected
like "inspect of the folder: the convention" '^  convention +xlm_roberta +family$' inspected
like "inspect of the folder: the padding" '^  pad_token +1 +family$' inspected
finish
