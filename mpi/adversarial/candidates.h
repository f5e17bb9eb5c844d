/* Candidate names of adversarial vocabularies: the experiment's key `adversarial`, the pool it names, and who is kept out of
 * it. */
#ifndef VB_CANDIDATES_H
#define VB_CANDIDATES_H

#include "mpi/experiment/options.h"
#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"

typedef enum vb_adversarial_method { VB_SINGLE, VB_GREEDY, VB_EXACT_SEARCH } vb_adversarial_method;
typedef enum vb_exclusion { VB_EXCLUDE_AUTO, VB_EXCLUDE_SYNONYMS, VB_EXCLUDE_NAMES, VB_EXCLUDE_NONE } vb_exclusion;

typedef struct vb_adversarial_spec {
    char *candidates; /* NULL: nothing was asked for */
    char *embeddings, *wordnet;
    int64_t k, evaluations, memory;
    double seconds;
    int method, exclude; /* vb_adversarial_method, vb_exclusion */
    int target_count;    /* 0: all vocabularies */
    char **targets;
} vb_adversarial_spec;

const vb_option *vb_adversarial_spec_options(void);

/* The key `adversarial` of an experiment's root, in the file `path`; an absent key leaves *spec zeroed. Notes it in
 * `configuration`, paths as written; then resolves them. Free with vb_adversarial_spec_free, also after a failure. Local. */
int vb_adversarial_spec_read(vb_adversarial_spec *spec, const vb_yaml *root, const char *path, json_t *configuration,
                             vb_error *err);
void vb_adversarial_spec_free(vb_adversarial_spec *spec);
const char *vb_adversarial_spec_method_name(int method);

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
