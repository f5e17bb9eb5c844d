/* Opening a corpus: parts as they lie, or encoded into the cache unit by unit; and the captions of chosen rows. */
#include "mpi/retrieve/corpus_parts.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/encode/image_source.h"
#include "mpi/ranks/progress.h"
#include "mpi/retrieve/retrieve.h"
#include "mpi/encode/text_list.h"
#include "shards/text/captions.h"
#include "shards/embeddings/npy.h"
#include "shards/files/numbered.h"
#include "shards/files/path.h"

/* ---- lists that ranks make together ---- */

typedef struct notes { /* lines "NUMBER TEXT\n" of this rank */
    char *text;
    size_t filled, capacity;
} notes;

static int note(notes *list, int64_t number, const char *text, vb_error *err) {
    char *line = vb_format(err, "%lld %s\n", (long long)number, text);
    if (!line) return -1;
    size_t n = strlen(line);
    int status = vb_grow((void **)&list->text, &list->capacity, list->filled + n + 1, 1, "list", err);
    if (!status) {
        memcpy(list->text + list->filled, line, n + 1);
        list->filled += n;
    }
    vb_free(line);
    return status;
}

/* Everyone's notes put at their numbers (0 .. count-1, each noted once by some rank): on rank 0 one block of `count` strings.
 * Texts hold no line feed. */
static int gather_notes(vb_comm *comm, const notes *mine, int64_t count, char **block, size_t *size, vb_error *err) {
    vb_blocks blocks;
    size_t total = 0;
    *block = NULL;
    *size = 0;
    if (vb_comm_gather(comm, mine->text ? mine->text : "", mine->filled, &blocks, err)) return -1;
    int status = 0;
    if (!comm->rank) {
        const char **at = vb_array((size_t)count, sizeof *at, "list", err);
        for (int r = 0; r < blocks.count; r++) total += blocks.sizes[r];
        *block = at ? vb_array(total + 1, 1, "list", err) : NULL;
        status = *block ? 0 : -1;
        for (int r = 0; r < blocks.count && !status; r++)
            for (char *line = blocks.bytes[r], *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = 0;
                long long number = strtoll(line, NULL, 10);
                if (number >= 0 && number < count) at[number] = strchr(line, ' ') + 1;
            }
        for (int64_t i = 0; i < count && !status; i++)
            if (!at[i]) status = vb_errorf(err, VB_EINTERNAL, "piece %lld of a list was made by no rank", (long long)i);
        for (int64_t i = 0; i < count && !status; i++) {
            size_t n = strlen(at[i]) + 1;
            memcpy(*block + *size, at[i], n);
            *size += n;
        }
        vb_free(at);
    }
    vb_comm_blocks_free(&blocks);
    return vb_comm_agree(comm, status, err);
}

/* Rank 0's list to all: what lies in a folder is looked up once. */
static int share_list(vb_strings *list, vb_comm *comm, vb_error *err) {
    char *block = NULL;
    size_t size = 0;
    int status = 0;
    for (size_t i = 0; i < list->count && !comm->rank; i++) size += strlen(list->items[i]) + 1;
    if (!comm->rank && !(block = vb_array(size, 1, "list", err))) status = -1;
    for (size_t i = 0, at = 0; i < list->count && block; at += strlen(list->items[i++]) + 1) strcpy(block + at, list->items[i]);
    if (!(status = vb_comm_agree(comm, status, err))) status = vb_comm_broadcast_block(comm, (void **)&block, &size, err);
    for (size_t at = 0; at < size && comm->rank && !status; at += strlen(block + at) + 1)
        status = vb_strings_add(list, block + at, err);
    vb_free(block);
    return vb_comm_agree(comm, status, err);
}

/* ---- parts made here ---- */

/* Rank 0: the part table of `count` files that lie in the cache, their paths behind one another. */
static int make_index(vb_corpus *index, const char *paths, int64_t count, const char *name, vb_error *err) {
    const char **list = vb_array((size_t)count, sizeof *list, "parts", err);
    if (!list) return -1;
    for (int64_t p = 0; p < count; p++, paths += strlen(paths) + 1) list[p] = paths;
    int status = vb_corpus_open_files(index, name, list, (size_t)count, err);
    vb_free(list);
    return status;
}

