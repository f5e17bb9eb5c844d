/* What files beside the weights can tell of a model, as plain values. */
#ifndef VB_SIDE_FACTS_H
#define VB_SIDE_FACTS_H

#include <stdbool.h>

#include "kernels/image/preprocess.h"
#include "kernels/matrix/gemm.h"
#include "kernels/text/text_cleanup.h"
#include "kernels/towers/tower_kinds.h"

/* One tower. What is 0 is not told; sizes that are must be the tensors'. */
typedef struct vb_side_tower {
    bool told; /* such a tower is in the configuration */
    vb_activation activation;
    int heads, width, layers;
    float epsilon;
} vb_side_tower;

typedef struct vb_side_facts {
    const char *towers_from; /* "config.json", "open_clip_config.json"; NULL: no such file, and nothing of the next lines */
    const char *family;      /* whose model the file describes, by its name; NULL: not told */
    vb_side_tower image, text;
    vb_text_mask text_mask;
    vb_text_pooling text_pooling;
    int image_size, patch, context, vocabulary, embed;
    int positions;            /* of the patches of images of any shape; 0: not told */
    int end_token;            /* a text is pooled where it comes first; 0: at its highest id */
    const char *pixels_from;  /* "preprocessor_config.json", "processor_config.json", "open_clip_config.json"; NULL: not told */
    vb_preprocess preprocess; /* its resolution is 0 where the file leaves it to the model */
    bool cleaning_told, strip_end_told; /* of texts, by open_clip's tokenizer_kwargs */
    vb_cleaning cleaning;
    bool strip_end;
    char language[16]; /* of texts, as NLLB's tokenizer calls it; "": not told */
} vb_side_facts;

#endif
