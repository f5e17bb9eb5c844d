/* Datasets of every format behind one index: opened, sent, and read unit by unit. */
#include "shards/datasets/dataset.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/datasets/class_names.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/identity.h"
#include "shards/files/content.h"
#include "shards/files/json_parse.h"
#include "shards/files/text_file.h"
#include "shards/images/image.h"

/* ---- the formats: a new one is a row here, a file of its own, and its line in dataset_format.h ---- */

static const vb_dataset_format *const formats[] = {&vb_dataset_format_folder, &vb_dataset_format_tar, &vb_dataset_format_cifar};
enum { FORMATS = sizeof formats / sizeof *formats };

static const vb_dataset_format *format_of(const vb_dataset *dataset) { return formats[dataset->head->format]; }

/* The first format that takes the path; FORMATS when none does. */
static int format_by_name(const char *path, const vb_path_facts *facts) {
    for (int i = 0; i < FORMATS; i++)
        if (formats[i]->recognise(path, facts)) return i;
    return FORMATS;
}

bool vb_dataset_recognises(const char *path) {
    vb_path_facts facts;
    return !vb_path_stat(path, &facts, NULL) && !facts.folder && format_by_name(path, &facts) < FORMATS;
}

static int no_format(const char *path, const uint8_t *head, size_t size, vb_error *err) {
    char expected[512] = "";
    size_t n = 0;
    for (int i = 0; i < FORMATS && n < sizeof expected; i++)
        n += (size_t)snprintf(expected + n, sizeof expected - n, "%s%s",
                              !i              ? "" :
                              i + 1 < FORMATS ? ", " :
                                                ", or ",
                              formats[i]->expected);
    const char *known = vb_content_name(head, size);
    const bool gzip = size >= 2 && head[0] == 0x1f && head[1] == 0x8b;
    return vb_errorf(err, VB_EUNSUPPORTED, "%s: no dataset%s%s%s%s: expected %s", path, known ? " (it is " : "",
                     known ? known : "", gzip ? ": unpack it, or pack it with zstd" : "", known ? ")" : "", expected);
}

static int find_format(const char *path, int *format, vb_error *err) {
    vb_path_facts facts;
    vb_source *source;
    uint8_t head[VB_DATASET_FORMAT_HEAD];
    size_t got;
    if (vb_path_stat(path, &facts, err)) return -1;
    if ((*format = format_by_name(path, &facts)) < FORMATS) return 0;
    if (vb_source_open(&source, path, err)) return -1;
    int status = vb_source_read_some(source, 0, head, sizeof head, &got, err);
    vb_source_close(source);
    if (status) return -1;
    for (*format = 0; *format < FORMATS; ++*format)
        if (formats[*format]->recognise_bytes && formats[*format]->recognise_bytes(head, got)) return 0;
    for (int i = 0; i < FORMATS && !vb_content_is_no_file(head, got); i++)
        if (formats[i]->refuse && formats[i]->refuse(path, &facts, err)) return -1;
    return no_format(path, head, got, err);
}

/* ---- opening ---- */

/* A folder without images may hold the files of another format. */
static int list_files_within(vb_dataset_listing *listing, const char *folder, int *format, vb_error *err) {
    char suffixes[VB_IMAGE_SUFFIXES];
    vb_dataset_listing fresh = {.class_names = listing->class_names};
    int64_t ignored = listing->ignored;
    listing->class_names = (vb_strings){0};
    vb_dataset_listing_free(listing);
    *listing = fresh;
    for (int i = 0; i < FORMATS; i++) {
        vb_strings files = {0};
        if (!formats[i]->find) continue;
        int status = formats[i]->find(&files, folder, err), found = files.count > 0;
        if (!status && found) {
            listing->format = formats[ *format = i];
            status = formats[i]->list(listing, &files, err);
        }
        vb_strings_free(&files);
        if (status || found) return status;
    }
    return vb_errorf(err, VB_EMISSING,
                     "%s: no images and no shards in this folder (%lld other files): expected class folders or images (%s), or "
                     "shards (.tar, .tar.zst)",
                     folder, (long long)ignored, vb_image_suffixes(suffixes));
}

