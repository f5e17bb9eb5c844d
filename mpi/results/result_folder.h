/* The results of a run, read back: results.json and the files beside it. Local. */
#ifndef VB_RESULT_FOLDER_H
#define VB_RESULT_FOLDER_H

#include "kernels/base/error.h"
#include "mpi/base/json.h"

typedef struct vb_result_folder {
    char *folder, *path; /* of results.json */
    json_t *document;
} vb_result_folder;

/* `given`: the output folder of a run, or its results.json. Checks the schema and that every entry of results[] has what a reader
 * takes for granted: model, dataset, images, vocabularies with names, figures and classes, and a square theft matrix.
 * VB_EMISSING, with what the run's state says where that is there without results; VB_EDATA with the place, VB_EUNSUPPORTED for
 * another schema. Close also after a failure. */
int vb_result_folder_open(vb_result_folder *folder, const char *given, vb_error *err);
void vb_result_folder_close(vb_result_folder *folder);

/* The entry of results[] of a model and a dataset; NULL names take any, when there is one only. VB_EUSAGE lists what there is. */
int vb_result_folder_pick(const vb_result_folder *folder, const char *model, const char *dataset, json_t **entry, vb_error *err);

/* FOLDER/BELOW/MODEL--DATASET with suffix, named as `run` names it. Free with vb_free. */
char *vb_result_folder_file(const vb_result_folder *folder, const char *below, const json_t *entry, const char *suffix,
                            vb_error *err);

#endif
