#!/usr/bin/env python3
"""One runner of peers_race.py: another program on one tower.  peers_worker.py PEER FOLDER images|texts ITEMS THREADS

PEER is onnxruntime, openvino or torch; the items are those of FOLDER/pixels.f32 or FOLDER/tokens.npy. Says "ready VERSION" and
answers each line as peers_ours does: "time BATCH RUNS" with seconds of the processor (all threads of this process) and of the
clock, "save BATCH FILE" with "saved"; and "level LEVEL", once something was computed, with "level " and whether it is held to that
instruction set level."""
import json
import os
import sys
import time

import numpy as np

from peers_level import reach_of_openvino

peer, folder, what, items, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
with open(os.path.join(folder, "tower.json"), encoding="utf-8") as file:
    tower = json.load(file)
if what == "texts":
    inputs = np.load(os.path.join(folder, "tokens.npy"))[:items]
else:
    side = tower["resolution"]
    inputs = np.fromfile(os.path.join(folder, "pixels.f32"), np.float32).reshape(-1, 3, side, side)[:items]
model_path = os.path.join(folder, "text.onnx" if what == "texts" else "image.onnx")


def onnxruntime_runner():
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Its threads wait in a loop for the next operation, which is fastest while it runs, and end that with the last one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return (f"onnxruntime {onnxruntime.__version__}", lambda batch: session.run(None, {name: inputs[:batch]})[0],
            lambda level: f"not held to {level}: it looks at the processor alone")


def openvino_runner():
    import openvino
    core = openvino.Core()
    model, compiled = core.read_model(model_path), {}

    def compile_for(batch):
        """Shapes known beforehand are what it is fastest with. Pinned, each of several processes would take the first core."""
        model.reshape([batch, *inputs.shape[1:]])
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": threads >= len(os.sched_getaffinity(0))}
        return core.compile_model(model, "CPU", settings).create_infer_request()

    def run(batch):
        if batch not in compiled:
            compiled.clear()
            compiled[batch] = compile_for(batch)
        return next(iter(compiled[batch].infer({0: inputs[:batch]}).values()))

    def reach(level):
        model = next(iter(compiled.values())).get_compiled_model().get_runtime_model()
        return reach_of_openvino(level, [op.get_rt_info()["primitiveType"].value for op in model.get_ops()])
    return f"OpenVINO {openvino.__version__}", run, reach


def torch_runner():
    sys.dont_write_bytecode = True  # beside the sources
    from peers_make import build  # first: it looks for open_clip
    import torch
    from safetensors.torch import load_file
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    model = build(tower["model"], tower["texts"])[1]
    model.load_state_dict(load_file(os.path.join(folder, "open_clip_model.safetensors")))
    encode = model.eval().encode_text if what == "texts" else model.eval().visual

    def run(batch):
        with torch.inference_mode():
            return encode(torch.from_numpy(inputs[:batch])).numpy()
    return (f"PyTorch {torch.__version__}", run,
            lambda level: f"{torch.backends.cpu.get_cpu_capability()}; oneDNN and MKL are told {level}, without an answer")


name, run, reach = {"onnxruntime": onnxruntime_runner, "openvino": openvino_runner, "torch": torch_runner}[peer]()
print("ready", name, flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "level":
        print("level", reach(words[1]), flush=True)
        continue
    if words[0] == "save":
        np.ascontiguousarray(run(int(words[1])), np.float32).tofile(words[2])
        print("saved", flush=True)
        continue
    batch, runs = int(words[1]), int(words[2])
    processor, clock = time.process_time(), time.perf_counter()
    for _ in range(runs):
        run(batch)
    print(f"{time.process_time() - processor:.9g} {time.perf_counter() - clock:.9g}", flush=True)
