# What every script ends with: starts the ranks of "$@" and decides what their exit code means for the job.
# shellcheck shell=bash
set -u
launch=(@LAUNCH@)
export OMP_NUM_THREADS=@CPUS@ OMP_WAIT_POLICY=passive
# Slurm's default PMIx fence can crash MPI_Init on several nodes (seen with Slurm 22.05 and Open MPI 4.1); the ring did not.
export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-ring}
# Open MPI's hwloc would load OpenCL drivers; the LLVM inside of some takes SIGUSR1 and SIGTERM, and a notice would end in mpirun.
export HWLOC_COMPONENTS=${HWLOC_COMPONENTS:--opencl}
# srun starts the ranks with what it is told, not with what sbatch was told, since Slurm 22.05.
export SRUN_CPUS_PER_TASK=@CPUS@

child='' interrupted=0 cancelled=0 again='' asked=''
# The ranks that mpirun has started here. Where its own handlers were taken, they have to be told by themselves; they tell the
# others.
# shellcheck disable=SC2317 # the traps call it
ranks_here() {
  local entry stat
  for entry in /proc/[0-9]*; do
    read -r stat <"$entry/stat" || continue
    # shellcheck disable=SC2086 # the fields behind the name: state, parent
    set -- ${stat##*)}
    [ "${2:-}" = "$child" ] || continue
    case $stat in *"(srun)"* | *"(ssh)"* | *"(orted)"*) ;; *) echo "${entry#/proc/}" ;; esac
  done 2>/dev/null
}

# A notice to stop goes out until the ranks have ended: the first may come before they, or their launcher, are ready for it.
# A launcher whose ranks are known is told once: winding up behind them, it may have given up its handlers, and would die of it.
# shellcheck disable=SC2317 # the traps call it
send_notices() {
  local number=1 pid ranks='' known=''
  while kill -0 "$child" 2>/dev/null; do
    [ "$number" = 1 ] || [ "${launch[0]##*/}" != mpirun ] || { ranks=$(ranks_here); known+=$ranks; }
    for pid in $ranks; do kill -USR1 "$pid" 2>/dev/null && echo "notice $number to the rank of process $pid" >&2; done
    [ -n "$known" ] || { kill -USR1 "$child" 2>/dev/null && echo "notice $number to the ranks' launcher, process $child" >&2; }
    number=$((number + 1))
    sleep "${VOCABENCH_NOTICE_AGAIN:-15}"
  done
}
# shellcheck disable=SC2317 # the traps call it
stop() {
  interrupted=1 asked=$1
  [ -n "$child" ] && [ -z "$again" ] || return
  echo "notice to stop ($1): SIGUSR1 to the ranks every ${VOCABENCH_NOTICE_AGAIN:-15} s until they have ended" >&2
  send_notices &
  again=$!
}
trap 'stop SIGUSR1' USR1
trap 'cancelled=1; stop SIGTERM' TERM

# Started again with the same command, nothing finished is done twice.
requeue() {
  local id=${SLURM_JOB_ID:-}
  [ -z "${SLURM_ARRAY_JOB_ID:-}" ] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID # the bare number means all tasks
  if [ $cancelled = 1 ]; then echo "cancelled: not queued again" >&2; exit 75; fi
  if [ "${SLURM_RESTART_COUNT:-0}" -ge "${VOCABENCH_RESTARTS:-100}" ]; then
    echo "started ${SLURM_RESTART_COUNT:-0} times and not done: not queued again (VOCABENCH_RESTARTS allows more)" >&2
    exit 75
  fi
  scontrol requeue "$id" || { echo "job ${id:-?} cannot be queued again: submit the same script once more" >&2; exit 75; }
  sleep 60 # Slurm ends this script
  exit 75
}

for attempt in 1 2 3; do
  "${launch[@]}" "$@" &
  child=$!
  [ -z "$asked" ] || stop "$asked" # it has come when there was nobody to tell
  while :; do
    interrupted=0
    wait "$child"; code=$?
    [ $interrupted = 1 ] || break
  done
  child=''
  [ -z "$again" ] || { kill "$again" 2>/dev/null; again=''; echo "the ranks have ended with code $code" >&2; }
  case $code in
    0) exit 0 ;;
    75) requeue ;;
    [2-8] | 10) exit "$code" ;; # bad input or a full disk: once more would be the same
  esac
  # A rank that was lost on the way to its end, or a launcher that could not take SIGUSR1 yet: the limit is near.
  [ -z "$asked" ] || requeue
  echo "attempt $attempt of 3: the ranks ended with code $code, as when one is lost" >&2
done
exit "$code"