/* Rank 0's part table to all. */
static int share_index(vb_corpus_parts *corpus, vb_comm *comm, const notes *paths, int64_t count, vb_error *err) {
    char *names = NULL;
    void *packed = NULL;
    size_t size = 0;
    int status = gather_notes(comm, paths, count, &names, &size, err);
    if (!status && !comm->rank) {
        status = make_index(&corpus->index, names, count, corpus->spec->name, err);
        if (!status) status = vb_corpus_pack(&corpus->index, &packed, &size, err);
    }
    vb_free(names);
    if (!(status = vb_comm_agree(comm, status, err))) status = vb_comm_broadcast_block(comm, &packed, &size, err);
    if (!status && comm->rank) status = vb_corpus_unpack(&corpus->index, packed, size, err);
    vb_free(packed);
    return vb_comm_agree(comm, status, err);
}

/* A unit of images into the cache, unless it is there. Broken images become NaN rows, which retrieval leaves out, or stop the
 * run. */
static int encode_images(vb_corpus_parts *corpus, int64_t unit, const vb_encoding *how, const vb_cache *cache, notes *paths,
                         vb_error *err) {
    vb_unit_range range = vb_dataset_unit(corpus->dataset, unit);
    vb_unit_data data = {0};
    vb_digest signature, key;
    bool known = false, found = false;
    int dim = vb_clip_describe(how->model->clip)->embed_dim, status = -1;
    json_t *skipped = NULL;
    char *path = NULL;
    float *rows = vb_array((size_t)range.count * (size_t)dim, sizeof *rows, "embeddings of a unit", err);
    int *all = vb_array((size_t)range.count, sizeof *all, "unit", err);
    if (!rows || !all) goto done;
    if (vb_dataset_unit_signature(corpus->dataset, unit, &signature, err) ||
        vb_cache_recall(cache, &signature, &key, &known, err))
        goto done;
    if (known && vb_encode_cached(cache, &key, range.count, dim, NULL, &found, &skipped, err)) goto done;
    if (!found) {
        if (vb_dataset_read_unit(corpus->dataset, unit, &data, err)) goto done;
        for (int i = 0; i < data.count; i++) all[i] = i;
        key = data.digest; /* all samples of the unit */
        if (vb_encode_cached(cache, &key, range.count, dim, NULL, &found, &skipped, err)) goto done;
        const vb_encode_batch batch = {&data, all, data.count, 0};
        if (!found && vb_encode_samples(how, &batch, rows, &skipped, err)) goto done;
        if (!found && vb_dataset_unit_check(corpus->dataset, unit, &signature, err)) goto done;
        if (!found && vb_cache_store(cache, &key, range.count, dim, rows, skipped, err)) goto done;
        if (!found) corpus->encoded += range.count;
        if (vb_cache_note(cache, &signature, &key, err)) goto done;
    }
    if (vb_encode_allow(how, skipped, err)) goto done;
    status = (path = vb_cache_path(cache, &key, err)) ? note(paths, unit, path, err) : -1;
done:
    vb_dataset_unit_free(&data);
    json_decref(skipped);
    vb_free(path);
    vb_free(rows);
    vb_free(all);
    return status;
}

