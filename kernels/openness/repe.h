/* Retrieval-enhanced prompt engineering (REPE): which captions count for a class, and the blend of class text and captions.
 *
 * Source: Ren et al., Delving into the Openness of CLIP (2022), section 5, and its official code. */
#ifndef VB_REPE_H
#define VB_REPE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* A class name's words, lower-cased, as the official filter cuts it (at spaces and underscores). */
typedef struct vb_class_words {
    int count;
    char **words;
} vb_class_words;
/* Free with vb_repe_words_free, also after a failure. */
int vb_repe_words_new(vb_class_words *words, const char *class_name, vb_error *err);
void vb_repe_words_free(vb_class_words *words);

/* The official filter: whether the lower-cased caption holds one of the words, anywhere in it ("stingray" holds "ray"). *holds
 * gets the answer. */
int vb_repe_caption_holds(const vb_class_words *words, const char *caption, bool *holds, vb_error *err);

typedef struct vb_blend {
    double lambda;
    bool renormalize; /* e is made a unit vector */
    bool keep_length; /* then it is multiplied by |t|: for VB_DOT, where the length of a text counts */
} vb_blend;

/* e = (1 - lambda) t / |t| + lambda mean(r_i / |r_i|), and what `how` says. text: dim; rows: n pointers to dim floats. n = 0, or a
 * lambda of 0, leaves t / |t|, or with keep_length t to the bit. In fp64 and one fixed order; out: dim. VB_EDATA when a row or the
 * blend has no direction. */
int vb_repe_blend(const float *text, const float *const *rows, int64_t n, int dim, const vb_blend *how, float *out,
                  vb_error *err);

#endif
