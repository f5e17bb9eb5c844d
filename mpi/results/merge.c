/* Parts of one experiment: read, held against each other, joined. */
#include "mpi/results/merge.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/base/output_lock.h"
#include "mpi/results/document.h"
#include "mpi/results/result_folder.h"
#include "shards/files/digest.h"
#include "shards/files/map.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

typedef struct merge {
    const char *output;
    vb_result_folder *parts;
    int count;
    vb_pair_name *pairs;
    int pair_count;
    json_t **entry; /* of every configured pair: a reference into a part's document */
    int *from;      /* the part it came from */
} merge;

/* ---- reading and comparing ---- */

static int open_part(vb_result_folder *part, const char *given, vb_error *err) {
    char *path = vb_format(err, "%s/results.json", given);
    int status = path ? 0 : -1;
    if (!status && vb_path_is_folder(given) && !vb_path_exists(path))
        status = vb_errorf(err, VB_EMISSING, "%s: no such file: the run in that folder has not ended, see 'vocabench status %s'",
                           path, given);
    if (!status && !vb_path_exists(given)) status = vb_errorf(err, VB_EMISSING, "%s: no such file or folder", given);
    vb_free(path);
    if (status || vb_result_folder_open(part, given, err)) return -1;
    char digest[40];
    const char *stated = vb_json_text(part->document, "configuration_digest");
    if (vb_document_configuration_digest(json_object_get(part->document, "configuration"), digest, err)) return -1;
    if (!strcmp(digest, stated)) return 0;
    return vb_errorf(err, VB_EDATA, "%s: configuration_digest: expected %s, found '%s': the file was changed by hand", part->path,
                     digest, stated);
}

/* The first key, at any depth, in which two configurations differ, as "models.1.weights"; "" when there is none. */
static void first_difference(const json_t *a, const json_t *b, char *path, size_t size) {
    size_t used = strlen(path), i;
    const char *key;
    json_t *value;
    if (json_is_object(a) && json_is_object(b)) {
        const json_t *both[2] = {a, b};
        for (int side = 0; side < 2; side++) json_object_foreach((json_t *)(uintptr_t)both[side], key, value) {
                const json_t *other = json_object_get(both[!side], key);
                if (other && json_equal(value, other)) continue;
                snprintf(path + used, size - used, "%s%s", used ? "." : "", key);
                if (other) first_difference(value, other, path, size);
                return;
            }
    } else if (json_is_array(a) && json_is_array(b)) {
        for (i = 0; i < json_array_size(a) || i < json_array_size(b); i++) {
            const json_t *left = json_array_get(a, i), *right = json_array_get(b, i);
            if (left && right && json_equal(left, right)) continue;
            snprintf(path + used, size - used, "%s%zu", used ? "." : "", i);
            if (left && right) first_difference(left, right, path, size);
            return;
        }
    }
}

static int compare_parts(const merge *all, vb_error *err) {
    const vb_result_folder *first = &all->parts[0];
    const json_t *first_run = json_object_get(first->document, "run");
    for (int p = 1; p < all->count; p++) {
        const vb_result_folder *other = &all->parts[p];
        const char *a = vb_json_text(first->document, "experiment"), *b = vb_json_text(other->document, "experiment");
        if (strcmp(a, b))
            return vb_errorf(err, VB_EMISMATCH, "%s: experiment '%s', but %s has '%s'", other->path, b, first->path, a);
        char path[256] = "";
        first_difference(json_object_get(first->document, "configuration"), json_object_get(other->document, "configuration"),
                         path, sizeof path);
        if (path[0])
            return vb_errorf(err, VB_EMISMATCH, "%s: another configuration than %s: they differ in %s", other->path, first->path,
                             path);
        const json_t *run = json_object_get(other->document, "run");
        a = vb_json_text(first_run, "version"), b = vb_json_text(run, "version");
        if (strcmp(a, b))
            return vb_errorf(err, VB_EMISMATCH, "%s: made by version %s, but %s by %s", other->path, b, first->path, a);
        a = vb_json_text(first_run, "isa"), b = vb_json_text(run, "isa");
        if (strcmp(a, b))
            fprintf(stderr,
                    "vocabench: note: %s was computed at instruction set level %s, %s at %s: last bits may differ from one run\n",
                    first->path, a, other->path, b);
    }
    return 0;
}

