/* Pictures of taken images: found by their place in the data, checked by their name, shrunk, and put into the page as data. */
#include "mpi/adversarial/taken_pictures.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "shards/datasets/dataset.h"
#include "shards/images/image.h"
#include "shards/images/thumbnail.h"

enum { SIDE = 112 };

typedef struct picture_reader {
    vb_dataset *dataset;
    int64_t unit; /* in hand, -1: none */
    vb_unit_data data;
    vb_error reason; /* why there are no pictures, or not all; the first one counts */
} picture_reader;

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

static void picture_reader_open(picture_reader *reader, const vb_section_result *it) {
    const char *dataset = vb_json_text(it->entry, "dataset");
    const json_t *source = find_source(json_object_get(it->document, "run"), dataset);
    *reader = (picture_reader){.unit = -1};
    if (!strcmp(vb_json_text(json_object_get(it->entry, "data"), "kind"), "precomputed"))
        vb_errorf(&reader->reason, VB_EMISSING, "the embeddings were made elsewhere, nothing is known of the images");
    else if (!source) vb_errorf(&reader->reason, VB_EMISSING, "the results do not say where the images lie");
    else if (vb_dataset_open(&reader->dataset, vb_json_text(source, "images"),
                             *vb_json_text(source, "class_names") ? vb_json_text(source, "class_names") : NULL, &reader->reason))
        reader->dataset = NULL;
}

static void picture_reader_close(picture_reader *reader) {
    vb_dataset_unit_free(&reader->data);
    if (reader->dataset) vb_dataset_close(reader->dataset);
}

static const vb_sample *find_sample(picture_reader *reader, const json_t *example, vb_error *err) {
    int64_t place = json_integer_value(json_object_get(example, "place"));
    const char *name = vb_json_text(example, "image");
    if (place < 0 || place >= vb_dataset_samples(reader->dataset)) {
        vb_errorf(err, VB_EMISMATCH, "the data has changed: it ends before image %lld, '%s'", (long long)place, name);
        return NULL;
    }
    int64_t unit = vb_dataset_unit_of(reader->dataset, place);
    if (unit != reader->unit) {
        vb_dataset_unit_free(&reader->data);
        reader->data = (vb_unit_data){0};
        reader->unit = -1;
        if (vb_dataset_read_unit(reader->dataset, unit, &reader->data, err)) return NULL;
        reader->unit = unit;
    }
    const vb_sample *sample = &reader->data.samples[place - vb_dataset_unit(reader->dataset, unit).first];
    if (!strcmp(sample->name, name)) return sample;
    vb_errorf(err, VB_EMISMATCH, "the data has changed: image %lld is '%s', it was '%s'", (long long)place, sample->name, name);
    return NULL;
}

static int put_picture(picture_reader *reader, const json_t *example, vb_strbuf *out, vb_error *err) {
    vb_image image = {0};
    uint8_t *jpeg = NULL;
    size_t size = 0;
    int width = 0, height = 0;
    const vb_sample *sample = find_sample(reader, example, err);
    int status = sample ? vb_dataset_sample_decode(sample, &image, err) : -1;
    if (!status) status = vb_thumbnail(&image, SIDE, &jpeg, &size, &width, &height, err);
    if (!status) {
        vb_strbuf_format(out, "<li><img width=\"%d\" height=\"%d\" alt=\"", width, height);
        vb_strbuf_add_html(out, vb_json_text(example, "class"));
        vb_strbuf_add(out, ": ");
        vb_strbuf_add_html(out, vb_json_text(example, "image"));
        vb_strbuf_add(out, "\" title=\"");
        vb_strbuf_add_html(out, vb_json_text(example, "class"));
        vb_strbuf_add(out, ": ");
        vb_strbuf_add_html(out, vb_json_text(example, "image"));
        vb_strbuf_add(out, "\" src=\"data:image/jpeg;base64,");
        vb_strbuf_add_base64(out, jpeg, size);
        vb_strbuf_add(out, "\"></li>\n");
    }
    vb_free(jpeg);
    vb_free(image.pixels);
    return status;
}

