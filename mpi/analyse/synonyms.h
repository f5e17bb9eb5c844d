/* Other names of a dataset's classes, by WordNet: those that mean the class and none of the others. */
#ifndef VB_SYNONYMS_H
#define VB_SYNONYMS_H

#include "shards/text/vocabularies.h"
#include "shards/text/wordnet.h"

typedef struct vb_synonyms {
    vb_class *names; /* of all classes, class by class, in WordNet's order of lemmas; no ids */
    int count;
    int *offsets;      /* class c has names[offsets[c]] .. names[offsets[c + 1] - 1] */
    int ambiguous;     /* classes without an id of WordNet whose name has several senses there: they have none */
    int shared;        /* names left out: they are another class', or another one's synonym too */
    vb_digest wordnet; /* whose names they are */
} vb_synonyms;

/* A class has the lemmas of the synset of its id; without one, of its name's only sense. Names are compared in
 * vb_wordnet_fold_name's form. Local; free also after a failure. */
int vb_synonyms_find(vb_synonyms *synonyms, const vb_wordnet *wordnet, const vb_vocabularies *vocabularies, vb_error *err);
void vb_synonyms_free(vb_synonyms *synonyms);

#endif
