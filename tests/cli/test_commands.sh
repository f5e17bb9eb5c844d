#!/bin/bash
# Every command from the command line's side: help, flags, exit codes, exact output, overrides, folders, resumption.
# shellcheck disable=SC2015 # pass and fail never fail
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- help, names, flags -----------------------------------------------------------------------------------------
commands="run plan encode tokenize preprocess pack candidates retrieve submit merge status report compare inspect version"
check "help" "$vocabench" help
for command in $commands; do
  out=$("$vocabench" help "$command") && [[ $out == "usage: vocabench $command"* ]] && [ "$out" = "$("$vocabench" "$command" --help)" ] &&
    pass "help $command" || fail "help $command" "$out"
  "$vocabench" help | grep -q "^  $command " && pass "help lists $command" || fail "help lists $command"
done
for code in "0 done" "2 usage" "3 configuration" "75 "; do
  "$vocabench" help | tr '\n' ' ' | grep -q "$code" && pass "help tells of exit code: $code" || fail "help tells of exit code $code"
done
for key in experiment: protocol: seed: vocabularies: on_error: family: prompts: text_names:; do
  "$vocabench" help run | grep -qE "^  $key " && pass "help run explains $key" || fail "help run explains $key"
done
"$vocabench" >out 2>err; code=$?
{ [ $code = 2 ] && grep -q usage out; } && pass "no command: the help, code 2" || fail "no command: the help, code 2" "$code"
out=$("$vocabench" version) && [[ $out == "vocabench "*revision*zstd*"configs: "* ]] && pass "version" || fail "version" "$out"
same_version=$("$vocabench" --version | head -n 1)
[ "$same_version" = "$(head -n 1 <<<"$out")" ] && pass "--version" || fail "--version" "$same_version"

refuses "an unknown command" 2 "unknown command 'runn'; did you mean 'run'\?" "$vocabench" runn
refuses "an unknown command that is like none" 2 "unknown command 'qqqqqqq'; see" "$vocabench" qqqqqqq
refuses "an unknown flag" 2 "run: unknown flag --outptu; did you mean --output\?" "$vocabench" run e.yaml --outptu x
refuses "a short flag" 2 "unknown flag -o; flags begin with two dashes" "$vocabench" run e.yaml -o x
refuses "a flag without its value" 2 "run: --output needs a value: DIR" "$vocabench" run e.yaml --output
refuses "a switch with a value" 2 "run: --resume takes no value" "$vocabench" run e.yaml --resume=yes
refuses "run without a file" 2 "run: expected FILE.yaml" "$vocabench" run
refuses "a second file" 2 "run: unexpected argument 'f.yaml'" "$vocabench" run e.yaml f.yaml
refuses "encode without a word" 2 "encode: expected images\|texts" "$vocabench" encode --weights w --input i --output o
refuses "encode without weights" 2 "encode: --weights FILE is missing" "$vocabench" encode images --input i --output o
refuses "encode of something else" 2 "expected images or texts, found 'sounds'" "$vocabench" encode sounds --weights w --input i --output o
refuses "encode texts without a tokenizer" 2 "--tokenizer FILE is missing" "$vocabench" encode texts --weights w --input i --output o
refuses "a family that is none" 2 "expected clip, slip or declip, found 'blip'" "$vocabench" encode images --weights w --input i --output \
  o --family blip
refuses "an activation that is none" 2 "expected quick_gelu or gelu, found 'relu'" \
  "$vocabench" encode images --weights w --input i --output o --activation relu
refuses "a number that is none" 2 "--resolution: expected a number from 1 to 4096, found 'big'" "$vocabench" preprocess --resolution big \
  --input i --output o
refuses "a number out of range" 2 "--resolution: expected a number from 1 to 4096, found '0'" "$vocabench" preprocess --resolution 0 \
  --input i --output o
refuses "--set without a value" 2 "--set: expected path.to.key=value, found 'seed'" "$vocabench" run e.yaml --set seed
for command in tokenize preprocess pack; do
  refuses "$command without flags" 2 "$command: --.* is missing" "$vocabench" "$command"
