#!/bin/bash
# submit, merge, status and run --only-model without a Slurm: pretend sinfo, sbatch, squeue, srun and scontrol note what they
# are asked.
# shellcheck disable=SC2016 # the pretend commands expand
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- an experiment of two encoded models and a precomputed one, two datasets ------------------------------------
make_data images pics 4 6; make_data images more 4 5; make_data model m.safetensors; make_data tokenizer tok
cat >v.yaml <<'E'
name: things
vocabularies: {a: [apple, bear], b: [chair, dolphin]}
E
floats I.npy 2 <<<"$(seq 1 48)"
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"
seq 0 23 | awk '{print $1 % 4}' >labels && "$tools/npy" numbers y.npy i8 labels
cat >e.yaml <<'E'
experiment: parts
datasets:
  - {name: pics, images: pics, vocabularies: v.yaml}
  - {name: more, images: more, vocabularies: v.yaml}
models:
  - {name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok/vocab.json, prompts: ["a {}."]}
  - {name: "it's gelu", family: clip, weights: m.safetensors, tokenizer: tok/vocab.json, prompts: ["a {}.", "the {}."],
     activation: gelu}
  - {name: given, family: precomputed, dataset: pics, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}
E
run e.yaml --output whole --latex --per-image
n=0
for model in plain "it's gelu" given; do
  run e.yaml --only-model "$model" --output "parts/$n" --cache cache --latex --per-image
  n=$((n + 1))
done
equal "--only-model evaluates one model" "$(jq -c '[.results[].model] | unique' parts/1/results.json)" "[\"it's gelu\"]"
equal "the configuration stays that of the whole" \
  "$(jq -r .configuration_digest parts/*/results.json whole/results.json | sort -u | wc -l)" 1
for pair in plain--pics given--pics; do
  same "and so does the key of $pair" <(jq -r .key whole/pairs/$pair.json) <(jq -r .key parts/?/pairs/$pair.json)
done
refuses "--only-model of a model that is not there" 3 "only_model: there is no model 'nobody' among the 3" \
  "$vocabench" run e.yaml --only-model nobody --output x
"$vocabench" plan e.yaml --set only_model=plain >out && ! grep -q gelu out && grep -q '^  plain' out
verdict $? "plan of one model" "$(cat out)"

# ---- merge ------------------------------------------------------------------------------------------------------
check "merge" "$vocabench" merge merged parts/2 parts/0 parts/1/results.json
same "results.json of the parts is that of the whole" <(figures whole) <(figures merged)
for file in table.md table.csv table.tex "records/plain--more.jsonl.zst" "pairs/it%27s%20gelu--pics.json"; do
  same "$file" "whole/$file" "merged/$file"
done
same "to the byte" <(sed '/^ "run"/,$d' whole/results.json) <(sed '/^ "run"/,$d' merged/results.json)
holds "the run block tells of the parts" '(.run.merged | length == 3) and (.run.pairs | length == 5) and .run.version and
  (([.run.merged[].node_hours] | add) - .run.node_hours | fabs) < 1e-9 and .run.node_hours > 0' \
  merged/results.json "$(jq .run merged/results.json)"
"$vocabench" run e.yaml --output merged --cache cache --latex --per-image --resume >/dev/null &&
  [ "$(jq -c .run.pairs merged/results.json)" = "[]" ]
verdict $? "a run of the whole goes on from merged pairs" "$(jq -c .run.pairs merged/results.json)"
check "the same part twice" "$vocabench" merge again parts/0 parts/1 parts/0 parts/2
ln -s 0 parts/same; must "$vocabench" merge links parts/0 parts/same parts/1 parts/2/results.json parts/2; rm parts/same
facts='.run | [.seconds, .node_hours, (.pairs | length), (.merged | length)]'
for folder in again links; do
  must "$vocabench" merge once parts/0 parts/1 parts/2
  equal "$folder: its hours and pairs count once" "$(query $folder "$facts | tojson")" "$(query once "$facts | tojson")"
done
must "$vocabench" merge half --partial parts/0 parts/1; must "$vocabench" merge rest --partial parts/2
must "$vocabench" merge halves half rest
same "merged parts have LaTeX as theirs have" whole/table.tex halves/table.tex
refuses "a part is missing" 4 "2 of 5 pairs are in no part, the first: model 'it's gelu' on dataset 'pics'; --partial" \
  "$vocabench" merge x parts/0 parts/2
check "and nothing is written" test ! -e x
"$vocabench" merge some parts/0 parts/2 --partial >/dev/null && [ "$(jq '.results | length' some/results.json)" = 3 ]
verdict $? "--partial"
refuses "a part in the place of the output" 7 \
  "parts/0/results.json: holds a result that is in no part, and would be lost: model 'plain' on dataset 'pics'; name parts/0" \
  "$vocabench" merge parts/0 parts/2 --partial
ln -s nowhere lost
refuses "a link that leads nowhere, for a folder" 7 "lost: expected a folder, found a link that leads nowhere" \
  "$vocabench" merge lost parts/0 parts/2 --partial
