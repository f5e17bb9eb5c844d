#!/bin/bash
# Every command from the command line's side: help, flags, exit codes, exact output, overrides, folders, resumption.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- help, names, flags -----------------------------------------------------------------------------------------
commands="init run plan encode tokenize preprocess pack candidates"
commands+=" retrieve submit merge status report compare verify inspect models version"
check "help" "$vocabench" help
"$vocabench" help >help.txt; "$vocabench" help run >help-run.txt
for command in $commands; do
  out=$("$vocabench" help "$command") && [[ $out == "usage: vocabench $command"* ]] &&
    [ "$out" = "$("$vocabench" "$command" --help)" ]
  verdict $? "help $command" "$out"
  like "help lists $command" "^  $command " help.txt
done
for code in "0 done" "2 usage" "3 configuration" "75 "; do
  like "help tells of exit code: $code" "$code" <<<"$(tr '\n' ' ' <help.txt)"
done
for key in experiment: protocol: seed: vocabularies: on_error: family: prompts: text_names:; do
  like "help run explains $key" "^  $key " help-run.txt
done
"$vocabench" >out 2>err; code=$?
[ $code = 2 ] && grep -q usage out
verdict $? "no command: the help, code 2" "code $code"
out=$("$vocabench" version) && [[ $out == "vocabench "*revision*zstd*"configs: "* ]]
verdict $? "version" "$out"
same_version=$("$vocabench" --version | head -n 1)
equal "--version" "$same_version" "$(head -n 1 <<<"$out")"

models=$("$vocabench" models) families=$("$vocabench" help encode | sed -nE 's/^ *--family ([a-z_0-9|]+).*/\1/p' | tr '|' ' ')
listed=$(grep -E '^[a-z]' <<<"$models" | xargs)
equal "models lists every family" "$listed" "$families"
unlike "models: no cell is empty" '^  [a-z ]{0,10} *$' <<<"$models"
like "models: the namings follow from their rows" '^  names +OpenAI, open_clip, Hugging Face, TinyCLIP$' <<<"$models"
like "models: tokenizers by their conventions" '^  tokenizers +siglip .SigLIP., siglip2 .SigLIP 2.$' <<<"$models"

refuses "an unknown command" 2 "unknown command 'runn'; did you mean 'run'\?" "$vocabench" runn
refuses "an unknown command that is like none" 2 "unknown command 'qqqqqqq'; see" "$vocabench" qqqqqqq
refuses "an unknown flag" 2 "run: unknown flag --outptu; did you mean --output\?" "$vocabench" run e.yaml --outptu x
refuses "a short flag" 2 "unknown flag -o; flags begin with two dashes" "$vocabench" run e.yaml -o x
refuses "an empty value" 2 "run: --output needs a value: DIR, found an empty text" "$vocabench" run e.yaml --output ''
refuses "or behind the sign" 2 "run: --only-model needs a value: NAME, found an empty text" \
  "$vocabench" run e.yaml --only-model=
refuses "an empty argument" 2 "run: expected FILE.yaml, found an empty text" "$vocabench" run ''
refuses "a flag without its value" 2 "run: --output needs a value: DIR" "$vocabench" run e.yaml --output
refuses "a switch with a value" 2 "run: --resume takes no value" "$vocabench" run e.yaml --resume=yes
refuses "run without a file" 2 "run: expected FILE.yaml" "$vocabench" run
refuses "a second file" 2 "run: unexpected argument 'f.yaml'" "$vocabench" run e.yaml f.yaml
refuses "encode without a word" 2 "encode: expected images\|texts" "$vocabench" encode --weights w --input i --output o
refuses "encode without weights" 2 "encode: --weights FILE is missing" "$vocabench" encode images --input i --output o
refuses "encode of something else" 2 "expected images or texts, found 'sounds'" \
  "$vocabench" encode sounds --weights w --input i --output o
refuses "a family that is none" 2 "expected clip, slip, .*, found 'blip'" \
  "$vocabench" encode images --weights w --input i --output o --family blip
refuses "an activation that is none" 2 \
  "encode: command line: activation: expected one of quick_gelu, gelu, gelu_tanh, found 'relu'" \
  "$vocabench" encode images --weights w --input i --output o --activation relu
refuses "a number that is none" 2 "--resolution: expected a number from 1 to 4096, found 'big'" \
  "$vocabench" preprocess --resolution big --input i --output o
