#!/bin/bash
# Inputs as people have them: variables in paths, byte order marks and blanks of editors, odd lines of captions, parts without
# padded numbers, files that are not what their names say, names that are no file names.
# shellcheck disable=SC2088,SC2016 # ~ and $VARIABLES are meant for the program, filters for jq
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 2 1; make_data model m.safetensors; make_data tokenizer tok
must "$tools/npy" random I.npy 2 8 5; must "$tools/npy" random T.npy 2 8 6
printf '0\n1\n' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: v\nvocabularies: {a: [apple], b: [bear]}\n' >v.yaml
short_experiments

# ---- ~ and variables --------------------------------------------------------------------------------------------
mkdir home data; cp I.npy data/; export HOME=$scratch/home DATA=data; unset NONE
sed 's,I.npy,$DATA/I.npy,' p.yaml >x.yaml; printf 'output: ~/results\ncache: ${DATA}/$$cache\n' >>x.yaml
run x.yaml
check "~ and variables of a file are expanded" test -s home/results/results.json -a -d 'data/$cache' -a ! -e '~'
equal "the results have paths as they were written" \
  "$(query home/results '.configuration.models[0].image_embeddings')" '$DATA/I.npy'
cp p.yaml '$DATA.yaml'; must "$vocabench" run '$$DATA.yaml' --output='~/flag'
check "~ and variables of flags are" test -s home/flag/results.json
must "$vocabench" inspect --family=clip '~/../m.safetensors'
refuses "a variable that is not set is named" 3 \
  'p.yaml: image_embeddings: \$NONE/I.npy: the environment variable NONE is not set' \
  "$vocabench" run p.yaml --output o --set 'models.0.image_embeddings=$NONE/I.npy'
refuses "in a flag, too" 3 'p.yaml: output: \$NONE/o: the environment variable NONE' "$vocabench" run p.yaml --output '$NONE/o'
refuses "and in a command's own" 2 'inspect: \$NONE: the environment variable NONE' "$vocabench" inspect '$NONE'
refuses "another user's home is not guessed" 3 "cache: ~root/x: folders of other users" "$vocabench" run p.yaml --cache '~root/x'
DATA='data/*' run p.yaml --output o --set 'models.0.image_embeddings=$DATA/../I.npy'
equal "a variable may hold a pattern: a series of checkpoints" "$(query o '.results[0].model')" 'm@$cache-..-I'
cat >mpi-env <<'E'
#!/bin/bash
export WHERE=here$OMPI_COMM_WORLD_RANK; exec "$@"
E
chmod +x mpi-env
refuses "ranks whose variables differ are told" 6 'output is here1/o for rank 1, here0/o for rank 0' \
  mpirun --oversubscribe -n 2 ./mpi-env "$vocabench" run p.yaml --output '$WHERE/o'
refuses "of the cache, too" 6 'cache is here1/c for rank 1, here0/c for rank 0' \
  mpirun --oversubscribe -n 2 ./mpi-env "$vocabench" run p.yaml --output o --cache '$WHERE/c'

# ---- marks, line ends, blanks -----------------------------------------------------------------------------------
bom=$'\xef\xbb\xbf'
for file in v.yaml p.yaml; do { printf '%s' "$bom"; sed 's/$/ \r/' "$file"; } >"w-$file"; done
run w-p.yaml --output w --set 'datasets.0.vocabularies=w-v.yaml'
printf '%sbear \r\napple\t\r\n\r\n' "$bom" >names; run p.yaml --output n --set models.0.text_names=names \
  --set models.0.label_names=names
equal "marks, line ends and blanks of YAML make no difference" \
  "$(query w '.results[0] | .acc_c, .embedding.text_embeddings_digest')" \
  "$(query home/flag '.results[0] | .acc_c, .embedding.text_embeddings_digest')"
