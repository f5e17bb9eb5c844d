/* Packing: any dataset becomes WebDataset shards in the zstd seekable format, one unit in memory at a time. */
#include "shards/datasets/pack.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/json_parse.h"
#include "shards/images/image.h"
#include "shards/files/manifest.h"
#include "shards/files/path.h"
#include "shards/files/tar.h"
#include "shards/files/zst.h"

#define SHARD_NAME "%05lld.tar.zst"

/* A frame is cut at the first sample boundary from here on: small enough for one sample's access, large enough to compress texts
 * and headers. */
enum { FRAME_BYTES = 1 << 20, KEY_DIGITS = 9 };

/* With more digits, byte order, which is that of reading, would be another than the numbers'. */
enum { MOST_SHARDS = 100000, MOST_SAMPLES = 1000000000 };

struct packer {
    const vb_dataset *dataset;
    const vb_pack_options *options;
    const char *folder;
    vb_manifest manifest;
    vb_zst_writer *writer; /* NULL between shards */
    char *path;
    int64_t in_shard; /* samples in the open shard */
};

vb_pack_options vb_pack_defaults(void) { return (vb_pack_options){.samples_per_shard = 4096, .level = 3}; }

static int to_zst(void *context, const void *bytes, size_t size, vb_error *err) {
    return vb_zst_writer_write(context, bytes, size, err);
}

/* The folder may hold shards of an interrupted run, which this run replaces, but none that would stay and be taken for ours. */
static int check_folder(const struct packer *packer, int64_t shards, vb_error *err) {
    vb_strings names;
    if (vb_path_make_folders(packer->folder, err) || vb_path_list_folder(&names, packer->folder, err)) return -1;
    int status = 0;
    for (size_t i = 0; !status && i < names.count; i++) {
        const char *name = names.items[i];
        char expected[40];
        long long number = strtoll(name, NULL, 10);
        snprintf(expected, sizeof expected, SHARD_NAME, number);
        bool ours = number >= 0 && number < shards && !strcmp(name, expected);
        if (!strcmp(name, "manifest.json"))
            status = vb_errorf(err, VB_EOUTPUT, "%s: already holds a packed dataset (manifest.json)", packer->folder);
        else if (!ours && (vb_path_ends_with(name, ".tar") || vb_path_ends_with(name, ".tar.zst")))
            status = vb_errorf(err, VB_EOUTPUT, "%s: holds '%s', which is not of this dataset's %lld shards", packer->folder,
                               name, (long long)shards);
    }
    vb_strings_free(&names);
    return status;
}

static int open_shard(struct packer *packer, vb_error *err) {
    vb_manifest *manifest = &packer->manifest;
    vb_manifest_shard *shard = &manifest->shards[manifest->shard_count++];
    *shard = (vb_manifest_shard){0};
    if (!(shard->file = vb_format(err, SHARD_NAME, (long long)manifest->shard_count - 1))) return -1;
    if (!(packer->path = vb_path_join(packer->folder, shard->file, err))) return -1;
    packer->in_shard = 0;
    return vb_zst_writer_open(&packer->writer, packer->path, packer->options->level, err);
}

static int close_shard(struct packer *packer, vb_error *err) {
    vb_manifest_shard *shard = &packer->manifest.shards[packer->manifest.shard_count - 1];
    if (vb_tar_write_end(&(vb_tar_sink){to_zst, packer->writer}, err)) return -1;
    vb_zst_writer *writer = packer->writer;
    packer->writer = NULL; /* commit frees it either way */
    if (vb_zst_writer_commit(writer, &shard->bytes, err) || vb_digest_file(packer->path, &shard->digest, err)) return -1;
    shard->rows = packer->in_shard;
    packer->manifest.rows += shard->rows;
    vb_free(packer->path);
    packer->path = NULL;
    return 0;
}

