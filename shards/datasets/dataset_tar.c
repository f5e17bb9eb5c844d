/* WebDataset shards: members of a tar grouped by key into samples, with labels from .cls or .json. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kernels/base/memory.h"
#include "shards/datasets/class_names.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/json_parse.h"
#include "shards/files/manifest.h"
#include "shards/files/tar.h"
#include "shards/files/text_file.h"
#include "shards/images/image.h"

enum { CLS_LIMIT = 4096, JSON_LIMIT = 1 << 20, TEXT_LIMIT = 1 << 20 };

typedef enum member { IMAGE, CLS, TEXT, JSON, MEMBERS, OTHER = MEMBERS } member;
static const char *const member_names[MEMBERS] = {[IMAGE] = "image", [CLS] = ".cls", [TEXT] = ".txt", [JSON] = ".json"};

/* The key's length (up to the first dot of the last part; 0: belongs to no sample) and what the suffix means. */
static size_t split_name(const char *name, member *what) {
    const char *base = vb_path_base_name(name), *dot = strchr(base, '.');
    *what = OTHER;
    if (!dot || dot == base) return 0;
    if (vb_image_is_suffix(dot + 1)) *what = IMAGE;
    for (member kind = CLS; kind < MEMBERS; kind++)
        if (!strcasecmp(dot, member_names[kind])) *what = kind;
    return (size_t)(dot - name);
}

/* The sample that is being put together from adjacent members. */
struct group {
    vb_dataset_listed sample;
    uint64_t header; /* of its first member */
    bool open, has[MEMBERS];
    char *cls, *json;
    uint64_t json_size;
};

struct scan {
    vb_dataset_listing *listing;
    vb_source *source;
    const char *path;
    struct group group;
    bool images; /* any image in this shard */
};

static const char *key_of(const struct scan *scan) { return scan->listing->pool + scan->group.sample.name; }

static void clear_group(struct group *group) {
    vb_free(group->cls);
    vb_free(group->json);
    *group = (struct group){0};
}

/* The first of the usual keys that holds a string or an integral number of 0 or more; "" when none does. Allocated. */
static char *label_from_json(const struct scan *scan, vb_error *err) {
    static const char *const keys[] = {"label", "class", "class_name", "cls"};
    const struct group *group = &scan->group;
    /* Most metadata names no label at all, and some of it is no JSON either: only what may hold one is parsed. */
    bool may = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char quoted[16];
        snprintf(quoted, sizeof quoted, "\"%s\"", keys[i]);
        may |= strstr(group->json, quoted) != NULL;
    }
    if (!may) return vb_strdup("", err);
    json_error_t where;
    json_t *root = vb_json_parse_python(group->json, (size_t)group->json_size, JSON_ALLOW_NUL, &where, err);
    if (!json_is_object(root)) {
        if (root) vb_errorf(err, VB_EDATA, "found another value");
        vb_error_prefix(err, "%s: sample '%s': .json: expected an object", scan->path, key_of(scan));
        json_decref(root);
        return NULL;
    }
    char *label = NULL;
    for (size_t i = 0; !label && i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(root, keys[i]);
        if (json_is_string(value) && json_string_length(value)) {
            if (strlen(json_string_value(value)) == json_string_length(value)) label = vb_strdup(json_string_value(value), err);
            else vb_errorf(err, VB_EDATA, "%s: sample '%s': .json: %s with a NUL inside", scan->path, key_of(scan), keys[i]);
        } else if (json_is_integer(value) && json_integer_value(value) >= 0)
            label = vb_format(err, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value) && json_real_value(value) >= 0 && json_real_value(value) < 9e15 &&
                 json_real_value(value) == floor(json_real_value(value)))
            label = vb_format(err, "%.0f", json_real_value(value)); /* 2.0: what a column of floats became */
        else continue;
        if (!label) {
            json_decref(root);
            return NULL;
        }
    }
    json_decref(root);
    return label ? label : vb_strdup("", err);
}