refuses "a number out of range" 2 "--resolution: expected a number from 1 to 4096, found '0'" \
  "$vocabench" preprocess --resolution 0 --input i --output o
refuses "--set without a value" 2 "--set: expected path.to.key=value, found 'seed'" "$vocabench" run e.yaml --set seed
for command in tokenize preprocess pack; do
  refuses "$command without flags" 2 "$command: --.* is missing" "$vocabench" "$command"
done
refuses "inspect without a file" 2 "inspect: expected FILE" "$vocabench" inspect
refuses "inspect of nothing" 4 "nothing.npy: cannot open: No such file" "$vocabench" inspect nothing.npy
VOCABENCH_ISA=sse9 refuses "a level that is none" 2 \
  "VOCABENCH_ISA='sse9': expected scalar, avx2, avx512 or vnni" "$vocabench" version
VOCABENCH_MPI=yes refuses "MPI is asked for by 1" 2 "VOCABENCH_MPI='yes': expected 1, or nothing" "$vocabench" version
check "nothing in them is nothing" env VOCABENCH_ISA= VOCABENCH_MPI= "$vocabench" version
VOCABENCH_FAULT=nonsense refuses "a wrong fault" 2 "VOCABENCH_FAULT='nonsense': expected site:n:effect" "$vocabench" version

# ---- exact output -----------------------------------------------------------------------------------------------
# Six images, four classes, two vocabularies, on paper: rows are points of the plane, the classes four directions.
cat >v.yaml <<'E'
name: directions
vocabularies:
  straight: [east, north]
  slanted:
    - {id: n2, name: north_east}
    - {id: s2, name: south_west}
E
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"
floats I.npy 2 <<<"5 1  1 5  3 2.9  1 -9  2 2.1  -1 -5"
printf '0\n1\n0\n0\n2\n3\n' >labels
must "$tools/npy" numbers y.npy i8 labels
cat >e.yaml <<'E'
experiment: paper
datasets:
  - name: plane
    vocabularies: v.yaml
models:
  - name: points
    family: precomputed
    image_embeddings: I.npy
    text_embeddings: T.npy
    labels: y.npy
E
# By hand: straight has 4 images. 1 (5,1): right, unharmed. 2 (1,5): right, unharmed. 3 (3,2.9), an east: right within straight,
# but north_east is nearer. 4 (1,-9), an east: east beats north; south_west lies at cosine 8/(9.05*1.41)=0.62 over 1/9.05=0.11:
# harmed. Acc-C 1; E: (1+1+1/2+1/2)/4; S: 2/4. slanted: (2,2.1) right and unharmed; (-1,-5): right, no straight class is nearer.
# All 1. Errors by classes: of straight, Acc-E 3/4, its three easts sum to 2 and north to 1, a quarter off each; of two classes
# sqrt(2 (1/16 + 1/16)) / 4 = 1/8, over two vocabularies 1/16; Acc-S: twice that.
cat >expected <<'E'
model   dataset  images          Acc-C         Acc-E     E-C          Acc-S     S-C    all classes  tied
points  plane         6  100.00 ± 0.00  87.50 ± 6.25  -12.50  75.00 ± 12.50  -25.00  66.67 ± 22.22  0.00
±: standard error by classes as clusters; those by images and by vocabularies: results.json, table.csv
note: points / plane: labels that are places in the vocabulary file, from 0: 4
results: out1/results.json
E
"$vocabench" run e.yaml --output out1 >out 2>err; code=$?
[ $code = 0 ] && [ ! -s err ]
verdict $? "a run ends with 0 and says nothing on stderr" "code $code" "$(cat err)"
check "the terminal's table, to the byte" diff expected out
holds "the figures of the paper example" '.results[0] | .acc_c == 1 and .acc_e == 0.875 and .acc_s == 0.75 and
  (.acc_e_union - 0.8333333333333334 | fabs) < 1e-12 and .theft == [[0, 2], [0, 0]] and
  .vocabularies[0].harm_histogram == [2, 2] and .vocabularies[1].harm_histogram == [2, 0] and
  .vocabularies[0].curve == [1, 0.5] and .curve == [1, 0.75] and (.top1_all - 4/6 | fabs) < 1e-12' \
  out1/results.json "$(jq -c '.results[0]' out1/results.json)"
