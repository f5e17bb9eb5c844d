/* Paths and folders: their parts, what lies there, lists and patterns. */
#ifndef VB_PATH_H
#define VB_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/strings.h"

/* ---- the text of a path ---- */

/* "folder/name", with one slash between the two where the folder ends in one already. Free with vb_free; NULL with *err. */
char *vb_path_join(const char *folder, const char *name, vb_error *err);
/* "<folder of path>/name", or the name alone where the path has no folder. Free with vb_free; NULL with *err. */
char *vb_path_beside(const char *path, const char *name, vb_error *err);
/* `path` behind the current folder unless it begins with a slash: links and globs stay as they are. Free with vb_free. */
char *vb_path_absolute(const char *path, vb_error *err);
/* The last part of a path. Points into it. */
const char *vb_path_base_name(const char *path);
bool vb_path_ends_with(const char *text, const char *suffix); /* case counts */
/* A path as people write it: a leading ~ is $HOME, $NAME and ${NAME} are variables of the environment, $$ is a dollar. Never
 * twice on one text. Free with vb_free. NULL with VB_ECONFIG for a variable that is not set or empty, another $, a ~NAME (write
 * ./~NAME for a file of that name). */
char *vb_path_expand(const char *written, vb_error *err);
/* What vb_path_expand makes this path of. Free with vb_free. */
char *vb_path_written(const char *path, vb_error *err);

/* ---- what lies there ---- */

bool vb_path_exists(const char *path);    /* follows links; false also where it may not be looked at */
bool vb_path_is_folder(const char *path); /* the same */

typedef struct vb_path_facts {
    uint64_t size;
    int64_t mtime_ns;
    uint64_t device, inode;
    bool folder, regular;
} vb_path_facts;
int vb_path_stat(const char *path, vb_path_facts *facts, vb_error *err); /* follows links; VB_EMISSING */
bool vb_path_is_same(const char *a, const char *b);                      /* one file, however it is written; false: not there */

/* Bytes that this user may still write to the file system of an existing folder. VB_EMISSING. */
int vb_path_free_space(const char *folder, int64_t *bytes, vb_error *err);

int vb_path_make_folders(const char *path, vb_error *err); /* mkdir -p; VB_EOUTPUT */

/* Entries of a folder except hidden ones (leading dot), names only, in byte order. VB_EMISSING when it cannot be read. Free with
 * vb_strings_free; the list is empty after a failure. */
int vb_path_list_folder(vb_strings *names, const char *folder, vb_error *err);

/* Paths that match a glob (with {a,b} braces and {00000..00041} ranges, no ~), or the path itself when there is one of that name;
 * in byte order. VB_EMISSING when nothing matches, and when a number of a range is missing. Free with vb_strings_free; the list
 * is empty after a failure. */
int vb_path_glob(vb_strings *paths, const char *pattern, vb_error *err);

#endif
