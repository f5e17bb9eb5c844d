#!/bin/bash
# One run owns its output folder: a second one is told, a dead one's lock is taken over, and records that someone took away are
# missed.
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
make_data images pics 20 26; make_data model m.safetensors; make_data tokenizer tok
made_vocabularies
plain_experiment owned >e.yaml
run_at 2 e.yaml --output whole
check "the lock is released at the end" test ! -e whole/run.lock
slow() { # starts a run of 2 ranks into `o`, every unit a tenth of a second late; waits until it is at work
  rm -rf o
  VOCABENCH_FAULT=unit:1+:slow mpirun --oversubscribe -n 2 "$vocabench" run e.yaml --output o >slow.out 2>slow.err </dev/null &
  job=$!
  for _ in $(seq 200); do [ "$(cached o)" -ge 2 ] && break; sleep 0.05; done
}

# ---- two at once ----------------------------------------------------------------------------------------------------
slow
refuses "a second run" 7 'o: in use by another run: process [0-9]+ on .+, since 20' "$vocabench" run e.yaml --output o
refuses "and one that resumes" 7 'o: in use by another run' "$vocabench" run e.yaml --output o --resume
refuses "and merge" 7 'o: in use by another run' "$vocabench" merge o whole
"$vocabench" status o >stdout 2>stderr; like "status goes on as ever" 'running' stdout
stops $job
equal "the first one is not disturbed" $code 0 "$(cat slow.err)"
agree "and has the same bytes" whole o
check "its lock is gone" test ! -e o/run.lock
check "merge into it" "$vocabench" merge o whole

# ---- owners that are gone -------------------------------------------------------------------------------------------
slow
kill -9 "$(jq .pid o/run.lock)"; stops $job
check "a killed run leaves its lock" test -e o/run.lock
run_at 3 e.yaml --output o --resume && agree "which the next one takes over" whole o
check "and releases" test ! -e o/run.lock

# owner FILTER: the lock of a living process of this machine, which is no run, changed by jq's filter.
sleep 300 & sleeper=$!
slow; cp o/run.lock own.lock; stops $job
owner() {
  jq -c --argjson pid $sleeper --argjson start "$(sed 's/.*) //' /proc/$sleeper/stat | cut -d' ' -f20)" \
    '.pid = $pid | .process_started = $start | '"$1" own.lock >o/run.lock
}
taken() { run_at 1 e.yaml --output o --resume && check "$1" test ! -e o/run.lock; }
owner .; refuses "a process that lives" 7 'o: in use by another run: process' "$vocabench" run e.yaml --output o
owner '.process_started -= 1'; taken "a number that another process has by now"
owner '.boot = "another"'; taken "a machine that was started again"
owner '.pids = "another"'
refuses "a process in another container" 7 'far as can be seen from here.*remove o/run.lock' "$vocabench" run e.yaml --output o
owner '.boot = "another" | .machine = "another" | .host = "elsewhere"'
refuses "a process on another machine" 7 'on elsewhere, since .*remove o/run.lock' "$vocabench" run e.yaml --output o
rm o/run.lock; taken "a lock that was removed"
echo '{"schema": "else"}' >o/run.lock
refuses "a lock of another program" 7 'o/run.lock: not a lock of this program' "$vocabench" run e.yaml --output o
mv o/run.lock else.lock
for end in nowhere ../else.lock; do
  ln -s $end o/run.lock
  refuses "a link to $end" 7 'o/run.lock: run.lock is a link' "$vocabench" run e.yaml --output o; rm o/run.lock
done
: >o/run.lock; refuses "an empty lock" 7 'o/run.lock: not a lock of this program' "$vocabench" run e.yaml --output o

