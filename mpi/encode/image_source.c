/* Where image embeddings come from: the cache, the encoder, or a file that another program made. */
#include "mpi/encode/image_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/encode/image_limit.h"
#include "mpi/encode/precomputed_labels.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/ranks/byte_progress.h"
#include "shards/files/path.h"

/* ---- encoded ---- */

void vb_image_source_encoded(vb_image_source *source, const vb_dataset_state *data, const vb_encoding *how) {
    *source = (vb_image_source){.data = data,
                                .model = how->model,
                                .encoded = {.data = data,
                                            .cache = {.folder = how->cache, .key = how->model->image_key},
                                            .how = *how,
                                            .dim = vb_clip_describe(how->model->clip)->embed_dim},
                                .labels = data->labels.counts,
                                .units = vb_dataset_units(data->dataset),
                                .images = vb_dataset_samples(data->dataset) - data->beyond,
                                .unit_images = vb_dataset_unit_samples(data->dataset),
                                .dim = vb_clip_describe(how->model->clip)->embed_dim};
}

/* A unit by itself. */
static int encoded_unit(const vb_image_source *source, int64_t number, vb_unit_rows *rows, vb_error *err) {
    vb_encoded_unit unit;
    vb_pipeline_unit passed = {0};
    int status = vb_encoded_unit_prepare(&unit, &source->encoded, number, err);
    if (!status && unit.missing) {
        vb_encoded_unit_ask(&unit, &source->encoded, &passed);
        status = vb_encode_unit(&source->encoded.how, &passed, err);
    }
    if (!status) status = vb_encoded_unit_finish(&unit, &source->encoded, &passed, err);
    *rows = unit.rows; /* freed by the caller, also after a failure */
    unit.rows = (vb_unit_rows){0};
    vb_free(passed.outcomes);
    vb_encoded_unit_free(&unit);
    return status;
}

/* ---- precomputed ---- */

int vb_image_source_float_rows(const vb_npy *npy, const char *path, int64_t first, int64_t count, float *out, vb_error *err) {
    const vb_tensor *tensor = &npy->tensor;
    int64_t dim = tensor->shape[1];
    if (tensor->dtype == VB_F32)
        memcpy(out, (const char *)tensor->data + (size_t)(first * dim) * sizeof *out, (size_t)(count * dim) * sizeof *out);
    else
        for (int64_t i = 0; i < count * dim; i++) out[i] = vb_tensor_at(tensor, first * dim + i);
    for (int64_t r = 0; r < count; r++) {
        bool zero = true;
        for (int64_t k = 0; k < dim; k++) {
            float value = out[r * dim + k];
            if (!isfinite(value))
                return vb_errorf(err, VB_EDATA, "%s: row %lld, column %lld: %s, expected finite numbers", path,
                                 (long long)(first + r), (long long)k, isnan(value) ? "NaN" : "infinity");
            zero = zero && value == 0;
        }
        if (zero) return vb_errorf(err, VB_EDATA, "%s: row %lld: all zero, it has no direction", path, (long long)(first + r));
    }
    return 0;
}

/* Embeddings may be many gigabytes. */
static int digest_embeddings(vb_image_source *source, vb_context *context, const vb_embeddings_spec *spec, vb_error *err) {
    vb_byte_progress progress;
    vb_byte_progress_start(&progress, context, "embeddings", vb_path_base_name(spec->image_embeddings),
                           (int64_t)source->embeddings.map.size);
    const vb_digest_watch watch = vb_byte_progress_watch(&progress);
    const int status = vb_digest_file_watched(spec->image_embeddings, &watch, &source->file_digest, err);
    vb_byte_progress_end(&progress);
    if (status) return vb_missing_path_key("image_embeddings", err);
    if (vb_digest_file(spec->labels, &source->labels_digest, err)) return vb_missing_path_key("labels", err);
    if (!spec->label_names) return 0;
    vb_digest names;
    vb_digester *both;
    if (vb_digest_file(spec->label_names, &names, err)) return vb_missing_path_key("label_names", err);
    if (vb_digest_new(&both, err)) return -1;
    vb_digest_add_text(both, source->labels_digest.hex);
    vb_digest_add_text(both, names.hex);
    source->labels_digest = vb_digest_finish(both);
    return 0;
}

