/* WordNet's noun index and synsets as arrays. */
#include "shards/text/wordnet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/text/unicode.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

/* Everything by index: lemma -> senses (synsets, the most frequent first), synset -> words (lemmas) and hypernyms (synsets). */
struct vb_wordnet {
    char **lemmas;
    size_t lemma_count, lemma_capacity;
    int64_t *offsets; /* of the synsets in data.noun, ascending */
    size_t synset_count, offset_capacity;
    size_t *sense_starts; /* of each lemma; sense_counts says how many there are */
    int *sense_counts;
    size_t *word_starts, *parent_starts; /* of each synset, and one more */
    int *senses, *words, *parents;
    size_t sense_capacity, word_capacity, parent_capacity;
    int *depths; /* of the synsets */
    vb_digest digest;
};

/* A text being read line by line; fields are parted by single spaces. */
typedef struct reader {
    const char *path;
    char *at, *line_end, *end; /* line_end is NULL before the first line */
    size_t number;
} reader;

static int broken(const reader *r, const char *expected, vb_error *err) {
    return vb_errorf(err, VB_EDATA, "%s:%zu: expected %s: this is no file of WordNet's nouns", r->path, r->number, expected);
}

/* The next line that is not of the licence (which begins with two spaces); false at the end. */
static bool wordnet_line(reader *r) {
    for (;;) {
        if (r->line_end) r->at = r->line_end + 1;
        if (r->at >= r->end) return false;
        char *feed = memchr(r->at, '\n', (size_t)(r->end - r->at));
        r->line_end = feed ? feed : r->end;
        r->number++;
        if (r->at != r->line_end && strncmp(r->at, "  ", 2)) return true;
    }
}

/* The next field, NUL-terminated in place (there is a byte behind the text); NULL at the end of the line. */
static char *field(reader *r) {
    if (r->at >= r->line_end) return NULL;
    char *start = r->at;
    while (r->at < r->line_end && *r->at != ' ') r->at++;
    *r->at = 0;
    r->at++;
    return start;
}

static bool wordnet_number(reader *r, int base, int64_t *value) {
    char *text = field(r), *end;
    if (!text || !*text) return false;
    *value = strtoll(text, &end, base);
    return !*end && *value >= 0;
}

/* Of WordNet's lemmas, which are ASCII. */
static void wordnet_fold(char *text) {
    for (; *text; text++) {
        if (*text >= 'A' && *text <= 'Z') *text += 'a' - 'A';
        if (*text == '_') *text = ' ';
    }
}

char *vb_wordnet_fold_name(const char *name, vb_error *err) {
    char *folded = vb_unicode_fold(name, err);
    if (folded) wordnet_fold(folded);
    return folded;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int64_t vb_wordnet_find(const vb_wordnet *wordnet, const char *name) {
    char **found = bsearch(&name, wordnet->lemmas, wordnet->lemma_count, sizeof name, by_text);
    return found ? found - wordnet->lemmas : -1;
}

static int64_t find_synset(const vb_wordnet *wordnet, int64_t offset) {
    size_t low = 0, high = wordnet->synset_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wordnet->offsets[middle] < offset) low = middle + 1;
        else high = middle;
    }
    return low < wordnet->synset_count && wordnet->offsets[low] == offset ? (int64_t)low : -1;
}

static int wordnet_append(int **list, size_t *capacity, size_t count, int value, vb_error *err) {
    if (vb_grow((void **)list, capacity, count + 1, sizeof **list, "WordNet", err)) return -1;
    (*list)[count] = value;
    return 0;
}

/* First pass over index.noun: the lemmas, in the file's order. */
static int read_lemmas(vb_wordnet *wordnet, reader r, vb_error *err) {
    while (wordnet_line(&r)) {
        const char *space = memchr(r.at, ' ', (size_t)(r.line_end - r.at));
        if (!space) return broken(&r, "a lemma and its synsets", err);
        if (vb_grow((void **)&wordnet->lemmas, &wordnet->lemma_capacity, wordnet->lemma_count + 1, sizeof *wordnet->lemmas,
                    "WordNet", err))
            return -1;
        char *lemma = vb_strndup(r.at, (size_t)(space - r.at), err);
        if (!lemma) return -1;
        wordnet_fold(lemma);
        wordnet->lemmas[wordnet->lemma_count++] = lemma;
    }
    return 0;
}

