/* The vocabulary reader: every listing of a class is gathered, equal names are found by sorting, and each distinct one becomes a
 * class. */
#include "shards/text/vocabularies.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/text/yaml.h"
#include "shards/text/did_you_mean.h"

/* One listing of a class in a vocabulary. Texts belong to the YAML tree. */
typedef struct listing {
    const vb_yaml *node;    /* for its position */
    const char *name, *id;  /* id may be NULL */
    const vb_yaml *aliases; /* a list, or NULL */
    int vocabulary;
    int place;  /* in file order */
    int first;  /* place of the first listing of the same name */
    int class;  /* index of the class */
    bool again; /* the same name was listed before in this vocabulary */
} listing;

/* ---- names ---- */

static int plain(char c) { return c == '_' ? ' ' : (unsigned char)c; }

static int compare_names(const char *a, const char *b) {
    while (*a && plain(*a) == plain(*b)) a++, b++;
    return plain(*a) - plain(*b);
}

bool vb_vocabularies_same_name(const char *a, const char *b) { return !compare_names(a, b); }

static bool is_blank_character(char c) { return c == ' ' || c == '_' || c == '\t' || c == '\n' || c == '\r'; }

const char *vb_vocabularies_name_fault(const char *name) {
    bool blank = true;
    for (const char *c = name; *c; c++) blank &= is_blank_character(*c);
    if (!vb_utf8_is_text(name, strlen(name), NULL)) return "is no UTF-8";
    if (vb_utf8_find_control(name)) return "has control characters";
    if (blank) return *name ? "is blank: underscores are spaces" : "is empty";
    return *name == ' ' || name[strlen(name) - 1] == ' ' ? "has white space around it" : NULL;
}

/* A name that a prompt or a folder could hold. */
static int check_class_name(const vb_yaml *node, const char *what, const char *path, vb_error *err) {
    if (node->kind != VB_YAML_SCALAR || vb_yaml_is_null(node)) return vb_yaml_expected(node, path, what, err);
    const char *fault = vb_vocabularies_name_fault(node->text);
    return fault ? vb_yaml_errorf(node, path, err, "expected %s, found '%s', which %s", what, node->text, fault) : 0;
}

static int unknown_key(const vb_yaml *key, const char *const *known, const char *path, vb_error *err) {
    const char *near = vb_did_you_mean(key->text, known);
    if (near) return vb_yaml_errorf(key, path, err, "unknown key '%s', did you mean '%s'?", key->text, near);
    return vb_yaml_errorf(key, path, err, "unknown key '%s', expected '%s'%s%s%s or '%s'", key->text, known[0],
                          known[2] ? ", '" : "", known[2] ? known[1] : "", known[2] ? "'" : "", known[known[2] ? 2 : 1]);
}

/* ---- the file's shape ---- */

static int read_listing(listing *entry, const vb_yaml *node, const char *path, vb_error *err) {
    static const char *const known[] = {"name", "id", "aliases", NULL};
    entry->node = node;
    if (node->kind != VB_YAML_MAP) {
        entry->name = node->text;
        return check_class_name(node, "a class name or {id: ..., name: ...}", path, err);
    }
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->keys[i]->text, "name") && strcmp(node->keys[i]->text, "id") && strcmp(node->keys[i]->text, "aliases"))
            return unknown_key(node->keys[i], known, path, err);
    const vb_yaml *name = vb_yaml_get(node, "name"), *id = vb_yaml_get(node, "id");
    entry->aliases = vb_yaml_get(node, "aliases");
    if (entry->aliases && entry->aliases->kind != VB_YAML_LIST)
        return vb_yaml_expected(entry->aliases, path, "a list of labels", err);
    for (size_t i = 0; entry->aliases && i < entry->aliases->count; i++)
        if (check_class_name(entry->aliases->items[i], "a label", path, err)) return -1;
    if (!name) return vb_yaml_errorf(node, path, err, "a class without a name: expected {id: ..., name: ...}");
    if (check_class_name(name, "a class name", path, err) || (id && check_class_name(id, "an id", path, err))) return -1;
    entry->name = name->text;
    entry->id = id ? id->text : NULL;
    return 0;
}

