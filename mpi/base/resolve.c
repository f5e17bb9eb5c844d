/* Where the paths of an experiment file lie. */
#include "mpi/base/resolve.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/provenance.h"
#include "shards/files/path.h"

char *vb_resolve(const char *path, const char *beside, vb_error *err) {
    if (path[0] == '/') return vb_strdup(path, err);
    const char *configs = vb_install_configs_folder();
    vb_error ignored;
    for (int i = 0; i < 4; i++) {
        char *candidate = NULL;
        if (i == 0) candidate = vb_format(err, "%.*s%s", (int)(vb_path_base_name(beside) - beside), beside, path);
        else if (i == 1) candidate = vb_strdup(path, err);
        else if (i == 2 && !strncmp(path, "configs/", 8)) candidate = vb_format(err, "%s/%s", configs, path + 8);
        else if (i == 3) return vb_strdup(path, err);
        else continue;
        if (!candidate) return NULL;
        vb_strings found;
        if (!vb_path_glob(&found, candidate, &ignored)) {
            vb_strings_free(&found);
            return candidate;
        }
        vb_free(candidate);
    }
    return NULL;
}
