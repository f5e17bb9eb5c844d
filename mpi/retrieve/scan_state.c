/* Checkpoints of a scan as files: a header, the blocks, the hits query by query, and a digest of it all. */
#include "mpi/retrieve/scan_state.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

typedef struct state_header {
    char magic[8];
    int64_t queries, k, blocks, finished;
    vb_scan_counts counts;
} state_header;

static const char MAGIC[8] = "VBSCAN1";
enum { LARGEST_LIST = 1 << 30 };

int vb_scan_state_write(const vb_scan_state *state, int rank, const int64_t *mine, int64_t count, const vb_scan_counts *counts,
                        const vb_topk *topk, vb_error *err) {
    vb_writer *writer = NULL;
    vb_digester *digester = NULL;
    unsigned char *bytes = NULL;
    size_t capacity = 0;
    int status = -1;
    char *path = vb_format(err, "%s/%s.%05d.%06d.scan", state->folder, state->key.hex, state->generation, rank);
    if (!path || vb_path_make_folders(state->folder, err) || vb_writer_open(&writer, path, err) || vb_digest_new(&digester, err))
        goto done;
    state_header header = {.queries = topk->queries, .k = topk->k, .blocks = state->blocks, .finished = count, .counts = *counts};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    vb_digest_add(digester, &header, sizeof header);
    vb_digest_add(digester, mine, (size_t)count * sizeof *mine);
    if (vb_writer_write(writer, &header, sizeof header, err) || vb_writer_write(writer, mine, (size_t)count * sizeof *mine, err))
        goto done;
    for (int64_t q = 0; q < topk->queries; q++) {
        size_t size = 0;
        if (vb_topk_pack(topk, q, 1, &bytes, &size, &capacity, err)) goto done;
        uint64_t length = size;
        vb_digest_add(digester, bytes, size);
        if (vb_writer_write(writer, &length, sizeof length, err) || vb_writer_write(writer, bytes, size, err)) goto done;
    }
    vb_digest digest = vb_digest_finish(digester);
    digester = NULL;
    if (vb_writer_write(writer, digest.hex, sizeof digest.hex, err)) goto done;
    status = vb_writer_commit(writer, err);
    writer = NULL;
done:
    if (digester) vb_digest_finish(digester);
    if (writer) vb_writer_abandon(writer);
    vb_free(bytes);
    vb_free(path);
    return status;
}

/* Reads a file: header and blocks (*mine, free with vb_free), and the hits into topk unless that is NULL. */
static int read_state(const char *path, state_header *header, int64_t **mine, vb_topk *topk, vb_error *err) {
    vb_file file;
    vb_digester *digester = NULL;
    unsigned char *bytes = NULL;
    size_t capacity = 0;
    uint64_t at = sizeof *header;
    int status = -1;
    *mine = NULL;
    if (vb_file_open(&file, path, err)) return -1;
    if (vb_file_read(&file, 0, header, sizeof *header, err)) goto done;
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) || header->finished < 0 || header->finished > header->blocks ||
        (uint64_t)header->finished > file.size / sizeof **mine || header->queries < 0) {
        vb_errorf(err, VB_EDATA, "%s: not a checkpoint of a scan", path);
        goto done;
    }
    size_t list = (size_t)header->finished * sizeof **mine;
    if (!(*mine = vb_array((size_t)header->finished, sizeof **mine, "finished blocks", err)) ||
        vb_file_read(&file, at, *mine, list, err))
        goto done;
    if (vb_digest_new(&digester, err)) goto done;
    at += list;
    vb_digest_add(digester, header, sizeof *header);
    vb_digest_add(digester, *mine, list);
    for (int64_t q = 0; q < header->queries; q++) {
        uint64_t length;
        if (vb_file_read(&file, at, &length, sizeof length, err)) goto done;
        if (length > file.size || length > LARGEST_LIST) {
            vb_errorf(err, VB_EDATA, "%s: offset %" PRIu64 ": a list of %" PRIu64 " bytes", path, at, length);
            goto done;
        }
        at += sizeof length;
        if (vb_grow((void **)&bytes, &capacity, length, 1, "hits of a checkpoint", err) ||
            vb_file_read(&file, at, bytes, length, err))
            goto done;
        at += length;
        vb_digest_add(digester, bytes, length);
        if (topk && vb_topk_unpack(topk, q, 1, bytes, length, err)) goto done;
    }
    vb_digest stated, digest = vb_digest_finish(digester);
    digester = NULL;
    if (vb_file_read(&file, at, stated.hex, sizeof stated.hex, err)) goto done;
    if (memcmp(stated.hex, digest.hex, sizeof digest.hex) || at + sizeof stated.hex != file.size) {
        vb_errorf(err, VB_EDATA, "%s: the digest at its end is not that of its content", path);
        goto done;
    }
    status = 0;