static int add_member(struct packer *packer, int64_t number, const char *suffix, const void *bytes, size_t size, vb_error *err) {
    char name[40];
    snprintf(name, sizeof name, "%0*lld.%s", KEY_DIGITS, (long long)number, suffix);
    return vb_tar_write_file(&(vb_tar_sink){to_zst, packer->writer}, name, bytes, size, err);
}

static int pack_image(struct packer *packer, int64_t number, const vb_sample *sample, vb_error *err) {
    const char *suffix = vb_image_format_suffix(sample->bytes, sample->size);
    if (!sample->raw_width) {
        if (!sample->size) return vb_errorf(err, VB_EDATA, "sample '%s': no image, or an empty one", sample->name);
        /* Bytes of no known format are broken, which is for the reader to count: they keep their place, under an image's name. */
        return add_member(packer, number, suffix ? suffix : "png", sample->bytes, sample->size, err);
    }
    vb_image image;
    uint8_t *png = NULL;
    size_t size;
    if (vb_dataset_sample_decode(sample, &image, err)) return -1;
    int status = vb_image_encode_png(image.pixels, image.width, image.height, &png, &size, err);
    if (!status) status = add_member(packer, number, "png", png, size, err);
    vb_free(png);
    vb_free(image.pixels);
    return status;
}

/* A JSON string of text that need not be UTF-8: what is not becomes '?'. */
static json_t *json_text(const char *text, vb_error *err) {
    char *plain = vb_strdup(text, err);
    if (!plain) return NULL;
    const bool is_text = vb_utf8_is_text(text, strlen(text), NULL);
    for (char *at = plain; *at && !is_text; at++)
        if (*at & 0x80) *at = '?';
    json_t *value = json_string(plain);
    vb_free(plain);
    if (!value) vb_errorf(err, VB_EMEMORY, "no memory for JSON");
    return value;
}

static int add_json(struct packer *packer, int64_t number, const vb_sample *sample, vb_error *err) {
    bool numbers = vb_dataset_labels_are_numbers(packer->dataset);
    json_t *root = json_object(), *source = json_text(sample->name, err), *label = NULL;
    int status = -1;
    char *text = NULL;
    if (!source) goto done;
    if (sample->label >= 0) {
        const char *name = vb_dataset_label(packer->dataset, sample->label);
        if (!(label = numbers ? json_integer(strtoll(name, NULL, 10)) : json_text(name, err))) goto done;
    }
    if ((label && json_object_set(root, "label", label)) || json_object_set(root, "source", source) ||
        !(text = vb_json_parse_text(root, JSON_COMPACT | JSON_SORT_KEYS)))
        vb_errorf(err, VB_EMEMORY, "no memory for JSON");
    else status = add_member(packer, number, "json", text, strlen(text), err);
done:
    vb_free(text);
    json_decref(label);
    json_decref(source);
    json_decref(root);
    return status;
}

static int add_sample(struct packer *packer, int64_t number, const vb_sample *sample, const vb_sample_extra *extra,
                      vb_error *err) {
    bool numbers = vb_dataset_labels_are_numbers(packer->dataset);
    const char *label = sample->label < 0 ? NULL : vb_dataset_label(packer->dataset, sample->label);
    if (!packer->writer && open_shard(packer, err)) return -1;
    if (vb_zst_writer_frame_bytes(packer->writer) >= FRAME_BYTES && vb_zst_writer_cut(packer->writer, err)) return -1;
    if (pack_image(packer, number, sample, err)) return -1;
    if (label) {
        char index[16];
        snprintf(index, sizeof index, "%d", sample->label);
        const char *cls = numbers ? label : index;
        if (add_member(packer, number, "cls", cls, strlen(cls), err)) return -1;
    }
    if (extra->text) {
        if (add_member(packer, number, "txt", extra->text, extra->text_size, err)) return -1;
    } else if (label && !numbers && add_member(packer, number, "txt", label, strlen(label), err)) return -1;
    int status = extra->json ? add_member(packer, number, "json", extra->json, extra->json_size, err) :
                               add_json(packer, number, sample, err);
    if (status) return -1;
    return ++packer->in_shard == packer->options->samples_per_shard ? close_shard(packer, err) : 0;
}

