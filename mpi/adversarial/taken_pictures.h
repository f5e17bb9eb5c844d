/* The pictures that adversarial names take, read again from where the run found them. Rank 0 only, all local. */
#ifndef VB_TAKEN_PICTURES_H
#define VB_TAKEN_PICTURES_H

#include "mpi/figures/section.h"

/* Appends to the page, for each target of the subject's adversarial vocabularies, the names that take images with small copies
 * of some of those. Where the pictures cannot be had (precomputed embeddings, data that is gone or has changed, results of an
 * older version) it says so instead. Nothing without adversarial names. VB_EMEMORY. */
int vb_taken_pictures_add(const vb_section_subject *subject, vb_strbuf *out, vb_error *err);

#endif
