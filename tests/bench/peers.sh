#!/bin/bash
# Brings the peers (PyPI) and races our image encoders and our retrieval against them: peers.sh PEERS_OURS BENCH_RETRIEVAL BUILD
#   RETRIEVAL_ROWS: of the corpus that FAISS searches beside us; 0: none is searched.
#   TOWERS, PEERS, THREADS, BATCHES: lists; ROUNDS, TURN_SECONDS, LIMIT (of a runner's answer): numbers.
#   MAKE_ONLY=1: nothing is timed.
#   PEERS_BORROW: site-packages of another environment of the same Python, which saves installing what it has.
set -u
ours=$1 retrieval=$2 build=$3
here=$(cd "$(dirname "$0")" && pwd)
venv=$build/peers-venv log=$build/peers-venv.log
python=$venv/bin/python
has() { "$python" -c "import importlib.util as u; raise SystemExit(u.find_spec('$1') is None)" >/dev/null 2>&1; }

if ! has sys; then
  mkdir -p "$build"
  if ! python3 -m venv "$venv" >"$log" 2>&1; then
    echo "peers.sh: python3 -m venv fails ($log; Debian: python3-venv): skipped"
    exit 0
  fi
  if [ -n "${PEERS_BORROW:-}" ]; then
    for site in "$venv"/lib/python3*/site-packages; do echo "$PEERS_BORROW" >"$site/borrowed.pth"; done
  fi
fi

# Retrieval against FAISS, which has an environment of its own (race.sh uses it, too); first, for it needs the least.
wants() { case " ${PEERS:-$1} " in *[\ ,]"$1"[\ ,]*) ;; *) return 1 ;; esac; }
rows=${RETRIEVAL_ROWS:-1000000}
if wants faiss && [ "$rows" -gt 0 ] && [ -z "${MAKE_ONLY:-}" ]; then
  faiss=$build/peers-faiss/bin/python
  if ! "$faiss" -c 'import faiss' 2>/dev/null; then
    echo "peers.sh: installing faiss-cpu"
    { python3 -m venv "$build/peers-faiss" && "$build/peers-faiss/bin/pip" install --quiet faiss-cpu numpy; } \
      >"$build/peers-faiss.log" 2>&1 ||
      echo "peers.sh: faiss-cpu cannot be installed from PyPI ($build/peers-faiss.log)"
  fi
  available=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) * 1024))
  if ! "$faiss" -c 'import faiss' 2>/dev/null; then
    echo "peers.sh: retrieval: no FAISS to race against: skipped"
  elif [ $((rows * 5200)) -gt "$available" ]; then
    echo "peers.sh: retrieval: $rows rows need $((rows * 5200 >> 20)) MiB of memory, $((available >> 20)) are free: skipped"
  else
    # Numbers of threads alone; several processes are for encoders.
    threads=$(tr -s ', ' '\n' <<<"${THREADS:-1 $(nproc)}" | grep -v x | tr '\n' ' ')
    options=(--json "$build/peers/retrieval.json" --threads "${threads:-1}")
    [ -z "${ROUNDS:-}" ] || options+=(--rounds "$ROUNDS")
    mkdir -p "$build/peers"
    python3 "$here/race_retrieval.py" "${options[@]}" "$retrieval" "$build/race" "$rows" "$faiss" || exit 1
  fi
fi
case ${PEERS:-all} in faiss) exit 0 ;; esac

# Name of the module, what to install; a failure leaves that one out.
for pair in numpy:numpy torch:torch torchvision:torchvision open_clip:open_clip_torch==3.3.0 timm:timm safetensors:safetensors \
  onnx:onnx onnxscript:onnxscript onnxruntime:onnxruntime openvino:openvino; do
  module=${pair%%:*} package=${pair#*:}
  has "$module" && continue
  case $module in onnxruntime | openvino)
    wants "$module" || continue ;;
  esac
  echo "peers.sh: installing $package"
  "$venv/bin/pip" install --quiet --upgrade "$package" >>"$log" 2>&1 ||
    echo "peers.sh: $package cannot be installed from PyPI ($log)"
done
for module in numpy torch open_clip safetensors; do
  if ! has "$module"; then
    echo "peers.sh: $module is missing, without which no weights are made: skipped ($log)"
    exit 0
  fi
done

options=()
[ -z "${TOWERS:-}" ] || options+=(--towers "$TOWERS")
[ -z "${PEERS:-}" ] || options+=(--peers "${PEERS//faiss/}")
[ -z "${THREADS:-}" ] || options+=(--threads "$THREADS")
[ -z "${BATCHES:-}" ] || options+=(--batches "$BATCHES")
[ -z "${ROUNDS:-}" ] || options+=(--rounds "$ROUNDS")
[ -z "${TURN_SECONDS:-}" ] || options+=(--seconds "$TURN_SECONDS")
[ -z "${LIMIT:-}" ] || options+=(--limit "$LIMIT")
[ -z "${MAKE_ONLY:-}" ] || options+=(--make-only)
exec "$python" "$here/peers_race.py" "$ours" "$build/peers" "${options[@]}"
