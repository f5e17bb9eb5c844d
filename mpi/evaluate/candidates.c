/* The candidates' file, and WordNet's synonyms of classes. */
#include "mpi/evaluate/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/text/texts.h"

int64_t vb_candidates_lines(const vb_names_spec *spec) {
    vb_texts texts;
    vb_wordnet *wordnet;
    vb_error ignored;
    int64_t count = 0;
    if (!spec->asked) return 0;
    if (!spec->names) {
        if (vb_wordnet_open(&wordnet, spec->wordnet, &ignored)) return 0;
        count = (int64_t)vb_wordnet_lemmas(wordnet);
        vb_wordnet_close(wordnet);
    } else if (!vb_texts_read(&texts, spec->names, &ignored)) {
        count = (int64_t)texts.count;
        vb_texts_free(&texts);
    }
    return count;
}

/* ---- the pool ---- */

typedef struct line {
    const char *name;
    char *folded;
    int64_t number;
} line;

static int by_folded_then_line(const void *a, const void *b) {
    const line *x = a, *y = b;
    int order = strcmp(x->folded, y->folded);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_name(const void *a, const void *b) {
    const line *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int folded_order(const void *a, const void *b, void *context) {
    char **folded = context;
    return strcmp(folded[*(const int *)a], folded[*(const int *)b]);
}

static bool is_blank(const char *text) { return !text[strspn(text, " \t\r\v\f")]; }

/* Lines to keep, in the order of their names. */
static int choose_lines(vb_candidates *pool, const char *const *names, line *lines, size_t *kept, vb_error *err) {
    size_t n = 0;
    *kept = 0;
    for (size_t i = 0; i < (size_t)pool->lines; i++) {
        if (is_blank(names[i])) {
            pool->empty++;
            continue;
        }
        lines[n] = (line){names[i], vb_wordnet_fold_name(names[i], err), (int64_t)i};
        if (!lines[n].folded) return -1;
        *kept = ++n;
    }
    qsort(lines, n, sizeof *lines, by_folded_then_line);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (m && !strcmp(lines[m - 1].folded, lines[i].folded)) {
            pool->duplicates++;
            vb_free(lines[i].folded);
        } else lines[m++] = lines[i];
    }
    *kept = m;
    qsort(lines, m, sizeof *lines, by_name);
    return 0;
}

static int fill_pool(vb_candidates *pool, line *lines, size_t n, vb_error *err) {
    pool->class = vb_array(n, sizeof *pool->class, "candidates", err);
    pool->line = vb_array(n, sizeof *pool->line, "candidates", err);
    pool->folded = vb_array(n, sizeof *pool->folded, "candidates", err);
    pool->by_folded = vb_array(n, sizeof *pool->by_folded, "candidates", err);
    if (!pool->class || !pool->line || !pool->folded || !pool->by_folded) return -1;
    for (size_t i = 0; i < n; i++) {
        pool->count++;
        pool->folded[i] = lines[i].folded;
        lines[i].folded = NULL;
        pool->line[i] = lines[i].number;
        pool->by_folded[i] = (int)i;
        if (!(pool->class[i].name = vb_strdup(lines[i].name, err))) return -1;
    }
    qsort_r(pool->by_folded, n, sizeof *pool->by_folded, folded_order, pool->folded);
    return 0;
}

static int choose_rule(vb_candidates *pool, const vb_names_spec *spec, vb_error *err) {
    int how = spec->exclude;
    char *index = vb_format(err, "%s/index.noun", spec->wordnet);
    if (!index) return -1;
    bool is_there = vb_path_exists(index);
    vb_free(index);
    if (how == VB_EXCLUDE_AUTO) how = is_there ? VB_EXCLUDE_SYNONYMS : VB_EXCLUDE_NAMES;
    pool->excluded_by = vb_names_spec_exclusions[how];
    bool needed = !spec->names || how == VB_EXCLUDE_SYNONYMS || how == VB_EXCLUDE_RELATED || (spec->kinship && is_there);
    return needed ? vb_wordnet_open(&pool->wordnet, spec->wordnet, err) : 0;
}

/* The names' lines, of the file (texts: behind them) or of WordNet; *names is an array of its own. */
static int list_names(vb_candidates *pool, const vb_names_spec *spec, vb_texts *texts, const char ***names, vb_error *err) {
    pool->source = spec->names ? spec->names : spec->wordnet;
    if (spec->names && vb_texts_read(texts, spec->names, err)) return -1;
    if (spec->names) vb_texts_trim(texts);
    size_t count = spec->names ? texts->count : vb_wordnet_lemmas(pool->wordnet);
    if (count > INT32_MAX / 2)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: %zu names, at most %d are handled", pool->source, count, INT32_MAX / 2);
    pool->lines = (int64_t)count;
    if (!(*names = vb_array(count, sizeof **names, "names", err))) return -1;
    for (size_t i = 0; i < count; i++) (*names)[i] = spec->names ? texts->items[i] : vb_wordnet_lemma(pool->wordnet, i);
    return 0;
}

static int digest_names(vb_candidates *pool, const vb_names_spec *spec, vb_error *err) {
    vb_digester *digester;
    if (spec->names) return vb_digest_file(spec->names, &pool->digest, err);
    if (vb_digest_new(&digester, err)) return -1;
    for (int c = 0; c < pool->count; c++) vb_digest_add_text(digester, pool->class[c].name);
    pool->digest = vb_digest_finish(digester);
    return 0;
}

int vb_candidates_open(vb_candidates *pool, const vb_names_spec *spec, int64_t least, vb_error *err) {
    *pool = (vb_candidates){0};
    vb_texts texts = {0};
    const char **names = NULL;
    line *lines = NULL;
    size_t kept = 0;
    int status = -1;
    if (choose_rule(pool, spec, err) || list_names(pool, spec, &texts, &names, err)) goto done;
    if (!(lines = vb_array((size_t)pool->lines, sizeof *lines, "candidates", err))) goto done;
    if (choose_lines(pool, names, lines, &kept, err) || fill_pool(pool, lines, kept, err)) goto done;
    if (!pool->count)
        vb_errorf(err, VB_EMISSING, "%s: no candidates, only %lld empty lines", pool->source, (long long)pool->empty);
    else if (pool->count < least)
        vb_errorf(err, VB_EMISMATCH, "%s: %d candidates, but k is %lld", pool->source, pool->count, (long long)least);
    else status = digest_names(pool, spec, err);
done:
    for (size_t i = 0; lines && i < kept; i++) vb_free(lines[i].folded);
    vb_free(lines);
    vb_free(names);
    vb_texts_free(&texts);
    return status;
}

void vb_candidates_free(vb_candidates *pool) {
    for (int c = 0; c < pool->count; c++) {
        vb_free(pool->class[c].name);
        vb_free(pool->folded[c]);
    }
    vb_free(pool->class);
    vb_free(pool->folded);
    vb_free(pool->line);
    vb_free(pool->by_folded);
    vb_wordnet_close(pool->wordnet);
    *pool = (vb_candidates){0};
}

static int find_candidate(const vb_candidates *pool, const char *folded) {
    int low = 0, high = pool->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(pool->folded[pool->by_folded[middle]], folded) < 0) low = middle + 1;
        else high = middle;
    }
    return low < pool->count && !strcmp(pool->folded[pool->by_folded[low]], folded) ? pool->by_folded[low] : -1;
}