static int gather(vb_vocabularies *v, listing **listings, int *count, const vb_yaml *root, const char *path, vb_error *err) {
    static const char *const known[] = {"name", "vocabularies", NULL};
    if (root->kind != VB_YAML_MAP) return vb_yaml_expected(root, path, "a map with 'name' and 'vocabularies'", err);
    for (size_t i = 0; i < root->count; i++)
        if (strcmp(root->keys[i]->text, "name") && strcmp(root->keys[i]->text, "vocabularies"))
            return unknown_key(root->keys[i], known, path, err);
    const vb_yaml *name = vb_yaml_get(root, "name"), *map = vb_yaml_get(root, "vocabularies");
    if (!name || !map) return vb_yaml_errorf(root, path, err, "the key '%s' is missing", name ? "vocabularies" : "name");
    if (check_class_name(name, "a name", path, err)) return -1;
    if (map->kind != VB_YAML_MAP) return vb_yaml_expected(map, path, "a map from vocabulary to its classes", err);
    if (!map->count) return vb_yaml_errorf(map, path, err, "expected at least one vocabulary, found none");
    size_t total = 0;
    for (size_t i = 0; i < map->count; i++) {
        const vb_yaml *classes = map->items[i];
        if (check_class_name(map->keys[i], "the name of a vocabulary", path, err)) return -1;
        if (classes->kind != VB_YAML_LIST) return vb_yaml_expected(classes, path, "a list of classes", err);
        if (!classes->count) return vb_yaml_errorf(classes, path, err, "the vocabulary '%s' holds no class", map->keys[i]->text);
        total += classes->count;
    }
    v->count = (int)map->count; /* both fit: the YAML reader bounds the number of values */
    *count = (int)total;
    v->name = vb_strdup(name->text, err);
    v->names = vb_array(map->count, sizeof *v->names, "vocabulary names", err);
    *listings = vb_array(total, sizeof **listings, "class names", err);
    if (!v->name || !v->names || !*listings) return -1;
    listing *entry = *listings;
    for (size_t i = 0; i < map->count; i++) {
        if (!(v->names[i] = vb_strdup(map->keys[i]->text, err))) return -1;
        for (size_t j = 0; j < map->items[i]->count; j++, entry++) {
            entry->vocabulary = (int)i;
            entry->place = (int)(entry - *listings);
            if (read_listing(entry, map->items[i]->items[j], path, err)) return -1;
        }
    }
    return 0;
}

/* ---- equal names, equal ids ---- */

static int by_name_then_place(const void *a, const void *b) {
    const listing *x = *(const listing *const *)a, *y = *(const listing *const *)b;
    int order = compare_names(x->name, y->name);
    return order ? order : x->place - y->place;
}

static int by_id_then_place(const void *a, const void *b) {
    const listing *x = *(const listing *const *)a, *y = *(const listing *const *)b;
    int order = strcmp(x->id, y->id);
    return order ? order : x->place - y->place;
}

/* Of several faults the one that comes first in the file is reported. */
static void earliest_listing(const listing **bad, const listing **other, const listing *found, const listing *before) {
    if (*bad && (*bad)->place <= found->place) return;
    *bad = found;
    *other = before;
}

/* `sorted` (count elements) is scratch. Sets first, again and the ids of repeated names. */
static int match(listing *listings, int count, listing **sorted, const char *path, vb_error *err) {
    const listing *bad = NULL, *other = NULL;
    for (int i = 0; i < count; i++) sorted[i] = &listings[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_name_then_place);
    for (int i = 0, end; i < count; i = end) {
        const listing *with_id = NULL;
        for (end = i; end < count && !compare_names(sorted[i]->name, sorted[end]->name); end++) {
            listing *entry = sorted[end];
            entry->first = sorted[i]->place;
            entry->again = end > i && sorted[end - 1]->vocabulary == entry->vocabulary;
            if (entry->id && with_id && strcmp(entry->id, with_id->id)) earliest_listing(&bad, &other, entry, with_id);
            if (entry->id && !with_id) with_id = entry;
        }
        for (int j = i; with_id && j < end; j++)
            if (!sorted[j]->id) sorted[j]->id = with_id->id;
    }
    if (bad)
        return vb_yaml_errorf(bad->node, path, err, "'%s' has the id '%s' here and '%s' at line %d", bad->name, bad->id,
                              other->id, other->node->line);
    int ids = 0;
    for (int i = 0; i < count; i++)
        if (listings[i].id) sorted[ids++] = &listings[i];
    qsort(sorted, (size_t)ids, sizeof *sorted, by_id_then_place);
    for (int i = 1; i < ids; i++)
        if (!strcmp(sorted[i - 1]->id, sorted[i]->id) && sorted[i - 1]->first != sorted[i]->first)
            earliest_listing(&bad, &other, sorted[i], sorted[i - 1]);
    if (!bad) return 0;
    return vb_yaml_errorf(bad->node, path, err, "the id '%s' names '%s' here and '%s' at line %d", bad->id, bad->name,
                          other->name, other->node->line);
}

