/* What the files beside the weights tell, with the defaults of the libraries that write them: config.json and
 * preprocessor_config.json or processor_config.json (transformers), open_clip_config.json (open_clip). */
#ifndef VB_SIDE_FILES_H
#define VB_SIDE_FILES_H

#include "shards/weights/repository.h"
#include "shards/weights/side_facts.h"

/* Reads what lies in the repository's folder and goes with the names of the tensors (vb_weights.naming): config.json and
 * preprocessor_config.json, or the image processor in processor_config.json where there is one, with Hugging Face's,
 * open_clip_config.json with all others. No such file is no error.
 * VB_EDATA: no JSON, wrong types and values; VB_EUNSUPPORTED: another model_type, a tower or preprocessing that is not computed
 * here. All name file and key. */
int vb_side_files_read(vb_side_facts *facts, const vb_repository *where, const char *naming, vb_error *err);

/* One file's text each, `path` for messages; facts is {0}, or what another file told. Local. */
int vb_side_files_config(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);
int vb_side_files_preprocessor(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);
int vb_side_files_processor(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);
int vb_side_files_open_clip(vb_side_facts *facts, const char *text, size_t n, const char *path, vb_error *err);

#endif
