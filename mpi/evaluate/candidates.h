/* A pool of foreign names: what the experiment names, and who is kept out of it. */
#ifndef VB_CANDIDATES_H
#define VB_CANDIDATES_H

#include "mpi/experiment/names_spec.h"
#include "shards/files/digest.h"
#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"

/* Lines of the names' file, or WordNet's nouns, for estimates; 0 when none are asked for, or they cannot be read. Local. */
int64_t vb_candidates_lines(const vb_names_spec *spec);

/* The pool: the file's lines less empty ones and repetitions (names are the same without regard to case, underscores being
 * spaces; the first one stays), sorted by name; or WordNet's nouns. */
typedef struct vb_candidates {
    int count;
    vb_class *class;    /* names as in the file; no ids */
    int64_t *line;      /* of the file, from 0: the row of its embedding */
    const char *source; /* for messages: the file, or WordNet's folder. Borrowed */
    int64_t lines, empty, duplicates;
    vb_digest digest;        /* of the file, or of the nouns */
    char **folded;           /* vb_wordnet_fold_name of each */
    int *by_folded;          /* their order */
    vb_wordnet *wordnet;     /* NULL when it is not asked for names or relations */
    const char *excluded_by; /* "related", "synonyms", "names" or "none" */
} vb_candidates;

/* Borrows spec's texts. Local; free also after a failure. VB_EMISSING: no names, or no WordNet where it is needed; VB_EMISMATCH:
 * fewer than `least` names, the k of who asks. */
int vb_candidates_open(vb_candidates *pool, const vb_names_spec *spec, int64_t least, vb_error *err);
void vb_candidates_free(vb_candidates *pool);

/* excluded[c] = 1 for every candidate that is a class of vocabulary v, by its name or by what prompts call it, or by the pool's
 * rule a synonym or a relative of one; other entries stay. Local. */
int vb_candidates_exclude(const vb_candidates *pool, const vb_vocabularies *vocabularies, int v, uint8_t *excluded,
                          vb_error *err);

#endif