static char *label_from_cls(const struct scan *scan, vb_error *err) {
    const char *text = scan->group.cls, *end = text + strlen(text);
    if (!strncmp(text, "\xef\xbb\xbf", 3)) text += 3; /* a byte order mark */
    while (end > text && vb_text_file_is_space(end[-1])) end--;
    while (text < end && vb_text_file_is_space(*text)) text++;
    if (text == end || memchr(text, '\n', (size_t)(end - text))) {
        vb_errorf(err, VB_EDATA, "%s: sample '%s': .cls: expected one integer or one class name", scan->path, key_of(scan));
        return NULL;
    }
    if (*text == '-' && end > text + 1 && strspn(text + 1, "0123456789") == (size_t)(end - text - 1)) {
        vb_errorf(err, VB_EDATA, "%s: sample '%s': .cls: expected an integer of 0 or more, found %.*s", scan->path, key_of(scan),
                  (int)(end - text), text);
        return NULL;
    }
    return vb_strndup(text, (size_t)(end - text), err);
}

static int finish_group(struct scan *scan, vb_error *err) {
    struct group *group = &scan->group;
    if (!group->open) return 0;
    char *label = NULL;
    int status = -1;
    group->sample.label = VB_NO_LABEL;
    if (group->cls && !(label = label_from_cls(scan, err))) goto done;
    if (!group->cls && group->has[JSON] && !group->json) {
        vb_errorf(err, VB_EDATA, "%s: sample '%s': .json of %llu bytes, at most %d are expected", scan->path, key_of(scan),
                  (unsigned long long)group->json_size, JSON_LIMIT);
        goto done;
    }
    if (!group->cls && group->json && !(label = label_from_json(scan, err))) goto done;
    if (label && *label && vb_dataset_listing_label(scan->listing, label, strlen(label), &group->sample.label, err)) goto done;
    if (!group->has[IMAGE]) group->sample.place.offset = group->header;
    scan->images |= group->has[IMAGE];
    group->sample.weight = group->sample.place.size;
    status = vb_dataset_listing_sample(scan->listing, &group->sample, err);
done:
    vb_free(label);
    clear_group(group);
    return status;
}

static char *read_small(const struct scan *scan, const vb_tar_entry *entry, vb_error *err) {
    char *text = vb_array((size_t)entry->size + 1, 1, "tar member", err);
    if (text && vb_source_read(scan->source, entry->offset, text, (size_t)entry->size, err)) {
        vb_free(text);
        text = NULL;
    }
    return text;
}

static int take_member(struct scan *scan, const vb_tar_entry *entry, member what, vb_error *err) {
    struct group *group = &scan->group;
    if (what != OTHER && group->has[what])
        return vb_errorf(err, VB_EDATA, "%s: sample '%s': offset %llu: a second %s ('%s')", scan->path, key_of(scan),
                         (unsigned long long)entry->header, member_names[what], entry->name);
    if (what == OTHER) return vb_dataset_listing_ignore(scan->listing, entry->name, err);
    group->has[what] = true;
    if (what == IMAGE) {
        if (entry->size > UINT32_MAX || entry->offset - group->header > UINT32_MAX)
            return vb_errorf(err, VB_EUNSUPPORTED, "%s: sample '%s' of more than 4 GiB", scan->path, key_of(scan));
        group->sample.place = (vb_place){entry->offset, (uint32_t)entry->size, (uint32_t)(entry->offset - group->header)};
    }
    if (what == CLS) {
        if (entry->size > CLS_LIMIT)
            return vb_errorf(err, VB_EDATA, "%s: sample '%s': .cls of %llu bytes: expected one integer or one class name",
                             scan->path, key_of(scan), (unsigned long long)entry->size);
        if (!(group->cls = read_small(scan, entry, err))) return -1;
        if (strlen(group->cls) != entry->size)
            return vb_errorf(err, VB_EDATA, "%s: sample '%s': .cls with a NUL inside", scan->path, key_of(scan));
    }
    if (what == JSON) {
        group->json_size = entry->size;
        if (!group->cls && entry->size <= JSON_LIMIT && !(group->json = read_small(scan, entry, err))) return -1;
    }
    return 0;
}

