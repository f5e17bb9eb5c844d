/* The tables of SentencePiece's, Hugging Face's and BERT's tokenizers as one block of bytes without pointers.
 *
 * Sources: google/sentencepiece 0.2.3 sentencepiece_model.proto; huggingface/tokenizers 0.23. */
#ifndef VB_PIECE_TABLES_H
#define VB_PIECE_TABLES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/error.h"
#include "kernels/text/bpe_merge.h"

/* SentencePiece's numbers. Only normal and user-defined pieces come out of texts. */
typedef enum vb_piece_type {
    VB_PIECE_NORMAL = 1,
    VB_PIECE_UNKNOWN = 2,
    VB_PIECE_CONTROL = 3,
    VB_PIECE_USER = 4, /* found in the text before anything else, and not merged */
    VB_PIECE_UNUSED = 5,
    VB_PIECE_BYTE = 6
} vb_piece_type;

typedef enum vb_piece_algorithm {
    VB_PIECES_UNIGRAM, /* the path of highest score */
    VB_PIECES_SCORES,  /* neighbours that make a piece merge, the one of highest score first */
    VB_PIECES_PAIRS,   /* neighbours of a list of merges merge, the first of the list first */
    VB_PIECES_WORDS    /* WordPiece: words, greedily by the longest piece */
} vb_piece_algorithm;

typedef struct vb_listed_piece {
    const char *text; /* UTF-8, `size` bytes */
    size_t size;
    double score;
    int32_t id;
    vb_piece_type type;
} vb_listed_piece;

typedef struct vb_piece_pair {
    const char *left, *right;
    size_t left_size, right_size;
} vb_piece_pair;

/* Steps from a text to what is cut into pieces, in their order. A break (the byte 255) stands between parts that are cut
 * apart. */
typedef enum vb_text_step_kind {
    VB_STEP_SENTENCEPIECE, /* its normalizer: charsmap, white space; flags VB_SP_* */
    VB_STEP_CHARSMAP,      /* "Precompiled" */
    VB_STEP_REPLACE,       /* the text a by b */
    VB_STEP_REPLACE_REGEX, /* what the pattern a finds by b */
    VB_STEP_LOWER,
    VB_STEP_NFC,
    VB_STEP_PREPEND,     /* a, where the text is not empty */
    VB_STEP_STRIP,       /* white space; flags VB_STRIP_* */
    VB_STEP_METASPACE,   /* spaces become a; flags VB_META_* */
    VB_STEP_WORDS,       /* cut at white space, which goes */
    VB_STEP_SPLIT,       /* cut by the text a; flags VB_SPLIT_* */
    VB_STEP_SPLIT_REGEX, /* the same by a pattern */
    VB_STEP_BYTES,       /* each byte becomes a letter of the byte alphabet; VB_BYTES_* */
    VB_STEPS
} vb_text_step_kind;

enum { VB_SP_PREFIX = 1, VB_SP_SQUEEZE = 2, VB_SP_ESCAPE = 4 };
enum { VB_STRIP_LEFT = 1, VB_STRIP_RIGHT = 2 };
enum { VB_META_ALWAYS = 1, VB_META_FIRST = 2, VB_META_SPLIT = 4 };
enum { VB_SPLIT_REMOVED, VB_SPLIT_ISOLATED, VB_SPLIT_WITH_PREVIOUS, VB_SPLIT_WITH_NEXT, VB_SPLIT_WAYS, VB_SPLIT_INVERT = 8 };
enum { VB_BYTES_SPACE = 1, VB_BYTES_WORDS = 2 }; /* a space in front; cut into GPT-2's words first */

typedef struct vb_step_spec {
    vb_text_step_kind kind;
    uint32_t flags;
    const char *a, *b;
    size_t a_size, b_size;
} vb_step_spec;