equal "nor those of lists of names" "$(query n '[.results[0].vocabularies[].images]' | tr -d ' \n')" "[1,1]"
printf '["a b", "c"]' >t.json; { printf '%s' "$bom"; cat t.json; } >tb.json
printf 'a b\nc\n' >t.txt; printf '%sa b\r\nc' "$bom" >tb.txt
for file in t.json tb.json t.txt tb.txt; do must "$vocabench" tokenize --tokenizer tok --input $file --output $file.npy; done
for file in tb.json t.txt tb.txt; do same "nor those of texts: $file" t.json.npy $file.npy; done
cp -r tok tokb; { printf '%s' "$bom"; sed 's/$/\r/' tok/merges.txt; } >tokb/merges.txt
{ printf '%s' "$bom"; cat tok/vocab.json; } >tokb/vocab.json
must "$vocabench" tokenize --tokenizer tokb --input t.txt --output tokb.npy
same "nor those of a tokenizer's files" t.json.npy tokb.npy
iconv -t UTF-16 t.txt >t16.txt
refuses "UTF-16 is told" 5 't16.txt: text in UTF-16 \(save it as UTF-8\), expected texts' \
  "$vocabench" tokenize --tokenizer tok --input t16.txt --output o.npy
printf 'a\rb\r' >mac.txt
refuses "old Macintosh lines, too" 5 'mac.txt:1: a carriage return in column 2' \
  "$vocabench" tokenize --tokenizer tok --input mac.txt --output o.npy

# ---- captions and parts -----------------------------------------------------------------------------------------
mkdir -p k/img_emb k/metadata k/text_emb
for i in 0 1 2 10; do # of part 2 and 10 the order by name is another one than by number
  must "$tools/npy" random k/img_emb/img_emb_$i.npy 4 8 "$i"; cp k/img_emb/img_emb_$i.npy "k/text_emb/text_emb_00$i.npy"
  for r in 0 1 2 3; do echo "{\"caption\": \"part $i row $r\"}"; done >"k/metadata/metadata_$(printf %05d $i).jsonl"
