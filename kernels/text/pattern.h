/* PCRE2's patterns, of UTF-8 and Unicode's classes, over this program's memory. */
#ifndef VB_PATTERN_H
#define VB_PATTERN_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "kernels/base/error.h"

/* Where patterns and matches lie: free with pcre2_general_context_free. NULL with VB_EMEMORY. */
pcre2_general_context *vb_pattern_memory(vb_error *err);

/* A pattern of n bytes; `options` are PCRE2's. Free with pcre2_code_free. NULL with VB_EDATA when PCRE2 refuses it, as it does
 * \C, which cuts characters apart; or with VB_EMEMORY. */
pcre2_code *vb_pattern_compile(pcre2_general_context *memory, const char *pattern, size_t n, uint32_t options, vb_error *err);

#endif
