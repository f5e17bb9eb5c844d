/* `vocabench submit`: an experiment as a batch script for Slurm, with sizes from its plan. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/plan/job_sizes.h"
#include "mpi/base/install.h"
#include "mpi/base/script.h"
#include "mpi/base/spawn.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

const vb_flag vb_cmd_submit_flags[] = {
    {.name = "partition", .kind = VB_FLAG_TEXT, .value = "NAME", .required = true, .help = "Slurm partition"},
    {.name = "nodes",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .required = true,
     .help = "nodes of the job, or of every task of an array",
     .low = 1,
     .high = 1000000},
    {.name = "time",
     .kind = VB_FLAG_TEXT,
     .value = "TIME",
     .required = true,
     .help = "limit, as Slurm writes it: 30, 4:00:00, 1-12"},
    {.name = "ntasks-per-node",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "ranks a node [what cores, memory and work allow]",
     .low = 1,
     .high = 4096},
    {.name = "cpus-per-task",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "cores, and threads, a rank [1]",
     .low = 1,
     .high = 4096},
    {.name = "account", .kind = VB_FLAG_TEXT, .value = "NAME", .help = "Slurm account"},
    {.name = "array", .kind = VB_FLAG_SWITCH, .help = "a job array with a task a model, and a job that merges"},
    {.name = "at-once",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "tasks of an array that run at the same time [all]",
     .low = 1,
     .high = 1000000},
    {.name = "launcher", .kind = VB_FLAG_TEXT, .value = "srun|mpirun", .help = "what starts the ranks [srun]"},
    {.name = "mpi", .kind = VB_FLAG_TEXT, .value = "pmix|pmi2", .help = "how srun starts the ranks [pmix]"},
    {.name = "notice",
     .kind = VB_FLAG_NUMBER,
     .value = "SECONDS",
     .help = "before the limit the ranks are asked to stop [120]",
     .low = 1,
     .high = 65535},
    {.name = "option", .kind = VB_FLAG_LIST, .value = "--name=value", .help = "another #SBATCH line: --option=--qos=long"},
    {.name = "setup",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .help = "shell lines to run before the ranks start: module load ..."},
    {.name = "no-plan", .kind = VB_FLAG_SWITCH, .help = "do not open the data, which are to be seen from the nodes only"},
    {.name = "dry-run", .kind = VB_FLAG_SWITCH, .help = "print the script, write and submit nothing"},
    {.option = "output", .help = "folder of the results, of the script and of its log"},
    {.option = "cache"},
    VB_EXPERIMENT_ARGUMENTS_SET,
    {.option = "batch"},
    {.option = "limit"},
    {.option = "decode_memory"},
    {.option = "ranks_per_model"},
    {.option = "per_image"},
    {.option = "latex"},
    {0},
};

const char vb_cmd_submit_details[] = "The script is written to OUTPUT/EXPERIMENT.sbatch and given to sbatch. Before its limit "
                                     "the job is told to stop, queues itself again and goes on where\n"
                                     "it was. Templates: $VOCABENCH_SLURM, else the program's own (job, array, scan for "
                                     "experiments with retrieval, merge). docs/cluster.md explains.";

enum { NOTICE = 120, TEMPLATE_BYTES = 1 << 20, SLOTS = 32 };

typedef struct submission {
    const vb_context *context;
    const vb_arguments *arguments;
    const vb_experiment *experiment;
    vb_job_sizes sizes;
    char *folder;        /* the current one */
    vb_slot slot[SLOTS]; /* values are owned */
    int slots;
} submission;

static const char *text_of(const submission *job, const char *flag) { return vb_arguments_text(job->arguments, flag); }
static bool given(const submission *job, const char *flag) { return vb_arguments_given(job->arguments, flag); }
static int64_t number_of(const submission *job, const char *flag, int64_t otherwise) {
    return vb_arguments_number(job->arguments, flag, otherwise);
}

/* Takes over the value; NULL is "not given" unless it is due to a failure, which the caller sees in `status`. */
static void set(submission *job, const char *name, char *value) { job->slot[job->slots++] = (vb_slot){name, value}; }

static int set_word(submission *job, const char *name, const char *text, vb_error *err) {
    char *word = text ? vb_script_shell_word(text, name, err) : NULL;
    set(job, name, word);
    return text && !word ? -1 : 0;
}