static int list_paths(vb_dataset_listing *listing, const vb_strings *paths, const char *images, int *format, vb_error *err) {
    for (size_t i = 0; i < paths->count; i++) {
        int other;
        if (find_format(paths->items[i], &other, err)) return -1;
        if (i && !strcmp(paths->items[i], paths->items[i - 1]))
            return vb_errorf(err, VB_EDATA, "%s: the pattern names '%s' twice", images, paths->items[i]);
        if (formats[other]->sample_files && paths->count > 1)
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: matches folder '%s' and more: expected one folder, or files", images,
                             paths->items[i]);
        if (i && other != *format)
            return vb_errorf(err, VB_EMISMATCH, "%s: '%s' and '%s' are datasets of different kinds", images, paths->items[0],
                             paths->items[i]);
        *format = other;
    }
    listing->format = formats[*format];
    if (listing->format->list(listing, paths, err)) return -1;
    return listing->format->sample_files && !listing->samples ? list_files_within(listing, paths->items[0], format, err) : 0;
}

int vb_dataset_open(vb_dataset **dataset, const char *images, const char *class_names, vb_error *err) {
    *dataset = NULL;
    vb_dataset_listing listing = {0};
    vb_strings paths = {0};
    int status = -1, format = 0;
    if (class_names && vb_class_names_read(&listing.class_names, class_names, err)) goto done;
    if (vb_path_glob(&paths, images, err) || list_paths(&listing, &paths, images, &format, err)) goto done;
    if (!listing.samples && !listing.format->fixed_records) {
        if (listing.ignored)
            vb_errorf(
                err, VB_EMISSING,
                "%s: no images in the shards: none of the %lld files in samples has an image's ending, such as '%s' (the ending "
                "is all behind the first dot)",
                images, (long long)listing.ignored, vb_path_base_name(listing.pool + listing.ignored_name[0]));
        else vb_errorf(err, VB_EMISSING, "%s: no images in the shards", images);
        goto done;
    }
    status = vb_dataset_listing_freeze(&listing, format, dataset, err);
done:
    vb_strings_free(&paths);
    vb_dataset_listing_free(&listing);
    return status;
}

int vb_dataset_export(const vb_dataset *dataset, void **bytes, size_t *size, vb_error *err) {
    *size = (size_t)dataset->head->size;
    if (!(*bytes = vb_array(*size, 1, "index of the dataset", err))) return -1;
    memcpy(*bytes, dataset->head, *size);
    return 0;
}

int vb_dataset_import(vb_dataset **dataset, const void *bytes, size_t size, vb_error *err) {
    *dataset = NULL;
    void *block = vb_array(size, 1, "index of the dataset", err);
    if (!block) return -1;
    memcpy(block, bytes, size);
    if (vb_dataset_index_attach(dataset, block, size, err)) return -1;
    const vb_dataset_head *head = (*dataset)->head;
    const vb_dataset_format *format = head->format < FORMATS ? formats[head->format] : NULL;
    if (format && head->variant < VB_DATASET_FORMAT_VARIANTS && format->variants[head->variant] &&
        format->fixed_records == head->fixed_records && format->placed == head->placed)
        return 0;
    vb_dataset_close(*dataset);
    *dataset = NULL;
    return vb_errorf(err, VB_EINTERNAL, "the index of a dataset contradicts itself");
}

void vb_dataset_close(vb_dataset *dataset) { vb_dataset_index_free(dataset); }

/* ---- questions ---- */

int vb_dataset_shards(const vb_dataset *dataset, vb_strings *paths, vb_error *err) {
    if (format_of(dataset)->sample_files) return 0;
    for (uint64_t f = 0; f < dataset->head->files; f++)
        if (vb_strings_add(paths, vb_dataset_index_path(dataset, (int64_t)f), err)) return -1;
    return 0;
}

void vb_dataset_close_files(const vb_dataset *dataset) { vb_dataset_sources_close_idle(dataset->sources); }