done
refuses "inspect without a file" 2 "inspect: expected FILE" "$vocabench" inspect
refuses "inspect of nothing" 4 "nothing.npy: cannot open: No such file" "$vocabench" inspect nothing.npy
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
cat >points <<'E'
1 0 0 1 1 1 -1 -1
E
cat >images <<'E'
5 1  1 5  3 2.9  1 -9  2 2.1  -1 -5
E
printf '0\n1\n0\n0\n2\n3\n' >labels
# The tool writes one row of numbers; numpy's header says how to fold it.
fold() { # fold LIST OUT COLUMNS
  "$tools/npy" numbers flat.npy f4 "$1" && "$tools/npy" fold flat.npy "$2" "$3"
}
fold points T.npy 2 && fold images I.npy 2 && "$tools/npy" numbers y.npy i8 labels || fail "test data"
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
# By hand: straight has 4 images. 1 (5,1): right, unharmed. 2 (1,5): right, unharmed. 3 (3,2.9), an east: right within straight, but
# north_east is nearer. 4 (1,-9), an east: east beats north; south_west lies at cosine 8/(9.05*1.41)=0.62 over 1/9.05=0.11: harmed.
# Acc-C 1; E: (1+1+1/2+1/2)/4; S: 2/4. slanted: (2,2.1) right and unharmed; (-1,-5): right, no straight class is nearer. All 1.
cat >expected <<'E'
model   dataset  images          Acc-C         Acc-E     E-C          Acc-S     S-C    all classes
points  plane         6  100.00 ± 0.00  87.50 ± 7.22  -12.50  75.00 ± 14.43  -25.00  66.67 ± 21.08
results: out1/results.json
E
"$vocabench" run e.yaml --output out1 >out 2>err; code=$?
[ $code = 0 ] && [ ! -s err ] && pass "a run ends with 0 and says nothing on stderr" || fail "a run" "$code" "$(cat err)"
diff expected out >diff.txt && pass "the terminal's table, to the byte" || fail "the terminal's table" "$(cat diff.txt)"
jq -e '.results[0] | .acc_c == 1 and .acc_e == 0.875 and .acc_s == 0.75 and (.acc_e_union - 0.8333333333333334 | fabs) < 1e-12 and
  .theft == [[0, 2], [0, 0]] and .vocabularies[0].harm_histogram == [2, 2] and .vocabularies[1].harm_histogram == [2, 0] and
  .vocabularies[0].curve == [1, 0.5] and .curve == [1, 0.75] and (.top1_all - 4/6 | fabs) < 1e-12' out1/results.json >/dev/null &&
  pass "the figures of the paper example" || fail "the figures of the paper example" "$(jq -c '.results[0]' out1/results.json)"
cat >expected.csv <<'E'
model,dataset,protocol,images,acc_c,acc_c_se,acc_e,acc_e_se,acc_s,acc_s_se,acc_e_union,acc_e_union_se,top1_all,top1_all_se,top_k,lambda
E
head -n 1 out1/table.csv | diff - expected.csv >diff.txt && pass "the columns of table.csv" ||
  fail "the columns of table.csv" "$(cat diff.txt)"
cat >expected.md <<'E'
| model  | dataset | images |         Acc-C |        Acc-E |    E-C |         Acc-S |    S-C |   all classes |
|---|---|---:|---:|---:|---:|---:|---:|---:|
| points | plane   |      6 | 100.00 ± 0.00 | 87.50 ± 7.22 | -12.50 | 75.00 ± 14.43 | -25.00 | 66.67 ± 21.08 |
E
diff expected.md out1/table.md >diff.txt && pass "table.md, to the byte" || fail "table.md" "$(cat diff.txt)"
[ ! -e out1/table.tex ] && pass "no LaTeX unasked" || fail "no LaTeX unasked"
cat >rows.tex <<'E'
points & plane & 6 & 100.00 $\pm$ 0.00 & 87.50 $\pm$ 7.22 & $-$12.50 & 75.00 $\pm$ 14.43 & $-$25.00 & 66.67 $\pm$ 21.08 \\
E
"$vocabench" run e.yaml --output out1b --latex >/dev/null && grep -qxFf rows.tex out1b/table.tex && pass "LaTeX on request" ||
  fail "LaTeX on request" "$(cat out1b/table.tex)"
printf '%s\n' '| p\|q\_1 | plane ' >name.md
printf '%s\n' 'p|q\_1 & plane & 6 &' >name.tex
"$vocabench" run e.yaml --output special --latex --set 'models.points.name=p|q_1' >/dev/null && grep -qFf name.tex special/table.tex &&
  grep -qFf name.md special/table.md && pass "names do not break a table" ||
  fail "names do not break a table" "$(cat special/table.md special/table.tex)"
