/* Facts of the build, the machine and the run. */
#include "mpi/base/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "mpi/base/json.h"

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
    vb_blocks blocks;
    if (vb_comm_gather(comm, host, strlen(host), &blocks, err)) return -1;
    if (comm->rank) return 0;
    vb_json json = {0};
    json_t *hosts = vb_json_array(&json), *object = vb_json_object(&json);
    for (int r = 0; r < blocks.count; r++) vb_json_append_text(&json, hosts, blocks.bytes[r]);
    vb_comm_blocks_free(&blocks);
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    vb_json_set_text(&json, object, "finished", when);
    vb_json_set_real(&json, object, "seconds", seconds);
    vb_json_set_text(&json, object, "version", vb_provenance_version());
    vb_json_set_text(&json, object, "revision", vb_provenance_revision());
    vb_json_set_integer(&json, object, "ranks", comm->size);
    vb_json_set_integer(&json, object, "threads", threads);
    vb_json_set_text(&json, object, "isa", vb_isa_name(vb_isa_level()));
    vb_json_set(&json, object, "hosts", hosts);
    vb_json_set_integer(&json, object, "peak_memory_a_rank", most[0]);
    vb_json_set_integer(&json, object, "peak_memory_a_node", node);
    json_t *communication = vb_json_set_object(&json, object, "communication");
    vb_json_set_integer(&json, communication, "sent", traffic[0]);
    vb_json_set_integer(&json, communication, "received", traffic[1]);
    vb_json_set_integer(&json, communication, "sent_by_one_rank", most[1]);
    vb_json_set_integer(&json, communication, "received_by_one_rank", most[2]);
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    MPI_Get_library_version(mpi, &n);
    mpi[strcspn(mpi, ",")] = 0;
    vb_json_set_text(&json, object, "mpi", mpi);
    static const char *const slurm[] = {"SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_PARTITION", "SLURM_RESTART_COUNT",
                                        "SLURM_NNODES"};
    for (size_t i = 0; i < sizeof slurm / sizeof *slurm; i++)
        if (getenv(slurm[i])) vb_json_set_text(&json, object, slurm[i], getenv(slurm[i]));
    if (!vb_json_end(&json, "the facts of the run", err)) {
        *facts = object;
        return 0;
    }
    json_decref(object);
    return -1;
}
