/* The labels of data, resolved to the classes of a vocabulary file: one rule for every source of labels.
 *
 * A label is, in this order, the id of a class; its name or alias, where underscores are spaces; or a place among the file's
 * classes, counted from 0. Labels are places only when all of the data's are integers and none is an id or a name. An integer is
 * compared as it stands, then as a number: "2.0" is the id 2, and 7 the id "007". */
#ifndef VB_LABEL_MATCH_H
#define VB_LABEL_MATCH_H

#include <stdint.h>

#include "shards/text/vocabularies.h"

typedef enum vb_label_rule {
    VB_LABEL_UNMATCHED,
    VB_LABEL_BY_ID,
    VB_LABEL_BY_NAME,
    VB_LABEL_BY_POSITION,
    VB_LABEL_RULES
} vb_label_rule;

typedef struct vb_label_match {
    int labels;
    int *class_of; /* of every label; -1: of no class */
    uint8_t *rule; /* vb_label_rule of every label */
    int beyond;    /* a label that would be a place beyond the last class, where labels are places; else -1 */
    bool from_one; /* where labels are places: they are 1 to the number of classes */
} vb_label_match;

/* `labels`: the distinct ones. Free with vb_label_match_free, also after a failure. Local. */
int vb_label_match_find(vb_label_match *match, const vb_vocabularies *vocabularies, const char *const *labels, int count,
                        vb_error *err);
void vb_label_match_free(vb_label_match *match); /* {0} is fine */

/* Whether a text is an integer of 0 or more: digits, and perhaps a point and zeros ("7", "007", "7.0"). *value: INT64_MAX when it
 * is larger. */
bool vb_label_match_integer(const char *text, int64_t *value);
/* The class that the text would be by its place: -1 when it is no integer, or beyond the last one. */
int vb_label_match_place(const vb_vocabularies *vocabularies, const char *text);

#endif