/* First pass over data.noun: where synsets begin. */
static int read_offsets(vb_wordnet *wordnet, reader r, vb_error *err) {
    while (wordnet_line(&r)) {
        char *end;
        int64_t offset = strtoll(r.at, &end, 10);
        if (end != r.at + 8 || *end != ' ' || (wordnet->synset_count && offset <= wordnet->offsets[wordnet->synset_count - 1]))
            return broken(&r, "a synset's offset", err);
        if (vb_grow((void **)&wordnet->offsets, &wordnet->offset_capacity, wordnet->synset_count + 1, sizeof *wordnet->offsets,
                    "WordNet", err))
            return -1;
        wordnet->offsets[wordnet->synset_count++] = offset;
    }
    return 0;
}

/* offset file-number type word-count(hex) {word id} pointer-count {symbol offset part source/target} | gloss */
static int read_synset(vb_wordnet *wordnet, reader *r, size_t s, vb_error *err) {
    int64_t count, ignored, offset;
    size_t words = wordnet->word_starts[s], parents = wordnet->parent_starts[s];
    if (!wordnet_number(r, 10, &ignored) || !wordnet_number(r, 10, &ignored)) return broken(r, "a synset", err);
    const char *kind = field(r);
    if (!kind || strcmp(kind, "n") || !wordnet_number(r, 16, &count) || !count) return broken(r, "a noun synset with words", err);
    for (int64_t i = 0; i < count; i++) {
        char *word = field(r), *id = field(r);
        if (!word || !id) return broken(r, "as many words as stated", err);
        wordnet_fold(word);
        int64_t lemma = vb_wordnet_find(wordnet, word);
        if (lemma < 0) return broken(r, "words that are in index.noun", err);
        if (wordnet_append(&wordnet->words, &wordnet->word_capacity, words++, (int)lemma, err)) return -1;
    }
    if (!wordnet_number(r, 10, &count)) return broken(r, "a number of pointers", err);
    for (int64_t i = 0; i < count; i++) {
        const char *symbol = field(r);
        if (!symbol || !wordnet_number(r, 10, &offset)) return broken(r, "as many pointers as stated", err);
        const char *part = field(r), *ends = field(r);
        if (!part || !ends) return broken(r, "as many pointers as stated", err);
        if (strcmp(part, "n") || (strcmp(symbol, "@") && strcmp(symbol, "@i")))
            continue; /* hypernyms, of classes and instances */
        int64_t parent = find_synset(wordnet, offset);
        if (parent < 0) return broken(r, "a hypernym that exists", err);
        if (wordnet_append(&wordnet->parents, &wordnet->parent_capacity, parents++, (int)parent, err)) return -1;
    }
    wordnet->word_starts[s + 1] = words;
    wordnet->parent_starts[s + 1] = parents;
    return 0;
}

/* lemma part synset-count pointer-count {symbol} sense-count tagged-count {offset} */
static int read_senses(vb_wordnet *wordnet, reader *r, size_t *filled, vb_error *err) {
    int64_t synsets, pointers, ignored, offset;
    char *lemma = field(r);
    wordnet_fold(lemma);
    int64_t index = vb_wordnet_find(wordnet, lemma);
    const char *part = field(r);
    if (!part || strcmp(part, "n") || !wordnet_number(r, 10, &synsets) || !synsets || !wordnet_number(r, 10, &pointers))
        return broken(r, "a noun and the number of its synsets", err);
    for (int64_t i = 0; i < pointers; i++)
        if (!field(r)) return broken(r, "as many pointers as stated", err);
    if (!wordnet_number(r, 10, &ignored) || !wordnet_number(r, 10, &ignored)) return broken(r, "sense counts", err);
    wordnet->sense_starts[index] = *filled;
    wordnet->sense_counts[index] = (int)synsets;
    for (int64_t i = 0; i < synsets; i++) {
        if (!wordnet_number(r, 10, &offset)) return broken(r, "as many synsets as stated", err);
        int64_t synset = find_synset(wordnet, offset);
        if (synset < 0) return broken(r, "a synset of data.noun", err);
        if (wordnet_append(&wordnet->senses, &wordnet->sense_capacity, (*filled)++, (int)synset, err)) return -1;
    }
    return 0;
}

