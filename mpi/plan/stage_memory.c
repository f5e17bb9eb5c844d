/* The largest stage of a pair; each estimates itself. */
#include "mpi/plan/stage_memory.h"

#include "mpi/adversarial/adversarial.h"
#include "mpi/analyse/analyses.h"
#include "mpi/evaluate/evaluate.h"

int64_t vb_stage_memory(const vb_experiment *experiment, const vb_pair_shape *shape) {
    int64_t stages[] = {vb_evaluate_bytes(experiment, shape), vb_analyses_bytes(experiment->analyses, shape),
                        vb_adversarial_bytes(&experiment->adversarial, shape)};
    int64_t most = 0;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i] > most) most = stages[i];
    return most;
}
