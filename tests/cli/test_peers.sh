#!/bin/bash
# The race of make bench-peers, with players of our own: one that agrees, one that does not, one that crashes. Needs no package.
. "$(dirname "$0")/../lib.sh" || exit 1
python=/usr/bin/python3
$python -c 'import numpy' 2>/dev/null || { skip "the race against peers" "no NumPy"; finish; }

folder=$scratch/race
mkdir -p "$folder/toy" "$scratch/peers/onnxruntime" "$scratch/peers/openvino" "$scratch/peers/open_clip"
echo '{"model": "toy", "resolution": 4, "open_clip": "3.3.0", "torch": "0", "onnx": "by hand"}' >"$folder/toy/tower.json"
# Embeddings: the sum of each plane.
cat >"$scratch/ours" <<'END'
#!/usr/bin/python3
import sys
import numpy as np
pixels = np.fromfile(sys.argv[2], np.float32).reshape(-1, 3, 4, 4)
print("ready scalar 4 3 96", flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "save":
        pixels[:int(words[1])].sum((2, 3)).tofile(words[2])
    print({"save": "saved", "peak": "1.5", "time": "0.25 0.5"}[words[0]], flush=True)
END
chmod +x "$scratch/ours"
cat >"$scratch/peers/onnxruntime/__init__.py" <<'END'
from types import SimpleNamespace
__version__ = "9.9"
class ExecutionMode: ORT_SEQUENTIAL = 0
class GraphOptimizationLevel: ORT_ENABLE_ALL = 0
class SessionOptions:
    def add_session_config_entry(self, key, value): pass
class InferenceSession:
    def __init__(self, path, options, providers): pass
    def get_inputs(self): return [SimpleNamespace(name="pixels")]
    def run(self, names, inputs): return [inputs["pixels"].sum((2, 3)) * FACTOR]
FACTOR = 1
END
echo 'import os; os.abort()' >"$scratch/peers/openvino/__init__.py"
echo 'raise ImportError("no open_clip here")' >"$scratch/peers/open_clip/__init__.py"

race() {
  PYTHONPATH=$scratch/peers PYTHONDONTWRITEBYTECODE=1 $python "$here/tests/bench/peers_race.py" "$scratch/ours" "$folder" "$@" \
    >"$scratch/out" 2>"$scratch/err"
}
race --towers toy --threads 1 --batches 2 --rounds 1 --seconds 1e-9
verdict $? "a race in which peers crash ends well" "$(cat "$scratch/err")"
like "ours, by seconds of the processor at one thread" '^toy +2 +1  vocabench +8\.000 ' "$scratch/out"
like "a peer with equal results, as a ratio" '^toy +2 +1  onnxruntime .* [0-9]\.[0-9]{2}$' "$scratch/out"
has_text "a peer that crashes is named, with the signal" "openvino: signal 6" "$scratch/out"
has_text "one that cannot start, with its last words" "torch: code 1: ImportError: no open_clip here: skipped" "$scratch/out"
holds "the same as JSON" '(.cases | length) == 1 and (.skipped | length) == 2 and
  .versions.onnxruntime == "onnxruntime 9.9" and
  (.cases[0] | .batch == 2 and .peak_gflops == 1.5 and (.runners[1] | .agrees and .relative_error == 0))' "$folder/results.json"

sed -i 's/^FACTOR = 1/FACTOR = 1.002/' "$scratch/peers/onnxruntime/__init__.py"
race --towers toy --peers onnxruntime --threads 2 --batches 1 --rounds 1 --seconds 1e-9
verdict $? "a race with a peer that computes something else"
like "other results are told beside the time" 'onnxruntime .*OTHER RESULTS: off by 2\.0e-03' "$scratch/out"
like "by the clock at two threads" '^toy +1 +2  vocabench +2\.000 ' "$scratch/out"

race --towers toy --peers onnxruntime --threads "3x1" --batches 2 --rounds 1 --seconds 1e-9
verdict $? "three processes at once" "$(cat "$scratch/err")"
like "the rate is that of all, by the clock; the peak too" '^toy +2 +3x1  vocabench +12\.000 .* [0-9.]+ % *$' "$scratch/out"
like "so is a peer's" '^toy +2 +3x1  onnxruntime ' "$scratch/out"
holds "and as JSON" '.cases[0] | .processes == 3 and .threads == 1 and .batch == 2 and .peak_gflops == 4.5' "$folder/results.json"
sed -i 's/"peak": "1.5"/"peak": os.abort() if words[0] == "peak" else 0/; s/^import sys/import os, sys/' "$scratch/ours"
race --towers toy --peers onnxruntime --threads "2x1" --batches 2 --rounds 1 --seconds 1e-9
equal "one of ours that crashes ends the race" "$? $(grep -c 'vocabench: signal 6.*skipped' "$scratch/out")" "1 1"

race --towers toy --peers tensorflow
equal "an unknown peer is an error of usage" $? 2
race --towers toy --threads 0
equal "no threads, too" $? 2

cat >"$scratch/ours" <<'END'
#!/usr/bin/python3
import os, sys, time
with open(sys.argv[2] + ".pid", "w", encoding="ascii") as file:
    file.write(str(os.getpid()))
print("ready scalar 4 3 96", flush=True)
time.sleep(60)
END
race --towers toy --limit 0.5
equal "ours does not answer: a failure" "$? $(grep -c 'vocabench: no answer in' "$scratch/out")" "1 1"
check_not "and it is ended" grep -q '^State:.*S' "/proc/$(cat "$folder/toy/pixels.f32.pid")/status"

# ---- retrieval, against a FAISS that ends in its 8-bit index ----
cat >"$scratch/bench" <<'END'
#!/usr/bin/python3
import sys
import numpy as np
rows, queries, path = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
np.zeros((rows + queries, 512), np.float32).tofile(path)
print("ready avx2", flush=True)
for line in sys.stdin:
    kind, count, threads, ids = line.split()
    np.tile(np.arange(100), int(count)).tofile(ids)
    print({"fp32": 0.5, "int8": 0.125, "reading": 0.25, "reading8": 0.0625, "gemm": 10}[kind], flush=True)
END
chmod +x "$scratch/bench"
mkdir -p "$scratch/peers/faiss"
cat >"$scratch/peers/faiss/__init__.py" <<'END'
import os
from types import SimpleNamespace
import numpy as np
__version__ = "9.9 with " + os.environ["OPENBLAS_CORETYPE"]
METRIC_INNER_PRODUCT, cvar, ScalarQuantizer = 0, SimpleNamespace(), SimpleNamespace(QT_8bit=0)
def omp_set_num_threads(n): pass
def knn(queries, corpus, k, metric): return None, np.tile(np.arange(1, k + 1), (len(queries), 1))
def IndexScalarQuantizer(*arguments): os.abort()
END
retrieval() {
  env -u OPENBLAS_CORETYPE PYTHONPATH="$scratch/peers" PYTHONDONTWRITEBYTECODE=1 $python "$here/tests/bench/race_retrieval.py" \
    --rounds 1 --threads 1 --queries "1 2" --json "$scratch/retrieval.json" "$scratch/bench" "$scratch/race" 300 "$@" \
    >"$scratch/out" 2>"$scratch/err"
}
retrieval /usr/bin/python3 /bin/false
verdict $? "a race of retrieval in which FAISS crashes ends well" "$(cat "$scratch/err")"
has_text "OpenBLAS is told of a processor that ours is of" "FAISS 9.9 with Haswell flat-blas" "$scratch/out"
has_text "lists are compared" "99.00 % of the exact lists" "$scratch/out"
has_text "a FAISS that crashes is named, with the signal" "ended while it ran sq8: signal 6: skipped" "$scratch/out"
has_text "one that does not start, too" "/bin/false did not start: code 1: skipped" "$scratch/out"
holds "the same as JSON" '(.cases | length) == 2 and .level == "avx2" and .settings.OPENBLAS_CORETYPE == "Haswell" and
  (.cases[0] | (.skipped | length) == 1 and (.runners | length) == 4 and .runners[0].of_reading == 0.5) and
  (.cases[1] | .skipped == [] and (.runners | length) == 2)' "$scratch/retrieval.json"
sed -i 's/print({/sys.exit(3) if kind == "int8" else print({/' "$scratch/bench"
retrieval /usr/bin/python3
check_not "ours that ends is a failure" test $? = 0
finish