/* Breadth first along hyponyms is the same as repeated relaxation along hypernyms; there are some twenty levels. */
static void find_depths(vb_wordnet *wordnet) {
    for (size_t s = 0; s < wordnet->synset_count; s++)
        wordnet->depths[s] = wordnet->parent_starts[s] == wordnet->parent_starts[s + 1] ? 0 : -1;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t s = 0; s < wordnet->synset_count; s++)
            for (size_t p = wordnet->parent_starts[s]; p < wordnet->parent_starts[s + 1]; p++) {
                int above = wordnet->depths[wordnet->parents[p]];
                if (above < 0 || (wordnet->depths[s] >= 0 && wordnet->depths[s] <= above + 1)) continue;
                wordnet->depths[s] = above + 1;
                changed = true;
            }
    }
}

static int read_text(reader *r, char **text, const char *path, vb_digester *digester, vb_error *err) {
    size_t size;
    if (vb_file_read_whole(path, (size_t)1 << 30, (uint8_t **)text, &size, err)) return -1;
    *r = (reader){.path = path, .at = *text, .end = *text + size};
    vb_digest_add_text(digester, vb_digest_bytes(*text, size).hex);
    return 0;
}

static int wordnet_read(vb_wordnet *wordnet, const char *index_path, const char *data_path, vb_error *err) {
    char *index = NULL, *data = NULL;
    reader lemmas, synsets;
    size_t filled = 0, s = 0;
    int status = -1;
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    const bool whole =
        !read_text(&lemmas, &index, index_path, digester, err) && !read_text(&synsets, &data, data_path, digester, err);
    wordnet->digest = vb_digest_finish(digester);
    if (!whole || read_lemmas(wordnet, lemmas, err)) goto done;
    if (!wordnet->lemma_count) {
        vb_errorf(err, VB_EDATA, "%s: expected lemmas, found none: this is no file of WordNet's nouns", index_path);
        goto done;
    }
    qsort(wordnet->lemmas, wordnet->lemma_count, sizeof *wordnet->lemmas, by_text);
    if (read_offsets(wordnet, synsets, err)) goto done;
    wordnet->sense_starts = vb_array(wordnet->lemma_count, sizeof(size_t), "WordNet", err);
    wordnet->sense_counts = vb_array(wordnet->lemma_count, sizeof(int), "WordNet", err);
    wordnet->word_starts = vb_array(wordnet->synset_count + 1, sizeof(size_t), "WordNet", err);
    wordnet->parent_starts = vb_array(wordnet->synset_count + 1, sizeof(size_t), "WordNet", err);
    wordnet->depths = vb_array(wordnet->synset_count, sizeof(int), "WordNet", err);
    if (!wordnet->sense_starts || !wordnet->sense_counts || !wordnet->word_starts || !wordnet->parent_starts || !wordnet->depths)
        goto done;
    while (wordnet_line(&synsets))
        if (read_synset(wordnet, &synsets, s++, err)) goto done;
    while (wordnet_line(&lemmas))
        if (read_senses(wordnet, &lemmas, &filled, err)) goto done;
    find_depths(wordnet);
    status = 0;
done:
    vb_free(index);
    vb_free(data);
    return status;
}

int vb_wordnet_open(vb_wordnet **out, const char *folder, vb_error *err) {
    *out = NULL;
    vb_wordnet *wordnet = vb_array(1, sizeof *wordnet, "WordNet", err);
    char *index = vb_format(err, "%s/index.noun", folder), *data = vb_format(err, "%s/data.noun", folder);
    int status = -1;
    if (wordnet && index && data) {
        if (!vb_path_exists(index) || !vb_path_exists(data))
            vb_errorf(err, VB_EMISSING, "%s: no index.noun and data.noun there (Debian's package wordnet-base has them)", folder);
        else status = wordnet_read(wordnet, index, data, err);
    }
    vb_free(index);
    vb_free(data);
    if (status) vb_wordnet_close(wordnet);
    else *out = wordnet;
    return status;
}

