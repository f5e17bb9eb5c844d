/* Values of the command line put into a YAML tree: --set datasets.0.images=PATH. */
#ifndef VB_YAML_SET_H
#define VB_YAML_SET_H

#include "shards/text/yaml.h"

/* Replaces or adds the value at a dotted path ("datasets.0.images", "seed"); `value` is parsed as YAML, and "" is null. Lists
 * take an index or the `name:` of an item ("models.tiny.weights"); keys and names may hold dots themselves, the longest that fits
 * is taken. Missing maps on the way are created, lists never grow. On failure the tree is as before. */
int vb_yaml_set(vb_yaml *root, const char *path, const char *value, vb_error *err);
/* The same with a text, whatever it would be as YAML ("null", "run #1"). VB_ECONFIG when it is no UTF-8. */
int vb_yaml_set_text(vb_yaml *root, const char *path, const char *text, vb_error *err);

#endif
