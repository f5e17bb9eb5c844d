/* Templates filled, and given to sbatch. */
#include "mpi/cluster/job_script.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/install.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { TEMPLATE_BYTES = 1 << 20 };

void vb_job_script_set(vb_job_script *script, const char *name, char *value) {
    int i = 0;
    while (i < script->slots && strcmp(script->slot[i].name, name)) i++;
    assert(i < VB_JOB_SCRIPT_SLOTS - 1);
    if (i == script->slots) script->slots++;
    vb_free((char *)(uintptr_t)script->slot[i].value);
    script->slot[i] = (vb_slot){name, value};
}

int vb_job_script_set_word(vb_job_script *script, const char *name, const char *text, vb_job_script_word *word, vb_error *err) {
    char *value = text ? word(text, name, err) : NULL;
    vb_job_script_set(script, name, value);
    return text && !value ? -1 : 0;
}

int vb_job_script_set_number(vb_job_script *script, const char *name, int64_t value, const char *unit, vb_error *err) {
    char *text = vb_format(err, "%lld%s", (long long)value, unit);
    vb_job_script_set(script, name, text);
    return text ? 0 : -1;
}

void vb_job_script_free(vb_job_script *script) {
    for (int i = 0; i < script->slots; i++) vb_free((char *)(uintptr_t)script->slot[i].value);
    *script = (vb_job_script){0};
}

int vb_job_script_fill(const vb_job_script *script, const char *name, char **text, vb_error *err) {
    char *folder = vb_install_slurm_folder(err), *path = folder ? vb_format(err, "%s/%s", folder, name) : NULL;
    uint8_t *bytes = NULL;
    size_t n;
    int status = path ? vb_file_read_whole(path, TEMPLATE_BYTES, &bytes, &n, err) : -1;
    *text = NULL;
    if (!status) status = vb_script_fill((char *)bytes, path, script->slot, text, err);
    vb_free(bytes);
    vb_free(path);
    vb_free(folder);
    return status;
}

int vb_job_script_submit(const char *output, const char *name, const char *text, const char *after, char *const *environment,
                         char **id, vb_error *err) {
    char *path = vb_format(err, "%s/%s", output, name),
         *dependency = after ? vb_format(err, "--dependency=afterok:%s", after) : NULL;
    int status = path && (dependency || !after) ? 0 : -1;
    *id = NULL;
    if (!status) status = vb_path_make_folders(output, err);
    if (!status) status = vb_writer_write_whole(path, text, strlen(text), err);
    const char *alone[] = {"sbatch", "--parsable", path, NULL},
               *waiting[] = {"sbatch", "--parsable", dependency, "--kill-on-invalid-dep=yes", path, NULL};
    if (!status) status = vb_spawn(after ? waiting : alone, environment, id, err);
    if (!status) {
        (*id)[strcspn(*id, ";\n")] = 0; /* NUMBER[;CLUSTER] */
        if (!**id || (*id)[strspn(*id, "0123456789")]) {
            status = vb_errorf(err, VB_EUSAGE, "sbatch: expected the number of a job, found '%s'", *id);
            vb_free(*id);
            *id = NULL;
        } else printf("job %s: %s\n", *id, path);
    }
    vb_free(dependency);
    vb_free(path);
    return status;
}
