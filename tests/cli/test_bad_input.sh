#!/bin/bash
# Bad input of every kind: a documented code and one line that names file, place, found and expected; at three ranks the same
# line, and no hang.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 5 3; make_data model m.safetensors; make_data tokenizer tok; mkdir cifar
make_data cifar cifar/test.bin 5 20; must "$tools/npy" random I.npy 20 8 1; must "$tools/npy" random T.npy 5 8 1
seq 0 19 | awk '{ print $1 % 5 }' >labels && "$tools/npy" numbers y.npy i8 labels
cat >v.yaml <<'E'
name: v
vocabularies: {a: [apple, bear], b: [chair, dolphin, elephant]}
E
short_experiments
check "the experiment that is spoilt below runs" "$vocabench" run e.yaml --output good
check "and the precomputed one" "$vocabench" run p.yaml --output good-p

# bad NAME CODE PATTERN COMMAND...: `refuses`, on one line; everywhere: at three ranks, too, with the same line.
bad() {
  local name=$1; rm -rf o
  refuses "$@"
  [ "$(grep -c . "$scratch/err")" = 1 ] || fail "$name: one line on stderr" "$(cat "$scratch/err")"
}
everywhere() {
  local name=$1 code=$2 line got; shift 3
  bad "$name" "$code" "$@"
  line=$(sed 's/^vocabench: //' "$scratch/err"); shift; rm -rf o
  mpi 3 timeout -k 5 $minute "$@" >stdout 2>stderr </dev/null; got=$?
  equal "$name, at three ranks" \
    "$got $(grep '^vocabench: ' stderr | sed -E 's/^vocabench: rank [0-2]: //')" "$code $line" "$(cat stderr)"
}
refused() { # refused KIND NAME CODE PATTERN FLAGS...: a run; KIND is bad or everywhere
  local kind=$1 name=$2 code=$3 pattern=$4; shift 4
  if [ "$kind" = everywhere ]; then everywhere "$name" "$code" - "$pattern" "$vocabench" run "$@" --output o
  else bad "$name" "$code" "$pattern" "$vocabench" run "$@" --output o; fi
}
spoil() { printf '\377\377\377\377\377\377' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; } # FILE OFFSET

# ---- YAML of every kind -----------------------------------------------------------------------------------------
yaml() { # yaml NAME PATTERN TEXT: the text is an experiment file
  printf '%b' "$3" >x.yaml
  bad "YAML: $1" 3 "^vocabench: x.yaml:[0-9]+:[0-9]+: .*$2" "$vocabench" run x.yaml --output o
}
yaml "an empty file" "expected YAML" ''
yaml "comments only" "expected YAML" '# nothing\n'
yaml "a list" "expected an experiment: a map with the keys" '- a\n- b\n'
yaml "a text" "expected an experiment: a map" 'text\n'
yaml "a tab" "found a tab" 'experiment: e\n\tdatasets: []\n'
yaml "a duplicate key" "'experiment' is given a second time \(first at line 1\)" 'experiment: e\nexperiment: f\n'
yaml "an unfinished text" "quoted scalar" 'experiment: "e\n'
yaml "an unfinished map" "did not find expected" '{experiment: e\n'
yaml "bytes that are no UTF-8" "expected UTF-8" 'experiment: \0377\n'
yaml "a second document" "second document" 'experiment: e\n---\nexperiment: f\n'
yaml "an anchor" "anchor '&x'" 'experiment: &x e\n'
yaml "a tag" "found the tag" 'experiment: !!python/name:os.system e\n'
yaml "a list for a text" "experiment: expected text, found a list" 'experiment: [e]\ndatasets: []\nmodels: []\n'
yaml "nothing for a text" "experiment: expected text, found nothing" 'experiment:\ndatasets: []\nmodels: []\n'
yaml "a missing key" "the key 'models' is missing" 'experiment: e\ndatasets: []\n'
yaml "an empty list" "datasets: expected a list with at least one entry" 'experiment: e\ndatasets: []\nmodels: []\n'
yaml "a dataset that is a number" \
  "a dataset: expected a map of keys, found a scalar" 'experiment: e\ndatasets: [3]\nmodels: [4]\n'