static int place_entry(merge *all, int p, json_t *entry, vb_error *err) {
    const char *model = vb_json_text(entry, "model"), *dataset = vb_json_text(entry, "dataset");
    for (int i = 0; i < all->pair_count; i++) {
        if (strcmp(all->pairs[i].model, model) || strcmp(all->pairs[i].dataset, dataset)) continue;
        if (!all->entry[i]) {
            all->entry[i] = entry;
            all->from[i] = p;
        } else if (!json_equal(all->entry[i], entry))
            return vb_errorf(err, VB_EMISMATCH, "%s: model '%s' on dataset '%s': another result than in %s", all->parts[p].path,
                             model, dataset, all->parts[all->from[i]].path);
        return 0;
    }
    return vb_errorf(err, VB_EDATA, "%s: model '%s' on dataset '%s' is no pair of its configuration", all->parts[p].path, model,
                     dataset);
}

/* A text at a way of keys, "data.names.digest", into an entry; "" where it is not there. */
static const char *text_at(const json_t *entry, const char *way) {
    char key[32];
    for (const char *dot; (dot = strchr(way, '.')); way = dot + 1) {
        snprintf(key, sizeof key, "%.*s", (int)(dot - way), way);
        entry = json_object_get(entry, key);
    }
    return vb_json_text(entry, way);
}

#define FOREIGN_NAMES(pool)                                                                                                      \
    {pool ".digest", OF_NAMES}, {pool ".excluded_by", OF_NAMES}, { pool ".wordnet_digest", OF_NAMES }

/* Two entries of parts of their own: pairs of one dataset saw the same data, pairs of one model the same weights, all of them the
 * same foreign names and the same WordNet. */
static int compare_entries(const merge *all, int i, int j, vb_error *err) {
    /* Precomputed models have images of their own; what asks names need not be made for all models. */
    enum { OF_DATASET, OF_IMAGES, OF_NAMES, OF_MODEL };
    static const struct {
        const char *way;
        int of;
    } digests[] = {{"data.vocabularies_digest", OF_DATASET},
                   {"data.names.digest", OF_DATASET},
                   {"data.images_digest", OF_IMAGES},
                   {"data.labels_digest", OF_IMAGES},
                   {"embedding.weights_digest", OF_MODEL},
                   {"embedding.tokenizer_digest", OF_MODEL},
                   FOREIGN_NAMES("adversarial_pool"),
                   FOREIGN_NAMES("analyses.open_curve.pool"),
                   FOREIGN_NAMES("analyses.open_set.pool"),
                   FOREIGN_NAMES("analyses.calibration.pool"),
                   {"analyses.hierarchy.wordnet_digest", OF_NAMES},
                   {"analyses.prompt_spread.synonyms.wordnet_digest", OF_NAMES}};
    const vb_pair_name *a = &all->pairs[i], *b = &all->pairs[j];
    const char *kind = text_at(all->entry[i], "data.kind");
    const bool same_kind = !strcmp(kind, text_at(all->entry[j], "data.kind")) && strcmp(kind, "precomputed") != 0;
    for (size_t k = 0; k < sizeof digests / sizeof *digests; k++) {
        const bool of_model = digests[k].of == OF_MODEL;
        if (digests[k].of != OF_NAMES && (of_model ? strcmp(a->model, b->model) : strcmp(a->dataset, b->dataset))) continue;
        if (digests[k].of == OF_IMAGES && !same_kind) continue;
        const char *left = text_at(all->entry[i], digests[k].way), *right = text_at(all->entry[j], digests[k].way);
        if (!strcmp(left, right) || (digests[k].of == OF_NAMES && (!*left || !*right))) continue;
        const char *key = digests[k].of == OF_NAMES ? digests[k].way : strchr(digests[k].way, '.') + 1;
        return vb_errorf(err, VB_EMISMATCH, "%s '%s': %s %s in %s, but %s in %s", of_model ? "model" : "dataset",
                         of_model ? a->model : a->dataset, key, left, all->parts[all->from[i]].path, right,
                         all->parts[all->from[j]].path);
    }
    return 0;
}

static int compare_digests(const merge *all, vb_error *err) {
    for (int i = 0; i < all->pair_count; i++)
        for (int j = i + 1; j < all->pair_count; j++)
            if (all->entry[i] && all->entry[j] && all->from[i] != all->from[j] && compare_entries(all, i, j, err)) return -1;
    return 0;
}

