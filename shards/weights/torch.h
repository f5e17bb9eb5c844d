/* What torch.save and torch.jit.save write: zip archives, TorchScript archives, and the pickle stream of PyTorch before 1.6. */
#ifndef VB_TORCH_H
#define VB_TORCH_H

#include <stdbool.h>

#include "kernels/base/tensor.h"
#include "shards/files/map.h"

typedef struct vb_torch vb_torch; /* owns items and names of the set */

/* Whether a file that begins with these bytes is such a file: a zip archive, or a pickle with its protocol. */
bool vb_torch_begins(const uint8_t *bytes, size_t size);

/* Every tensor that is found by text keys from the file's root, under the keys joined by dots ("state_dict.module.proj"); module
 * objects (TorchScript's, and whole pickled ones) are walked by their attributes. Sorted by name. The tensors are views into the
 * map (compressed entries: into *torch) with the strides of the file; strides, offsets and storage sizes are checked against the
 * file. Little-endian only.
 *
 * *container: "torch zip", "TorchScript" or "legacy pickle". VB_EDATA for bytes that are wrong, VB_EUNSUPPORTED for tensors of
 * other kinds (quantised, sparse, complex) and pickles of other programs. Nothing is executed: see shards/weights/pickle.h.
 * Bounded against nesting, cycles and aliases. Free *torch after the last use of the set. Thread-safe. */
int vb_torch_parse(vb_tensor_set *set, vb_torch **torch, const char **container, const vb_map *map, const char *path,
                   vb_error *err);
void vb_torch_free(vb_torch *torch); /* NULL is fine */

#endif
