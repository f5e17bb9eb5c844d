/* Allocation: aligned, zeroed, checked, and able to fail on request. */
#include "kernels/base/memory.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/base/fault.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

static void *allocate_aligned(size_t count, size_t size, bool zeroed, const char *what, vb_error *err) {
    if (size && count > (SIZE_MAX - ALIGNMENT) / size) {
        vb_errorf(err, VB_EMEMORY, "%s: %zu elements of %zu bytes overflow the address space", what, count, size);
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!bytes) bytes = ALIGNMENT;
    void *pointer = vb_fault(VB_FAULT_ALLOC) ? NULL : aligned_alloc(ALIGNMENT, bytes);
    if (!pointer) {
        vb_errorf(err, VB_EMEMORY, "%s: no memory for %zu bytes", what, bytes);
        return NULL;
    }
    if (zeroed) memset(pointer, 0, bytes);
    return pointer;
}

void *vb_array(size_t count, size_t size, const char *what, vb_error *err) {
    return allocate_aligned(count, size, true, what, err);
}

/* Large ones on huge pages where the system has them for the asking: towers walk through theirs in strides of kilobytes, and a
 * batch would begin with a page fault for every 4 KiB. Only whole pages that lie inside are asked for, so nothing else grows. */
void *vb_buffer(size_t count, size_t size, const char *what, vb_error *err) {
    char *pointer = allocate_aligned(count, size, false, what, err);
    if (pointer && count * size >= LARGE) {
        const size_t before = (HUGE_PAGE - (uintptr_t)pointer % HUGE_PAGE) % HUGE_PAGE;
        madvise(pointer + before, (count * size - before) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
    return pointer;
}

int vb_grow(void **array, size_t *capacity, size_t needed, size_t size, const char *what, vb_error *err) {
    assert(size && (*array || !*capacity));
    if (needed <= *capacity) return 0;
    size_t larger = *capacity ? *capacity : 16;
    while (larger < needed) larger = larger > SIZE_MAX / 2 ? needed : larger * 2;
    void *copy = vb_array(larger, size, what, err);
    if (!copy) return -1;
    if (*array) memcpy(copy, *array, *capacity * size);
    vb_free(*array);
    *array = copy;
    *capacity = larger;
    return 0;
}

char *vb_strndup(const char *text, size_t n, vb_error *err) {
    char *copy = vb_array(n + 1, 1, "string", err);
    if (copy) memcpy(copy, text, n);
    return copy;
}

char *vb_strdup(const char *text, vb_error *err) { return vb_strndup(text, strlen(text), err); }

void vb_free(void *pointer) { free(pointer); }

void *vb_memory_plain(size_t bytes) { return vb_fault(VB_FAULT_ALLOC) ? NULL : malloc(bytes ? bytes : 1); }

char *vb_memory_format_list(vb_error *err, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0) {
        vb_errorf(err, VB_EINTERNAL, "cannot format '%s'", format);
        return NULL;
    }
    char *text = vb_array((size_t)n + 1, 1, "text", err);
    if (text) vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

char *vb_format(vb_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = vb_memory_format_list(err, format, args);
    va_end(args);
    return text;
}