yaml "a path for a name" "must not begin with a dot, hold a slash" \
  'experiment: ../e\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: []\n'
yaml "a name that turns the text behind it" "name 'e\?\?\?xe': it must not .* a control character" \
  'experiment: "e\\u202exe"\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels: []\n'
yaml "a misspelt key" "unknown key 'protocoll' in the experiment; did you mean 'protocol'" 'experiment: e\nprotocoll: exact\n'
yaml "a misspelt key of a dataset" "unknown key 'imags' in a dataset; did you mean 'images'" \
  'experiment: e\ndatasets: [{name: d, imags: pics}]\nmodels: []\n'
yaml "a misspelt value" "expected one of exact, sampled, found 'exat'; did you mean 'exact'" 'experiment: e\nprotocol: exat\n'
yaml "a text for a number" "trials: expected an integer from 1 to 100000, found 'many'" 'experiment: e\ntrials: many\n'
yaml "a number out of range" "expected an integer from 0 to 4294967295, found '-1'" 'experiment: e\nseed: -1\n'
yaml "a fraction for an integer" "expected an integer .*'1.5'" 'experiment: e\nseed: 1.5\n'
yaml "a word for a boolean" "per_image.*'yes'|'yes'" 'experiment: e\nper_image: yes\n'
one="  - {name: m, family: clip, weights: w, tokenizer: t, prompts: ['{}']}\n"
entry='experiment: e\ndatasets: [{name: d, images: pics, vocabularies: v.yaml}]\nmodels:\n'
yaml "a misspelt key of a model" "unknown key 'wieghts' in a model; did you mean 'weights'" \
  "$entry  - {name: m, family: clip, wieghts: w}\n"
yaml "a family that is none" \
  "family: expected one of clip, .*, found 'clop'; did you mean 'clip'" "$entry  - {name: m, family: clop}\n"
yaml "a key that the family needs" "family clip needs the key 'weights'" "$entry  - {name: m, family: clip}\n"
yaml "a key without its value" "family clip needs the key 'weights'" \
  "$entry  - {name: m, family: clip, weights: , tokenizer: tok, prompts: a}\n"
yaml "a key of another family" "does not take the key 'labels'" \
  "$entry  - {name: m, family: clip, weights: w, tokenizer: t, prompts: ['{}'], labels: y}\n"
yaml "a template without a place" "has no|exactly one \{\}" \
  "$entry  - {name: m, family: clip, weights: w, tokenizer: t, prompts: ['a photo']}\n"
yaml "a template with two places" "prompt 'a \{\} and \{\}'|exactly one \{\}" \
  "$entry  - {name: m, family: clip, weights: w, tokenizer: t, prompts: ['a {} and {}']}\n"
yaml "two models of one name" "two models are named m" "$entry$one$one"
yaml "a CoOp position that is none" "position: expected one of end, middle, front, found 'start'" \
  "$entry  - {name: m, family: clip, weights: w, tokenizer: t, prompts: {coop: c, position: start}}\n"
yaml "no images for a model that encodes" "the key 'images' is missing" \
  "experiment: e\ndatasets: [{name: d, vocabularies: v.yaml}]\nmodels:\n$one"
refused bad "a value from the command line has its own place" 3 "e.yaml: command line: .*clop" e.yaml --set models.0.family=clop
refused bad "an emptied value" 3 "family clip needs the key 'weights'" e.yaml --set models.0.weights=
refused everywhere "a misspelt key at three ranks" 3 "unknown key 'sede'" e.yaml --set sede=3
refused everywhere "an experiment that is not there" 4 "nothing.yaml: cannot open: No such file" nothing.yaml

# ---- vocabularies -----------------------------------------------------------------------------------------------
vocabulary() { # vocabulary NAME CODE PATTERN TEXT
  printf '%b' "$4" >x.yaml
  refused bad "vocabularies: $1" "$2" "$3" e.yaml --set datasets.0.vocabularies=x.yaml
}
vocabulary "none" 3 "x.yaml:[0-9]+:[0-9]+: " 'name: v\nvocabularies: {}\n'
vocabulary "one without classes" 3 \
  "x.yaml:2:[0-9]+: the vocabulary 'a' holds no class" 'name: v\nvocabularies: {a: [], b: [bear]}\n'
