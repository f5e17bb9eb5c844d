/* Ways through WordNet from classes to the names that take their images. */
#include "mpi/adversarial/name_relations.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/cover.h"
#include "mpi/base/json.h"

typedef struct relations {
    const vb_candidates *pool;
    vb_wordnet_ancestry name[VB_ADVERSARIES], class;      /* of the chosen names, and of the class at hand */
    int64_t taken[VB_ADVERSARIES], right[VB_ADVERSARIES]; /* images, and those whose class the name is true of */
    json_t *lists[VB_ADVERSARIES];
} relations;

static bool is_true_name(const char *relation) {
    return relation && (!strcmp(relation, "synonym") || !strcmp(relation, "hypernym") || !strcmp(relation, "hyponym"));
}

/* The class at hand, of which name i takes `images`. */
static void add_relation(vb_json *json, relations *its, int i, const char *class, int64_t images) {
    const vb_wordnet_path path = vb_wordnet_path_between(&its->class, &its->name[i]);
    const char *relation = vb_wordnet_relation(&path);
    json_t *object = vb_json_set_object(json, its->lists[i], class);
    vb_json_set_text(json, object, "relation", relation);
    if (path.length < 0) vb_json_set(json, object, "path", json_null());
    else vb_json_set_integer(json, object, "path", path.length);
    its->taken[i] += images;
    if (is_true_name(relation)) its->right[i] += images;
}

static int find_class(relations *its, const vb_class *class, vb_error *err) {
    vb_wordnet_ancestry_free(&its->class);
    if (!its->pool->wordnet) return 0;
    char *folded = vb_wordnet_fold_name(class->name, err);
    int status = folded ? vb_wordnet_ancestry_new(&its->class, its->pool->wordnet, folded, class->id, err) : -1;
    vb_free(folded);
    return status;
}

static int add_classes(vb_json *json, relations *its, const vb_vocabularies *vocabularies, int count, const int64_t *by_class,
                       vb_error *err) {
    const int classes = vocabularies->classes;
    for (int c = 0; c < classes; c++) {
        bool found = false;
        for (int i = 0; i < count; i++) {
            const int64_t images = by_class[(int64_t)i * classes + c];
            if (!images) continue;
            if (!found && find_class(its, &vocabularies->class[c], err)) return -1;
            found = true;
            add_relation(json, its, i, vocabularies->class[c].name, images);
        }
    }
    return 0;
}

int vb_name_relations_add(json_t *entry, const vb_candidates *pool, const vb_vocabularies *vocabularies, const int *chosen,
                          int count, const int64_t *by_class, vb_error *err) {
    relations its = {.pool = pool};
    vb_json json = {0};
    json_t *list = vb_json_set_array(&json, entry, "relations"), *shares = vb_json_set_array(&json, entry, "true_share");
    int64_t taken = 0, right = 0;
    int status = 0;
    for (int i = 0; i < count && !status; i++) {
        vb_json_append(&json, list, its.lists[i] = vb_json_object(&json));
        if (pool->wordnet) status = vb_wordnet_ancestry_new(&its.name[i], pool->wordnet, pool->folded[chosen[i]], NULL, err);
    }
    if (!status) status = add_classes(&json, &its, vocabularies, count, by_class, err);
    for (int i = 0; i < count; i++) {
        /* Of a name that takes nothing beyond those before it, and of one that WordNet lacks, there is no share. */
        bool known = its.name[i].count && its.taken[i];
        vb_json_append_real(&json, shares, known ? (double)its.right[i] / (double)its.taken[i] : NAN);
        taken += its.taken[i];
        right += its.right[i];
        vb_wordnet_ancestry_free(&its.name[i]);
    }
    vb_json_set_real(&json, entry, "taken_true_share", pool->wordnet && taken ? (double)right / (double)taken : NAN);
    vb_wordnet_ancestry_free(&its.class);
    return status ? status : vb_json_end(&json, "the results", err);
}
