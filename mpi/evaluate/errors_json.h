/* Standard errors of figures as JSON: {"images": ..., "classes": ..., "vocabularies": ..., "interval": {...}}. */
#ifndef VB_ERRORS_JSON_H
#define VB_ERRORS_JSON_H

#include "kernels/openness/figure_errors.h"
#include "mpi/base/json.h"

/* The keys of the figures in results, by VB_ACC_C .. VB_TOP1_ALL. */
extern const char *const vb_errors_json_keys[VB_FIGURES];

/* Puts the errors of one figure under `key`. wilson: two bounds, NULL for what is no share of images. */
void vb_errors_json_set(vb_json *json, json_t *errors, const char *key, const vb_spread *spread, const double *wilson);

/* Puts `errors` of a class into its object: the three errors of each figure, and Wilson's interval of its Acc-C. */
void vb_errors_json_set_class(vb_json *json, json_t *class, const vb_class_errors *errors);

/* Puts errors of `count` points under `curve`, VB_SPREAD_KINDS numbers each: a list by kind; null for NULL. */
void vb_errors_json_set_curve(vb_json *json, json_t *errors, const double *points, int count);

/* Puts `errors` of Acc-C into `drawn`, and of Acc-E and Acc-S into `exact`, which may be the same object: the one in which the
 * figures stand. figures: VB_ACC_C .. VB_ACC_S. Returns the `errors` of `drawn`. */
json_t *vb_errors_json_set_accuracies(vb_json *json, json_t *drawn, json_t *exact, const vb_spread *figures,
                                      const double *wilson);

#endif
