#!/bin/bash
# A learned context (CoOp) that is made of the embeddings of words is the prompt of these words, in everything that texts of
# classes and foreign names go into: figures, expansions, names of another language, adversarial names, REPE, synonyms.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { skip "learned contexts" "no NumPy"; finish; }
make_data images pics 20 3; make_data images more 5 4; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
printf 'girl\nboy\nhouse\nSEA\ncavallo\nlong noun\ntree\n' >nouns.txt
sed -n 's/^ *[a-z]*: *\[\(.*\)\]/\1/p' v.yaml | tr ',' '\n' | sed 's/^ *//; s/.*/&\til &o/; s/bear$/cavallo/' >it.tsv
{ seq -f 'il bearo %g, table' 0 20; seq -f 'a lamp by the sea, il apple %g' 0 20; } >c.txt
mkdir wordnet
printf '%s\n' '00000100 03 n 02 bear 0 bruin 0 000 | brown' '00000200 03 n 03 chair 0 seat 0 place_to_sit 0 000 | wood' \
  >wordnet/data.noun
for word in bear:1 bruin:1 chair:2 place_to_sit:2 seat:2; do echo "${word%:*} n 1 0 1 0 00000${word#*:}00"; done \
  >wordnet/index.noun
cat >e.yaml <<'E'
experiment: contexts
per_image: true
threads: 1
analyses: [margin, uniformity, open_curve, open_set, calibration, prompt_spread, top5]
prompt_spread: {draws: 3, wordnet: wordnet}
open_curve: {names: nouns.txt, exclude: names}
adversarial: {candidates: nouns.txt, exclude: names, k: 2}
datasets: [{name: d, images: pics, vocabularies: v.yaml, on_unmatched: skip},
  {name: f, images: more, vocabularies: five.yaml}]
expansions: [{name: x, datasets: [d, f], shared_names: different}]
corpora: [{name: c, captions: c.txt}]
retrieval: {corpus: c, top_k: [2, 9], lambda: 0.4, select: cross, filter: none}
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a b c {}."]}]
E
# Words of one letter are one token each.
echo 'a b c' >words.txt
must "$vocabench" tokenize --tokenizer tok --input words.txt --output ids.npy --context-length 32
must /usr/bin/python3 - <<'P'
import json, struct, numpy
data = open("m.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + size])["token_embedding.weight"]["data_offsets"]
ids = numpy.load("ids.npy")[0]
rows = numpy.frombuffer(data[8 + size + begin:8 + size + end], "f4").reshape(ids.max() + 1, -1)[ids[1:ids.argmax()]]
assert len(rows) == 3, ids
head = json.dumps({"ctx": {"dtype": "F32", "shape": rows.shape, "data_offsets": [0, rows.nbytes]}}).encode()
open("context.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + rows.tobytes())
P
its() { query "$1" '.results[] | del(.embedding.prompts, .expansion.datasets[]?.prompts)'; }
# in_words NAME POSITION TEMPLATE [FLAG...]
in_words() {
  run e.yaml --output "words-$1" --set "models.m.prompts=[\"$3\"]" "${@:4}"
  run e.yaml --output "context-$1" --set "models.m.prompts={coop: context.safetensors, position: $2}" "${@:4}"
  same "$1: all figures are those of the words" <(its "words-$1") <(its "context-$1")
}
in_words all end 'a b c {}.'
holds "foreign names, synonyms and blends are among them" '.results[0] | .analyses.prompt_spread.synonyms.names == 3 and
  (.retrieval.results | length) == 2 and (.adversarial | length) == 3 and .analyses.open_curve.pool.candidates == 7' \
  context-all/results.json
for word in records retrieval; do
  equal "$word, too" "$(cd words-all && find $word -type f -exec md5sum {} + | sort -k 2)" \
    "$(cd context-all && find $word -type f -exec md5sum {} + | sort -k 2)"
done
# Half of the context before the name, rounded down, and all of it behind.
other=(--only-dataset d --set 'analyses=[open_curve, prompt_spread]')
in_words middle middle 'a {} b c.' "${other[@]}"
in_words front front '{} a b c.' "${other[@]}"
in_words named end 'a b c {}.' --only-dataset d --set 'analyses=[open_curve]' --set prompt_spread= \
  --set datasets.d.names=it.tsv --set datasets.d.language=it
finish