static int take_entry(struct scan *scan, const vb_tar_entry *entry, vb_error *err) {
    member what;
    size_t key = split_name(entry->name, &what);
    if ((entry->type == '1' || entry->type == '2') && key && what != OTHER)
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "%s: offset %llu: '%s' is a link: expected the %s itself (tar --dereference "
                         "--hard-dereference)",
                         scan->path, (unsigned long long)entry->header, entry->name, member_names[what]);
    if (entry->type != '0') return 0;
    if (!key) return vb_dataset_listing_ignore(scan->listing, entry->name, err);
    struct group *group = &scan->group;
    if (group->open && (strncmp(key_of(scan), entry->name, key) || key_of(scan)[key]) && finish_group(scan, err)) return -1;
    if (!group->open) {
        group->open = true;
        group->header = entry->header;
        if (vb_dataset_listing_text(scan->listing, entry->name, key, &group->sample.name, err)) return -1;
    }
    return take_member(scan, entry, what, err);
}

static uint64_t begin_of(const vb_place *place) { return place->offset - place->before; }

static int find_repeated_key(const vb_dataset_listing *listing, size_t first, const char *path, vb_error *err) {
    for (size_t i = first + 1; i < listing->samples; i++) {
        const vb_dataset_listed *a = &listing->sample[i - 1], *b = &listing->sample[i];
        if (strcmp(listing->pool + a->name, listing->pool + b->name)) continue;
        uint64_t x = begin_of(&a->place), y = begin_of(&b->place);
        return vb_errorf(err, VB_EDATA,
                         "%s: key '%s' comes twice, at offset %llu and, after other keys, at offset %llu: expected its "
                         "files side by side",
                         path, listing->pool + a->name, (unsigned long long)(x < y ? x : y), (unsigned long long)(x < y ? y : x));
    }
    return 0;
}

static int list_shard(vb_dataset_listing *listing, const char *path, vb_error *err) {
    struct scan scan = {.listing = listing, .path = path};
    vb_tar *tar = NULL;
    vb_path_facts facts;
    int status = -1;
    size_t first = listing->samples;
    if (vb_path_stat(path, &facts, err) || vb_source_open(&scan.source, path, err)) goto done;
    if (vb_dataset_listing_file(listing, path, facts.size, err) || vb_tar_open(&tar, scan.source, 0, err)) goto done;
    for (;;) {
        vb_tar_entry entry;
        if (vb_tar_next(tar, &entry, err)) goto done;
        if (!entry.name) break;
        if (take_entry(&scan, &entry, err)) goto done;
    }
    if (finish_group(&scan, err)) goto done;
    if (!scan.images) listing->samples = first; /* captions only: no samples of ours */
    vb_dataset_listing_sort(listing, first);
    status = find_repeated_key(listing, first, path, err);
done:
    clear_group(&scan.group);
    vb_tar_close(tar);
    vb_source_close(scan.source);
    return status;
}

/* ---- what lies beside the shards ---- */

typedef struct folder_facts {
    vb_manifest manifest; /* empty when there is none of ours */
    vb_strings names;     /* of classes */
    char *folder;
} folder_facts;

static void free_facts(folder_facts *facts) {
    vb_manifest_free(&facts->manifest);
    vb_strings_free(&facts->names);
    vb_free(facts->folder);
    *facts = (folder_facts){0};
}

/* The manifest, when it is one that `pack` wrote; empty where there is none, or another program's. */
static int read_folder_manifest(vb_manifest *manifest, const char *path, vb_error *err) {
    vb_error why = {0};
    *manifest = (vb_manifest){0};
    if (!vb_path_exists(path) || !vb_manifest_read(manifest, path, &why) || why.code == VB_EUNSUPPORTED) return 0;
    return vb_errorf(err, (vb_code)why.code, "%s", why.text);
}

static int read_facts(folder_facts *facts, const char *path, vb_error *err) {
    int status = -1;
    char *manifest = vb_path_beside(path, "manifest.json", err), *names = vb_path_beside(path, "classnames.txt", err);
    if (!manifest || !names || !(facts->folder = vb_path_beside(path, "", err))) goto done;
    if (read_folder_manifest(&facts->manifest, manifest, err)) goto done;
    if (facts->manifest.class_names.count) {
        facts->names = facts->manifest.class_names;
        facts->manifest.class_names = (vb_strings){0};
    } else if (vb_path_exists(names) && vb_class_names_read(&facts->names, names, err)) goto done;
    status = 0;
done:
    vb_free(manifest);
    vb_free(names);
    return status;
}