static int exclude_name(const vb_candidates *pool, const char *name, uint8_t *excluded, vb_error *err) {
    char *folded = vb_wordnet_fold_name(name, err);
    if (!folded) return -1;
    int found = find_candidate(pool, folded);
    if (found >= 0) excluded[found] = 1;
    vb_free(folded);
    return 0;
}

/* Candidates of the name that prompts call a class by, in another language, and of those of classes that were merged into it. */
static int exclude_other_names(const vb_candidates *pool, const vb_class *class, uint8_t *excluded, vb_error *err) {
    if (class->called && exclude_name(pool, class->called, excluded, err)) return -1;
    for (int i = 0; i < class->other_count; i++)
        if (exclude_name(pool, class->others[i], excluded, err)) return -1;
    return 0;
}

int vb_candidates_exclude(const vb_candidates *pool, const vb_vocabularies *vocabularies, int v, uint8_t *excluded,
                          vb_error *err) {
    const bool related = !strcmp(pool->excluded_by, "related"), synonyms = related || !strcmp(pool->excluded_by, "synonyms");
    size_t lemmas = synonyms ? vb_wordnet_lemmas(pool->wordnet) : 0;
    uint8_t *same = vb_array(lemmas, 1, "synonyms", err);
    int status = same ? 0 : -1;
    for (int i = vocabularies->offsets[v]; !status && i < vocabularies->offsets[v + 1] && strcmp(pool->excluded_by, "none");
         i++) {
        const vb_class *class = &vocabularies->class[vocabularies->members[i]];
        char *folded = vb_wordnet_fold_name(class->name, err);
        int found = folded ? find_candidate(pool, folded) : -1;
        if (found >= 0) excluded[found] = 1;
        if (!folded) status = -1;
        else if (synonyms) vb_wordnet_synonyms(pool->wordnet, folded, class->id, same);
        if (folded && related) status = vb_wordnet_relatives(pool->wordnet, folded, class->id, same, err);
        if (!status) status = exclude_other_names(pool, class, excluded, err);
        vb_free(folded);
    }
    for (size_t l = 0; l < lemmas && !status; l++) {
        int found = same[l] ? find_candidate(pool, vb_wordnet_lemma(pool->wordnet, l)) : -1;
        if (found >= 0) excluded[found] = 1;
    }
    vb_free(same);
    return status;
}
