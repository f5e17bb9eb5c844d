#!/bin/bash
# The race of make bench-peers, with players of our own: one that agrees, one that does not, one that crashes. Needs no package.
. "$(dirname "$0")/../lib.sh" || exit 1
python=/usr/bin/python3
$python -c 'import numpy' 2>/dev/null || { skip "the race against peers" "no NumPy"; finish; }

# gone NAME LEAST PIDS: so many processes were seen, and none of them runs any more.
gone() {
  local pid left=0 seen=0
  for pid in $3; do
    seen=$((seen + 1))
    ! kill -0 "$pid" 2>/dev/null || left=$((left + 1))
  done
  equal "$1" "$((seen >= $2)) $left" "1 0" "$3"
}

folder=$scratch/race
mkdir -p "$folder/toy" "$folder/vit_b32"
for module in onnxruntime openvino open_clip torch; do mkdir -p "$scratch/peers/$module"; done
told='"resolution": 4, "open_clip": "3.3.0", "torch": "0", "onnx": "by hand", "text_onnx": "by hand"}'
echo "{\"model\": \"toy\", \"texts\": false, $told" >"$folder/toy/tower.json"
echo "{\"model\": \"toy\", \"texts\": true, $told" >"$folder/vit_b32/tower.json"
# Embeddings: the sum of each plane; of a text its sum and twice that.
cat >"$scratch/ours" <<'END'
#!/usr/bin/python3
import sys
import numpy as np
with open(sys.argv[1] + "/ours.pid", "w", encoding="ascii") as file:
    import os
    file.write(str(os.getpid()))
if sys.argv[3] == "prompts":
    sys.argv[1:] = ["toy", *sys.argv[4:6], sys.argv[1] + "/tokens-of-ours.npy"]
    exec(open(os.environ["TOKENS_SCRIPT"], encoding="utf-8").read())
    items = np.load(sys.argv[4])
    sums = items.sum(1).astype(np.float32)[:, None] * np.float32([1, 2])
    print(f"ready scalar {len(items)} 2 2e6 {items.shape[1]} 4", flush=True)
