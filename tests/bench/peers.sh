#!/bin/bash
# Brings the peers (PyPI) and races our encoders, prompts and retrieval against them: peers.sh PEERS_OURS BENCH_RETRIEVAL BUILD
#   PEERS_ONLY: parts, of prompts, retrieval and the towers of peers_race.py or open_clip's names.
#   PEERS: of onnxruntime, openvino, torch, faiss. RETRIEVAL_ROWS: of the corpus that FAISS searches beside us.
#   THREADS, BATCHES: lists; ROUNDS, TURN_SECONDS, LIMIT (of a runner's answer): numbers. MAKE_ONLY=1: nothing is timed.
#   PEERS_BORROW: site-packages of another environment of the same Python, which saves installing what it has.
set -u
ours=$1 retrieval=$2 build=$3
here=$(cd "$(dirname "$0")" && pwd)
venv=$build/peers-venv log=$build/peers-venv.log
python=$venv/bin/python
# What runs is told of a signal to this script, which then ends.
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; wait; exit 143' TERM
trap '[ -z "$child" ] || wait "$child"; exit 130' INT # from the terminal it comes to all
follow() {
  local code
  "$@" &
  child=$!
  wait "$child"
  code=$? child=
  return $code
}

# is_in WORD LIST
is_in() { case " ${2//,/ } " in *" $1 "*) ;; *) return 1 ;; esac; }
only=${PEERS_ONLY:-} peers=${PEERS:-onnxruntime openvino torch faiss}
only=${only//,/ } encoders=
for part in $only; do [ "$part" = retrieval ] || encoders+=" $part"; done
has() { "$python" -c "import importlib.util as u; raise SystemExit(u.find_spec('$1') is None)" >/dev/null 2>&1; }

# Retrieval against FAISS, which has an environment of its own (race.sh uses it, too); first, for it needs the least.
race_retrieval() {
  local rows=${RETRIEVAL_ROWS:-1000000} faiss=$build/peers-faiss/bin/python available threads options
  if ! "$faiss" -c 'import faiss' 2>/dev/null; then
    echo "peers.sh: installing faiss-cpu"
    { python3 -m venv "$build/peers-faiss" && follow "$build/peers-faiss/bin/pip" install --quiet faiss-cpu numpy; } \
      >"$build/peers-faiss.log" 2>&1 ||
      echo "peers.sh: faiss-cpu cannot be installed from PyPI ($build/peers-faiss.log)"
  fi
  available=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) * 1024))
  [ -z "${MAKE_ONLY:-}" ] || return 0
  if ! "$faiss" -c 'import faiss' 2>/dev/null; then
    echo "peers.sh: retrieval: no FAISS to race against: skipped"
  elif [ $((rows * 5200)) -gt "$available" ]; then
    echo "peers.sh: retrieval: $rows rows need $((rows * 5200 >> 20)) MiB of memory, $((available >> 20)) are free: skipped"
  else
    # Numbers of threads alone; several processes are for encoders.
    threads=$(tr -s ', ' '\n' <<<"${THREADS:-1 $(nproc)}" | grep -v x | tr '\n' ' ')
    options=(--json "$build/peers/retrieval.json" --threads "${threads:-1}")
    [ -z "${ROUNDS:-}" ] || options+=(--rounds "$ROUNDS")
    follow python3 -B "$here/race_retrieval.py" "${options[@]}" "$retrieval" "$build/race" "$rows" "$faiss" || exit 1
  fi
}

# install MODULE PACKAGE: PyTorch for CPUs alone where its own index can be reached, a tenth of what PyPI has.
install() {
  echo "peers.sh: installing $2"
  case $1 in torch | torchvision)
    follow "$venv/bin/pip" install --quiet --retries 1 --timeout 15 --index-url https://download.pytorch.org/whl/cpu "$2" \
      >>"$log" 2>&1 && return ;;
  esac
  follow "$venv/bin/pip" install --quiet --upgrade "$2" >>"$log" 2>&1 || echo "peers.sh: $2 cannot be installed from PyPI ($log)"
}

# Name of the module, what to install; a failure leaves that one out.
install_peers() {
  local pair module package
  if ! has sys; then
    if ! python3 -m venv "$venv" >"$log" 2>&1; then
      echo "peers.sh: python3 -m venv fails ($log; Debian: python3-venv): skipped"
      return 1
    fi
    if [ -n "${PEERS_BORROW:-}" ]; then
      for site in "$venv"/lib/python3*/site-packages; do echo "$PEERS_BORROW" >"$site/borrowed.pth"; done
    fi
  fi
  for pair in numpy:numpy torch:torch torchvision:torchvision open_clip:open_clip_torch==3.3.0 timm:timm safetensors:safetensors \
    yaml:pyyaml onnx:onnx onnxscript:onnxscript onnxruntime:onnxruntime openvino:openvino; do
    module=${pair%%:*} package=${pair#*:}
    has "$module" && continue
    case $module in onnxruntime | openvino)
      is_in "$module" "$peers" || continue ;;
    esac
    install "$module" "$package"
  done
  for module in numpy torch open_clip safetensors; do
    has "$module" && continue
    echo "peers.sh: $module is missing, without which no weights are made: skipped ($log)"
    return 1
  done
}

race_encoders() {
  local options=()
  install_peers || return 0
  [ -z "$encoders" ] || options+=(--only "$encoders")
  options+=(--peers "$(tr -s ', ' '\n' <<<"$peers" | grep -vx faiss | tr '\n' ' ')")
  [ -z "${THREADS:-}" ] || options+=(--threads "$THREADS")
  [ -z "${BATCHES:-}" ] || options+=(--batches "$BATCHES")
  [ -z "${ROUNDS:-}" ] || options+=(--rounds "$ROUNDS")
  [ -z "${TURN_SECONDS:-}" ] || options+=(--seconds "$TURN_SECONDS")
  [ -z "${LIMIT:-}" ] || options+=(--limit "$LIMIT")
  [ -z "${MAKE_ONLY:-}" ] || options+=(--make-only)
  follow "$python" -B "$here/peers_race.py" "$ours" "$build/peers" "${options[@]}"
}

mkdir -p "$build/peers"
# Tables of this race alone, also of one that is interrupted.
# shellcheck disable=SC2317 # the trap calls it
tables() {
  python3 "$here/peers_table.py" "$build/peers/results.json" "$build/peers/retrieval.json" >"$build/peers/tables.md" &&
    echo "$build/peers/tables.md: the same as tables"
}
if [ -z "${MAKE_ONLY:-}" ]; then
  rm -f "$build/peers/results.json" "$build/peers/retrieval.json"
  trap tables EXIT
fi
if is_in faiss "$peers" && { [ -z "$only" ] || is_in retrieval "$only"; }; then race_retrieval; fi
code=0
if [ "$peers" != faiss ] && { [ -z "$only" ] || [ -n "$encoders" ]; }; then race_encoders || code=$?; fi
exit $code
