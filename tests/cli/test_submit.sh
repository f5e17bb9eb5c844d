#!/bin/bash
# submit for real sites: site files, options of run and merge jobs, arrays of pairs, tasks tried again, containers, dry runs
# without a Slurm. Pretend commands note what they are asked, and answer.
# shellcheck disable=SC2016 # the pretend commands expand
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1

# ---- three precomputed models, two datasets of one, one of the others: four pairs -------------------------------
cat >v.yaml <<'Y'
name: things
vocabularies: {a: [apple, bear], b: [chair, dolphin]}
Y
floats I.npy 2 <<<"$(seq 1 48)"
floats T.npy 2 <<<"1 0 0 1 1 1 -1 -1"
seq 0 23 | awk '{print $1 % 4}' >labels && must "$tools/npy" numbers y.npy i8 labels
cat >e.yaml <<'Y'
experiment: site
datasets: [{name: here, vocabularies: v.yaml}, {name: there and back, vocabularies: v.yaml}]
models:
  - {name: "it's both", family: precomputed, embeddings: [
      {dataset: here, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy},
      {dataset: there and back, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}]}
  - {name: one, family: precomputed, dataset: here, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}
  - {name: other, family: precomputed, dataset: there and back, image_embeddings: I.npy, text_embeddings: T.npy, labels: y.npy}
Y
mkdir bin && PATH=$scratch/bin:$PATH
pretend() { printf '#!/bin/sh\n%s\n' "$2" >"bin/$1" && chmod +x "bin/$1"; }
pretend sinfo 'echo "16 2 64000"'
pretend sbatch 'echo "$@" >>asked; n=$(cat jobs 2>/dev/null || echo 100); echo $((n + 1)) >jobs; echo $((n + 1))'
pretend scontrol 'echo "AccountingStorageHost   = localhost"; echo "MaxArraySize            = $(cat most)"'
pretend squeue 'cat queue'
echo 1001 >most; : >queue
submit() { "$vocabench" submit e.yaml "$@" >out 2>err || fail "submit $*" "$(cat out err)"; }
basic=(--partition main --nodes 1 --time 60)

# ---- site files -------------------------------------------------------------------------------------------------
mkdir -p etc home/.config/vocabench
echo 'module load mpi' >etc/modules
cat >etc/site.yaml <<'Y'
partition: shared
account: physics
setup: modules
launcher: mpirun
option: ["--qos=long", "--mail-type=FAIL"]
merge_option: --partition=small
Y
printf 'partition: mine\ntime: 2:00:00\nnodes: 3\nnotice: 300\noption: --nice=5\n' >home/.config/vocabench/site.yaml
cp home/.config/vocabench/site.yaml own.yaml
export VOCABENCH_SITE=etc/site.yaml:own.yaml
submit --dry-run --account chemistry
for line in '#SBATCH --partition=mine' '#SBATCH --account=chemistry' '#SBATCH --time=2:00:00' '#SBATCH --nodes=3' \
  '#SBATCH --signal=B:USR1@300' '#SBATCH --qos=long' '#SBATCH --mail-type=FAIL' '#SBATCH --nice=5' 'module load mpi'; do
  has_line "two site files and the command line: $line" "$line" out
done
unlike "the run's job has no option of the merge's" '^#SBATCH --partition=small' out
has_line "what was used of the site's is shown" \
  "vocabench: site file etc/site.yaml: launcher mpirun, option --qos=long --mail-type=FAIL, merge_option --partition=small, \
setup etc/modules" err
has_line "and of one's own" \
  "vocabench: site file own.yaml: partition mine, nodes 3, time 2:00:00, notice 300, option --nice=5" err
like "it stands in the script, too" \
  '^# site file etc/site.yaml: launcher mpirun, .*; site file own.yaml: partition mine, nodes 3' out
VOCABENCH_SITE='' refuses "nothing is said where no site file is read" 2 "submit: --partition NAME is missing, and no site file" \
  "$vocabench" submit e.yaml --dry-run
