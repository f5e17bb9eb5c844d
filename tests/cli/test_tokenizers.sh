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
  "of the kind WordPiece, but texts of the family clip are cut by the convention openai xlm_roberta: state convention" \
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
"$vocabench" inspect "$repos/hf-metaclip2" >inspected
like "inspect of the folder: the convention" '^  convention +xlm_roberta +family$' inspected
like "inspect of the folder: the padding" '^  pad_token +1 +family$' inspected
finish
