/* From a path to named tensors: finds the container, then the names. */
#include "shards/weights/weights.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/weights/torch.h"
#include "shards/weights/weight_names.h"
#include "shards/weights/safetensors.h"

typedef struct owner {
    vb_torch *torch;
    void *safetensors;
    vb_weight_names names;
} owner;

/* safetensors: a header length that is no terabyte, then JSON. */
static bool looks_like_safetensors(const vb_map *map) {
    return map->size > 8 && map->data[8] == '{' && !memcmp(map->data + 4, "\0\0\0", 4);
}

static bool begins(const vb_map *map, const char *text) {
    return map->size >= strlen(text) && !memcmp(map->data, text, strlen(text));
}

static int refuse_container(const vb_map *map, const char *path, vb_error *err) {
    if (!map->size) return vb_errorf(err, VB_EDATA, "%s: the file is empty", path);
    if (begins(map, "version https://git-lfs"))
        return vb_errorf(err, VB_EDATA, "%s: a Git LFS pointer, not the file it points to", path);
    char start[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < map->size; i++) snprintf(start + 3 * i, sizeof start - 3 * i, "%02x ", map->data[i]);
    return vb_errorf(err, VB_EUNSUPPORTED,
                     "%s: begins with the bytes %s, neither safetensors nor a file of torch.save or torch.jit.save", path, start);
}

static int read_container(vb_weights *weights, owner *own, const char *path, vb_error *err) {
    const vb_map *map = &weights->map;
    if (looks_like_safetensors(map)) {
        weights->container = "safetensors";
        return vb_safetensors_parse(&weights->set, &own->safetensors, map, path, err);
    }
    if (vb_torch_begins(map->data, map->size))
        return vb_torch_parse(&weights->set, &own->torch, &weights->container, map, path, err);
    return refuse_container(map, path, err);
}

int vb_weights_open_raw(vb_weights *weights, const char *path, bool digest, vb_error *err) {
    *weights = (vb_weights){.naming = "as in the file"};
    owner *own = vb_array(1, sizeof *own, "weights", err);
    if (!own) return -1;
    weights->storage = own;
    if (vb_map_open(&weights->map, path, err) || read_container(weights, own, path, err)) {
        vb_weights_close(weights);
        return -1;
    }
    if (digest) weights->digest = vb_digest_bytes(weights->map.data, weights->map.size);
    return 0;
}

int vb_weights_open(vb_weights *weights, const char *path, bool digest, vb_error *err) {
    if (vb_weights_open_raw(weights, path, digest, err)) return -1;
    owner *own = weights->storage;
    if (vb_weight_names_map(&own->names, &weights->set, path, err)) {
        vb_weights_close(weights);
        return -1;
    }
    weights->set = own->names.set;
    weights->unused = own->names.unused;
    weights->naming = own->names.naming;
    weights->family_hint = own->names.family;
    return 0;
}

int vb_weights_check(const vb_weights *weights, vb_error *err) { return vb_map_check(&weights->map, err); }

void vb_weights_close(vb_weights *weights) {
    owner *own = weights->storage;
    if (own) {
        vb_weight_names_free(&own->names);
        vb_torch_free(own->torch);
        vb_free(own->safetensors);
        vb_free(own);
    }
    vb_map_close(&weights->map);
    *weights = (vb_weights){0};
}
