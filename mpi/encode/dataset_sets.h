/* The sets of labels that a dataset's key `labels` names, in the order of its samples. */
#ifndef VB_DATASET_SETS_H
#define VB_DATASET_SETS_H

#include "mpi/encode/class_sets.h"
#include "mpi/experiment/experiment.h"
#include "shards/datasets/dataset.h"

/* Reads spec->labels (shards/text/label_sets.h). A list is in the order of the images' file names without folders, which of
 * ImageNet's validation images is their number, wherever they lie; of records in theirs. An object names images as the dataset
 * does, or by the file's name, with an image's ending or without. Integers index spec->class_names, where it is given.
 * *report and class_images as of vb_class_sets_make, with a note where fewer than half of the images that the data has a label of
 * have it in their set; *digest: of the file. VB_EMISMATCH: another number of images; an image without a set, a set without an
 * image; two images of one name. Local; free sets and report also after a failure. */
int vb_dataset_sets_read(vb_class_sets *sets, vb_label_report *report, int64_t *class_images, vb_digest *digest,
                         const vb_dataset *dataset, const vb_dataset_spec *spec, const vb_vocabularies *vocabularies,
                         vb_error *err);

#endif