vocabulary "a misspelt key" 3 "x.yaml:2:1: .*'vocabulary'" 'name: v\nvocabulary: {a: [bear]}\n'
vocabulary "an id without a name" 3 "x.yaml:2:" 'name: v\nvocabularies: {a: [{id: bear}], b: [chair]}\n'
vocabulary "a list of lists" 3 "x.yaml:2:" 'name: v\nvocabularies: {a: [[bear]], b: [chair]}\n'
vocabulary "one without images, its label misspelt" 6 \
  "'b' has no images \(its first class: 'dolphni'; 12 images match no class: label 'dolphin': class 'dolphni'\?; labels of" \
  'name: v\nvocabularies: {a: [apple], b: [dolphni]}\n'
vocabulary "one without images" 6 \
  "vocabulary 'b' has no images \(its first class: 'unicorn'; 12 images match no class; labels of the data: 'apple'," \
  'name: v\nvocabularies: {a: [apple], b: [unicorn]}\n'
refused everywhere "a vocabulary file that is not there" 4 "none.yaml: cannot open" e.yaml --set datasets.0.vocabularies=none.yaml
cat >x.yaml <<'E'
name: v
vocabularies: {a: [apple, unicorn, bear], b: [chair, apple, dolphin]}
E
refused everywhere "a class without images, and a label of no class" 6 \
  "dataset 'd' and x.yaml: 1 class has no images: 'unicorn'; 1 label \(3 images\) matches no class: 'elephant' \(3 images\);" \
  e.yaml --set datasets.0.vocabularies=x.yaml
rm -rf o; run e.yaml --output o --set datasets.0.vocabularies=x.yaml --set datasets.0.on_unmatched=skip
holds "a duplicate is one class; distractors and images of no vocabulary are counted" '.results[0].data |
  .classes == 5 and .classes_without_images == 1 and .images_of_no_vocabulary == 3 and (.duplicate_class_names | length) == 1' \
  o/results.json "$(jq -c '.results[0].data' o/results.json)"
grep -q "note: d: 'apple' in 'b' (line 2) is also in 'a' (line 2)" stdout && grep -q "left out: 3$" stdout &&
  grep -q "only distract: 1$" stdout
verdict $? "and all three are told" "$(cat stdout)"

# ---- images and shards ------------------------------------------------------------------------------------------
refused everywhere "images that are not there" 4 "dataset 'd': images: nothing: no such file" e.yaml \
  --set datasets.0.images=nothing
mkdir empty
refused everywhere "an empty folder" 4 "dataset 'd': images: empty: no images and no shards" e.yaml --set datasets.0.images=empty
mkdir empty/bear && refused bad "an empty class folder" 4 "empty: no images and no shards" e.yaml --set datasets.0.images=empty
rm -rf b; cp -r pics b; cp pics/bear/000.jpg b/x.jpg
refused bad "images beside class folders" 5 "image 'x.jpg' lies beside class folder" e.yaml --set datasets.0.images=b
for kind in truncated corrupt empty foreign; do
  for image in bear/000.jpg apple/000.png; do
    rm -rf b; cp -r pics b; code=5
    case $kind in
      truncated) head -c 600 pics/$image >b/$image ;;
      corrupt) spoil b/$image 400 ;;
      empty) : >b/$image ;;
      foreign) echo "8BPS and so on" >b/$image; code=10 ;;
    esac
    how=bad; [ $kind != truncated ] || how=everywhere
    refused $how "$kind: $image" $code "dataset 'd': .*$image: " e.yaml --set datasets.0.images=b
    rm -rf o; run e.yaml --output o --set datasets.0.images=b --set datasets.0.on_error=skip
    jq -e --arg image $image '.results[0] | .images == 14 and .data.images_skipped == 1 and
      (.data.skipped | length == 1 and .[0].sample == $image and (.[0].reason | length) > 10)' o/results.json >/dev/null &&
      jq -e '.run.pairs[0].stages | any(.stage == "evaluate" and .done == 15 and .total == 15)' o/results.json >/dev/null &&
      grep -q 'listed in results.json: 1$' stdout
    verdict $? "$kind: $image is skipped, counted and listed" "$(jq -c '.results[0].data' o/results.json)"
    refuses "the cache of a run that skipped does not fool a strict one" 5 "$image: " \
      "$vocabench" run e.yaml --output o --set datasets.0.images=b
  done
