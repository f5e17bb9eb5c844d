#!/bin/bash
# REPE end to end on real images and captions: equal to NumPy, byte-equal at any rank count, ensembles, captions alone, bad input.
# shellcheck disable=SC2317 # runs and numpy are called through check
. "$(dirname "$0")/../lib.sh"
need_shared models/cifar-tiny-rn.safetensors "REPE on CIFAR-100"
weights=$shared/models/cifar-tiny-rn.safetensors tokenizer=$shared/reference/bpe_simple_vocab_16e6.txt.gz python=/usr/bin/python3
cd "$scratch" || exit 1
head -c $((3074 * 500)) "$shared/data/cifar-100-binary/test.bin" >test.bin
cp "$shared/data/cifar-100-binary/fine_label_names.txt" .
# Two shards of five hundred pictures with their captions.
mkdir corpus
for shard in 00000 00001; do
  mkdir members && tar xf "$shared/data/cifar-captions/$shard.tar" -C members &&
    (cd members && find . -type f -printf '%P\n' | LC_ALL=C sort >../members.txt &&
      sed -n 's/\.txt$//p' ../members.txt | head -n 500 >../keys.txt &&
      awk -F . 'NR == FNR { keep[$1]; next } $1 in keep' ../keys.txt ../members.txt | tar cf "../corpus/$shard.tar" -T -)
  verdict $? "half of the shard $shard"
  rm -r members
done

# experiment NAME PROMPTS RETRIEVAL
experiment() {
  cat >"$1.yaml" <<EOF
experiment: $1
datasets: [{name: cifar100, images: $scratch/test.bin, vocabularies: configs/vocabularies/cifar100.yaml}]
corpora:
  - {name: pictures, images: "$scratch/corpus/*.tar"}
  - {name: words, captions: $scratch/captions.txt}
  - {name: parts, embeddings: $scratch/parts}
retrieval: $3
models:
  - {name: tiny, family: clip, activation: quick_gelu, weights: $weights, tokenizer: $tokenizer, prompts: $2}
EOF
}
# runs RANKS NAME [CACHE]
runs() {
  mpi "$1" "$vocabench" run "$2.yaml" --output "out-$2-$1" --cache "${3:-cache}" >"told.$2" 2>&1 || { cat "told.$2"; return 1; }
}
plain='["a photo of a {}."]' settings='{corpus: pictures, top_k: [10, 100], lambda: [0, 0.25, 0.5]'

experiment single "$plain" "$settings, select: cross}"
check "a run with retrieval" runs 1 single
for ranks in 3 5; do
  check "the same at $ranks ranks, encoding all again" runs $ranks single "cache-$ranks"
  same "results at $ranks ranks" <(figures out-single-1) <(figures out-single-$ranks)
  same "lists at $ranks ranks" \
    out-single-1/retrieval/tiny--cifar100.jsonl.zst out-single-$ranks/retrieval/tiny--cifar100.jsonl.zst
done
equal "one row is marked as the best" \
  "$(query out-single-1 '[.results[0].retrieval.results[] | select(.best) | .selected_on] | tojson')" '["the test images"]'
holds "the setting of the paper is the one that counts" \
  '[.results[0].retrieval.results[] | select(.stated) | [.top_k, .lambda]] == [[100, 0.25]]' out-single-1/results.json
holds "classes without captions are listed" '.results[0].retrieval.without_captions | any(.[]; .top_k == 10 and
  (.classes | length) > 0)' out-single-1/results.json
grep -qE '^warning: tiny / cifar100: classes without captions at top_k 10, which keep their prompts: [0-9]+ \(' told.single
verdict $? "and warned of" "$(cat told.single)"
equal "the table: plain, the stated setting, the cross-fitted one, the bound" \
  "$(sed -n 's/^| *\(tiny\|+REPE[^|]*[^| ]\) *|.*/\1/p' out-single-1/table.md | paste -sd';')" \
  "tiny;+REPE k=100 l=0.25;+REPE cross-fitted, 2 folds;+REPE upper bound (best on test)"
equal "CSV: all settings, and which count" "$(cut -d, -f1 out-single-1/table.csv | grep -c 'REPE')" 7
like "the stated one" '^"tiny[+]REPE k=100 l=0.25",.*,100,0.25,"?stated' out-single-1/table.csv
like "the cross-fitted one" '^"tiny[+]REPE cross-fitted",.*,,,"cross-fitted",' out-single-1/table.csv
# shellcheck disable=SC2016 # jq's variable
equal "lambda 0 is the plain prompt" "$(query out-single-1 '.results[0] as $r | $r.retrieval.results[] | select(.lambda == 0) |
  .acc_e == $r.acc_e' | sort -u)" true

