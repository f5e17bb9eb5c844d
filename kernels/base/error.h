/* Errors as values: one code table, whose numbers are also the exit codes of the program.
 *
 * Every function that can fail returns int: 0 for success, -1 for failure, and then *err says why.
 * The text is one line and names the file, the place in it, what was found and what was expected. */
#ifndef VB_ERROR_H
#define VB_ERROR_H

#include <stdarg.h>

typedef enum vb_code {
    VB_OK = 0,
    VB_EINTERNAL = 1,     /* a bug of this program: please report */
    VB_EUSAGE = 2,        /* command line */
    VB_ECONFIG = 3,       /* experiment, vocabulary or prompt file: syntax, unknown key, bad value */
    VB_EMISSING = 4,      /* a file or folder that does not exist, is empty or cannot be read */
    VB_EDATA = 5,         /* a file whose bytes are wrong: truncated, corrupt, NaN, broken image */
    VB_EMISMATCH = 6,     /* inputs that are fine alone but do not fit each other: shapes, sizes, labels */
    VB_EOUTPUT = 7,       /* output not writable, disk full */
    VB_EMEMORY = 8,       /* out of memory, or over the stated budget */
    VB_EMPI = 9,          /* MPI or a lost rank */
    VB_EUNSUPPORTED = 10, /* a valid input of a kind that is not handled */
    VB_EDEVICE = 11,      /* a device such as a GPU, its driver, or what it computed */
    VB_EINCOMPLETE = 75   /* stopped before the end, nothing lost: run again (sysexits' EX_TEMPFAIL) */
} vb_code;

enum { VB_ERROR_TEXT = 1024 };

typedef struct vb_error {
    int code;                 /* vb_code; VB_OK when nothing happened */
    int rank;                 /* MPI rank where it happened, -1 outside of MPI */
    char text[VB_ERROR_TEXT]; /* one line, no newline */
} vb_error;

/* Records code and text in *err (err may be NULL) and returns -1 always, so that `return vb_errorf(...)` is the idiom.
 * Control characters and bytes that are no UTF-8 are replaced by '?': a file name cannot forge a second line. */
int vb_errorf(vb_error *err, vb_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text of an error on its way up; returns -1 always. A stop (VB_EINCOMPLETE) keeps its text: it is of
 * the whole run, not of the place where it was noticed. */
int vb_error_prefix(vb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void vb_error_clear(vb_error *err); /* no error: VB_OK and an empty text */

/* "input data", "configuration", ...: the table's word for a code; never NULL. */
const char *vb_error_code_name(int code);

/* All codes in ascending order, then -1. */
extern const int vb_error_codes[];

#endif