equal "the columns of table.csv" "$(head -n 1 out1/table.csv)" "model,dataset,protocol,images,acc_c,acc_c_se,acc_e,acc_e_se,\
acc_s,acc_s_se,acc_e_union,acc_e_union_se,top1_all,top1_all_se,tied_images,top_k,lambda,selected,\
$(for f in acc_c acc_e acc_s acc_e_union top1_all; do
    printf '%s,' ${f}_se_{images,classes,vocabularies} ${f}_low_classes ${f}_high_classes; done | sed 's/,$//')"
cat >expected.md <<'E'
| model  | dataset | images |         Acc-C |        Acc-E |    E-C |         Acc-S |    S-C |   all classes | tied |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|
| points | plane   |      6 | 100.00 ± 0.00 | 87.50 ± 6.25 | -12.50 | 75.00 ± 12.50 | -25.00 | 66.67 ± 22.22 | 0.00 |

±: standard error by classes as clusters; those by images and by vocabularies: results.json, table.csv
E
check "table.md, to the byte" diff expected.md out1/table.md
check "no LaTeX unasked" test ! -e out1/table.tex
cat >rows.tex <<'E'
points & plane & 6 & 100.00 $\pm$ 0.00 & 87.50 $\pm$ 6.25 & $-$12.50 & 75.00 $\pm$ 12.50 & $-$25.00 & 66.67 $\pm$ 22.22 & 0.00 \\
E
"$vocabench" run e.yaml --output out1b --latex >/dev/null && grep -qxFf rows.tex out1b/table.tex
verdict $? "LaTeX on request" "$(cat out1b/table.tex)"
printf '%s\n' '| p\|q\_1 | plane ' >name.md
printf '%s\n' 'p|q\_1 & plane & 6 &' >name.tex
"$vocabench" run e.yaml --output special --latex --set 'models.points.name=p|q_1' >/dev/null &&
  grep -qFf name.tex special/table.tex && grep -qFf name.md special/table.md
verdict $? "names do not break a table" "$(cat special/table.md special/table.tex)"
holds "schema, experiment and run block" '.schema == "vocabench.results/1" and .experiment == "paper" and
  (.run | has("finished") and has("seconds") and has("hosts"))' out1/results.json

# ---- overrides, folders, resumption -----------------------------------------------------------------------------
"$vocabench" run e.yaml --output out2 --set protocol=sampled --set trials=7 --set seed=5 --set models.points.similarity=dot \
  --set datasets.0.on_error=skip >/dev/null 2>err
holds "--set by name and by number" '.configuration | .protocol == "sampled" and .trials == 7 and .seed == 5 and
  .models[0].similarity == "dot" and .datasets[0].on_error == "skip"' out2/results.json "$(cat err)"
refuses "--set of an unknown key" 3 "unknown key 'sede' in the experiment; did you mean 'seed'" \
  "$vocabench" run e.yaml --set sede=3 --output x
# Every kind of value, given in the file or nowhere.
{ cat e.yaml; cat <<'E'; } >given.yaml
protocol: sampled
seed: 5
limit: 1
on_equal: allow
batch: 2
latex: true
E
set=(protocol= seed= limit= on_equal= batch= latex= trials= decode_memory= similarity_engine= corpora= retrieval= expansions=
  models.points.logit_scale= models.points.similarity= models.points.weights= models.points.mean= datasets.0.on_error=)
"$vocabench" run given.yaml --output unset "${set[@]/#/--set=}" >/dev/null 2>err
must "$vocabench" run e.yaml --output never
equal "an empty value of --set unsets the key" "$(jq -S .configuration unset/results.json) $(query unset .run.options.batch)" \
  "$(jq -S .configuration never/results.json) 16" "$(cat err)"
refuses "but null is a value" 3 "seed: expected an integer from 0 to 4294967295, found nothing" \
  "$vocabench" run e.yaml --set seed=null --output x
refuses "--set of nothing to a key that is none" 3 "unknown key 'sede' in the experiment" \
  "$vocabench" run e.yaml --set sede= --output x
refuses "--set of nothing to a key that is needed" 3 "models: expected a list with at least one entry" \
  "$vocabench" run e.yaml --set models= --output x
refuses "--set of a wrong type" 3 "e.yaml: command line: trials: expected an integer.*'many'" \
  "$vocabench" run e.yaml --set trials=many --output x
