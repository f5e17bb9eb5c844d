/* Growing text: appended to freely, asked once at the end whether memory sufficed. */
#ifndef VB_STRBUF_H
#define VB_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/base/error.h"

/* Begin with {0}. After a failure everything further is dropped; vb_strbuf_end tells. bytes is NUL-terminated once anything was
 * added. */
typedef struct vb_strbuf {
    char *bytes;
    size_t filled, capacity;
    bool failed;
} vb_strbuf;

void vb_strbuf_add(vb_strbuf *text, const char *piece);
void vb_strbuf_add_n(vb_strbuf *text, const char *piece, size_t n);
void vb_strbuf_format(vb_strbuf *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* With & < > " ' as HTML character references; control characters other than line breaks and tabs become U+FFFD. */
void vb_strbuf_add_html(vb_strbuf *text, const char *piece);
/* As a CSV field: in double quotes, those inside doubled; line breaks become spaces. A text that a spreadsheet would
 * take for a formula (= + - @) gets an apostrophe in front, as its users write it. */
void vb_strbuf_add_csv(vb_strbuf *text, const char *piece);
void vb_strbuf_add_base64(vb_strbuf *text, const void *bytes, size_t n);
/* The first n bytes with LaTeX's special characters escaped. */
void vb_strbuf_add_latex_n(vb_strbuf *text, const char *piece, size_t n);

/* 0, or -1 with VB_EMEMORY when something did not fit. */
int vb_strbuf_end(const vb_strbuf *text, const char *what, vb_error *err);
/* Ends the text and writes it as a whole file. */
int vb_strbuf_write(const vb_strbuf *text, const char *path, vb_error *err);
void vb_strbuf_free(vb_strbuf *text);

#endif