/* digests: a context to be told of them, or NULL for none. */
static int open_precomputed(vb_image_source *source, const vb_embeddings_spec *spec, vb_context *digests, vb_error *err) {
    if (vb_npy_open(&source->embeddings, spec->image_embeddings, err)) return vb_missing_path_key("image_embeddings", err);
    const vb_tensor *tensor = &source->embeddings.tensor;
    if (tensor->ndim != 2 || tensor->shape[0] < 1 || tensor->shape[1] < 1 || tensor->shape[1] > 65536 ||
        (tensor->dtype != VB_F32 && tensor->dtype != VB_F16 && tensor->dtype != VB_F64))
        return vb_errorf(err, VB_EMISMATCH,
                         "%s: expected images x dimensions of fp16, fp32 or fp64, found %d dimension(s) of %s%s",
                         spec->image_embeddings, tensor->ndim, vb_dtype_name(tensor->dtype),
                         tensor->ndim && !tensor->shape[0] ? ", without a row" : "");
    int64_t rows = tensor->shape[0];
    source->dim = (int)tensor->shape[1];
    source->images = rows;
    source->unit_images = VB_UNIT_SAMPLES;
    source->units = (rows + VB_UNIT_SAMPLES - 1) / VB_UNIT_SAMPLES;
    if (!(source->classes = vb_array((size_t)rows, sizeof *source->classes, "labels", err))) return -1;
    if (vb_precomputed_labels_read(source->classes, &source->sets, &source->labels, source->data, spec, rows, err) ||
        vb_image_limit_rows(source->classes, &source->sets, rows, source->data, err))
        return -1;
    return digests ? digest_embeddings(source, digests, spec, err) : 0;
}

int vb_image_source_precomputed(vb_image_source *source, vb_context *context, const vb_dataset_state *data,
                                const vb_embeddings_spec *spec, vb_error *err) {
    vb_comm *comm = &context->comm;
    *source = (vb_image_source){.data = data, .path = spec->image_embeddings};
    int status = open_precomputed(source, spec, comm->rank ? NULL : context, err);
    char seen[160] = "";
    if (!status)
        snprintf(seen, sizeof seen, "%lld x %d numbers with the labels %s%s", (long long)source->images, source->dim,
                 vb_digest_bytes(source->classes, (size_t)source->images * sizeof *source->classes).hex,
                 vb_class_sets_digest(&source->sets).hex);
    if (!vb_comm_agree_same(comm, status, seen, spec->image_embeddings, err)) return 0;
    vb_image_source_close(source);
    return -1;
}

void vb_image_source_close(vb_image_source *source) {
    for (int p = 0; p < source->part_count; p++) vb_image_source_close(&source->parts[p]);
    vb_free(source->parts);
    if (source->embeddings.map.size) vb_npy_close(&source->embeddings);
    vb_free(source->classes);
    vb_class_sets_free(&source->sets);
    *source = (vb_image_source){0};
}

static int precomputed_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    int64_t first = unit * VB_UNIT_SAMPLES, total = source->embeddings.tensor.shape[0];
    int count = (int)(total - first < VB_UNIT_SAMPLES ? total - first : VB_UNIT_SAMPLES), n = 0;
    if (vb_unit_rows_allocate(rows, count, source->dim, err)) return -1;
    for (int i = 0; i < count; i++) {
        if (source->classes[first + i] < 0) {
            rows->outside += source->classes[first + i] != VB_IMAGE_LIMIT_BEYOND;
            continue;
        }
        if (vb_image_source_float_rows(&source->embeddings, source->path, first + i, 1,
                                       rows->rows + (size_t)n * (size_t)source->dim, err))
            return vb_map_judge(&source->embeddings.map, -1, err);
        if (!(rows->names[n] = vb_format(err, "row %lld", (long long)(first + i)))) return -1;
        rows->places[n] = first + i;
        rows->classes[n++] = source->classes[first + i];
    }
    if (vb_map_check(&source->embeddings.map, err)) return -1;
    vb_map_drop_pages(&source->embeddings.map); /* so that memory does not grow with the number of images */
    rows->count = n;
    return 0;
}

/* ---- joined ---- */

/* One digest for the parts' in their order. */
static int join_digests(vb_image_source *source, vb_error *err) {
    for (int labels = 0; labels < 2; labels++) {
        vb_digester *digester;
        if (vb_digest_new(&digester, err)) return -1;
        for (int p = 0; p < source->part_count; p++)
            vb_digest_add_text(digester, labels ? source->parts[p].labels_digest.hex : source->parts[p].file_digest.hex);
        *(labels ? &source->labels_digest : &source->file_digest) = vb_digest_finish(digester);
    }
    return 0;
}

/* Whether every vocabulary has images. */
static int check_joined_rows(const vb_image_source *source, const vb_dataset_state *data, vb_error *err) {
    int64_t *images = vb_array((size_t)data->space.classes + 1, sizeof *images, "class counts", err);
    int status = images ? 0 : -1;
    for (int p = 0; !status && p < source->part_count; p++)
        for (int64_t i = 0; i < source->parts[p].images; i++) {
            int class = source->parts[p].classes[i];
            if (class >= 0) class = data->joined.class_of[p][class];
            images[class < 0 ? data->space.classes : class]++;
        }
    if (!status) status = vb_dataset_state_check_images(data, images, NULL, images[data->space.classes], err);
    vb_free(images);
    return status;
}