static int set_number(submission *job, const char *name, int64_t value, const char *unit, vb_error *err) {
    char *text = vb_format(err, "%lld%s", (long long)value, unit);
    set(job, name, text);
    return text ? 0 : -1;
}

/* ---- sizes ---- */

static int choose_sizes(submission *job, vb_error *err) {
    const vb_job_request request = {.partition = text_of(job, "partition"),
                                    .nodes = number_of(job, "nodes", 1),
                                    .cpus = number_of(job, "cpus-per-task", 1),
                                    .tasks = number_of(job, "ntasks-per-node", 0),
                                    .array = given(job, "array"),
                                    .plan = !given(job, "no-plan")};
    return vb_job_sizes_choose(job->experiment, &request, job->context->environment, &job->sizes, err);
}

static int set_sizes(submission *job, vb_error *err) {
    const vb_job_sizes *sizes = &job->sizes;
    char *note = sizes->planned ?
                     vb_format(err, "Planned: %lld units, %lld MB a rank, %lld MB of weights.", (long long)sizes->plan.units,
                               (long long)vb_job_sizes_megabytes(sizes->plan.memory_a_rank),
                               (long long)vb_job_sizes_megabytes(sizes->plan.all_weights)) :
                     vb_format(err, "Not planned.");
    set(job, "SIZES", note);
    if (!note || set_number(job, "NODES", sizes->nodes, "", err) || set_number(job, "TASKS", sizes->tasks, "", err) ||
        set_number(job, "CPUS", sizes->cpus, "", err))
        return -1;
    if (sizes->planned) return set_number(job, "MEMORY", sizes->memory, "M", err);
    set(job, "MEMORY", NULL);
    return 0;
}

/* ---- the other placeholders ---- */

/* What is wrong with the command line is said before the data are opened. */
static int check_flags(const submission *job, vb_error *err) {
    const char *launcher = text_of(job, "launcher"), *mpi = text_of(job, "mpi");
    if (launcher && strcmp(launcher, "mpirun") && strcmp(launcher, "srun"))
        return vb_errorf(err, VB_EUSAGE, "--launcher: expected srun or mpirun, found '%s'", launcher);
    if (mpi && launcher && !strcmp(launcher, "mpirun"))
        return vb_errorf(err, VB_EUSAGE, "--mpi is srun's: it has no meaning with --launcher mpirun");
    if (mpi && strcmp(mpi, "pmix") && strcmp(mpi, "pmi2"))
        return vb_errorf(err, VB_EUSAGE, "--mpi: expected pmix or pmi2, found '%s'", mpi);
    if (given(job, "at-once") && !given(job, "array"))
        return vb_errorf(err, VB_EUSAGE, "--at-once is --array's: it has no meaning alone");
    int64_t notice = number_of(job, "notice", NOTICE), limit;
    if (vb_script_slurm_time(text_of(job, "time"), &limit, err)) return vb_error_prefix(err, "--time");
    if (notice >= limit)
        return vb_errorf(err, VB_EUSAGE, "--notice: expected less than the time limit of %lld s, found %lld s", (long long)limit,
                         (long long)notice);
    /* In Slurm's file names % begins a pattern. */
    if (strpbrk(job->experiment->output, "%\\"))
        return vb_errorf(err, VB_EUSAGE, "%s: the output folder of a job must hold no %% or backslash", job->experiment->output);
    return 0;
}

static int set_launcher(submission *job, vb_error *err) {
    const char *launcher = text_of(job, "launcher"), *mpi = text_of(job, "mpi");
    bool mpirun = launcher && !strcmp(launcher, "mpirun");
    char *launch;
    if (mpirun && job->sizes.cpus > 1)
        launch = vb_format(err, "mpirun -n %lld --map-by slot:PE=%lld", (long long)(job->sizes.nodes * job->sizes.tasks),
                           (long long)job->sizes.cpus);
    else if (mpirun) launch = vb_format(err, "mpirun -n %lld", (long long)(job->sizes.nodes * job->sizes.tasks));
    else /* a rank that ends with 75 before the others is no reason to kill them; a lost one ends the step through PMIx */
        launch = vb_format(err, "srun --mpi=%s --cpus-per-task=%lld --kill-on-bad-exit=0 --wait=60", mpi ? mpi : "pmix",
                           (long long)job->sizes.cpus);
    set(job, "LAUNCH", launch);
    /* Steps get the signal themselves; mpirun's own ranks are children of the script, which passes it on. */
    char *signal = vb_format(err, "%sUSR1@%lld", mpirun ? "B:" : "", (long long)number_of(job, "notice", NOTICE));
    set(job, "SIGNAL", signal);
    return launch && signal ? set_word(job, "TIME", text_of(job, "time"), err) : -1;
}