# Of 20 vocabularies a fold's tally has 2^20 counters of 8 bytes, and as many again for its curve's errors and more.
planned() { "$vocabench" plan single.yaml --set retrieval.folds="$1" | sed -nE 's/.* memory: about ([0-9.]+) MB a rank.*/\1/p'; }
check "plan counts the folds' tallies" awk "BEGIN { more = $(planned 12) - $(planned 2); exit !(more > 83 && more < 120) }"
"$vocabench" plan single.yaml >planned 2>&1
grep -qE '^  corpus pictures +images +1000 rows, .* GB, 1 scan, 1000 images to encode, [0-9.e+-]+ TFLOP$' planned &&
  ! grep -q 'corpus words' planned
verdict $? "the plan lists the corpus that is scanned" "$(cat planned)"
"$vocabench" plan single.yaml --set retrieval= >planned 2>&1 && ! grep -q 'corpus pictures' planned
verdict $? "retrieval is taken back by an empty value" "$(cat planned)"

# The same by NumPy, from embeddings that the encode commands wrote.
if $python -c 'import numpy' 2>/dev/null; then
  "$vocabench" encode images --weights "$weights" --activation quick_gelu --input test.bin --output images.npy --raw 2>/dev/null
  "$vocabench" encode images --weights "$weights" --activation quick_gelu \
    --input "corpus/*.tar" --output index.npy --raw 2>/dev/null
  $python - "$shared" <<'EOF'
import glob, json, sys, tarfile
with open("captions.txt", "wb") as captions:
    for path in sorted(glob.glob("corpus/*.tar")):
        with tarfile.open(path) as tar:
            members = {m.name: m for m in tar if m.name.endswith(".txt")}
            for name in sorted(members):
                captions.write(tar.extractfile(members[name]).read().replace(b"\n", b" ").rstrip(b" ") + b"\n")
names = open("fine_label_names.txt").read().split()
data = open("test.bin", "rb").read()
open("labels.txt", "w").writelines(names[data[i * 3074 + 1]] + "\n" for i in range(500))
classes = [c for v in json.load(open(sys.argv[1] + "/reference/cifar100_vocabularies.json")).values() for c in v]
for name, templates in (("single", ["a photo of a {}."]), ("ensemble", ["a photo of a {}.", "a blurry photo of the {}."])):
    open(name + ".txt", "w").writelines(t.format(c.replace("_", " ")) + "\n" for c in classes for t in templates)
EOF
  for list in captions single ensemble; do
    "$vocabench" encode texts --weights "$weights" --activation quick_gelu --tokenizer "$tokenizer" \
      --input $list.txt --output $list.npy --raw
  done
  numpy() { # NAME: its results, blends and texts
    $python "$here/tests/tools/repe_oracle.py" "out-$1-1/results.json" "out-$1-1/retrieval/tiny--cifar100" \
      images.npy labels.txt "$1.npy" "$shared/reference/cifar100_vocabularies.json" index.npy captions.txt captions.npy
  }
  check "a single prompt equals NumPy" numpy single
  cp single.txt official.txt && cp single.npy official.npy
  experiment official "$plain" "$settings, renormalize: official}"
  check "a run that does not renormalize" runs 1 official
  check "the official blend equals NumPy" numpy official
  experiment ensemble '["a photo of a {}.", "a blurry photo of the {}."]' "$settings, select: cross, folds: 3}"
  check "a run with an ensemble" runs 1 ensemble
  check "an ensemble equals NumPy" numpy ensemble

  # The same index as embedding parts with captions beside them, as clip-retrieval lays them out.
  $python - <<'EOF'
import json, os
import numpy as np
index, captions = np.load("index.npy"), open("captions.txt").read().split("\n")[:-1]
texts = np.load("captions.npy")
np.save("blurry.npy", np.load("ensemble.npy")[1::2])
os.makedirs("parts/img_emb"), os.makedirs("parts/metadata"), os.makedirs("parts/text_emb")
for p, (a, b) in enumerate(((0, 700), (700, 701), (701, len(index)))):
    np.save(f"parts/img_emb/img_emb_{p:04d}.npy", index[a:b])
    np.save(f"parts/text_emb/text_emb_{p:04d}.npy", texts[a:b])
    with open(f"parts/metadata/metadata_{p:04d}.jsonl", "w") as f:
        f.writelines(json.dumps({"caption": c}) + "\n" for c in captions[a:b])
