/* Facts of the build, the machine and the run. */
#include "mpi/base/provenance.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

#ifndef VB_VERSION /* the Makefile sets all three for this file */
#define VB_VERSION "unknown"
#define VB_GIT "unknown"
#define VB_PREFIX "/usr/local"
#endif

const char *vb_provenance_version(void) { return VB_VERSION; }
const char *vb_provenance_release_date(void) { return VB_DATE; }
const char *vb_provenance_revision(void) { return VB_GIT; }

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
            if (vb_path_is_folder(found)) return found;
        }
    }
    snprintf(found, PATH_MAX, "%s/share/vocabench/%s", VB_PREFIX, name);
    return found;
}

const char *vb_install_configs_folder(void) {
    static char found[PATH_MAX];
    return found[0] ? found : find_folder(found, "VOCABENCH_CONFIGS", "configs");
}

const char *vb_install_slurm_folder(void) {
    static char found[PATH_MAX];
    return found[0] ? found : find_folder(found, "VOCABENCH_SLURM", "slurm");
}

int vb_threads_default(const vb_comm *comm) {
    const char *stated = getenv("OMP_NUM_THREADS");
    if (stated && atoi(stated) > 0) return atoi(stated);
    int threads = comm->own_cores / (comm->sharing > 0 ? comm->sharing : 1);
    return threads > 0 ? threads : 1;
}

int vb_threads_warn(vb_comm *comm, int threads, vb_error *err) {
    static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"};
    /* The most crowded machine speaks: threads a core in thousandths, then what they are. */
    int64_t crowd[3] = {0}, most;
    if (comm->node_size * threads > comm->node_cores) crowd[0] = (int64_t)1000 * comm->node_size * threads / comm->node_cores;
    most = crowd[0];
    if (vb_comm_max(comm, &most, 1, err)) return -1;
    if (most && most == crowd[0]) {
        crowd[1] = comm->node_size;
        crowd[2] = comm->node_cores;
    }
    if (vb_comm_max(comm, crowd + 1, 2, err)) return -1;
    if (comm->rank) return 0;
    if (most)
        fprintf(stderr, "warning: %lld ranks x %d thread%s on the %lld core%s of a machine: they wait for each other\n",
                (long long)crowd[1], threads, threads == 1 ? "" : "s", (long long)crowd[2], crowd[2] == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && atoi(value) > 1)
            fprintf(stderr, "warning: %s=%s: BLAS brings threads of its own beside the %d of each rank; set it to 1\n",
                    variables[i], value, threads);
    }
    return 0;
}

/* ---- memory ---- */

/* The number of kB behind "NAME:" in a file of /proc; -1 when it is not there. */
static int64_t proc_bytes(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? 1024 * strtoll(at + strlen(name), NULL, 10) : -1;
}

void vb_memory_peak_note(vb_memory_peak *peak) {
    char status[4096], rollup[4096];
    vb_file_read_proc("/proc/self/status", status, sizeof status);
    vb_file_read_proc("/proc/self/smaps_rollup", rollup, sizeof rollup);
    int64_t high = proc_bytes(status, "\nVmHWM:"), resident = proc_bytes(status, "\nVmRSS:"),
            shared = proc_bytes(rollup, "\nPss:");
    if (high < 0) return;
    /* Pages mapped by others too are counted in full in the resident set: take out what is not this process's part. */
    int64_t share = shared >= 0 && shared < resident ? high - (resident - shared) : high;
    if (high > peak->resident) peak->resident = high;
    if (share > peak->share) peak->share = share;
    /* The high-water mark begins again, so that the next unit's is its own; where that is not allowed, it stays a bound. */
    vb_writer_write_proc("/proc/self/clear_refs", "5");
}

/* The largest sum of the shares of one machine's ranks, on every rank. */
static int node_peak(vb_comm *comm, int64_t share, int64_t *largest, vb_error *err) {
    MPI_Comm node;
    *largest = 0;
    int code = MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    if (vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Comm_split_type", err), err)) return -1;
    code = MPI_Allreduce(&share, largest, 1, MPI_INT64_T, MPI_SUM, node);
    MPI_Comm_free(&node);
    if (vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Allreduce", err), err)) return -1;
    return vb_comm_max(comm, largest, 1, err);
}

int vb_provenance_run_facts(vb_comm *comm, int threads, double seconds, const vb_memory_peak *peak, json_t **facts,
                            vb_error *err) {
    *facts = NULL;
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int n;
    MPI_Get_processor_name(host, &n);
    int64_t traffic[2] = {(int64_t)comm->sent, (int64_t)comm->received}, most[3] = {peak->resident, traffic[0], traffic[1]}, node;
    if (vb_comm_sum_to_root(comm, traffic, 2, err) || vb_comm_max(comm, most, 3, err) || node_peak(comm, peak->share, &node, err))
        return -1;
    void **blocks;
    size_t *sizes;
    if (vb_comm_gather(comm, host, strlen(host), &blocks, &sizes, err)) return -1;
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
    json_object_set_new(object, "version", json_string(vb_provenance_version()));
    json_object_set_new(object, "revision", json_string(vb_provenance_revision()));
    json_object_set_new(object, "ranks", json_integer(comm->size));
    json_object_set_new(object, "threads", json_integer(threads));
    json_object_set_new(object, "isa", json_string(vb_isa_name(vb_isa_level())));
    json_object_set_new(object, "hosts", hosts);
    json_object_set_new(object, "peak_memory_a_rank", json_integer(most[0]));
    json_object_set_new(object, "peak_memory_a_node", json_integer(node));
    json_object_set_new(object, "communication",
                        json_pack("{s:I, s:I, s:I, s:I}", "sent", (json_int_t)traffic[0], "received", (json_int_t)traffic[1],
                                  "sent_by_one_rank", (json_int_t)most[1], "received_by_one_rank", (json_int_t)most[2]));
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
