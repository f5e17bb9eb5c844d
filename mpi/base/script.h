/* Batch scripts from templates: placeholders, quoting, Slurm's notation of times. All local. */
#ifndef VB_SCRIPT_H
#define VB_SCRIPT_H

#include <stdint.h>

#include "kernels/base/error.h"

/* What a placeholder @NAME@ becomes. A value of NULL means "not given": lines that ask for it are left out. */
typedef struct vb_slot {
    const char *name, *value; /* a table ends with a row without a name */
} vb_slot;

/* The template's text with every @NAME@ (capitals and underscores) replaced. A name that is not in the table is VB_ECONFIG with
 * `path` and line. Values are put in as they are: quote them before. Free *script with vb_free. */
int vb_script_fill(const char *text, const char *path, const vb_slot *slots, char **script, vb_error *err);

/* One word of a shell: as it is when it holds letters, digits and _ @ % + = : , . / - only, else in single quotes. VB_EUSAGE
 * for a newline or another control character, with `what` in the message. Free with vb_free. */
char *vb_script_shell_word(const char *text, const char *what, vb_error *err);
/* The same of an #SBATCH line, where a backslash within quotes is none. */
char *vb_script_sbatch_word(const char *text, const char *what, vb_error *err);
/* A path as a word of a shell for vocabench, which expands ~ and $ in the paths of its command line. */
char *vb_script_path_word(const char *path, const char *what, vb_error *err);
/* Prints "vocabench COMMAND PATH", to be copied into a shell. */
void vb_script_print_command(const char *command, const char *path);

/* `text` with `more` and a space before it. Frees text, also on failure. NULL as text is an empty one. */
char *vb_script_append_word(char *text, const char *more, vb_error *err);

/* Slurm's times in seconds: MINUTES, M:S, H:M:S, DAYS-H, D-H:M, D-H:M:S. VB_EUSAGE for anything else, and for 0. */
int vb_script_slurm_time(const char *text, int64_t *seconds, vb_error *err);

#endif