/* The blocks of the runs that made a part: its own, or of what was merged before those that it is made of. */
static size_t count_blocks(const vb_result_folder *part) {
    const json_t *merged = json_object_get(json_object_get(part->document, "run"), "merged");
    return merged ? json_array_size(merged) : 1;
}

static const json_t *block_at(const vb_result_folder *part, size_t i) {
    const json_t *run = json_object_get(part->document, "run"), *merged = json_object_get(run, "merged");
    return merged ? json_array_get(merged, i) : run;
}

/* A corpus of the list that has this name; NULL: none. */
static const json_t *find_corpus(const json_t *run, const char *name) {
    const json_t *list = json_object_get(run, "corpora"), *corpus;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, corpus) {
        if (!strcmp(vb_json_text(corpus, "corpus"), name)) return corpus;
    }
    return NULL;
}

/* Parts that searched one corpus found the same files in it. Of large ones only their number and bytes are known. */
static int compare_corpora(const vb_result_folder *part, const json_t *run, const vb_result_folder *before, const json_t *its,
                           vb_error *err) {
    const json_t *list = json_object_get(run, "corpora"), *corpus;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, corpus) {
        const char *name = vb_json_text(corpus, "corpus");
        const json_t *other = find_corpus(its, name);
        if (!other) continue;
        const char *left = vb_json_text(other, "sha256"), *right = vb_json_text(corpus, "sha256");
        if (*left && *right && strcmp(left, right))
            return vb_errorf(err, VB_EMISMATCH, "corpus '%s': sha256 %s in %s, but %s in %s", name, left, before->path, right,
                             part->path);
        const int64_t bytes = vb_json_integer(other, "bytes"), found = vb_json_integer(corpus, "bytes");
        if (bytes != found)
            return vb_errorf(err, VB_EMISMATCH, "corpus '%s': %lld bytes in %s, but %lld in %s", name, (long long)bytes,
                             before->path, (long long)found, part->path);
    }
    return 0;
}

/* A model's file of that role and name in a run; NULL: none. */
static const json_t *find_file(const json_t *run, const char *model, const json_t *wanted) {
    const json_t *list = json_object_get(run, "models"), *its, *file;
    size_t m, f;
    json_array_foreach((json_t *)(uintptr_t)list, m, its) {
        if (strcmp(vb_json_text(its, "model"), model)) continue;
        json_array_foreach(json_object_get(its, "files"), f, file) {
            if (!strcmp(vb_json_text(file, "role"), vb_json_text(wanted, "role")) &&
                !strcmp(vb_json_text(file, "name"), vb_json_text(wanted, "name")))
                return file;
        }
    }
    return NULL;
}

/* What no entry of a pair has the digest of: learned contexts, and index models that were not evaluated. Of a tokenizer's folder
 * not all is read: its digest is the entries'. */
static int compare_models(const vb_result_folder *part, const json_t *run, const vb_result_folder *before, const json_t *its,
                          vb_error *err) {
    const json_t *list = json_object_get(run, "models"), *model, *file;
    size_t m, f;
    json_array_foreach((json_t *)(uintptr_t)list, m, model) {
        const char *name = vb_json_text(model, "model");
        json_array_foreach(json_object_get(model, "files"), f, file) {
            const char *role = vb_json_text(file, "role"), *left = vb_json_text(find_file(its, name, file), "sha256"),
                       *right = vb_json_text(file, "sha256");
            if (!strcmp(role, "tokenizer") || !*left || !*right || !strcmp(left, right)) continue;
            return vb_errorf(err, VB_EMISMATCH, "model '%s': %s %s: sha256 %s in %s, but %s in %s", name, role,
                             vb_json_text(file, "name"), left, before->path, right, part->path);
        }
    }
    return 0;
}

/* What the blocks of all runs say of files. */
static int compare_all_files(const merge *all, vb_error *err) {
    for (int p = 0; p < all->count; p++)
        for (int q = 0; q <= p; q++)
            for (size_t i = 0; i < count_blocks(&all->parts[p]); i++)
                for (size_t k = 0; k < count_blocks(&all->parts[q]); k++) {
                    const vb_result_folder *part = &all->parts[p], *before = &all->parts[q];
                    const json_t *run = block_at(part, i), *its = block_at(before, k);
                    if (compare_corpora(part, run, before, its, err) || compare_models(part, run, before, its, err)) return -1;
                }
    return 0;
}

