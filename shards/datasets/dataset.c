/* Datasets of every kind behind one index: opened, sent, and read unit by unit. */
#include "shards/datasets/dataset.h"

#include <pthread.h>
#include <string.h>

#include <jansson.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/datasets/dataset_kinds.h"
#include "shards/images/image.h"
#include "shards/files/manifest.h"
#include "shards/files/path.h"
#include "shards/files/tar.h"

/* ---- opening ---- */

typedef enum file_kind { SHARD, CIFAR, FOLDER } file_kind;

static int find_kind(const char *path, file_kind *kind, vb_error *err) {
    vb_path_facts facts;
    if (vb_path_stat(path, &facts, err)) return -1;
    *kind = FOLDER;
    if (facts.folder) return 0;
    *kind = CIFAR;
    if (vb_is_cifar(path, facts.size)) return 0;
    *kind = SHARD;
    if (vb_path_ends_with(path, ".tar") || vb_path_ends_with(path, ".tar.zst")) return 0;
    vb_source *source;
    uint8_t block[VB_TAR_BLOCK];
    size_t got;
    if (vb_source_open(&source, path, err)) return -1;
    int status = vb_source_read_some(source, 0, block, sizeof block, &got, err);
    vb_source_close(source);
    if (status) return -1;
    if (got == sizeof block && vb_tar_is_header(block)) return 0;
    if (vb_path_ends_with(path, ".bin"))
        return vb_errorf(err, VB_EDATA, "%s: %llu bytes: expected a multiple of 3074 (CIFAR-100) or 3073 (CIFAR-10): truncated?",
                         path, (unsigned long long)facts.size);
    const char *hint = got >= 2 && block[0] == 0x1f && block[1] == 0x8b ? " (it is gzip: unpack it, or pack it with zstd)" : "";
    return vb_errorf(
        err, VB_EUNSUPPORTED,
        "%s: no dataset%s: expected a folder of class folders or of images (jpg, png, webp), WebDataset shards (.tar, "
        ".tar.zst), or CIFAR-10/100 binary files (.bin)",
        path, hint);
}

/* The shards of a folder: those its manifest lists, else every .tar and .tar.zst in it. */
static int find_shards(vb_strings *shards, const char *folder, vb_error *err) {
    *shards = (vb_strings){0};
    vb_manifest manifest = {0};
    vb_strings names = {0};
    vb_error why = {0};
    int status = -1;
    char *path = vb_path_join(folder, "manifest.json", err);
    if (!path) return -1;
    if (vb_path_exists(path) && vb_manifest_read(&manifest, path, &why) && why.code != VB_EUNSUPPORTED) {
        vb_errorf(err, (vb_code)why.code, "%s", why.text);
        goto done;
    }
    if (!manifest.shard_count && vb_path_list_folder(&names, folder, err)) goto done;
    size_t count = manifest.shard_count ? manifest.shard_count : names.count;
    for (size_t i = 0; i < count; i++) {
        const char *name = manifest.shard_count ? manifest.shards[i].file : names.items[i];
        if (!manifest.shard_count && !vb_path_ends_with(name, ".tar") && !vb_path_ends_with(name, ".tar.zst")) continue;
        if (vb_strings_take(shards, vb_path_join(folder, name, err), err)) goto done;
    }
    status = 0;
done:
    vb_free(path);
    vb_manifest_free(&manifest);
    vb_strings_free(&names);
    if (status) vb_strings_free(shards);
    return status;
}

static int list_folder(vb_listing *listing, const char *folder, vb_error *err) {
    if (vb_list_images(listing, folder, err)) return -1;
    if (listing->samples) return 0;
    vb_listing fresh = {.class_names = listing->class_names, .class_count = listing->class_count};
    int64_t ignored = listing->ignored;
    listing->class_names = NULL;
    listing->class_count = 0;
    vb_listing_free(listing);
    *listing = fresh;
    vb_strings shards;
    if (find_shards(&shards, folder, err)) return -1;
    int status = 0;
    if (shards.count) status = vb_list_shards(listing, &shards, err);
    else
        status = vb_errorf(
            err, VB_EMISSING,
            "%s: no images and no shards in this folder (%lld other files): expected class folders or images (jpg, png, "
            "webp), or shards (.tar, .tar.zst)",
            folder, (long long)ignored);
    vb_strings_free(&shards);
    return status;
}

