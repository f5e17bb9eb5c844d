/* Relative paths: the places where they are looked for, in order. */
#include "mpi/base/resolve.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/strings.h"
#include "mpi/base/install.h"
#include "shards/files/path.h"

static bool is_there(const char *path) {
    vb_error ignored;
    vb_strings found;
    if (vb_path_glob(&found, path, &ignored)) return false;
    vb_strings_free(&found);
    return true;
}

/* The n-th place. NULL without memory. */
static char *place(const char *path, const char *beside, int n, vb_error *err) {
    static const char configs[] = "configs/";
    if (n == 0) return vb_format(err, "%.*s%s", (int)(vb_path_base_name(beside) - beside), beside, path);
    if (n == 1 || strncmp(path, configs, sizeof configs - 1)) return vb_strdup(path, err);
    char *folder = vb_install_configs_folder(err),
         *found = folder ? vb_format(err, "%s/%s", folder, path + sizeof configs - 1) : NULL;
    vb_free(folder);
    return found;
}

char *vb_resolve_place(const char *path, const char *beside, vb_error *err) {
    enum { PLACES = 3 };
    if (path[0] == '/') return vb_strdup(path, err);
    for (int n = 0; n < PLACES; n++) {
        char *candidate = place(path, beside, n, err);
        if (!candidate || is_there(candidate)) return candidate;
        vb_free(candidate);
    }
    return vb_strdup(path, err);
}

char *vb_resolve(const char *written, const char *beside, vb_error *err) {
    char *path = vb_path_expand(written, err), *found = path ? vb_resolve_place(path, beside, err) : NULL;
    vb_free(path);
    return found;
}
