#!/bin/bash
# What the program writes against digests of what it once wrote (tests/golden/digests.txt): a change of the code keeps every byte.
# `test_golden.sh --print` prints lines for that list instead of comparing. After a change that is meant to alter what is written,
# with all at hand that the test would skip otherwise (VOCABENCH_BUILD says of which build):
#   tests/cli/test_golden.sh --print >digests.txt && mv digests.txt tests/golden/digests.txt
# The digests are those of Debian 12: of its libjpeg, FreeType, font, WordNet and gnuplot. Compressed files are unpacked first,
# and `run` blocks left out.
# shellcheck disable=SC2015 # pass and fail never fail
. "$(dirname "$0")/../lib.sh"
print=no digests=$here/tests/golden/digests.txt
[ "${1:-}" != --print ] || print=yes
exec 3>&1
# Printing: the test's own lines are out of the way, and a list with gaps is a failure.
[ $print = no ] || { exec 1>&2; skip() { fail "$1" "$2"; }; }
whole=yes
leave_out() { skip "$@"; whole=no; }

# golden NAME FILE: the SHA-256 of the file has that name in the list.
: >"$scratch/names"
golden() {
  local found expected
  found=$(sha256sum <"$2" | cut -d' ' -f1)
  case $found in
    '' | e3b0c44298fc*) fail "$1" "nothing was written"; return ;;
  esac
  echo "$1" >>"$scratch/names"
  if [ $print = yes ]; then echo "$found  $1" >&3; return; fi
  expected=$(name=$1 awk 'substr($0, 67) == ENVIRON["name"] { print substr($0, 1, 64) }' "$digests")
  if [ "$found" = "$expected" ]; then pass "$1"
  else fail "$1" "found    $found" "expected ${expected:-nothing: no line has this name}"; fi
}
# program COMMAND...: on two ranks.
program() {
  mpi 2 timeout -k 5 $((5 * minute)) "$vocabench" "$@" >stdout 2>err </dev/null ||
    fail "vocabench $*" "code $?" "$(grep '^vocabench: ' err)"
}
# alone NAME FILE COMMAND...: the file that a command on one rank writes.
alone() {
  local name=$1 file=$2; shift 2
  rm -f "$file"; "$vocabench" "$@" >stdout 2>err || fail "vocabench $*" "$(cat err)"
  golden "$name" "$file"
}
# The `run` block depends on the clock and the machine; all else is digested as it was written, not as jq would write it again.
figures() { sed '/^ "run": {$/,/^ },\{0,1\}$/d' "$1"; }
# fixed DIR RUN: a copy of results in which a `run` block that never changes stands for the true one.
fixed() {
  mkdir "$1-fixed" && { figures "$1/results.json" | sed '$d'; printf '%s\n}\n' "$2"; } >"$1-fixed/results.json"
  [ ! -e "$1/retrieval" ] || cp -r "$1/retrieval" "$1-fixed/"
  jq -e .run "$1-fixed/results.json" >jq.out 2>&1 || fail "$1: the run block is the last one" "$(cat jq.out)"
}
# results DIR: everything that a run has written for others to read.
results() {
  local file
  golden "$1: results.json" <(figures "$1/results.json")
  for file in "$1"/table.* "$1"/series.*; do [ ! -e "$file" ] || golden "$1: ${file##*/}" "$file"; done
  for file in "$1"/records/*.zst "$1"/retrieval/*.zst; do
    [ ! -e "$file" ] || golden "$1: ${file#"$1"/}" <(zstd -dcq "$file")
  done
}
# The rows in a cache by their keys: an old cache serves a new program. What is known by path and time stamp is left out.
cache() { golden "$1: cache" <(cd "$1/cache" && find . -name '*.npy' | LC_ALL=C sort | xargs sha256sum); }
# report DIR RUN FORMAT...: without the pictures that gnuplot draws, which have a line for its version.
report() {
  local dir=$1 format name drawn
  fixed "$1" "$2"; shift 2
  for format; do
    "$vocabench" report "$dir-fixed" --output "$dir.$format" >stdout 2>err || fail "$dir: report.$format" "$(cat err)"
    golden "$dir: report.$format" <(sed 's/<svg[^>]*>/\n&/g; s/<\/svg>/&\n/g' "$dir.$format" | sed '/^<svg/,/<\/svg>$/d')
  done
  drawn=$(find "$dir-data" -type f | LC_ALL=C sort | xargs sha256sum)
  golden "$dir: data of the figures" <(grep '\.csv$' <<<"$drawn")
  golden "$dir: scripts of the figures" <(grep '\.gp$' <<<"$drawn")
  name="$dir: figures by $(gnuplot --version)"
  if [ $print = no ] && ! grep -qF "$name" "$digests"; then leave_out "$name" "the list has those of another version"
  else golden "$name" <(grep '\.svg$' <<<"$drawn"); fi
}
run_block() { # run_block DATASET IMAGES
  cat <<E
 "run": {"finished": "2026-01-01T00:00:00Z", "seconds": 1.5, "version": "0", "revision": "0", "ranks": 2, "threads": 1,
  "isa": "scalar", "hosts": ["one", "one"], "peak_memory_a_rank": 1000000, "pairs": [],
  "sources": [{"dataset": "$1", "images": "$2"}]}
E
}
# texts and images of a model: encode NAME WEIGHTS IMAGES TOKENIZER TEXTS [FLAGS]
encode() {
  local name=$1 weights=$2 images=$3 tokenizer=$4 texts=$5; shift 5
  rm -f i.npy t.npy
  case $weights in
    *slip* | *declip* | */torchscript.pt) ;;
    *) [[ "$*" == *--activation* ]] || set -- "$@" --activation quick_gelu ;;
  esac
  program encode images --weights "$weights" --input "$images" --output i.npy --raw "$@"
  golden "$name: image embeddings" i.npy
  program encode texts --weights "$weights" --tokenizer "$tokenizer" --input "$texts" --output t.npy --raw "$@"
  golden "$name: text embeddings" t.npy
}
# retrieve NAME QUERIES CORPUS: both ways, which give the same lists
retrieve() {
  local name=$1 queries=$2 corpus=$3 similarity
  for similarity in dot cosine; do
    rm -rf codes* list.*
    program retrieve --queries "$queries" --corpus "$corpus" --top-k 20 --similarity $similarity --output list.jsonl.zst \
      --ids list.npy
    golden "$name, $similarity: list" <(zstd -dcq list.jsonl.zst)
    golden "$name, $similarity: rows" list.npy
    golden "$name, $similarity: summary" <(figures list.summary.json)
    program pack --quantize int8 --input "$corpus" --output codes --similarity $similarity
    golden "$name, $similarity: codes" <(cat codes/*.vbq)
    program retrieve --queries "$queries" --corpus "$corpus" --top-k 20 --similarity $similarity --output codes.jsonl.zst \
      --ids codes.npy --quantized codes
    same "$name, $similarity: the codes give the same list" <(zstd -dcq list.jsonl.zst) <(zstd -dcq codes.jsonl.zst)
    same "$name, $similarity: the codes give the same rows" list.npy codes.npy
    golden "$name, $similarity: summary with codes" <(figures codes.summary.json)
  done
}

# Paths stand in results as they were given: everything lies in one folder, and ../shared and configs/ beside it.
mkdir "$scratch/work" && ln -s "$shared" "$scratch/shared" && ln -s "$here/configs" "$here/tests" "$scratch/work" &&
  cd "$scratch/work" || exit 1
export VOCABENCH_CONFIGS=$here/configs

# ---- made data --------------------------------------------------------------------------------------------------
mkdir cifar
"$tools/make_data" images pics 20 12 && "$tools/make_data" images five 5 4 && "$tools/make_data" cifar cifar/test.bin 20 300 &&
  "$tools/make_data" model m.safetensors && "$tools/make_data" tokenizer tok || fail "test data"
made_vocabularies
# Blanks, entities, mojibake, other scripts, and more than there is room for.
printf '%s\n' 'a photo of an apple.' '' 'an   APPLE &amp;amp; a pear' 'été naïve, «façade» 日本語 🙂 schÃ¶n' \
  "$(printf 'long %.0s' {1..60})" >texts.txt
encode "made model" m.safetensors pics tok texts.txt
encode "made model, gelu, RGB first" m.safetensors pics tok texts.txt --activation gelu --rgb-first
golden "made model: inspect" <("$vocabench" inspect m.safetensors)
alone "made texts: tokens" ids.npy tokenize --tokenizer tok --input texts.txt --output ids.npy --context-length 32
alone "made images: preprocessed" p.npy preprocess --resolution 32 --input pics --output p.npy
alone "made images: preprocessed, RGB first" p.npy preprocess --resolution 48 --input pics --output p.npy --rgb-first
"$vocabench" pack --input cifar/test.bin --output packed --samples-per-shard 70 >stdout 2>err || fail "pack" "$(cat err)"
golden "made records: packed" <(for shard in packed/*.tar.zst; do zstd -dcq "$shard"; done)

# Every kind of data, figure and file in one experiment.
printf '%s\n' table train Apple bear lamp whale unicorn 'palm tree' "$(printf 'long %.0s' {1..50})" >nouns.txt
printf '%s\n' 'a bear in the snow' 'an apple on a tree' 'a chair' 'a dolphin jumps' 'the forest' 'two chairs' 'a wolf, a worm' \
  'an orange table' 'trains at sea' 'a keyboard' >captions.txt
program encode images --weights m.safetensors --activation quick_gelu --input five --output five-i.npy
printf '%s\n' apple bear chair dolphin elephant >five.txt
program encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok --input five.txt --output five-t.npy
for i in 0 1 2 3 4; do printf "$i\n%.0s" 1 2 3 4; done >labels && "$tools/npy" numbers five-y.npy i8 labels || fail "test data"
"$tools/npy" random nouns.npy 9 32 7 && "$tools/npy" random five-i2.npy 20 32 8 && "$tools/npy" random five-i10.npy 20 32 9 ||
  fail "test data"
cat >made.yaml <<'E'
experiment: made
per_image: true
latex: true
on_cut: allow
analyses: [margin, similarity, alignment, uniformity, spectrum, order]
datasets:
  - {name: folder, images: pics, vocabularies: v.yaml}
  - {name: cifar, images: cifar/test.bin, vocabularies: v.yaml}
  - {name: packed, images: packed, vocabularies: five.yaml, on_error: skip}
  - {name: five, images: five, vocabularies: five.yaml}
expansions:
  - {name: same, datasets: [folder, five]}
  - {name: merge, datasets: [five, packed, cifar], shared_names: merge}
adversarial: {candidates: nouns.txt, k: 2, method: exact, exclude: names, wordnet: nowhere}
corpora: [{name: words, captions: captions.txt}]
retrieval: {corpus: words, top_k: [2, 5], lambda: [0, 0.25, 0.5]}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a photo of a {}."]}
  - {name: ensemble, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: cifar100}
  - {name: dot, family: clip, weights: m.safetensors, tokenizer: tok, activation: gelu, preprocessing: rgb_first,
     similarity: dot, prompts: ["{}", "the {}"]}
E
program run made.yaml --output made
results made
cache made
sed '/^analyses/d; /^adversarial/d; /^corpora/d; /^retrieval/d' made.yaml >sampled.yaml
program run sampled.yaml --output sampled --cache made/cache --set protocol=sampled
golden "sampled: results.json" <(figures sampled/results.json)
golden "sampled: table.csv" sampled/table.csv
cat >given.yaml <<'E'
experiment: given
per_image: true
analyses: [margin, similarity, alignment, uniformity, spectrum, order]
datasets: [{name: five, vocabularies: five.yaml}]
adversarial: {candidates: nouns.txt, embeddings: nouns.npy, k: 3, method: greedy, exclude: none, wordnet: nowhere}
models:
  - {name: encoded, family: precomputed, image_embeddings: five-i.npy, text_embeddings: five-t.npy, labels: five-y.npy}
  - {name: series, family: precomputed, image_embeddings: "five-i{2,10}.npy", text_embeddings: five-t.npy, labels: five-y.npy}
E
program run given.yaml --output given
results given
sed '/^per_image/d; /^analyses/d; /^adversarial/d' given.yaml >divided.yaml
program run divided.yaml --output divided --set similarity_engine=scalapack --ranks-per-model 2
golden "scalapack: results.json" <(figures divided/results.json)
alone "made: compared, JSON" compared.json compare made made --model plain --model ensemble --dataset folder --allow prompts \
  --json compared.json
golden "made: compared" stdout
if command -v gnuplot >/dev/null; then report made "$(run_block folder pics)" md html tex
else leave_out "reports" "gnuplot-nox is not installed"; fi
"$tools/npy" random queries.npy 9 16 1 && "$tools/npy" random corpus.npy 500 16 2 || fail "test data"
retrieve "random rows" queries.npy corpus.npy

# ---- what Debian ships ------------------------------------------------------------------------------------------
if [ -e /usr/share/wordnet/data.noun ]; then
  for flags in "" "--single-words --heads" "--min-depth 6 --max-depth 9"; do
    # shellcheck disable=SC2086 # flags
    alone "candidates wordnet${flags:+ $flags}" nouns.out candidates wordnet --output nouns.out $flags
  done
else leave_out "candidates" "wordnet-base is not installed"; fi

font=/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf list=/usr/share/unicode/emoji/emoji-test.txt
pictures=results/demo/emoji-pictures
if [ -e $font ] && [ -e $list ] && [ -x "$build/tests/demo/emoji" ]; then
  mkdir -p results/demo && "$build/tests/demo/emoji" $font $list $pictures >stdout 2>err || fail "pictures of emoji" "$(cat err)"
  golden "emoji: pictures and names" <(cd $pictures && find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum)
  program run configs/experiments/emoji.yaml --output emoji
  results emoji
  cache emoji
  if command -v gnuplot >/dev/null; then report emoji "$(run_block emoji $pictures/images)" md; fi
else leave_out "the demo on emoji" "its font or its list is not installed"; fi

# ---- the shared data --------------------------------------------------------------------------------------------
need_shared fixtures "the fixtures of the official code"
data=../shared bpe=../shared/reference/bpe_simple_vocab_16e6.txt.gz fixtures=../shared/fixtures
for weights in clip-vit/model.safetensors clip-vit/state_dict.pt clip-vit/torchscript.pt clip-vit/huggingface.safetensors \
  clip-rn/model.safetensors slip-vit/checkpoint.pt declip-vit/checkpoint.pth.tar; do
  encode "$weights" $fixtures/$weights $fixtures/images $bpe $fixtures/texts.json
  golden "$weights: inspect" <("$vocabench" inspect $fixtures/$weights)
done
alone "tokens" ids.npy tokenize --tokenizer $bpe --input $fixtures/texts.json --output ids.npy
alone "tokens, DeCLIP's" ids.npy tokenize --tokenizer $bpe --input $fixtures/texts.json --output ids.npy --mask-token
for r in 32 64 224; do alone "preprocessed to $r" p.npy preprocess --resolution $r --input $fixtures/images --output p.npy; done

# CoOp's text embeddings are those in the cache that agree with the official code's.
cat >six.yaml <<'E'
name: six
vocabularies: {one: [apple, aquarium_fish, sweet_pepper], two: [lawn_mower, willow_tree, T-shirt]}
E
mkdir six && "$tools/make_data" cifar six/test.bin 20 20 || fail "test data"
sed -i '1s/.*/aquarium_fish/; 2s/.*/sweet_pepper/; 3s/.*/lawn_mower/; 4s/.*/willow_tree/; 5s/.*/T-shirt/; 6s/.*/apple/' \
  six/fine_label_names.txt
for position in end middle front; do
  cat >coop.yaml <<E
experiment: coop
datasets: [{name: d, images: six/test.bin, vocabularies: six.yaml}]
models:
  - name: learned
    family: clip
    activation: quick_gelu
    weights: $fixtures/clip-vit/model.safetensors
    tokenizer: $bpe
    prompts: {coop: $fixtures/coop/model.pth.tar-50, position: $position}
E
  program run coop.yaml --output coop-$position
  golden "coop-$position: results.json" <(figures coop-$position/results.json)
  for file in coop-"$position"/cache/*/*.npy; do
    "$tools/npy" compare "$file" $fixtures/coop/text_embeddings_$position.npy 0.999999 1e-4 - >/dev/null || continue
    golden "coop-$position: text embeddings" "$file"
  done
done

need_shared data/clip-vit-b32-imagenet "the demo on real embeddings and images, retrieval"
# As tests/tools/demo.sh runs them.
embeddings=$data/data/clip-vit-b32-imagenet
ids=results/demo/wordnet-ids.txt
mkdir -p results/demo && tail -n +2 $embeddings/imagenet_classes.tsv | cut -f2 >$ids || fail "test data"
living=(run configs/experiments/living17.yaml --set "models.0.image_embeddings='$embeddings/imagenet_image_7per_class.npy'"
  --set "models.0.labels='$embeddings/imagenet_image_labels.npy'" --set "models.0.label_names='$ids'"
  --set "models.0.text_embeddings='$embeddings/imagenet_text_a_photo_of.npy'" --set "models.0.text_names='$ids'")
program "${living[@]}" --output living17
results living17
program "${living[@]}" --output living17-sampled --set protocol=sampled --set 'analyses=[margin, similarity, spectrum, order]'
golden "living17, sampled: results.json" <(figures living17-sampled/results.json)
tiny=$data/models/cifar-tiny-rn.safetensors
program run configs/experiments/cifar100.yaml --output cifar100 --set "datasets.0.images='$data/data/cifar-100-binary/test.bin'" \
  --set "models.0.name='cifar-tiny-rn'" --set "models.0.weights='$tiny'" --set "models.0.tokenizer='$bpe'"
results cifar100
# Whatever the digests say, the figures are those of PyTorch.
truth=${tiny%.safetensors}.expected.json
jq -e --slurpfile t "$truth" '.results[0] | . as $r | .images == 10000 and
  (["acc_c", "acc_e", "acc_s"] | all(. as $k | ($r[$k] - $t[0][$k] | fabs) < 0.0005))' cifar100/results.json >/dev/null
verdict $? "cifar-tiny-rn: Acc-C, Acc-E, Acc-S" "$(jq -c '.results[0] | [.images, .acc_c, .acc_e, .acc_s]' cifar100/results.json)"
jq -r --slurpfile t "$truth" '.results[0] | [.vocabularies[].acc_c] as $a | [$t[0].per_vocabulary[].acc_c] as $b |
  range($b | length) | ($a[.] - $b[.]) | fabs' cifar100/results.json | awk '$1 > 0.0041 { bad = 1 } END { exit bad || NR != 20 }'
verdict $? "cifar-tiny-rn: every vocabulary"

# REPE from shards of pictures, a table and COCO's list of captions.
mkdir part corpus && head -c $((3074 * 500)) $data/data/cifar-100-binary/test.bin >part/test.bin &&
  cp $data/data/cifar-100-binary/fine_label_names.txt part/ && cp $data/data/cifar-captions/00000.tar corpus/ &&
  head -n 200 $data/data/captions/cc3m-validation.tsv >cc3m.tsv &&
  jq -c '.annotations |= .[:200]' $data/data/captions/coco-captions-val2017.json >coco.json || fail "test data"
cat >repe.yaml <<E
experiment: repe
datasets: [{name: cifar100, images: part/test.bin, vocabularies: configs/vocabularies/cifar100.yaml}]
corpora:
  - {name: pictures, images: "corpus/*.tar"}
  - {name: cc3m, captions: cc3m.tsv, caption_column: 1}
  - {name: coco, captions: coco.json}
models:
  - {name: pictures, family: clip, activation: quick_gelu, weights: $tiny, tokenizer: $bpe, prompts: ["a photo of a {}."],
     retrieval: {corpus: pictures, top_k: [10, 100], lambda: [0.25, 0.5]}}
  - {name: cc3m, family: clip, activation: quick_gelu, weights: $tiny, tokenizer: $bpe,
     prompts: ["a photo of a {}.", "a blurry photo of the {}."],
     retrieval: {corpus: cc3m, top_k: 20, filter: none, deduplicate: true, renormalize: true}}
  - {name: coco, family: clip, activation: quick_gelu, weights: $tiny, tokenizer: $bpe, prompts: ["a photo of a {}."],
     retrieval: {corpus: coco, top_k: 20, depth: 100, query: "a picture of a {}", similarity: dot}}
E
program run repe.yaml --output repe
results repe

retrieve "flickr8k" $embeddings/imagenet_text_a_photo_of.npy $data/data/clip-vit-b32-flickr8k/flickr8k1000_image.npy
"$tools/npy" cast $embeddings/imagenet_image_7per_class.npy half.npy f2 || fail "test data"
retrieve "imagenet, fp16" $embeddings/imagenet_text_a_photo_of.npy half.npy

[ $print = yes ] || [ $whole = no ] ||
  same "every digest of the list has been compared" <(cut -c 67- "$digests" | LC_ALL=C sort) <(LC_ALL=C sort "$scratch/names")
finish