static int list_paths(vb_listing *listing, const vb_strings *paths, const char *images, vb_error *err) {
    file_kind kind = SHARD;
    for (size_t i = 0; i < paths->count; i++) {
        file_kind other;
        if (find_kind(paths->items[i], &other, err)) return -1;
        if (i && !strcmp(paths->items[i], paths->items[i - 1]))
            return vb_errorf(err, VB_EDATA, "%s: the pattern names '%s' twice", images, paths->items[i]);
        if (other == FOLDER && paths->count > 1)
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: matches folder '%s' and more: expected one folder, or files", images,
                             paths->items[i]);
        if (i && other != kind)
            return vb_errorf(err, VB_EMISMATCH, "%s: '%s' and '%s' are datasets of different kinds", images, paths->items[0],
                             paths->items[i]);
        kind = other;
    }
    if (kind == FOLDER) return list_folder(listing, paths->items[0], err);
    return kind == CIFAR ? vb_list_cifar(listing, paths, err) : vb_list_shards(listing, paths, err);
}

int vb_dataset_open(vb_dataset **dataset, const char *images, const char *class_names, vb_error *err) {
    *dataset = NULL;
    vb_listing listing = {0};
    vb_strings paths = {0};
    int status = -1;
    if (class_names && vb_read_class_names(class_names, &listing.class_names, &listing.class_count, err)) goto done;
    if (vb_path_glob(&paths, images, err) || list_paths(&listing, &paths, images, err)) goto done;
    if (!listing.samples && listing.sort != VB_CIFAR100 && listing.sort != VB_CIFAR10) {
        vb_errorf(err, VB_EMISSING, "%s: no images in the shards", images);
        goto done;
    }
    status = vb_listing_freeze(&listing, dataset, err);
done:
    vb_strings_free(&paths);
    vb_listing_free(&listing);
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
    return vb_dataset_attach(dataset, block, size, err);
}

/* ---- open files between two reads ---- */

enum { IDLE_SOURCES = 8 };

struct vb_idle_sources {
    pthread_mutex_t lock;
    int count; /* the oldest first */
    struct {
        int64_t file;
        vb_source *source;
    } item[IDLE_SOURCES];
};

int vb_idle_sources_new(vb_idle_sources **idle, vb_error *err) {
    if (!(*idle = vb_array(1, sizeof **idle, "open files", err))) return -1;
    pthread_mutex_init(&(*idle)->lock, NULL);
    return 0;
}

static void idle_sources_free(vb_idle_sources *idle) {
    if (!idle) return;
    for (int i = 0; i < idle->count; i++) vb_source_close(idle->item[i].source);
    pthread_mutex_destroy(&idle->lock);
    vb_free(idle);
}

static vb_source *remove_idle(vb_idle_sources *idle, int i) {
    vb_source *source = idle->item[i].source;
    idle->count--;
    memmove(&idle->item[i], &idle->item[i + 1], (size_t)(idle->count - i) * sizeof idle->item[0]);
    return source;
}

int vb_dataset_take_source(const vb_dataset *dataset, int64_t file, uint64_t offset, vb_source **source, vb_error *err) {
    vb_idle_sources *idle = dataset->idle;
    int best = -1;
    *source = NULL;
    pthread_mutex_lock(&idle->lock);
    for (int i = 0; i < idle->count; i++) {
        if (idle->item[i].file != file || vb_source_position(idle->item[i].source) > offset) continue;
        if (best < 0 || vb_source_position(idle->item[i].source) > vb_source_position(idle->item[best].source)) best = i;
    }
    if (best >= 0) *source = remove_idle(idle, best);
    pthread_mutex_unlock(&idle->lock);
    return *source ? 0 : vb_source_open(source, vb_dataset_text(dataset, dataset->file[file].path), err);
}

void vb_dataset_return_source(const vb_dataset *dataset, int64_t file, vb_source *source) {
    vb_idle_sources *idle = dataset->idle;
    vb_source *oldest = NULL;
    pthread_mutex_lock(&idle->lock);
    if (idle->count == IDLE_SOURCES) oldest = remove_idle(idle, 0);
    idle->item[idle->count].file = file;
    idle->item[idle->count++].source = source;
    pthread_mutex_unlock(&idle->lock);
    vb_source_close(oldest);
}