done
must "$vocabench" pack --input pics --output packed --samples-per-shard 5; must zstd -dqf packed/00000.tar.zst -o whole.tar
mkdir shards
shard() { refused "$1" "$2" "$3" "$4" e.yaml --set datasets.0.images="shards/$5"; }
head -c 2000 packed/00000.tar.zst >shards/a.tar.zst; shard everywhere "a truncated .tar.zst" 5 \
  "shards/a.tar.zst: truncated: the file ends at compressed offset" a.tar.zst
cp packed/00000.tar.zst shards/a.tar.zst; spoil shards/a.tar.zst 900; shard bad "a corrupt .tar.zst" 5 \
  "shards/a.tar.zst: compressed offset [0-9]+: " a.tar.zst
: >shards/a.tar.zst; shard bad "an empty .tar.zst" 5 "shards/a.tar.zst: " a.tar.zst
echo text >shards/a.tar.zst; shard bad "a text as .tar.zst" 5 "shards/a.tar.zst: " a.tar.zst
head -c 3000 whole.tar >shards/a.tar
shard bad "a truncated tar" 5 "shards/a.tar: truncated archive: '.*' at offset 512 needs" a.tar
cp whole.tar shards/a.tar; spoil shards/a.tar 120
shard everywhere "a corrupt tar" 5 "shards/a.tar: offset 0: no tar header" a.tar
: >shards/a.tar; shard bad "an empty tar" 5 "shards/a.tar: truncated archive" a.tar
shard bad "a glob without a match" 4 "shards/\*.webp: no such file" '*.webp'
cp -r packed q; rm q/00001.tar.zst
refused bad "a shard of the manifest is missing" 4 "00001.tar.zst|manifest" e.yaml --set datasets.0.images=q
rm -rf q; cp -r packed q; echo '{"schema": 3' >q/manifest.json
refused bad "a broken manifest" 5 "q/manifest.json:" e.yaml --set datasets.0.images=q
head -c 5000 cifar/test.bin >c.bin
refused bad "a truncated CIFAR binary" 5 "c.bin: 5000 bytes: expected a multiple of 3074" e.yaml --set datasets.0.images=c.bin
cp -r cifar c2; spoil c2/test.bin 3074; refused bad "a CIFAR label out of range" 5 "c2/test.bin: .*255" e.yaml \
  --set datasets.0.images=c2/test.bin

# ---- embeddings -------------------------------------------------------------------------------------------------
set_array() { refused "$1" "$2" "$3" "$4" p.yaml --set models.0."$5"="$6"; }
"$tools/npy" set I.npy x.npy 3 2 nan
set_array everywhere "NaN in an image embedding" 5 "x.npy: row 3, column 2: NaN" image_embeddings x.npy
"$tools/npy" set T.npy x.npy 1 0 inf; set_array everywhere "infinity in a text embedding" 5 "x.npy: row 1, column 0: infinity" \
  text_embeddings x.npy
"$tools/npy" random x.npy 20 9 1
set_array everywhere "other dimensions" 6 "image embeddings have 9 dimensions, text embeddings 8" image_embeddings x.npy
"$tools/npy" random x.npy 6 8 1; set_array bad "other classes" 6 "x.npy: 6 rows, but v.yaml has 5 classes" text_embeddings x.npy
"$tools/npy" random x.npy 19 8 1
set_array bad "other images" 6 "y.npy: expected 19 integer labels.*found 20" image_embeddings x.npy
set_array bad "integers as embeddings" 6 "y.npy: expected images x dimensions of fp16, fp32 or fp64" image_embeddings y.npy
set_array bad "embeddings as labels" 6 "I.npy: expected 20 integer labels" labels I.npy
head -c 500 I.npy >x.npy; set_array everywhere "a truncated .npy" 5 \
  "x.npy: truncated: the header asks for 640 bytes of data, the file holds 372" image_embeddings x.npy
