/* Texts of a pool: encoded by all ranks together, or read by each. */
#include "mpi/evaluate/foreign_names.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/embeddings/npy.h"

/* The embeddings that a precomputed model brings for `lines` names. Close the file also after a failure, where *open. */
static int open_rows(vb_npy *npy, bool *open, const vb_names_spec *spec, const char *model, int64_t lines, int64_t dim,
                     const char *what, vb_error *err) {
    const char *path = spec->embeddings;
    *open = false;
    if (!spec->names)
        return vb_errorf(err, VB_ECONFIG,
                         "model '%s' is precomputed: '%s' needs the keys 'names' (a file) and 'embeddings' (a row for each line)",
                         model, what);
    if (!path)
        return vb_errorf(err, VB_ECONFIG,
                         "model '%s' is precomputed: '%s' needs the key 'embeddings' (a row for each line of %s)", model, what,
                         spec->names);
    if (vb_npy_open(npy, path, err)) return -1;
    *open = true;
    const vb_tensor *tensor = &npy->tensor;
    if (tensor->ndim == 2 && tensor->shape[0] == lines && tensor->shape[1] == dim &&
        (tensor->dtype == VB_F32 || tensor->dtype == VB_F16 || tensor->dtype == VB_F64))
        return 0;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: expected %lld x %lld of fp16, fp32 or fp64 (lines of %s x dimensions), found %lld x %lld of %s", path,
                     (long long)lines, (long long)dim, spec->names, (long long)(tensor->ndim > 0 ? tensor->shape[0] : 0),
                     (long long)(tensor->ndim > 1 ? tensor->shape[1] : 0), vb_dtype_name(tensor->dtype));
}

int vb_foreign_names_check(const vb_names_spec *spec, const vb_model_spec *model, bool encoded, int dim, const char *what,
                           int64_t least, vb_error *err) {
    vb_npy npy;
    bool open;
    if (encoded) return model->coop ? vb_classifier_check_names(model->coop, spec->names ? spec->names : spec->wordnet, err) : 0;
    /* The names as they are, without WordNet, which takes a while. */
    const vb_names_spec alone = {.names = spec->names, .wordnet = spec->wordnet, .exclude = VB_EXCLUDE_NONE};
    vb_candidates pool = {0};
    int status = spec->names && spec->embeddings ? vb_candidates_open(&pool, &alone, least, err) : 0;
    if (!status) {
        status = open_rows(&npy, &open, spec, model->name, pool.lines, dim, what, err);
        if (open) vb_npy_close(&npy);
    }
    vb_candidates_free(&pool);
    return status;
}

static int read_rows(const vb_candidates *pool, const vb_pair *pair, const vb_names_spec *spec, const char *what, float *rows,
                     vb_error *err) {
    const char *path = spec->embeddings;
    int64_t dim = pair->classifier->dim;
    vb_npy npy;
    bool open;
    int status = open_rows(&npy, &open, spec, pair->spec->name, pool->lines, dim, what, err);
    if (!open) return status;
    for (int c = 0; c < pool->count && !status; c++) {
        status = vb_image_source_float_rows(&npy, path, pool->line[c], 1, rows + c * dim, err);
        if (c % 4096 == 4095) vb_map_drop_pages(&npy.map);
    }
    status = vb_map_judge(&npy.map, status, err);
    vb_npy_close(&npy);
    return status;
}

static int encode_rows(const vb_candidates *pool, vb_context *context, const vb_pair *pair, float *rows, int64_t *cut,
                       vb_error *err) {
    const vb_prompts *prompts = vb_experiment_name_prompts(pair->experiment, pair->spec, pair->data->spec);
    const vb_name_list names = {pool->source, pool->count, pool->class, prompts, pair->spec->coop};
    const vb_encoding how = {.context = context,
                             .model = pair->source->model,
                             .cache = pair->experiment->cache,
                             .threads = pair->threads,
                             .text_rules = pair->experiment->text_rules};
    vb_classifier encoded;
    if (vb_classifier_encode_names(&encoded, &how, &names, false, err)) return -1;
    memcpy(rows, encoded.texts, (size_t)names.count * (size_t)encoded.dim * sizeof *rows);
    *cut = encoded.faults.cut;
    vb_classifier_free(&encoded);
    return 0;
}