/* What a class is called, on its way to the check below. */
typedef struct call {
    const char *text;
    const listing *of;
    const vb_yaml *alias; /* NULL: name or id */
    int place;
} call;

static int by_text_then_place(const void *a, const void *b) {
    const call *x = a, *y = b;
    int order = compare_names(x->text, y->text);
    return order ? order : x->place - y->place;
}

static int gather_calls(call *calls, const listing *entry, int n) {
    calls[n] = (call){entry->name, entry, NULL, n};
    n++;
    if (entry->id) {
        calls[n] = (call){entry->id, entry, NULL, n};
        n++;
    }
    for (size_t k = 0; entry->aliases && k < entry->aliases->count; k++, n++)
        calls[n] = (call){entry->aliases->items[k]->text, entry, entry->aliases->items[k], n};
    return n;
}

/* An alias belongs to one class, and to none that has it as name or id. */
static int check_aliases(const listing *listings, int count, const char *path, vb_error *err) {
    size_t most = 0;
    int n = 0;
    for (int i = 0; i < count; i++) most += 2 + (listings[i].aliases ? listings[i].aliases->count : 0);
    call *calls = vb_array(most, sizeof *calls, "aliases", err);
    const call *bad = NULL, *other = NULL;
    if (!calls) return -1;
    for (int i = 0; i < count; i++) n = gather_calls(calls, &listings[i], n);
    qsort(calls, (size_t)n, sizeof *calls, by_text_then_place);
    for (int i = 0, end; i < n; i = end) {
        const call *one = &calls[i], *another = NULL; /* of another class */
        for (end = i; end < n && !compare_names(one->text, calls[end].text); end++)
            if (!another && calls[end].of->first != one->of->first) another = &calls[end];
        for (int k = i; another && k < end; k++) {
            if (!calls[k].alias || (bad && bad->place < calls[k].place)) continue;
            bad = &calls[k];
            other = bad->of->first != one->of->first ? one : another;
        }
    }
    int status = bad ? vb_yaml_errorf(bad->alias, path, err, "'%s' is an alias of '%s' here and %s of '%s' at line %d", bad->text,
                                      bad->of->name,
                                      other->alias                 ? "one" :
                                      other->text == other->of->id ? "the id" :
                                                                     "the name",
                                      other->of->name, other->of->node->line) :
                       0;
    vb_free(calls);
    return status;
}

static int add_aliases(vb_class *class, const vb_yaml *list, vb_error *err) {
    size_t count = (size_t) class->alias_count + list->count;
    char **aliases = vb_array(count, sizeof *aliases, "aliases", err);
    if (!aliases) return -1;
    for (int i = 0; i < class->alias_count; i++) aliases[i] = class->aliases[i];
    vb_free(class->aliases);
    class->aliases = aliases;
    for (size_t i = 0; i < list->count; i++) {
        if (!(aliases[class->alias_count] = vb_strdup(list->items[i]->text, err))) return -1;
        class->alias_count++;
    }
    return 0;
}