const char *vb_dataset_kind(const vb_dataset *dataset) { return format_of(dataset)->variants[dataset->head->variant]; }
int64_t vb_dataset_samples(const vb_dataset *dataset) { return dataset->head->samples; }
uint64_t vb_dataset_bytes(const vb_dataset *dataset) { return dataset->head->bytes; }
int64_t vb_dataset_units(const vb_dataset *dataset) { return dataset->head->units; }
int64_t vb_dataset_ignored(const vb_dataset *dataset) { return dataset->head->ignored; }
int vb_dataset_ignored_names(const vb_dataset *dataset) { return (int)dataset->head->ignored_names; }
const char *vb_dataset_ignored_name(const vb_dataset *dataset, int i) {
    assert(i >= 0 && i < vb_dataset_ignored_names(dataset));
    return vb_dataset_index_text(dataset, dataset->ignored_name[i]);
}
char *vb_dataset_ignored_text(const vb_dataset *dataset, vb_error *err) {
    const int64_t count = dataset->head->ignored;
    const bool folder = format_of(dataset)->sample_files;
    char *text = vb_format(err, "%lld file%s passed over, %s%s", (long long)count, count == 1 ? "" : "s",
                           !folder    ? "of no known kind" :
                           count == 1 ? "no image by its name" :
                                        "no images by their names",
                           count > 1 ? ", such as" : ":");
    for (int i = 0; text && i < vb_dataset_ignored_names(dataset); i++) {
        char *longer = vb_format(err, "%s%s '%s'", text, i ? "," : "", vb_dataset_ignored_name(dataset, i));
        vb_free(text);
        text = longer;
    }
    if (text) vb_utf8_one_line(text); /* a name may hold anything */
    return text;
}
int vb_dataset_labels(const vb_dataset *dataset) { return (int)dataset->head->label_names; }
const char *vb_dataset_label(const vb_dataset *dataset, int label) {
    assert(label >= 0 && label < vb_dataset_labels(dataset));
    return vb_dataset_index_text(dataset, dataset->label_name[label]);
}
bool vb_dataset_labels_are_numbers(const vb_dataset *dataset) { return dataset->head->numbers; }
bool vb_dataset_records(const vb_dataset *dataset) { return dataset->head->fixed_records; }

vb_unit_range vb_dataset_unit(const vb_dataset *dataset, int64_t unit) { return vb_dataset_index_unit(dataset, unit); }

int64_t vb_dataset_unit_of(const vb_dataset *dataset, int64_t sample) {
    int64_t low = 0, high = dataset->head->units;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (vb_dataset_unit(dataset, middle).first <= sample) low = middle;
        else high = middle;
    }
    return low;
}

int vb_dataset_unit_samples(const vb_dataset *dataset) { return vb_dataset_index_unit_size(dataset->head->samples); }

static int sign_file(vb_digester *digester, const char *path, vb_error *err) {
    vb_identity identity;
    if (vb_identity_of_path(&identity, path, err)) return -1;
    vb_digest_add_text(digester, path);
    vb_digest_add(digester, &identity, sizeof identity);
    return 0;
}

int vb_dataset_unit_signature(const vb_dataset *dataset, int64_t unit, vb_digest *signature, vb_error *err) {
    vb_unit_range range = vb_dataset_unit(dataset, unit);
    const vb_dataset_file *file = &dataset->file[vb_dataset_index_file_of(dataset, range.first)];
    const char *path = vb_dataset_index_text(dataset, file->path);
    bool folder = format_of(dataset)->sample_files;
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, vb_dataset_kind(dataset));
    vb_digest_add_text(digester, dataset->labels_digest.hex);
    /* The digest that is found by it has the samples' names in it: those of records tell their file where there are several,
     * those of files where the listing began. */
    int64_t place[3] = {range.first - file->first, range.count, dataset->head->fixed_records && dataset->head->files > 1};
    int status = 0;
    if (!folder) {
        vb_digest_add(digester, place, sizeof place);
        status = sign_file(digester, path, err);
    }
    for (int i = 0; folder && !status && i < range.count; i++) {
        const char *name = vb_dataset_index_text(dataset, dataset->name[range.first + i]);
        char *image = vb_path_join(path, name, err);
        vb_digest_add_text(digester, name);
        status = image ? sign_file(digester, image, err) : -1;
        vb_free(image);
    }
    *signature = vb_digest_finish(digester);
    return status;
}