static int open_images(vb_corpus_parts *corpus, const vb_encoding *how, vb_error *err) {
    vb_comm *comm = &how->context->comm;
    vb_cache cache = {.folder = how->cache, .key = how->model->image_key};
    notes paths = {0};
    if (vb_dataset_state_open_shared(&corpus->dataset, comm, corpus->spec->images, NULL, err)) return -1;
    int64_t units = vb_dataset_units(corpus->dataset);
    int status = 0;
    vb_progress progress;
    vb_progress_start(&progress, how->context, "corpus", corpus->spec->name, "units", units);
    int number, encoders;
    const bool encodes = vb_model_encodes(how->model, how->context, &number, &encoders);
    vb_progress_by(&progress, encoders);
    for (int64_t u = number; encodes && u < units && !status; u += encoders) {
        if ((status = vb_context_check_stop(how->context, err))) break;
        status = encode_images(corpus, u, how, &cache, &paths, err);
        vb_progress_step(&progress, 1);
    }
    vb_progress_end(&progress);
    status = vb_context_barrier(how->context, status, err);
    if (!status) status = share_index(corpus, comm, &paths, units, err);
    vb_free(paths.text);
    return status;
}

/* One unit of captions: encoded by the rank whose turn it is. */
static int encode_captions(vb_corpus_parts *corpus, const vb_encoding *how, char **texts, int n, int64_t unit, float *rows,
                           notes *paths, vb_error *err) {
    vb_cache cache = {.folder = how->cache, .key = how->model->text_key};
    vb_digest key;
    bool encoded;
    int number, encoders;
    if (!vb_model_encodes(how->model, how->context, &number, &encoders) || unit % encoders != number) return 0;
    if (vb_context_check_stop(how->context, err)) return -1;
    if (vb_text_list_encode_unit(how, (const char *const *)texts, n, rows, &key, &encoded, err)) return -1;
    if (encoded) corpus->encoded += n;
    char *path = vb_cache_path(&cache, &key, err);
    int status = path ? note(paths, unit, path, err) : -1;
    vb_free(path);
    return status;
}

/* Captions alone: every rank reads the files and encodes the units whose turn is its own. Units never cross a file. */
static int open_captions(vb_corpus_parts *corpus, const vb_encoding *how, vb_error *err) {
    notes paths = {0};
    char *texts[VB_TEXT_UNIT] = {NULL};
    int64_t unit = 0;
    int n = 0;
    float *rows = vb_array((size_t)VB_TEXT_UNIT * (size_t)vb_clip_describe(how->model->clip)->embed_dim, sizeof *rows,
                           "embeddings of a unit", err);
    vb_digester *digester = NULL;
    int status = rows ? vb_digest_new(&digester, err) : -1;
    if (!status && !how->context->comm.rank) status = vb_path_glob(&corpus->captions, corpus->spec->captions, err);
    if (!(status = vb_comm_agree(&how->context->comm, status, err)))
        status = share_list(&corpus->captions, &how->context->comm, err);
    vb_progress progress; /* of how many, only their end tells; every rank reads all, and encodes its part */
    vb_progress_start(&progress, how->context, "corpus captions", corpus->spec->name, "texts", 0);
    for (size_t f = 0; f < corpus->captions.count && !status; f++) {
        vb_captions *captions;
        const char *text = "", *odd;
        if ((status = vb_captions_open(&captions, corpus->captions.items[f], corpus->spec->caption_column, err))) break;
        while (text && !status) {
            if (!(status = vb_captions_next(captions, &text, &odd, err)) && text && !(texts[n++] = vb_strdup(text, err)))
                status = -1;
            if (!status && text) vb_digest_add_text(digester, text);
            if (status || (text && n < VB_TEXT_UNIT) || !n) continue;
            status = encode_captions(corpus, how, texts, n, unit++, rows, &paths, err);
            vb_progress_step(&progress, n);
            while (n) vb_free(texts[--n]);
        }
        vb_captions_close(captions);
    }
    vb_progress_end(&progress);
    while (n) vb_free(texts[--n]);
    vb_free(rows);
    if (!status && !unit) status = vb_errorf(err, VB_EMISSING, "%s: no captions there", corpus->spec->captions);
    status = vb_context_barrier(how->context, status, err);
    vb_digest seen = digester ? vb_digest_finish(digester) : (vb_digest){""};
    if (!status) status = vb_comm_agree_same(&how->context->comm, 0, seen.hex, corpus->spec->captions, err);
    if (!status) status = share_index(corpus, &how->context->comm, &paths, unit, err);
    vb_free(paths.text);
    return status;
}

