/* What a job asks for: one table, whose rows are keys of site files and flags of `submit`. Local.
 *
 * Site files: /etc/vocabench/site.yaml, then $XDG_CONFIG_HOME/vocabench/site.yaml (~/.config where that is not set). With
 * $VOCABENCH_SITE the files that it names, parted by colons, take their place; "" is none. Later files win over earlier ones, the
 * command line over all; lists are put together. */
#ifndef VB_SITE_H
#define VB_SITE_H

#include "kernels/base/strings.h"
#include "mpi/experiment/experiment_read.h"
#include "mpi/experiment/options.h"

typedef enum vb_site_launcher { VB_SITE_SRUN, VB_SITE_MPIRUN } vb_site_launcher;
typedef enum vb_site_container { VB_SITE_APPTAINER, VB_SITE_SINGULARITY, VB_SITE_CHARLIECLOUD, VB_SITE_SLURM } vb_site_container;
typedef enum vb_site_gpu_request { VB_SITE_GPUS_PER_NODE, VB_SITE_GRES } vb_site_gpu_request;
typedef enum vb_site_by { VB_SITE_BY_MODEL, VB_SITE_BY_PAIR } vb_site_by;

/* Texts that nobody gave are NULL, such numbers VB_OPTION_NONE, such words -1. */
typedef struct vb_site {
    char *partition, *account, *time, *mpi, *setup, *scratch;
    char *container, *container_program, *gpu_type;
    int64_t nodes, ntasks_per_node, cpus_per_task, gpus_per_node, at_once, notice;
    int launcher, container_through, by, gpu_request;
    vb_strings option, run_option, merge_option, container_option;
    vb_strings told; /* a line for every site file that was read: its path and what was taken from it */
} vb_site;

const vb_option *vb_site_options(void);

/* What nobody gave has its default. Flags: keys of the table with their values. VB_ECONFIG for site files, with the place;
 * VB_EUSAGE for flags; VB_EMISSING for a file of $VOCABENCH_SITE. Free with vb_site_free, also after a failure. */
int vb_site_read(vb_site *site, const vb_override *flags, int flag_count, vb_error *err);
void vb_site_free(vb_site *site);

#endif