cp -r parts/0 grown; check "named as a part it grows" "$vocabench" merge grown grown parts/2 --partial
equal "and nothing of it is lost" "$(jq -c '[.results[].model]' grown/results.json)" '["plain","plain","given"]'
refuses "merge of nothing" 2 "merge: expected OUT DIR" "$vocabench" merge x
refuses "a folder without results" 4 "nowhere/results.json: cannot open|nowhere.*no such" "$vocabench" merge x parts/0 nowhere
mkdir empty && refuses "a run that has not ended" 4 "empty/results.json: no such file: the run in that folder has not ended" \
  "$vocabench" merge x parts/0 empty
refuses "JSON of something else" 10 "tokenizer.json: schema: expected vocabench.results/1, found ''" \
  "$vocabench" merge x parts/0 "$here/tests/golden/tokenizer.json"
"$vocabench" run e.yaml --only-model plain --output other --set seed=7 >/dev/null
refuses "another configuration" 6 "other/results.json: another configuration than parts/0/results.json: they differ in seed" \
  "$vocabench" merge x parts/0 other
"$vocabench" run e.yaml --only-model plain --output other --set models.1.activation=quick_gelu >/dev/null 2>&1
refuses "another model's settings" 6 "they differ in models.1.activation" "$vocabench" merge x parts/0 other
"$vocabench" run e.yaml --only-model plain --output other2 --set experiment=else >/dev/null
refuses "another experiment" 6 "experiment 'else', but parts/0/results.json has 'parts'" "$vocabench" merge x parts/0 other2
alter() { mkdir -p "$1" && jq "$3" "$2" >"$1/results.json"; }
alter v parts/1/results.json '.run.version = "9.9"'
refuses "another version" 6 "made by version 9.9" "$vocabench" merge x parts/0 v
alter late parts/1/results.json '.run.finished = "2999-12-31T23:59:59Z"'
must "$vocabench" merge last parts/0 late parts/2
holds "a merge ends when the last of its parts did" '.run.finished == "2999-12-31T23:59:59Z"' last/results.json
alter d parts/1/results.json '.results[0].data.images_digest = "00"'
refuses "other data" 6 "dataset 'pics': images_digest [0-9a-f]* in parts/0/results.json, but 00 in d" \
  "$vocabench" merge x parts/0 d
# Parts of one model or one dataset are told apart by each of the digests.
of() { jq "del(.results[] | select(.dataset != \"$1\"))" parts/0/results.json; }
mkdir pics-0; of pics >pics-0/results.json; of more >more.json
for digest in weights_digest tokenizer_digest; do
  alter w more.json ".results[0].embedding.$digest = \"00\""
  refuses "one model of two: $digest" 6 \
    "model 'plain': $digest [0-9a-f]+ in pics-0/results.json, but 00 in w/results.json" "$vocabench" merge x pics-0 w --partial
done
alter w parts/1/results.json '.results[0].data.vocabularies_digest = "00"'
refuses "other vocabularies" 6 "dataset 'pics': vocabularies_digest [0-9a-f]+ in parts/0/results.json, but 00 in w" \
  "$vocabench" merge x parts/0 w
alter w parts/1/results.json '.results[0].data.labels_digest = "00"'
refuses "other sets of labels" 6 "dataset 'pics': labels_digest  in parts/0/results.json, but 00 in w" \
  "$vocabench" merge x parts/0 w
for path in .data.names.digest .adversarial_pool.digest .adversarial_pool.excluded_by .adversarial_pool.wordnet_digest \
  .analyses.{open_curve,open_set,calibration}.pool.digest .analyses.{hierarchy,prompt_spread.synonyms}.wordnet_digest; do
  for n in 0 1; do alter "names-$n" parts/$n/results.json ".results[]$path = \"$n\""; done
  refuses "other names: $path" 6 "dataset 'pics': .* 0 in names-0/results.json, but 1 in names-1" \
    "$vocabench" merge x names-0 names-1
