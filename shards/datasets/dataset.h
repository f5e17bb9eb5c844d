/* Image datasets of every accepted kind as numbered units of samples: class folders, WebDataset shards, CIFAR binaries.
 *
 * The order of the samples and the cut into units depend on the data alone, never on ranks: sources by path in byte order,
 * samples by name in byte order (CIFAR: record order). A unit never crosses a source file of shards. */
#ifndef VB_DATASET_H
#define VB_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/strings.h"
#include "kernels/image/preprocess.h"
#include "shards/datasets/dataset_types.h"
#include "shards/images/row_sink.h"

/* images: folder (of class folders, of images without labels, or of shards), .tar / .tar.zst (glob) or CIFAR-10/100 binary files
 * (glob). class_names: file with one class name a line that integer labels index, or NULL: names found beside the data
 * (manifest.json, classnames.txt, fine_label_names.txt, batches.meta.txt). Reads the index only, no image.
 *
 * Folders: a sample's label is its first-level folder; deeper folders and links to folders are followed, hidden names passed
 * over, images and class folders side by side are VB_EDATA. WebDataset: the key is the path up to the first dot of its last part;
 * what is named like an image is one; the label is .cls (an integer or a name), else .json's "label", "class", "class_name" or
 * "cls" (the first that is a string or an integer), else there is none: .txt is a caption, never a label. A key that comes again
 * after another one is VB_EDATA. A tar without any image holds no samples; a sample without one among others fails when it is
 * decoded. CIFAR-100's label is the fine one. What a manifest.json of ours says of a shard must hold.
 * VB_EMISSING: nothing there. VB_EDATA, VB_EMISMATCH: file, place, found, expected. VB_EUNSUPPORTED: other kinds of files. */
int vb_dataset_open(vb_dataset **dataset, const char *images, const char *class_names, vb_error *err);

/* Whether an existing path that is no folder is taken for a file of a dataset because of its name and size; what is in it is not
 * looked at. */
bool vb_dataset_recognises(const char *path);

/* The same dataset on another rank, from rank 0's index: one block of bytes that can be sent. Free *bytes with vb_free. */
int vb_dataset_export(const vb_dataset *dataset, void **bytes, size_t *size, vb_error *err);
int vb_dataset_import(vb_dataset **dataset, const void *bytes, size_t size, vb_error *err);
void vb_dataset_close(vb_dataset *dataset); /* NULL is fine */

/* "class folders", "images", "WebDataset", "CIFAR-100 binary", "CIFAR-10 binary": the format's word for it. */
const char *vb_dataset_kind(const vb_dataset *dataset);
int64_t vb_dataset_samples(const vb_dataset *dataset); /* images, and samples whose image is missing */
uint64_t vb_dataset_bytes(const vb_dataset *dataset);  /* that reading everything takes */
int64_t vb_dataset_units(const vb_dataset *dataset);   /* pieces of work: see VB_UNIT_SAMPLES */
/* Files whose names are no images' (folders; hidden ones and those of file managers are not counted), members of no known kind
 * (shards): passed over. Their number, the names of the first 3 at most (valid as long as the dataset), and a line that tells
 * both (free with vb_free). */
int64_t vb_dataset_ignored(const vb_dataset *dataset);
int vb_dataset_ignored_names(const vb_dataset *dataset);
const char *vb_dataset_ignored_name(const vb_dataset *dataset, int i);
char *vb_dataset_ignored_text(const vb_dataset *dataset, vb_error *err);

/* Adds the paths of the shards or files of records, of which there are few and which are read as a whole; folders have none. */
int vb_dataset_shards(const vb_dataset *dataset, vb_strings *paths, vb_error *err);

/* Files that stand open between two reads are closed: the next ones open them anew. No thread may read meanwhile. */
void vb_dataset_close_files(const vb_dataset *dataset);

/* Distinct labels, and whether integers could not be named (then label i is the decimal number and indexes the vocabulary's
 * classes). */
int vb_dataset_labels(const vb_dataset *dataset);
const char *vb_dataset_label(const vb_dataset *dataset, int label); /* valid as long as the dataset */
bool vb_dataset_labels_are_numbers(const vb_dataset *dataset);
/* Whether samples are records, whose names are their numbers. */
bool vb_dataset_records(const vb_dataset *dataset);

vb_unit_range vb_dataset_unit(const vb_dataset *dataset, int64_t unit); /* unit: 0 .. units - 1 */
int64_t vb_dataset_unit_of(const vb_dataset *dataset, int64_t sample);  /* the unit that holds it */
/* No unit of this dataset has more samples. */
int vb_dataset_unit_samples(const vb_dataset *dataset);

/* A digest of (path, identity of the file (shards/files/identity.h), range, label names): equal means the unit's bytes and labels
 * were surely not touched. Cheap. */
int vb_dataset_unit_signature(const vb_dataset *dataset, int64_t unit, vb_digest *signature, vb_error *err);
/* VB_EDATA, naming the files, when the unit's signature is not what it was before the unit was read: the bytes may be half old
 * and half new. */
int vb_dataset_unit_check(const vb_dataset *dataset, int64_t unit, const vb_digest *signature, vb_error *err);

/* Reads a unit's samples. Thread-safe. A truncated archive is VB_EDATA with path and offset. A .tar.zst without a seek table is
 * decompressed from its beginning unless units are asked for in increasing order. Broken images are not noticed here but when
 * they are decoded. */
int vb_dataset_read_unit(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err);
void vb_dataset_unit_free(vb_unit_data *data); /* {0} is fine */

/* The same with the extras of each sample, where the format has captions: VB_UNIT_SAMPLES of them, zeroed by the caller; free
 * with vb_dataset_extras_free either way. */
int vb_dataset_read_unit_extras(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_sample_extra *extras,
                                vb_error *err);
void vb_dataset_extras_free(vb_sample_extra *extras, int count);

/* Names and labels only, without reading image bytes (bytes NULL, size 0); the digest is of those. */
int vb_dataset_read_unit_labels(const vb_dataset *dataset, int64_t unit, vb_unit_data *data, vb_error *err);

/* The captions of a WebDataset unit's samples: key.txt, else "caption" of key.json, else ""; white space at the ends is dropped.
 * `captions` has room for VB_UNIT_SAMPLES; each is a new string (vb_free), NULL where it is not UTF-8, and after a failure.
 * VB_EUNSUPPORTED: other kinds have no captions. */
int vb_dataset_read_captions(const vb_dataset *dataset, int64_t unit, char **captions, vb_error *err);

/* Decodes a sample to pixels (raw planes become RGB). Free image->pixels with vb_free. Errors begin with the sample's name. */
int vb_dataset_sample_decode(const vb_sample *sample, vb_image *image, vb_error *err);
/* The same row by row (shards/images/image.h): image has no pixels. */
int vb_dataset_sample_rows(const vb_sample *sample, const vb_row_sink *sink, vb_image *image, vb_error *err);

#endif