void vb_dataset_close(vb_dataset *dataset) {
    if (!dataset) return;
    idle_sources_free(dataset->idle);
    vb_free(dataset->head);
    vb_free(dataset);
}

/* ---- questions ---- */

static bool is_cifar(const vb_dataset *dataset) {
    return dataset->head->sort == VB_CIFAR100 || dataset->head->sort == VB_CIFAR10;
}

const char *vb_dataset_kind(const vb_dataset *dataset) {
    static const char *const names[VB_DATASET_SORTS] = {"class folders", "images", "WebDataset", "CIFAR-100 binary",
                                                        "CIFAR-10 binary"};
    return names[dataset->head->sort];
}

int64_t vb_dataset_samples(const vb_dataset *dataset) { return dataset->head->samples; }
uint64_t vb_dataset_bytes(const vb_dataset *dataset) { return dataset->head->bytes; }
int64_t vb_dataset_units(const vb_dataset *dataset) { return dataset->head->units; }
int64_t vb_dataset_ignored(const vb_dataset *dataset) { return dataset->head->ignored; }
int vb_dataset_labels(const vb_dataset *dataset) { return (int)dataset->head->label_names; }
const char *vb_dataset_label(const vb_dataset *dataset, int label) {
    return vb_dataset_text(dataset, dataset->label_name[label]);
}
bool vb_dataset_labels_are_numbers(const vb_dataset *dataset) { return dataset->head->numbers; }

vb_unit_range vb_dataset_unit(const vb_dataset *dataset, int64_t unit) {
    if (!is_cifar(dataset)) return (vb_unit_range){dataset->cut[unit], (int)(dataset->cut[unit + 1] - dataset->cut[unit])};
    int64_t low = 0, high = (int64_t)dataset->head->files;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (dataset->file[middle].first_unit <= unit) low = middle;
        else high = middle;
    }
    int64_t full = vb_dataset_unit_samples(dataset), skipped = (unit - dataset->file[low].first_unit) * full,
            left = dataset->file[low].count - skipped;
    return (vb_unit_range){dataset->file[low].first + skipped, (int)(left < full ? left : full)};
}

int64_t vb_dataset_unit_of(const vb_dataset *dataset, int64_t sample) {
    int64_t low = 0, high = dataset->head->units;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (vb_dataset_unit(dataset, middle).first <= sample) low = middle;
        else high = middle;
    }
    return low;
}

int vb_dataset_unit_size(int64_t samples) {
    enum { WANTED_UNITS = 64, FEWEST = 8 };
    int full = VB_UNIT_SAMPLES;
    while (full > FEWEST && samples < (int64_t)full * WANTED_UNITS) full /= 2;
    return full;
}

int vb_dataset_unit_samples(const vb_dataset *dataset) { return vb_dataset_unit_size(dataset->head->samples); }

static int sign_file(vb_digester *digester, const char *path, vb_error *err) {
    vb_path_facts facts;
    if (vb_path_stat(path, &facts, err)) return -1;
    vb_digest_add_text(digester, path);
    vb_digest_add(digester, &facts.size, sizeof facts.size);
    vb_digest_add(digester, &facts.mtime_ns, sizeof facts.mtime_ns);
    return 0;
}

int vb_dataset_unit_signature(const vb_dataset *dataset, int64_t unit, vb_digest *signature, vb_error *err) {
    vb_unit_range range = vb_dataset_unit(dataset, unit);
    const vb_dataset_file *file = &dataset->file[vb_dataset_file_of(dataset, range.first)];
    const char *path = vb_dataset_text(dataset, file->path);
    bool folder = dataset->head->sort == VB_CLASS_FOLDERS || dataset->head->sort == VB_IMAGES;
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, vb_dataset_kind(dataset));
    vb_digest_add_text(digester, dataset->labels_digest.hex);
    int64_t place[2] = {range.first - file->first, range.count};
    int status = 0;
    if (!folder) {
        vb_digest_add(digester, place, sizeof place);
        status = sign_file(digester, path, err);
    }
    for (int i = 0; folder && !status && i < range.count; i++) {
        char *image = vb_path_join(path, vb_dataset_text(dataset, dataset->name[range.first + i]), err);
        status = image ? sign_file(digester, image, err) : -1;
        vb_free(image);
    }
    *signature = vb_digest_finish(digester);
    return status;
}

/* ---- reading ---- */