static int pack_unit(struct packer *packer, int64_t unit, vb_error *err) {
    vb_unit_range range = vb_dataset_unit(packer->dataset, unit);
    vb_unit_data data = {0};
    vb_sample_extra extras[VB_UNIT_SAMPLES] = {{0}};
    int status = vb_dataset_read_unit_extras(packer->dataset, unit, &data, extras, err);
    for (int i = 0; !status && i < data.count; i++)
        status = add_sample(packer, range.first + i, &data.samples[i], &extras[i], err);
    vb_dataset_extras_free(extras, VB_UNIT_SAMPLES);
    vb_dataset_unit_free(&data);
    return status;
}

static int take_class_names(struct packer *packer, vb_error *err) {
    if (vb_dataset_labels_are_numbers(packer->dataset)) return 0;
    int count = vb_dataset_labels(packer->dataset);
    int status = 0;
    for (int i = 0; !status && i < count; i++) {
        const char *name = vb_dataset_label(packer->dataset, i);
        if (vb_utf8_is_text(name, strlen(name), NULL)) status = vb_strings_add(&packer->manifest.class_names, name, err);
        else /* the manifest would be refused when all is packed */
            status = vb_errorf(err, VB_EUNSUPPORTED, "%s: class name '%s' is not UTF-8", packer->folder, name);
    }
    return status;
}

int vb_pack(const vb_dataset *dataset, const char *folder, const vb_pack_options *options, vb_pack_result *result,
            vb_error *err) {
    *result = (vb_pack_result){0};
    int64_t samples = vb_dataset_samples(dataset);
    if (options->samples_per_shard < 1)
        return vb_errorf(err, VB_EUSAGE, "%lld samples a shard: expected 1 or more", (long long)options->samples_per_shard);
    struct packer packer = {.dataset = dataset, .options = options, .folder = folder};
    int64_t shards = samples / options->samples_per_shard + (samples % options->samples_per_shard != 0);
    if (samples > MOST_SAMPLES)
        return vb_errorf(err, VB_EUNSUPPORTED, "%lld samples: at most %d are packed into one folder", (long long)samples,
                         MOST_SAMPLES);
    if (shards > MOST_SHARDS)
        return vb_errorf(err, VB_EUSAGE, "%lld samples, %lld a shard, are %lld shards: expected at most %d; put more into each",
                         (long long)samples, (long long)options->samples_per_shard, (long long)shards, MOST_SHARDS);
    char *path = NULL;
    int status = -1;
    if (check_folder(&packer, shards, err) || take_class_names(&packer, err)) goto done;
    if (!(packer.manifest.shards = vb_array((size_t)shards, sizeof *packer.manifest.shards, "shards", err))) goto done;
    for (int64_t unit = 0; unit < vb_dataset_units(dataset); unit++) {
        if (pack_unit(&packer, unit, err)) goto done;
        vb_unit_range range = vb_dataset_unit(dataset, unit);
        if (options->progress && options->progress(options->context, range.first + range.count, samples, err)) goto done;
    }
    if (packer.writer && close_shard(&packer, err)) goto done;
    if (!(path = vb_path_join(folder, "manifest.json", err)) || vb_manifest_write(&packer.manifest, path, err)) goto done;
    *result = (vb_pack_result){.samples = packer.manifest.rows, .shards = shards};
    for (size_t i = 0; i < packer.manifest.shard_count; i++) result->bytes += packer.manifest.shards[i].bytes;
    status = 0;
done:
    vb_zst_writer_abandon(packer.writer);
    vb_manifest_free(&packer.manifest);
    vb_free(packer.path);
    vb_free(path);
    return status;
}