refuses "--set out of range" 3 "e.yaml: command line: trials: expected an integer.*'0'" \
  "$vocabench" run e.yaml --set trials=0 --output x
refuses "--set of a model that is not there" 3 "models.nobody" "$vocabench" run e.yaml --set models.nobody.family=clip --output x
refuses "a wrong --threads" 3 "threads" "$vocabench" run e.yaml --threads lots --output x
check "a wrong experiment leaves no folder" test ! -e x
"$vocabench" run e.yaml >/dev/null && [ -s results/paper/results.json ]
verdict $? "results/EXPERIMENT is the folder unless told"

"$vocabench" run e.yaml --output out1 --resume >/dev/null && [ "$(jq -c .run.pairs out1/results.json)" = "[]" ]
verdict $? "--resume takes a finished pair as it is" "$(jq -c .run.pairs out1/results.json)"
cp out1/results.json before.json
"$vocabench" run e.yaml --output out1 >/dev/null
equal "without --resume it is evaluated anew" "$(jq '.run.pairs | length' out1/results.json)" 1
same "to the same bytes" <(jq 'del(.run)' before.json) <(figures out1)
"$tools/npy" set y.npy y.npy 0 0 1
"$vocabench" run e.yaml --output out1 --resume >/dev/null
[ "$(jq '.run.pairs | length' out1/results.json)" = 1 ] && [ "$(jq .results[0].acc_c out1/results.json)" != 1 ]
verdict $? "--resume sees that a file has changed"
"$tools/npy" numbers y.npy i8 labels
"$vocabench" run e.yaml --output out1 --seed 1 >/dev/null 2>&1; code=$?
equal "keys of the file are no flags" $code 2
digest=$(jq -r .configuration_digest out1/results.json)
"$vocabench" run e.yaml --output out1 --set seed=1 >/dev/null 2>err
grep -q "results of another configuration are kept as out1/results.${digest:0:8}.json" err &&
  [ -s "out1/results.${digest:0:8}.json" ] && [ "$(jq .configuration.seed out1/results.json)" = 1 ]
verdict $? "results of another configuration are kept" "$(cat err)"

"$vocabench" plan e.yaml >out 2>err && grep -qE '^  points +plane +6 +1 +0 +0 ' out
verdict $? "plan" "$(cat out err)"
check "plan for other ranks" "$vocabench" plan e.yaml --ranks 64
# 413,862,335 x 512 x 2 bytes; from memory never slower than from disk, four nodes a quarter of one's share.
"$vocabench" plan --scan 413862335x512 --queries 20 --disk-mb 5000 >out 2>err && grep -q '^423.8 GB, 1024 bytes a row' out &&
  grep -qE '^ +1 +423.8 ' out && grep -qE '^ +4 +105.9 ' out && grep -qE ' 84.8 s$' out && grep -q 'rows a second and thread' out
verdict $? "plan of a scan" "$(cat out err)"
"$vocabench" plan --scan 1000000x768 --storage int8 --queries 3 >out 2>err && grep -q '^0.8 GB, 780 bytes a row' out
verdict $? "plan of a scan through 8-bit codes" "$(cat out err)"
refuses "a plan of nothing" 2 "plan: expected FILE.yaml or --scan ROWSxDIM; see" "$vocabench" plan
refuses "the plan of a scan without a width" 2 "plan: --scan: expected ROWSxDIMENSIONS such as 413862335x512, found '512'" \
  "$vocabench" plan --scan 512
refuses "an unknown storage" 2 "plan: --storage: expected fp32, fp16, bf16 or int8, found 'fp8'" \
  "$vocabench" plan --scan 5x5 --storage fp8
[ ! -e results/paper/plan ] && ! ls results/paper/.*.tmp 2>/dev/null
verdict $? "nothing temporary is left"

# ---- inspect ----------------------------------------------------------------------------------------------------
make_data images pics 3 4; make_data model m.safetensors; make_data tokenizer tok; mkdir cifar
make_data cifar cifar/test.bin 20 60
"$vocabench" pack --input pics --output packed --samples-per-shard 5 >out && grep -q '^12 images in 3 shards, ' out
verdict $? "pack" "$(cat out)"
refuses "a flag of corpora for images" 2 'pack: --similarity is of the 8-bit copy of a corpus, which needs --quantize' \
  "$vocabench" pack --input pics --output x --similarity cosine