(unset VOCABENCH_SITE XDG_CONFIG_HOME; HOME=$scratch/home "$vocabench" submit e.yaml --dry-run) >out 2>err
has_line "the home folder's .config/vocabench/site.yaml" '#SBATCH --time=2:00:00' out
(unset VOCABENCH_SITE; XDG_CONFIG_HOME=$scratch/home/.config HOME=/nowhere "$vocabench" submit e.yaml --dry-run) >out 2>err
has_line "XDG_CONFIG_HOME" '#SBATCH --time=2:00:00' out
bad_site() { # NAME LINE PATTERN
  echo "$2" >bad.yaml
  VOCABENCH_SITE=bad.yaml refuses "$1" 3 "$3" "$vocabench" submit e.yaml "${basic[@]}" --dry-run
}
bad_site "an unknown key" 'partitoin: x' "bad.yaml:1:1: unknown key 'partitoin' in a site file; did you mean 'partition'\\?"
bad_site "a key that is none of a site's" 'seed: 1' "bad.yaml:1:1: unknown key 'seed' in a site file"
bad_site "a word that is none" 'launcher: ssh' "bad.yaml:1:11: launcher: expected one of srun, mpirun, found 'ssh'"
bad_site "a number that is none" 'nodes: many' "bad.yaml:1:8: nodes: expected an integer from 1 to 1000000, found 'many'"
bad_site "an option that is no text" 'option: [{a: b}]' "bad.yaml:1:10: option: expected a text, or a list of texts"
bad_site "no map" '- x' "bad.yaml:1:1: a site file: expected a map of keys, found a list"
bad_site "a broken file" 'partition: [' "bad.yaml:"
VOCABENCH_SITE=nowhere.yaml refuses "a site file that is not there" 4 "nowhere.yaml: cannot open" \
  "$vocabench" submit e.yaml "${basic[@]}" --dry-run
export VOCABENCH_SITE=

# ---- arrays of pairs --------------------------------------------------------------------------------------------
rm -f asked jobs
submit "${basic[@]}" --array --by pair --at-once 2 --option=--qos=q --run-option=--exclusive --merge-option=--mem=1G --output r
has_line "a task a pair: the models" "models=('it'\\''s both' 'it'\\''s both' one other)" r/site.sbatch
has_line "and their datasets" "datasets=(here 'there and back' here 'there and back')" r/site.sbatch
has_line "four tasks, two at once" '#SBATCH --array=0-3%2' r/site.sbatch
has_line "--option is in the run's script" '#SBATCH --qos=q' r/site.sbatch
has_line "and --run-option" '#SBATCH --exclusive' r/site.sbatch
unlike "and not --merge-option" '--mem=1G' r/site.sbatch
has_line "--option is in the merge's" '#SBATCH --qos=q' r/site-merge.sbatch
has_line "and --merge-option" '#SBATCH --mem=1G' r/site-merge.sbatch
unlike "and not --run-option" '--exclusive' r/site-merge.sbatch
equal "the array's number is kept" "$(cat r/array/submitted)" "101 0"
# The tasks as Slurm would start them; a pretend srun runs one rank.
pretend srun 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"'
# shellcheck disable=SC2317 # `must` calls it
task() { SLURM_JOB_ID=9 SLURM_ARRAY_JOB_ID=$1 SLURM_ARRAY_TASK_ID=$2 bash "$3" >task.log 2>&1; }
for n in 0 2 3; do must task 101 $n r/site.sbatch; done
holds "a task evaluates its pair" '[.results[] | [.model, .dataset]] == [["it'"'"'s both", "here"]]' r/array/0/results.json
"$vocabench" status r >out
has_text "status names the pair of a task" "r/array/3 (other on there and back), job 9: done" out
like "and counts all" ': 3 done, 0 running, 0 failed, 1 to do$' out
VOCABENCH_FAULT=open:1:EIO refuses "tasks that cannot be listed" 4 "r/array: cannot open folder: Input/output error" \
  "$vocabench" status r

# ---- tried again ------------------------------------------------------------------------------------------------
sed -i 's/"code": 0/"code": 5/' r/array/2/state.json # as if that task had failed
printf '55 1\n101 1\n' >queue; rm -f asked
submit "${basic[@]}" --array --by pair --retry-failed --output r
has_line "what is done, queued, to be submitted" "vocabench: 4 task(s): 2 done, 1 in the queue or running, 1 to be submitted" err
has_line "the failed one alone" '#SBATCH --array=2' r/site.sbatch
has_line "the merge waits for it and for what is in the queue" \
  '--parsable --dependency=afterok:101_1:103 --kill-on-invalid-dep=yes r/site-merge.sbatch' asked
