/* The program: the start and the end of MPI, and the only exit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "shards/files/json_parse.h"

static int report(const vb_error *err, int ranks) {
    if (ranks > 1) fprintf(stderr, "vocabench: rank %d: %s\n", err->rank < 0 ? 0 : err->rank, err->text);
    else fprintf(stderr, "vocabench: %s\n", err->text);
    return err->code;
}

/* What was printed has arrived, or the reader would take a part for the whole. */
static int flush_output(vb_error *err) {
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return 0;
    return vb_errorf(err, VB_EOUTPUT, "standard output: cannot write: %s", errno ? strerror(errno) : "an error before");
}

static int usage_error(vb_error *err) { return vb_context_is_first_rank() ? report(err, 1) : err->code; }

static int run_command(const vb_arguments *arguments, char **command_line) {
    vb_error err;
    vb_error_clear(&err);
    size_t variables = 0;
    while (environ[variables]) variables++;
    char **environment = vb_array(variables + 1, sizeof *environment, "environment", &err);
    if (!environment) return report(&err, 1);
    memcpy(environment, environ, variables * sizeof *environment);
    int provided;
    /* Open MPI 4.1's UCX component cannot allocate a window across machines over TCP; the others can, on any network. */
    setenv("OMPI_MCA_osc", "^ucx", 0);
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        fprintf(stderr, "vocabench: MPI cannot start\n");
        vb_free(environment);
        return VB_EMPI;
    }
    vb_context_catch_signals();

    vb_context context = {.started = MPI_Wtime(), .environment = environment, .arguments = command_line};
    int code;
    if (vb_comm_open(&context.comm, MPI_COMM_WORLD, &err)) code = report(&err, 2);
    else {
        int status = 0;
        if (vb_fault_setup(getenv("VOCABENCH_FAULT"), context.comm.rank))
            status = vb_errorf(&err, VB_EUSAGE, "VOCABENCH_FAULT='%s': expected site:n:effect[@rank]", getenv("VOCABENCH_FAULT"));
        status = vb_comm_agree(&context.comm, status, &err);
        if (!status) status = arguments->command->run(&context, arguments, &err);
        if (!status) status = flush_output(&err);
        status = vb_comm_agree(&context.comm, status, &err);
        code = status ? err.code : 0;
        if (status && !context.comm.rank) report(&err, context.comm.size);
    }
    vb_comm_close(&context.comm);
    vb_free(environment);
    fflush(stdout);
    MPI_Finalize();
    return code;
}

int main(int argc, char **argv) {
    vb_error err;
    vb_error_clear(&err);
    vb_json_parse_setup();
    const char *name = argc > 1 ? argv[1] : "help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version")) name = "version";
    const vb_command *command = vb_arguments_find_command(vb_cmd_table, name);
    if (!command) {
        vb_arguments_unknown_command(vb_cmd_table, name, &err);
        return usage_error(&err);
    }
    vb_arguments arguments;
    int code = 0;
    if (vb_arguments_parse(&arguments, command, argc > 2 ? argc - 2 : 0, argv + 2, &err)) code = usage_error(&err);
    else if (arguments.help || command->run_local) {
        int status = 0;
        if (!arguments.help) status = command->run_local(vb_cmd_table, &arguments, &err);
        else if (vb_context_is_first_rank()) vb_arguments_help(command);
        if (!status) status = flush_output(&err);
        code = status ? usage_error(&err) : argc > 1 ? 0 : VB_EUSAGE;
    } else code = run_command(&arguments, argv);
    vb_arguments_free(&arguments);
    return code;
}