/* Shards of two folders must mean the same by an integer. */
static int take_names(vb_dataset_listing *listing, folder_facts *facts, bool first, const char *first_path, vb_error *err) {
    vb_strings *known = &listing->class_names;
    if (first) {
        *known = facts->names;
        facts->names = (vb_strings){0};
        return 0;
    }
    bool same = known->count == facts->names.count;
    for (size_t i = 0; same && i < known->count; i++) same = !strcmp(known->items[i], facts->names.items[i]);
    if (same) return 0;
    return vb_errorf(err, VB_EMISMATCH, "the class names beside '%s' and in folder '%s' differ: give one file of class names",
                     first_path, facts->folder);
}

static int check_shard(const folder_facts *facts, const char *path, uint64_t bytes, int64_t rows, vb_error *err) {
    for (size_t i = 0; i < facts->manifest.shard_count; i++) {
        const vb_manifest_shard *shard = &facts->manifest.shards[i];
        if (strcmp(shard->file, vb_path_base_name(path))) continue;
        if (shard->bytes != bytes)
            return vb_errorf(err, VB_EDATA, "%s: %llu bytes, manifest.json says %llu", path, (unsigned long long)bytes,
                             (unsigned long long)shard->bytes);
        if (rows >= 0 && shard->rows != rows)
            return vb_errorf(err, VB_EDATA, "%s: %lld samples, manifest.json says %lld", path, (long long)rows,
                             (long long)shard->rows);
    }
    return 0;
}

static bool is_shard(const char *name) { return vb_path_ends_with(name, ".tar") || vb_path_ends_with(name, ".tar.zst"); }

static bool tar_recognise(const char *path, const vb_path_facts *facts) {
    (void)facts;
    return is_shard(path);
}

static bool tar_recognise_bytes(const uint8_t *head, size_t size) { return size == VB_TAR_BLOCK && vb_tar_is_header(head); }

/* That none of the names in a folder is a shard which its manifest does not list: it would be left out without a word. Each is
 * looked for behind the one before: both are in order, and there may be many. */
static int refuse_unlisted(const vb_manifest *manifest, const vb_strings *names, const char *folder, vb_error *err) {
    const size_t count = manifest->shard_count;
    for (size_t i = 0, next = 0; i < names->count; i++) {
        size_t passed = 0;
        if (!is_shard(names->items[i])) continue;
        while (passed < count && strcmp(manifest->shards[(next + passed) % count].file, names->items[i])) passed++;
        next = (next + passed + 1) % count;
        if (passed == count)
            return vb_errorf(
                err, VB_EMISMATCH,
                "%s: holds '%s', which its manifest.json does not list: name the shards by a pattern, if they belong "
                "together",
                folder, names->items[i]);
    }
    return 0;
}

/* Those that the folder's manifest lists, else every .tar and .tar.zst in it. */
static int tar_find(vb_strings *files, const char *folder, vb_error *err) {
    *files = (vb_strings){0};
    vb_manifest manifest = {0};
    vb_strings names = {0};
    int status = -1;
    char *path = vb_path_join(folder, "manifest.json", err);
    if (!path || read_folder_manifest(&manifest, path, err)) goto done;
    if (vb_path_list_folder(&names, folder, err)) goto done;
    if (manifest.shard_count && refuse_unlisted(&manifest, &names, folder, err)) goto done;
    for (size_t i = 0; i < manifest.shard_count; i++)
        if (vb_strings_take(files, vb_path_join(folder, manifest.shards[i].file, err), err)) goto done;
    for (size_t i = 0; i < names.count && !manifest.shard_count; i++)
        if (is_shard(names.items[i]) && vb_strings_take(files, vb_path_join(folder, names.items[i], err), err)) goto done;
    status = 0;
done:
    vb_free(path);
    vb_manifest_free(&manifest);
    vb_strings_free(&names);
    if (status) vb_strings_free(files);
    return status;
}

static int tar_list(vb_dataset_listing *listing, const vb_strings *paths, vb_error *err) {
    bool given = listing->class_names.count > 0;
    folder_facts facts = {0};
    int status = -1;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        size_t folder = (size_t)(vb_path_base_name(path) - path);
        if (!facts.folder || strlen(facts.folder) != folder || strncmp(facts.folder, path, folder)) {
            free_facts(&facts);
            if (read_facts(&facts, path, err)) goto done;
            if (!given && take_names(listing, &facts, i == 0, paths->items[0], err)) goto done;
        }
        vb_path_facts file;
        if (vb_path_stat(path, &file, err) || check_shard(&facts, path, file.size, -1, err)) goto done;
        size_t before = listing->samples;
        if (list_shard(listing, path, err) || check_shard(&facts, path, file.size, (int64_t)(listing->samples - before), err))
            goto done;
    }
    status = 0;