refuses "a flag of images for a corpus" 2 'pack: --level is of shards of images, not of --quantize' \
  "$vocabench" pack --input packed --output x --quantize int8 --level 3
inspected() { # inspected FILE PATTERN
  "$vocabench" inspect "$1" >out 2>err && grep -qE "$2" out
  verdict $? "inspect $1" "$(cat out err)"
}
inspected I.npy '^array of fp32, 6 x 2$'
inspected y.npy '^array of int64, 6$'
inspected T.npy '^rows: not normalised; squared norms 1 to 2; 0 with NaN or infinity, 0 all zero$'
floats zeros.npy 2 <<<"0 0 0 0 0 0"
inspected zeros.npy '^rows: none with a norm; 0 with NaN or infinity, 3 all zero$'
inspected v.yaml "^vocabularies 'directions': 2 vocabularies, 4 classes"
inspected e.yaml "^experiment 'paper': 1 dataset\(s\), 1 model\(s\)"
inspected pics '^class folders: 12 images, 3 labels'
inspected packed '^WebDataset: 12 images, 3 labels'
inspected packed/00000.tar.zst '^WebDataset: 5 images'
inspected cifar/test.bin '^CIFAR-100 binary: 60 images, 100 labels'
inspected m.safetensors '^image tower: ViT, 32 x 32 pixels, patches of 8, width 64, 2 layers, 1 heads$'
inspected "$here/configs/prompts/simple.yaml" "^prompt list 'simple': 1 template"
for file in "$here"/configs/experiments/*.yaml; do inspected "$file" "^experiment '$(basename "$file" .yaml)': "; done
inspected "$here/configs/experiments/zoo.yaml" "^experiment 'zoo': 4 dataset\(s\), 40 model\(s\)"
# The download that docs/models.md shows reads the folders by this pattern.
pattern=$(sed -nE "s/^ +grep -oE '(checkpoints[^']+)' configs.*/\1/p" "$here/docs/models.md")
equal "the documented download of the zoo takes its folders, and nothing else" \
  "$(grep -oE "$pattern" "$here/configs/experiments/zoo.yaml" | sort -u)" \
  "$(sed -nE 's,.*(weights|tokenizer): (checkpoints/[^ \,}]+).*,\2,p' "$here/configs/experiments/zoo.yaml" | sort -u)"
refuses "inspect of something else" 10 "begins with the bytes 23 20 42 75 69 6c 64 73, expected weights" \
  "$vocabench" inspect "$here/Makefile"

# ---- from another folder, and installed -------------------------------------------------------------------------
mkdir -p elsewhere && cd elsewhere || exit 1
"$vocabench" run ../e.yaml --output ../out3 >/dev/null 2>err &&
  cmp -s <(jq .results ../out3/results.json) <(jq .results ../out1b/results.json)
verdict $? "paths in the file are relative to the file" "$(cat err)"
cat >living.yaml <<'E'
experiment: configs
datasets: [{name: d, vocabularies: configs/vocabularies/living17.yaml}]
models: [{name: m, family: precomputed, image_embeddings: ../I.npy, text_embeddings: ../T.npy, labels: ../y.npy}]
E
refuses "configs/ is found from anywhere" 6 "has no images|has 68 classes|not" "$vocabench" run living.yaml --output out
cd "$scratch" || exit 1
if install_under "$scratch/root" >out 2>&1; then
  installed=$scratch/root/usr/local/bin/vocabench
  like "the installed program finds its configs" "^configs: $scratch/root/usr/local/bin/../share/vocabench/configs" \
    <<<"$("$installed" version)"
  "$installed" run e.yaml --output out4 >/dev/null && cmp -s <(jq .results out4/results.json) <(jq .results out1b/results.json)
  verdict $? "the installed program runs"
  refuses "and finds its own experiments from anywhere" 4 "^vocabench: (.*: )?data/imagenet-vit-b-32/[a-z-]*\.(npy|txt): " \
    env -C elsewhere "$installed" run configs/experiments/living17.yaml --output out6
  refuses "and finds vocabularies" 6 "has 68 classes|has no images" "$installed" run elsewhere/living.yaml --output out5
else fail "make install" "$(tail -n 5 out)"
fi
finish
