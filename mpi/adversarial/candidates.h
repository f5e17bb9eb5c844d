/* Candidate names of adversarial vocabularies: the pool that the experiment names, and who is kept out of it. */
#ifndef VB_CANDIDATES_H
#define VB_CANDIDATES_H

#include "mpi/experiment/adversarial_spec.h"
#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"

/* Lines of the candidates' file, for estimates; 0 when there is none or it cannot be read. Local. */
int64_t vb_candidates_lines(const vb_adversarial_spec *spec);

/* The pool: the file's lines less empty ones and repetitions (names are the same without regard to case, underscores being
 * spaces; the first one stays), sorted by name. */
typedef struct vb_candidates {
    int count;
    vb_class *class; /* names as in the file; no ids */
    int64_t *line;   /* of the file, from 0: the row of its embedding */
    int64_t lines, empty, duplicates;
    vb_digest digest;        /* of the file */
    char **folded;           /* vb_wordnet_fold_name of each */
    int *by_folded;          /* their order */
    vb_wordnet *wordnet;     /* NULL when synonyms are not looked up */
    const char *excluded_by; /* "synonyms", "names" or "none" */
} vb_candidates;

/* VB_EMISMATCH when spec->k exceeds the pool. Local; free also after a failure. */
int vb_candidates_open(vb_candidates *pool, const vb_adversarial_spec *spec, vb_error *err);
void vb_candidates_free(vb_candidates *pool);

/* excluded[c] = 1 for every candidate that is a class of vocabulary v, or a synonym of one. *count of them. Local. */
int vb_candidates_exclude(const vb_candidates *pool, const vb_vocabularies *vocabularies, int v, uint8_t *excluded, int *count,
                          vb_error *err);

#endif
