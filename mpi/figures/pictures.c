/* Small copies of images for pages. */
#include "mpi/figures/pictures.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "shards/images/image.h"
#include "shards/images/thumbnail.h"

enum { SIDE = 112 };

/* Where the dataset's images lie, as the run, or one of the runs that were merged, has written it down. */
static const json_t *find_source(const json_t *run, const char *dataset) {
    const json_t *sources = json_object_get(run, "sources"), *merged = json_object_get(run, "merged");
    for (size_t i = 0; i < json_array_size(sources); i++)
        if (!strcmp(vb_json_text(json_array_get(sources, i), "dataset"), dataset)) return json_array_get(sources, i);
    for (size_t i = 0; i < json_array_size(merged); i++) {
        const json_t *found = find_source(json_array_get(merged, i), dataset);
        if (found) return found;
    }
    return NULL;
}

void vb_pictures_open(vb_pictures *pictures, const vb_section_result *it) {
    const char *dataset = vb_json_text(it->entry, "dataset");
    const json_t *source = find_source(json_object_get(it->document, "run"), dataset);
    *pictures = (vb_pictures){.unit = -1, .labelled = -1};
    if (!strcmp(vb_json_text(json_object_get(it->entry, "data"), "kind"), "precomputed"))
        vb_errorf(&pictures->reason, VB_EMISSING, "the embeddings were made elsewhere, nothing is known of the images");
    else if (!source) vb_errorf(&pictures->reason, VB_EMISSING, "the results do not say where the images lie");
    else if (vb_dataset_open(&pictures->dataset, vb_json_text(source, "images"),
                             *vb_json_text(source, "class_names") ? vb_json_text(source, "class_names") : NULL,
                             &pictures->reason))
        pictures->dataset = NULL;
}

void vb_pictures_close(vb_pictures *pictures) {
    vb_dataset_unit_free(&pictures->data);
    vb_dataset_unit_free(&pictures->names);
    if (pictures->dataset) vb_dataset_close(pictures->dataset);
}

static const vb_sample *find_sample(vb_pictures *pictures, int64_t place, const char *name, vb_error *err) {
    if (place < 0 || place >= vb_dataset_samples(pictures->dataset)) {
        vb_errorf(err, VB_EMISMATCH, "the data has changed: it ends before image %lld, '%s'", (long long)place, name);
        return NULL;
    }
    int64_t unit = vb_dataset_unit_of(pictures->dataset, place);
    if (unit != pictures->unit) {
        vb_dataset_unit_free(&pictures->data);
        pictures->data = (vb_unit_data){0};
        pictures->unit = -1;
        if (vb_dataset_read_unit(pictures->dataset, unit, &pictures->data, err)) return NULL;
        pictures->unit = unit;
    }
    const vb_sample *sample = &pictures->data.samples[place - vb_dataset_unit(pictures->dataset, unit).first];
    if (!strcmp(sample->name, name)) return sample;
    vb_errorf(err, VB_EMISMATCH, "the data has changed: image %lld is '%s', it was '%s'", (long long)place, sample->name, name);
    return NULL;
}

static void put_image(const uint8_t *jpeg, size_t size, int width, int height, const char *name, const char *class,
                      vb_strbuf *out) {
    vb_strbuf_format(out, "<li><img width=\"%d\" height=\"%d\" alt=\"", width, height);
    for (int attribute = 0; attribute < 2; attribute++) {
        if (attribute) vb_strbuf_add(out, "\" title=\"");
        vb_strbuf_add_html(out, class);
        vb_strbuf_add(out, ": ");
        vb_strbuf_add_html(out, name);
    }
    vb_strbuf_add(out, "\" src=\"data:image/jpeg;base64,");
    vb_strbuf_add_base64(out, jpeg, size);
    vb_strbuf_add(out, "\"></li>\n");
}

int vb_pictures_put(vb_pictures *pictures, int64_t place, const char *name, const char *class, vb_strbuf *out, vb_error *err) {
    vb_image image = {0};
    uint8_t *jpeg = NULL;
    size_t size = 0;
    int width = 0, height = 0;
    vb_error reason = {0};
    if (!pictures->dataset) return 0;
    const vb_sample *sample = find_sample(pictures, place, name, &reason);
    int status = sample ? vb_dataset_sample_decode(sample, &image, &reason) : -1;
    if (!status) status = vb_thumbnail(&image, SIDE, &jpeg, &size, &width, &height, &reason);
    if (!status) put_image(jpeg, size, width, height, name, class, out);
    vb_free(jpeg);
    vb_free(image.pixels);
    if (status && reason.code == VB_EMEMORY) {
        *err = reason;
        return -1;
    }
    if (status && !pictures->reason.code) pictures->reason = reason;
    return 0;
}

int64_t vb_pictures_find(vb_pictures *pictures, const char *name) {
    vb_error reason = {0};
    if (!pictures->dataset) return -1;
    while (pictures->labelled < vb_dataset_units(pictures->dataset)) {
        for (; pictures->labelled >= 0 && pictures->next < pictures->names.count; pictures->next++)
            if (!strcmp(pictures->names.samples[pictures->next].name, name))
                return vb_dataset_unit(pictures->dataset, pictures->labelled).first + pictures->next++;
        vb_dataset_unit_free(&pictures->names);
        pictures->names = (vb_unit_data){0};
        pictures->next = 0;
        if (++pictures->labelled >= vb_dataset_units(pictures->dataset)) break;
        if (vb_dataset_read_unit_labels(pictures->dataset, pictures->labelled, &pictures->names, &reason)) {
            if (!pictures->reason.code) pictures->reason = reason;
            return -1;
        }
    }
    if (!pictures->reason.code)
        vb_errorf(&pictures->reason, VB_EMISMATCH, "the data has changed: it has no image '%s' where there was one", name);
    return -1;
}