/* "#SBATCH" lines for --option; none: *lines stays NULL. */
static int option_lines(const submission *job, char **lines, vb_error *err) {
    const char *text;
    for (int i = 0; (text = vb_arguments_list(job->arguments, "option", i)); i++) {
        if (strncmp(text, "--", 2))
            return vb_errorf(err, VB_EUSAGE, "--option: expected an option of sbatch such as --qos=long, found '%s'", text);
        char *word = vb_script_shell_word(text, "option", err),
             *line = word ? vb_format(err, "%s%s#SBATCH %s", *lines ? *lines : "", *lines ? "\n" : "", word) : NULL;
        vb_free(word);
        vb_free(*lines);
        if (!(*lines = line)) return -1;
    }
    return 0;
}

/* Adds --flag and its value to the words for `run`. */
static int pass_on(char **words, const char *flag, const char *value, vb_error *err) {
    char *name = vb_format(err, "--%s", flag), *word = value ? vb_script_shell_word(value, flag, err) : NULL;
    int status = name && (word || !value) ? 0 : -1;
    if (!status && !(*words = vb_script_append_word(*words, name, err))) status = -1;
    if (!status && word && !(*words = vb_script_append_word(*words, word, err))) status = -1;
    vb_free(name);
    vb_free(word);
    return status;
}

/* The command line's settings once more, for `run`. */
static int set_arguments(submission *job, vb_error *err) {
    const vb_arguments *arguments = job->arguments;
    char *words = vb_strdup("", err), *options = NULL;
    const char *text;
    int status = words ? option_lines(job, &options, err) : -1;
    for (int i = 0; !status && (text = vb_arguments_list(arguments, "set", i)); i++) status = pass_on(&words, "set", text, err);
    for (int i = 0; i < arguments->flags.count && !status; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        bool folder = flag->option && (!strcmp(flag->option, "output") || !strcmp(flag->option, "cache")); /* set_paths */
        if (flag->option && !folder && arguments->given[i]) status = pass_on(&words, flag->name, arguments->texts[i], err);
    }
    set(job, "ARGUMENTS", words);
    set(job, "OPTIONS", options);
    return status;
}

static int set_paths(submission *job, vb_error *err) {
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return vb_errorf(err, VB_EINTERNAL, "/proc/self/exe: cannot be read");
    program[n] = 0;
    if (set_word(job, "PROGRAM", program, err) || set_word(job, "FOLDER", job->folder, err)) return -1;
    if (set_word(job, "EXPERIMENT", job->arguments->positional[0], err) ||
        set_word(job, "OUTPUT", job->experiment->output, err) || set_word(job, "CACHE", job->experiment->cache, err) ||
        set_word(job, "NAME", job->experiment->name, err))
        return -1;
    if (set_word(job, "PARTITION", text_of(job, "partition"), err)) return -1;
    return set_word(job, "ACCOUNT", text_of(job, "account"), err);
}

static int set_models(submission *job, vb_error *err) {
    const vb_experiment *experiment = job->experiment;
    char *models = NULL;
    for (int m = 0; m < experiment->model_count; m++) {
        char *word = vb_script_shell_word(experiment->models[m].name, "model", err);
        if (word) models = vb_script_append_word(models, word, err);
        vb_free(word);
        if (!word || !models) return -1;
    }
    set(job, "MODELS", models);
    char *numbers = given(job, "at-once") ?
                        vb_format(err, "0-%d%%%lld", experiment->model_count - 1, (long long)number_of(job, "at-once", 1)) :
                        vb_format(err, "0-%d", experiment->model_count - 1);
    set(job, "TASK_NUMBERS", numbers);
    return numbers ? 0 : -1;
}

static int set_setup(submission *job, vb_error *err) {
    uint8_t *text = NULL;
    size_t n;
    if (given(job, "setup") && vb_file_read_whole(text_of(job, "setup"), TEMPLATE_BYTES, &text, &n, err)) return -1;
    if (text && n && text[n - 1] == '\n') text[n - 1] = 0;
    set(job, "SETUP", (char *)text);
    return 0;
}