/* What a tokenizer is made of. Piece i of `pieces` is "piece i" everywhere. */
typedef struct vb_piece_spec {
    vb_piece_algorithm algorithm;
    const vb_listed_piece *pieces;
    size_t count;
    const vb_piece_pair *pairs; /* VB_PIECES_PAIRS: by rank */
    size_t pair_count;
    const uint8_t *charsmap; /* SentencePiece's precompiled_charsmap; size 0: none */
    size_t charsmap_size;
    const vb_step_spec *steps;
    size_t step_count;
    size_t unknown;        /* a piece; SIZE_MAX: none, and what is not known is left out */
    bool byte_fallback;    /* unknown characters become their bytes' pieces */
    bool fuse_unknown;     /* a run of unknown characters is one */
    bool single_precision; /* scores add up so, as in SentencePiece's library; else in double, as in Hugging Face's */
    bool whole_first;      /* VB_PIECES_PAIRS: a part that is a piece as a whole is not merged ("ignore_merges") */
    bool apart;            /* runs of unknown characters end with their part; else a text's parts are one */
    bool keep_case;        /* VB_PIECES_WORDS: neither lower case nor accents stripped */
    uint32_t word_limit;   /* VB_PIECES_WORDS: a word of more characters is unknown */
} vb_piece_spec;

/* The block: this, then the arrays of vb_piece_layout in its order. */
typedef struct vb_piece_tables {
    uint64_t magic, bytes;
    uint32_t algorithm, pieces, slots, merge_slots, steps, units, text_bytes, map_bytes;
    uint32_t longest, longest_user, word_limit; /* bytes; bytes; characters */
    int32_t unknown, size;                      /* piece, -1: none; largest id + 1 */
    uint8_t byte_fallback, fuse_unknown, single_precision, whole_first, apart, keep_case, none[6];
    double lowest; /* of the scores of pieces, in single precision of normal ones */
    int32_t byte_pieces[256];
    uint8_t user_first[32]; /* bits: bytes with which user-defined pieces begin */
} vb_piece_tables;
static_assert(sizeof(vb_piece_tables) == 1144, "cached as it lies in memory");

typedef struct vb_piece_entry {
    uint32_t at, size; /* in the text */
    int32_t id;
    uint32_t type;
} vb_piece_entry;

typedef struct vb_text_step {
    uint32_t kind, flags, a, a_size, b, b_size;
} vb_text_step;

/* Where the arrays lie. */
typedef struct vb_piece_layout {
    const double *scores;          /* pieces */
    const vb_piece_entry *entries; /* pieces */
    const vb_bpe_merge *merges;    /* merge_slots: by left and right, products are pieces */
    const vb_text_step *steps;     /* steps */
    const uint32_t *slots;         /* slots: by text; VB_NO_SYMBOL is free */
    const uint32_t *units;         /* units: the charsmap's double array */
    const char *text;              /* text_bytes: of pieces and steps */
    const char *map;               /* map_bytes: the charsmap's replacements, each with a NUL */
} vb_piece_layout;

vb_piece_layout vb_piece_tables_layout(const vb_piece_tables *tables);

/* A new block. VB_EDATA: texts that are empty, no UTF-8, too long or there twice, scores that are no numbers, a charsmap that is
 * none, no piece at all; VB_EMISMATCH: a byte without its piece, a merge of what is no piece. `name` names the file. NULL after a
 * failure; free with vb_free. */
vb_piece_tables *vb_piece_tables_make(const vb_piece_spec *spec, const char *name, vb_error *err);

/* Whether these bytes are such a block, with every index in it within its bounds. */
bool vb_piece_tables_are_sound(const void *bytes, size_t size);

/* The piece of a text, of any type; -1: none. */
int32_t vb_piece_tables_find(const vb_piece_tables *tables, const char *text, size_t n);

/* The same for the beginnings of a text one after the other: hash them byte by byte, and look. */
#define VB_PIECE_HASH 0xcbf29ce484222325u
static inline uint64_t vb_piece_tables_hash(uint64_t hash, char byte) {
    return (hash ^ (uint8_t)byte) * 0x100000001b3u; /* FNV-1a */
}
static inline int32_t vb_piece_tables_look(const vb_piece_layout *at, uint32_t slots, uint64_t hash, const char *text, size_t n) {
    size_t mask = slots - 1, i = (size_t)((hash ^ hash >> 32) & mask);
    for (; at->slots[i] != VB_NO_SYMBOL; i = (i + 1) & mask) {
        const vb_piece_entry *entry = &at->entries[at->slots[i]];
        if (entry->size == n && !memcmp(at->text + entry->at, text, n)) return (int32_t)at->slots[i];
    }
    return -1;
}

/* The longest user-defined piece with which n bytes begin; -1: none. */
int32_t vb_piece_tables_user(const vb_piece_tables *tables, const vb_piece_layout *at, const char *text, size_t n);

#endif
