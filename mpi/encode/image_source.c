/* Where image embeddings come from: the cache, the encoder, or a file that another program made. */
#include "mpi/encode/image_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/encode/image_limit.h"
#include "mpi/encode/precomputed_labels.h"

/* ---- encoded ---- */

void vb_image_source_encoded(vb_image_source *source, const vb_dataset_state *data, const vb_encoding *how) {
    *source = (vb_image_source){.data = data,
                                .model = how->model,
                                .cache = {.folder = how->cache, .key = how->model->image_key},
                                .how = *how,
                                .labels = data->labels.counts,
                                .units = vb_dataset_units(data->dataset),
                                .images = vb_dataset_samples(data->dataset) - data->beyond,
                                .unit_images = vb_dataset_unit_samples(data->dataset),
                                .dim = vb_clip_describe(how->model->clip)->embed_dim};
}

/* The unit's key in the cache: its content and which of its samples are encoded. */
static int key_of(const vb_digest *digest, const int *picked, int n, vb_digest *key, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, digest->hex);
    vb_digest_add(digester, picked, (size_t)n * sizeof *picked);
    *key = vb_digest_finish(digester);
    return 0;
}

static void drop_row(vb_unit_rows *rows, int from) {
    vb_free(rows->names[from]);
    rows->names[from] = NULL;
}

static void move_row(vb_unit_rows *rows, int to, int from) {
    if (to == from) return;
    size_t dim = (size_t)rows->dim;
    memcpy(rows->rows + (size_t)to * dim, rows->rows + (size_t)from * dim, dim * sizeof *rows->rows);
    rows->classes[to] = rows->classes[from];
    rows->places[to] = rows->places[from];
    rows->names[to] = rows->names[from];
    rows->names[from] = NULL;
}

/* Rows of images that were skipped are NaN: take them out, and note their classes. */
static int drop_skipped(vb_unit_rows *rows, vb_error *err) {
    int kept = 0;
    size_t i;
    json_t *entry;
    vb_json json = {0};
    json_array_foreach(rows->skipped, i, entry) {
        int64_t row = vb_json_integer(entry, "row");
        if (row >= 0 && row < rows->count) vb_json_set_integer(&json, entry, "class", rows->classes[row]);
    }
    for (int r = 0; r < rows->count; r++) {
        if (isnan(rows->rows[(size_t)r * (size_t)rows->dim])) drop_row(rows, r);
        else move_row(rows, kept++, r);
    }
    rows->count = kept;
    return vb_json_end(&json, "the list of skipped samples", err);
}

static int allocate(vb_unit_rows *rows, int count, int dim, vb_error *err) {
    rows->count = count;
    rows->dim = dim;
    rows->rows = vb_array((size_t)count * (size_t)dim, sizeof *rows->rows, "embeddings of a unit", err);
    rows->classes = vb_array((size_t)count, sizeof *rows->classes, "classes of a unit", err);
    rows->names = vb_array((size_t)count, sizeof *rows->names, "names of a unit", err);
    rows->places = vb_array((size_t)count, sizeof *rows->places, "places of a unit", err);
    return rows->rows && rows->classes && rows->names && rows->places ? 0 : -1;
}

/* A cached unit; one whose broken images another version could not read is not there. */
static int load_unit(const vb_image_source *source, const vb_digest *key, int n, vb_unit_rows *rows, bool *found, vb_error *err) {
    int64_t broken;
    bool current;
    if (vb_cache_load(&source->cache, key, n, rows->dim, rows->rows, found, &rows->skipped, err)) return -1;
    vb_encode_broken(rows->skipped, &broken, &current);
    if (!*found || current) return 0;
    json_decref(rows->skipped);
    rows->skipped = NULL;
    *found = false;
    return 0;
}

static int encode_unit(const vb_image_source *source, int64_t unit, const int *picked, vb_unit_rows *rows,
                       const vb_digest *signature, vb_error *err) {
    vb_unit_data data = {0};
    vb_digest key;
    bool found = false;
    int status = -1, n = rows->count;
    if (vb_dataset_read_unit(source->data->dataset, unit, &data, err)) goto done;
    rows->digest = data.digest;
    if (key_of(&data.digest, picked, n, &key, err)) goto done;
    /* The bytes may be known under another path or time stamp. */
    if (load_unit(source, &key, n, rows, &found, err)) goto done;
    if (!found) {
        const vb_encode_batch batch = {&data, picked, n, 0};
        if (vb_encode_samples(&source->how, &batch, rows->rows, &rows->skipped, err)) goto done;
        if (vb_dataset_unit_check(source->data->dataset, unit, signature, err)) goto done;
        if (vb_cache_store(&source->cache, &key, n, rows->dim, rows->rows, rows->skipped, err)) goto done;
        rows->encoded = true;
    }
    status = vb_cache_note(&source->cache, signature, &data.digest, err);
done:
    vb_dataset_unit_free(&data);
    return status;
}