done:
    free_facts(&facts);
    return status;
}

/* ---- reading ---- */

static int read_member(vb_source *source, const vb_tar_entry *entry, uint64_t limit, uint8_t **bytes, size_t *size,
                       vb_error *err) {
    if (entry->size > limit)
        return vb_errorf(err, VB_EDATA, "%s: '%s' of %llu bytes, at most %llu are expected", vb_source_path(source), entry->name,
                         (unsigned long long)entry->size, (unsigned long long)limit);
    if (!(*bytes = vb_array((size_t)entry->size + 1, 1, "tar member", err))) return -1;
    *size = (size_t)entry->size;
    return vb_source_read(source, entry->offset, *bytes, *size, err);
}

/* All members of a sample in the archive's order, so that a stream goes forward only. */
static int read_with_extra(vb_source *source, const vb_place *place, const char *key, uint8_t *image, vb_sample_extra *extra,
                           vb_error *err) {
    vb_tar *tar;
    if (vb_tar_open(&tar, source, begin_of(place), err)) return -1;
    int status = 0;
    for (;;) {
        vb_tar_entry entry;
        member what;
        if ((status = vb_tar_next(tar, &entry, err)) || !entry.name) break;
        size_t n = split_name(entry.name, &what);
        if (entry.type != '0' || !n) continue;
        if (strncmp(key, entry.name, n) || key[n]) break;
        if (what == IMAGE && entry.offset == place->offset && entry.size == place->size)
            status = vb_source_read(source, entry.offset, image, place->size, err);
        if (what == TEXT && !extra->text) status = read_member(source, &entry, TEXT_LIMIT, &extra->text, &extra->text_size, err);
        if (what == JSON && !extra->json) status = read_member(source, &entry, JSON_LIMIT, &extra->json, &extra->json_size, err);
        if (status) break;
    }
    vb_tar_close(tar);
    return status;
}

static int place_by_offset(const void *a, const void *b, void *places) {
    const vb_place *x = (const vb_place *)places + *(const int *)a, *y = (const vb_place *)places + *(const int *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int tar_read(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras, bool bytes_too,
                    vb_error *err) {
    if (!bytes_too) return 0;
    vb_unit_storage *storage = data->storage;
    vb_place *place = dataset->place + range.first;
    int64_t file = vb_dataset_index_file_of(dataset, range.first);
    int order[VB_UNIT_SAMPLES];
    for (int i = 0; i < range.count; i++) order[i] = i;
    qsort_r(order, (size_t)range.count, sizeof *order, place_by_offset, place);
    vb_source *source;
    if (vb_dataset_index_source(dataset, file, begin_of(&place[order[0]]), &source, err)) return -1;
    for (int i = 0; i < range.count; i++) {
        vb_sample *sample = &data->samples[order[i]];
        const vb_place *at = &place[order[i]];
        uint8_t *bytes = vb_array(at->size, 1, "image", err);
        storage->block[storage->blocks++] = bytes;
        sample->bytes = bytes;
        sample->size = at->size;
        if (!bytes || (extras ? read_with_extra(source, at, sample->name, bytes, &extras[order[i]], err) :
                                vb_source_read(source, at->offset, bytes, at->size, err))) {
            vb_source_close(source);
            return -1;
        }
    }
    vb_dataset_sources_return(dataset->sources, file, source);
    return 0;
}

static_assert((int)VB_DATASET_FORMAT_HEAD == (int)VB_TAR_BLOCK, "an archive is told by its first header");

const vb_dataset_format vb_dataset_format_tar = {
    .variants = {"WebDataset"},
    .expected = "WebDataset shards (.tar, .tar.zst)",
    .placed = true,
    .integer_labels = true,
    .has_captions = true,
    .recognise = tar_recognise,
    .recognise_bytes = tar_recognise_bytes,
    .find = tar_find,
    .list = tar_list,
    .read = tar_read,
};