done:
    if (digester) vb_digest_finish(digester);
    vb_free(bytes);
    vb_file_close(&file);
    return status;
}

static int files_of(const vb_scan_state *state, vb_strings *paths, vb_error *err) {
    *paths = (vb_strings){0};
    vb_strings names;
    if (!vb_path_is_folder(state->folder)) return 0;
    if (vb_path_list_folder(&names, state->folder, err)) return -1;
    int status = 0;
    for (size_t i = 0; !status && i < names.count; i++) {
        if (strncmp(names.items[i], state->key.hex, strlen(state->key.hex)) || !vb_path_ends_with(names.items[i], ".scan"))
            continue;
        status = vb_strings_take(paths, vb_format(err, "%s/%s", state->folder, names.items[i]), err);
    }
    if (status) vb_strings_free(paths);
    vb_strings_free(&names);
    return status;
}

/* The generation in a file's name; what else the name may hold counts as none. */
static int generation_of(const vb_scan_state *state, const char *path) {
    const long found = strtol(vb_path_base_name(path) + strlen(state->key.hex) + 1, NULL, 10);
    return found >= 0 && found < INT_MAX ? (int)found : -1;
}

/* False, and nothing added, when what a file states cannot be: its digest is no secret. */
static bool add_counts(vb_scan_counts *sum, const vb_scan_counts *stated) {
    vb_scan_counts all;
    const bool possible = stated->rows >= 0 && stated->not_finite >= 0 && stated->zero >= 0 && stated->rescored >= 0 &&
                          !__builtin_add_overflow(sum->rows, stated->rows, &all.rows) &&
                          !__builtin_add_overflow(sum->not_finite, stated->not_finite, &all.not_finite) &&
                          !__builtin_add_overflow(sum->zero, stated->zero, &all.zero) &&
                          !__builtin_add_overflow(sum->rescored, stated->rescored, &all.rescored);
    if (possible) *sum = all;
    return possible;
}

int vb_scan_state_find(vb_scan_state *state, uint8_t *finished, vb_strings *paths, vb_scan_counts *counts, int64_t queries,
                       int64_t k, vb_error *err) {
    *counts = (vb_scan_counts){0};
    if (files_of(state, paths, err)) return -1;
    size_t kept = 0;
    for (size_t i = 0; i < paths->count; i++) {
        char *path = paths->items[i];
        paths->items[i] = NULL;
        state_header header;
        int64_t *mine;
        vb_error damage;
        const int generation = generation_of(state, path);
        bool fine = !read_state(path, &header, &mine, NULL, &damage);
        if (generation >= state->generation) state->generation = generation + 1;
        fine = fine && header.queries == queries && header.k == k && header.blocks == state->blocks;
        for (int64_t b = 0; fine && b < header.finished; b++)
            fine = mine[b] >= 0 && mine[b] < state->blocks && !finished[mine[b]];
        fine = fine && add_counts(counts, &header.counts);
        for (int64_t b = 0; fine && b < header.finished; b++) finished[mine[b]] = 1;
        vb_free(mine);
        if (!fine) {
            vb_free(path);
            continue;
        }
        paths->items[kept++] = path;
    }
    paths->count = kept;
    return 0;
}

int vb_scan_state_load(const char *path, vb_topk *topk, vb_error *err) {
    state_header header;
    int64_t *mine;
    int status = read_state(path, &header, &mine, topk, err);
    vb_free(mine);
    return status;
}

void vb_scan_state_remove(const vb_scan_state *state) {
    vb_strings paths;
    vb_error ignored;
    if (!state->folder || files_of(state, &paths, &ignored)) return;
    for (size_t i = 0; i < paths.count; i++) unlink(paths.items[i]);
    vb_strings_free(&paths);
    rmdir(state->folder);
}