static int check_complete(const merge *all, vb_error *err) {
    int missing = 0;
    const vb_pair_name *first = NULL;
    for (int i = 0; i < all->pair_count; i++) {
        if (all->entry[i]) continue;
        if (!missing++) first = &all->pairs[i];
    }
    if (!missing) return 0;
    return vb_errorf(err, VB_EMISSING,
                     "%d of %d pairs are in no part, the first: model '%s' on dataset '%s'; --partial joins the others", missing,
                     all->pair_count, first->model, first->dataset);
}

/* What lies in the output folder already is not lost: each of its results is that of a part, too, or it is of another
 * configuration, which is kept under a name of its own. (`merge A B`, where A was meant as a part.) */
static int check_output(const merge *all, vb_error *err) {
    vb_result_folder there;
    vb_error why;
    int status = 0;
    const bool opened = !vb_result_folder_open(&there, all->output, &why);
    if (!opened && why.code == VB_EMEMORY) { /* what is there is not known */
        if (err) *err = why;
        status = -1;
    }
    bool same = opened && !strcmp(vb_json_text(there.document, "configuration_digest"),
                                  vb_json_text(all->parts[0].document, "configuration_digest"));
    const json_t *results = same ? json_object_get(there.document, "results") : NULL;
    for (size_t i = 0; i < json_array_size(results) && !status; i++) {
        const json_t *entry = json_array_get(results, i);
        const char *model = vb_json_text(entry, "model"), *dataset = vb_json_text(entry, "dataset");
        bool kept = false;
        for (int p = 0; p < all->pair_count; p++)
            kept |= all->entry[p] && !strcmp(all->pairs[p].model, model) && !strcmp(all->pairs[p].dataset, dataset);
        if (!kept)
            status = vb_errorf(err, VB_EOUTPUT,
                               "%s: holds a result that is in no part, and would be lost: model '%s' on dataset '%s'; name %s "
                               "as a part, too, or another output folder",
                               there.path, model, dataset, all->output);
    }
    vb_result_folder_close(&there);
    return status;
}

/* ---- writing ---- */

/* digest: of what the run wrote there, "" when that is not known. */
static int copy_file(const char *from, const char *to, const char *digest, vb_error *err) {
    vb_map map;
    if (vb_map_open(&map, from, err)) return -1;
    int status = 0;
    if (*digest && strcmp(digest, vb_digest_bytes(map.data, map.size).hex))
        status =
            vb_errorf(err, VB_EDATA, "%s: not as the run has written it: its digest was %s; run that part again with --resume",
                      from, digest);
    if (!status) status = vb_writer_write_whole(to, map.data, map.size, err);
    if (!status && vb_map_check(&map, err)) {
        unlink(to);
        status = -1;
    }
    vb_map_close(&map);
    return status;
}

/* FOLDER/NAME of a part, to the same place of the output. What is not `listed` need not be there. */
static int copy_below(const merge *all, int part, const char *folder, const char *name, const char *digest, bool listed,
                      vb_error *err) {
    char *from = vb_format(err, "%s/%s/%s", all->parts[part].folder, folder, name),
         *to = vb_format(err, "%s/%s/%s", all->output, folder, name), *above = vb_format(err, "%s/%s", all->output, folder);
    int status = from && to && above ? 0 : -1;
    if (!status && (listed || vb_path_exists(from)) && strcmp(from, to)) {
        status = vb_path_make_folders(above, err);
        if (!status) status = copy_file(from, to, digest, err);
    }
    vb_free(from);
    vb_free(to);
    vb_free(above);
    return status;
}

/* The files that the pair's own lists, by their digests. */
static int copy_listed(const merge *all, int part, const json_t *files, const char *path, vb_error *err) {
    static const char *const folders[] = {"records", "retrieval"};
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)files, i, entry) {
        const char *below = vb_json_text(entry, "path"), *name = NULL;
        int folder = 0;
        for (int f = 0; f < 2; f++) {
            size_t n = strlen(folders[f]);
            if (strncmp(below, folders[f], n) || below[n] != '/' || !below[n + 1] || strchr(below + n + 1, '/')) continue;
            name = below + n + 1;
            folder = f;
        }
        if (!name) return vb_errorf(err, VB_EDATA, "%s: files[%zu]: '%s' is no file of a pair", path, i, below);
        if (copy_below(all, part, folders[folder], name, vb_json_text(entry, "digest"), true, err)) return -1;
    }
    return 0;
}

