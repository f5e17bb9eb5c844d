/* The option tables of the experiment file: every key with its default, bounds, unit, flag and help. All local, constant. */
#ifndef VB_EXPERIMENT_TABLES_H
#define VB_EXPERIMENT_TABLES_H

#include "mpi/experiment/options.h"

const vb_option *vb_experiment_tables_root(void);       /* the file itself; rows with a flag are flags of `run`, too */
const vb_option *vb_experiment_tables_dataset(void);    /* of vb_dataset_spec */
const vb_option *vb_experiment_tables_expansion(void);  /* of vb_dataset_spec too */
const vb_option *vb_experiment_tables_model(void);      /* of vb_model_spec */
const vb_option *vb_experiment_tables_facts(void);      /* of vb_stated_facts: rows of a model; flags of `encode`, too */
const vb_option *vb_experiment_tables_embeddings(void); /* of vb_embeddings_spec: an entry of a model's list `embeddings` */
const vb_option *vb_experiment_tables_coop(void);       /* of vb_model_spec: its `prompts` as a map */

const char *vb_experiment_tables_family_word(int family); /* vb_family_kind as the file has it */

#endif