done
mv k/text_emb/text_emb_0010.npy k/text_emb/text_emb_010.npy
repe() { # repe FOLDER TOP_K
  cat >r.yaml <<E
experiment: r
datasets: [{name: d, vocabularies: v.yaml}]
corpora: [{name: k, embeddings: k}]
retrieval: {corpus: k, top_k: $2, filter: none}
models: [{name: m, family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]
E
  run r.yaml --output "$1"
}
repe pairs 16
# Row 4 i + j of the corpus is row j of its i-th part by name.
equal "captions belong to the part of their number" "$(zstd -dcq pairs/retrieval/*.zst | jq -r '.results[] |
  .caption == "part \(["0", "1", "10", "2"][.id / 4 | floor]) row \(.id % 4)"' | sort -u)" true
mv k/metadata/metadata_00010.jsonl k/metadata/metadata_00003.jsonl
refuses "numbers that do not pair are named" 6 \
  "metadata_00003.jsonl: its number is 3, which none of the 4 parts of embeddings has" "$vocabench" run r.yaml --output o
mv k/metadata/metadata_00003.jsonl k/metadata/metadata_00010.jsonl
printf '%s\n' '{"caption": "row 0", "similarity": NaN}' '{"caption": "bad \ud83d"}' '' '{"caption": 5}' \
  >k/metadata/metadata_00000.jsonl
repe odd 16
equal "odd captions are counted" "$(query odd '.results[0].retrieval.odd_captions.rows')" 3
like "with what is odd" '^metadata_00000.jsonl:2: ' <(query odd '.results[0].retrieval.odd_captions.examples[0]')
like "and noted" '^note: m / d: listed rows whose captions cannot be used: 3, such as metadata_00000.jsonl:2: ' stdout
equal "and never blended" "$(zstd -dcq odd/retrieval/*.zst | jq -r '.results[] | select(.odd).kept' | sort -u)" false
equal "NaN beside a caption is none of its business" "$(zstd -dcq odd/retrieval/*.zst | jq -r '.results[] |
  select(.id == 0).caption' | sort -u)" "row 0"
for i in 0 1 2 10; do yes '{"caption": 5}' | head -4 >"k/metadata/metadata_$(printf %05d $i).jsonl"; done
refuses "no usable caption at all is an error" 5 "none of the 16 rows that were listed has a caption that can be used" \
  "$vocabench" run r.yaml --output o

# ---- what files are ---------------------------------------------------------------------------------------------
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n' >lfs
gzip -c v.yaml >v.gz; printf '<!DOCTYPE html>\n<html></html>\n' >page; mkdir shards lfs-pics; cp lfs lfs-pics/a.jpg
cp lfs shards/lfs.tar; cp v.gz shards/gzip.tar; cp page shards/page.tar; cp lfs shards/lfs.tar.zst
told() { refuses "$1" "$2" "$3" "$vocabench" run "$4" --output o --set "$5"; }
pointer='a Git LFS pointer, not the file it points to \(git lfs pull fetches it\)'
told "weights that are a pointer" 5 "lfs: $pointer, expected safetensors, or" e.yaml models.0.weights=lfs
told "weights that are a page" 5 "page: a web page \(HTML\), saved in the place of the file, expected safetensors" \
  e.yaml models.0.weights=page
told "gzip as weights" 10 "v.gz: gzip data, expected safetensors" e.yaml models.0.weights=v.gz
told "a vocabulary file that is a pointer" 5 "lfs: $pointer, expected YAML" e.yaml datasets.0.vocabularies=lfs
told "merges that are a page" 5 "page: a web page .*, expected a merges file" e.yaml models.0.tokenizer=page
cp lfs spiece.model
told "a SentencePiece model that is a pointer" 5 "spiece.model: $pointer, expected a SentencePiece model" \
  e.yaml models.0.tokenizer=spiece.model
told "embeddings that are a pointer" 5 "lfs: $pointer, expected an .npy array" p.yaml models.0.image_embeddings=lfs
told "shards that are a pointer" 5 "lfs.tar: $pointer, expected a tar archive" e.yaml datasets.0.images=shards/lfs.tar
told "zstd shards that are a pointer" 5 "lfs.tar.zst: $pointer, expected zstd data" e.yaml datasets.0.images=shards/lfs.tar.zst
told "gzip under the name of tar" 5 "gzip.tar: gzip data, expected a tar archive" e.yaml datasets.0.images=shards/gzip.tar
told "a page under the name of tar" 5 "page.tar: a web page" e.yaml datasets.0.images=shards/page.tar
told "gzip as images" 10 "v.gz: no dataset \(it is gzip data: unpack it, or pack it with zstd\)" e.yaml datasets.0.images=v.gz
refuses "an image that is a pointer" 10 "a.jpg: $pointer, expected" \
  "$vocabench" preprocess --resolution 16 --input lfs-pics --output o.npy
mkdir dots; cp pics/apple/* dots/0.a.jpg; tar cf shards/dots.tar -C dots .
told "images with a second dot" 4 \
  "no images in the shards: none of the 1 files in samples has an image's ending, such as '0.a.jpg'" \
  e.yaml datasets.0.images=shards/dots.tar
mv dots/0.a.jpg dots/0.jpg; echo '{"url": "x"}' >dots/0.json; tar cf shards/unlabelled.tar -C dots 0.jpg 0.json
told "images without labels" 6 "vocabulary 'a' has no images .*none of the 1 images has a label" \
  e.yaml datasets.0.images=shards/unlabelled.tar

# ---- names that are no file names -------------------------------------------------------------------------------
cat >names.yaml <<'E'
experiment: names
per_image: true
datasets: [{name: d, vocabularies: v.yaml}]
models:
  - {name: 'a|b', family: precomputed, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}
  - {name: 'a_b', family: precomputed, image_embeddings: T.npy, text_embeddings: T.npy, labels: y.npy}
E
run names.yaml --output names-o
check "two names, two files" test -s names-o/records/a%7Cb--d.jsonl.zst -a -s names-o/records/a_b--d.jsonl.zst
check_not "of different content" cmp names-o/records/a%7Cb--d.jsonl.zst names-o/records/a_b--d.jsonl.zst
run names.yaml --output names-o --resume
equal "and each is found again" "$(query names-o '.run.pairs | length')" 0

# ---- texts that a model cannot take as they are -----------------------------------------------------------------
long=$(printf 'word %.0s' {1..80}){}.
wide=("$vocabench" run e.yaml --output cut-run --set "models.0.prompts=[\"a {}.\", \"$long\"]")
refuses "a text that the context cuts" 6 \
  "'m': v.yaml: 2 of 4 texts are longer than its context and would be cut, such as that of 'apple' in 'word .*on_cut: allow" \
  "${wide[@]}"
check_not "before an image is encoded" compgen -G 'cut-run/cache/*/*.npy'
"${wide[@]}" --set on_cut=allow >stdout 2>stderr || fail "cut texts may be allowed" "$(cat stderr)"
holds "allowed ones are counted in the results" '.configuration.on_cut == "allow" and (.results[0].texts |
  .cut == 2 and .cut_classes == 2 and .equal_classes == null)' cut-run/results.json
