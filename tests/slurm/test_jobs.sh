#!/bin/bash
# Jobs on a real Slurm of two pretend nodes: submit, arrays and merge, tasks tried again, staging, a container's runtime, a stop
# before the limit, a lost rank, a cancelled job.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
cluster=$(mktemp -d /tmp/vbs.XXXXXX)
trap '"$here/tests/slurm/cluster.sh" stop "$cluster"; rm -rf "$cluster" "$scratch"' EXIT

# ---- an experiment: two models on 3000 small images, 188 units ---------------------------------------------------
mkdir cifar; make_data cifar cifar/test.bin 20 3000; make_data model m.safetensors; make_data tokenizer tok
cat >v.yaml <<'E'
name: things
vocabularies:
  beings: [apple, bear, dolphin, elephant, girl, hamster, rabbit, whale, wolf, worm]
  others: [chair, forest, keyboard, lamp, maple_tree, orange, palm_tree, sea, table, train]
E
cat >e.yaml <<'E'
experiment: slurm
datasets: [{name: images, images: cifar/test.bin, vocabularies: v.yaml}]
models:
  - {name: one, family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok/vocab.json,
     prompts: ["a photo of a {}."]}
  - {name: the other, family: clip, weights: m.safetensors, tokenizer: tok/vocab.json, prompts: ["a {}."], activation: gelu}
E
# Four pairs of few images: for arrays of pairs, and what needs no long run.
make_data cifar cifar/few.bin 20 60; make_data cifar cifar/more.bin 20 80
{
  cat <<'E'
experiment: pairs
datasets:
  - {name: few, images: cifar/few.bin, vocabularies: v.yaml}
  - {name: more, images: cifar/more.bin, vocabularies: v.yaml}
E
  sed -n '/^models/,$p' e.yaml
} >pairs.yaml
limit=300
run_at 2 e.yaml --output truth
run_at 1 pairs.yaml --output pairs
# right NAME FOLDER: its results and table are those of the run without Slurm.
truth=truth file=e.yaml
right() {
  equal "$1" "$(differs $truth "$2" 2>/dev/null)" "" "$(cat "$2"/*.log 2>/dev/null | tail -n 20)"
}
"$vocabench" submit e.yaml --partition main --nodes 2 --time 10 --ntasks-per-node 2 --dry-run >script && bash -n script
verdict $? "the script is bash"

"$here/tests/slurm/cluster.sh" start "$cluster" 2 2>err
case $? in
  0) pass "a cluster of two nodes: $(SLURM_CONF=$cluster/slurm.conf sinfo --version)" ;;
  3) skip "a real Slurm" "no cluster can be started here: $(tail -n 1 err)"; finish ;;
  *) fail "a cluster of two nodes" "$(cat err)"; finish ;;
esac
export SLURM_CONF=$cluster/slurm.conf OMPI_MCA_osc=^ucx # Debian's one-sided UCX fails over TCP

# submit FOLDER FLAGS...: the job's number in $job.
submit() {
  local folder=$1; shift
  "$vocabench" submit $file --partition main --time 10 --output "$folder" "$@" >out 2>err ||
    { fail "submit $*" "$(cat out err)"; job=0; return; }
  job=$(sed -n 's/^job \([0-9]*\):.*/\1/p' out | tail -n 1)
}
state() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
# ended JOB: waits for the end of a job, two minutes at most.
ended() {
  local i
  for ((i = 0; i < 600; i++)); do
    case $(state "$1") in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY | DEADLINE) return 0 ;; esac
    sleep 0.2
  done
  fail "job $1 ends" "$(scontrol show job "$1" | head -n 12)"
}
# under_way FOLDER: some units are encoded, and more remain.
under_way() {
  local i
  for ((i = 0; i < 600; i++)); do
    [ "$(cached "$1")" -lt 4 ] || return 0
    sleep 0.1
  done
  fail "the job in $1 gets under way" "$(cat "$1"/*.log)"
}
# once FOLDER: what the last start found in the cache it did not encode again.
once() {
  holds "$1: what was finished is not encoded twice" \
    '[.run.pairs[].units_encoded] | add < 188' "$1/results.json" "$(jq -c .run.pairs "$1/results.json")"
}

