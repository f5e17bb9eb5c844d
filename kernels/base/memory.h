/* Allocation with overflow checks, 64-byte alignment and fault injection: the only place that calls malloc's family. */
#ifndef VB_MEMORY_H
#define VB_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "kernels/base/error.h"

/* count * size zeroed bytes, aligned to 64. NULL with VB_EMEMORY on overflow or lack of memory; `what` names the purpose in
 * the message. A count of 0 gives a valid pointer. Free with vb_free. Thread-safe. */
void *vb_array(size_t count, size_t size, const char *what, vb_error *err);

/* The same, not zeroed: work space that is written before it is read. */
void *vb_buffer(size_t count, size_t size, const char *what, vb_error *err);

/* Grows *array (elements of `size` bytes) so that at least `needed` elements fit, doubling *capacity. New elements are zeroed. */
int vb_grow(void **array, size_t *capacity, size_t needed, size_t size, const char *what, vb_error *err);

/* A copy of a string, or of its first n bytes. Free with vb_free. */
char *vb_strdup(const char *text, vb_error *err);
char *vb_strndup(const char *text, size_t n, vb_error *err);

/* printf into a new string. Free with vb_free; NULL with *err. vb_memory_format_list: the same of arguments that a function with
 * "..." has got. */
char *vb_format(vb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *vb_memory_format_list(vb_error *err, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

void vb_free(void *pointer); /* NULL is fine */

/* `bytes` bytes, aligned for any type, for libraries that take an allocator and cannot be told why: NULL on lack of memory. Free
 * with vb_free. Thread-safe. */
void *vb_memory_plain(size_t bytes);

#endif
