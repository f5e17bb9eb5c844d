/* Compiled patterns, and what PCRE2 allocates. */
#include "kernels/text/pattern.h"

#include "kernels/base/memory.h"

static void *pcre_allocate(size_t size, void *data) {
    (void)data;
    return vb_array(size, 1, "pattern", NULL);
}

static void pcre_free(void *pointer, void *data) {
    (void)data;
    vb_free(pointer);
}

pcre2_general_context *vb_pattern_memory(vb_error *err) {
    pcre2_general_context *memory = pcre2_general_context_create(pcre_allocate, pcre_free, NULL);
    if (!memory) vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for patterns");
    return memory;
}

pcre2_code *vb_pattern_compile(pcre2_general_context *memory, const char *pattern, size_t n, uint32_t options, vb_error *err) {
    int code = PCRE2_ERROR_HEAP_FAILED;
    PCRE2_SIZE offset = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    options |= PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *compiled = context ? pcre2_compile((PCRE2_SPTR)pattern, n, options, &code, &offset, context) : NULL;
    pcre2_compile_context_free(context);
    if (!compiled && code == PCRE2_ERROR_HEAP_FAILED) vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for a pattern");
    else if (!compiled)
        vb_errorf(err, VB_EDATA, "tokenizer: the pattern '%.*s' is refused at byte %zu (PCRE2 error %d)", n < 60 ? (int)n : 60,
                  pattern, (size_t)offset, code);
    else pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it PCRE2 interprets: slower, the same matches */
    return compiled;
}