/* The files of a pair, so that the merged folder is what a run of the whole leaves: --resume, status and readers find them. */
static int copy_pair(const merge *all, int i, vb_error *err) {
    static const char *const kinds[][2] = {{"pairs", ".json"}, {"records", ".jsonl.zst"}, {"retrieval", ".jsonl.zst"}};
    const vb_pair_name *pair = &all->pairs[i];
    int part = all->from[i];
    char *path = vb_document_pair_path(all->parts[part].folder, "pairs", pair->model, pair->dataset, ".json", err);
    const bool there = path && vb_path_exists(path);
    json_t *own = there ? vb_json_parse_file(path, err) : NULL;
    const json_t *files = json_object_get(own, "files");
    int status = path && (own || !there) ? 0 : -1;
    if (own && !json_equal(json_object_get(own, "result"), all->entry[i]))
        status = vb_errorf(err, VB_EDATA, "%s: its result is not that of %s: run that part again with --resume", path,
                           all->parts[part].path);
    /* Earlier versions listed nothing. */
    for (size_t k = 0; k < (files ? 1 : sizeof kinds / sizeof *kinds) && !status; k++) {
        char *below = vb_document_pair_path("", kinds[k][0], pair->model, pair->dataset, kinds[k][1], err);
        status = below ? copy_below(all, part, kinds[k][0], vb_path_base_name(below), "", false, err) : -1;
        vb_free(below);
    }
    if (!status && files) status = copy_listed(all, part, files, path, err);
    json_decref(own);
    vb_free(path);
    return status;
}

/* The `run` block: what the parts have in common, their pairs, and their own blocks. */
static json_t *merged_facts(vb_json *json, const merge *all) {
    json_t *facts = vb_json_object(json), *pairs = vb_json_array(json), *merged = vb_json_array(json);
    double seconds = 0, node_hours = 0;
    const char *finished = "";
    for (int p = 0; p < all->count; p++) {
        json_t *run = json_object_get(all->parts[p].document, "run"), *own = json_object_get(run, "merged");
        seconds += json_number_value(json_object_get(run, "seconds"));
        node_hours += json_number_value(json_object_get(run, "node_hours"));
        if (strcmp(vb_json_text(run, "finished"), finished) > 0) finished = vb_json_text(run, "finished");
        vb_json_extend(json, pairs, json_object_get(run, "pairs"));
        if (own) { /* merged before: its parts are parts of this one */
            vb_json_extend(json, merged, own);
            continue;
        }
        json_t *block = run ? vb_json_copy(json, run) : vb_json_object(json);
        json_object_del(block, "pairs");
        vb_json_set_text(json, block, "command_folder", vb_json_text(run, "folder"));
        vb_json_set_text(json, block, "folder", all->parts[p].folder);
        vb_json_append(json, merged, block);
    }
    const json_t *first = json_object_get(all->parts[0].document, "run");
    vb_json_set_text(json, facts, "finished", finished);
    vb_json_set_real(json, facts, "seconds", seconds);
    vb_json_set_real(json, facts, "node_hours", node_hours);
    vb_json_set_text(json, facts, "version", vb_json_text(first, "version"));
    vb_json_set_text(json, facts, "revision", vb_json_text(first, "revision"));
    vb_json_set(json, facts, "pairs", pairs);
    vb_json_set(json, facts, "merged", merged);
    return facts;
}

static int write_merged(const merge *all, const vb_merge_options *options, bool latex, vb_error *err) {
    vb_json json = {0};
    json_t *results = vb_json_array(&json), *facts = merged_facts(&json, all), *document = NULL;
    vb_output_lock lock;
    int status = vb_output_lock_take(&lock, all->output, options->environment, err);
    for (int i = 0; i < all->pair_count && !status; i++) {
        if (!all->entry[i]) continue;
        vb_json_append(&json, results, json_incref(all->entry[i]));
        status = copy_pair(all, i, err);
    }
    const json_t *first = all->parts[0].document;
    if (!status) status = vb_json_end(&json, "the results", err);
    if (!status && !(document = vb_document_new(vb_json_text(first, "experiment"), json_object_get(first, "configuration"),
                                                results, facts, err)))
        status = -1;
    if (!status) status = vb_document_write(all->output, document, latex, err);
    vb_output_lock_release(&lock);
    json_decref(document);
    json_decref(results);
    json_decref(facts);
    return status;
}