bool vb_foreign_names_fit(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_spec *dataset) {
    return vb_experiment_name_prompts(experiment, model, dataset) != NULL;
}

/* The classes' space with the names behind it, each a thing of its own. */
static int extend_space(vb_foreign_names *names, const vb_label_space *space, vb_error *err) {
    names->space = *space;
    names->space.classes += names->pool.count;
    if (!space->equivalence) return 0;
    names->equivalence = vb_array((size_t)names->space.classes, sizeof *names->equivalence, "classes", err);
    if (!names->equivalence) return -1;
    for (int c = 0; c < names->space.classes; c++) names->equivalence[c] = c < space->classes ? space->equivalence[c] : c;
    names->space.equivalence = names->equivalence;
    return 0;
}

int vb_foreign_names_open(vb_foreign_names *names, vb_context *context, const vb_pair *pair, const vb_names_spec *spec,
                          const char *what, int64_t least, vb_error *err) {
    const vb_classifier *classifier = pair->classifier;
    vb_comm *comm = &context->comm;
    size_t dim = (size_t)classifier->dim, classes = (size_t)classifier->classes;
    *names = (vb_foreign_names){0};
    int status = vb_candidates_open(&names->pool, spec, least, err);
    /* With another WordNet on one machine, or none, its ranks would exclude other names. */
    char seen[192] = "";
    if (!status)
        snprintf(seen, sizeof seen, "%s without %s of %s", names->pool.digest.hex, names->pool.excluded_by,
                 names->pool.wordnet ? vb_wordnet_digest(names->pool.wordnet).hex : "nothing");
    if ((status = vb_comm_agree_same(comm, status, seen, spec->names ? spec->names : spec->wordnet, err))) return status;
    status = extend_space(names, &pair->data->space, err);
    if (!status)
        names->texts = vb_buffer((size_t)names->space.classes * dim, sizeof *names->texts, "embeddings of foreign names", err);
    if ((status = vb_comm_agree(comm, names->texts ? 0 : -1, err))) return status;
    memcpy(names->texts, classifier->texts, classes * dim * sizeof *names->texts);
    if (pair->source->model) status = encode_rows(&names->pool, context, pair, names->texts + classes * dim, &names->cut, err);
    else status = vb_comm_agree(comm, read_rows(&names->pool, pair, spec, what, names->texts + classes * dim, err), err);
    if (status) return -1;
    status = vb_label_space_memberships_new(&names->memberships, &names->space, err);
    if (!status)
        status = vb_device_products_bank(&names->device, &names->bank, context, pair, names->texts, names->space.classes,
                                         (int)dim, err);
    return vb_comm_agree(comm, status, err);
}

void vb_foreign_names_close(vb_foreign_names *names) {
    vb_similarity_bank_free(names->bank);
    vb_device_products_close(&names->device);
    vb_label_space_memberships_free(&names->memberships);
    vb_free(names->equivalence);
    vb_free(names->texts);
    vb_candidates_free(&names->pool);
}

json_t *vb_foreign_names_json(vb_json *json, const vb_foreign_names *names) {
    const vb_candidates *pool = &names->pool;
    json_t *object = vb_json_object(json);
    vb_json_set_integer(json, object, "candidates", pool->count);
    vb_json_set_integer(json, object, "lines", pool->lines);
    vb_json_set_integer(json, object, "empty_lines", pool->empty);
    vb_json_set_integer(json, object, "repeated_names", pool->duplicates);
    if (names->cut) vb_json_set_integer(json, object, "cut_texts", names->cut);
    vb_json_set_text(json, object, "excluded_by", pool->excluded_by);
    vb_json_set_text(json, object, "digest", pool->digest.hex);
    if (pool->wordnet) vb_json_set_text(json, object, "wordnet_digest", vb_wordnet_digest(pool->wordnet).hex);
    return object;
}