int vb_dataset_unit_check(const vb_dataset *dataset, int64_t unit, const vb_digest *signature, vb_error *err) {
    vb_digest now;
    if (vb_dataset_unit_signature(dataset, unit, &now, err)) return -1;
    if (!strcmp(now.hex, signature->hex)) return 0;
    vb_unit_range range = vb_dataset_unit(dataset, unit);
    const char *path = vb_dataset_index_path(dataset, vb_dataset_index_file_of(dataset, range.first));
    if (!format_of(dataset)->sample_files)
        return vb_errorf(err, VB_EDATA, "%s: changed during the run, while samples were read from it", path);
    return vb_errorf(err, VB_EDATA, "%s: an image from '%s' to '%s' changed during the run, while it was read", path,
                     vb_dataset_index_text(dataset, dataset->name[range.first]),
                     vb_dataset_index_text(dataset, dataset->name[range.first + range.count - 1]));
}

/* ---- reading ---- */

static int begin_unit(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_error *err) {
    *data = (vb_unit_data){0};
    vb_unit_storage *storage = data->storage = vb_array(1, sizeof *storage, "unit", err);
    data->samples = vb_array((size_t)range.count, sizeof *data->samples, "unit", err);
    if (!storage || !data->samples || !(storage->block = vb_array((size_t)range.count, sizeof *storage->block, "unit", err)))
        return -1;
    data->count = range.count;
    if (format_of(dataset)->fixed_records) return 0; /* the records hold names and labels */
    size_t size = 0;
    for (int i = 0; i < range.count; i++) size += strlen(vb_dataset_index_text(dataset, dataset->name[range.first + i])) + 1;
    char *at = storage->names = vb_array(size, 1, "sample names", err);
    if (!at) return -1;
    for (int i = 0; i < range.count; i++) {
        const char *name = vb_dataset_index_text(dataset, dataset->name[range.first + i]);
        size_t n = strlen(name) + 1;
        memcpy(at, name, n);
        data->samples[i] = (vb_sample){.name = at, .label = dataset->label[range.first + i]};
        at += n;
    }
    return 0;
}

static int digest_unit(const vb_dataset *dataset, vb_unit_data *data, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    for (int i = 0; i < data->count; i++) {
        const vb_sample *sample = &data->samples[i];
        vb_digest_add_text(digester, sample->name);
        vb_digest_add_text(digester, sample->label < 0 ? "" : vb_dataset_label(dataset, sample->label)); /* no label is empty */
        vb_digest_add(digester, sample->bytes, sample->size);
    }
    data->digest = vb_digest_finish(digester);
    return 0;
}

static int read_any_unit(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras, bool bytes,
                         vb_error *err) {
    vb_unit_range range = vb_dataset_unit(dataset, unit);
    int status = begin_unit(dataset, range, data, err);
    if (!status) status = format_of(dataset)->read(dataset, range, data, extras, bytes, err);
    if (!status) status = digest_unit(dataset, data, err);
    if (status) vb_dataset_unit_free(data);
    return status;
}

int vb_dataset_read_unit(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err) {
    return read_any_unit(dataset, unit, data, NULL, true, err);
}

int vb_dataset_read_unit_labels(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err) {
    return read_any_unit(dataset, unit, data, NULL, false, err);
}

int vb_dataset_read_unit_extras(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras,
                                vb_error *err) {
    return read_any_unit(dataset, unit, data, extras, true, err);
}

void vb_dataset_extras_free(vb_sample_extra *extras, int count) {
    for (int i = 0; i < count; i++) {
        vb_free(extras[i].text);
        vb_free(extras[i].json);
        extras[i] = (vb_sample_extra){0};
    }
}

static bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static int caption_of(const vb_sample_extra *extra, const char *name, char **caption, vb_error *err) {
    const char *text = (const char *)extra->text;
    size_t size = extra->text_size;
    json_t *root = NULL;
    if (!text && extra->json) { /* what is no JSON holds no caption */
        json_error_t where;
        vb_error why;
        root = vb_json_parse_python((char *)extra->json, extra->json_size, 0, &where, &why);
        if (!root && why.code == VB_EMEMORY) return vb_errorf(err, VB_EMEMORY, "%s: %s", name, why.text);
        const json_t *value = json_object_get(root, "caption");
        text = json_string_value(value);
        size = json_string_length(value);
    }
    if (!text) text = "", size = 0;
    const size_t mark = vb_text_file_mark(text, size);
    text += mark;
    size -= mark;
    while (size && is_white(text[size - 1])) size--;
    for (; size && is_white(*text); size--) text++;
    int status = 0;
    if (vb_utf8_is_text(text, size, NULL) && !(*caption = vb_strndup(text, size, err))) status = -1;
    json_decref(root);
    return status;
}

int vb_dataset_read_captions(const vb_dataset *dataset, int64_t unit, char **captions, vb_error *err) {
    vb_unit_data data = {0};
    vb_sample_extra extras[VB_UNIT_SAMPLES] = {{0}};
    memset(captions, 0, VB_UNIT_SAMPLES * sizeof *captions);
    if (!format_of(dataset)->has_captions)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: a %s dataset has no captions; expected WebDataset shards",
                         vb_dataset_index_path(dataset, 0), vb_dataset_kind(dataset));
    int status = vb_dataset_read_unit_extras(dataset, unit, &data, extras, err);
    for (int i = 0; i < data.count && !status; i++) status = caption_of(&extras[i], data.samples[i].name, &captions[i], err);
    for (int i = 0; i < VB_UNIT_SAMPLES && status; i++) {
        vb_free(captions[i]);
        captions[i] = NULL;
    }
    vb_dataset_extras_free(extras, VB_UNIT_SAMPLES);
    vb_dataset_unit_free(&data);
    return status;
}

void vb_dataset_unit_free(vb_unit_data *data) {
    vb_unit_storage *storage = data->storage;
    for (int i = 0; storage && i < storage->blocks; i++) vb_free(storage->block[i]);
    if (storage) {
        vb_free(storage->block);
        vb_free(storage->names);
    }
    vb_free(storage);
    vb_free(data->samples);
    *data = (vb_unit_data){0};
}

/* Planes of a raw sample, as RGB. */
static int interleave(const vb_sample *sample, vb_image *image, vb_error *err) {
    size_t plane = (size_t)sample->raw_width * (size_t)sample->raw_height;
    if (sample->size != 3 * plane)
        return vb_errorf(err, VB_EINTERNAL, "%s: %zu bytes, expected 3 x %d x %d", sample->name, sample->size, sample->raw_height,
                         sample->raw_width);
    if (!(image->pixels = vb_array(plane, 3, "pixels", err))) return -1;
    image->mode = VB_MODE_RGB;
    image->width = sample->raw_width;
    image->height = sample->raw_height;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < 3; c++) image->pixels[3 * i + c] = sample->bytes[c * plane + i];
    return 0;
}

int vb_dataset_sample_decode(const vb_sample *sample, vb_image *image, vb_error *err) {
    *image = (vb_image){0};
    if (sample->raw_width) return interleave(sample, image, err);
    if (!sample->size) return vb_errorf(err, VB_EDATA, "%s: no image, or an empty one", sample->name);
    return vb_image_decode(image, sample->bytes, sample->size, sample->name, err);
}

int vb_dataset_sample_rows(const vb_sample *sample, const vb_row_sink *sink, vb_image *image, vb_error *err) {
    *image = (vb_image){0};
    if (!sample->raw_width && !sample->size) return vb_errorf(err, VB_EDATA, "%s: no image, or an empty one", sample->name);
    if (!sample->raw_width) return vb_image_decode_rows(image, sink, sample->bytes, sample->size, sample->name, err);
    const vb_image head = {.mode = VB_MODE_RGB, .width = sample->raw_width, .height = sample->raw_height};
    if (sink->admit(sink->context, &head, sample->size, sample->name, err) || interleave(sample, image, err)) return -1;
    int status = sink->begin(sink->context, image, err) ? vb_error_prefix(err, "%s", sample->name) : 0;
    const size_t stride = 3 * (size_t)image->width;
    for (int y = 0; y < image->height && !status; y++) status = sink->row(sink->context, image->pixels + (size_t)y * stride, err);
    vb_free(image->pixels);
    image->pixels = NULL;
    return status;
}
