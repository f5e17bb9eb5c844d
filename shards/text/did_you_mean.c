/* "Did you mean": the candidate at the smallest Damerau-Levenshtein distance, when that is small for the word's length. */
#include "shards/text/did_you_mean.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 96 };

static int fold_letter(char c) { return c == '-' || c == ' ' ? '_' : tolower((unsigned char)c); }

static int smaller_of(int a, int b) { return a < b ? a : b; }

/* Optimal string alignment: as Damerau-Levenshtein, but no letter is edited twice. Three rows suffice. */
static int distance(const char *a, int a_length, const char *b, int b_length) {
    int rows[3][LONGEST + 1];
    int *older = rows[0], *old = rows[1], *row = rows[2];
    for (int j = 0; j <= b_length; j++) old[j] = j;
    for (int i = 1; i <= a_length; i++) {
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            int same = fold_letter(a[i - 1]) == fold_letter(b[j - 1]);
            row[j] = smaller_of(smaller_of(old[j] + 1, row[j - 1] + 1), old[j - 1] + !same);
            if (i > 1 && j > 1 && fold_letter(a[i - 1]) == fold_letter(b[j - 2]) &&
                fold_letter(a[i - 2]) == fold_letter(b[j - 1]))
                row[j] = smaller_of(row[j], older[j - 2] + 1);
        }
        int *free_row = older;
        older = old;
        old = row;
        row = free_row;
    }
    return old[b_length];
}

const char *vb_did_you_mean(const char *word, const char *const *candidates) {
    const char *best = NULL;
    int best_distance = LONGEST + 1;
    size_t length = strlen(word);
    if (length > LONGEST) return NULL;
    for (const char *const *candidate = candidates; *candidate; candidate++) {
        size_t other = strlen(*candidate);
        if (other > LONGEST) continue;
        int near = (int)(length > other ? length : other) / 3;
        int edits = distance(word, (int)length, *candidate, (int)other);
        if (edits > near || edits >= best_distance) continue;
        best = *candidate;
        best_distance = edits;
    }
    if (best || length < 3) return best;
    for (const char *const *candidate = candidates; *candidate; candidate++) {
        size_t i = 0;
        while (i < length && fold_letter(word[i]) == fold_letter((*candidate)[i])) i++; /* ends at the candidate's NUL, too */
        if (i == length) return *candidate;
    }
    return NULL;
}

const char *vb_did_you_mean_hint(char hint[VB_DID_YOU_MEAN_HINT], const char *word, const char *const *candidates) {
    const char *near = vb_did_you_mean(word, candidates);
    hint[0] = 0;
    if (near) snprintf(hint, VB_DID_YOU_MEAN_HINT, "; did you mean '%s'?", near);
    return hint;
}
