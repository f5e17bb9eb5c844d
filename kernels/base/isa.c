/* Detection of the instruction set level from feature flags. */
#include "kernels/base/isa_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[] = {[VB_SCALAR] = "scalar", [VB_AVX2] = "avx2", [VB_AVX512] = "avx512", [VB_VNNI] = "vnni"};
static_assert(sizeof names / sizeof *names == VB_ISA_LEVELS, "a name for every level");
static _Atomic int limit = -1; /* -1: not yet read from the environment */

static vb_isa detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return VB_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return VB_AVX2;
    return __builtin_cpu_supports("avx512vnni") ? VB_VNNI : VB_AVX512;
#else
    return VB_SCALAR;
#endif
}

vb_isa vb_isa_level(void) {
    int level = limit;
    if (level < 0) {
        vb_isa best = detect();
        level = best;
        const char *wanted = getenv("VOCABENCH_ISA");
        if (wanted && vb_isa_of_name(wanted) < best) level = vb_isa_of_name(wanted);
        limit = level;
    }
    return (vb_isa)level;
}

void vb_isa_limit(vb_isa level) {
    vb_isa best = detect();
    limit = level < best ? level : best;
}

bool vb_isa_has_bf16(void) {
#if defined(__x86_64__)
    return vb_isa_level() == VB_VNNI && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

bool vb_isa_has_amx(void) {
#if defined(__x86_64__) && defined(__linux__)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18, AMX = 1 << 22 | 1 << 24 /* AMX-BF16, AMX-TILE */ };
    unsigned a, b, c, d; /* clang 14 has no names for these features */
    return vb_isa_has_bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX) == AMX &&
           !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
#else
    return false;
#endif
}

const char *vb_isa_name(vb_isa level) { return names[level]; }

vb_isa vb_isa_of_name(const char *name) {
    int level = 0;
    while (level < VB_ISA_LEVELS && strcmp(name, names[level])) level++;
    return (vb_isa)level;
}