jq -e '.schema == "vocabench.results/1" and .experiment == "paper" and (.run | has("finished") and has("seconds") and has("hosts"))' \
  out1/results.json \
  >/dev/null && pass "schema, experiment and run block" || fail "schema, experiment and run block"

# ---- overrides, folders, resumption -----------------------------------------------------------------------------
"$vocabench" run e.yaml --output out2 --set protocol=sampled --set trials=7 --set seed=5 --set models.points.similarity=dot \
  --set datasets.0.on_error=skip >/dev/null 2>err
jq -e '.configuration | .protocol == "sampled" and .trials == 7 and .seed == 5 and .models[0].similarity == "dot" and
  .datasets[0].on_error == "skip"' \
  out2/results.json >/dev/null && pass "--set by name and by number" || fail "--set by name and by number" "$(cat err)"
refuses "--set of an unknown key" 3 "unknown key 'sede' in the experiment; did you mean 'seed'" "$vocabench" run e.yaml --set sede=3 \
  --output x
refuses "--set of a wrong type" 3 "e.yaml: command line: trials: expected an integer.*'many'" "$vocabench" run e.yaml --set trials=many \
  --output x
refuses "--set out of range" 3 "e.yaml: command line: trials: expected an integer.*'0'" "$vocabench" run e.yaml --set trials=0 --output x
refuses "--set of a model that is not there" 3 "models.nobody" "$vocabench" run e.yaml --set models.nobody.family=clip --output x
refuses "a wrong --threads" 3 "threads" "$vocabench" run e.yaml --threads lots --output x
[ ! -e x ] && pass "a wrong experiment leaves no folder" || fail "a wrong experiment leaves no folder"
"$vocabench" run e.yaml >/dev/null && [ -s results/paper/results.json ] && pass "results/EXPERIMENT is the folder unless told" ||
  fail "default folder"

"$vocabench" run e.yaml --output out1 --resume >/dev/null && [ "$(jq -c .run.pairs out1/results.json)" = "[]" ] &&
  pass "--resume takes a finished pair as it is" || fail "--resume takes a finished pair as it is" "$(jq -c .run.pairs out1/results.json)"
cp out1/results.json before.json
"$vocabench" run e.yaml --output out1 >/dev/null
[ "$(jq '.run.pairs | length' out1/results.json)" = 1 ] && pass "without --resume it is evaluated anew" ||
  fail "without --resume it is evaluated anew"
cmp -s <(jq 'del(.run)' before.json) <(jq 'del(.run)' out1/results.json) && pass "to the same bytes" || fail "to the same bytes"
"$tools/npy" set y.npy y.npy 0 0 1
"$vocabench" run e.yaml --output out1 --resume >/dev/null
{ [ "$(jq '.run.pairs | length' out1/results.json)" = 1 ] && [ "$(jq .results[0].acc_c out1/results.json)" != 1 ]; } &&
  pass "--resume sees that a file has changed" || fail "--resume sees that a file has changed"
"$tools/npy" numbers y.npy i8 labels
"$vocabench" run e.yaml --output out1 --seed 1 >/dev/null 2>&1; [ $? = 2 ] && pass "keys of the file are no flags" ||
  fail "keys of the file are no flags"
digest=$(jq -r .configuration_digest out1/results.json)
"$vocabench" run e.yaml --output out1 --set seed=1 >/dev/null 2>err
{ grep -q "results of another configuration are kept as out1/results.${digest:0:8}.json" err && [ -s "out1/results.${digest:0:8}.json" ] &&
  [ "$(jq .configuration.seed out1/results.json)" = 1 ]; } && pass "results of another configuration are kept" ||
    fail "results of another configuration are kept" "$(cat err)"

"$vocabench" plan e.yaml >out 2>err && grep -qE '^  points +plane +6 +1 +0 +0 ' out && pass "plan" || fail "plan" "$(cat out err)"
check "plan for other ranks" "$vocabench" plan e.yaml --ranks 64
# 413,862,335 x 512 x 2 bytes; from memory never slower than from disk, four nodes a quarter of one's share.
"$vocabench" plan --scan 413862335x512 --queries 20 --disk-mb 5000 >out 2>err && grep -q '^423.8 GB, 1024 bytes a row' out &&
  grep -qE '^ +1 +423.8 ' out && grep -qE '^ +4 +105.9 ' out && grep -qE ' 84.8 s$' out && grep -q 'rows a second and thread' out &&
  pass "plan of a scan" || fail "plan of a scan" "$(cat out err)"