equal "the second array is noted" "$(tail -n 1 r/array/submitted)" "103 0"
printf '101 1\n103 2\n' >queue; rm -f asked
submit "${basic[@]}" --array --by pair --retry-failed --output r
equal "or for several of these alone" "$(cat asked)" \
  "--parsable --dependency=afterok:101_1:103_2 --kill-on-invalid-dep=yes r/site-merge.sbatch"
: >queue
submit "${basic[@]}" --array --by pair --retry-failed --output r
has_line "never started and failed" '#SBATCH --array=1-2' r/site.sbatch
mv r/array/3/results.json kept.json; submit "${basic[@]}" --array --by pair --retry-failed --dry-run --output r
has_line "one whose results were taken away, too" '#SBATCH --array=1-3' out
mv kept.json r/array/3/results.json
for n in 1 2; do must task 106 $n r/site.sbatch; done
rm -f asked
submit "${basic[@]}" --array --by pair --retry-failed --output r
equal "all done: the merge alone" "$(cat asked)" "--parsable r/site-merge.sbatch"
must bash r/site-merge.sbatch
run e.yaml --output whole && agree "the merged pairs are one run of the whole" whole r
refuses "another experiment than that of the array" 6 \
  "--retry-failed: r/array/0 is not of model 'it's both': the experiment, or --by" \
  "$vocabench" submit e.yaml "${basic[@]}" --array --retry-failed --output r
refuses "other settings than those of what has ended well" 6 \
  "--retry-failed: r/array/0 has ended well with another configuration" \
  "$vocabench" submit e.yaml "${basic[@]}" --array --by pair --retry-failed --output r --set seed=7
must cp -r r/array/3 r/array/4 # of an array that had a task more
submit "${basic[@]}" --array --by pair --dry-run --output r
refuses "and another configuration, at which the merge would stop" 6 \
  "r/array/4: of an earlier array, which had more than 4 task\(s\), with another configuration: .*; move it away" \
  "$vocabench" submit e.yaml "${basic[@]}" --array --by pair --output r --set seed=7
rm -r r/array/4
pretend squeue 'exit 1'
refuses "a queue that does not answer" 2 \
  "--retry-failed: whether tasks are in the queue is not known: squeue: ended with code 1" \
  "$vocabench" submit e.yaml "${basic[@]}" --array --by pair --retry-failed --output r
pretend squeue 'cat queue'

# ---- more tasks than an array may have --------------------------------------------------------------------------
echo 3 >most; rm -f asked jobs
submit "${basic[@]}" --array --by pair --at-once 5 --output m
has_line "the first array" '#SBATCH --array=0-2%2' m/site.sbatch
has_line "the second one has the rest" '#SBATCH --array=0%2' m/site-2.sbatch
has_line "and counts from there" 'first=3 # of all tasks, where Slurm'"'"'s limit of an array parts them' m/site-2.sbatch
has_line "and has its names" "models=(other)" m/site-2.sbatch
has_text "the merge waits for both" '--dependency=afterok:101:102 ' asked
echo 102 0 >queue; submit "${basic[@]}" --array --by pair --retry-failed --output m
has_line "what is queued of the second one is its own" '#SBATCH --array=0-2' m/site.sbatch
: >queue; must task 102 0 m/site-2.sbatch
holds "its task writes into the folder of its number" '.results[0].model == "other"' m/array/3/results.json
refuses "fewer at once than arrays" 2 "--at-once: 4 tasks are 2 arrays by Slurm's MaxArraySize: expected 2 at least" \
  "$vocabench" submit e.yaml "${basic[@]}" --array --by pair --at-once 1 --output m
