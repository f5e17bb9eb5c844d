/* Files that have no other target: YAML (as it is, as vocabularies, as prompts), .npy, manifests, tar, zstd, WordNet, merges. The
 * first byte chooses; of WordNet's two files a form feed parts them. */
#include <unistd.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/embeddings/npy.h"
#include "shards/files/json_parse.h"
#include "shards/files/manifest.h"
#include "shards/files/tar.h"
#include "shards/files/zst.h"
#include "shards/text/prompts.h"
#include "shards/text/tokenizer_file.h"
#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch_files.h"
#include "tests/fuzz/touch.h"

static char file_folder[SCRATCH_PATH];

static void read_yaml(const char *path) {
    vb_yaml *root;
    vb_vocabularies vocabularies;
    vb_prompts prompts;
    vb_error err = {0};
    if (vb_yaml_read(&root, path, &err)) touch_error(&err);
    else vb_yaml_free(root);
    if (vb_vocabularies_read(&vocabularies, path, &err)) touch_error(&err);
    else
        for (int c = 0; c < vocabularies.classes; c++)
            if (vb_utf8_find_control(vocabularies.class[c].name)) abort();
    vb_vocabularies_free(&vocabularies);
    if (vb_prompts_read(&prompts, path, &err)) touch_error(&err);
    else
        for (int i = 0; i < prompts.count; i++) vb_free(vb_prompts_fill(prompts.items[i], "a cat", &err));
    vb_prompts_free(&prompts);
}

static void read_npy(const char *path) {
    vb_npy npy = {0};
    vb_error err = {0};
    static volatile double sum;
    if (vb_npy_open(&npy, path, &err)) touch_error(&err);
    else {
        const int64_t count = vb_tensor_count(&npy.tensor);
        for (int64_t i = 0; i < count; i += 1 + count / 100) sum = sum + vb_tensor_at(&npy.tensor, i);
        if (count) sum = sum + vb_tensor_at(&npy.tensor, count - 1);
        touch_bytes(npy.note, npy.note_size);
    }
    vb_npy_close(&npy);
}

static void read_manifest(const char *path) {
    vb_manifest manifest = {0};
    vb_error err = {0};
    int64_t rows = 0;
    if (vb_manifest_read(&manifest, path, &err)) touch_error(&err);
    else {
        for (size_t i = 0; i < manifest.shard_count; i++) rows += manifest.shards[i].rows;
        if (rows != manifest.rows) abort();
    }
    vb_manifest_free(&manifest);
}

/* What an entry says of its data can be read, or is an error. */
static void read_tar(const char *path) {
    vb_source *source;
    vb_tar *tar = NULL;
    vb_tar_entry entry;
    vb_error err = {0};
    uint8_t bytes[256];
    if (vb_source_open(&source, path, &err)) {
        touch_error(&err);
        return;
    }
    int status = vb_tar_open(&tar, source, 0, &err);
    while (!status && !(status = vb_tar_next(tar, &entry, &err)) && entry.name) {
        const size_t some = entry.size < sizeof bytes ? (size_t)entry.size : sizeof bytes;
        touch_bytes(entry.name, strlen(entry.name));
        if (vb_source_read(source, entry.offset, bytes, some, &err)) touch_error(&err);
    }
    if (status) touch_error(&err);
    vb_tar_close(tar);
    vb_source_close(source);
}

static void read_zst(const char *path) {
    vb_zst *zst = NULL;
    vb_error err = {0};
    uint8_t bytes[4096];
    size_t got = 1;
    int status = vb_zst_open(&zst, path, &err);
    for (uint64_t at = 0; !status && got && at < 1 << 20; at += got) {
        status = vb_zst_read(zst, at, bytes, sizeof bytes, &got, &err);
        if (!status) touch_bytes(bytes, got);
    }
    if (status) touch_error(&err);
    vb_zst_close(zst);
}

static void walk_wordnet(const vb_wordnet *wordnet) {
    const size_t n = vb_wordnet_lemmas(wordnet);
    vb_error err = {0};
    uint8_t *same = calloc(n + 1, 1);
    for (size_t i = 0; same && i < n && i < 20; i++) {
        const char *lemma = vb_wordnet_lemma(wordnet, i);
        vb_wordnet_ancestry from = {0}, to = {0};
        if (vb_wordnet_find(wordnet, lemma) < 0 || vb_wordnet_senses(wordnet, i) < 0 || vb_wordnet_depth(wordnet, i) < -1)
            abort();
        touch_bytes(vb_wordnet_leads(wordnet, i) ? "y" : "n", 1);
        vb_wordnet_synonyms(wordnet, lemma, "n00001740", same);
        if (vb_wordnet_relatives(wordnet, lemma, NULL, same, &err)) touch_error(&err);
        if (!vb_wordnet_ancestry_new(&from, wordnet, lemma, NULL, &err) &&
            !vb_wordnet_ancestry_new(&to, wordnet, vb_wordnet_lemma(wordnet, n - 1), NULL, &err)) {
            const vb_wordnet_path path = vb_wordnet_path_between(&from, &to);
            const char *relation = vb_wordnet_relation(&path);
            if (relation) touch_bytes(relation, strlen(relation));
        }
        vb_wordnet_ancestry_free(&from);
        vb_wordnet_ancestry_free(&to);
    }
    free(same);
}

static void read_wordnet(const uint8_t *data, size_t size) {
    char index[SCRATCH_PATH], nouns[SCRATCH_PATH];
    vb_wordnet *wordnet;
    vb_error err = {0};
    const uint8_t *cut = size ? memchr(data, '\f', size) : NULL;
    const size_t first = cut ? (size_t)(cut - data) : size, skip = cut ? first + 1 : size;
    if (scratch_put(index, file_folder, "index.noun", data, first) &&
        scratch_put(nouns, file_folder, "data.noun", data + skip, size - skip)) {
        if (vb_wordnet_open(&wordnet, file_folder, &err)) touch_error(&err);
        else {
            walk_wordnet(wordnet);
            vb_wordnet_close(wordnet);
        }
    }
    unlink(index);
    unlink(nouns);
}

static void read_merges(const char *path) {
    vb_tokenizer *tokenizer;
    vb_error err = {0};
    if (vb_tokenizer_file_read(&tokenizer, path, false, NULL, &err)) touch_error(&err);
    else touch_tokenizer(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        const char *name;
        void (*read)(const char *path);
    } forms[] = {{"v.yaml", read_yaml}, {"a.npy", read_npy},        {"manifest.json", read_manifest},
                 {"a.tar", read_tar},   {"a.tar.zst", read_zst},    {"b.tar.zst", read_tar},
                 {NULL, NULL},          {"merges.txt", read_merges}};
    char path[SCRATCH_PATH];
    vb_json_parse_setup();
    if (!size || !scratch_folder(file_folder, "files")) return 0;
    const size_t form = data[0] % (sizeof forms / sizeof *forms);
    if (!forms[form].name) read_wordnet(data + 1, size - 1);
    else if (scratch_put(path, file_folder, forms[form].name, data + 1, size - 1)) {
        forms[form].read(path);
        unlink(path);
    }
    rmdir(file_folder);
    return 0;
}
