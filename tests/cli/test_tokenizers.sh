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
  "a tokenizer of the kind WordPiece, but texts of the family clip are cut by the convention openai xlm_roberta: state convention" \
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
"$vocabench" inspect "$repos/hf-metaclip2" >inspected
like "inspect of the folder: the convention" '^  convention +xlm_roberta +family$' inspected
like "inspect of the folder: the padding" '^  pad_token +1 +family$' inspected
finish
