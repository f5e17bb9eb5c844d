/* "Did you mean": the known word that a mistyped one was meant to be. */
#ifndef VB_DID_YOU_MEAN_H
#define VB_DID_YOU_MEAN_H

/* The nearest of the candidates (NULL-terminated; the first of several), or NULL when none is near: for "did you mean".
 * Insertions, deletions, substitutions and swaps of neighbours count (case, '-', '_' and ' ' do not), and up to a third of the
 * length is near; failing that, the first candidate that the word begins, if the word has three letters. */
const char *vb_did_you_mean(const char *word, const char *const *candidates);

enum { VB_DID_YOU_MEAN_HINT = 128 };
/* "; did you mean 'CANDIDATE'?" for the nearest candidate, or "" when none is near: the end of a message. Returns `hint`. */
const char *vb_did_you_mean_hint(char hint[VB_DID_YOU_MEAN_HINT], const char *word, const char *const *candidates);

#endif