head -c 50 I.npy >x.npy; set_array bad "a truncated header" 5 "x.npy: truncated" image_embeddings x.npy
cp I.npy x.npy; spoil x.npy 20; set_array bad "a corrupt header" 5 "x.npy: " image_embeddings x.npy
: >none; "$tools/npy" numbers x.npy f4 none; "$tools/npy" fold x.npy x2.npy 8
set_array bad "embeddings without rows" 6 "x2.npy: expected images x dimensions .* without a row" image_embeddings x2.npy
: >x.npy; set_array bad "an empty .npy" 5 "x.npy: an empty file, expected an .npy array" image_embeddings x.npy
yes 0 | head -160 >zeros; "$tools/npy" numbers x.npy f4 zeros; "$tools/npy" fold x.npy x2.npy 8; set_array bad "rows of zeros" 5 \
  "x2.npy: row 0: all zero" image_embeddings x2.npy
sed '5s/.*/5/' labels >l; "$tools/npy" numbers x.npy i8 l; set_array everywhere "a label out of range" 6 \
  "x.npy: row 4: label 5, expected 0 to 4" labels x.npy
sed 's/.*/1/' labels >l; "$tools/npy" numbers x.npy u1 l; sed -i "1s/'|u1'/'|b1'/" x.npy
set_array bad "truth values as labels" 6 "x.npy: labels of type bool, expected integers: int8, int16, int32, int64 or uint8" \
  labels x.npy
sed '5s/.*/-2/' labels >l; "$tools/npy" numbers x.npy i4 l
set_array bad "a negative label" 6 "x.npy: row 4: label -2" labels x.npy
yes apple | head -19 >x.txt; set_array bad "too few names" 6 "x.txt: 19 labels, but I.npy has 20 rows" labels x.txt
printf 'apple\nbear\nchair\ndolphin\nwhat\n' >x.txt
refused bad "a class without a text row" 6 "x.txt: no row for class 'elephant'" p.yaml --set models.0.text_names=x.txt
printf 'apple\nbear\nchair\ndolphin\napple\n' >x.txt
refused bad "a class with two" 6 "x.txt: rows 0 and 4 are both of class 'apple': which of them is it[?]" p.yaml \
  --set models.0.text_names=x.txt

# ---- weights and tokenizers -------------------------------------------------------------------------------------
weights() { refused "$1" "$2" "$3" "$4" e.yaml --set models.0.weights=w; }
refused everywhere "weights that are not there" 4 "nothing: cannot open" e.yaml --set models.0.weights=nothing
refused bad "a folder as weights" 4 "pics: a folder without weights: expected one of open_clip_model.safetensors" e.yaml \
  --set models.0.weights=pics
head -c 5000 m.safetensors >w; weights everywhere "a truncated header of safetensors" 5 \
  "w: the header claims 6235 bytes, the file holds 4992|w: the header claims"
head -c 900000 m.safetensors >w; weights bad "truncated safetensors" 5 "w: tensor .* ends at byte"
: >w; weights bad "empty weights" 5 "w: an empty file, expected safetensors"
cp m.safetensors w; spoil w 100; weights bad "a corrupt header of safetensors" 5 "w: header, byte"
sed 's/visual.ln_post.bias/visual.ln_past.bias/' m.safetensors >w; weights everywhere "a tensor is missing" 6 \
  "w: tensor visual.ln_post.bias is missing"
sed 's/"text_projection"/"text_projectiom"/' m.safetensors >w; weights bad "a text tower without its projection" 6 \
  "w: tensor text_projection is missing"
sed 's/"text_projection":{"dtype":"F32","shape":\[64,32\]/"text_projection":{"dtype":"F32","shape":[32,64]/' m.safetensors >w
weights bad "a tensor of another shape" 6 "w: tensor text_projection has shape \[32, 64\], expected \[64, 64\]"
"$tools/make_data" model w 515 visual.transformer.resblocks.1.ls_2.gamma; weights bad "a tensor that the towers do not have" 6 \
  "w: tensor visual.transformer.resblocks.1.ls_2.gamma"
"$tools/make_data" model w 515 optimizer.state &&
  check "a tensor outside of the towers does no harm" "$vocabench" run e.yaml --output o --set models.0.weights=w
