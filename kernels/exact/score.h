/* The two scores by which a row is compared with another. */
#ifndef VB_SCORE_H
#define VB_SCORE_H

typedef enum vb_similarity {
    VB_COSINE, /* x . t / (|x| |t|) */
    VB_DOT     /* x . t: texts as they are, unnormalised: the official code's blended prompts */
} vb_similarity;

/* "cosine", "dot": a name for each, as files and command lines have them, then NULL. */
extern const char *const vb_score_names[];

#endif
