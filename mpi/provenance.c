/* Facts of the build, the machine and the run. */
#include "mpi/provenance.h"

#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kernels/isa.h"
#include "kernels/memory.h"
#include "shards/io.h"

#ifndef VB_VERSION /* the Makefile sets all three for this file */
#define VB_VERSION "unknown"
#define VB_GIT "unknown"
#define VB_PREFIX "/usr/local"
#endif

const char *vb_version(void) { return VB_VERSION; }
const char *vb_revision(void) { return VB_GIT; }

static char *find_folder(char found[PATH_MAX], const char *variable, const char *name) {
    const char *stated = getenv(variable);
    if (stated && *stated && strlen(stated) < PATH_MAX) return strcpy(found, stated);
    char binary[PATH_MAX - 64];
    ssize_t n = readlink("/proc/self/exe", binary, sizeof binary - 1);
    if (n > 0) {
        binary[n] = 0;
        char *slash = strrchr(binary, '/');
        if (slash) *slash = 0;
        static const char *const places[] = {"/../", "/../share/vocabench/"};
        for (int i = 0; i < 2; i++) {
            snprintf(found, PATH_MAX, "%s%s%s", binary, places[i], name);
            if (vb_is_folder(found)) return found;
        }
    }
    snprintf(found, PATH_MAX, "%s/share/vocabench/%s", VB_PREFIX, name);
    return found;
}

const char *vb_configs_folder(void) {
    static char found[PATH_MAX];
    return found[0] ? found : find_folder(found, "VOCABENCH_CONFIGS", "configs");
}

const char *vb_slurm_folder(void) {
    static char found[PATH_MAX];
    return found[0] ? found : find_folder(found, "VOCABENCH_SLURM", "slurm");
}

int vb_default_threads(const vb_comm *comm) {
    const char *stated = getenv("OMP_NUM_THREADS");
    if (stated && atoi(stated) > 0) return atoi(stated);
    int threads = omp_get_num_procs() / comm->node_size;
    return threads > 0 ? threads : 1;
}

int64_t vb_peak_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)usage.ru_maxrss * 1024;
}

int vb_run_facts(vb_comm *comm, int threads, double seconds, json_t **facts, vb_error *err) {
    *facts = NULL;
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int n;
    MPI_Get_processor_name(host, &n);
    int64_t peak = vb_peak_memory();
    if (vb_max_everywhere(comm, &peak, 1, err)) return -1;
    void **blocks;
    size_t *sizes;
    if (vb_gather_blocks(comm, host, strlen(host), &blocks, &sizes, err)) return -1;
    if (comm->rank) return 0;
    json_t *hosts = json_array(), *object = json_object();
    for (int r = 0; r < comm->size; r++) {
        json_array_append_new(hosts, json_string(blocks[r]));
        vb_free(blocks[r]);
    }
    vb_free(blocks);
    vb_free(sizes);
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_object_set_new(object, "finished", json_string(when));
    json_object_set_new(object, "seconds", json_real(seconds));
    json_object_set_new(object, "version", json_string(vb_version()));
    json_object_set_new(object, "revision", json_string(vb_revision()));
    json_object_set_new(object, "ranks", json_integer(comm->size));
    json_object_set_new(object, "threads", json_integer(threads));
    json_object_set_new(object, "isa", json_string(vb_isa_name(vb_isa_level())));
    json_object_set_new(object, "hosts", hosts);
    json_object_set_new(object, "peak_memory_a_rank", json_integer(peak));
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    MPI_Get_library_version(mpi, &n);
    mpi[strcspn(mpi, ",")] = 0;
    json_object_set_new(object, "mpi", json_string(mpi));
    static const char *const slurm[] = {"SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_PARTITION", "SLURM_RESTART_COUNT",
                                        "SLURM_NNODES"};
    for (size_t i = 0; i < sizeof slurm / sizeof *slurm; i++)
        if (getenv(slurm[i])) json_object_set_new(object, slurm[i], json_string(getenv(slurm[i])));
    *facts = object;
    return 0;
}