like "and noted" "^note: m / d: texts cut by the context: 2, such as that of 'apple' in 'word" stdout
cat >twice.yaml <<E
experiment: twice
on_cut: allow
datasets: [{name: d, images: pics, vocabularies: v.yaml}, {name: e, images: pics, vocabularies: v.yaml}]
expansions: [{name: both, datasets: [d, e]}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}.", "$long"]}]
E
run twice.yaml --output twice
equal "those of an expansion are those of its datasets" \
  "$(query twice '[.results[] | .dataset, .texts.cut, .texts.cut_classes] | join(" ")')" "d 2 2 e 2 2 both 4 4"
{ cat t.txt; echo "$long"; } >long.txt
must "$vocabench" encode texts --weights m.safetensors --activation quick_gelu --tokenizer tok --input long.txt --output o.npy
"$vocabench" tokenize --tokenizer tok --input long.txt --output o.npy 2>stderr
like "texts to encode are cut with a note" \
  '^vocabench: note: 1 of 3 texts of long.txt are longer than the context .*the first is number 3' stderr
printf 'name: v\nvocabularies: {a: [apple, Apple], b: [bear, BEAR, Bear]}\n' >case.yaml
same=("$vocabench" run e.yaml --output equal --set datasets.0.vocabularies=case.yaml)
refuses "classes of equal texts" 6 \
  "model 'm': case.yaml: 5 classes are the same to it as another one, such as 'apple' and 'Apple'" \
  "${same[@]}"
refuses "at three ranks, too" 6 "5 classes are the same to it as another one, such as 'apple' and 'Apple'" \
  mpirun --oversubscribe -n 3 "${same[@]}"
"$vocabench" check e.yaml --output equal --set datasets.0.vocabularies=case.yaml >stdout 2>stderr
like "check tells it" "^error +'m' on 'd' .* 5 classes are the same to it" stdout
cp -r pics both; for name in Apple BEAR Bear; do cp -r both/apple "both/$name"; done
must "${same[@]}" --set on_equal=allow --set datasets.0.images=both
holds "may be allowed, and are counted" '.results[0].texts | .equal_classes == 5 and .cut == null' equal/results.json
holds "where nothing is wrong, nothing is said" \
  '.results[0].texts == null and (.configuration | has("on_cut") | not)' names-o/results.json
yes 1 | head -16 >ones; must "$tools/npy" numbers ones.npy f4 ones; must "$tools/npy" fold ones.npy twins.npy 8
run p.yaml --output twins --set models.0.text_embeddings=twins.npy
holds "of embeddings made elsewhere, equal ones are counted" '.results[0].texts.equal_classes == 2' twins/results.json
like "and noted" "^note: m / d: classes that are the same as another one to the model: 2, such as 'apple' and 'bear'" stdout
refuses "and refused when that is asked for" 6 "model 'm': d: 2 classes are the same to it" \
  "$vocabench" run p.yaml --output o --set models.0.text_embeddings=twins.npy --set on_equal=error