# Ranges of a later array are counted from its first task, too.
echo 2 >most; submit "${basic[@]}" --array --by pair --output two-each
for script in site site-2; do has_line "two tasks of $script" '#SBATCH --array=0-1' two-each/$script.sbatch; done
echo 1001 >most
# Of nodes of several kinds the fewest cores and the least memory hold, be they of the same or not.
cp bin/sinfo sinfo; pretend sinfo 'echo "16 2 64000"; echo "6 2 70000"; echo "32 2 80"; echo "16 2 64000"'
submit "${basic[@]}" --dry-run; has_line "the least memory" '#SBATCH --mem=80M' out
has_line "has room for one rank" '#SBATCH --ntasks-per-node=1' out
pretend sinfo 'echo "16 2 64000"; echo "6 2 70000"; echo "32 2 64000"; echo "16 2 64000"'
submit "${basic[@]}" --dry-run; has_line "the fewest cores" '#SBATCH --ntasks-per-node=3' out
cp sinfo bin/sinfo

# ---- whole nodes, launchers, containers -------------------------------------------------------------------------
submit "${basic[@]}" --dry-run --array --set 'corpora=[{name: c, embeddings: I.npy, captions: labels}]' \
  --set 'retrieval={corpus: c, top_k: 3}' --no-plan
has_line "an array that scans keeps whole nodes" '#SBATCH --exclusive' out
has_line "and all of their memory" '#SBATCH --mem=0' out
# A scan is work for as many ranks as it has pieces of 240 rows, be there one unit of images.
floats C.npy 2 <<<"$(seq 1 2200)"; seq 1100 >captions.txt
scans=(--set 'corpora=[{name: c, embeddings: C.npy, captions: captions.txt, text_embeddings: C.npy}]'
  --set 'retrieval={corpus: c, top_k: 3}')
for array in '' --array; do
  # shellcheck disable=SC2086 # none, or one
  submit "${basic[@]}" --dry-run $array "${scans[@]}"; has_line "ranks that scan $array" '#SBATCH --ntasks-per-node=5' out
done
submit "${basic[@]}" --dry-run --scratch '$TMPDIR/x'
has_text "scratch is named on the node" "--scratch '\$TMPDIR/x' --output" out
submit "${basic[@]}" --dry-run --mpi pmix_v4
has_text "any name for --mpi" 'srun --mpi=pmix_v4 ' out
touch 'my image.sif'
submit "${basic[@]}" --dry-run --array --container 'my image.sif' --container-option=--bind=/data --container-option=--cleanenv
has_text "apptainer runs the ranks" \
  "set -- apptainer exec --bind $scratch --pwd $scratch --bind=/data --cleanenv 'my image.sif' vocabench run e.yaml" out
like "and the merge" "^exec +apptainer exec .* 'my image.sif' vocabench merge " out
submit "${basic[@]}" --dry-run --container docker://debian --container-through singularity --container-program /opt/v
has_text "singularity, an address, another program" \
  "singularity exec --bind $scratch --pwd $scratch docker://debian /opt/v run e.yaml" out
mkdir image
submit "${basic[@]}" --dry-run --container image --container-through charliecloud --container-option=--bind=/data
has_text "Charliecloud, whose images are folders" \
  "set -- ch-run --bind $scratch --cd $scratch --bind=/data image -- vocabench run e.yaml" out
submit "${basic[@]}" --dry-run --array --container bundle --container-through slurm --no-plan
has_text "Slurm's own containers" "--wait=60 --container=bundle)" out
has_text "the program inside of them" 'set -- vocabench run e.yaml' out
has_text "the merge in one" 'exec srun --ntasks=1 --container=bundle vocabench merge' out
refuses "an image that is not there" 4 "--container: none.sif: no such image" \
  "$vocabench" submit e.yaml "${basic[@]}" --container none.sif --dry-run
refuses "Slurm's containers under mpirun" 2 "--container-through slurm is srun's" "$vocabench" submit e.yaml "${basic[@]}" \
  --container x://y --container-through slurm --launcher mpirun
refuses "options of no container" 2 "no meaning without --container" \
  "$vocabench" submit e.yaml "${basic[@]}" --container-option=--nv
printf 'container_option: --bind=/data\ncontainer_program: /opt/v\n' >own.yaml
VOCABENCH_SITE=own.yaml submit "${basic[@]}" --dry-run
unlike "a site file's, where a job has none" '^set .*(/opt/v|--bind)' out
VOCABENCH_SITE=own.yaml submit "${basic[@]}" --dry-run --container x://y
has_text "which are there for those that have one" "--bind=/data x://y /opt/v run" out
for flag in '--by pair' --retry-failed '--merge-option=--qos=x'; do
  # shellcheck disable=SC2086 # two words
  refuses "$flag without --array" 2 "is --array's" "$vocabench" submit e.yaml "${basic[@]}" $flag