static int build_vocabularies(vb_vocabularies *v, listing *listings, int count, vb_error *err) {
    for (int i = 0; i < count; i++) {
        v->classes += listings[i].first == i;
        v->duplicates += listings[i].first != i;
    }
    v->class = vb_array((size_t)v->classes, sizeof *v->class, "classes", err);
    v->offsets = vb_array((size_t)v->count + 1, sizeof *v->offsets, "vocabularies", err);
    v->members = vb_array((size_t)count, sizeof *v->members, "classes of vocabularies", err);
    v->duplicate_notes = vb_array((size_t)v->duplicates, sizeof *v->duplicate_notes, "notes on duplicate names", err);
    if (!v->class || !v->offsets || !v->members || !v->duplicate_notes) return -1;
    int classes = 0, members = 0, notes = 0;
    for (int i = 0; i < count; i++) {
        listing *entry = &listings[i];
        const listing *first = &listings[entry->first];
        if (first == entry) {
            vb_class *class = &v->class[entry->class = classes++];
            if (!(class->name = vb_strdup(entry->name, err)) || (entry->id && !(class->id = vb_strdup(entry->id, err))))
                return -1;
        } else {
            entry->class = first->class;
            v->duplicate_notes[notes] =
                vb_format(err, "'%s' in '%s' (line %d) is also in '%s' (line %d)", entry->name, v->names[entry->vocabulary],
                          entry->node->line, v->names[first->vocabulary], first->node->line);
            if (!v->duplicate_notes[notes++]) return -1;
        }
        if (entry->aliases && add_aliases(&v->class[entry->class], entry -> aliases, err)) return -1;
        if (!entry->again) v->members[members++] = entry->class;
        v->offsets[entry->vocabulary + 1] = members;
    }
    return 0;
}

/* ---- labels to classes ---- */

static int by_plain_name(const void *a, const void *b) {
    const vb_class_key *x = a, *y = b;
    int order = compare_names(x->text, y->text);
    return order ? order : x->class - y->class;
}
static int by_id(const void *a, const void *b) {
    return strcmp(((const vb_class_key *)a)->text, ((const vb_class_key *)b)->text);
}

static int index_labels(vb_vocabularies *v, vb_error *err) {
    size_t most = (size_t)v->classes;
    for (int i = 0; i < v->classes; i++) most += (size_t)v->class[i].alias_count;
    v->by_name = vb_array(most, sizeof *v->by_name, "labels", err);
    v->by_id = v->by_name ? vb_array((size_t)v->classes, sizeof *v->by_id, "labels", err) : NULL;
    if (!v->by_id) return -1;
    for (int i = 0; i < v->classes; i++) {
        const vb_class *class = &v->class[i];
        if (class->id) v->by_id[v->ids++] = (vb_class_key){class->id, i};
        v->by_name[v->keys++] = (vb_class_key){class->name, i};
        for (int k = 0; k < class->alias_count; k++) v->by_name[v->keys++] = (vb_class_key){class->aliases[k], i};
    }
    qsort(v->by_name, (size_t)v->keys, sizeof *v->by_name, by_plain_name);
    qsort(v->by_id, (size_t)v->ids, sizeof *v->by_id, by_id);
    return 0;
}

