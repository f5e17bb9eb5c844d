/* Folders of images: class folders (the first level names the label) or a flat folder without labels. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kernels/base/memory.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/file.h"
#include "shards/images/image.h"

enum { CLASS_FOLDERS, IMAGES }; /* variants */

/* The folders above the one that is listed: a link back to one of them would never end. */
typedef struct ancestor {
    const struct ancestor *up;
    uint64_t device, inode;
} ancestor;

struct walk {
    vb_dataset_listing *listing;
    size_t root; /* length of "root/" at the beginning of every path */
    int32_t label;
    uint64_t bytes;
    char *first_image,
        *first_folder; /* at the top level, for the message when there are both; images deeper make their folder count */
};

static int walk_folder(struct walk *walk, const char *folder, const ancestor *up, vb_error *err);

/* What file managers leave in every folder; .DS_Store is hidden and never seen. */
static bool is_housekeeping(const char *name) {
    static const char *const names[] = {"Thumbs.db", "ehthumbs.db", "desktop.ini"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(vb_path_base_name(name), names[i])) return true;
    return false;
}

/* An empty folder among class folders, named with its slash. */
static int ignore_folder(struct walk *walk, const char *name, vb_error *err) {
    char *shown = vb_format(err, "%s/", name);
    const int status = shown ? vb_dataset_listing_ignore(walk->listing, shown, err) : -1;
    vb_free(shown);
    return status;
}

static int walk_entry(struct walk *walk, const char *path, const ancestor *here, vb_error *err) {
    const char *name = path + walk->root;
    bool image = vb_image_has_suffix(path), top = !here->up;
    vb_path_facts facts;
    if (vb_path_stat(path, &facts, err)) {
        if (image) return -1;
        vb_error_clear(err); /* a link to nowhere that does not claim to be an image */
        return vb_dataset_listing_ignore(walk->listing, name, err);
    }
    if (facts.folder) {
        const size_t before = walk->listing->samples;
        const int64_t ignored = walk->listing->ignored;
        if (top && vb_dataset_listing_label(walk->listing, name, strlen(name), &walk->label, err)) return -1;
        ancestor below = {here, facts.device, facts.inode};
        if (walk_folder(walk, path, &below, err)) return -1;
        if (top) {
            if (walk->listing->samples > before && !walk->first_folder && !(walk->first_folder = vb_strdup(name, err))) return -1;
            /* A folder without images is no label; it was the last one added. Of one with nothing at all nothing else tells. */
            walk->label = VB_NO_LABEL;
            if (walk->listing->samples == before && walk->listing->ignored == ignored) return ignore_folder(walk, name, err);
        }
        return 0;
    }
    if (image && !facts.regular && vb_file_expect(path, err)) return -1; /* a pipe or a device that claims to be an image */
    if (!image) return is_housekeeping(name) ? 0 : vb_dataset_listing_ignore(walk->listing, name, err);
    if (top && !walk->first_image && !(walk->first_image = vb_strdup(name, err))) return -1;
    vb_dataset_listed sample = {.label = walk->label, .weight = facts.size};
    walk->bytes += facts.size;
    if (vb_dataset_listing_text(walk->listing, name, strlen(name), &sample.name, err)) return -1;
    return vb_dataset_listing_sample(walk->listing, &sample, err);
}

static int walk_folder(struct walk *walk, const char *folder, const ancestor *here, vb_error *err) {
    for (const ancestor *above = here->up; above; above = above->up)
        if (above->device == here->device && above->inode == here->inode)
            return vb_errorf(err, VB_EDATA, "%s: a link back to a folder above it", folder);
    vb_strings names;
    if (vb_path_list_folder(&names, folder, err)) return -1;
    int status = 0;
    for (size_t i = 0; !status && i < names.count; i++) {
        char *path = vb_path_join(folder, names.items[i], err);
        status = path ? walk_entry(walk, path, here, err) : -1;
        vb_free(path);
    }
    vb_strings_free(&names);
    return status;
}

/* Labels whose folders held no image are dropped. */
static int drop_unused_labels(vb_dataset_listing *listing, vb_error *err) {
    int32_t *now = vb_array(listing->labels, sizeof *now, "labels", err);
    if (!now) return -1;
    for (size_t i = 0; i < listing->samples; i++)
        if (listing->sample[i].label != VB_NO_LABEL) now[listing->sample[i].label] = 1;
    size_t kept = 0;
    for (size_t i = 0; i < listing->labels; i++)
        if (now[i]) {
            listing->label_text[kept] = listing->label_text[i];
            now[i] = (int32_t)kept++;
        }
    listing->labels = kept;
    for (size_t i = 0; i < listing->samples; i++)
        if (listing->sample[i].label != VB_NO_LABEL) listing->sample[i].label = now[listing->sample[i].label];
    vb_free(now);
    return 0;
}

/* A folder without any image has no samples, and that is no error. */
static int folder_list(vb_dataset_listing *listing, const vb_strings *paths, vb_error *err) {
    const char *folder = paths->items[0];
    vb_path_facts facts;
    struct walk walk = {.listing = listing, .label = VB_NO_LABEL};
    int status = -1;
    size_t n = strlen(folder);
    walk.root = n + (n && folder[n - 1] == '/' ? 0 : 1);
    if (vb_path_stat(folder, &facts, err) || vb_dataset_listing_file(listing, folder, 0, err)) return -1;
    ancestor top = {NULL, facts.device, facts.inode};
    if (walk_folder(&walk, folder, &top, err) || drop_unused_labels(listing, err)) goto done;
    if (walk.first_image && walk.first_folder) {
        vb_errorf(err, VB_EDATA,
                  "%s: image '%s' lies beside class folder '%s': expected either class folders or images without labels", folder,
                  walk.first_image, walk.first_folder);
        goto done;
    }
    listing->variant = walk.first_image ? IMAGES : CLASS_FOLDERS;
    listing->file[0].bytes = walk.bytes;
    vb_dataset_listing_sort(listing, 0);
    status = 0;
done:
    vb_free(walk.first_image);
    vb_free(walk.first_folder);
    return status;
}

static int folder_read(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras,
                       bool bytes_too, vb_error *err) {
    (void)extras; /* has_captions is false */
    if (!bytes_too) return 0;
    vb_unit_storage *storage = data->storage;
    const char *folder = vb_dataset_index_path(dataset, 0);
    for (int i = 0; i < range.count; i++) {
        vb_file file;
        char *path = vb_path_join(folder, data->samples[i].name, err);
        int status = path ? vb_file_open(&file, path, err) : -1;
        vb_free(path);
        if (status) return -1;
        uint8_t *bytes = vb_array((size_t)file.size, 1, "image", err);
        storage->block[storage->blocks++] = bytes;
        status = bytes ? vb_file_read(&file, 0, bytes, (size_t)file.size, err) : -1;
        data->samples[i].bytes = bytes;
        data->samples[i].size = (size_t)file.size;
        vb_file_close(&file);
        if (status) return -1;
    }
    return 0;
}

static bool folder_recognise(const char *path, const vb_path_facts *facts) {
    (void)path;
    return facts->folder;
}

const vb_dataset_format vb_dataset_format_folder = {
    .variants = {[CLASS_FOLDERS] = "class folders", [IMAGES] = "images"},
    .expected = "a folder of class folders or of images",
    .sample_files = true,
    .recognise = folder_recognise,
    .list = folder_list,
    .read = folder_read,
};