# ---- a job ------------------------------------------------------------------------------------------------------
submit job --nodes 2 && ended "$job"
equal "a job through srun and PMIx" "$(state "$job")" COMPLETED "$(cat job/*.log)"
right "it gives the same bytes" job
jq -e --arg job "$job" '(.run.hosts | unique) == ["n1", "n2"] and .run.SLURM_JOB_ID == $job' job/results.json >/dev/null
verdict $? "on both nodes, with the job in its provenance" "$(jq -c .run job/results.json)"
# Four cores a node, 188 units for two nodes: the plan asks for all cores.
has_line "the cores of the nodes make the ranks" '#SBATCH --ntasks-per-node=4' job/slurm.sbatch
submit "a 'b' c" --nodes 2 --ntasks-per-node 1 --launcher mpirun && ended "$job"
right "mpirun inside an allocation, in a folder with blanks and quotes" "a 'b' c"
"$vocabench" status job >out && grep -q '^experiment slurm: 2 pair(s): 2 done, 0 running, 0 failed, 0 to do$' out
verdict $? "status of a job that is done" "$(cat out)"
"$vocabench" submit e.yaml --partition nowhere --nodes 1 --time 10 --ntasks-per-node 1 --output refused >out 2>err; code=$?
[ $code = 2 ] && grep -q '^vocabench: sbatch: ended with code 1' err
verdict $? "what sbatch refuses is an error" "code $code" "$(cat out err)"

# ---- an array, and the job that merges --------------------------------------------------------------------------
submit array --nodes 1 --ntasks-per-node 2 --array && ended "$job"
equal "an array of two tasks, and the job that merges" "$(state "$job")" COMPLETED "$(cat array/*.log)"
right "it gives the bytes of one run" array
holds "and tells what was merged" '.run.merged | length == 2' array/results.json

# ---- pairs, of which one fails and is tried again; staging; a container's runtime -------------------------------
file=pairs.yaml truth=pairs
# The third task's disk is full, once; a scratch folder is there on the first node only.
cat >setup <<'E'
[ "${SLURM_ARRAY_TASK_ID:-}" != 2 ] || [ ! -e full ] || export VOCABENCH_FAULT=write:3:ENOSPC
export NEAR=/dev/shm/near
[ -n "${SLURM_ARRAY_TASK_ID:-}" ] || mkdir -p "$NEAR"
E
mkdir bin; cat >bin/apptainer <<'E'
#!/bin/bash
# As the runtime does: options, an image, a command in the folder that --pwd names.
echo "$*" >>"$RUNTIME_LOG"
[ "$1" = exec ] || exit 9
shift
while [ "${1#--}" != "$1" ]; do
  case $1 in
    --pwd) cd "$2" || exit 9; shift 2 ;;
    --bind) [ -d "$2" ] || exit 9; shift 2 ;;
    *) shift ;;
  esac
