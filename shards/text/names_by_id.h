/* Names of classes by their ids: a file a language. Text, "ID<tab>NAME" a line, or a .json object of names.
 *
 *   n01440764<tab>Schleie               {"n01440764": "Schleie", "n01443537": "Goldfisch"}
 *   n01443537<tab>Goldfisch */
#ifndef VB_NAMES_BY_ID_H
#define VB_NAMES_BY_ID_H

#include <stdint.h>

#include "shards/text/vocabularies.h"

typedef struct vb_named_id {
    char *id, *name;
    size_t place; /* line, or item of the object, from 1 */
} vb_named_id;

typedef struct vb_names_by_id {
    size_t count, capacity;
    vb_named_id *items; /* by id, in byte order; each id once */
    vb_digest digest;   /* of ids and names */
} vb_names_by_id;

/* VB_EDATA with file and place: no UTF-8 or UTF-16, a line without a tab or with two, an empty id or name, a control character,
 * an id twice, a value that is no text; VB_EMISSING: none at all. Empty lines count for nothing; blanks around ids and names are
 * dropped. Free with vb_names_by_id_free, also after a failure. */
int vb_names_by_id_read(vb_names_by_id *names, const char *path, vb_error *err);
void vb_names_by_id_free(vb_names_by_id *names); /* {0} is fine */

/* Gives every class the name of its id, or where the vocabulary file has no id of it of its name, as `called`. *unused: names
 * of no class. VB_EMISMATCH names the first class without one and counts them. */
int vb_names_by_id_call(vb_vocabularies *vocabularies, int64_t *unused, const vb_names_by_id *names, const char *path,
                        vb_error *err);

#endif