/* ---- parts as they lie ---- */

/* What lies in a folder or its sub-folder `inside`, maybe nothing; brackets and braces in its name are no pattern. */
static int find_some(vb_strings *paths, const char *path, const char *inside, const char *suffix, vb_error *err) {
    vb_strings names = {0};
    *paths = (vb_strings){0};
    char *deeper = vb_format(err, "%s/%s", path, inside);
    const char *folder = deeper && vb_path_is_folder(deeper) ? deeper : path;
    int status = deeper ? vb_path_list_folder(&names, folder, err) : -1;
    for (size_t i = 0; i < names.count && !status; i++)
        if (vb_path_ends_with(names.items[i], suffix))
            status = vb_strings_take(paths, vb_format(err, "%s/%s", folder, names.items[i]), err);
    if (status) vb_strings_free(paths);
    vb_strings_free(&names);
    vb_free(deeper);
    return status;
}

/* The parts a path means: the files of a glob, or a folder's, of which there must be some. */
static int find_parts(vb_strings *paths, const char *path, const char *inside, const char *suffix, vb_error *err) {
    if (!vb_path_is_folder(path)) return vb_path_glob(paths, path, err);
    if (find_some(paths, path, inside, suffix, err)) return -1;
    return paths->count ? 0 : vb_errorf(err, VB_EMISSING, "%s: no %s files in this folder", path, suffix);
}

/* metadata/ or the folder itself beside img_emb/: the first suffix of which there are files. None is no error. */
static int find_captions(vb_corpus_parts *corpus, vb_error *err) {
    static const char *const suffixes[] = {".jsonl", ".jsonl.zst", ".tsv", ".tsv.zst", ".txt", ".txt.zst"};
    const char *root = corpus->spec->embeddings;
    int status = 0;
    if (corpus->spec->captions) return vb_path_glob(&corpus->captions, corpus->spec->captions, err);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && vb_path_is_folder(root) && !status && !corpus->captions.count;
         i++)
        status = find_some(&corpus->captions, root, "metadata", suffixes[i], err);
    return status;
}

/* Files that lie beside the parts, one a part. */
static int pair_with_parts(const vb_corpus_parts *corpus, vb_strings *files, const char *what, vb_error *err) {
    const size_t count = corpus->index.part_count;
    const char **parts = vb_array(count, sizeof *parts, "parts", err);
    if (!parts) return -1;
    for (size_t p = 0; p < count; p++) parts[p] = corpus->index.parts[p].path;
    int status = files->count ? vb_numbered_pair(parts, count, files, what, "parts of embeddings", err) : 0;
    vb_free(parts);
    return status;
}

/* On rank 0: what lies beside the parts. */
static int look_beside(vb_corpus_parts *corpus, vb_error *err) {
    const vb_corpus_spec *spec = corpus->spec;
    int status = find_captions(corpus, err);
    if (!status) status = pair_with_parts(corpus, &corpus->captions, "caption files", err);
    if (!status && spec->text_embeddings)
        status = find_parts(&corpus->text_parts, spec->text_embeddings, "text_emb", ".npy", err);
    else if (!status && vb_path_is_folder(spec->embeddings)) {
        char *folder = vb_format(err, "%s/text_emb", spec->embeddings);
        if (!folder) status = -1;
        else if (vb_path_is_folder(folder)) status = find_some(&corpus->text_parts, folder, ".", ".npy", err);
        vb_free(folder);
    }
    return status ? status : pair_with_parts(corpus, &corpus->text_parts, "parts of text embeddings", err);
}

static int open_embeddings(vb_corpus_parts *corpus, vb_comm *comm, vb_error *err) {
    if (vb_retrieve_corpus_open_shared(&corpus->index, comm, corpus->spec->embeddings, err)) return -1;
    if (vb_comm_agree(comm, comm->rank ? 0 : look_beside(corpus, err), err)) return -1;
    return share_list(&corpus->captions, comm, err) || share_list(&corpus->text_parts, comm, err) ? -1 : 0;
}

