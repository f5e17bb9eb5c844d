/* Where the files lie that are installed with the program. */
#ifndef VB_INSTALL_H
#define VB_INSTALL_H

#include "kernels/base/error.h"

/* The folder with experiments/, vocabularies/ and prompts/: $VOCABENCH_CONFIGS, else ../configs or ../share/vocabench/configs
 * beside the binary, else the installation's, whether it is there or not. Free with vb_free; NULL without memory. Local. */
char *vb_install_configs_folder(vb_error *err);
/* The folder of the batch script templates, found in the same way: $VOCABENCH_SLURM, ../slurm, ... */
char *vb_install_slurm_folder(vb_error *err);

#endif
