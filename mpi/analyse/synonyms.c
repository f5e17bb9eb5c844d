/* Lemmas of synsets, each with the classes that it could mean. */
#include "mpi/analyse/synonyms.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"

/* A name that means a class: its own (lemma: -1) or a lemma of its synset. */
typedef struct meaning {
    char *folded;
    int class, lemma;
} meaning;

typedef struct meaning_list {
    meaning *items;
    size_t count, capacity;
} meaning_list;

static int add_meaning(meaning_list *list, const char *text, int class, int lemma, vb_error *err) {
    if (vb_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items, "synonyms", err)) return -1;
    list->items[list->count] = (meaning){vb_strdup(text, err), class, lemma};
    return list->items[list->count++].folded ? 0 : -1;
}

/* The class' own name, then the lemmas of its synset but that. */
static int add_class(meaning_list *list, vb_synonyms *synonyms, const vb_wordnet *wordnet, const vb_class *class, int c,
                     uint8_t *same, vb_error *err) {
    char *folded = vb_wordnet_fold_name(class->name, err);
    int status = folded ? add_meaning(list, folded, c, -1, err) : -1;
    size_t lemmas = vb_wordnet_lemmas(wordnet);
    int64_t lemma = folded ? vb_wordnet_find(wordnet, folded) : -1;
    memset(same, 0, lemmas);
    if (vb_wordnet_word_of_id(wordnet, class->id)) vb_wordnet_synonyms(wordnet, "", class->id, same);
    else if (lemma >= 0 && vb_wordnet_senses(wordnet, (size_t)lemma) == 1) vb_wordnet_synonyms(wordnet, folded, NULL, same);
    else if (lemma >= 0) synonyms->ambiguous++;
    for (size_t l = 0; l < lemmas && !status; l++)
        if (same[l] && strcmp(vb_wordnet_lemma(wordnet, l), folded))
            status = add_meaning(list, vb_wordnet_lemma(wordnet, l), c, (int)l, err);
    vb_free(folded);
    return status;
}

static int by_name(const void *a, const void *b) {
    const meaning *x = a, *y = b;
    int order = strcmp(x->folded, y->folded);
    return order ? order : (x->class > y->class) - (x->class < y->class);
}

static int by_class(const void *a, const void *b) {
    const meaning *x = a, *y = b;
    int order = (x->class > y->class) - (x->class < y->class);
    return order ? order : (x->lemma > y->lemma) - (x->lemma < y->lemma);
}

/* Leaves the lemmas that mean one class alone; classes of one name are one. */
static void drop_shared(meaning_list *list, vb_synonyms *synonyms) {
    size_t kept = 0;
    qsort(list->items, list->count, sizeof *list->items, by_name);
    for (size_t i = 0, next; i < list->count; i = next) {
        bool alone = true;
        for (next = i; next < list->count && !strcmp(list->items[next].folded, list->items[i].folded); next++)
            alone = alone && list->items[next].class == list->items[i].class;
        for (size_t k = i; k < next; k++) {
            bool keep = alone && list->items[k].lemma >= 0;
            synonyms->shared += !alone && list->items[k].lemma >= 0;
            if (keep) list->items[kept++] = list->items[k];
            else vb_free(list->items[k].folded);
        }
    }
    list->count = kept;
    qsort(list->items, list->count, sizeof *list->items, by_class);
}

int vb_synonyms_find(vb_synonyms *synonyms, const vb_wordnet *wordnet, const vb_vocabularies *vocabularies, vb_error *err) {
    *synonyms = (vb_synonyms){.wordnet = vb_wordnet_digest(wordnet)};
    meaning_list list = {0};
    uint8_t *same = vb_array(vb_wordnet_lemmas(wordnet), 1, "synonyms", err);
    int status = -1;
    if (!same) goto done;
    for (int c = 0; c < vocabularies->classes; c++)
        if (add_class(&list, synonyms, wordnet, &vocabularies->class[c], c, same, err)) goto done;
    drop_shared(&list, synonyms);
    synonyms->names = vb_array(list.count, sizeof *synonyms->names, "synonyms", err);
    synonyms->offsets = vb_array((size_t)vocabularies->classes + 1, sizeof *synonyms->offsets, "synonyms", err);
    if (!synonyms->names || !synonyms->offsets) goto done;
    for (int c = 0; c < vocabularies->classes; c++) {
        synonyms->offsets[c] = synonyms->count;
        for (; (size_t)synonyms->count < list.count && list.items[synonyms->count].class == c; synonyms->count++) {
            meaning *item = &list.items[synonyms->count];
            synonyms->names[synonyms->count].name = item->folded;
            item->folded = NULL;
        }
    }
    synonyms->offsets[vocabularies->classes] = synonyms->count;
    status = 0;
done:
    for (size_t i = 0; i < list.count; i++) vb_free(list.items[i].folded);
    vb_free(list.items);
    vb_free(same);
    return status;
}

void vb_synonyms_free(vb_synonyms *synonyms) {
    for (int i = 0; synonyms->names && i < synonyms->count; i++) vb_free(synonyms->names[i].name);
    vb_free(synonyms->names);
    vb_free(synonyms->offsets);
    *synonyms = (vb_synonyms){0};
}