int vb_corpus_parts_open(vb_corpus_parts *corpus, const vb_encoding *how, const vb_corpus_spec *spec, vb_error *err) {
    vb_comm *comm = &how->context->comm;
    *corpus = (vb_corpus_parts){.spec = spec};
    corpus->kind = spec->images ? VB_CORPUS_IMAGES : spec->embeddings ? VB_CORPUS_EMBEDDINGS : VB_CORPUS_CAPTIONS;
    int status = 0;
    if (corpus->kind == VB_CORPUS_EMBEDDINGS) status = open_embeddings(corpus, comm, err);
    else if (!how->model)
        status = vb_comm_agree(
            comm, vb_errorf(err, VB_EMISMATCH, "a precomputed model encodes nothing; give embeddings and text_embeddings"), err);
    else if (corpus->kind == VB_CORPUS_IMAGES) status = open_images(corpus, how, err);
    else status = open_captions(corpus, how, err);
    if (status) {
        vb_error_prefix(err, "corpus '%s'", spec->name);
        vb_corpus_parts_close(corpus);
    }
    return status;
}

void vb_corpus_parts_close(vb_corpus_parts *corpus) {
    vb_dataset_close(corpus->dataset);
    vb_corpus_close(&corpus->index);
    vb_strings_free(&corpus->captions);
    vb_strings_free(&corpus->text_parts);
    *corpus = (vb_corpus_parts){0};
}

/* ---- captions of chosen rows ---- */

/* A caption becomes one line of notes, behind a mark: whether it is one, or why there is none that can be used. */
enum { CAPTION = '+', ODD = '-' };
static int note_caption(notes *list, int64_t number, const char *text, const char *odd, vb_error *err) {
    char *line = vb_format(err, "%c%s", odd ? ODD : CAPTION, odd ? odd : text);
    if (!line) return -1;
    for (char *at = line; *at; at++)
        if (*at == '\n') *at = ' ';
    int status = note(list, number, line, err);
    vb_free(line);
    return status;
}

/* ids[from .. to-1] lie in part p. */
static int captions_of_part(const vb_corpus_parts *corpus, size_t p, const int64_t *ids, int64_t from, int64_t to, notes *list,
                            vb_error *err) {
    size_t n = (size_t)(to - from), got = n;
    const bool images = corpus->kind == VB_CORPUS_IMAGES;
    int64_t *rows = vb_array(n, sizeof *rows, "captions", err);
    char **texts = vb_array(images ? VB_UNIT_SAMPLES : n, sizeof *texts, "captions", err);
    char **odd = vb_array(n, sizeof *odd, "captions", err);
    int status = rows && texts && odd ? 0 : -1;
    for (size_t i = 0; i < n && !status; i++) rows[i] = ids[from + (int64_t)i] - corpus->index.parts[p].first;
    if (!status && images) {
        status = vb_dataset_read_captions(corpus->dataset, (int64_t)p, texts, err);
        got = VB_UNIT_SAMPLES;
    } else if (!status)
        status = vb_captions_pick(corpus->captions.items[p], corpus->spec->caption_column, rows, n, corpus->index.parts[p].rows,
                                  texts, odd, err);
    for (size_t i = 0; i < n && !status; i++) {
        const char *text = texts[images ? (size_t)rows[i] : i];
        const char *why = !text ? "its caption is not UTF-8 text" : images && !*text ? "an image without a caption" : odd[i];
        status = note_caption(list, from + (int64_t)i, text, why, err);
    }
    for (size_t i = 0; texts && i < got; i++) vb_free(texts[i]);
    for (size_t i = 0; odd && i < n; i++) vb_free(odd[i]);
    vb_free(texts);
    vb_free(odd);
    vb_free(rows);
    return status;
}