/* What is named twice, as by the folder of an array and by itself, is one part: its hours count once. */
static int open_parts(merge *all, const vb_strings *given, vb_error *err) {
    if (!(all->parts = vb_array(given->count, sizeof *all->parts, "parts", err))) return -1;
    for (size_t i = 0; i < given->count; i++) {
        vb_result_folder *part = &all->parts[all->count++];
        bool again = false;
        if (open_part(part, given->items[i], err)) return -1;
        for (int p = 0; p < all->count - 1 && !again; p++) again = vb_path_is_same(all->parts[p].path, part->path);
        if (again) vb_result_folder_close(&all->parts[--all->count]);
    }
    return 0;
}

static int merge_parts(merge *all, const vb_strings *given, const vb_merge_options *options, vb_error *err) {
    if (open_parts(all, given, err)) return -1;
    if (compare_parts(all, err)) return -1;
    if (vb_document_configured_pairs(json_object_get(all->parts[0].document, "configuration"), &all->pairs, &all->pair_count,
                                     err))
        return -1;
    all->entry = vb_array((size_t)all->pair_count, sizeof *all->entry, "results", err);
    all->from = vb_array((size_t)all->pair_count, sizeof *all->from, "results", err);
    if (!all->entry || !all->from) return -1;
    bool latex = options->latex;
    for (int p = 0; p < all->count; p++) {
        const json_t *document = all->parts[p].document, *results = json_object_get(document, "results");
        for (size_t i = 0; i < json_array_size(results); i++)
            if (place_entry(all, p, json_array_get(results, i), err)) return -1;
        for (size_t i = 0; i < count_blocks(&all->parts[p]); i++)
            latex |= json_is_true(json_object_get(json_object_get(block_at(&all->parts[p], i), "options"), "latex"));
    }
    if (compare_digests(all, err) || compare_all_files(all, err)) return -1;
    if (check_output(all, err) || (!options->partial && check_complete(all, err))) return -1;
    return write_merged(all, options, latex, err);
}

static bool is_number(const char *name) { return *name && !name[strspn(name, "0123456789")]; }

static int by_number(const void *a, const void *b) {
    const long x = strtol(*(char *const *)a, NULL, 10), y = strtol(*(char *const *)b, NULL, 10);
    return (x > y) - (x < y);
}

/* What is given, or in the place of the folder of an array, which has no results but numbered folders, all of those. */
static int add_parts(vb_strings *parts, const char *given, vb_error *err) {
    vb_strings names = {0};
    vb_error none;
    char *results = vb_format(err, "%s/results.json", given);
    int status = results ? 0 : -1, count = 0;
    if (!status && vb_path_is_folder(given) && !vb_path_exists(results) && vb_path_list_folder(&names, given, &none))
        names = (vb_strings){0};
    for (size_t i = 0; i < names.count; i++) {
        if (!is_number(names.items[i])) continue;
        char *kept = names.items[count];
        names.items[count++] = names.items[i];
        names.items[i] = kept;
    }
    if (count > 1) qsort(names.items, (size_t)count, sizeof *names.items, by_number);
    for (int i = 0; i < count && !status; i++) status = vb_strings_take(parts, vb_path_join(given, names.items[i], err), err);
    if (!status && !count) status = vb_strings_add(parts, given, err);
    vb_strings_free(&names);
    vb_free(results);
    return status;
}

int vb_merge(const char *output, const char *const *given, int count, const vb_merge_options *options, vb_error *err) {
    assert(count > 0);
    vb_strings parts = {0};
    merge all = {.output = output};
    int status = 0;
    for (int i = 0; i < count && !status; i++) status = add_parts(&parts, given[i], err);
    if (!status) status = merge_parts(&all, &parts, options, err);
    vb_strings_free(&parts);
    for (int p = 0; all.parts && p < all.count; p++) vb_result_folder_close(&all.parts[p]);
    vb_free(all.parts);
    vb_free(all.pairs);
    vb_free(all.entry);
    vb_free(all.from);
    return status;
}