EOF
  experiment laid "$plain" '{corpus: parts, top_k: [10, 100], lambda: [0, 0.25, 0.5]}'
  check "a run over embedding parts" runs 2 laid
  same "embedding parts give what the pictures gave" <(jq '.results[0].retrieval.results' out-single-1/results.json) \
    <(jq '.results[0].retrieval.results' out-laid-2/results.json)
  # Embeddings made elsewhere, of other prompts: the index model's queries are what it asks as an evaluated model.
  experiment given "$plain" '{corpus: parts, top_k: [10, 100], lambda: [0, 0.25, 0.5], index_model: tiny}'
  echo "  - {name: given, family: precomputed, dataset: cifar100, image_embeddings: $scratch/images.npy,
     text_embeddings: $scratch/blurry.npy, labels: $scratch/labels.txt}" >>given.yaml
  check "an index model for embeddings made elsewhere" runs 2 given
  lists() { zstd -dc "out-given-2/retrieval/$1--cifar100.jsonl.zst"; }
  same "its queries are the index model's: the same rows" <(lists tiny) <(lists given)
  sed -i '$d' parts/metadata/metadata_0002.jsonl
  refuses "captions fewer than rows" 6 'metadata_0002.jsonl: [0-9]+ captions for [0-9]+ rows' \
    mpirun --oversubscribe -n 3 "$vocabench" run laid.yaml --output o --cache cache
  rm parts/metadata/metadata_0001.jsonl
  refuses "a part without captions" 6 '2 caption files for 3 parts' "$vocabench" run laid.yaml --output o --cache cache
  experiment alone "$plain" '{corpus: words, top_k: 20, filter: none, deduplicate: true}'
  check "captions alone" runs 2 alone
  check "captions alone at one rank" runs 1 alone cache-alone
  same "captions alone: the same results" <(figures out-alone-1) <(figures out-alone-2)
else skip "REPE against NumPy" "python3-numpy is not installed"; fi

experiment typo "$plain" '{corpus: picture}'
refuses "a corpus that is not there" 3 "there is no corpus picture" "$vocabench" run typo.yaml --output o
experiment range "$plain" '{corpus: pictures, lambda: [0.5, 1.5]}'
refuses "lambda out of range" 3 'lambda.*1\.5' "$vocabench" run range.yaml --output o
experiment other "$plain" '{corpus: pictures, index_model: huge}'
refuses "an index model that is not there" 3 "index_model 'huge'" "$vocabench" run other.yaml --output o

# Of settings that are equally good (lambda 0 leaves all prompts as they are) the first one listed is the best, for each fold too.
floats t.npy 2 <<<"1 0 0 1 1 1 -1 -1"; floats i.npy 2 <<<"5 1 1 5 3 2.9 1 -9 2 2.1 -1 -5"; floats c.npy 2 <<<"1 0 0 1 1 1"
printf '0\n1\n0\n0\n2\n3\n' >labels; must "$tools/npy" numbers y.npy i8 labels; printf 'east\nnorth\nboth\n' >c.txt
printf 'name: v\nvocabularies: {a: [east, north], b: [ne, sw]}\n' >four.yaml
cat >tied.yaml <<'E'
experiment: tied
datasets: [{name: d, vocabularies: four.yaml}]
corpora: [{name: c, embeddings: c.npy, captions: c.txt, text_embeddings: c.npy}]
retrieval: {corpus: c, top_k: [2, 1], lambda: 0, filter: none, select: cross}
models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]
E
run tied.yaml --output tied
equal "the first of equally good settings" "$(query tied '.results[0].retrieval |
  [(.results[] | select(.best) | .top_k), (.cross.choices[] | .top_k)] | tojson')" '[2,2,2]'

# ---- a folder whose name reads like a pattern; a scan that was stopped, and is not lost by what comes after it ---------
laid='laid [1]{a,b}'
must mkdir -p "$laid"/img_emb "$laid"/metadata
seq 700 | awk '{ print cos($1), sin($1) }' >rows
head -n 300 rows | floats "$laid/img_emb/0.npy" 2; tail -n +301 rows | floats "$laid/img_emb/1.npy" 2
cp -r "$laid/img_emb" "$laid/text_emb"
seq 0 299 >"$laid/metadata/0.txt"; seq 300 698 >"$laid/metadata/1.txt"
sed -e "s/embeddings: c.npy, captions.*}]/embeddings: '$laid'}]/" \
  -e 's/top_k: .*cross}/top_k: 2, lambda: [0.3333333, 0.33333334], filter: none}/' tied.yaml >laid.yaml
VOCABENCH_FAULT=unit:3:EIO "$vocabench" run laid.yaml --output stopped >out 2>&1
equal "stopped within the scan" $? 75 "$(cat out)"
refuses "and then by captions that are too few" 6 '1.txt: 399 captions for 400 rows' \
  "$vocabench" run laid.yaml --output stopped --resume
echo 699 >>"$laid/metadata/1.txt"
run laid.yaml --output stopped --resume
run laid.yaml --output fresh
holds "what had been scanned is there still" '.run.pairs[0].retrieval.blocks_resumed > 0' stopped/results.json
equal "and is not when it has served" "$(find stopped -name '*.scan')" ""
equal "to the results of one go" "$(query stopped '.results[0].retrieval')" "$(query fresh '.results[0].retrieval')"
equal "captions lie in the folder" "$(zstd -dcq fresh/retrieval/m--d.jsonl.zst |
  jq -c '[.results[] | .caption == (.id | tostring)] | unique')" "$(printf '[true]\n%.0s' 1 2 3 4)"
equal "settings that differ in the eighth digit have blends of their own" "$(ls fresh/retrieval)" \
  "$(printf '%s\n' m--d-k2-l0.3333333.npy m--d-k2-l0.33333334.npy m--d.jsonl.zst)"
finish