void vb_wordnet_close(vb_wordnet *wordnet) {
    if (!wordnet) return;
    for (size_t i = 0; i < wordnet->lemma_count; i++) vb_free(wordnet->lemmas[i]);
    vb_free(wordnet->lemmas);
    vb_free(wordnet->offsets);
    vb_free(wordnet->sense_starts);
    vb_free(wordnet->sense_counts);
    vb_free(wordnet->word_starts);
    vb_free(wordnet->parent_starts);
    vb_free(wordnet->senses);
    vb_free(wordnet->words);
    vb_free(wordnet->parents);
    vb_free(wordnet->depths);
    vb_free(wordnet);
}

vb_digest vb_wordnet_digest(const vb_wordnet *wordnet) { return wordnet->digest; }

size_t vb_wordnet_lemmas(const vb_wordnet *wordnet) { return wordnet->lemma_count; }

const char *vb_wordnet_lemma(const vb_wordnet *wordnet, size_t i) {
    assert(i < wordnet->lemma_count);
    return wordnet->lemmas[i];
}

int vb_wordnet_depth(const vb_wordnet *wordnet, size_t i) {
    assert(i < wordnet->lemma_count);
    return wordnet->sense_counts[i] ? wordnet->depths[wordnet->senses[wordnet->sense_starts[i]]] : -1;
}

int vb_wordnet_senses(const vb_wordnet *wordnet, size_t i) {
    assert(i < wordnet->lemma_count);
    return wordnet->sense_counts[i];
}

bool vb_wordnet_leads(const vb_wordnet *wordnet, size_t i) {
    assert(i < wordnet->lemma_count);
    for (int n = 0; n < wordnet->sense_counts[i]; n++) {
        int synset = wordnet->senses[wordnet->sense_starts[i] + (size_t)n];
        if (wordnet->words[wordnet->word_starts[synset]] == (int)i) return true;
    }
    return false;
}

static void mark_synset(const vb_wordnet *wordnet, int64_t synset, uint8_t *same) {
    for (size_t w = wordnet->word_starts[synset]; w < wordnet->word_starts[synset + 1]; w++) same[wordnet->words[w]] = 1;
}

/* The synset of an id like n01440764; -1 when it is none. */
static int64_t synset_of_id(const vb_wordnet *wordnet, const char *id) {
    if (!id || id[0] != 'n' || strlen(id) != 9 || strspn(id + 1, "0123456789") != 8) return -1;
    return find_synset(wordnet, strtoll(id + 1, NULL, 10));
}

void vb_wordnet_synonyms(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same) {
    int64_t lemma = vb_wordnet_find(wordnet, name), synset = synset_of_id(wordnet, id);
    for (int n = 0; lemma >= 0 && n < wordnet->sense_counts[lemma]; n++)
        mark_synset(wordnet, wordnet->senses[wordnet->sense_starts[lemma] + (size_t)n], same);
    if (synset >= 0) mark_synset(wordnet, synset, same);
}

const char *vb_wordnet_word_of_id(const vb_wordnet *wordnet, const char *id) {
    int64_t synset = synset_of_id(wordnet, id);
    return synset < 0 ? NULL : wordnet->lemmas[wordnet->words[wordnet->word_starts[synset]]];
}

/* ---- what lies above and below ---- */

enum { BELOW = 1, ABOVE = 2 };

int vb_wordnet_relatives(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same, vb_error *err) {
    uint8_t *side = vb_array(wordnet->synset_count, 1, "synsets", err);
    int64_t lemma = vb_wordnet_find(wordnet, name), synset = synset_of_id(wordnet, id);
    if (!side) return -1;
    if (synset >= 0) side[synset] = BELOW | ABOVE;
    for (int n = 0; synset < 0 && lemma >= 0 && n < wordnet->sense_counts[lemma]; n++)
        side[wordnet->senses[wordnet->sense_starts[lemma] + (size_t)n]] = BELOW | ABOVE;
    /* A synset's hypernyms may stand before or behind it in the file, so this goes on until nothing changes. */
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t s = 0; s < wordnet->synset_count; s++)
            for (size_t p = wordnet->parent_starts[s]; p < wordnet->parent_starts[s + 1]; p++) {
                uint8_t *child = &side[s], *parent = &side[wordnet->parents[p]], down = *parent & BELOW, up = *child & ABOVE;
                changed |= (down & ~*child) || (up & ~*parent);
                *child |= down;
                *parent |= up;
            }
    }
    for (size_t s = 0; s < wordnet->synset_count; s++)
        if (side[s]) mark_synset(wordnet, (int64_t)s, same);
    vb_free(side);
    return 0;
}

