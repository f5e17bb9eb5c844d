/* Names in which Apple publishes MobileCLIP (github.com/apple/ml-mobileclip), as rules of weight_names.c. MobileCLIP2's files
 * are under open_clip's and timm's. */
#ifndef VB_APPLE_NAMES_H
#define VB_APPLE_NAMES_H

#include "shards/weights/bert_names.h"

extern const vb_bert_names_rule vb_apple_names_b[]; /* MobileCLIP-B: a ViT behind a stem */
extern const vb_bert_names_rule
    vb_apple_names_s[]; /* S0, S1, S2: FastViT, branches apart or folded; texts of S0 with convolutions */

#endif
