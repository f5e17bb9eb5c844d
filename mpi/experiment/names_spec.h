/* A pool of foreign names, as `adversarial` and `open_curve` ask for one: where the names are, and which of them are kept out. */
#ifndef VB_NAMES_SPEC_H
#define VB_NAMES_SPEC_H

#include <stdbool.h>

#include "mpi/experiment/options.h"
#include "shards/text/wordnet.h"

/* Which names are kept out. */
typedef enum vb_exclusion {
    VB_EXCLUDE_AUTO,     /* synonyms where WordNet is there, else names */
    VB_EXCLUDE_RELATED,  /* synonyms, and all that lies above and below a class in WordNet */
    VB_EXCLUDE_SYNONYMS, /* the classes' names and their synonyms */
    VB_EXCLUDE_NAMES,
    VB_EXCLUDE_NONE,
    VB_EXCLUSIONS
} vb_exclusion;

typedef struct vb_names_spec {
    bool asked;   /* for anything that needs the names */
    bool kinship; /* what they are to the classes is asked for: by WordNet, where it is, whatever is kept out */
    char *names;  /* a file, one a line; NULL: WordNet's nouns */
    char *embeddings, *wordnet;
    vb_exclusion exclude;
} vb_names_spec;

/* The words of vb_exclusion, then NULL. */
extern const char *const vb_names_spec_exclusions[];

/* Rows of an option table for a member `pool` of a struct; the row of the file itself is its owner's. */
#define VB_NAMES_SPEC_EMBEDDINGS(type, pool)                                                                                     \
    {                                                                                                                            \
        .key = "embeddings", .kind = VB_OPTION_PATH, .offset = offsetof(type, pool.embeddings),                                  \
        .help = ".npy, a row a line of the names: for precomputed models, which cannot encode them"                              \
    }
#define VB_NAMES_SPEC_EXCLUDE(type, pool)                                                                                        \
    {                                                                                                                            \
        .key = "exclude", .kind = VB_OPTION_CHOICE, .offset = offsetof(type, pool.exclude), .fallback = "auto",                  \
        .choices = vb_names_spec_exclusions,                                                                                     \
        .help = "names kept out: related (what lies above and below the vocabulary's classes in WordNet, and their synonyms), "  \
                "synonyms and names of its classes, its names alone, none; auto: synonyms where WordNet is installed"            \
    }
#define VB_NAMES_SPEC_WORDNET(type, pool)                                                                                        \
    {                                                                                                                            \
        .key = "wordnet", .kind = VB_OPTION_PATH, .offset = offsetof(type, pool.wordnet), .fallback = VB_WORDNET_FOLDER,         \
        .help = "folder of index.noun and data.noun"                                                                             \
    }

#endif