int vb_image_source_joined(vb_image_source *source, const vb_dataset_state *data, vb_image_source *parts, vb_error *err) {
    *source = (vb_image_source){.data = data,
                                .model = parts->model,
                                .path = parts->path,
                                .dim = parts->dim,
                                .part_count = data->part_count,
                                .parts = parts};
    int status = 0;
    for (int p = 0; p < data->part_count; p++) {
        source->units += parts[p].units;
        source->images += parts[p].images;
        if (parts[p].unit_images > source->unit_images) source->unit_images = parts[p].unit_images;
        for (int rule = 0; rule < VB_LABEL_RULES; rule++) source->labels.by[rule] += parts[p].labels.by[rule];
        source->labels.ambiguous += parts[p].labels.ambiguous;
        source->labels.unlabelled += parts[p].labels.unlabelled;
        if (!status && vb_image_source_sets(&parts[p]))
            status = vb_errorf(err, VB_EUNSUPPORTED,
                               "the labels of dataset '%s' are sets, and expansions take images of one class each",
                               data->parts[p]->spec->name);
        if (!status && parts[p].dim != source->dim)
            status = vb_errorf(err, VB_EMISMATCH, "%s: image embeddings of %d dimensions, but those of %s have %d", parts[p].path,
                               parts[p].dim, parts->path, source->dim);
    }
    if (!status && !source->model) status = check_joined_rows(source, data, err) || join_digests(source, err) ? -1 : 0;
    if (status) vb_image_source_close(source);
    return status;
}

/* "dataset/sample" for "sample": names of several datasets need not differ. The classes of skipped images become the joined
 * ones. */
static int put_prefix(const char *dataset, const int *class_of, vb_unit_rows *rows, vb_error *err) {
    for (int i = 0; i < rows->count; i++) {
        char *name = vb_format(err, "%s/%s", dataset, rows->names[i]);
        if (!name) return -1;
        vb_free(rows->names[i]);
        rows->names[i] = name;
    }
    size_t i;
    json_t *entry;
    vb_json json = {0};
    json_array_foreach(rows->skipped, i, entry) {
        char *name = vb_format(err, "%s/%s", dataset, vb_json_text(entry, "sample"));
        if (!name) return -1;
        vb_json_set_text(&json, entry, "sample", name);
        vb_free(name);
        if (!json_object_get(entry, "class")) continue;
        int class = class_of[vb_json_integer(entry, "class")];
        if (class >= 0) vb_json_set_integer(&json, entry, "class", class);
        else json_object_del(entry, "class");
    }
    return vb_json_end(&json, "the list of skipped samples", err);
}

const vb_image_source *vb_image_source_part(const vb_image_source *source, int64_t *unit, int *part) {
    *part = 0;
    if (!source->part_count) return source;
    while (*unit >= source->parts[*part].units) *unit -= source->parts[(*part)++].units;
    return &source->parts[*part];
}

int vb_image_source_join_rows(const vb_image_source *source, int part, vb_unit_rows *rows, vb_error *err) {
    int kept = 0;
    if (!source->part_count) return 0;
    const int *class_of = source->data->joined.class_of[part];
    if (put_prefix(source->data->parts[part]->spec->name, class_of, rows, err)) return -1;
    for (int i = 0; i < rows->count; i++) {
        int class = class_of[rows->classes[i]];
        rows->outside += class < 0;
        rows->classes[i] = class;
    }
    for (int i = 0; i < rows->count; i++) {
        if (rows->classes[i] >= 0) vb_unit_rows_move(rows, kept++, i);
        else vb_unit_rows_drop(rows, i);
    }
    rows->count = kept;
    return 0;
}

int vb_image_source_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    int part;
    const vb_image_source *its = vb_image_source_part(source, &unit, &part);
    *rows = (vb_unit_rows){0};
    if (its->model ? encoded_unit(its, unit, rows, err) : precomputed_unit(its, unit, rows, err)) return -1;
    return vb_image_source_join_rows(source, part, rows, err);
}

const vb_class_sets *vb_image_source_sets(const vb_image_source *source) {
    const vb_class_sets *sets = source->model ? &source->data->sets : &source->sets;
    return !source->part_count && sets->offsets ? sets : NULL;
}

char *vb_image_source_name(const vb_image_source *source, int64_t place, vb_error *err) {
    if (!source->model) return vb_format(err, "row %lld", (long long)place);
    const vb_dataset *dataset = source->data->dataset;
    int64_t unit = vb_dataset_unit_of(dataset, place);
    vb_unit_data data = {0};
    char *name = NULL;
    if (!vb_dataset_read_unit_labels(dataset, unit, &data, err))
        name = vb_strdup(data.samples[place - vb_dataset_unit(dataset, unit).first].name, err);
    vb_dataset_unit_free(&data);
    return name;
}
