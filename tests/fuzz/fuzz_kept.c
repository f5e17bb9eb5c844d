/* What vocabench keeps itself, and what ranks send each other: units of the cache, noted digests, corpora and their 8-bit copies,
 * checkpoints of scans, lists of hits, learned contexts. The first byte chooses. Where a checksum would stop plain bytes, it is
 * made to fit, or a good file is made and then damaged (scratch_damage). */
#include "kernels/base/memory.h"
#include "kernels/search/coder.h"
#include "mpi/retrieve/scan_state.h"
#include "shards/embeddings/cache.h"
#include "shards/embeddings/corpus.h"
#include "shards/embeddings/npy.h"
#include "shards/embeddings/quantized.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/weights/coop.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch_files.h"
#include "tests/fuzz/touch.h"

static char kept_folder[SCRATCH_PATH];

/* ---- the cache ---- */

/* A damaged unit is as if it were not there; one that is found has the rows that were stored. */
static void damage_unit(const uint8_t *data, size_t size) {
    enum { ROWS = 3, DIM = 4 };
    const float rows[ROWS * DIM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    float read[ROWS * DIM];
    const vb_cache cache = {kept_folder, vb_digest_bytes("key", 3)};
    const vb_digest unit = vb_digest_bytes("unit", 4);
    const size_t half = size / 2;
    vb_error err = {0};
    bool found;
    json_t *skipped, *notes = json_pack("[{s:s, s:s}]", "sample", "a.png", "why", "not an image");
    if (vb_cache_store(&cache, &unit, ROWS, DIM, rows, notes, &err)) touch_error(&err);
    else {
        char *path = vb_cache_path(&cache, &unit, &err), beside[SCRATCH_PATH];
        if (!path) abort();
        snprintf(beside, sizeof beside, "%.*s.skipped.json", (int)strlen(path) - 4, path);
        const bool damaged = scratch_damage(path, data, half), notes_damaged = scratch_damage(beside, data + half, size - half);
        if (vb_cache_load(&cache, &unit, ROWS, DIM, read, &found, &skipped, &err)) touch_error(&err);
        else if (found && (memcmp(read, rows, sizeof rows) || !json_equal(skipped, notes))) abort();
        else if (!found && !damaged && !notes_damaged) abort();
        json_decref(skipped);
        unlink(path);
        unlink(beside);
        *strrchr(path, '/') = 0;
        rmdir(path);
        vb_free(path);
    }
    json_decref(notes);
}

/* The unit's file, and the noted digest, are these bytes. */
static void foreign_unit(const uint8_t *data, size_t size) {
    const vb_cache cache = {kept_folder, vb_digest_bytes("key", 3)};
    const vb_digest unit = vb_digest_bytes("unit", 4);
    vb_digest noted;
    vb_error err = {0};
    float read[8];
    bool found;
    json_t *skipped;
    char *path = vb_cache_path(&cache, &unit, &err), *seen, written[SCRATCH_PATH];
    if (!path || vb_cache_note(&cache, &unit, &unit, &err)) abort();
    *strrchr(path, '/') = 0;
    if (!(seen = vb_format(&err, "%s/seen", path))) abort();
    char name[80];
    snprintf(name, sizeof name, "%s.npy", unit.hex);
    if (scratch_put(written, path, name, data, size)) {
        if (vb_cache_load(&cache, &unit, 2, 4, read, &found, &skipped, &err)) touch_error(&err);
        else if (found) touch_bytes(read, sizeof read);
        json_decref(skipped);
        unlink(written);
    }
    if (scratch_put(written, seen, unit.hex, data, size)) {
        if (vb_cache_recall(&cache, &unit, &noted, &found, &err)) touch_error(&err);
        else if (found && (strspn(noted.hex, "0123456789abcdef") != 32 || strlen(noted.hex) != 32)) abort();
        unlink(written);
    }
    rmdir(seen);
    rmdir(path);
    vb_free(seen);
    vb_free(path);
}

/* ---- corpora ---- */

static void walk_parts(const vb_corpus *corpus) {
    vb_corpus_block *blocks;
    vb_error err = {0};
    int64_t count, rows = 0;
    for (size_t p = 0; p < corpus->part_count; p++) {
        const vb_corpus_part *part = &corpus->parts[p];
        if (part->first != rows || part->rows < 0) abort();
        touch_bytes(part->path, strlen(part->path));
        if (part->rows && vb_corpus_find(corpus, part->first) != p) abort();
        rows += part->rows;
    }
    if (rows != corpus->rows) abort();
    if (rows < 1 << 20) {
        if (vb_corpus_blocks(corpus, 7, &blocks, &count, &err)) touch_error(&err);
        else {
            for (int64_t b = 0; b < count; b++) rows -= blocks[b].rows;
            if (rows) abort();
            vb_free(blocks);
        }
    }
}

static void read_rows(const vb_corpus *corpus) {
    vb_corpus_reader reader;
    vb_error err = {0};
    static uint8_t out[1 << 16];
    vb_corpus_reader_open(&reader, corpus);
    for (size_t p = 0; p < corpus->part_count; p++)
        for (int64_t r = 0; r < corpus->parts[p].rows && r < 20 && corpus->dim <= 1 << 13; r++) {
            const size_t size = (size_t)corpus->dim * vb_dtype_size(corpus->parts[p].dtype);
            if (vb_corpus_read_rows(&reader, p, r, 1, out, &err)) touch_error(&err);
            else touch_bytes(out, size);
        }
    vb_corpus_reader_close(&reader);
}

static void corpus_part(const char *name, const uint8_t *data, size_t size) {
    char path[SCRATCH_PATH];
    vb_corpus corpus, other;
    vb_error err = {0};
    void *bytes;
    size_t packed;
    if (!scratch_put(path, kept_folder, name, data, size)) return;
    if (vb_corpus_open(&corpus, path, &err)) touch_error(&err);
    else {
        if (corpus.dim < 1) abort();
        walk_parts(&corpus);
        read_rows(&corpus);
        if (vb_corpus_pack(&corpus, &bytes, &packed, &err) || vb_corpus_unpack(&other, bytes, packed, &err)) abort();
        walk_parts(&other);
        vb_corpus_close(&other);
        vb_free(bytes);
        vb_corpus_close(&corpus);
    }
    unlink(path);
}
static void npy_part(const uint8_t *data, size_t size) { corpus_part("p.npy", data, size); }
static void safetensors_part(const uint8_t *data, size_t size) { corpus_part("p.safetensors", data, size); }

static void sent_parts(const uint8_t *data, size_t size) {
    vb_corpus corpus;
    vb_error err = {0};
    if (vb_corpus_unpack(&corpus, data, size, &err)) touch_internal_error(&err);
    else walk_parts(&corpus);
    vb_corpus_close(&corpus);
}

/* ---- 8-bit copies ---- */

static void read_copy(void) {
    vb_quantized copy;
    vb_quantized_reader reader;
    vb_error err = {0};
    if (vb_quantized_open(&copy, kept_folder, true, &err)) {
        touch_error(&err);
        return;
    }
    int64_t rows = 0;
    uint8_t *group = vb_array(vb_coder_group_bytes(copy.width), 1, "group", &err);
    vb_quantized_reader_open(&reader, &copy);
    for (size_t p = 0; p < copy.part_count; p++) {
        rows += copy.parts[p].rows;
        for (int64_t g = 0; group && g < (copy.parts[p].rows + VB_CODER_GROUP - 1) / VB_CODER_GROUP && g < 20; g++) {
            if (vb_quantized_read(&reader, p, g, 1, group, &err)) touch_error(&err);
            else touch_bytes(group, vb_coder_group_bytes(copy.width));
        }
    }
    if (rows != copy.rows) abort();
    touch_bytes(copy.mean, (size_t)copy.dim * sizeof *copy.mean);
    vb_quantized_reader_close(&reader);
    vb_free(group);
    vb_quantized_close(&copy);
}

static const char good_manifest[] =
    "{\"schema\": \"vocabench.quantized/2\", \"similarity\": \"cosine\", \"rows\": 3, \"dimensions\": 2, \"width\": 64, "
    "\"seed\": 7, \"rows_not_finite\": 0, \"rows_zero\": 0, \"parts\": [{\"file\": \"a.vbq\", \"source\": \"a.npy\", \"rows\": "
    "3, \"type\": \"fp32\", \"bytes\": 152, \"xxh3_128\": \"00000000000000000000000000000000\", \"file_bytes\": 1288}]}";

/* A copy whose manifest is these bytes (`as` NULL), or a good one that is damaged in one of its files. */
static void make_copy(const char *as, const uint8_t *data, size_t size) {
    static const float mean[2] = {0.5f, -0.25f};
    char path[3][SCRATCH_PATH];
    vb_quantized_writer writer;
    float its_mean[2] = {mean[0], mean[1]};
    const vb_quantized copy = {.dim = 2, .width = 64, .similarity = VB_COSINE, .seed = 7, .mean = its_mean};
    vb_error err = {0};
    snprintf(path[1], SCRATCH_PATH, "%.100s/mean.npy", kept_folder);
    snprintf(path[2], SCRATCH_PATH, "%.100s/a.vbq", kept_folder);
    uint8_t *group = vb_array(vb_coder_group_bytes(64), 1, "group", &err);
    if (!group || vb_npy_write(path[1], VB_F32, 1, (const int64_t[]){2}, mean, &err) ||
        vb_quantized_part_begin(&writer, &copy, 0, path[2], 3, &err) ||
        vb_quantized_part_end(&writer, vb_quantized_part_add(&writer, group, 1, &err), &err))
        abort();
    vb_free(group);
    if (as) scratch_put(path[0], kept_folder, "manifest.json", good_manifest, sizeof good_manifest - 1);
    else scratch_put(path[0], kept_folder, "manifest.json", data, size);
    if (as) scratch_damage(!strcmp(as, "mean.npy") ? path[1] : path[2], data, size);
    read_copy();
    for (int i = 0; i < 3; i++) unlink(path[i]);
}
static void copy_manifest(const uint8_t *data, size_t size) { make_copy(NULL, data, size); }
static void copy_mean(const uint8_t *data, size_t size) { make_copy("mean.npy", data, size); }
static void copy_codes(const uint8_t *data, size_t size) { make_copy("a.vbq", data, size); }

/* ---- lists of hits ---- */

enum { QUERIES = 2, HITS = 3, BLOCKS = 5 };

static void touch_hits(vb_topk *topk) {
    vb_topk_sort(topk);
    for (int64_t q = 0; q < topk->queries; q++)
        for (int64_t i = 0; i < topk->count[q]; i++) {
            const vb_hit *hit = &topk->hits[q * topk->k + i];
            const double score = vb_hit_score(hit);
            if (i && vb_hit_before(hit, hit - 1)) abort();
            touch_bytes(&score, sizeof score);
        }
}

static void sent_hits(const uint8_t *data, size_t size) {
    vb_topk topk;
    vb_error err = {0};
    if (vb_topk_new(&topk, QUERIES, HITS, &err)) return;
    if (vb_topk_unpack(&topk, 0, QUERIES, data, size, &err)) touch_error(&err);
    else touch_hits(&topk);
    vb_topk_free(&topk);
}

/* The bytes are a checkpoint without the digest at its end, which is made: lengths stand between what it is the digest of. */
static void scan_checkpoint(const uint8_t *data, size_t size) {
    vb_scan_state state = {.folder = kept_folder, .key = vb_digest_bytes("scan", 4), .blocks = BLOCKS};
    vb_scan_counts counts;
    uint8_t finished[BLOCKS] = {0};
    vb_strings paths = {0};
    vb_topk topk;
    vb_error err = {0};
    char name[80], path[SCRATCH_PATH];
    int64_t header[5] = {0};
    vb_digester *digester;
    static uint8_t file[(1 << 16) + 64];
    if (size > 1 << 16 || vb_digest_new(&digester, &err)) return;
    memcpy(header, data, size < sizeof header ? size : sizeof header);
    const size_t head = 40 + sizeof counts, blocks = header[4] >= 0 && header[4] < 64 ? (size_t)header[4] * 8 : 0;
    size_t at = head + blocks < size ? head + blocks : size;
    vb_digest_add(digester, data, at);
    for (uint64_t length; at + sizeof length <= size; at += length) {
        memcpy(&length, data + at, sizeof length);
        at += sizeof length;
        if (length > size - at) break;
        vb_digest_add(digester, data + at, length);
    }
    const vb_digest digest = vb_digest_finish(digester);
    memcpy(file, data, size);
    memcpy(file + size, digest.hex, sizeof digest.hex);
    snprintf(name, sizeof name, "%s.00000.000000.scan", state.key.hex);
    if (!scratch_put(path, kept_folder, name, file, size + sizeof digest.hex)) return;
    if (vb_scan_state_find(&state, finished, &paths, &counts, QUERIES, HITS, &err)) touch_error(&err);
    for (size_t i = 0; i < paths.count && !vb_topk_new(&topk, QUERIES, HITS, &err); i++) {
        if (vb_scan_state_load(paths.items[i], &topk, &err)) touch_error(&err);
        else touch_hits(&topk);
        vb_topk_free(&topk);
    }
    vb_strings_free(&paths);
    unlink(path);
}

/* ---- learned contexts ---- */

static void contexts(const uint8_t *data, size_t size) {
    char path[SCRATCH_PATH];
    vb_coop coop = {0};
    vb_error err = {0};
    if (!scratch_put(path, kept_folder, "prompts.safetensors", data, size)) return;
    if (vb_coop_read(&coop, path, &err)) touch_error(&err);
    else
        touch_bytes(coop.context, (size_t)(coop.classes ? coop.classes : 1) * (size_t)coop.contexts * (size_t)coop.width *
                                      sizeof *coop.context);
    vb_coop_free(&coop);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const forms[])(const uint8_t *, size_t) = {damage_unit, foreign_unit,    npy_part,  safetensors_part,
                                                             sent_parts,  copy_manifest,   copy_mean, copy_codes,
                                                             sent_hits,   scan_checkpoint, contexts};
    vb_json_parse_setup();
    if (!size || !scratch_folder(kept_folder, "kept")) return 0;
    forms[data[0] % (sizeof forms / sizeof *forms)](data + 1, size - 1);
    rmdir(kept_folder);
    return 0;
}
