/* Adversarial vocabularies of a (model, dataset) pair: which k candidate names take most images from each target vocabulary. */
#ifndef VB_ADVERSARIAL_H
#define VB_ADVERSARIAL_H

#include "mpi/evaluate/candidates.h"
#include "mpi/evaluate/evaluate.h"

/* Adds `adversarial` and `adversarial_pool` to the pair's result (rank 0; NULL elsewhere); docs/analyses.md describes them.
 * Candidates are encoded with the model's prompts, or read for precomputed models; decisions are exact
 * (vb_similarity_judge_pool). Memory a rank: the candidates' embeddings twice, and 8 bytes a candidate for every 64 right images
 * of a target that it has, within spec.memory. Collective. */
int vb_adversarial(vb_context *context, const vb_pair *pair, json_t *result, vb_error *err);

/* Whether it can be made of a model (NULL: precomputed, of `dim` elements) on a dataset, where it is asked for, before anything
 * is encoded. Local. */
int vb_adversarial_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model, int dim,
                         const vb_dataset_state *data, vb_error *err);

/* The vocabulary that is target number `target` of those that spec lists, in the file `path`; -1 with VB_EMISMATCH when there is
 * none of that name. Local. */
int vb_adversarial_target(const vb_adversarial_spec *spec, int target, const vb_vocabularies *vocabularies, const char *path,
                          vb_error *err);

/* Whether vocabulary v leaves as many candidates of the pool as names are asked for; VB_EMISMATCH where too many are excluded.
 * Local. */
int vb_adversarial_check_target(const vb_adversarial_spec *spec, const vb_candidates *pool, const vb_vocabularies *vocabularies,
                                int v, vb_error *err);

/* The bytes that this takes on rank 0 beside the class texts, at most, and its floating-point operations; 0 where nothing is
 * asked for. Local. */
int64_t vb_adversarial_bytes(const vb_adversarial_spec *spec, const vb_pair_shape *shape);
double vb_adversarial_operations(const vb_adversarial_spec *spec, const vb_pair_shape *shape);

#endif
