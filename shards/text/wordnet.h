/* WordNet's nouns: lemmas, their synonyms and their depths, from the files index.noun and data.noun (wndb(5WN), WordNet 3.0).
 *
 * Lemmas are compared without regard to case and with spaces for underscores. Immutable once open: threads may share it. */
#ifndef VB_WORDNET_H
#define VB_WORDNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/files/digest.h"

typedef struct vb_wordnet vb_wordnet;

/* The folder of Debian's wordnet-base. */
#define VB_WORDNET_FOLDER "/usr/share/wordnet"

/* VB_EMISSING when the folder lacks the files (Debian: wordnet-base); VB_EDATA names file and line of what is no WordNet. */
int vb_wordnet_open(vb_wordnet **wordnet, const char *folder, vb_error *err);
void vb_wordnet_close(vb_wordnet *wordnet); /* NULL is fine */

vb_digest vb_wordnet_digest(const vb_wordnet *wordnet); /* of what was read: both files */

/* The lemmas, sorted by bytes: lower case, spaces for underscores. */
size_t vb_wordnet_lemmas(const vb_wordnet *wordnet);
const char *vb_wordnet_lemma(const vb_wordnet *wordnet, size_t i); /* valid as long as the WordNet */

/* Least number of steps from the root (entity: 0) to a synset of the lemma's first sense. -1 when no path leads there. */
int vb_wordnet_depth(const vb_wordnet *wordnet, size_t i);
/* How many synsets the lemma is in. */
int vb_wordnet_senses(const vb_wordnet *wordnet, size_t i);
/* Whether the lemma is the first word of one of its synsets. */
bool vb_wordnet_leads(const vb_wordnet *wordnet, size_t i);

/* Marks in same[] (one a lemma) every lemma that shares a synset with `name` (vb_wordnet_fold_name's form; all its
 * senses), and every lemma of the synset `id` (n01440764; NULL or another kind of id: none). */
void vb_wordnet_synonyms(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same);

/* Marks likewise every lemma of the synsets that lie above (hypernyms, up to the root) or below (hyponyms) the synset `id`, or
 * where that is none, those of all senses of `name`; and their own lemmas. VB_EMEMORY. */
int vb_wordnet_relatives(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same, vb_error *err);

/* The synset `id` (n01440764), or where that is none those of all senses of `name` (folded), and all that lies above them: every
 * synset once, ascending, with the least number of steps along hypernyms that lead to it (0: of the term itself). */
typedef struct vb_wordnet_ancestry {
    size_t count; /* 0: WordNet has neither */
    int *synsets, *steps;
} vb_wordnet_ancestry;

/* Free with vb_wordnet_ancestry_free, also after a failure. Does not need the WordNet any more. VB_EMEMORY. */
int vb_wordnet_ancestry_new(vb_wordnet_ancestry *ancestry, const vb_wordnet *wordnet, const char *name, const char *id,
                            vb_error *err);
void vb_wordnet_ancestry_free(vb_wordnet_ancestry *ancestry); /* a zeroed one is fine */

typedef struct vb_wordnet_path {
    int length;   /* steps up from `from` to a synset above both and down to `to`, the least over all senses and such synsets */
    int up;       /* steps up from `from` that lead to `to`, which is a hypernym then (0: they share a synset) */
    int down;     /* steps down from `from` that lead to `to`, which is a hyponym then */
    bool sisters; /* a synset of each lies right below one and the same synset */
} vb_wordnet_path;

/* Between two terms of one WordNet; -1 for what does not exist. Allocates nothing; costs the sum of the counts, some 30. */
vb_wordnet_path vb_wordnet_path_between(const vb_wordnet_ancestry *from, const vb_wordnet_ancestry *to);

/* What `to` is to `from`: "synonym", "hypernym" (it lies above), "hyponym" (below), "sister" (right below the same synset),
 * "other"; of a hypernym by one sense and a hyponym by another the nearer, and the hypernym when they are as near. NULL when no
 * path leads there. */
const char *vb_wordnet_relation(const vb_wordnet_path *path);

/* Index of a lemma in vb_wordnet_fold_name's form, -1 when it is none. */
int64_t vb_wordnet_find(const vb_wordnet *wordnet, const char *name);

/* The first word of the synset `id` (n01440764): a lemma, valid as long as the WordNet; NULL for another id. */
const char *vb_wordnet_word_of_id(const vb_wordnet *wordnet, const char *id);

/* The form in which names are compared, as CLIP's tokenizer sees them: canonical composition (NFC), lower case, spaces for
 * underscores. `name` is UTF-8. Free with vb_free. */
char *vb_wordnet_fold_name(const char *name, vb_error *err);

#endif