# What Slurm says of the owner's job.
mkdir bin
# shellcheck disable=SC2016 # the other shell's
# Of the number of an array it lists all tasks, of which the last one to start has that number as its own.
printf '#!/bin/sh\n[ "$5" = "%%A %%T" ] || exit 1; echo "12 RUNNING"; echo "7 $STATE"; echo "77 RUNNING"\n' >bin/squeue
chmod +x bin/squeue
export PATH=$scratch/bin:$PATH
elsewhere='.boot = "another" | .machine = "another" | .host = "elsewhere" | .slurm_job = "7" | .slurm_restart = "0"'
owner "$elsewhere"
STATE=RUNNING refuses "a job that runs" 7 'on elsewhere, job 7, since .*; wait for it' "$vocabench" run e.yaml --output o
export STATE
for STATE in COMPLETED PENDING TIMEOUT; do owner "$elsewhere"; taken "a job that is $STATE"; done
owner "$elsewhere"' | .user += 1 | .slurm_job = "8"'
refuses "another user's job, which Slurm may hide" 7 'on elsewhere, job 8, since .*; when it is no more' \
  "$vocabench" run e.yaml --output o
STATE=RUNNING; owner "$elsewhere"
refuses "this job, not started again" 7 'on elsewhere, job 7' env SLURM_JOB_ID=7 "$vocabench" run e.yaml --output o
export SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1; taken "this job, started again on another machine"
unset SLURM_JOB_ID SLURM_RESTART_COUNT
printf '#!/bin/sh\nexit 1\n' >bin/squeue; owner "$elsewhere"
refuses "a job of which Slurm says nothing" 7 'as far as can be seen' "$vocabench" run e.yaml --output o
kill $sleeper

# Several at the same moment find a dead one's lock.
jq -c '.pid = 4194000' own.lock >o/run.lock
for i in 1 2 3 4 5; do
  (VOCABENCH_FAULT=unit:1+:slow "$vocabench" run e.yaml --output o >"o$i" 2>"e$i"; echo $? >"c$i") &
done
wait
equal "of five that start together one runs" "$(cat c? | sort | tr '\n' ' ')" "0 7 7 7 7 " "$(cat e?)"
agree "and is right" whole o

# One that is held while it is taken over, for longer than anyone waits.
jq -c '.pid = 4194000' own.lock >o/run.lock; exec 9<o/run.lock; flock 9
refuses "a lock that another process is taking over" 7 'o: other runs begin in this folder at the same time' \
  "$vocabench" run e.yaml --output o
exec 9<&-; taken "and that it has let go"

# ---- held to the end --------------------------------------------------------------------------------------------------
# killed_at_the_end NAME FOLDER COMMAND...: killed at each of its last four renames, the command leaves its lock.
killed_at_the_end() {
  local name=$1 folder=$2 n=1 left=; shift 2
  while rm -rf "$folder"; { VOCABENCH_FAULT=rename:$n:kill "$@" >stdout; } 2>stderr; [ $? = 137 ]; do
    left+=$([ -e "$folder/run.lock" ] && echo 1 || echo 0); n=$((n + 1))
  done
  check "$name: is killed at $((n - 1)) renames, and done without" test $n -gt 5 -a -e "$folder/results.json"
  equal "$name: holds its lock while it writes what comes last" "${left: -4}" 1111
}
must "$tools/npy" random i.npy 30 4 1; must "$tools/npy" random t.npy 3 4 2
seq 30 | awk '{ print $1 % 3 }' >labels; must "$tools/npy" numbers y.npy i8 labels
printf 'name: w\nvocabularies: {a: [x, y], b: [z]}\n' >w.yaml
printf '%s\n' 'experiment: given' 'datasets: [{name: d, vocabularies: w.yaml}]' \
  'models: [{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}]' >g.yaml
killed_at_the_end "a run" e "$vocabench" run g.yaml --output e
killed_at_the_end "merge" e "$vocabench" merge e whole

# ---- records --------------------------------------------------------------------------------------------------------
slow; for _ in $(seq 100); do [ -e o/records/plain--folder.jsonl.zst.parts/000000001.zst ] && break; sleep 0.05; done
rm -f o/records/*.parts/000000000.zst o/records/*.parts/000000001.zst; stops $job
[ $code = 7 ] && grep -qE 'records/.*parts/00000000[01].zst: the records of unit [01] are gone' slow.err
verdict $? "records that are removed during a run are missed" "code $code" "$(cat slow.err)"
run_at 2 e.yaml --output o && agree "and made by the next one" whole o
finish
