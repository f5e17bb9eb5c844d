/* The ways in which towers of one architecture differ: which rows see which, which are pooled, and what follows. */
#ifndef VB_TOWER_KINDS_H
#define VB_TOWER_KINDS_H

/* Which rows a row of a text sees: itself and those before it; all of the context, padding included; or all but the padding. */
typedef enum vb_text_mask { VB_MASK_UNSET, VB_MASK_CAUSAL, VB_MASK_NONE, VB_MASK_PADDING, VB_TEXT_MASKS } vb_text_mask;
/* The row that a text's embedding is made from: of its end token, the context's last one, the first, or the mean of all. */
typedef enum vb_text_pooling {
    VB_POOLING_UNSET,
    VB_POOLING_END,
    VB_POOLING_LAST,
    VB_POOLING_FIRST,
    VB_POOLING_MEAN,
    VB_TEXT_POOLINGS
} vb_text_pooling;

/* What a ViT's embedding is made from: the class row; the mean of the patches; or all rows, pooled by a learned query. */
typedef enum vb_image_pooling { VB_IMAGE_CLASS, VB_IMAGE_MEAN, VB_IMAGE_QUERY } vb_image_pooling;
typedef enum vb_image_projection {
    VB_IMAGE_MATRIX,
    VB_IMAGE_MATRIX_AND_BIAS,
    VB_IMAGE_BIAS_VARIES,
    VB_IMAGE_UNPROJECTED
} vb_image_projection;

#endif
