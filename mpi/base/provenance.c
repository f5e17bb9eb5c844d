/* Facts of the build, the machine and the run. */
#include "mpi/base/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/base/json.h"
#include "mpi/base/machine.h"
#include "mpi/ranks/calls.h"

/* The Makefile defines the three for this file. */
const char *vb_provenance_version(void) { return VB_VERSION; }
const char *vb_provenance_release_date(void) { return VB_DATE; }
const char *vb_provenance_revision(void) { return VB_GIT; }

/* The largest sum of the shares of one machine's ranks, on every rank. */
static int node_peak(vb_comm *comm, int64_t share, int64_t *largest, vb_error *err) {
    MPI_Comm node;
    *largest = share;
    if (comm->mpi == MPI_COMM_NULL) return 0;
    int code = MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    if (vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Comm_split_type", err), err)) return -1;
    code = vb_calls_allreduce(node, comm->sleeps, largest, 1, MPI_INT64_T, MPI_SUM);
    MPI_Comm_free(&node);
    if (vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Allreduce", err), err)) return -1;
    return vb_comm_max(comm, largest, 1, err);
}

/* UTC, in seconds. */
static void set_time(vb_json *json, json_t *object, const char *key, time_t when) {
    char text[32];
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    vb_json_set_text(json, object, key, text);
}

/* The command line and where it was given, from which the run could be started again. */
static void set_command(vb_json *json, json_t *object, char **arguments) {
    char folder[4096];
    json_t *list = vb_json_set_array(json, object, "command");
    for (; arguments && *arguments; arguments++) vb_json_append(json, list, vb_json_text_value(json, *arguments));
    if (getcwd(folder, sizeof folder)) vb_json_set(json, object, "folder", vb_json_text_value(json, folder));
}

/* Of rank 0's machine. */
static void set_machine(vb_json *json, json_t *object) {
    char text[512];
    vb_machine_processor(text, sizeof text);
    vb_json_set(json, object, "processor", vb_json_text_value(json, text));
    vb_machine_system(text, sizeof text);
    vb_json_set(json, object, "system", vb_json_text_value(json, text));
    vb_json_set_text(json, object, "compiler", vb_machine_compiler());
    vb_json_set(json, object, "libraries", vb_machine_libraries(json));
}

int vb_provenance_run_facts(vb_context *context, int threads, const vb_memory_peak *peak, json_t **facts, vb_error *err) {
    vb_comm *comm = &context->comm;
    const double seconds = vb_live_now() - context->started;
    *facts = NULL;
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int n;
    if (comm->mpi == MPI_COMM_NULL) gethostname(host, sizeof host - 1);
    else MPI_Get_processor_name(host, &n);
    int64_t traffic[2] = {(int64_t)comm->sent, (int64_t)comm->received}, most[3] = {peak->resident, traffic[0], traffic[1]}, node;
    if (vb_comm_sum_to_root(comm, traffic, 2, err) || vb_comm_max(comm, most, 3, err) || node_peak(comm, peak->share, &node, err))
        return -1;
    char device[1024]; /* its names, and what of it differs */
    vb_device_describe(context, device, sizeof device);
    vb_blocks blocks, devices;
    if (vb_comm_gather(comm, host, strlen(host), &blocks, err)) return -1;
    if (vb_comm_gather(comm, device, strlen(device), &devices, err)) {
        vb_comm_blocks_free(&blocks);
        return -1;
    }
    if (comm->rank) return 0;
    vb_json json = {0};
    json_t *hosts = vb_json_array(&json), *device_list = vb_json_array(&json), *object = vb_json_object(&json);
    for (int r = 0; r < blocks.count; r++) vb_json_append_text(&json, hosts, blocks.bytes[r]);
    for (int r = 0; r < devices.count; r++) vb_json_append(&json, device_list, vb_json_text_value(&json, devices.bytes[r]));
    vb_comm_blocks_free(&blocks);
    vb_comm_blocks_free(&devices);
    set_time(&json, object, "started", time(NULL) - (time_t)(seconds + 0.5));
    set_time(&json, object, "finished", time(NULL));
    vb_json_set_real(&json, object, "seconds", seconds);
    set_command(&json, object, context->arguments);
    vb_json_set_text(&json, object, "version", vb_provenance_version());
    vb_json_set_text(&json, object, "revision", vb_provenance_revision());
    vb_json_set_integer(&json, object, "ranks", comm->size);
    vb_json_set_integer(&json, object, "threads", threads);
    vb_json_set_text(&json, object, "isa", vb_isa_name(vb_isa_level()));
    vb_json_set(&json, object, "hosts", hosts);
    vb_json_set(&json, object, "devices", device_list);
    vb_json_set_integer(&json, object, "peak_memory_a_rank", most[0]);
    /* What its ranks share counts once, and may be shared with others; no rank had more than its machine. */
    vb_json_set_integer(&json, object, "peak_memory_a_node", node > most[0] ? node : most[0]);
    set_machine(&json, object);
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