done
refuses "a dataset that is none" 3 "only_dataset: there is no dataset or expansion 'nowhere' among the 2" \
  "$vocabench" run e.yaml --only-dataset nowhere --output x
refuses "a model without embeddings of it" 3 "only_dataset: no model that is to be evaluated has embeddings of 'there and back'" \
  "$vocabench" run e.yaml --only-model one --only-dataset 'there and back' --output x

# ---- names and places of all kinds ------------------------------------------------------------------------------
odd=$scratch/'a\b $h "q" #1 '\''s'\'' %j ü'
mkdir "$odd" && cp v.yaml ./*.npy "$odd" && cd "$odd" || exit 1
jq -n '{experiment: "it'"'"'s $5 #1 \"ü\"", datasets: [{name: "d $x", vocabularies: "v.yaml"}],
  models: (["m #1", "m", "a: b", "null", "-n", "$(touch t) `touch t`", "a\\b", "'"'q'"'"] | map({name: ., family: "precomputed",
  dataset: "d $x", image_embeddings: "I.npy", text_embeddings: "T.npy", labels: "y.npy"}))}' >'$e #.yaml'
"$vocabench" submit '$$e #.yaml' "${basic[@]}" --array --by pair --account 'a\b' >out 2>err; verdict $? "odd names" "$(cat err)"
output="results/it's \$5 #1 \"ü\"" script="it's \$5 #1 \"ü\""
has_line "the next command is one" "how far it is: vocabench status 'results/it'\\''s \$\$5 #1 \"ü\"'" out
for n in 0 1 2 3 4 5 6 7; do must task 101 $n "$output/$script.sbatch"; done
must bash "$output/$script-merge.sbatch"
equal "each task evaluates its own model, and they are merged" "$(jq -c '[.results[].model]' "$output/results.json")" \
  "$(jq -c '[.models[].name]' '$e #.yaml')"
check "no name is a command" test ! -e t
if real=$(PATH=${PATH#*:} command -v sbatch); then
  printf '%s\n' ClusterName=x 'SlurmctldHost=x(127.0.0.1)' SlurmctldPort=1 AuthType=auth/none MessageTimeout=2 \
    PlugStackConfig=/dev/null NodeName=n 'PartitionName=main Nodes=n' >../slurm.conf
  SLURM_CONF=$scratch/slurm.conf timeout -k 5 $minute "$real" -v --test-only "$output/$script.sbatch" >/dev/null 2>../read
  field() { sed -n "s/^sbatch: $1 *: //p" ../read; }
  equal "sbatch reads the folder" "$(field chdir)" "$odd"
  equal "the log's" "$(field output)" "$odd/$output/slurm-%A_%a.log"
  equal "the job's name" "$(field job-name)" "$script"
  equal "the account" "$(field account)" 'a\b'
else skip "what sbatch reads" "no sbatch"; fi
cd "$scratch" || exit 1

# ---- without a Slurm --------------------------------------------------------------------------------------------
rm bin/*; for tool in sinfo scontrol squeue sbatch srun; do pretend $tool 'echo "error: no controller" >&2; exit 1'; done
submit "${basic[@]}" --dry-run --array
like "a dry run guesses the ranks, and says so" "^# GUESSED, without Slurm, from the cores of one machine: --ntasks-per-node" out
like "in one line" \
  '^vocabench: note: the cores of the nodes are not known \(sinfo: ended with code 1\): [0-9]+, as here, are taken$' err
equal "and nothing else" "$(grep -cv '^vocabench: note' err)" 0 "$(cat err)"
check "what it prints is bash" bash -n out
refuses "nothing is guessed in earnest" 2 "--ntasks-per-node is missing, and the cores of the nodes are not known" \
  "$vocabench" submit e.yaml "${basic[@]}"
pretend sinfo true
refuses "a partition without nodes" 2 "are not known: sinfo knows no nodes of partition 'main'" \
  "$vocabench" submit e.yaml "${basic[@]}"
finish
