/* In what a model's products are computed, decided when it is opened: in fp32, or in three products of bf16 (bf16x3.h). */
#ifndef VB_PRECISION_H
#define VB_PRECISION_H

#include "kernels/image/preprocess.h"
#include "kernels/text/tokenizer.h"
#include "kernels/towers/clip.h"
#include "mpi/experiment/experiment.h"
#include "mpi/ranks/comm.h"

typedef struct vb_precision {
    bool bf16x3; /* else fp32 */
    /* The largest difference of a component of unit embeddings from the fp32 path, over the sample below; NaN: no such tower, or
     * no tokenizer was opened. */
    double image_error, text_error;
} vb_precision;

/* What decides about a model. */
typedef struct vb_precision_model {
    vb_clip *clip;                 /* multiplies as was decided afterwards */
    const vb_tokenizer *tokenizer; /* or NULL */
    const vb_preprocess *preprocess;
    const char *name; /* for notes: of the model */
} vb_precision_model;

/* As stated: fp32 and bf16x3 as they say; fastest takes bf16x3 where every rank has instructions for bf16 and finds it faster
 * by a twentieth, which is measured now, and else fp32. Rank 0 says on stderr what was decided and why, and measures the error:
 * over four pictures of 320 x 240 pixels drawn by a formula, and four fixed prompts. All ranks decide alike. Collective. */
int vb_precision_decide(vb_precision *precision, vb_stated_precision stated, const vb_precision_model *model, vb_comm *comm,
                        vb_error *err);

/* The sample: red, green and blue of pixel (x, y) of picture 0 to 3; and the prompts. */
void vb_precision_pixel(int picture, int x, int y, uint8_t rgb[3]);
extern const char *const vb_precision_prompts[4];

/* What this processor makes of bf16x3, as a line for people. Local. */
int vb_precision_describe(char *text, size_t size, vb_error *err);

#endif
