/* Files that belong together part by part: paired by the numbers in their names, not by the order in which the names sort. */
#ifndef VB_NUMBERED_H
#define VB_NUMBERED_H

#include <stddef.h>

#include "kernels/base/error.h"
#include "kernels/base/strings.h"

/* Puts `others` into the order of their `parts` (count of each): metadata_00002 belongs to img_emb_2. Of the numbers in a name
 * the last one counts that tells the files of its kind apart. Where names have no such number they are the same up to their first
 * dot. One part and one other belong together, whatever they are called. `what` the others are, and `whole` of what the parts
 * are: for messages. VB_EMISMATCH names the part or the other that is alone. */
int vb_numbered_pair(const char *const *parts, size_t count, vb_strings *others, const char *what, const char *whole,
                     vb_error *err);

#endif
