/* Names of text towers of BERT's kind, as rules of weight_names.c. */
#ifndef VB_BERT_NAMES_H
#define VB_BERT_NAMES_H

/* A name in the file and its canonical one; wildcards as weight_names.c has them. NULL: the same name. Lists end with NULLs. */
typedef struct vb_bert_names_rule {
    const char *pattern, *canonical;
} vb_bert_names_rule;

extern const vb_bert_names_rule vb_bert_names_roberta[]; /* open_clip's, behind "text." */
extern const vb_bert_names_rule vb_bert_names_alt[];     /* transformers', behind "text_model." */
extern const vb_bert_names_rule vb_bert_names_bert[];    /* the same */
extern const vb_bert_names_rule vb_bert_names_align[];   /* the same, of ALIGN */
extern const vb_bert_names_rule vb_bert_names_m2m[];     /* open_clip's NLLB, behind "text." */

#define VB_BERT_NAMES_WORDS "embeddings.word_embeddings.weight" /* which tells a tower */

#endif
