/* Everything about an experiment that can be known before its first image is encoded. */
#ifndef VB_CHECK_H
#define VB_CHECK_H

#include "mpi/experiment/experiment.h"
#include "mpi/plan/findings.h"

/* The machines that a run would get. */
typedef struct vb_check_machine {
    int ranks, ranks_a_node;
    char *const *environment; /* for Slurm's commands */
    bool inputs_alone;        /* look at nothing of the machine: neither the output folder, nor memory and disk */
} vb_check_machine;

/* Opens what a run would open, one thing after another, and prints a finding for each: the output folder (whose it is, whether it
 * can be written, whether the embeddings fit its disk), datasets (labels, classes without images, images that cannot be decoded,
 * of the first, the middle and the last unit), models (weights, the files beside them and what they told, tokenizer), every
 * pair's prompts and precomputed embeddings, corpora and candidates, ranks and memory. A thing that fails is an error among the
 * findings, and what needs it is passed over; -1 only for lack of memory or of MPI. Local, but MPI must have been started. */
int vb_check(const vb_experiment *experiment, const vb_check_machine *machine, vb_findings *findings, vb_error *err);

#endif
