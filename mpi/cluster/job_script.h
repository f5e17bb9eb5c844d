/* Batch scripts of a job: placeholders with their values, templates filled with them, and sbatch. Local. */
#ifndef VB_JOB_SCRIPT_H
#define VB_JOB_SCRIPT_H

#include <stdint.h>

#include "mpi/base/script.h"

enum { VB_JOB_SCRIPT_SLOTS = 64 };
typedef struct vb_job_script {
    vb_slot slot[VB_JOB_SCRIPT_SLOTS]; /* values are owned */
    int slots;
} vb_job_script; /* {0} is empty */

/* The placeholder's value, in the place of an earlier one. Takes over `value`; NULL is "not given". */
void vb_job_script_set(vb_job_script *script, const char *name, char *value);
/* The same of a text (NULL: not given) as one of vb_script_*_word writes it, and of a number with a unit behind it. */
typedef char *vb_job_script_word(const char *text, const char *what, vb_error *err);
int vb_job_script_set_word(vb_job_script *script, const char *name, const char *text, vb_job_script_word *word, vb_error *err);
int vb_job_script_set_number(vb_job_script *script, const char *name, int64_t value, const char *unit, vb_error *err);
void vb_job_script_free(vb_job_script *script);

/* A template of the folder of templates, filled. Free *text with vb_free. */
int vb_job_script_fill(const vb_job_script *script, const char *name, char **text, vb_error *err);

/* Writes OUTPUT/NAME and submits it, after other jobs where `after` names them as sbatch's afterok takes them. The job's number:
 * *id, free with vb_free. */
int vb_job_script_submit(const char *output, const char *name, const char *text, const char *after, char *const *environment,
                         char **id, vb_error *err);

#endif