/* Captions alone: rows run through the files. One pass over each file that a wanted row lies in; rank 0 does it. */
static int captions_of_files(const vb_corpus_parts *corpus, const int64_t *ids, int64_t n, notes *list, vb_error *err) {
    int64_t row = 0, next = 0;
    int status = 0;
    for (size_t f = 0; f < corpus->captions.count && next < n && !status; f++) {
        vb_captions *captions;
        const char *text, *odd;
        bool found = true;
        if ((status = vb_captions_open(&captions, corpus->captions.items[f], corpus->spec->caption_column, err))) break;
        for (; next < n && found && !status; row += found) {
            if (ids[next] != row) {
                status = vb_captions_skip(captions, &found, err);
                continue;
            }
            status = vb_captions_next(captions, &text, &odd, err);
            if (!(found = !status && text)) continue;
            status = note_caption(list, next++, text, odd, err);
        }
        vb_captions_close(captions);
    }
    if (!status && next < n)
        status = vb_errorf(err, VB_EMISMATCH, "corpus '%s': its caption files have changed", corpus->spec->name);
    return status;
}

int vb_corpus_parts_captions(const vb_corpus_parts *corpus, vb_context *context, const int64_t *ids, int64_t n,
                             const char **texts, const char **odd, char **block, vb_error *err) {
    vb_comm *comm = &context->comm;
    notes list = {0};
    size_t size;
    int status = 0;
    *block = NULL;
    if (corpus->kind == VB_CORPUS_CAPTIONS) status = comm->rank ? 0 : captions_of_files(corpus, ids, n, &list, err);
    else if (corpus->kind == VB_CORPUS_EMBEDDINGS && !corpus->captions.count)
        status = vb_errorf(
            err, VB_EMISSING,
            "corpus '%s': no captions beside %s (metadata/*.jsonl, .tsv, .txt, plain or .zst); name them with captions:",
            corpus->spec->name, corpus->spec->embeddings);
    else {
        int64_t from = 0;
        for (size_t p = 0; p < corpus->index.part_count && !status; p++) {
            int64_t to = from;
            while (to < n && ids[to] < corpus->index.parts[p].first + corpus->index.parts[p].rows) to++;
            if (to > from && (int64_t)p % comm->size == comm->rank)
                status = captions_of_part(corpus, p, ids, from, to, &list, err);
            from = to;
        }
    }
    status = vb_comm_agree(comm, status, err);
    if (!status) status = gather_notes(comm, &list, n, block, &size, err);
    if (!status) status = vb_comm_broadcast_block(comm, (void **)block, &size, err);
    const char *at = *block;
    for (int64_t i = 0; i < n && !status; i++, at += strlen(at) + 1) {
        odd[i] = *at == ODD ? at + 1 : NULL;
        texts[i] = odd[i] ? "" : at + 1;
    }
    vb_free(list.text);
    return status;
}

int vb_corpus_parts_text_rows(const vb_corpus_parts *corpus, vb_context *context, const int64_t *ids, int64_t n, int dim,
                              float *rows, vb_error *err) {
    int64_t from = 0;
    int status = 0;
    for (size_t p = 0; p < corpus->text_parts.count && !status; p++) {
        vb_npy npy;
        int64_t to = from;
        while (to < n && ids[to] < corpus->index.parts[p].first + corpus->index.parts[p].rows) to++;
        if (to == from || (status = vb_npy_open(&npy, corpus->text_parts.items[p], err))) continue;
        const vb_tensor *tensor = &npy.tensor;
        if (tensor->ndim != 2 || tensor->shape[1] != dim || tensor->shape[0] != corpus->index.parts[p].rows)
            status = vb_errorf(err, VB_EMISMATCH,
                               "%s: expected %lld rows of %d dimensions, as its part of the corpus and the model have",
                               corpus->text_parts.items[p], (long long)(corpus->index.parts[p].rows), dim);
        for (; from < to && !status; from++)
            status = vb_image_source_float_rows(&npy, corpus->text_parts.items[p], ids[from] - corpus->index.parts[p].first, 1,
                                                rows + from * dim, err);
        status = vb_map_judge(&npy.map, status, err);
        vb_npy_close(&npy);
    }
    return vb_comm_agree(&context->comm, status, err);
}
