/* The `errors` objects of results. */
#include "mpi/evaluate/errors_json.h"

const char *const vb_errors_json_keys[] = {"acc_c", "acc_e", "acc_s", "top1_all"};

static const char intervals_key[] = "interval", wilson_key[] = "wilson";

static json_t *set_errors(vb_json *json, json_t *errors, const char *key, const double *error) {
    json_t *its = vb_json_set_object(json, errors, key);
    for (int k = 0; k < VB_SPREAD_KINDS; k++) vb_json_set_real(json, its, vb_spread_names[k], error[k]);
    return its;
}

void vb_errors_json_set(vb_json *json, json_t *errors, const char *key, const vb_spread *spread, const double *wilson) {
    json_t *its = set_errors(json, errors, key, spread->error);
    json_t *intervals = vb_json_set_object(json, its, intervals_key);
    for (int k = 0; k < VB_SPREAD_KINDS; k++) {
        const double bounds[] = {spread->low[k], spread->high[k]};
        vb_json_set(json, intervals, vb_spread_names[k], vb_json_real_list(json, bounds, 2));
    }
    if (wilson) vb_json_set(json, intervals, wilson_key, vb_json_real_list(json, wilson, 2));
}

void vb_errors_json_set_class(vb_json *json, json_t *class, const vb_class_errors *errors) {
    json_t *its = vb_json_set_object(json, class, "errors");
    for (int f = VB_ACC_C; f <= VB_ACC_S; f++) {
        json_t *figure = set_errors(json, its, vb_errors_json_keys[f], errors->error[f]);
        if (f == VB_ACC_C)
            vb_json_set(json, vb_json_set_object(json, figure, intervals_key), wilson_key,
                        vb_json_real_list(json, errors->wilson, 2));
    }
}

void vb_errors_json_set_curve(vb_json *json, json_t *errors, const double *points, int count) {
    if (!points) {
        vb_json_set(json, errors, "curve", json_null());
        return;
    }
    json_t *its = vb_json_set_object(json, errors, "curve");
    for (int k = 0; k < VB_SPREAD_KINDS; k++) {
        json_t *list = vb_json_set_array(json, its, vb_spread_names[k]);
        for (int i = 0; i < count; i++) vb_json_append_real(json, list, points[i * VB_SPREAD_KINDS + k]);
    }
}

json_t *vb_errors_json_set_accuracies(vb_json *json, json_t *drawn, json_t *exact, const vb_spread *figures,
                                      const double *wilson) {
    json_t *errors = vb_json_set_object(json, drawn, "errors"),
           *others = exact == drawn ? errors : vb_json_set_object(json, exact, "errors");
    vb_errors_json_set(json, errors, vb_errors_json_keys[VB_ACC_C], &figures[VB_ACC_C], wilson);
    for (int f = VB_ACC_E; f <= VB_ACC_S; f++) vb_errors_json_set(json, others, vb_errors_json_keys[f], &figures[f], NULL);
    return errors;
}