cat >x.yaml <<'E'
experiment: x
datasets: [{name: d, images: pics, vocabularies: v.yaml}, {name: f, images: pics, vocabularies: upper.yaml}]
expansions: [{name: both, datasets: [d, f], shared_names: different}]
models: [{name: m, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok, prompts: ["a {}."]}]
E
cp v.yaml upper.yaml; run x.yaml --output shared
holds "names that datasets share are shared_names' affair" '[.results[] | .texts] == [null, null, null]' shared/results.json
cp -r pics PICS; mv PICS/bear PICS/Bear; sed 's/bear/Bear/' v.yaml >upper.yaml
refuses "other names with the same texts are not" 6 \
  "model 'm': both: 2 classes are the same to it as another one, such as 'bear' and 'Bear'" \
  "$vocabench" run x.yaml --output o --set datasets.1.images=PICS

# ---- learned parts ----------------------------------------------------------------------------------------------
# put_tensors FILE NAME...: safetensors of 4 x 8 zeros under each name.
put_tensors() {
  local file=$1 header="" at=0 name n; shift
  for name; do header+="${header:+,}\"$name\":{\"dtype\":\"F32\",\"shape\":[4,8],\"data_offsets\":[$at,$((at += 128))]}"; done
  header="{$header}" n=${#header}
  { printf '%b' "\\x$(printf %02x $((n & 255)))\\x$(printf %02x $((n >> 8)))"; head -c 6 /dev/zero
    printf %s "$header"; head -c $at /dev/zero; } >"$file"
}
put_tensors cocoop.pt ctx meta_net.linear1.weight; put_tensors lora.pt base_model.model.text_model.q_proj.lora_A.weight
refuses "a method's parts beside CoOp's contexts" 10 \
  "cocoop.pt: holds learned parts of CoCoOp \(its meta net\), such as the tensor meta_net" \
  "$vocabench" run e.yaml --output o --set 'models.0.prompts={coop: cocoop.pt, position: end}'
refuses "are told by inspect" 10 "cocoop.pt: holds learned parts of CoCoOp" "$vocabench" inspect cocoop.pt
told "parts without a model" 10 "lora.pt: holds learned parts of LoRA, such as the tensor base_model" \
  e.yaml models.0.weights=lora.pt

# ---- files of which a part is known -----------------------------------------------------------------------------
cat >embed <<'E'
#!/bin/bash
# embed KIND WEIGHTS OUTPUT
input=pics; [ "$1" = images ] || input=t.txt
exec "$vocabench" encode "$1" --weights "$2" --activation quick_gelu --tokenizer tok --input $input --output "$3"
E
chmod +x embed; export vocabench
must ./embed images m.safetensors images.npy; must ./embed texts m.safetensors texts.npy
sed 's/"visual.transformer.resblocks.0.mlp.c_proj.weight"/"visual.trunk.another_backbone.0.stem.abcdefghijk"/' \
  m.safetensors >timm.safetensors
must ./embed texts timm.safetensors o.npy; same "a text tower beside an image tower of another kind" texts.npy o.npy
refuses "which is told where it is needed" 10 "timm.safetensors: this is a CLIP with an image tower of timm" \
  ./embed images timm.safetensors o.npy
told "by a run, too" 10 "timm.safetensors: this is a CLIP with an image tower of timm" e.yaml models.0.weights=timm.safetensors
sed 's/"logit_scale":{"dtype":"F32"/"other_scale":{"dtype":"C64"/' m.safetensors >odd.safetensors
check_not "another file" cmp -s m.safetensors odd.safetensors
must ./embed texts odd.safetensors o.npy; same "a type that is not read, of a tensor that is not needed" texts.npy o.npy
sed 's/"ln_final.weight":{"dtype":"F32"/"ln_final.weight":{"dtype":"C64"/' m.safetensors >odd.safetensors
refuses "of one that is needed" 6 "tensor ln_final.weight holds a type that is not read here, expected fp32, fp16 or bf16" \
  ./embed texts odd.safetensors o.npy
finish
