/* Included in front of kernels/base/isa.c (gcc -include): a processor that says it has every instruction set. */
#define __builtin_cpu_supports(feature) 1