static int begin_unit(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_error *err) {
    *data = (vb_unit_data){0};
    vb_unit_storage *storage = data->storage = vb_array(1, sizeof *storage, "unit", err);
    data->samples = vb_array((size_t)range.count, sizeof *data->samples, "unit", err);
    if (!storage || !data->samples || !(storage->block = vb_array((size_t)range.count, sizeof *storage->block, "unit", err)))
        return -1;
    data->count = range.count;
    if (is_cifar(dataset)) return 0;
    size_t size = 0;
    for (int i = 0; i < range.count; i++) size += strlen(vb_dataset_text(dataset, dataset->name[range.first + i])) + 1;
    char *at = storage->names = vb_array(size, 1, "sample names", err);
    if (!at) return -1;
    for (int i = 0; i < range.count; i++) {
        const char *name = vb_dataset_text(dataset, dataset->name[range.first + i]);
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

static int read_unit(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras, bool bytes,
                     vb_error *err) {
    vb_unit_range range = vb_dataset_unit(dataset, unit);
    int status = begin_unit(dataset, range, data, err);
    if (!status && is_cifar(dataset)) status = vb_read_cifar(dataset, range, data, bytes, err);
    else if (!status && bytes)
        status = dataset->head->sort == VB_WEBDATASET ? vb_read_shard(dataset, range, data, extras, err) :
                                                        vb_read_images(dataset, range, data, err);
    if (!status) status = digest_unit(dataset, data, err);
    if (status) vb_dataset_unit_free(data);
    return status;
}

int vb_dataset_read_unit(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err) {
    return read_unit(dataset, unit, data, NULL, true, err);
}

int vb_dataset_read_unit_labels(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err) {
    return read_unit(dataset, unit, data, NULL, false, err);
}

int vb_dataset_read_unit_extras(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras,
                                vb_error *err) {
    return read_unit(dataset, unit, data, extras, true, err);
}

void vb_free_extras(vb_sample_extra *extras, int count) {
    for (int i = 0; i < count; i++) {
        vb_free(extras[i].text);
        vb_free(extras[i].json);
        extras[i] = (vb_sample_extra){0};
    }
}

static int caption_of(const vb_sample_extra *extra, const char *name, char **caption, vb_error *err) {
    const char *text = (const char *)extra->text;
    size_t size = extra->text_size;
    json_t *root = NULL;
    if (!text && extra->json && (root = json_loadb((const char *)extra->json, extra->json_size, 0, NULL))) {
        const json_t *value = json_object_get(root, "caption");
        text = json_string_value(value);
        size = json_string_length(value);
    }
    while (size && strchr(" \t\r\n", text[size - 1])) size--;
    for (; size && strchr(" \t\r\n", *text); size--) text++;
    int status = 0;
    if (!vb_utf8_is_text(text, size, NULL)) status = vb_errorf(err, VB_EDATA, "%s: its caption is not UTF-8 text", name);
    if (!status && !(*caption = vb_strndup(size ? text : "", size, err))) status = -1;
    json_decref(root);
    return status;
}

int vb_dataset_read_captions(const vb_dataset *dataset, int64_t unit, char **captions, vb_error *err) {
    vb_unit_data data = {0};
    vb_sample_extra extras[VB_UNIT_SAMPLES] = {{0}};
    memset(captions, 0, VB_UNIT_SAMPLES * sizeof *captions);
    if (dataset->head->sort != VB_WEBDATASET)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: a %s dataset has no captions; expected WebDataset shards",
                         vb_dataset_text(dataset, dataset->file[0].path), vb_dataset_kind(dataset));
    int status = vb_dataset_read_unit_extras(dataset, unit, &data, extras, err);
    for (int i = 0; i < data.count && !status; i++) status = caption_of(&extras[i], data.samples[i].name, &captions[i], err);
    for (int i = 0; i < VB_UNIT_SAMPLES && status; i++) {
        vb_free(captions[i]);
        captions[i] = NULL;
    }
    vb_free_extras(extras, VB_UNIT_SAMPLES);
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

int vb_dataset_sample_decode(const vb_sample *sample, vb_image *image, vb_error *err) {
    *image = (vb_image){0};
    if (!sample->raw_width) {
        if (!sample->size) return vb_errorf(err, VB_EDATA, "%s: no image, or an empty one", sample->name);
        return vb_image_decode(image, sample->bytes, sample->size, sample->name, err);
    }
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
