/* Facts of the build, the machine and the run. */
#include "mpi/base/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"

/* The Makefile defines the three for this file. */
const char *vb_provenance_version(void) { return VB_VERSION; }
const char *vb_provenance_release_date(void) { return VB_DATE; }
const char *vb_provenance_revision(void) { return VB_GIT; }

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