else:
    items = np.fromfile(sys.argv[4], np.float32).reshape(-1, 3, 4, 4)
    sums = items.sum((2, 3))
    print("ready scalar 4 3 9.6e7", flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "save":
        sums[:int(words[1])].tofile(words[2])
    print({"save": "saved", "peak": "1.5", "gemm": "1.25", "time": "0.25 0.5", "files": "2.5 5"}[words[0]], flush=True)
END
chmod +x "$scratch/ours"
export TOKENS_SCRIPT=$here/tests/bench/peers_tokens.py
cat >"$scratch/peers/onnxruntime/__init__.py" <<'END'
from types import SimpleNamespace
__version__ = "9.9"
class ExecutionMode: ORT_SEQUENTIAL = 0
class GraphOptimizationLevel: ORT_ENABLE_ALL = 0
class SessionOptions:
    def add_session_config_entry(self, key, value): pass
class InferenceSession:
    def __init__(self, path, options, providers): pass
    def get_inputs(self): return [SimpleNamespace(name="items")]
    def run(self, names, inputs):
        items = inputs["items"]
        sums = items.sum((2, 3)) if items.ndim == 4 else items.sum(1).astype("f")[:, None] * [1, 2]
        return [sums * FACTOR]
FACTOR = 1
END
echo 'import os; os.abort()' >"$scratch/peers/openvino/__init__.py"
echo 'raise ImportError("no PyTorch here")' >"$scratch/peers/torch/__init__.py"
# A token a word, and the end token behind it.
cat >"$scratch/peers/open_clip/__init__.py" <<'END'
from types import SimpleNamespace
import numpy as np
def get_tokenizer(model):
    def cut(texts):
        rows = np.zeros((len(texts), 12), np.int64)
        for row, text in zip(rows, texts):
            words = text.split()
            row[:len(words)], row[len(words)] = [sum(word.encode()) for word in words], 99999
        return SimpleNamespace(numpy=lambda: rows)
    return cut
END

race() {
  PYTHONPATH=$scratch/peers PYTHONDONTWRITEBYTECODE=1 $python "$here/tests/bench/peers_race.py" "$scratch/ours" "$folder" "$@" \
    >"$scratch/out" 2>"$scratch/err"
}
race --only toy --threads 1 --batches 2 --rounds 1 --seconds 1e-9
verdict $? "a race in which peers crash ends well" "$(cat "$scratch/err")"
like "ours, by seconds of the processor at one thread" '^toy +2 +1  vocabench +8\.000 ' "$scratch/out"
like "its share of the run's own products, too" '^toy +2 +1  vocabench .* 61\.4 %$' "$scratch/out"
like "from files, against encoding alone" '^toy +2 +1  vocabench, JPEG +6\.400 .* 0\.800 of encoding alone$' "$scratch/out"
like "a peer with equal results, as a ratio" '^toy +2 +1  onnxruntime .* [0-9]+\.[0-9]{2}$' "$scratch/out"
has_text "a peer that crashes is named, with the signal" "openvino: signal 6" "$scratch/out"
has_text "one that cannot start, with its last words" "torch: code 1: ImportError: no PyTorch here: skipped" "$scratch/out"
holds "the same as JSON" '(.cases | length) == 1 and (.skipped | length) == 2 and
  .versions.onnxruntime == "onnxruntime 9.9" and
  (.cases[0] | .batch == 2 and .peak_gflops == 1.5 and .gemm_gflops == 1.25 and .runners[1].of_encoding_alone == 0.8 and
    (.runners[2] | .agrees and .relative_error == 0))' "$folder/results.json"
$python "$here/tests/bench/peers_table.py" "$folder/results.json" "$scratch/none.json" >"$scratch/table"
like "and as a table" '^\| toy \| 2 \| 1 \| 8\.00 \| [0-9 |%.]+ \| 0\.800 \|$' "$scratch/table"

# ---- held to a level ----
told() { PYTHONPATH=$here/tests/bench $python -Bc "import peers_level as it; print($1)"; }
equal "peers are held to what ours is held to" "$(told '*(it.settings("avx2", peer) for peer in ("openvino", "onnxruntime"))')" \
  "{'ONEDNN_MAX_CPU_ISA': 'AVX2'} {}"
equal "beyond, OpenBLAS alone is told of a processor" "$(told '*(it.settings("vnni", peer) for peer in ("openvino", "faiss"))')" \
  "{} {'OPENBLAS_CORETYPE': 'SkylakeX'}"
equal "kernels beyond it are counted" "$(told 'it.reach_of_openvino("avx2", ["avx2", "avx512", "mlas", "mlas"])')" \
  "not held to avx2: 1 x avx512, 2 x mlas"
equal "or there is none" "$(told 'it.reach_of_openvino("avx2", ["jit_avx2_f32", "ref_any"])')" "held to avx2"
sed -i 's/ready scalar 4 3/ready avx2 4 3/' "$scratch/ours"
race --only toy --peers onnxruntime --threads "1 2x1" --batches 1 --rounds 1 --seconds 1e-9
beyond=0
if grep -q ' avx512f' /proc/cpuinfo; then beyond=1; fi
equal "one that goes beyond is told once a tower, where the processor has more" \
  "$(grep -c 'onnxruntime: not held to avx2' "$scratch/out") $(jq '.held | length' "$folder/results.json")" "$beyond $beyond" \
  "$(cat "$scratch/err")"
sed -i 's/ready avx2 4 3/ready scalar 4 3/' "$scratch/ours"

sed -i 's/^FACTOR = 1/FACTOR = 1.002/' "$scratch/peers/onnxruntime/__init__.py"
race --only toy --peers onnxruntime --threads 2 --batches 1 --rounds 1 --seconds 1e-9
verdict $? "a race with a peer that computes something else"
like "other results are told beside the time" 'onnxruntime .*OTHER RESULTS: off by 2\.0e-03' "$scratch/out"
like "by the clock at two threads" '^toy +1 +2  vocabench +2\.000 ' "$scratch/out"

race --only toy --peers onnxruntime --threads "3x1" --batches 2 --rounds 1 --seconds 1e-9
verdict $? "three processes at once" "$(cat "$scratch/err")"
like "the rate is that of all, by the clock; the peak too" '^toy +2 +3x1  vocabench +12\.000 .* [0-9.]+ % *$' "$scratch/out"
like "so is a peer's" '^toy +2 +3x1  onnxruntime ' "$scratch/out"
holds "and as JSON" '.cases[0] | .processes == 3 and .threads == 1 and .batch == 2 and .peak_gflops == 4.5' "$folder/results.json"
sed -i 's/"peak": "1.5"/"peak": os.abort() if words[0] == "peak" else 0/; s/^import sys/import os, sys/' "$scratch/ours"
race --only toy --peers onnxruntime --threads "2x1" --batches 2 --rounds 1 --seconds 1e-9
equal "one of ours that crashes ends the race" "$? $(grep -c 'vocabench: signal 6.*skipped' "$scratch/out")" "1 1"

race --only toy --peers tensorflow
equal "an unknown peer is an error of usage" $? 2
race --only toy --threads 0
equal "no threads, too" $? 2

# ---- prompts ----
if $python -c 'import yaml' 2>/dev/null; then
  sed -i 's/^FACTOR = .*/FACTOR = 1/' "$scratch/peers/onnxruntime/__init__.py"
  sed -i 's/os.abort() if words\[0\] == "peak" else 0/"1.5"/' "$scratch/ours"
  race --only prompts --peers "onnxruntime openvino" --threads "1 2x1" --rounds 1 --seconds 1e-9
  verdict $? "a race of prompts" "$(cat "$scratch/err")"
  like "ours, all at once, with the rows that it computes" \
    '^prompts +all +1  vocabench +7200\.000 .* [1-9]\.[0-9]{2} rows a prompt$' "$scratch/out"
  like "a peer in its best batch, on all rows" \
    '^prompts +(1|4|16|64) +1  onnxruntime .* [0-9.]+   12 rows a prompt$' "$scratch/out"
  holds "as JSON: equal embeddings of prompts picked at random, all batches, one process alone" '(.prompts | length) == 1 and
    (.prompts[0] | .prompts == 1800 and .prompts_a_unit == 4 and (.rows_a_prompt | .padded == 12 and .computed < .to_end) and
      (.runners[1] | .agrees and .relative_error == 0 and (.seconds_per_prompt_by_batch | length) == 4)) and
    (.skipped | length) == 1' "$folder/results.json"
  $python "$here/tests/bench/peers_table.py" "$folder/results.json" >"$scratch/table"
  like "and as a table" '^\| 1 \| 7200\.0 \| [1-9]\.[0-9]{2} of 12 \| ' "$scratch/table"
  equal "no cache is left" "$(find "$folder" -name 'cache-*' | wc -l)" 0
  sed -i 's/^FACTOR = .*/FACTOR = 1.002/' "$scratch/peers/onnxruntime/__init__.py"
  race --only prompts --peers onnxruntime --threads 1 --rounds 1 --seconds 1e-9
  like "other embeddings are told" 'onnxruntime .*OTHER RESULTS: off by 2\.0e-03' "$scratch/out"
else skip "the race of prompts" "no PyYAML"
fi
equal "rows are counted as distinct beginnings of a unit" "$(cd "$here/tests/bench" && $python -B -c '
import numpy, peers_prompts
tokens = numpy.array([[5, 1, 9, 0], [5, 1, 9, 0], [5, 2, 9, 0], [5, 2, 9, 0]])
counted = [peers_prompts.count_rows(tokens, unit) for unit in (4, 2, 1)]
print([rows["computed"] for rows in counted], counted[0]["to_end"])')" \
  "[1.25, 1.5, 3.0] 3.0"

# ---- stopped on the way ----
sed -i 's/^for line in sys.stdin:/import time\n&\n    if line.startswith("time"): time.sleep(60)/' "$scratch/ours"
PYTHONPATH=$scratch/peers $python -B "$here/tests/bench/peers_race.py" "$scratch/ours" "$folder" --only toy --peers onnxruntime \
  --threads 2x1 >"$scratch/out" 2>"$scratch/err" &
race=$!
for ((i = 0; i < 300; i++)); do
  if [ "$(pgrep -P $race | wc -l)" -ge 4 ]; then break; fi
  sleep 0.1
done
children=$(pgrep -P $race)
kill $race; kill $race
wait $race
equal "a race that is told to stop says so" "$? $(grep -c '^interrupted' "$scratch/out")" "130 1"
gone "and leaves none of its four processes or more" 4 "$children"
holds "nor an unreadable file" '.schema == "vocabench.peers/2"' "$folder/results.json"

# ---- ours, as it is built ----
if [ -x "$build/tests/bench/peers_ours" ] && [ -d "$shared/fixtures/clip-vit" ]; then
  fixture=$shared/fixtures/clip-vit/model.safetensors merges=$shared/reference/bpe_simple_vocab_16e6.txt.gz
  mkdir "$scratch/repository" "$scratch/cache"
  ln -s "$fixture" "$scratch/repository/model.safetensors"
  ln -s "$merges" "$scratch/repository/"
  cat >"$scratch/repository/open_clip_config.json" <<'END'
{"model_cfg": {"embed_dim": 32, "quick_gelu": true, "vision_cfg": {"image_size": 32, "layers": 2, "width": 128, "patch_size": 8},
               "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2}},
 "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "squash"}}
END
  printf 'name: p\nprompts: ["a photo of a {}.", "a {}."]\n' >"$scratch/templates.yaml"
  printf 'name: v\nvocabularies:\n  v: [cat, polar_bear, dog]\n' >"$scratch/names.yaml"
  printf '%s\n' "a photo of a cat." "a cat." "a photo of a polar bear." "a polar bear." \
    "a photo of a dog." "a dog." >"$scratch/texts.txt"
  printf 'save 6 %s\ntime 6 1\nrows\n' "$scratch/rows.f32" | "$build/tests/bench/peers_ours" "$scratch/repository" 1 prompts \
    "$scratch/templates.yaml" "$scratch/names.yaml" "$scratch/cache" >"$scratch/out" 2>"$scratch/err"
  equal "peers_ours ends with what it does not know" "$? $(grep -c 'expected time, save' "$scratch/err")" "2 1" \
    "$(cat "$scratch/err")"
  like "it encodes prompts, anew each time" '^[0-9.e-]+ [0-9.e-]+$' "$scratch/out"
  must "$vocabench" encode texts --raw --weights "$scratch/repository" --input "$scratch/texts.txt" --output "$scratch/rows.npy"
  check "to the bytes that the program makes" cmp "$scratch/rows.f32" \
    <(tail -c "$(stat -c %s "$scratch/rows.f32")" "$scratch/rows.npy")
  mkdir "$scratch/pictures"
  cp "$shared/fixtures/images/01.png" "$shared/fixtures/images/03.jpg" "$scratch/pictures/"
  head -c 12288 /dev/zero >"$scratch/pixels.f32"
  printf 'files 2 1\ntime 1 1\nsave 1 %s\n' "$scratch/image.f32" |
    "$build/tests/bench/peers_ours" "$scratch/repository" 1 images "$scratch/pixels.f32" "$scratch/pictures" \
    >"$scratch/out" 2>"$scratch/err"
  equal "and images, from files and from pixels, and leaves no file" "$? $(grep -cE '^[0-9.e-]+ [0-9.e-]+$' "$scratch/out") \
$(stat -c %s "$scratch/image.f32") $(find "$scratch" -name 'pixels.f32.*')" "0 2 128 " "$(cat "$scratch/err")"
else skip "peers_ours on a small model" "not built, or no shared data"
fi

cat >"$scratch/ours" <<'END'
#!/usr/bin/python3
import os, sys, time
with open(sys.argv[4] + ".pid", "w", encoding="ascii") as file:
    file.write(str(os.getpid()))
print("ready scalar 4 3 9.6e7", flush=True)
time.sleep(60)
END
race --only toy --limit 0.5
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
has_text "a FAISS says its level" "FAISS 9.9 with Haswell runs with loops of unknown level" "$scratch/out"
has_text "lists are compared" "99.00 % of the exact lists" "$scratch/out"
has_text "a FAISS that crashes is named, with the signal" "ended while it ran sq8: signal 6: skipped" "$scratch/out"
has_text "one that does not start, too" "/bin/false did not start: code 1: skipped" "$scratch/out"
holds "the same as JSON" '(.cases | length) == 2 and .level == "avx2" and .settings.OPENBLAS_CORETYPE == "Haswell" and
  (.cases[0] | (.skipped | length) == 1 and (.runners | length) == 4 and .runners[0].of_reading == 0.5) and
  (.cases[1] | .skipped == [] and (.runners | length) == 2)' "$scratch/retrieval.json"
PYTHONPATH=$scratch/peers $python -B "$here/tests/bench/race_retrieval.py" --rounds 1000000 --threads 1 --queries 1 \
  "$scratch/bench" "$scratch/race" 300 /bin/false >"$scratch/out" 2>"$scratch/err" &
race=$!
for ((i = 0; i < 300; i++)); do
  if [ -e "$scratch/race/ids" ]; then break; fi
  sleep 0.1
done
children=$(pgrep -P $race)
kill $race; kill $race
wait $race
equal "one that is told to stop says so, and leaves no rows" "$? $(grep -c '^interrupted' "$scratch/out") \
$(find "$scratch/race" -name rows.f32)" "130 1 "
gone "nor a process" 1 "$children"
sed -i 's/print({/sys.exit(3) if kind == "int8" else print({/' "$scratch/bench"
retrieval /usr/bin/python3
check_not "ours that ends is a failure" test $? = 0
finish