"$vocabench" plan --scan 1000000x768 --storage int8 --queries 3 >out 2>err && grep -q '^0.8 GB, 780 bytes a row' out &&
  pass "plan of a scan through 8-bit codes" || fail "plan of a scan through 8-bit codes" "$(cat out err)"
refuses "a plan of nothing" 2 "plan: expected FILE.yaml or --scan ROWSxDIM; see" "$vocabench" plan
refuses "the plan of a scan without a width" 2 "plan: --scan: expected ROWSxDIMENSIONS such as 413862335x512, found '512'" \
  "$vocabench" plan --scan 512
refuses "an unknown storage" 2 "plan: --storage: expected fp32, fp16, bf16 or int8, found 'fp8'" \
  "$vocabench" plan --scan 5x5 --storage fp8
[ ! -e results/paper/plan ] && ! ls results/paper/.*.tmp 2>/dev/null && pass "nothing temporary is left" || fail "nothing temporary is left"

# ---- inspect ----------------------------------------------------------------------------------------------------
"$tools/make_data" images pics 3 4 && "$tools/make_data" model m.safetensors && "$tools/make_data" tokenizer tok && mkdir cifar &&
  "$tools/make_data" cifar cifar/test.bin 20 60 || fail "test data"
"$vocabench" pack --input pics --output packed --samples-per-shard 5 >out && grep -q '^12 images in 3 shards, ' out && pass "pack" ||
  fail "pack" "$(cat out)"
inspected() { # inspected FILE PATTERN
  "$vocabench" inspect "$1" >out 2>err && grep -qE "$2" out && pass "inspect $1" || fail "inspect $1" "$(cat out err)"
}
inspected I.npy '^array of fp32, 6 x 2$'
inspected y.npy '^array of int64, 6$'
inspected v.yaml "^vocabularies 'directions': 2 vocabularies, 4 classes"
inspected e.yaml "^experiment 'paper': 1 dataset\(s\), 1 model\(s\)"
inspected pics '^class folders: 12 images, 3 labels'
inspected packed '^WebDataset: 12 images, 3 labels'
inspected packed/00000.tar.zst '^WebDataset: 5 images'
inspected cifar/test.bin '^CIFAR-100 binary: 60 images, 100 labels'
inspected m.safetensors '^image tower: ViT, 32 x 32 pixels, patches of 8, width 64, 2 layers, 1 heads$'
inspected "$here/configs/prompts/simple.yaml" "^prompt list 'simple': 1 template"
refuses "inspect of something else" 10 "neither safetensors nor" "$vocabench" inspect "$here/Makefile"

# ---- from another folder, and installed -------------------------------------------------------------------------
mkdir -p elsewhere && cd elsewhere || exit 1
"$vocabench" run ../e.yaml --output ../out3 >/dev/null 2>err &&
  cmp -s <(jq .results ../out3/results.json) <(jq .results ../out1b/results.json) &&
  pass "paths in the file are relative to the file" || fail "paths in the file are relative to the file" "$(cat err)"
cat >living.yaml <<'E'
experiment: configs
datasets: [{name: d, vocabularies: configs/vocabularies/living17.yaml}]
models: [{name: m, family: precomputed, image_embeddings: ../I.npy, text_embeddings: ../T.npy, labels: ../y.npy}]
E
refuses "configs/ is found from anywhere" 6 "has no images|has 68 classes|not" "$vocabench" run living.yaml --output out
cd "$scratch" || exit 1
if make -s -C "$here" install BUILD="${build#"$here"/}" PREFIX=/opt/v DESTDIR="$scratch/root" >out 2>&1; then
  installed=$scratch/root/opt/v/bin/vocabench
  "$installed" version | grep -q "^configs: $scratch/root/opt/v/bin/../share/vocabench/configs" &&
    pass "the installed program finds its configs" ||
    fail "the installed program finds its configs" "$("$installed" version)"
  "$installed" run e.yaml --output out4 >/dev/null && cmp -s <(jq .results out4/results.json) <(jq .results out1b/results.json) &&
    pass "the installed program runs" ||
    fail "the installed program runs"
  refuses "and finds its own experiments from anywhere" 4 "^vocabench: (.*: )?data/imagenet-vit-b-32/[a-z-]*\.(npy|txt): " \
    env -C elsewhere "$installed" run configs/experiments/living17.yaml --output out6
  refuses "and finds vocabularies" 6 "has 68 classes|has no images" "$installed" run elsewhere/living.yaml --output out5
else fail "make install" "$(tail -n 5 out)"
fi
finish
