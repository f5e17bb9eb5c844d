#!/bin/bash
# A private Slurm cluster of pretend nodes on this machine: cluster.sh start FOLDER [NODES] | stop FOLDER
# Everything lies in FOLDER (its path of at most 70 bytes); SLURM_CONF=FOLDER/slurm.conf reaches the cluster. No systemd,
# nothing in /etc, no default ports, all on 127.0.0.1. Each node has a UTS namespace and a /dev/shm of its own: Open MPI names
# its shared memory after the host. Needs root, munge, slurmctld, slurmd, slurm-client. Code 3: this machine cannot do it, with
# the reason on stderr.
set -euo pipefail
action=${1:?start or stop} folder=${2:?the folder of the cluster} nodes=${3:-2}
export SLURM_CONF=$folder/slurm.conf
cannot() { echo "cluster: $*" >&2; exit 3; }

# alive PID: it is there, and no zombie.
alive() { [ -r "/proc/$1/stat" ] && [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" != Z ]; }

free_port() { # the first of so many consecutive ports on which nobody listens
  local want=$1 port=$((20000 + $$ % 400 * 50)) i
  for ((; port < 60000; port += 50)); do
    for ((i = 0; i < want; i++)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((port + i))") 2>/dev/null; then continue 2; fi
    done
    echo "$port"; return
  done
  cannot "no free ports"
}

configure() {
  local port i
  port=$(free_port $((nodes + 1)))
  mkdir -p "$folder"/{munge,state,log,run}
  chmod 755 "$folder" "$folder/munge"; chmod 700 "$folder/state"
  : >"$folder/plugstack.conf"
  (umask 077; head -c 1024 /dev/urandom >"$folder/munge/key")
  # With the other fences of Slurm 22.05 MPI_Init of Open MPI 4.1 crashes now and then.
  echo PMIxCollFence=ring >"$folder/mpi.conf"
  cat >"$SLURM_CONF" <<E
ClusterName=vocabench
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdSpoolDir=$folder/run/slurmd.%n
SlurmdPidFile=$folder/run/slurmd.%n.pid
SlurmdLogFile=$folder/log/slurmd.%n.log
SlurmdParameters=config_overrides
TmpFS=$folder/run/tmp.%n
PlugStackConfig=$folder/plugstack.conf
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=pmix
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_min_interval=0,sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
ReturnToService=2
SlurmdTimeout=30
KillWait=5
MinJobAge=900
JobRequeue=1
PropagateResourceLimitsExcept=MEMLOCK
E
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=n$i NodeHostname=n$i NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=4 CoresPerSocket=4 RealMemory=4000"
  done >>"$SLURM_CONF"
  echo "PartitionName=main Nodes=ALL Default=YES MaxTime=60 DefaultTime=10 State=UP" >>"$SLURM_CONF"
}

start() {
  local i up
  [ "$(id -u)" = 0 ] || cannot "only root can give each node its own host name and /dev/shm"
  for i in munged slurmctld slurmd sbatch unshare; do command -v $i >/dev/null || cannot "$i is not installed"; done
  unshare --uts --mount true 2>/dev/null || cannot "namespaces are not permitted here"
  [ ${#folder} -le 70 ] || cannot "$folder: the path is too long for a socket"
  configure
  munged --socket="$folder/munge/socket" --key-file="$folder/munge/key" --log-file="$folder/munge/log" \
    --pid-file="$folder/run/munged.pid" --seed-file="$folder/munge/seed" --num-threads=2 --force >"$folder/log/munged.log" 2>&1 ||
    cannot "munged: $(tail -n 1 "$folder/log/munged.log")"
  slurmctld -f "$SLURM_CONF" || cannot "slurmctld: $(tail -n 1 "$folder/log/slurmctld.log")"
  for ((i = 1; i <= nodes; i++)); do
    mkdir -p "$folder/run/slurmd.n$i" "$folder/run/tmp.n$i"
    # shellcheck disable=SC2016 # the inner shell expands
    unshare --uts --mount --propagation private sh -c \
      'hostname "$1" && mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec slurmd -f "$2" -N "$1"' \
      sh "n$i" "$SLURM_CONF" || cannot "slurmd: $(tail -n 1 "$folder/log/slurmd.n$i.log")"
  done
  # A node is called idle before it has registered: a step on each is the proof.
  for ((i = 0; i < 60; i++)); do
    up=$(timeout 10 srun -Q -N"$nodes" --ntasks-per-node=1 -t1 --mpi=none --immediate=5 hostname 2>/dev/null |
      sort -u | wc -l) || true
    [ "$up" != "$nodes" ] || return 0
    sleep 0.5
  done
  tail -n 3 "$folder"/log/*.log >&2
  cannot "it did not come up in time"
}

stop() {
  local file pid i entry space spaces=() pids=()
  [ -e "$SLURM_CONF" ] || return 0
  timeout 10 scancel --quiet --user="$(id -un)" 2>/dev/null || true
  for ((i = 0; i < 50; i++)); do
    [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || break
    sleep 0.2
  done
  for file in "$folder"/run/slurmd.*.pid "$folder/run/slurmctld.pid" "$folder/run/munged.pid"; do
    [ -s "$file" ] || continue
    pid=$(cat "$file"); pids+=("$pid")
    case $file in */slurmd.*)
      space=$(readlink "/proc/$pid/ns/uts" 2>/dev/null || true)
      if [ -n "$space" ] && [ "$space" != "$(readlink /proc/self/ns/uts)" ]; then spaces+=("$space"); fi ;;
    esac
    kill "$pid" 2>/dev/null || true
  done
  for pid in ${pids[@]+"${pids[@]}"}; do
    for ((i = 0; i < 100; i++)); do
      alive "$pid" || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  # What still lives in the nodes' own namespaces was started by their daemons.
  for entry in /proc/[0-9]*; do
    space=$(readlink "$entry/ns/uts" 2>/dev/null || true)
    for i in ${spaces[@]+"${spaces[@]}"}; do [ "$space" != "$i" ] || kill -9 "${entry#/proc/}" 2>/dev/null || true; done
  done
}

case $action in
  start) start ;;
  stop) stop ;;
  *) echo "usage: cluster.sh start FOLDER [NODES] | stop FOLDER" >&2; exit 2 ;;
esac
