/* From a path to named tensors: finds the container, then the names. */
#include "shards/weights/weights.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/towers/family.h"
#include "shards/files/content.h"
#include "shards/files/path.h"
#include "shards/weights/architecture.h"
#include "shards/weights/torch.h"
#include "shards/weights/weight_names.h"
#include "shards/weights/safetensors.h"

/* What the reader of one file owns. */
typedef struct shard {
    vb_torch *torch;
    void *safetensors;
    vb_tensor_set set;
} shard;

typedef struct owner {
    shard *shards;          /* one a file */
    vb_named_tensor *items; /* of several files together */
    vb_weight_names names;
} owner;

/* safetensors: a header length that is no terabyte, then JSON. */
static bool looks_like_safetensors(const uint8_t *bytes, size_t n) {
    return n > 8 && bytes[8] == '{' && !memcmp(bytes + 4, "\0\0\0", 4);
}

bool vb_weights_begin(const uint8_t *bytes, size_t n) { return looks_like_safetensors(bytes, n) || vb_torch_begins(bytes, n); }

static int read_container(const vb_map *map, shard *its, const char **container, const char *path, vb_error *err) {
    if (looks_like_safetensors(map->data, map->size)) {
        *container = "safetensors";
        return vb_safetensors_parse(&its->set, &its->safetensors, map, path, err);
    }
    if (vb_torch_begins(map->data, map->size)) return vb_torch_parse(&its->set, &its->torch, container, map, path, err);
    /* What stands for a file that was not fetched, and an empty file, are no kinds of files. */
    const bool bad = !map->size || vb_content_is_no_file(map->data, map->size);
    return vb_content_refuse(path, map->data, map->size, "safetensors, or a file of torch.save or torch.jit.save",
                             bad ? VB_EDATA : VB_EUNSUPPORTED, err);
}

/* ---- shards ---- */

static int shard_of(const owner *own, size_t shards, const char *tensor) {
    for (size_t s = 0; s < shards; s++)
        if (vb_tensor_find(&own->shards[s].set, tensor)) return (int)s;
    return -1;
}

/* What a shard holds: tensors that the index lists, and that no shard before it holds. */
static int check_shard(const vb_repository *where, const owner *own, size_t s, vb_error *err) {
    const vb_tensor_set *set = &own->shards[s].set;
    const char *path = where->shards.items[s];
    for (size_t i = 0; i < set->count; i++) {
        const char *name = set->items[i].name;
        if (!json_object_get(where->weight_map, name))
            return vb_errorf(err, VB_EDATA, "%s: tensor %.100s is not in the weight_map of %s", path, name, where->file);
        int first = shard_of(own, s, name);
        if (first >= 0)
            return vb_errorf(err, VB_EDATA, "%s: tensor %.100s is in two shards, %s and %s", where->file, name,
                             vb_path_base_name(where->shards.items[first]), vb_path_base_name(path));
    }
    return 0;
}

/* Every tensor that the index lists is in the shard that it names, and no shard holds another. */
static int check_index(const vb_repository *where, const owner *own, vb_error *err) {
    const char *tensor;
    json_t *value;
    for (size_t s = 0; s < where->shards.count; s++)
        if (check_shard(where, own, s, err)) return -1;
    json_object_foreach(where->weight_map, tensor, value) {
        int found = shard_of(own, where->shards.count, tensor);
        if (found < 0)
            return vb_errorf(err, VB_EDATA, "%s: tensor %.100s is in none of the %zu shards, expected it in %s", where->file,
                             tensor, where->shards.count, json_string_value(value));
        const char *name = vb_path_base_name(where->shards.items[found]);
        if (strcmp(name, json_string_value(value)))
            return vb_errorf(err, VB_EDATA, "%s: tensor %.100s is in shard %s, expected it in %s", where->file, tensor, name,
                             json_string_value(value));
    }
    return 0;
}

static int tensor_order(const void *a, const void *b) {
    return strcmp(((const vb_named_tensor *)a)->name, ((const vb_named_tensor *)b)->name);
}

/* The tensors of all shards as one sorted set. */
static int join_shards(vb_weights *weights, owner *own, vb_error *err) {
    if (check_index(&weights->where, own, err)) return -1;
    size_t count = json_object_size(weights->where.weight_map), n = 0;
    if (!(own->items = vb_array(count, sizeof *own->items, "table of tensors", err))) return -1;
    for (size_t s = 0; s < weights->where.shards.count; s++)
        for (size_t i = 0; i < own->shards[s].set.count; i++) own->items[n++] = own->shards[s].set.items[i];
    assert(n == count); /* both ways round, as checked */
    qsort(own->items, n, sizeof *own->items, tensor_order);
    weights->set = (vb_tensor_set){n, own->items};
    return 0;
}

static int digest_shard(const vb_weights *weights, size_t s, const vb_digest_watch *watch, vb_digest *digest, vb_error *err) {
    vb_error_clear(err);
    if (!vb_digest_watched(weights->maps[s].data, weights->maps[s].size, watch, digest, err)) return 0;
    if (err->code != VB_EINCOMPLETE) vb_error_prefix(err, "%s", weights->where.shards.items[s]);
    return -1;
}

