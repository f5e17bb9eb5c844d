/* The folders of the installation. */
#include "mpi/base/install.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"

static char *find_folder(const char *variable, const char *name, vb_error *err) {
    const char *stated = getenv(variable);
    if (stated && *stated) return vb_strdup(stated, err);
    char binary[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", binary, sizeof binary - 1);
    if (n > 0) {
        binary[n] = 0;
        char *slash = strrchr(binary, '/');
        if (slash) *slash = 0;
        static const char *const places[] = {"/../", "/../share/vocabench/"};
        for (int i = 0; i < 2; i++) {
            char *found = vb_format(err, "%s%s%s", binary, places[i], name);
            if (!found || vb_path_is_folder(found)) return found;
            vb_free(found);
        }
    }
    return vb_format(err, "%s/share/vocabench/%s", VB_PREFIX, name);
}

char *vb_install_configs_folder(vb_error *err) { return find_folder("VOCABENCH_CONFIGS", "configs", err); }

char *vb_install_slurm_folder(vb_error *err) { return find_folder("VOCABENCH_SLURM", "slurm", err); }
