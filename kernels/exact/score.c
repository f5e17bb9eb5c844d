/* The names of scores. */
#include "kernels/exact/score.h"

#include <stddef.h>

const char *const vb_score_names[] = {[VB_COSINE] = "cosine", [VB_DOT] = "dot", NULL};
