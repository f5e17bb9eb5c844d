/* The program: the start and the end of MPI, and the only exit. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/isa.h"
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

/* Those that would else be passed over without a word, or read as nothing. */
static int check_variables(int rank, vb_error *err) {
    const char *fault = getenv("VOCABENCH_FAULT"), *isa = getenv("VOCABENCH_ISA"), *mpi = getenv("VOCABENCH_MPI");
    if (vb_fault_setup(fault, rank))
        return vb_errorf(err, VB_EUSAGE, "VOCABENCH_FAULT='%s': expected site:n:effect[@rank]", fault);
    if (isa && *isa && vb_isa_of_name(isa) == VB_ISA_LEVELS)
        return vb_errorf(err, VB_EUSAGE, "VOCABENCH_ISA='%s': expected scalar, avx2, avx512 or vnni", isa);
    if (mpi && *mpi && strcmp(mpi, "1")) return vb_errorf(err, VB_EUSAGE, "VOCABENCH_MPI='%s': expected 1, or nothing", mpi);
    return 0;
}

/* A thread of MPI fails while MPI ends (mpi/ranks/comm.h): the process ends with its code, as it would have a moment later, and
 * without a word, since all has been done and told. What fails in the main thread fails again. */
static volatile sig_atomic_t last_code;
static void end_with_last_code(int number) {
    if (gettid() != getpid()) _exit(last_code);
    signal(number, SIG_DFL);
}

static int run_command(const vb_arguments *arguments, char **command_line) {
    vb_error err;
    vb_error_clear(&err);
    size_t variables = 0;
    while (environ[variables]) variables++;
    char **environment = vb_array(variables + 1, sizeof *environment, "environment", &err);
    if (!environment) return report(&err, 1);
    memcpy(environment, environ, variables * sizeof *environment);
    const bool alone = !vb_context_is_launched();
    if (!alone && vb_comm_start_mpi(&err)) {
        vb_free(environment);
        return report(&err, 1);
    }
    vb_context_catch_signals(arguments->command->stops);

    vb_context context = {.started = vb_live_now(), .environment = environment, .arguments = command_line};
    int code;
    if (alone ? vb_comm_open_alone(&context.comm, &err) : vb_comm_open(&context.comm, MPI_COMM_WORLD, &err))
        code = report(&err, alone ? 1 : 2);
    else {
        int status = vb_comm_agree(&context.comm, check_variables(context.comm.rank, &err), &err);
        if (!status) status = arguments->command->run(&context, arguments, &err);
        if (!status) status = flush_output(&err);
        status = vb_comm_agree(&context.comm, status, &err);
        code = status ? err.code : 0;
        if (status && !context.comm.rank) report(&err, context.comm.size);
    }
    vb_comm_close(&context.comm);
    vb_free(environment);
    fflush(stdout);
    last_code = code;
    vb_comm_end_mpi(end_with_last_code);
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
