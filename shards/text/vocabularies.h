/* Vocabulary files: a map from vocabulary (superclass) to its classes, with class names that occur twice meaning one class.
 *
 *   name: example
 *   vocabularies:
 *     aquatic: [beaver, dolphin]
 *     fish:
 *       - {id: n01440764, name: tench}            # id: the folder or WordNet id that datasets use
 *       - {name: pike, aliases: [Pikes, 7]}       # other labels that data has for it
 *
 * Names are the same when they are equal once underscores are spaces; case counts. Errors (VB_ECONFIG, with the place): unknown
 * keys, nothing in a vocabulary or no vocabulary, empty names, names that begin or end with white space or hold control
 * characters, one name with two ids, one id with two names, an alias that is id, name or alias of another class. */
#ifndef VB_VOCABULARIES_H
#define VB_VOCABULARIES_H

#include <stdbool.h>

#include "shards/files/digest.h"

typedef struct vb_class {
    char *name; /* as in the file; underscores become spaces in prompts */
    char *id;   /* folder name or WordNet id; NULL when the file gives none */
    int alias_count;
    char **aliases; /* other labels that mean it: they take no part in joins */
    char *called;   /* what prompts call it, where a file of names says so (shards/text/names_by_id.h); NULL: by its name */
    int other_count;
    char **others; /* of a join: names, and what prompts call them, of classes that were merged into it */
} vb_class;

static inline const char *vb_vocabularies_called(const vb_class *class) { return class->called ? class->called : class->name; }

typedef struct vb_class_key { /* what a class is called, and its index; the text is the class' */
    const char *text;
    int class;
} vb_class_key;

typedef struct vb_vocabularies {
    char *name;
    int count; /* N vocabularies, in file order */
    char **names;
    int *offsets; /* count + 1: vocabulary v holds members[offsets[v] .. offsets[v+1]-1] */
    int *members; /* class indices; a class once in each vocabulary */
    int classes;  /* distinct classes, in order of first occurrence */
    vb_class *class;
    int duplicates;         /* class names listed again, in the same or another vocabulary */
    char **duplicate_notes; /* one line each: "'rose' in 'OxfordFlowers' (line 12) is also in 'Plants' (line 3)" */
    vb_digest digest;       /* of names, ids, aliases and membership, not of comments or layout */
    vb_class_key *by_name;  /* all names and aliases, and all ids, sorted: what labels are looked up in */
    vb_class_key *by_id;
    int keys, ids; /* of by_name, of by_id */
} vb_vocabularies;

/* Reads a whole file. Free with vb_vocabularies_free, also after a failure (which leaves it empty). */
int vb_vocabularies_read(vb_vocabularies *vocabularies, const char *path, vb_error *err);
void vb_vocabularies_free(vb_vocabularies *vocabularies); /* {0} is fine */

/* Class index of the class of that id; or of that name or alias, where underscores are spaces; -1 when none.
 * vb_vocabularies_find: by id, else by name. Labels of data are resolved by shards/text/label_match.h. Thread-safe. */
int vb_vocabularies_find(const vb_vocabularies *vocabularies, const char *label);
int vb_vocabularies_find_id(const vb_vocabularies *vocabularies, const char *id);
int vb_vocabularies_find_name(const vb_vocabularies *vocabularies, const char *name);

/* NULL for what can be the name of a class, else what is wrong with it: "has control characters", "is empty", ... */
const char *vb_vocabularies_name_fault(const char *name);

/* Whether two names of classes are the same. */
bool vb_vocabularies_same_name(const char *a, const char *b);

/* What classes of one name in several of the joined datasets are. */
typedef enum vb_shared_names {
    VB_SHARED_SAME,      /* one thing with a text in each: neither is wrong for an image of the other */
    VB_SHARED_DIFFERENT, /* different things */
    VB_SHARED_MERGE,     /* one class, in the vocabularies of all of them, with the text of the first */
    VB_SHARED_DROP       /* left out of all of them, and their images with them */
} vb_shared_names;

/* The classes of several vocabulary files as one label space, in which every file is one vocabulary. */
typedef struct vb_joined {
    vb_vocabularies vocabularies; /* classes by part, in the parts' order; duplicate_notes: of the shared names */
    int parts;
    int **class_of; /* parts x the part's classes: index in vocabularies; -1: dropped */
    int *part_of;   /* of every class: the part whose class it is (the first one's, where merged), and which class there */
    int *origin;
    int *equivalence; /* of every class, for vb_label_space; NULL unless VB_SHARED_SAME */
    int shared;       /* names that several parts have; with VB_SHARED_DIFFERENT one more for each further class of a part */
    int *shared_of;   /* shared x parts: the class of that name in the part, -1 where it has none */
} vb_joined;

/* `names`: of the parts, one each. Two classes are of one name when their ids are equal, or one has none and their names are
 * equal (underscores are spaces). VB_EMISMATCH: two classes of one part are of one name with a class of another (by id and by
 * name), unless the rule is VB_SHARED_DIFFERENT, which joins nothing; or a part has no class left. Free with
 * vb_vocabularies_joined_free, also after a failure. */
int vb_vocabularies_join(vb_joined *joined, const char *name, const vb_vocabularies *const *parts, const char *const *names,
                         int count, vb_shared_names rule, vb_error *err);
void vb_vocabularies_joined_free(vb_joined *joined); /* {0} is fine */

#endif