/* ---- scripts ---- */

static int fill(const submission *job, const char *name, char **script, vb_error *err) {
    char *folder = vb_install_slurm_folder(err), *path = folder ? vb_format(err, "%s/%s", folder, name) : NULL;
    uint8_t *text = NULL;
    size_t n;
    int status = path ? vb_file_read_whole(path, TEMPLATE_BYTES, &text, &n, err) : -1;
    if (!status) status = vb_script_fill((char *)text, path, job->slot, script, err);
    vb_free(text);
    vb_free(path);
    vb_free(folder);
    return status;
}

static int set_run(submission *job, vb_error *err) {
    char *run;
    if (fill(job, "run.sh", &run, err)) return -1;
    size_t n = strlen(run);
    if (n && run[n - 1] == '\n') run[n - 1] = 0;
    set(job, "RUN", run);
    return 0;
}

/* Writes a script and submits it, after another job when `after` names one. The job's number: *id, to be freed. */
static int submit(const submission *job, const char *name, const char *script, const char *after, char **id, vb_error *err) {
    char *path = vb_format(err, "%s/%s", job->experiment->output, name),
         *dependency = after ? vb_format(err, "--dependency=afterok:%s", after) : NULL;
    int status = path && (dependency || !after) ? 0 : -1;
    if (!status) status = vb_path_make_folders(job->experiment->output, err);
    if (!status) status = vb_writer_write_whole(path, script, strlen(script), err);
    const char *alone[] = {"sbatch", "--parsable", path, NULL},
               *waiting[] = {"sbatch", "--parsable", dependency, "--kill-on-invalid-dep=yes", path, NULL};
    if (!status) status = vb_spawn(after ? waiting : alone, job->context->environment, id, err);
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

static int write_and_submit(const submission *job, vb_error *err) {
    bool array = given(job, "array"), scan = job->experiment->retrieval.given;
    for (int m = 0; m < job->experiment->model_count; m++) scan |= job->experiment->models[m].retrieval.given;
    char *script = NULL, *merge = NULL, *name = NULL, *merge_name = NULL, *id = NULL, *merge_id = NULL;
    int status = fill(job, array ? "array.sbatch" : scan ? "scan.sbatch" : "job.sbatch", &script, err);
    if (!status && array) status = fill(job, "merge.sbatch", &merge, err);
    if (status) goto done;
    if (given(job, "dry-run")) {
        printf("%s", script);
        if (array) printf("\n%s", merge);
        goto done;
    }
    name = vb_format(err, "%s.sbatch", job->experiment->name);
    merge_name = vb_format(err, "%s-merge.sbatch", job->experiment->name);
    status = name && merge_name ? submit(job, name, script, NULL, &id, err) : -1;
    if (!status && array) status = submit(job, merge_name, merge, id, &merge_id, err);
    if (!status) printf("how far it is: vocabench status %s\n", job->experiment->output);
done:
    vb_free(script);
    vb_free(merge);
    vb_free(name);
    vb_free(merge_name);
    vb_free(id);
    vb_free(merge_id);
    return status;
}

static int submit_experiment(submission *job, vb_error *err) {
    char folder[PATH_MAX];
    if (check_flags(job, err)) return -1;
    if (!getcwd(folder, sizeof folder)) return vb_errorf(err, VB_EMISSING, "the current folder cannot be named");
    if (!(job->folder = vb_strdup(folder, err))) return -1;
    if (set_arguments(job, err) || set_paths(job, err) || set_models(job, err) || set_setup(job, err)) return -1;
    if (choose_sizes(job, err) || set_launcher(job, err) || set_sizes(job, err) || set_run(job, err)) return -1;
    return write_and_submit(job, err);
}

int vb_cmd_submit(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_experiment experiment;
    if (context->comm.size > 1)
        return vb_errorf(err, VB_EUSAGE, "submit: expected one rank, found %d: start it without mpirun or srun",
                         context->comm.size);
    if (vb_experiment_arguments_read(&experiment, context, arguments, err)) return -1;
    submission job = {.context = context, .arguments = arguments, .experiment = &experiment};
    int status = submit_experiment(&job, err);
    for (int i = 0; i < job.slots; i++) vb_free((char *)(uintptr_t)job.slot[i].value);
    vb_free(job.folder);
    vb_experiment_free(&experiment);
    return status;
}
