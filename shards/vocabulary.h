/* Vocabulary files: a map from vocabulary (superclass) to its classes, with class names that occur twice meaning one class.
 *
 *   name: example
 *   vocabularies:
 *     aquatic: [beaver, dolphin]
 *     fish:
 *       - {id: n01440764, name: tench}    # id: the folder or WordNet id that datasets use
 *
 * Names are the same when they are equal once underscores are spaces; case counts. Errors (VB_ECONFIG, with the place): unknown
 * keys, nothing in a vocabulary or no vocabulary, empty names, names that begin or end with white space or hold control
 * characters, one name with two ids, one id with two names. */
#ifndef VB_VOCABULARY_H
#define VB_VOCABULARY_H

#include <stdbool.h>

#include "shards/digest.h"

typedef struct vb_class {
    char *name; /* as in the file; underscores become spaces in prompts */
    char *id;   /* folder name or WordNet id; NULL when the file gives none */
} vb_class;

typedef struct vb_vocabularies {
    char *name;
    int count;       /* N vocabularies, in file order */
    char **names;
    int *offsets;    /* count + 1: vocabulary v holds members[offsets[v] .. offsets[v+1]-1] */
    int *members;    /* class indices; a class once in each vocabulary */
    int classes;     /* distinct classes, in order of first occurrence */
    vb_class *class;
    int duplicates;  /* class names listed again, in the same or another vocabulary */
    char **duplicate_notes; /* one line each: "'rose' in 'OxfordFlowers' (line 12) is also in 'Plants' (line 3)": the first place */
    vb_digest digest; /* of names, ids and membership, not of comments or layout */
    int *by_name;    /* every class, sorted by name: the index of vb_vocabularies_find */
    int *by_id;      /* the classes with an id, sorted by id */
    int ids;
} vb_vocabularies;

/* Reads a whole file. Free with vb_vocabularies_free, also after a failure (which leaves it empty). */
int vb_vocabularies_read(vb_vocabularies *vocabularies, const char *path, vb_error *err);
void vb_vocabularies_free(vb_vocabularies *vocabularies);

/* Class index of a label as datasets give it: an id, a name, or a name with underscores for spaces (or the reverse); -1 when none.
 * Ids win over names. Thread-safe. */
int vb_vocabularies_find(const vb_vocabularies *vocabularies, const char *label);

#endif