/* ---- the way from one term to another ---- */

static int by_synset(const void *a, const void *b) {
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Breadth first along hypernyms: reached[s] is 1 + the steps to synset s, and `list` the synsets in the order in which they are
 * met, so that each is met first by its shortest way. */
static int climb(const vb_wordnet *wordnet, const char *name, const char *id, int *reached, int **list, size_t *count,
                 vb_error *err) {
    int64_t lemma = vb_wordnet_find(wordnet, name), synset = synset_of_id(wordnet, id);
    size_t capacity = 0, starts = synset >= 0 ? 1 : lemma >= 0 ? (size_t)wordnet->sense_counts[lemma] : 0;
    for (size_t n = 0; n < starts; n++) {
        int s = synset >= 0 ? (int)synset : wordnet->senses[wordnet->sense_starts[lemma] + n];
        if (reached[s]) continue;
        reached[s] = 1;
        if (wordnet_append(list, &capacity, (*count)++, s, err)) return -1;
    }
    for (size_t i = 0; i < *count; i++) {
        size_t child = (size_t)(*list)[i];
        for (size_t p = wordnet->parent_starts[child]; p < wordnet->parent_starts[child + 1]; p++) {
            int parent = wordnet->parents[p];
            if (reached[parent]) continue;
            reached[parent] = reached[child] + 1;
            if (wordnet_append(list, &capacity, (*count)++, parent, err)) return -1;
        }
    }
    return 0;
}

int vb_wordnet_ancestry_new(vb_wordnet_ancestry *ancestry, const vb_wordnet *wordnet, const char *name, const char *id,
                            vb_error *err) {
    *ancestry = (vb_wordnet_ancestry){0};
    size_t count = 0;
    int *reached = vb_array(wordnet->synset_count, sizeof *reached, "synsets", err);
    int status = reached ? climb(wordnet, name, id, reached, &ancestry->synsets, &count, err) : -1;
    if (!status && !(ancestry->steps = vb_array(count, sizeof *ancestry->steps, "synsets", err))) status = -1;
    if (!status) {
        ancestry->count = count;
        if (count) qsort(ancestry->synsets, count, sizeof *ancestry->synsets, by_synset);
        for (size_t i = 0; i < count; i++) ancestry->steps[i] = reached[ancestry->synsets[i]] - 1;
    }
    vb_free(reached);
    return status;
}

void vb_wordnet_ancestry_free(vb_wordnet_ancestry *ancestry) {
    vb_free(ancestry->synsets);
    vb_free(ancestry->steps);
    *ancestry = (vb_wordnet_ancestry){0};
}

static void wordnet_less(int *least, int value) {
    if (*least < 0 || value < *least) *least = value;
}

vb_wordnet_path vb_wordnet_path_between(const vb_wordnet_ancestry *from, const vb_wordnet_ancestry *to) {
    vb_wordnet_path path = {-1, -1, -1, false};
    for (size_t i = 0, j = 0; i < from->count && j < to->count;) {
        if (from->synsets[i] != to->synsets[j]) {
            if (from->synsets[i] < to->synsets[j]) i++;
            else j++;
            continue;
        }
        int up = from->steps[i++], down = to->steps[j++];
        wordnet_less(&path.length, up + down);
        if (!down) wordnet_less(&path.up, up);
        if (!up) wordnet_less(&path.down, down);
        path.sisters = path.sisters || (up == 1 && down == 1);
    }
    return path;
}

const char *vb_wordnet_relation(const vb_wordnet_path *path) {
    if (path->length < 0) return NULL;
    if (!path->up || !path->down) return "synonym";
    if (path->up > 0 && (path->down < 0 || path->up <= path->down)) return "hypernym";
    if (path->down > 0) return "hyponym";
    return path->sisters ? "sister" : "other";
}
