/* The table of telling names. Sources: open_clip 3.3, timm 1.0 and transformers 5 state dicts; the publishers' own files of
 * PE, EVA and MobileCLIP. */
#include "shards/weights/architecture.h"

#include <string.h>

static const vb_architecture architectures[] = {
    {"a CLIP with an image tower of timm's and a text tower of BERT's kind", "text.transformer.embeddings", "visual.trunk", NULL,
     0, VB_TOWER_BOTH},
};

/* Of what no other row knows, unless a family has such names. */
static const vb_architecture of_timm = {"a CLIP with an image tower of timm's", "visual.trunk", NULL, NULL, 0, VB_TOWER_IMAGE};

/* A tensor whose name begins with the text, at the start or behind a dot. */
static const vb_named_tensor *find(const vb_tensor_set *file, const char *text) {
    const size_t n = strlen(text);
    for (size_t i = 0; i < file->count; i++)
        for (const char *at = file->items[i].name; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL)
            if (!strncmp(at, text, n)) return &file->items[i];
    return NULL;
}

const vb_architecture *vb_architecture_find(const vb_tensor_set *file, bool family) {
    for (size_t a = 0; a < sizeof architectures / sizeof *architectures; a++) {
        const vb_architecture *row = &architectures[a];
        const vb_named_tensor *found = find(file, row->present);
        if (!found || (row->also && !find(file, row->also)) || (row->absent && find(file, row->absent))) continue;
        if (!row->ndim || found->tensor.ndim == row->ndim) return row;
    }
    return !family && find(file, of_timm.present) ? &of_timm : NULL;
}