"$tools/make_data" model w 600; weights everywhere "a tokenizer of another size" 6 \
  "tok: a tokenizer of 515 tokens, but token_embedding.weight of w has 600 rows"
refused bad "CLIP's weights as slip" 6 "write family: clip" e.yaml --set models.0.family=slip
# The last four bytes of the file are a weight of the text projection.
head -c -4 m.safetensors >w; printf '\0\0\300\177' >>w; weights everywhere "NaN in the weights" 5 "not finite"
printf 'PK\3\4 and nothing more' >w; weights bad "a zip archive cut short" 5 "w: a zip archive without its end record"
printf '\200\2}q\1.' >w; weights bad "a pickle that is no checkpoint" 10 "w: a pickle without PyTorch's magic number"
# cos\nsystem\n(S'touch OWNED'\ntR.: what a malicious checkpoint begins with.
printf "\200\2cos\nsystem\n(S'touch OWNED'\ntR." >w; weights bad "a malicious pickle" 10 "w: "
printf "\200\2X\377\377\377\377abc." >w; weights bad "a pickle that claims 4 GiB" 5 "w: .*4294967295 bytes wanted"
check "nothing of it was run" test ! -e OWNED
refused bad "weights as a tokenizer" 5 "m.safetensors: a safetensors file, expected a merges file" e.yaml \
  --set models.0.tokenizer=m.safetensors
refused bad "a folder without a tokenizer" 4 "pics: no tokenizer in this folder: expected one of vocab.json" e.yaml \
  --set models.0.tokenizer=pics
cp -r tok tok2; echo '{"a": 1, "a": 2}' >tok2/vocab.json
refused bad "a vocabulary with a token twice" 5 "tok2/vocab.json:1:" e.yaml --set models.0.tokenizer=tok2
printf '\37\213\10\0broken' >t.gz; refused bad "a corrupt gzip" 5 "t.gz: " e.yaml --set models.0.tokenizer=t.gz
refused bad "a list of prompts that is not there" 4 "prompts 'nothing': .*nothing.yaml: cannot open" e.yaml \
  --set models.0.prompts=nothing
refused bad "weights as CoOp's context" 6 "m.safetensors: no tensor 'ctx'" e.yaml --set 'models.0.prompts={coop: m.safetensors}'
if [ ! -e "$shared/fixtures/coop" ]; then skip "a CoOp context of another width" "no shared data"
else
  cat >x.yaml <<E
name: six
vocabularies: {one: [apple, aquarium_fish, sweet_pepper], two: [lawn_mower, willow_tree, T-shirt]}
E
  sed -i '1s/.*/aquarium_fish/; 2s/.*/sweet_pepper/; 3s/.*/lawn_mower/; 4s/.*/willow_tree/; 5s/.*/T-shirt/; 6s/.*/apple/' \
    cifar/fine_label_names.txt
  mkdir -p c3; make_data cifar c3.bin 20 20; mv c3.bin c3/test.bin; cp cifar/fine_label_names.txt c3/
  refused bad "a CoOp context of another width" 6 "context vectors have width 64, the text tower has width 128" e.yaml \
    --set datasets.0.images=c3/test.bin --set datasets.0.vocabularies=x.yaml \
    --set "models.0.weights=$shared/models/cifar-tiny-rn.safetensors" \
    --set "models.0.prompts={coop: $shared/fixtures/coop/model.pth.tar-50}" \
    --set "models.0.tokenizer=$shared/reference/bpe_simple_vocab_16e6.txt.gz"
fi

# ---- output -----------------------------------------------------------------------------------------------------
: >file
everywhere "a file in the way of the output folder" 7 - "file/x: cannot create folder: Not a directory" \
  "$vocabench" run e.yaml --output file/x