done
[ -f "$1" ] || exit 9
exec "$IN_THE_IMAGE" "${@:3}"
E
chmod +x bin/apptainer; : >image.sif; touch full
export RUNTIME_LOG=$PWD/runtime.log IN_THE_IMAGE=$vocabench
submit by --nodes 1 --ntasks-per-node 1 --array --by pair --setup setup; failing=$job
# shellcheck disable=SC2016 # the job's shell expands it
submit near --nodes 2 --ntasks-per-node 2 --setup setup --scratch '$NEAR'; staged=$job
PATH=$PWD/bin:$PATH submit held --nodes 1 --ntasks-per-node 2 --container image.sif --container-option=--cleanenv; held=$job
ended "$failing"
equal "an array of pairs: what merges is cancelled when a task has failed" "$(state "$failing")" CANCELLED "$(cat by/*.log)"
holds "the task that failed says why" '.ended.code == 7' by/array/2/state.json "$(cat by/*_2.log)"
ended "$staged"; ended "$held"
rm full; submit by --nodes 1 --ntasks-per-node 1 --array --by pair --setup setup --retry-failed
like "--retry-failed submits that task alone" '^vocabench: 4 task.s.: 3 done, 0 in the queue or running, 1 to be submitted$' err
has_line "under its number" '#SBATCH --array=2' by/pairs.sbatch
ended "$job"
equal "and a job that merges" "$(state "$job")" COMPLETED "$(cat by/*.log)"
right "the bytes of one run" by
equal "staging on one node, none on the other" "$(state "$staged")" COMPLETED "$(cat near/*.log)"
cat near/*.log >near.log
like "the node without that folder says so" \
  '^vocabench: note: n2: scratch /dev/shm/near: no such folder: all is read where it lies$' near.log
like "the other one copies weights and images" '^vocabench: note: 3 file.s. staged on 1 machine.s. in [0-9.]+ s$' near.log
right "with the same bytes" near
equal "and takes its copies away" "$(srun -Q -N1 -w n1 -t1 --mpi=none ls /dev/shm/near)" ""
equal "a container's runtime starts the ranks" "$(state "$held")" COMPLETED "$(cat held/*.log)"
equal "each of them, as the script says" "$(sort -u runtime.log)" \
  "exec --bind $PWD --pwd $PWD --cleanenv image.sif vocabench run pairs.yaml --output held --cache held/cache --resume"
equal "two" "$(wc -l <runtime.log)" 2
right "with the same bytes, too" held
file=e.yaml truth=truth

# ---- stopped, lost, cancelled: a slow run has time for it -------------------------------------------------------
echo 'export VOCABENCH_ISA=scalar' >slow
slow=(--setup slow --batch 1 --nodes 2 --ntasks-per-node 2)
submit stopped "${slow[@]}" && under_way stopped
"$vocabench" status stopped >out
like "status of a job that runs" ' [12] running, 0 failed' out
scancel -s USR1 "$job" # as --signal=USR1@120 does before the limit: to the steps, not to the script
ended "$job"
[ "$(state "$job")" = COMPLETED ] && grep -q 'stopped by SIGUSR1' stopped/*.log
verdict $? "a job that is told to stop queues itself again, and ends" "$(state "$job")" "$(cat stopped/*.log)"
equal "after one restart" "$(jq -r .run.SLURM_RESTART_COUNT stopped/results.json)" 1 "$(jq -c .run stopped/results.json)"
holds "both starts are counted, on two nodes" '.run.starts | [.[] | [.code, .nodes, .restart]] == [[75, 2, null], [0, 2, "1"]]' \
  stopped/results.json "$(jq .run.starts stopped/results.json)"
right "with the right bytes" stopped
once stopped

submit mpirun "${slow[@]}" --launcher mpirun && under_way mpirun
scancel -b -s USR1 "$job" # as --signal=B:USR1@120 does: to the script, which passes it on
ended "$job"
grep -q 'stopped by SIGUSR1' mpirun/*.log && [ "$(jq -r .run.SLURM_RESTART_COUNT mpirun/results.json)" = 1 ]
verdict $? "the same under mpirun" "$(state "$job")" "$(cat mpirun/*.log)"
right "with the right bytes, too" mpirun
once mpirun

# A rank of a node: a process of the program that belongs to this job.
lose_rank() {
  local entry
  for entry in /proc/[0-9]*; do
    [ "$(readlink "$entry/exe")" = "$vocabench" ] && tr '\0' '\n' <"$entry/environ" | grep -qx "SLURM_JOB_ID=$job" &&
      tr '\0' '\n' <"$entry/environ" | grep -qx "SLURMD_NODENAME=$1" && kill -9 "${entry#/proc/}" && return
  done 2>/dev/null
  return 1
}
for moment in 1 2 3; do
  lost=lost$moment node=n$((RANDOM % 2 + 1))
  submit $lost "${slow[@]}" && under_way $lost
  sleep $((RANDOM % 3)).$((RANDOM % 10))
  lose_rank $node || fail "a rank of $node to lose" "$(state "$job")"
  ended "$job"
  [ "$(state "$job")" = COMPLETED ] && grep -q 'attempt 1 of 3' $lost/*.log
  verdict $? "moment $moment: a job that loses a rank of $node starts the ranks again" "$(state "$job")" "$(cat $lost/*.log)"
  right "and ends with the right bytes" $lost
  once $lost
done

submit cancelled "${slow[@]}" && under_way cancelled
scancel "$job"
ended "$job"; sleep 8
equal "a cancelled job stays cancelled" "$(state "$job")" CANCELLED "$(cat cancelled/*.log)"
"$vocabench" status cancelled >out && grep -qE ' 0 running, 0 failed' out && grep -qE 'stopped|lost' out
verdict $? "status of a cancelled job" "$(cat out)"
submit cancelled --nodes 1 --ntasks-per-node 3 && ended "$job"
right "submitted again at other sizes it ends with the right bytes" cancelled
once cancelled

# ---- a job that cannot succeed is not tried again ---------------------------------------------------------------
submit broken --nodes 1 --ntasks-per-node 2 --no-plan --set datasets.0.images=nowhere && ended "$job"
[ "$(state "$job")" = FAILED ] && [ "$(grep -c 'vocabench: .*nowhere' broken/*.log)" = 1 ]
verdict $? "bad input ends the job at once" "$(state "$job")" "$(cat broken/*.log)"
scontrol show job "$job" | grep -q 'ExitCode=4:0'
verdict $? "with the program's code" "$(scontrol show job "$job" | grep ExitCode)"
finish
