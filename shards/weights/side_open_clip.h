/* The fields of open_clip_config.json: a part of side_files.c. */
#ifndef VB_SIDE_OPEN_CLIP_H
#define VB_SIDE_OPEN_CLIP_H

#include "shards/weights/fields.h"
#include "shards/weights/side_facts.h"

void vb_side_open_clip_fields(vb_fields *root, vb_side_facts *facts);

#endif