done
# Learned contexts, and the weights of index models, are in no entry: the runs' sums of files tell them apart.
for role in coop weights; do
  for n in 0 1 2; do
    alter "f$n" parts/$n/results.json ".run.models = [{model: \"m\", files: [{role: \"tokenizer\", name: \"x\", sha256: \"$n\"},
      {role: \"$role\", name: \"y\", sha256: (if $n == 2 then null else \"0$n\" end)}]}]"
  done
  refuses "another file of a model: $role" 6 "model 'm': $role y: sha256 00 in f0/results.json, but 01 in f1" \
    "$vocabench" merge x f0 f1
  must "$vocabench" merge f02 f0 f2 --partial
  refuses "another one than in a merge: $role" 6 "model 'm': $role y: sha256 00 in f02/results.json, but 01 in f1" \
    "$vocabench" merge x f02 f1
done
corpora() { # corpora NAME PART KEYS
  alter "$1" "parts/$2/results.json" ".run.corpora = [{corpus: \"words\", files: 2, bytes: 10, sha256: null} + $3]"
}
corpora c0 0 '{sha256: "00"}'; corpora c1 1 '{sha256: "01"}'; corpora c2 2 '{bytes: 11}'
refuses "another corpus" 6 "corpus 'words': sha256 00 in c0/results.json, but 01 in c1" "$vocabench" merge x c0 c1
refuses "one too large for sums" 6 "corpus 'words': 10 bytes in c0/results.json, but 11 in c2" "$vocabench" merge x c0 c2
must "$vocabench" merge c01 c0 parts/1 --partial
refuses "a corpus of a merge" 6 "corpus 'words': 10 bytes in c01/results.json, but 11 in c2" "$vocabench" merge x c01 c2
# Of a start that made pairs anew and did not end.
cp -r parts/1 begun; jq '.result.acc_c = 0' parts/1/pairs/it*--pics.json >begun/pairs/"$(cd parts/1/pairs && ls it*--pics.json)"
refuses "files of another start" 5 \
  "begun/pairs/it.*--pics.json: its result is not that of begun/results.json" \
  "$vocabench" merge x parts/0 begun parts/2
mkdir r && sed 's/"images_skipped": 0/"images_skipped": 1/' parts/0/results.json >r/results.json
refuses "another result of the same pair" 6 "r/results.json: model 'plain' on dataset 'pics': another result than in parts/0" \
  "$vocabench" merge x parts/0 r
alter c parts/0/results.json '.configuration.seed = 1'
refuses "a configuration changed by hand" 5 "configuration_digest: expected .*: the file was changed by hand" \
  "$vocabench" merge x parts/0 c
alter s parts/0/results.json '.schema = "vocabench.results/9"'
refuses "another schema" 10 "schema: expected vocabench.results/1, found 'vocabench.results/9'" "$vocabench" merge x s
alter i parts/1/results.json '.run.isa = "abacus"'
"$vocabench" merge isa parts/0 i parts/2 >/dev/null 2>err && grep -q 'at abacus: last bits may differ' err
verdict $? "another instruction set level is noted" "$(cat err)"
mkdir cut && head -c 300 parts/0/results.json >cut/results.json
refuses "a cut file" 5 "cut/results.json:[0-9]*:[0-9]*: " "$vocabench" merge x cut

# ---- status -----------------------------------------------------------------------------------------------------
"$vocabench" status whole >out && grep -q '^experiment parts: 5 pair(s): 5 done, 0 running, 0 failed, 0 to do$' out &&
  grep -q '^  whole: done$' out && grep -qE '^  given +pics +done$' out &&
  grep -qE '^cache whole/cache: 12 unit.s. of images; this experiment makes 12 at most; 2 file' out && ! grep -q 'time left' out
verdict $? "status of what is done" "$(cat out)"
refuses "status of nothing" 4 "empty: no state.json: nothing has been run" "$vocabench" status empty
# One that was killed between a pair's result and the end of its marker.
cp -r whole marked && : >marked/pairs/given--pics.json.running && "$vocabench" status marked >out
like "a pair with a marker is not done" ': 4 done, 0 running, 0 failed, 1 to do$' out
must "$vocabench" run e.yaml --output marked --latex --per-image --resume && "$vocabench" status marked >out
like "and is with the next start" ': 5 done, 0 running, 0 failed, 0 to do$' out
broken=$(find more -name '*.*' | sort | tail -n 1); cp "$broken" kept && head -c 50 kept >"$broken"
# Of a start that goes on, those are done whose earlier results hold, whether it came to them or not.
cp -r whole going && touch -d '1 hour ago' going/pairs/*
"$vocabench" run e.yaml --output going --latex --per-image --resume >/dev/null 2>err
equal "a start that goes on fails" $? 5 "$(cat err)"
"$vocabench" status going >out
like "what it took is done" ': 3 done, 0 running, 1 failed, 1 to do$' out
like "a pair whose data are others now is not" "^  it's gelu +more +to do .the result of an earlier start is there.$" out
cp more/apple/* pics/apple/ 2>/dev/null
"$vocabench" run e.yaml --output failing >/dev/null 2>err; code=$?
"$vocabench" status failing >out
[ $code = 5 ] && grep -q ' 1 done, 0 running, 1 failed, 3 to do$' out && grep -qE '^  failing: failed with code 5: .*' out &&
  grep -qE '^  plain +more +failed$' out &&
  grep -qE '^time left: about' out
verdict $? "status of a run that failed" "code $code" "$(cat out)"
like "that start is counted as one that failed" '^used: .* in 1 start.s., 1 failed$' out
# What an earlier start left is told beside how the last one ended.
unlike "and that has left nothing before" 'earlier start' out
cp whole/results.json failing && cp whole/pairs/plain--more.json whole/pairs/given--pics.json failing/pairs &&
  touch -d '1 hour ago' failing/pairs/plain--more.json failing/pairs/given--pics.json
"$vocabench" status failing >out
like "a start that failed takes no earlier results away" \
  '^      failing/results.json of an earlier start stands: 5 pair.s., started [-0-9]*T[0-9:]*Z$' out
like "nor those of the pair where it failed" '^  plain +more +failed .the result of an earlier start is there.$' out
like "nor of those that it did not reach" '^  given +pics +to do .the result of an earlier start is there.$' out
like "others have none" "^  it's gelu +more +to do$" out
jq '.configuration_digest = "0"' whole/results.json >failing/results.json; "$vocabench" status failing >out
like "results of another configuration" 'results.json of an earlier start stands: .*, of another configuration$' out
head -c 300 whole/results.json >failing/results.json; "$vocabench" status failing >out
unlike "what is no results.json is none" 'results.json of an earlier start' out
rm failing/results.json failing/pairs/given--pics.json failing/pairs/plain--more.json
cp kept "$broken"
# A run that was killed leaves no word; one with a living process runs; a process elsewhere cannot be seen.
alter_state() { jq "$1" failing/state.json >s.json && mv s.json failing/state.json; }
sleep 300 & living=$! began_at=$(sed 's/.*) //' /proc/$living/stat | cut -d' ' -f20)
alter_state "del(.ended) | .pid = $living | .process_started = $began_at - 1"
"$vocabench" status failing >out; like "a number that another process has by now" 'was lost without a word' out
alter_state ".process_started = $began_at"
"$vocabench" status failing >out
grep -q ' 1 running, 0 failed' out && grep -q "failing: running on" out
verdict $? "status of a run under way" "$(cat out)"
kill $living; wait $living 2>/dev/null
"$vocabench" status failing >out
grep -q ' 0 running, 0 failed, 4 to do' out && grep -q 'was lost without a word' out
verdict $? "status of a run that was killed" "$(cat out)"
alter_state '.host = "elsewhere"'
"$vocabench" status failing >out
like "status of a run elsewhere" 'started on elsewhere and has not ended, as far as one can see' out
mkdir -p set && mv parts set/array && rm -r set/array/2
"$vocabench" status set >out
grep -q ': 4 done, 0 running, 0 failed, 1 to do$' out && grep -q "set/array/1 (it's gelu): done" out &&
  grep -q '^time left' out
verdict $? "status of an array" "$(cat out)"
unlike "its tasks have ended well" 'earlier start' out
cp merged/results.json set && jq '.ended = {when: 1, code: 5, error: "x"}' set/array/1/state.json >s.json &&
  mv s.json set/array/1/state.json && "$vocabench" status set >out
like "merged results of earlier starts, of an array that failed since" \
  '^      set/results.json of an earlier start stands: 5 pair.s.' out
like "and the task's own" '^      set/array/1/results.json of an earlier start stands: 2 pair.s., started' out
echo '{"schema": "x"}' >empty/state.json
refuses "a state.json of something else" 5 "empty/state.json: expected the schema vocabench.state/1" "$vocabench" status empty

# The time left of what has finished nothing yet goes by the mean rate of those that have: 1 and 3 images a second, 200 to do.
began=$(($(date +%s) - 1000))
for task in 0:a:100 1:b:300 2:c:200; do
  IFS=: read -r number model images <<<"$task"
  mkdir -p "rated/array/$number/pairs"
  jq -n --arg model "$model" --argjson images "$images" --argjson began "$began" --arg host "$(hostname)" '
    {schema: "vocabench.state/1", experiment: "rated", configuration_digest: "x", host: $host, pid: 999999999, started: $began,
    configuration: {models: [{name: "a"}, {name: "b"}, {name: "c"}], datasets: [{name: "d"}]}, nodes: 1, ranks: 1,
    only_model: $model, datasets: [{name: "d", images: $images, units: 1}]} +
    if $model == "c" then {} else {ended: {when: ($began + 100), code: 0, error: ""}} end' >"rated/array/$number/state.json"
  [ "$model" = c ] || touch -d "@$((began + 100))" "rated/array/$number/pairs/$model--d.json"
done
"$vocabench" status rated >told; has_line "the time left by other tasks' rates" "time left: about 100 s of running" told
for images in 238:'119 s' 240:'2 min' 14398:'120 min' 14400:'2.0 h'; do # two a second
  jq ".datasets[0].images = ${images%:*}" rated/array/2/state.json >s.json && cp s.json rated/array/2/state.json
  "$vocabench" status rated >told; has_line "$images to do" "time left: about ${images#*:} of running" told
done

# Of what a start has taken from earlier ones it did nothing itself.
mkdir -p took/pairs && jq --argjson began "$began" '.started = $began | del(.only_model) | .datasets[0].images = 100 |
  .taken = [{model: "a", dataset: "d"}]' rated/array/2/state.json >took/state.json
touch -d "@$((began - 500))" took/pairs/a--d.json; touch -d "@$((began + 100))" took/pairs/b--d.json
"$vocabench" status took >told; has_line "nor is it in the rate" "time left: about 100 s of running" told

# ---- submit: pretend commands -----------------------------------------------------------------------------------
mkdir bin && PATH=$scratch/bin:$PATH
pretend() { printf '#!/bin/sh\n%s\n' "$2" >"bin/$1" && chmod +x "bin/$1"; }
pretend sinfo 'echo "$@" >>asked; echo "16 2 64000"; echo "8+ 1 32000"'
pretend sbatch 'echo "$@" >>asked; env | grep -cE "^(PMIX|OMPI_COMM|ORTE)" >>leaked
n=$(cat jobs 2>/dev/null || echo 100); echo $((n + 1)) >jobs; echo "$((n + 1));cluster"'
pretend squeue '[ "$*" = "-h -j 7 -o %A %T" ] || { echo "$*" >>asked; echo "invalid job" >&2; exit 1; }; cat tasks'
basic=(e.yaml --partition main --nodes 2 --time 4:00:00)
"$vocabench" submit "${basic[@]}" --dry-run >out 2>err && bash -n out && [ ! -e results ]
verdict $? "a dry run prints a script and writes nothing" "$(cat err)"
for line in '--job-name=parts' '--partition=main' '--nodes=2' '--cpus-per-task=1' \
  '--time=4:00:00' '--signal=USR1@120' '--requeue' '--open-mode=append' "--chdir=$scratch" \
  '--output=results/parts/slurm-%j.log'; do
  has_line "script: $line" "#SBATCH $line" out
done
like "script: memory from the plan" '^#SBATCH --mem=[0-9]+M$' out
# Groups of ranks may have all models at once, a task of an array has one.
asked_memory() { sed -n 's/^#SBATCH --mem=\([0-9]*\)M$/\1/p' out; }
read -r rank weights < <(sed -nE 's/.* ([0-9]+) MB a rank, ([0-9]+) MB of weights.*/\1 \2/p' out)
equal "of seven ranks and all weights" "$(asked_memory)" $(((7 * rank + weights) * 5 / 4 + 64)) "$(cat out)"
job=$(asked_memory)
"$vocabench" submit "${basic[@]}" --dry-run --array --ntasks-per-node 7 >out 2>err
check "of seven ranks of a task and the largest weights" test "$(asked_memory)" -lt "$job" -a \
  "$(asked_memory)" -gt $((7 * rank * 5 / 4 + 64))
"$vocabench" submit "${basic[@]}" --dry-run >out 2>err
# Four pairs of three units and one of one are work for thirteen ranks: seven on each of two nodes.
has_line "no more ranks than the plan has units" '#SBATCH --ntasks-per-node=7' out
unlike "what was not given is left out" '@[A-Z_]+@|account' out
grep -qF 'launch=(srun --mpi=pmix ' out && grep -qF "run e.yaml  --output results/parts --cache results/parts/cache --resume" out
verdict $? "script: what it starts"
"$vocabench" submit "${basic[@]}" --dry-run --ntasks-per-node 7 --cpus-per-task 2 --mpi pmi2 --account "a b" --option=--qos=long \
  --option "--comment=it's" --notice 300 --batch 4 \
  --set seed=7 --set 'models.0.prompts=["{} $HOME"]' --latex >out
for line in '#SBATCH --ntasks-per-node=7' '#SBATCH --cpus-per-task=2' "#SBATCH --account='a b'" '#SBATCH --qos=long' \
  "#SBATCH '--comment=it'\\''s'" '#SBATCH --signal=USR1@300' 'export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive'; do
  has_line "script: $line" "$line" out
done
has_text "settings are passed on" "--set seed=7 --set 'models.0.prompts=[\"{} \$HOME\"]' --batch 4 --latex --output" out
has_text "--mpi pmi2" 'srun --mpi=pmi2 --cpus-per-task=2' out
"$vocabench" submit "${basic[@]}" --dry-run --ntasks-per-node 4 --cpus-per-task 3 --launcher mpirun >out
grep -qF 'launch=(mpirun -n 8 --map-by slot:PE=3)' out && grep -qx '#SBATCH --signal=B:USR1@120' out
verdict $? "--launcher mpirun" "$(cat out)"
rm -f asked; "$vocabench" submit "${basic[@]}" --array --at-once 2 >out 2>err; code=$?
[ $code = 0 ] && grep -qx 'job 101: results/parts/parts.sbatch' out &&
  grep -qx 'job 102: results/parts/parts-merge.sbatch' out
verdict $? "an array is submitted with its merge" "$(cat out err)"
grep -qx -e '--parsable results/parts/parts.sbatch' asked && grep -qx -e \
  '--parsable --dependency=afterok:101 --kill-on-invalid-dep=yes results/parts/parts-merge.sbatch' asked
verdict $? "the merge waits for the array" "$(cat asked)"
grep -qx '#SBATCH --array=0-2%2' results/parts/parts.sbatch &&
  grep -qx "models=(plain 'it'\\\\''s gelu' given)" results/parts/parts.sbatch
verdict $? "a task a model" "$(cat results/parts/parts.sbatch)"
equal "MPI's own variables do not reach the job" "$(sort -u leaked)" 0 "$(cat leaked)"
cat >scan.yaml <<'E'
experiment: scan
datasets: [{name: pics, images: pics, vocabularies: v.yaml}]
corpora: [{name: c, images: pics}]
retrieval: {corpus: c, top_k: 3}
models: [{name: plain, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok/vocab.json,
     prompts: ["a {}."]}]
E
"$vocabench" submit scan.yaml --partition main --nodes 2 --time 60 --dry-run >out 2>err; grep -qx '#SBATCH --exclusive' out &&
  grep -qx '#SBATCH --mem=0' out
verdict $? "an experiment with retrieval takes whole nodes" "$(cat out err)"
sed -i '/^retrieval/d; s/prompts: \["a {}."\]/&, retrieval: {corpus: c, top_k: 3}/' scan.yaml
"$vocabench" submit scan.yaml --partition main --nodes 2 --time 60 --dry-run >out 2>err
has_line "and so does one of which a model has it" '#SBATCH --exclusive' out
# ---- submit: GPUs ---------------------------------------------------------------------------------------------------
"$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 4 >out 2>err && bash -n out
verdict $? "--gpus-per-node" "$(cat err)"
for line in '--gpus-per-node=4' '--ntasks-per-node=4' '--cpus-per-task=2'; do
  has_line "a rank a GPU, which shares the smallest node's cores: $line" "#SBATCH $line" out
done
has_text "the ranks compute on them" 'run e.yaml --device gpu --output' out
unlike "which needs no note" ' ranks for the 4 GPUs' err
planned() { sed -nE 's/.*Planned: .* units, ([0-9]+) MB a rank.*/\1/p' out; }
on_gpus=$(planned)
"$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 4 --device gpu --batch 1024 >out 2>err; stated=$(planned)
"$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 4 --batch 1024 >out 2>err
equal "and plans their memory as with device: gpu" "$(planned)" "$stated"
"$vocabench" submit "${basic[@]}" --dry-run >out 2>err
without=$(planned)
check "with what a driver takes" test "${on_gpus:-0}" -gt $((without + 200))
"$vocabench" submit "${basic[@]}" --dry-run --cpus-per-task 64 --set threads=64 >out 2>err; stated=$(planned)
"$vocabench" submit "${basic[@]}" --dry-run --cpus-per-task 64 >out 2>err
equal "memory is planned for as many threads as a rank has cores" "$(planned)" "$stated"
check "each of which takes some" test "${stated:-0}" -gt $((without + 15))
for threads in 1 4; do
  "$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 2 --set "threads=$threads" >out 2>err; with[threads]=$(planned)
done
"$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 2 >out 2>err # the smallest node has eight cores
equal "for those that share out a node's cores, too" "$(planned)" "${with[4]}"
check "whose plan is another" test "${with[4]:-0}" -gt "${with[1]:-0}"
"$vocabench" submit "${basic[@]}" --dry-run --array --gpus-per-node 2 --gpu-type a100 --gpu-request gres --device auto \
  --ntasks-per-node 6 >out 2>err
like "more ranks than GPUs: the setting that is as good" \
  'note: 6 ranks for the 2 GPUs of a node: .*; --ntasks-per-node 2 --cpus-per-task 3 does the same with fewer' err
for line in '--gres=gpu:a100:2' '--ntasks-per-node=6' '--cpus-per-task=1'; do has_line "gres: $line" "#SBATCH $line" out; done
has_text "the command line's device is passed on, and none beside it" 'run e.yaml --device auto --output' out
equal "the job that merges asks for none" "$(grep -c 'gres=gpu' out)" 1
printf 'gpus_per_node: 8\ngpu_type: h100\n' >gpus.yaml
VOCABENCH_SITE=gpus.yaml "$vocabench" submit "${basic[@]}" --dry-run --set device=gpu >out 2>err
grep -qx '#SBATCH --gpus-per-node=h100:8' out && grep -qF 'run e.yaml --set device=gpu --output' out &&
  grep -q 'site file gpus.yaml: gpus_per_node 8, gpu_type h100' err
verdict $? "a site file's GPUs" "$(cat out err)"
VOCABENCH_SITE=gpus.yaml "$vocabench" submit "${basic[@]}" --dry-run --device cpu >out 2>err
! grep -qE -- '--(gpus|gres|device gpu)' out && grep -q 'note: --device cpu: the site file.s GPUs are not asked for' err
verdict $? "--device cpu asks for none of them" "$(cat out err)"
refuses "GPUs for nothing" 2 "--gpus-per-node and --device cpu" \
  "$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 1 --device cpu
refuses "a type of no GPUs" 2 "--gpu-type is --gpus-per-node's" "$vocabench" submit "${basic[@]}" --dry-run --gpu-type a100
refuses "a request that is none" 2 "gpu_request: expected one of gpus-per-node, gres, found 'gpus'" \
  "$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 1 --gpu-request gpus
refuses "no GPU" 2 "gpus_per_node: expected" "$vocabench" submit "${basic[@]}" --dry-run --gpus-per-node 0
"$vocabench" submit "${basic[@]}" --dry-run --device gpu >out 2>err
like "device: gpu without GPUs is noted" 'note: device: gpu, and no GPUs are asked for' err
printf 'module load openmpi\nexport A=@B@\n' >setup
"$vocabench" submit "${basic[@]}" --setup setup --dry-run >out && grep -qx 'export A=@B@' out
verdict $? "--setup" "$(cat out)"
mkdir templates && cp "$here"/slurm/* templates/ && sed -i 's/--requeue/--requeue\n#SBATCH --comment=@SITE@/' templates/job.sbatch
VOCABENCH_SLURM=templates refuses "a template with an unknown placeholder" 3 \
  "templates/job.sbatch:[0-9]+: unknown placeholder @SITE@" "$vocabench" submit "${basic[@]}" --dry-run
refuses "submit without a partition" 2 "submit: --partition NAME is missing" "$vocabench" submit e.yaml --nodes 1 --time 1
refuses "a time that is none" 2 "time: expected MINUTES.*found '4h'" \
  "$vocabench" submit e.yaml --partition main --nodes 1 --time 4h
refuses "a notice at once" 2 "--notice: expected less than the time limit of 120 s, found 120 s" \
  "$vocabench" submit e.yaml --partition main --nodes 1 --time 2
refuses "a launcher that is none" 2 "launcher: expected one of srun, mpirun, found 'ssh'" \
  "$vocabench" submit "${basic[@]}" --launcher ssh
refuses "--mpi with mpirun" 2 "--mpi is srun's" "$vocabench" submit "${basic[@]}" --launcher mpirun --mpi pmix
refuses "--mpi that is none" 2 "--mpi: expected a name as srun --mpi=list shows them, found 'a b'" \
  "$vocabench" submit "${basic[@]}" --mpi "a b"
refuses "--at-once alone" 2 "--at-once is --array's" "$vocabench" submit "${basic[@]}" --at-once 2
refuses "an option that is none" 2 "--option: expected an option of sbatch such as --qos=long, found 'qos'" "$vocabench" submit \
  "${basic[@]}" --option qos
refuses "a second line in an option" 2 "no control characters" "$vocabench" submit "${basic[@]}" --option $'--qos=x\nrm'
refuses "an output folder that Slurm would read as a pattern" 2 "must hold no %" "$vocabench" submit "${basic[@]}" --output 'a%j'
refuses "data that are not there are noticed before the queue" 4 "nowhere" \
  "$vocabench" submit "${basic[@]}" --set datasets.0.images=nowhere
"$vocabench" submit "${basic[@]}" --set datasets.0.images=nowhere --no-plan --dry-run >out && ! grep -q -- --mem out &&
  grep -qx '#SBATCH --ntasks-per-node=8' out
verdict $? "--no-plan" "$(cat out)"
cp bin/sinfo sinfo; pretend sinfo 'echo "16 2 1"' # of nodes without RealMemory in slurm.conf
"$vocabench" submit "${basic[@]}" --dry-run >out 2>err
has_line "nodes whose memory Slurm was not told: as many ranks as there is work for" '#SBATCH --ntasks-per-node=7' out
unlike "and no memory, of which Slurm would refuse any or give them 1 MB" '--mem' out
cp sinfo bin/sinfo
pretend sbatch 'echo "sbatch: error: invalid partition" >&2; exit 1'
refuses "what sbatch refuses" 2 "sbatch: ended with code 1" "$vocabench" submit "${basic[@]}"
pretend sbatch 'echo hello'
refuses "an answer that is no job" 2 "sbatch: expected the number of a job, found 'hello'" "$vocabench" submit "${basic[@]}"
pretend sinfo 'exit 1'
refuses "unknown cores" 2 "--ntasks-per-node is missing, and the cores of the nodes are not known: sinfo: ended with code 1" \
  "$vocabench" submit "${basic[@]}"
jq '.slurm_job = "7"' set/array/0/state.json >s.json && mv s.json set/array/0/state.json
# Of an array's number squeue lists all tasks, first those that wait; the last one to start has that number as its own.
queue_has() { printf '%s\n' "$@" >tasks; "$vocabench" status set >out 2>err; }
queue_has '4 RUNNING' '7 PENDING' '77 RUNNING'
like "status of a job in the queue" '^  set/array/0 .plain., job 7: waiting in Slurm.s queue' out
queue_has '4 PENDING' '77 PENDING' '7 COMPLETED'; like "of one beside others in the queue" '^  set/array/0 .*, job 7: done$' out
jq 'del(.ended) | .host = "elsewhere"' set/array/0/state.json >s.json && cp s.json set/array/0/state.json
queue_has '4 PENDING' '7 RUNNING'; like "which may run" '^  set/array/0 .*, job 7: running on elsewhere$' out
queue_has '4 RUNNING'; like "and be lost while others run" '^  set/array/0 .*, job 7: was lost without a word' out
jq '.slurm_job = "6"' s.json >set/array/0/state.json; "$vocabench" status set >out 2>err
like "of a job that Slurm has forgotten" '^  set/array/0 .*, job 6: was lost without a word' out
empty "and nothing of what squeue says to that" err
jq '.slurm_job = "5"' set/array/1/state.json >s.json && cp s.json set/array/1/state.json; rm -f asked
"$vocabench" status set >out 2>err; equal "all jobs are asked for at once" "$(cat asked)" "-h -j 6,5 -o %A %T"
jq '.configuration_digest = "00"' set/array/1/state.json >s.json && mv s.json set/array/1/state.json
refuses "status of tasks that ran other configurations" 6 \
  "set/array/1/state.json: a run of another configuration than that of set/array/0/state.json" "$vocabench" status set

# ---- what the script makes of exit codes: a pretend srun ends as it is told ------------------------------------
pretend sinfo 'echo "4 1 4000"'
"$vocabench" submit "${basic[@]}" --dry-run >script
pretend srun 'echo started >>starts; code=$(head -n 1 codes); sed -i 1d codes; exit $code'
pretend scontrol 'echo "$@" >>starts; kill $PPID; sleep 1'
# ends NAME CODE STARTS CODES...: the script's exit code and the lines of `starts` when srun ends with CODES.
ends() {
  local name=$1 want=$2 lines=$3; shift 3
  printf '%s\n' "$@" >codes; rm -f starts
  SLURM_JOB_ID=9 timeout 20 bash script >out 2>&1; local got=$?
  [ $got = "$want" ] && [ "$(tr '\n' ' ' <starts)" = "$lines" ]
  verdict $? "$name" "code $got" "$(cat starts out)"
}
ends "done" 0 "started " 0
for code in 2 3 4 5 6 7 8 10; do ends "code $code: what is bad stays bad" $code "started " $code; done
for code in 1 9 11; do ends "code $code may have been chance" 0 "started started " $code 0; done
ends "a lost rank is" 0 "started started " 137 0
ends "three times" 137 "started started started " 137 137 137
SLURM_RESTART_COUNT=100 ends "not queued again for ever" 75 "started " 75
printf '75\n' >codes; rm -f starts; pretend scontrol 'echo "$@" >>starts; kill -9 $PPID'
SLURM_JOB_ID=9 timeout 20 bash script >out 2>&1; has_line "stopped: queued again" 'requeue 9' starts
printf '75\n' >codes; rm -f starts
SLURM_JOB_ID=9 SLURM_ARRAY_JOB_ID=8 SLURM_ARRAY_TASK_ID=3 timeout 20 bash script >out 2>&1
has_line "a task of an array: that task alone" 'requeue 8_3' starts
printf '75\n' >codes; rm -f starts; pretend scontrol 'exit 1'
SLURM_JOB_ID=9 timeout 20 bash script >out 2>&1; code=$?
[ $code = 75 ] && grep -q 'cannot be queued again' out
verdict $? "a job that cannot be queued again says so" "code $code" "$(cat out)"
# ---- a notice that the ranks' launcher misses is sent again ---------------------------------------------------------
cat >launcher <<'E'
#!/bin/bash
heard=0; trap 'heard=$((heard + 1)); [ $heard -lt 3 ] || exit 75' USR1; touch ready
for ((i = 0; i < 200; i++)); do sleep 0.05; done
E
chmod +x launcher
sed 's,@LAUNCH@,./launcher,; s,@CPUS@,1,' "$here/slurm/run.sh" >script
VOCABENCH_NOTICE_AGAIN=0.1 bash script ranks >out 2>&1 & job=$!
for ((i = 0; i < 100; i++)); do [ ! -e ready ] || break; sleep 0.05; done
kill -TERM $job; wait $job
equal "a launcher that hears the third notice only ends as one that hears the first" $? 75 "$(cat out)"
like "the script says that a notice has come" \
  "^notice to stop \\(SIGTERM\\): SIGUSR1 to the ranks every 0.1 s until they have ended$" out
equal "and each that it sends" "$(grep -c "^notice [123] to the ranks' launcher, process [0-9]*$" out)" 3 "$(cat out)"
has_line "and what came of it" "the ranks have ended with code 75" out
pretend scontrol 'echo "$@" >>starts; kill -9 $PPID'
# queued_again NAME LINES: the launcher of such lines, and what comes of SIGUSR1 once it has started.
queued_again() {
  printf '#!/bin/bash\n%s\n' "$2" >launcher; rm -f ready starts
  SLURM_JOB_ID=9 bash script ranks >out 2>&1 & job=$!
  for ((i = 0; i < 100; i++)); do [ ! -e ready ] || break; sleep 0.05; done
  kill -USR1 $job; wait $job
  has_line "$1: the job queues itself again" 'requeue 9' starts
  unlike "and starts none" '^attempt' out
}
queued_again "a launcher that dies of the notice has lost no rank" 'touch ready; sleep 5'
queued_again "a rank that is lost after the notice" \
  'trap "exit 137" USR1; touch ready; for ((i = 0; i < 99; i++)); do sleep 0.05; done'
# Between two attempts there is nobody who could be told.
sed -i 's/^for attempt in .*/kill -USR1 $$\n&/' script
printf '#!/bin/bash\ntrap "exit 75" USR1\nfor ((i = 0; i < 99; i++)); do sleep 0.05; done\n' >launcher; rm -f starts
SLURM_JOB_ID=9 VOCABENCH_NOTICE_AGAIN=0.2 bash script ranks >out 2>&1
like "a notice that comes before the ranks is theirs" '^the ranks have ended with code (75|138)$' out # 138: before its trap
has_line "and the job queues itself again" 'requeue 9' starts
mkdir launchers; cat >launchers/mpirun <<'E'
#!/bin/bash
# Passes nothing on; once its rank has ended, it would die of another notice.
trap : USR1
bash -c 'trap "exit 75" USR1; touch ready; for ((i = 0; i < 100; i++)); do sleep 0.05; done' & rank=$!
while kill -0 $rank 2>/dev/null; do wait $rank; done
trap - USR1; sleep 0.8; exit 75
E
chmod +x launchers/mpirun; rm -f ready
sed "s,@LAUNCH@,$PWD/launchers/mpirun,; s,@CPUS@,1," "$here/slurm/run.sh" >script
VOCABENCH_NOTICE_AGAIN=0.2 SLURM_JOB_ID=9 bash script ranks >out 2>&1 & job=$!
for ((i = 0; i < 100; i++)); do [ ! -e ready ] || break; sleep 0.05; done
kill -USR1 $job; wait $job
like "ranks that mpirun does not tell are told by themselves" '^notice 2 to the rank of process' out
has_line "and mpirun is not told while it winds up behind them" "the ranks have ended with code 75" out
like "mpirun loads no OpenCL driver" '^export HWLOC_COMPONENTS=.*-opencl' script
finish