bad "an output folder under /proc" 7 "/proc/x: cannot create folder" "$vocabench" run e.yaml --output /proc/x
mkdir -p w1/results.json
everywhere "a folder in the way of results.json" 7 - "w1/results.json: " "$vocabench" run e.yaml --output w1
equal "nothing temporary is left" "$(find w1 -name '*.tmp')" ""
mkdir w2; : >w2/cache; everywhere "a file in the way of the cache" 7 - "w2/cache: " "$vocabench" run e.yaml --output w2
bad "encode to a folder" 7 "pics: cannot finish: Is a directory" \
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input pics --output pics
bad "pack under a file" 7 "file" "$vocabench" pack --input pics --output file/x
mkdir ro
if [ "$(id -u)" != 0 ]; then
  chmod 555 ro; everywhere "a folder without write permission" 7 - "ro" "$vocabench" run e.yaml --output ro/x
else
  if chattr +i ro 2>/dev/null; then
    everywhere "a folder that cannot be written to" 7 - "ro/x: cannot create folder: Operation not permitted" \
      "$vocabench" run e.yaml --output ro/x
    chattr -i ro
  else skip "a folder that cannot be written to" "root, and no immutable folders here"; fi
fi

# ---- the small commands -----------------------------------------------------------------------------------------
: >none.txt; bad "no texts" 4 "none.txt" "$vocabench" tokenize --tokenizer tok --input none.txt --output x.npy
echo '{"a": 1}' >x.json
bad "texts that are no list" 5 "x.json" "$vocabench" tokenize --tokenizer tok --input x.json --output x.npy
echo '["a", 1]' >x.json
bad "a text that is a number" 5 "x.json" "$vocabench" tokenize --tokenizer tok --input x.json --output x.npy
echo '["a"' >x.json; bad "an unfinished list" 5 "x.json:2:0: " "$vocabench" tokenize --tokenizer tok --input x.json --output x.npy
printf 'a\377b\n' >x.txt
bad "a text that is no UTF-8" 5 "x.txt" "$vocabench" tokenize --tokenizer tok --input x.txt --output x.npy
bad "preprocess of nothing" 4 "nothing: no such file" "$vocabench" preprocess --resolution 32 --input nothing --output x.npy
rm -rf b; cp -r pics b; head -c 600 pics/bear/000.jpg >b/bear/000.jpg
everywhere "encode of a broken image" 5 - "bear/000.jpg: JPEG: " \
  "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input b --output broken.npy
bad "preprocess of a broken image" 5 "bear/000.jpg: JPEG: " "$vocabench" preprocess --resolution 32 --input b --output broken.npy
equal "and no half file" "$(find . -maxdepth 1 -name '*broken.npy*')" "" "$(find . -name '*broken.npy*')"

# ---- what is no file, and what cannot be written to -----------------------------------------------------------------
mkfifo pipe.npy pipe.safetensors
bad "a pipe is not waited for" 4 "pipe.npy: expected a file, found a pipe" timeout 20 "$vocabench" inspect pipe.npy
bad "nor a pipe of weights" 4 "pipe.safetensors: expected a file" \
  timeout 20 "$vocabench" encode images --weights pipe.safetensors \
  --activation quick_gelu --input pics --output o.npy
mkdir -p odd/a; cp pics/bear/000.jpg odd/a/; mkfifo odd/a/1.jpg
bad "nor a pipe among images" 4 "odd/a/1.jpg: expected a file, found a pipe" \
  timeout 20 "$vocabench" encode images --weights m.safetensors --activation quick_gelu --input odd --output o.npy
bad "a device" 4 "/dev/null: expected a file, found a character device" "$vocabench" inspect /dev/null
bad "braces without bound" 4 "its braces mean more than 100000 paths" \
  timeout 20 "$vocabench" preprocess --resolution 16 --output o.npy \
  --input "$(printf '{a,b}%.0s' {1..40})"
if [ -e /dev/full ]; then
  for command in version help "help run" "run --help" "inspect pics"; do
    # shellcheck disable=SC2016,SC2086 # for the other shell; a command line
    refuses "$command, and no room for it" 7 '^vocabench: standard output: cannot write' \
      bash -c '"$0" "$@" >/dev/full' "$vocabench" $command
  done
  # shellcheck disable=SC2016 # for the other shell
  refuses "help at two ranks, and no room for it" 7 'standard output: cannot write' \
    mpirun --oversubscribe -n 2 bash -c '"$0" version >/dev/full' "$vocabench"
else skip "a full standard output" "there is no /dev/full"; fi
finish