/* One name: how many images it takes, and some of them. The list of pictures is left out where none can be had. */
static int put_name(picture_reader *reader, const json_t *attack, size_t i, vb_strbuf *out, vb_error *err) {
    const json_t *takes = json_array_get(json_object_get(attack, "takes"), i);
    const json_t *examples = json_array_get(json_object_get(attack, "examples"), i), *count;
    const char *class, *name = json_string_value(json_array_get(json_object_get(attack, "names"), i));
    json_int_t taken = 0;
    vb_strbuf pictures = {0};
    json_object_foreach((json_t *)takes, class, count) taken += json_integer_value(count);
    for (size_t e = 0; reader->dataset && e < json_array_size(examples); e++) {
        vb_error reason = {0};
        if (!put_picture(reader, json_array_get(examples, e), &pictures, &reason)) continue;
        if (reason.code == VB_EMEMORY || pictures.failed) {
            vb_strbuf_free(&pictures);
            *err = reason;
            return -1;
        }
        if (!reader->reason.code) reader->reason = reason;
    }
    vb_strbuf_add(out, "<p><b>");
    vb_strbuf_add_html(out, name ? name : "");
    vb_strbuf_format(out, "</b> takes %lld</p>\n", (long long)taken);
    if (pictures.filled) {
        vb_strbuf_add(out, "<ul>\n");
        vb_strbuf_add_n(out, pictures.bytes, pictures.filled);
        vb_strbuf_add(out, "</ul>\n");
    }
    out->failed = out->failed || pictures.failed;
    vb_strbuf_free(&pictures);
    return 0;
}

static int put_target(picture_reader *reader, const json_t *attack, vb_strbuf *out, vb_error *err) {
    const json_t *names = json_object_get(attack, "names"), *accuracy = json_object_get(attack, "accuracy");
    const json_t *last = json_array_get(accuracy, json_array_size(accuracy) - 1);
    vb_strbuf_add(out, "<section class=\"target\">\n<h4>");
    vb_strbuf_add_html(out, vb_json_text(attack, "target"));
    vb_strbuf_format(out, " <small>%.2f %% → %.2f %%</small></h4>\n", 100 * vb_json_number(attack, "accuracy_before"),
                     100 * json_number_value(last));
    for (size_t i = 0; i < json_array_size(names); i++)
        if (put_name(reader, attack, i, out, err)) return -1;
    vb_strbuf_add(out, "</section>\n");
    return 0;
}

int vb_taken_pictures_add(const vb_section_subject *subject, vb_strbuf *out, vb_error *err) {
    const json_t *attacks = json_object_get(subject->results->entry, "adversarial");
    if (!json_array_size(attacks)) return 0;
    picture_reader reader;
    vb_strbuf targets = {0};
    int status = 0;
    picture_reader_open(&reader, subject->results);
    if (reader.reason.code == VB_EMEMORY) {
        *err = reader.reason;
        status = -1;
    }
    for (size_t t = 0; t < json_array_size(attacks) && reader.dataset && !status; t++) {
        const json_t *attack = json_array_get(attacks, t);
        if (json_array_size(json_object_get(attack, "names"))) status = put_target(&reader, attack, &targets, err);
    }
    if (!status && targets.filled && strstr(targets.bytes ? targets.bytes : "", "<img")) {
        vb_strbuf_add(
            out,
            "<p>Images that each added name takes from the target, the first of every class:</p>\n<div class=\"targets\">\n");
        vb_strbuf_add_n(out, targets.bytes, targets.filled);
        vb_strbuf_add(out, "</div>\n");
    }
    if (!status && reader.reason.code) {
        vb_strbuf_add(out, "<p class=\"quiet\">Pictures of taken images are missing here: ");
        vb_strbuf_add_html(out, reader.reason.text);
        vb_strbuf_add(out, ".</p>\n");
    }
    out->failed = out->failed || targets.failed;
    vb_strbuf_free(&targets);
    picture_reader_close(&reader);
    return status;
}