static int encoded_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    const vb_dataset_state *state = source->data;
    vb_unit_data labels = {0};
    int *picked = NULL, status = -1, n = 0;
    vb_digest signature, key;
    bool known = false, found = false, current;
    int64_t broken, start = vb_dataset_unit(state->dataset, unit).first;
    if (vb_dataset_read_unit_labels(state->dataset, unit, &labels, err)) goto done;
    if (!(picked = vb_array((size_t)labels.count, sizeof *picked, "unit", err)) || allocate(rows, labels.count, source->dim, err))
        goto done;
    for (int i = 0; i < labels.count; i++) {
        int class = vb_dataset_state_class(state, start + i, labels.samples[i].label);
        if (class < 0) {
            rows->outside++;
            continue;
        }
        if (state->kept && !state->kept[start + i]) continue;
        if (!(rows->names[n] = vb_strdup(labels.samples[i].name, err))) goto done;
        rows->classes[n] = class;
        rows->places[n] = start + i;
        picked[n++] = i;
    }
    rows->count = n;
    if (!n) {
        status = 0;
        goto done;
    }
    if (vb_dataset_unit_signature(state->dataset, unit, &signature, err)) goto done;
    if (vb_cache_recall(&source->cache, &signature, &rows->digest, &known, err)) goto done;
    if (known && (key_of(&rows->digest, picked, n, &key, err) || load_unit(source, &key, n, rows, &found, err))) goto done;
    if (!found && encode_unit(source, unit, picked, rows, &signature, err)) goto done;
    const json_t *first = vb_encode_broken(rows->skipped, &broken, &current);
    if (first && !source->how.skip_broken) { /* the unit was cached by a run that skipped; this one is strict */
        vb_errorf(err, VB_EDATA, "%s", json_string_value(json_object_get(first, "reason")));
        goto done;
    }
    status = drop_skipped(rows, err);
done:
    vb_dataset_unit_free(&labels);
    vb_free(picked);
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

static int open_precomputed(vb_image_source *source, const vb_embeddings_spec *spec, bool digests, vb_error *err) {
    if (vb_npy_open(&source->embeddings, spec->image_embeddings, err)) return -1;
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
        vb_image_limit_rows(source->classes, rows, source->data, err))
        return -1;
    if (!digests) return 0;
    return vb_digest_file(spec->image_embeddings, &source->file_digest, err) ||
                   vb_digest_file(spec->labels, &source->labels_digest, err) ?
               -1 :
               0;
}

int vb_image_source_precomputed(vb_image_source *source, vb_comm *comm, const vb_dataset_state *data,
                                const vb_embeddings_spec *spec, vb_error *err) {
    *source = (vb_image_source){.data = data, .path = spec->image_embeddings};
    int status = open_precomputed(source, spec, !comm->rank, err);
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
    if (allocate(rows, count, source->dim, err)) return -1;
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

static int joined_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    int p = 0, kept = 0;
    while (unit >= source->parts[p].units) unit -= source->parts[p++].units;
    const int *class_of = source->data->joined.class_of[p];
    if (vb_image_source_unit(&source->parts[p], unit, rows, err) ||
        put_prefix(source->data->parts[p]->spec->name, class_of, rows, err))
        return -1;
    for (int i = 0; i < rows->count; i++) {
        int class = class_of[rows->classes[i]];
        rows->outside += class < 0;
        rows->classes[i] = class;
    }
    for (int i = 0; i < rows->count; i++) {
        if (rows->classes[i] >= 0) move_row(rows, kept++, i);
        else drop_row(rows, i);
    }
    rows->count = kept;
    return 0;
}

int vb_image_source_unit(const vb_image_source *source, int64_t unit, vb_unit_rows *rows, vb_error *err) {
    *rows = (vb_unit_rows){0};
    if (source->part_count) return joined_unit(source, unit, rows, err);
    return source->model ? encoded_unit(source, unit, rows, err) : precomputed_unit(source, unit, rows, err);
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

void vb_image_source_rows_free(vb_unit_rows *rows) {
    for (int i = 0; rows->names && i < rows->count; i++) vb_free(rows->names[i]);
    vb_free(rows->names);
    vb_free(rows->rows);
    vb_free(rows->classes);
    vb_free(rows->places);
    json_decref(rows->skipped);
    *rows = (vb_unit_rows){0};
}
