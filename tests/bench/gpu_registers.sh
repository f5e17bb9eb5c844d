#!/bin/bash
# What compilers give to the device's main kernels: registers an item, waves that they leave room for, spills. For the tables of
# docs/measurements.md, on any machine with clang: gpu_registers.sh [PTXAS] (NVIDIA's, part of the wheel nvidia-cuda-nvcc-cu12).
set -eu
cd "$(dirname "$0")/../.."
ptxas=${1:-}
command -v clang >/dev/null || { echo "skipped: clang is not installed"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/vocabench-registers.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The functions of OpenCL that the kernels call, by those of either target: a driver brings its own.
cat >"$work/before.cl" <<'E'
#define OF __attribute__((overloadable, always_inline))
#ifdef NVIDIA
size_t OF get_local_id(uint d) { return d ? 0 : __nvvm_read_ptx_sreg_tid_x(); }
size_t OF get_group_id(uint d) { return d ? __nvvm_read_ptx_sreg_ctaid_y() : __nvvm_read_ptx_sreg_ctaid_x(); }
void OF barrier(cl_mem_fence_flags flags) { __syncthreads(); }
#else
size_t OF get_local_id(uint d) { return d ? 0 : __builtin_amdgcn_workitem_id_x(); }
size_t OF get_group_id(uint d) { return d ? __builtin_amdgcn_workgroup_id_y() : __builtin_amdgcn_workgroup_id_x(); }
void OF barrier(cl_mem_fence_flags flags) {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
#endif
float OF fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
float OF fabs(float a) { return __builtin_fabsf(a); }
int OF min(int a, int b) { return a < b ? a : b; }
int OF max(int a, int b) { return a > b ? a : b; }
float4 OF vload4(size_t at, const __global float *p) { return (float4)(p[at * 4], p[at * 4 + 1], p[at * 4 + 2], p[at * 4 + 3]); }
E

# show KERNEL FILE OPTION...
show() {
  local kernel=$1 file=$2; shift 2
  cat "$work/before.cl" kernels/gpu/gpu_math.cl "kernels/gpu/$file" >"$work/k.cl"
  local compile=(clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -O3 -S -w "$@" "$work/k.cl")
  echo "$kernel $*"
  "${compile[@]}" -target amdgcn-amd-amdhsa -mcpu=gfx90a -nogpulib -o "$work/k.s"
  awk -v kernel="$kernel:" '$1 == kernel { on = 1 }
    on && /^; TotalNumVgprs:/ { registers = $3 } on && /^; ScratchSize:/ { spilled = $3 } on && /^; LDSByteSize:/ { lds = $3 }
    on && /^; Occupancy:/ {
      print "  gfx90a: " registers " registers, " $3 " waves a SIMD, " lds " bytes, " spilled " spilled"
      exit
    }' "$work/k.s"
  [ -n "$ptxas" ] || return 0
  "${compile[@]}" -DNVIDIA -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang sm_80 -Xclang -target-feature \
    -Xclang +ptx72 -o "$work/k.ptx"
  sed -i 's/^.target sm_80.*/.target sm_90/; s/^.version .*/.version 7.8/' "$work/k.ptx"
  local limit
  for limit in "" 128; do
    echo "  sm_90${limit:+, at most $limit}:$("$ptxas" -arch=sm_90 ${limit:+-maxrregcount $limit} -v "$work/k.ptx" \
      -o "$work/k.o" 2>&1 |
      grep -A3 "entry function '$kernel'" | grep -oE '[0-9]+ (registers|bytes (smem|spill stores))' | sed 's/^/ /' | paste -sd,)"
  done
}

sed -nE 's/^ *\{([0-9]+), ([0-9]+), ([0-9]+), ([0-9]+), ([0-9]+), .*/\1 \2 \3 \4 \5/p' kernels/gpu/gpu_tiles.c |
  while read -r bm bn bk tm tn; do
    for type in 0 1; do
      show gemm gpu_gemm.cl -DBM="$bm" -DBN="$bn" -DBK="$bk" -DTM="$tm" -DTN="$tn" -DUNROLL -DTYPE=$type -DACTIVATION=0 -DALIGNED
    done
  done
for items in 64 128; do show attention gpu_attention.cl -DROWS=14 -DITEMS=$items -DALIGNED; done
