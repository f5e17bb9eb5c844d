/* Flags that state what a model's files may leave open: the rows of vb_experiment_tables_facts. */
#ifndef VB_FACT_ARGUMENTS_H
#define VB_FACT_ARGUMENTS_H

#include "mpi/command/arguments.h"
#include "mpi/experiment/experiment.h"

/* Rows of a command's table. */
#define VB_FACT_ARGUMENTS_TOWERS                                                                                                 \
    {.option = "activation"}, {.option = "image_activation"}, {.option = "text_activation"}, {.option = "image_heads"},          \
        {.option = "text_heads"}, {.option = "image_epsilon"}, {.option = "text_epsilon"}, {.option = "text_mask"},              \
        {.option = "text_pooling"}, {                                                                                            \
        .option = "end_token"                                                                                                    \
    }
#define VB_FACT_ARGUMENTS_TEXTS                                                                                                  \
    {.option = "convention"}, {.option = "cleaning"}, { .option = "start_token" }
#define VB_FACT_ARGUMENTS_PIXELS                                                                                                 \
    {.option = "resize"}, {.option = "resize_to"}, {.option = "interpolation"}, {.option = "crop"}, {.option = "mean"}, {        \
        .option = "std"                                                                                                          \
    }

/* What those of them that are in the command's table state, and nothing of the others. VB_EUSAGE for a bad value. Local. */
int vb_fact_arguments_read(vb_stated_facts *stated, const vb_arguments *arguments, vb_error *err);

/* The same of a command with the switch --rgb-first, which is --preprocessing rgb_first, and contradicts openai. */
int vb_fact_arguments_read_pixels(vb_stated_facts *stated, const vb_arguments *arguments, vb_error *err);

/* The value, or the default, of an experiment's integer whose flag is in the command's table. VB_EUSAGE for a bad value. */
int vb_fact_arguments_integer(int64_t *value, const vb_arguments *arguments, const char *key, vb_error *err);

#endif
