/* What the readers of an experiment's lists have in common. `experiment` has its path and configuration. All local; errors are
 * VB_ECONFIG with file:line:column unless another is named. */
#ifndef VB_EXPERIMENT_ENTRY_H
#define VB_EXPERIMENT_ENTRY_H

#include "mpi/experiment/experiment.h"

/* The list under a key of the root, with at least one entry; NULL with an error. */
const vb_yaml *vb_experiment_entry_list(const vb_experiment *experiment, const vb_yaml *root, const char *key, vb_error *err);

/* The error "WHATTEXT" at a node. */
int vb_experiment_entry_errorf(const vb_experiment *experiment, const vb_yaml *node, vb_error *err, const char *text,
                               const char *what);

/* A name becomes a file name and a table cell: no leading dot, no slash, no control character, at most 100 bytes. */
int vb_experiment_entry_check_name(const vb_experiment *experiment, const vb_yaml *node, const char *what, const char *text,
                                   vb_error *err);

/* The dataset of that name, not an expansion; -1 when there is none. */
int vb_experiment_entry_find_dataset(const vb_experiment *experiment, const char *name);

/* Adds an entry to a list of the configuration, which carries paths as they were written: where they were found belongs to the
 * machine. A failure shows in experiment->json. The second gives the last one added, borrowed. */
void vb_experiment_entry_note(vb_experiment *experiment, const char *list, const vb_option *table, const void *fields);
json_t *vb_experiment_entry_noted(const vb_experiment *experiment, const char *list);

/* A list of templates, or the name of a file that holds one; and templates as a new JSON list. */
int vb_experiment_entry_templates(const vb_experiment *experiment, vb_prompts *prompts, const vb_yaml *node, vb_error *err);
json_t *vb_experiment_entry_templates_json(vb_json *json, const vb_prompts *prompts);

/* A `retrieval:` map, whose corpus must be one of the experiment's. */
int vb_experiment_entry_retrieval(const vb_experiment *experiment, vb_retrieval_spec *spec, const vb_yaml *node, vb_error *err);

#endif
