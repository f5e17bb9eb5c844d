/* WordNet's nouns: lemmas, their synonyms and their depths, from the files index.noun and data.noun (wndb(5WN), WordNet 3.0).
 *
 * Lemmas are compared without regard to case and with spaces for underscores. Immutable once open: threads may share it. */
#ifndef VB_WORDNET_H
#define VB_WORDNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_wordnet vb_wordnet;

/* The folder of Debian's wordnet-base. */
#define VB_WORDNET_FOLDER "/usr/share/wordnet"

/* VB_EMISSING when the folder lacks the files (Debian: wordnet-base); VB_EDATA names file and line of what is no WordNet. */
int vb_wordnet_open(vb_wordnet **wordnet, const char *folder, vb_error *err);
void vb_wordnet_close(vb_wordnet *wordnet); /* NULL is fine */

/* The lemmas, sorted by bytes: lower case, spaces for underscores. */
size_t vb_wordnet_lemmas(const vb_wordnet *wordnet);
const char *vb_wordnet_lemma(const vb_wordnet *wordnet, size_t i); /* valid as long as the WordNet */

/* Least number of steps from the root (entity: 0) to a synset of the lemma's first sense. -1 when no path leads there. */
int vb_wordnet_depth(const vb_wordnet *wordnet, size_t i);
/* Whether the lemma is the first word of one of its synsets. */
bool vb_wordnet_leads(const vb_wordnet *wordnet, size_t i);

/* Marks in same[] (one a lemma) every lemma that shares a synset with `name` (vb_wordnet_fold_name's form; all its
 * senses), and every lemma of the synset `id` (n01440764; NULL or another kind of id: none). */
void vb_wordnet_synonyms(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same);

/* Marks likewise every lemma of the synsets that lie above (hypernyms, up to the root) or below (hyponyms) the synset `id`, or
 * where that is none, those of all senses of `name`; and their own lemmas. VB_EMEMORY. */
int vb_wordnet_relatives(const vb_wordnet *wordnet, const char *name, const char *id, uint8_t *same, vb_error *err);

/* Index of a lemma in vb_wordnet_fold_name's form, -1 when it is none. */
int64_t vb_wordnet_find(const vb_wordnet *wordnet, const char *name);

/* The first word of the synset `id` (n01440764): a lemma, valid as long as the WordNet; NULL for another id. */
const char *vb_wordnet_word_of_id(const vb_wordnet *wordnet, const char *id);

/* The form in which names are compared, as CLIP's tokenizer sees them: canonical composition (NFC), lower case, spaces for
 * underscores. `name` is UTF-8. Free with vb_free. */
char *vb_wordnet_fold_name(const char *name, vb_error *err);

#endif
