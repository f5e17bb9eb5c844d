#!/bin/bash
# Brings FAISS (Debian's and the newest from PyPI) and races exact retrieval against it: race.sh BENCH_RETRIEVAL BUILD ROWS...
set -u
bench=$1 build=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)

environment=$build/peers-faiss
newest=$environment/bin/python
if ! "$newest" -c 'import faiss' 2>/dev/null; then
  { python3 -m venv "$environment" && "$environment/bin/pip" install --quiet faiss-cpu numpy; } 2>"$environment.log" ||
    echo "race.sh: the newest FAISS cannot be installed from PyPI ($environment.log): skipped"
fi
pythons=()
for python in "$newest" /usr/bin/python3; do
  if "$python" -c 'import faiss' 2>/dev/null; then pythons+=("$python"); fi
done
if [ ${#pythons[@]} = 0 ]; then echo "race.sh: no FAISS to race against: skipped"; exit 0; fi

for rows in "$@"; do
  # Everybody holds the rows in fp32, vocabench the 8-bit copy and FAISS its own as well.
  available=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) * 1024)) with=("${pythons[@]}")
  while [ ${#with[@]} -gt 0 ] && [ $((rows * (2600 + 2600 * ${#with[@]}))) -gt "$available" ]; do
    unset "with[${#with[@]}-1]"
  done
  if [ ${#with[@]} = 0 ]; then
    echo "race.sh: $rows rows need $((rows * 5200 >> 20)) MiB of memory, $((available >> 20)) are free: skipped"
    continue
  fi
  python3 -B "$here/race_retrieval.py" "$bench" "$build/race" "$rows" "${with[@]}" || exit 1
done