static int find_key(const vb_class_key *keys, int count, const char *label, int (*compare)(const char *, const char *)) {
    for (int low = 0, high = count; low < high;) {
        int middle = low + (high - low) / 2, order = compare(label, keys[middle].text);
        if (!order) return keys[middle].class;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return -1;
}

int vb_vocabularies_find_id(const vb_vocabularies *v, const char *id) { return find_key(v->by_id, v->ids, id, strcmp); }

int vb_vocabularies_find_name(const vb_vocabularies *v, const char *name) {
    return find_key(v->by_name, v->keys, name, compare_names);
}

int vb_vocabularies_find(const vb_vocabularies *v, const char *label) {
    int class = vb_vocabularies_find_id(v, label);
    return class >= 0 ? class : vb_vocabularies_find_name(v, label);
}

static int digest(vb_vocabularies *v, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    vb_digest_add_text(digester, "vocabularies/1");
    vb_digest_add_text(digester, v->name);
    for (int i = 0; i < v->count; i++) {
        vb_digest_add_text(digester, v->names[i]);
        for (int j = v->offsets[i]; j < v->offsets[i + 1]; j++) {
            const vb_class *class = &v->class[v->members[j]];
            vb_digest_add_text(digester, "class");
            vb_digest_add_text(digester, class->name);
            vb_digest_add_text(digester, class->id ? class->id : "");
            for (int k = 0; k < class->alias_count; k++) {
                vb_digest_add_text(digester, "alias");
                vb_digest_add_text(digester, class->aliases[k]);
            }
        }
        vb_digest_add_text(digester, "end");
    }
    v->digest = vb_digest_finish(digester);
    return 0;
}

int vb_vocabularies_read(vb_vocabularies *v, const char *path, vb_error *err) {
    *v = (vb_vocabularies){0};
    vb_yaml *root = NULL;
    listing *listings = NULL, **sorted = NULL;
    int count = 0, status = -1;
    if (vb_yaml_read(&root, path, err) || gather(v, &listings, &count, root, path, err)) goto done;
    if (!(sorted = vb_array((size_t)count, sizeof(listing *), "class names", err))) goto done;
    if (match(listings, count, sorted, path, err) || check_aliases(listings, count, path, err)) goto done;
    if (build_vocabularies(v, listings, count, err) || index_labels(v, err)) goto done;
    status = digest(v, err);
done:
    if (status) vb_vocabularies_free(v);
    vb_free(sorted);
    vb_free(listings);
    vb_yaml_free(root);
    return status;
}

void vb_vocabularies_free(vb_vocabularies *v) {
    for (int i = 0; v->names && i < v->count; i++) vb_free(v->names[i]);
    for (int i = 0; v->class && i < v->classes; i++) {
        vb_free(v->class[i].name);
        vb_free(v->class[i].id);
        for (int k = 0; k < v->class[i].alias_count; k++) vb_free(v->class[i].aliases[k]);
        vb_free(v->class[i].aliases);
        vb_free(v->class[i].called);
        for (int k = 0; k < v->class[i].other_count; k++) vb_free(v->class[i].others[k]);
        vb_free(v->class[i].others);
    }
    for (int i = 0; v->duplicate_notes && i < v->duplicates; i++) vb_free(v->duplicate_notes[i]);
    vb_free(v->name);
    vb_free(v->names);
    vb_free(v->offsets);
    vb_free(v->members);
    vb_free(v->class);
    vb_free(v->duplicate_notes);
    vb_free(v->by_name);
    vb_free(v->by_id);
    *v = (vb_vocabularies){0};
}

/* ---- several files as one label space ---- */

/* A class of a part. */
typedef struct joint {
    const vb_class *class;
    int part, index;
    struct joint *first; /* of the same name, in the parts' order: itself when it stands alone or is the first */
    int others;          /* of a first one: classes of the same name after it */
    int number;          /* in the join; -1: dropped */
} joint;

static int by_name_then_part(const void *a, const void *b) {
    const joint *x = *(joint *const *)a, *y = *(joint *const *)b;
    int order = compare_names(x->class->name, y->class->name);
    return order ? order : x < y ? -1 : x > y;
}

static int by_id_then_part(const void *a, const void *b) {
    const joint *x = *(joint *const *)a, *y = *(joint *const *)b;
    int order = strcmp(x->class->id, y->class->id);
    return order ? order : x < y ? -1 : x > y;
}

static joint *first_of(joint *entry) {
    while (entry->first != entry) entry = entry->first;
    return entry;
}

static void unite(joint *a, joint *b) {
    a = first_of(a), b = first_of(b);
    if (a < b) b->first = a;
    else a->first = b;
}

static void find_shared(joint *all, int count, joint **sorted) {
    for (int i = 0; i < count; i++) sorted[i] = &all[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_name_then_part);
    for (int i = 0; i < count; i++)
        for (int j = i - 1; j >= 0 && !compare_names(sorted[i]->class->name, sorted[j]->class->name); j--)
            if (!sorted[i]->class->id || !sorted[j]->class->id) unite(sorted[i], sorted[j]);
    int ids = 0;
    for (int i = 0; i < count; i++)
        if (all[i].class->id) sorted[ids++] = &all[i];
    qsort(sorted, (size_t)ids, sizeof *sorted, by_id_then_part);
    for (int i = 1; i < ids; i++)
        if (!strcmp(sorted[i - 1]->class->id, sorted[i]->class->id)) unite(sorted[i - 1], sorted[i]);
    for (int i = 0; i < count; i++) all[i].first = first_of(&all[i]);
}

/* Puts the class into the rows of its name that have none of its part yet. Where all have one, which only classes that are
 * different things may do, into a row of its own, else like the first of them; -1: `alone`, and the class that is there. */
static int note_shared(vb_joined *joined, const joint *entry, int row, int *next, bool alone) {
    size_t parts = (size_t)joined->parts;
    int last = row, found = joined->shared_of[(size_t)row * parts + (size_t)entry->part];
    bool noted = false;
    for (int r = row; r >= 0; last = r, r = next[r]) {
        int *of = joined->shared_of + (size_t)r * parts;
        if (of[entry->part] >= 0) continue;
        of[entry->part] = entry->index;
        noted = true;
    }
    if (noted) return -1;
    if (alone) return found;
    int *of = joined->shared_of + (size_t)joined->shared * parts;
    memcpy(of, joined->shared_of + (size_t)row * parts, parts * sizeof *of);
    of[entry->part] = entry->index;
    next[joined->shared] = -1;
    next[last] = joined->shared++;
    return -1;
}

/* Numbers of the shared names and of the classes. */
static int number_classes(vb_joined *joined, joint *all, int count, const char *const *names, vb_shared_names rule,
                          vb_error *err) {
    vb_vocabularies *v = &joined->vocabularies;
    size_t rows = 0;
    for (int i = 0; i < count; i++) {
        joint *first = all[i].first;
        if (first != &all[i]) rows += !first->others++ || rule == VB_SHARED_DIFFERENT;
    }
    int *next = vb_array(rows, sizeof *next, "shared names", err), status = -1; /* the next row of the same name; -1 */
    joined->shared_of = vb_array(rows * (size_t)joined->parts, sizeof *joined->shared_of, "shared names", err);
    if (!next || !joined->shared_of) goto done;
    for (size_t i = 0; i < rows * (size_t)joined->parts; i++) joined->shared_of[i] = -1;
    for (int i = 0; i < count; i++) {
        joint *entry = &all[i], *first = entry->first;
        bool again = first != entry;
        entry->number = (first->others && rule == VB_SHARED_DROP) ? -1 :
                        again && rule == VB_SHARED_MERGE          ? first->number :
                                                                    v->classes++;
        if (!first->others) continue;
        if (!again) {
            first->others = ++joined->shared; /* from here on the number of its row */
            next[first->others - 1] = -1;
        }
        int other = note_shared(joined, entry, first->others - 1, next, rule != VB_SHARED_DIFFERENT);
        if (other >= 0) {
            vb_errorf(err, VB_EMISMATCH,
                      "'%s': its classes '%s' and '%s' are both of one name with '%s' of another dataset; with shared_names: "
                      "different they may be",
                      names[entry->part], all[i - entry->index + other].class->name, entry->class->name, first->class->name);
            goto done;
        }
        v->duplicates += again && first->part != entry->part;
    }
    status = 0;
done:
    vb_free(next);
    return status;
}

/* A class keeps what one that was merged into it is called. */
static int add_others(vb_class *its, const vb_class *merged, vb_error *err) {
    const char *const names[] = {merged->name, merged->called};
    char **others = vb_array((size_t)its->other_count + 2, sizeof *others, "classes", err);
    for (int i = 0; others && i < its->other_count; i++) others[i] = its->others[i];
    if (!others) return -1;
    vb_free(its->others);
    its->others = others;
    for (int i = 0; i < 2; i++)
        if (names[i] && !(others[its->other_count++] = vb_strdup(names[i], err))) return -1;
    return 0;
}

static int fill_joined(vb_joined *joined, const joint *all, int count, const char *const *names, vb_shared_names rule,
                       vb_error *err) {
    vb_vocabularies *v = &joined->vocabularies;
    v->class = vb_array((size_t)v->classes, sizeof *v->class, "classes", err);
    v->members = vb_array((size_t)count, sizeof *v->members, "classes of vocabularies", err);
    v->duplicate_notes = vb_array((size_t)v->duplicates, sizeof *v->duplicate_notes, "notes on shared names", err);
    joined->part_of = vb_array((size_t)v->classes, sizeof *joined->part_of, "classes", err);
    joined->origin = vb_array((size_t)v->classes, sizeof *joined->origin, "classes", err);
    if (rule == VB_SHARED_SAME) joined->equivalence = vb_array((size_t)v->classes, sizeof *joined->equivalence, "classes", err);
    if (!v->class || !v->members || !v->duplicate_notes || !joined->part_of || !joined->origin ||
        (rule == VB_SHARED_SAME && !joined->equivalence))
        return -1;
    int members = 0, notes = 0, filled = 0;
    for (int i = 0; i < count; i++) {
        const joint *entry = &all[i], *first = entry->first;
        if (first != entry && first->part != entry->part) {
            v->duplicate_notes[notes] =
                vb_format(err, "'%s' in '%s' is also in '%s'", entry->class->name, names[entry->part], names[first->part]);
            if (!v->duplicate_notes[notes++]) return -1;
        }
        joined->class_of[entry->part][entry->index] = entry->number;
        if (entry->number < 0) continue;
        v->members[members++] = entry->number;
        v->offsets[entry->part + 1] = members;
        if (entry->number < filled && add_others(v->class + entry->number, entry->class, err)) return -1;
        if (entry->number < filled) continue; /* merged into an earlier one */
        vb_class *class = &v->class[filled];
        if (!(class->name = vb_strdup(entry->class->name, err))) return -1;
        if (entry->class->id && !(class->id = vb_strdup(entry->class->id, err))) return -1;
        if (entry->class->called && !(class->called = vb_strdup(entry->class->called, err))) return -1;
        joined->part_of[filled] = entry->part;
        joined->origin[filled] = entry->index;
        if (joined->equivalence) joined->equivalence[filled] = first->number;
        filled++;
    }
    for (int p = 0; p < joined->parts; p++)
        if (v->offsets[p + 1] <= v->offsets[p])
            return vb_errorf(err, VB_EMISMATCH, "'%s': no class is left, all its names are shared and dropped", names[p]);
    return 0;
}

int vb_vocabularies_join(vb_joined *joined, const char *name, const vb_vocabularies *const *parts, const char *const *names,
                         int count, vb_shared_names rule, vb_error *err) {
    *joined = (vb_joined){.parts = count};
    vb_vocabularies *v = &joined->vocabularies;
    size_t total = 0, filled = 0;
    int status = -1;
    for (int p = 0; p < count; p++) total += (size_t)parts[p]->classes;
    if (total > INT_MAX / 2) return vb_errorf(err, VB_EUNSUPPORTED, "%zu classes in one expansion", total);
    joint *all = vb_array(total, sizeof *all, "classes", err), **sorted = vb_array(total, sizeof(joint *), "classes", err);
    v->count = count;
    v->name = vb_strdup(name, err);
    v->names = vb_array((size_t)count, sizeof *v->names, "vocabulary names", err);
    v->offsets = vb_array((size_t)count + 1, sizeof *v->offsets, "vocabularies", err);
    joined->class_of = vb_array((size_t)count, sizeof *joined->class_of, "classes", err);
    if (!all || !sorted || !v->name || !v->names || !v->offsets || !joined->class_of) goto done;
    for (int p = 0; p < count; p++) {
        if (!(v->names[p] = vb_strdup(names[p], err))) goto done;
        if (!(joined->class_of[p] = vb_array((size_t)parts[p]->classes, sizeof(int), "classes", err))) goto done;
        for (int c = 0; c < parts[p]->classes; c++, filled++)
            all[filled] = (joint){.class = &parts[p]->class[c], .part = p, .index = c, .first = &all[filled]};
    }
    find_shared(all, (int)total, sorted);
    if (number_classes(joined, all, (int)total, names, rule, err) || fill_joined(joined, all, (int)total, names, rule, err))
        goto done;
    if (index_labels(v, err) || digest(v, err)) goto done;
    status = 0;
done:
    if (status) vb_vocabularies_joined_free(joined);
    vb_free(sorted);
    vb_free(all);
    return status;
}

void vb_vocabularies_joined_free(vb_joined *joined) {
    for (int p = 0; joined->class_of && p < joined->parts; p++) vb_free(joined->class_of[p]);
    vb_free(joined->class_of);
    vb_free(joined->part_of);
    vb_free(joined->origin);
    vb_free(joined->equivalence);
    vb_free(joined->shared_of);
    vb_vocabularies_free(&joined->vocabularies);
    *joined = (vb_joined){0};
}
