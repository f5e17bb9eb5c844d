/* The texts of classes before they are encoded: filled in, and looked at for what the model cannot tell apart. */
#ifndef VB_CLASS_TEXTS_H
#define VB_CLASS_TEXTS_H

#include "mpi/encode/model.h"
#include "mpi/ranks/comm.h"
#include "shards/text/prompts.h"
#include "shards/text/vocabularies.h"

/* Names to be put into prompts; `source` is the file that messages name. */
typedef struct vb_name_list {
    const char *source;
    int count;
    const vb_class *class;
    const vb_prompts *prompts; /* templates, or */
    const char *coop;          /* a CoOp checkpoint; NULL: templates */
} vb_name_list;

typedef struct vb_class_texts {
    const vb_model *model; /* with its tokenizer */
    const vb_name_list *names;
    int contexts;      /* CoOp's vectors; 0: templates */
    bool own_contexts; /* for every class others: equal texts are then none */
    int prompts;       /* texts a class */
    int threads;
} vb_class_texts;

/* What of the texts a model cannot take as they are. {0}: nothing. */
typedef struct vb_text_faults {
    int64_t texts, cut, cut_classes; /* all of them; those that the context cuts, and how many classes have one */
    int64_t equal;                   /* classes whose texts, or embeddings, are another one's, too */
    char cut_example[256], equal_example[256];
} vb_text_faults;

/* The prompts of the classes from `first` on, n of them in all, prompt by prompt within a class; each a new string, NULL behind a
 * failure. CoOp: "X X X X name.", a placeholder a vector. Local. */
int vb_class_texts_fill(const vb_class_texts *texts, int first, int n, char **out, vb_error *err);

/* Looks at all texts, each rank at its share, before any is encoded: the same faults on every rank. `equal`: whether classes of
 * equal texts are a fault (they are none of a list of candidates). Collective. */
int vb_class_texts_look(const vb_class_texts *texts, bool equal, vb_comm *comm, vb_text_faults *faults, vb_error *err);

/* Classes whose rows have the same digest; of one name, or of one id, they may have, since shared_names has decided on them.
 * Local. */
int vb_class_texts_equal(const vb_digest *digests, int classes, const vb_class *class, vb_text_faults *faults, vb_error *err);

/* VB_EMISMATCH with numbers and the first example for faults that are not allowed; `unsaid`: what is done about them where the
 * experiment says nothing. Local. */
int vb_class_texts_judge(const vb_text_faults *faults, const vb_text_rules *rules, vb_on_fault unsaid, const char *model,
                         const char *source, vb_error *err);

/* As an object of the results, or NULL for none; NULL in `json` too without memory. */
json_t *vb_class_texts_json(vb_json *json, const vb_text_faults *faults);

#endif
