"""Peers beside ours at the instruction set level that VOCABENCH_ISA holds it to: what they are told, and whether the processor has
more, so that they have to say what they made of it."""

# Variables of the environment for our level. OpenBLAS takes processors that it does not know for one without AVX (and kernels for one
# that has more are illegal instructions). onnxruntime has no such setting: its products look at the processor alone.
BLAS = {"avx2": {"OPENBLAS_CORETYPE": "Haswell"}, "avx512": {"OPENBLAS_CORETYPE": "SkylakeX"}, "vnni": {"OPENBLAS_CORETYPE": "SkylakeX"}}
HELD = {"avx2": {"faiss": {"FAISS_SIMD_LEVEL": "AVX2"}, "openvino": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
                 "torch": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}}}
BEYOND = {"avx2": ("avx512", "amx", "mlas")}  # in the names of OpenVINO's kernels; MLAS, whatever it is told, looks at the processor


def settings(level, peer):
    return {**(BLAS.get(level, {}) if peer == "faiss" else {}), **HELD.get(level, {}).get(peer, {})}


def is_held(level):
    """Whether the processor has more than the level, which is one that peers are held to."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return level in HELD and any(line.startswith("flags") and " avx512f" in line for line in file)


def reach_of_openvino(level, kernels):
    """kernels: the names of those that carry out the operations of a compiled model."""
    beyond = sorted(name for name in kernels if any(word in name for word in BEYOND[level]))
    if not beyond:
        return f"held to {level}"
    return f"not held to {level}: " + ", ".join(f"{beyond.count(name)} x {name}" for name in dict.fromkeys(beyond))
