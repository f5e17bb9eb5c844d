/* Labels to classes: by id, by name or alias, by place. */
#include "shards/text/label_match.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"

bool vb_label_match_integer(const char *text, int64_t *value) {
    *value = 0;
    if (*text < '0' || *text > '9') return false;
    for (; *text >= '0' && *text <= '9'; text++) *value = *value > (INT64_MAX - 9) / 10 ? INT64_MAX : *value * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text == '0';) text++;
    return !*text;
}

int vb_label_match_place(const vb_vocabularies *vocabularies, const char *text) {
    int64_t value;
    return vb_label_match_integer(text, &value) && value < vocabularies->classes ? (int)value : -1;
}

/* The keys of a class index that are integers, by value. */
typedef struct numbered {
    int64_t value;
    int class;
} numbered;

typedef struct numbers {
    numbered *of_ids, *of_names;
    int ids, names;
} numbers;

static int by_number(const void *a, const void *b) {
    const numbered *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static numbered *sort_numbers(const vb_class_key *keys, int count, int *found, vb_error *err) {
    numbered *list = vb_array((size_t)count, sizeof *list, "labels", err);
    for (int i = 0; list && i < count; i++) {
        int64_t value;
        if (vb_label_match_integer(keys[i].text, &value) && value < INT64_MAX)
            list[(*found)++] = (numbered){value, keys[i].class};
    }
    if (list) qsort(list, (size_t)*found, sizeof *list, by_number);
    return list;
}

/* The class of an integer of that value; -1 where none has it, or several. */
static int find_number(const numbered *list, int count, int64_t value) {
    const numbered wanted = {value, 0}, *at = bsearch(&wanted, list, (size_t)count, sizeof *list, by_number);
    if (!at) return -1;
    while (at > list && at[-1].value == value) at--;
    for (const numbered *next = at + 1; next < list + count && next->value == value; next++)
        if (next->class != at->class) return -1;
    return at->class;
}

/* As it stands, then as a number. */
static void find_one(const vb_vocabularies *v, const numbers *its, const char *label, int *class, uint8_t *rule) {
    int64_t value;
    bool integer = vb_label_match_integer(label, &value);
    *rule = VB_LABEL_BY_ID;
    if ((*class = vb_vocabularies_find_id(v, label)) >= 0) return;
    if (integer && (*class = find_number(its->of_ids, its->ids, value)) >= 0) return;
    *rule = VB_LABEL_BY_NAME;
    if ((*class = vb_vocabularies_find_name(v, label)) >= 0) return;
    if (integer && (*class = find_number(its->of_names, its->names, value)) >= 0) return;
    *rule = VB_LABEL_UNMATCHED;
}

int vb_label_match_find(vb_label_match *match, const vb_vocabularies *vocabularies, const char *const *labels, int count,
                        vb_error *err) {
    numbers its = {0};
    int status = -1;
    *match = (vb_label_match){.labels = count, .beyond = -1};
    its.of_ids = sort_numbers(vocabularies->by_id, vocabularies->ids, &its.ids, err);
    its.of_names = its.of_ids ? sort_numbers(vocabularies->by_name, vocabularies->keys, &its.names, err) : NULL;
    match->class_of = vb_array((size_t)count, sizeof *match->class_of, "labels", err);
    match->rule = vb_array((size_t)count, sizeof *match->rule, "labels", err);
    if (!its.of_names || !match->class_of || !match->rule) goto done;
    bool places = count > 0;
    for (int i = 0; i < count; i++) {
        int64_t value;
        find_one(vocabularies, &its, labels[i], &match->class_of[i], &match->rule[i]);
        places = places && match->rule[i] == VB_LABEL_UNMATCHED && vb_label_match_integer(labels[i], &value);
    }
    match->from_one = places;
    for (int i = 0; places && i < count; i++) {
        int64_t value;
        match->from_one &= vb_label_match_integer(labels[i], &value) && value > 0 && value <= vocabularies->classes;
        match->class_of[i] = vb_label_match_place(vocabularies, labels[i]);
        if (match->class_of[i] >= 0) match->rule[i] = VB_LABEL_BY_POSITION;
        else if (match->beyond < 0) match->beyond = i;
    }
    status = 0;
done:
    vb_free(its.of_ids);
    vb_free(its.of_names);
    return status;
}

void vb_label_match_free(vb_label_match *match) {
    vb_free(match->class_of);
    vb_free(match->rule);
    *match = (vb_label_match){0};
}