int vb_weights_digest(const vb_weights *weights, const vb_digest_watch *watch, vb_digest *digest, vb_error *err) {
    vb_digester *digester;
    vb_digest its;
    if (!weights->where.weight_map) return digest_shard(weights, 0, watch, digest, err);
    int status = vb_digest_new(&digester, err);
    if (status) return -1;
    for (size_t s = 0; s < weights->where.shards.count; s++) {
        status = digest_shard(weights, s, watch, &its, err);
        if (status) break;
        vb_digest_add_text(digester, vb_path_base_name(weights->where.shards.items[s]));
        vb_digest_add_text(digester, its.hex);
    }
    if (status) vb_digest_free(digester);
    else *digest = vb_digest_finish(digester);
    return status;
}

/* ---- opening ---- */

static int open_files(vb_weights *weights, owner *own, const char *path, vb_error *err) {
    if (vb_repository_open(&weights->where, path, err)) return -1;
    const vb_strings *files = &weights->where.shards;
    if (!(weights->maps = vb_array(files->count, sizeof *weights->maps, "maps of weights", err))) return -1;
    if (!(own->shards = vb_array(files->count, sizeof *own->shards, "shards of weights", err))) return -1;
    for (size_t s = 0; s < files->count; s++) {
        if (vb_map_open(&weights->maps[s], files->items[s], err)) return -1;
        if (read_container(&weights->maps[s], &own->shards[s], &weights->container, files->items[s], err)) return -1;
        weights->bytes += (int64_t)weights->maps[s].size;
    }
    if (weights->where.weight_map) return join_shards(weights, own, err);
    weights->set = own->shards[0].set;
    return 0;
}

int vb_weights_open_raw(vb_weights *weights, const char *path, bool digest, vb_error *err) {
    *weights = (vb_weights){.naming = "as in the file"};
    owner *own = vb_array(1, sizeof *own, "weights", err);
    if (!own) return -1;
    weights->storage = own;
    int status = open_files(weights, own, path, err);
    const vb_digest_watch nobody = {0};
    if (!status && digest) status = vb_weights_digest(weights, &nobody, &weights->digest, err);
    if (status) vb_weights_close(weights);
    return status;
}

int vb_weights_open(vb_weights *weights, const char *path, bool digest, vb_error *err) {
    if (vb_weights_open_raw(weights, path, digest, err)) return -1;
    owner *own = weights->storage;
    const vb_tensor_set file = weights->set;
    if (vb_weight_names_map(&own->names, &weights->set, weights->where.file, err)) {
        vb_weights_close(weights);
        return -1;
    }
    weights->set = own->names.set;
    weights->unused = own->names.unused;
    weights->naming = own->names.naming;
    weights->family_hint = own->names.family;
    const vb_family *family = weights->family_hint ? vb_family_find(weights->family_hint) : NULL;
    weights->architecture = vb_architecture_find(&file, family && family->signs);
    return 0;
}

static bool is_of_tower(const char *name, vb_tower tower) {
    const bool image = !strncmp(name, "visual.", 7) || !strncmp(name, "vision_model.", 13), both = !strncmp(name, "logit_", 6);
    return both || image == (tower == VB_TOWER_IMAGE);
}

void vb_weights_keep_tower(vb_weights *weights, vb_tower tower) {
    size_t kept = 0;
    const vb_tower other = tower == VB_TOWER_IMAGE ? VB_TOWER_TEXT : VB_TOWER_IMAGE;
    if (tower == VB_TOWER_BOTH || !weights->architecture || weights->architecture->tower != other) return;
    for (size_t i = 0; i < weights->set.count; i++)
        if (is_of_tower(weights->set.items[i].name, tower)) weights->set.items[kept++] = weights->set.items[i];
    weights->set.count = kept;
    weights->architecture = NULL;
}

int vb_weights_check(const vb_weights *weights, vb_error *err) {
    for (size_t s = 0; weights->maps && s < weights->where.shards.count; s++)
        if (vb_map_check(&weights->maps[s], err)) return -1;
    return 0;
}

int vb_weights_identity(const vb_weights *weights, vb_digest *identity, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    for (size_t s = 0; s < weights->where.shards.count; s++)
        vb_digest_add(digester, &weights->maps[s].identity, sizeof weights->maps[s].identity);
    *identity = vb_digest_finish(digester);
    return 0;
}

int vb_weights_blame(const vb_weights *weights, vb_error *err) {
    const char *naming = weights->naming;
    if (err->code != VB_EMISMATCH || !strcmp(naming, "OpenAI") || !strcmp(naming, "unknown"))
        return vb_error_prefix(err, "%s", weights->where.file);
    return vb_error_prefix(err, "%s (%s's names, here as OpenAI's)", weights->where.file, naming);
}

void vb_weights_close(vb_weights *weights) {
    owner *own = weights->storage;
    const size_t files = weights->where.shards.count;
    if (own) {
        vb_weight_names_free(&own->names);
        for (size_t s = 0; own->shards && s < files; s++) {
            vb_torch_free(own->shards[s].torch);
            vb_free(own->shards[s].safetensors);
        }
        vb_free(own->shards);
        vb_free(own->items);
        vb_free(own);
    }
    for (size_t s = 0; weights->maps && s < files; s++) vb_map_close(&weights->maps[s]);
    vb_free(weights->maps);
    vb_repository_close(&weights->where);
    *weights = (vb_weights){0};
}
