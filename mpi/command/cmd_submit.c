/* `vocabench submit`: an experiment as a batch script for Slurm, with sizes from its plan. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/base/strbuf.h"
#include "mpi/cluster/job_script.h"
#include "mpi/cluster/job_tasks.h"
#include "mpi/cluster/site.h"
#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/plan/job_sizes.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

const vb_flag vb_cmd_submit_flags[] = {
    {.job = "partition"},
    {.job = "nodes"},
    {.job = "time"},
    {.job = "ntasks_per_node"},
    {.job = "cpus_per_task"},
    {.job = "gpus_per_node"},
    {.job = "gpu_type"},
    {.job = "gpu_request"},
    {.job = "account"},
    {.name = "array", .kind = VB_FLAG_SWITCH, .help = "a job array with a task a model, and a job that merges"},
    {.job = "by"},
    {.job = "at_once"},
    {.name = "retry-failed",
     .kind = VB_FLAG_SWITCH,
     .help = "of an array that was submitted, the tasks that have not ended well, and the job that merges"},
    {.job = "launcher"},
    {.job = "mpi"},
    {.job = "notice"},
    {.job = "option"},
    {.job = "run_option"},
    {.job = "merge_option"},
    {.job = "setup"},
    {.job = "scratch"},
    {.job = "container"},
    {.job = "container_through"},
    {.job = "container_program"},
    {.job = "container_option"},
    {.name = "no-plan", .kind = VB_FLAG_SWITCH, .help = "do not open the data, which are to be seen from the nodes only"},
    {.name = "dry-run", .kind = VB_FLAG_SWITCH, .help = "print the script, write and submit nothing; needs no Slurm"},
    {.option = "output", .help = "folder of the results, of the script and of its log"},
    {.option = "cache"},
    VB_EXPERIMENT_ARGUMENTS_SET,
    {.option = "batch"},
    {.option = "limit"},
    {.option = "decode_memory"},
    {.option = "device"},
    {.option = "device_check"},
    {.option = "ranks_per_model"},
    {.option = "per_image"},
    {.option = "latex"},
    {0},
};

const char vb_cmd_submit_details[] = "The script is written to OUTPUT/EXPERIMENT.sbatch and given to sbatch. Before its limit "
                                     "the job is told to stop, queues itself again and goes on where\n"
                                     "it was. What the flags from --partition to --container-option say may stand in a site "
                                     "file, ~/.config/vocabench/site.yaml or /etc/vocabench/site.yaml ($VOCABENCH_SITE\n"
                                     "names others), as keys with _ for -; the command line wins, and what was used is shown. "
                                     "Partition, nodes and time must be said somewhere.\n"
                                     "Templates: $VOCABENCH_SLURM, else the program's own (job, array, merge). docs/cluster.md "
                                     "explains.";

enum { NOTICE = 120, SETUP_BYTES = 1 << 20 };

typedef struct submission {
    const vb_context *context;
    const vb_arguments *arguments;
    const vb_experiment *experiment;
    vb_site site;
    vb_job_sizes sizes;
    vb_job_tasks tasks; /* of an array */
    int64_t gpus;       /* a node; 0: none */
    const char *device; /* that the script says; NULL: nothing */
    bool scan;          /* some model's retrieval scans a corpus */
    char *folder;       /* the current one */
    vb_job_script script;
} submission;

static bool given(const submission *job, const char *flag) { return vb_arguments_given(job->arguments, flag); }
static int64_t number_or(int64_t value, int64_t otherwise) { return value == VB_OPTION_NONE ? otherwise : value; }

/* Takes over the value; NULL is "not given" unless it is due to a failure, which the caller sees in `status`. */
static void set(submission *job, const char *name, char *value) { vb_job_script_set(&job->script, name, value); }
/* A word of an #SBATCH line, and a path for the program. */
static int set_word(submission *job, const char *name, const char *text, vb_error *err) {
    return vb_job_script_set_word(&job->script, name, text, vb_script_sbatch_word, err);
}
static int set_path(submission *job, const char *name, const char *path, vb_error *err) {
    return vb_job_script_set_word(&job->script, name, path, vb_script_path_word, err);
}
static int set_number(submission *job, const char *name, int64_t value, const char *unit, vb_error *err) {
    return vb_job_script_set_number(&job->script, name, value, unit, err);
}

/* ---- what is asked for ---- */

static int read_site(submission *job, vb_error *err) {
    const vb_arguments *arguments = job->arguments;
    vb_override flags[2 * VB_ARGUMENTS_FLAGS];
    int count = 0;
    for (int i = 0; i < arguments->flags.count; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        const char *text;
        if (!flag->job || !arguments->given[i]) continue;
        if (flag->kind != VB_FLAG_LIST) flags[count++] = (vb_override){.path = flag->job, .value = arguments->texts[i]};
        else
            for (int k = 0; (text = vb_arguments_list(arguments, flag->name, k)); k++)
                flags[count++] = (vb_override){.path = flag->job, .value = text};
    }
    if (vb_site_read(&job->site, flags, count, err)) return -1;
    vb_strbuf told = {0};
    for (size_t i = 0; i < job->site.told.count; i++) {
        fprintf(stderr, "vocabench: %s\n", job->site.told.items[i]);
        vb_strbuf_format(&told, "%s%s", i ? "; " : "", job->site.told.items[i]);
    }
    const int status = job->site.told.count ? vb_strbuf_end(&told, "site files", err) : 0;
    if (status) vb_strbuf_free(&told);
    set(job, "FROM", told.bytes);
    return status;
}

static int check_required(const vb_site *site, vb_error *err) {
    const struct {
        const char *flag;
        bool there;
    } needed[] = {{"partition NAME", site->partition}, {"nodes N", site->nodes != VB_OPTION_NONE}, {"time TIME", site->time}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].there)
            return vb_errorf(err, VB_EUSAGE, "submit: --%s is missing, and no site file has it; see 'vocabench help submit'",
                             needed[i].flag);
    return 0;
}

static int check_container(const submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    if (!site->container && (given(job, "container-option") || given(job, "container-program"))) /* a site file's may wait */
        return vb_errorf(err, VB_EUSAGE, "--container-option and --container-program have no meaning without --container");
    if (!site->container) return 0;
    if (site->container_through == VB_SITE_SLURM && site->launcher == VB_SITE_MPIRUN)
        return vb_errorf(err, VB_EUSAGE, "--container-through slurm is srun's: it has no meaning with --launcher mpirun");
    if (site->container_through == VB_SITE_SLURM && site->container_option.count)
        return vb_errorf(
            err, VB_EUSAGE,
            "--container-option is of apptainer, singularity and charliecloud: Slurm's own containers take --option");
    if (given(job, "no-plan") || strstr(site->container, "://") || vb_path_exists(site->container)) return 0;
    return vb_errorf(err, VB_EMISSING,
                     "--container: %s: no such image; an address has ://, and with --no-plan it is not looked for",
                     site->container);
}

/* What is wrong with the command line is said before the data are opened. */
static int check_flags(const submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    if (check_required(site, err)) return -1;
    if (site->mpi && site->launcher == VB_SITE_MPIRUN && given(job, "mpi"))
        return vb_errorf(err, VB_EUSAGE, "--mpi is srun's: it has no meaning with --launcher mpirun");
    if (site->mpi && site->mpi[strspn(site->mpi, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")])
        return vb_errorf(err, VB_EUSAGE, "--mpi: expected a name as srun --mpi=list shows them, found '%s'", site->mpi);
    static const char *const of_arrays[] = {"at-once", "by", "retry-failed"};
    for (size_t i = 0; i < sizeof of_arrays / sizeof *of_arrays; i++)
        if (given(job, of_arrays[i]) && !given(job, "array"))
            return vb_errorf(err, VB_EUSAGE, "--%s is --array's: it has no meaning alone", of_arrays[i]);
    if (given(job, "merge-option") && !given(job, "array"))
        return vb_errorf(err, VB_EUSAGE, "--merge-option is --array's: no other job merges");
    int64_t notice = number_or(site->notice, NOTICE), limit;
    if (vb_script_slurm_time(site->time, &limit, err)) return vb_error_prefix(err, "--time");
    if (notice >= limit)
        return vb_errorf(err, VB_EUSAGE, "--notice: expected less than the time limit of %lld s, found %lld s", (long long)limit,
                         (long long)notice);
    /* In Slurm's file names % begins a pattern. */
    if (strpbrk(job->experiment->output, "%\\"))
        return vb_errorf(err, VB_EUSAGE, "%s: the output folder of a job must hold no %% or backslash", job->experiment->output);
    return check_container(job, err);
}

/* ---- GPUs ---- */

/* A job that asks for GPUs computes on them, whatever the experiment says, unless the command line says --device. */
static int choose_gpus(submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    const bool processors = job->experiment->device == VB_DEVICE_CPU;
    job->gpus = number_or(site->gpus_per_node, 0);
    set(job, "GPUS", NULL);
    if (!job->gpus) {
        if (site->gpu_type && given(job, "gpu-type")) return vb_errorf(err, VB_EUSAGE, "--gpu-type is --gpus-per-node's");
        if (job->experiment->device == VB_DEVICE_GPU)
            fprintf(stderr, "vocabench: note: device: gpu, and no GPUs are asked for: --gpus-per-node N does\n");
        return 0;
    }
    if (processors && given(job, "device")) {
        if (given(job, "gpus-per-node"))
            return vb_errorf(err, VB_EUSAGE, "--gpus-per-node and --device cpu: GPUs that nothing would compute on");
        job->gpus = 0;
        fprintf(stderr, "vocabench: note: --device cpu: the site file's GPUs are not asked for\n");
        return 0;
    }
    job->device = processors ? "gpu" : NULL;
    char *text = vb_format(err, "--%s%s%s%lld", site->gpu_request == VB_SITE_GRES ? "gres=gpu:" : "gpus-per-node=",
                           site->gpu_type ? site->gpu_type : "", site->gpu_type ? ":" : "", (long long)job->gpus);
    int status = text ? set_word(job, "GPUS", text, err) : -1;
    vb_free(text);
    return status;
}

/* ---- sizes ---- */

/* More ranks than GPUs are fine, and bring nothing that threads do not (mpi/base/device_lending.h). */
static void note_ranks_of_gpus(const submission *job) {
    const vb_job_sizes *sizes = &job->sizes;
    if (!job->gpus || sizes->tasks <= job->gpus) return;
    fprintf(stderr,
            "vocabench: note: %lld ranks for the %lld GPU%s of a node: of those of a group that share one, one computes and the "
            "others lend it their cores; --ntasks-per-node %lld --cpus-per-task %lld does the same with fewer\n",
            (long long)sizes->tasks, (long long)job->gpus, job->gpus == 1 ? "" : "s", (long long)job->gpus,
            (long long)(sizes->tasks * sizes->cpus / job->gpus));
}

static int choose_sizes(submission *job, vb_error *err) {
    vb_experiment planned = *job->experiment; /* of the job, which has a device where it asks for GPUs */
    if (job->device) planned.device = VB_DEVICE_GPU;
    const vb_job_request request = {.partition = job->site.partition,
                                    .nodes = job->site.nodes,
                                    .cpus = number_or(job->site.cpus_per_task, 0),
                                    .tasks = number_or(job->site.ntasks_per_node, 0),
                                    .gpus = job->gpus,
                                    .array = given(job, "array"),
                                    .plan = !given(job, "no-plan"),
                                    .guess = given(job, "dry-run")};
    if (vb_job_sizes_choose(&planned, &request, job->context->environment, &job->sizes, err)) return -1;
    note_ranks_of_gpus(job);
    return 0;
}

/* The scan of a corpus is bound by disk and memory, not by arithmetic: what is read once stays in the page cache of a node that
 * is the job's alone. */
static int set_sizes(submission *job, vb_error *err) {
    const vb_job_sizes *sizes = &job->sizes;
    vb_strbuf note = {0};
    if (sizes->planned)
        vb_strbuf_format(&note, "Planned: %lld units, %lld MB a rank, %lld MB of weights.", (long long)sizes->plan.units,
                         (long long)vb_job_sizes_megabytes(sizes->plan.memory_a_rank),
                         (long long)vb_job_sizes_megabytes(sizes->plan.all_weights));
    else vb_strbuf_add(&note, "Not planned.");
    if (job->scan) vb_strbuf_add(&note, " Whole nodes: a scan is bound by disk and memory.");
    if (vb_strbuf_end(&note, "script", err)) vb_strbuf_free(&note);
    set(job, "SIZES", note.bytes);
    char *guessed =
        sizes->guessed ? vb_strdup("GUESSED, without Slurm, from the cores of one machine: --ntasks-per-node", err) : NULL;
    set(job, "GUESSED", guessed);
    if (sizes->guessed && !guessed) return -1;
    if (!note.bytes || set_number(job, "NODES", sizes->nodes, "", err) || set_number(job, "TASKS", sizes->tasks, "", err) ||
        set_number(job, "CPUS", sizes->cpus, "", err) || set_word(job, "WHOLE_NODES", job->scan ? "--exclusive" : NULL, err))
        return -1;
    if (job->scan) return set_number(job, "MEMORY", 0, "", err);
    if (sizes->planned && sizes->memory) return set_number(job, "MEMORY", sizes->memory, "M", err);
    set(job, "MEMORY", NULL);
    return 0;
}

/* ---- the other placeholders ---- */

static int set_launcher(submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    const bool mpirun = site->launcher == VB_SITE_MPIRUN, inside = site->container && site->container_through == VB_SITE_SLURM;
    char *launch, *image = inside ? vb_script_shell_word(site->container, "--container", err) : vb_strdup("", err);
    if (!image) return -1;
    if (mpirun && job->sizes.cpus > 1)
        launch = vb_format(err, "mpirun -n %lld --map-by slot:PE=%lld", (long long)(job->sizes.nodes * job->sizes.tasks),
                           (long long)job->sizes.cpus);
    else if (mpirun) launch = vb_format(err, "mpirun -n %lld", (long long)(job->sizes.nodes * job->sizes.tasks));
    else /* a rank that ends with 75 before the others is no reason to kill them; a lost one ends the step through PMIx */
        launch = vb_format(err, "srun --mpi=%s --cpus-per-task=%lld --kill-on-bad-exit=0 --wait=60%s%s",
                           site->mpi ? site->mpi : "pmix", (long long)job->sizes.cpus, inside ? " --container=" : "", image);
    char *alone = launch && inside ? vb_format(err, "srun --ntasks=1 --container=%s", image) : vb_strdup("", err);
    vb_free(image);
    set(job, "LAUNCH", launch);
    set(job, "ALONE", alone);
    /* Steps get the signal themselves; mpirun's own ranks are children of the script, which passes it on. */
    char *signal = vb_format(err, "%sUSR1@%lld", mpirun ? "B:" : "", (long long)number_or(site->notice, NOTICE));
    set(job, "SIGNAL", signal);
    return launch && alone && signal ? set_word(job, "TIME", site->time, err) : -1;
}

/* "#SBATCH" lines of lists of options; none: *lines stays NULL. */
static int option_lines(const char *flag, const vb_strings *options, char **lines, vb_error *err) {
    for (size_t i = 0; i < options->count; i++) {
        const char *text = options->items[i];
        if (strncmp(text, "--", 2))
            return vb_errorf(err, VB_EUSAGE, "--%s: expected an option of sbatch such as --qos=long, found '%s'", flag, text);
        char *word = vb_script_sbatch_word(text, "option", err),
             *line = word ? vb_format(err, "%s%s#SBATCH %s", *lines ? *lines : "", *lines ? "\n" : "", word) : NULL;
        vb_free(word);
        vb_free(*lines);
        if (!(*lines = line)) return -1;
    }
    return 0;
}

static int set_options(submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    char *run = NULL, *merge = NULL;
    int status = option_lines("option", &site->option, &run, err);
    if (!status) status = option_lines("run-option", &site->run_option, &run, err);
    if (!status) status = option_lines("option", &site->option, &merge, err);
    if (!status) status = option_lines("merge-option", &site->merge_option, &merge, err);
    set(job, "OPTIONS", run);
    set(job, "MERGE_OPTIONS", merge);
    return status;
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
    char *words = vb_strdup("", err);
    const char *text;
    int status = words ? 0 : -1;
    for (int i = 0; !status && (text = vb_arguments_list(arguments, "set", i)); i++) status = pass_on(&words, "set", text, err);
    for (int i = 0; i < arguments->flags.count && !status; i++) {
        const vb_flag *flag = &arguments->flags.items[i];
        bool folder = flag->option && (!strcmp(flag->option, "output") || !strcmp(flag->option, "cache")); /* set_paths */
        if (flag->option && !folder && arguments->given[i]) status = pass_on(&words, flag->name, arguments->texts[i], err);
    }
    if (!status && job->device) status = pass_on(&words, "device", job->device, err);
    if (!status && job->site.scratch) status = pass_on(&words, "scratch", job->site.scratch, err);
    set(job, "ARGUMENTS", words);
    return status;
}

/* Runtimes that start the program of an image: their words, the options that mount a folder and go there, and what stands
 * between the image and the program. */
static const struct {
    const char *start, *mount, *go, *end;
} runtimes[] = {[VB_SITE_APPTAINER] = {"apptainer exec", "bind", "pwd", NULL},
                [VB_SITE_SINGULARITY] = {"singularity exec", "bind", "pwd", NULL},
                [VB_SITE_CHARLIECLOUD] = {"ch-run", "bind", "cd", "--"}};

/* The words that run vocabench: its path here, or the container's. */
static int set_program(submission *job, vb_error *err) {
    const vb_site *site = &job->site;
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return vb_errorf(err, VB_EINTERNAL, "/proc/self/exe: cannot be read");
    program[n] = 0;
    vb_job_script *script = &job->script;
    if (!site->container) return vb_job_script_set_word(script, "PROGRAM", program, vb_script_shell_word, err);
    const char *inside = site->container_program ? site->container_program : "vocabench";
    if (site->container_through == VB_SITE_SLURM)
        return vb_job_script_set_word(script, "PROGRAM", inside, vb_script_shell_word, err);
    const int through = site->container_through < 0 ? VB_SITE_APPTAINER : (int)site->container_through;
    char *words = vb_strdup(runtimes[through].start, err);
    int status = words ? pass_on(&words, runtimes[through].mount, job->folder, err) : -1;
    if (!status) status = pass_on(&words, runtimes[through].go, job->folder, err);
    const char *const end = runtimes[through].end, *const last[] = {site->container, end ? end : inside, inside};
    const size_t options = site->container_option.count, count = options + (end ? 3 : 2);
    for (size_t i = 0; i < count && !status; i++) {
        char *word = vb_script_shell_word(i < options ? site->container_option.items[i] : last[i - options], "--container", err);
        if (!word || !(words = vb_script_append_word(words, word, err))) status = -1;
        vb_free(word);
    }
    set(job, "PROGRAM", words);
    return status;
}

static int set_paths(submission *job, vb_error *err) {
    if (set_program(job, err) || set_word(job, "FOLDER", job->folder, err)) return -1;
    if (set_path(job, "EXPERIMENT", job->arguments->positional[0], err) ||
        set_path(job, "OUTPUT", job->experiment->output, err) || set_path(job, "CACHE", job->experiment->cache, err) ||
        set_word(job, "LOGS", job->experiment->output, err) || set_word(job, "NAME", job->experiment->name, err))
        return -1;
    return set_word(job, "PARTITION", job->site.partition, err) || set_word(job, "ACCOUNT", job->site.account, err) ? -1 : 0;
}

static int set_setup(submission *job, vb_error *err) {
    uint8_t *text = NULL;
    size_t n;
    if (job->site.setup && vb_file_read_whole(job->site.setup, SETUP_BYTES, &text, &n, err)) return -1;
    if (text && n && text[n - 1] == '\n') text[n - 1] = 0;
    set(job, "SETUP", (char *)text);
    return 0;
}

/* ---- scripts ---- */

static int set_run(submission *job, vb_error *err) {
    char *run;
    if (vb_job_script_fill(&job->script, "run.sh", &run, err)) return -1;
    size_t n = strlen(run);
    if (n && run[n - 1] == '\n') run[n - 1] = 0;
    set(job, "RUN", run);
    return 0;
}

/* The placeholders of the array that has the tasks from `first` on; *any: some of them are to be submitted. */
static int set_tasks(submission *job, int first, bool *any, vb_error *err) {
    const vb_job_tasks *tasks = &job->tasks;
    const int arrays = (tasks->count + tasks->part - 1) / tasks->part;
    const int64_t at_once = number_or(job->site.at_once, 0);
    if (at_once && at_once < arrays)
        return vb_errorf(err, VB_EUSAGE, "--at-once: %d tasks are %d arrays by Slurm's MaxArraySize: expected %d at least",
                         tasks->count, arrays, arrays);
    char *models = vb_strdup("", err), *datasets = NULL;
    int status = models ? 0 : -1;
    for (int t = first; t < first + tasks->part && t < tasks->count && !status; t++) {
        const vb_job_task *task = &tasks->items[t];
        char *model = vb_script_shell_word(task->model, "model", err),
             *dataset = task->dataset ? vb_script_shell_word(task->dataset, "dataset", err) : NULL;
        if (!model || (task->dataset && !dataset) || !(models = vb_script_append_word(models, model, err))) status = -1;
        if (dataset && !status && !(datasets = vb_script_append_word(datasets, dataset, err))) status = -1;
        vb_free(model);
        vb_free(dataset);
    }
    set(job, "BY_PAIR", datasets ? vb_strdup("", err) : NULL);
    set(job, "MODELS", models);
    set(job, "DATASETS", datasets);
    char *numbers = status ? NULL : vb_job_tasks_numbers(tasks, first, at_once / arrays, err);
    *any = numbers && *numbers;
    set(job, "TASK_NUMBERS", numbers);
    return numbers ? set_number(job, "FIRST", first, "", err) : -1;
}

/* One script, printed or submitted: *after gets its job's number behind those before it. */
static int hand_in(const submission *job, const char *template, const char *name, const char *waits, char **id, vb_error *err) {
    char *text = NULL, *path = vb_format(err, "%s%s.sbatch", job->experiment->name, name);
    int status = path ? vb_job_script_fill(&job->script, template, &text, err) : -1;
    *id = NULL;
    if (!status && given(job, "dry-run")) printf("%s", text);
    else if (!status)
        status = vb_job_script_submit(job->experiment->output, path, text, waits, job->context->environment, id, err);
    vb_free(text);
    vb_free(path);
    return status;
}

/* The arrays, and the job that merges when all of them, and what of earlier ones is still in the queue, have succeeded. */
static int hand_in_array(submission *job, vb_error *err) {
    vb_job_tasks *tasks = &job->tasks;
    char *after = tasks->pending ? vb_strdup(tasks->pending, err) : NULL, *id = NULL;
    int status = tasks->pending && !after ? -1 : 0;
    for (int first = 0; first < tasks->count && !status; first += tasks->part) {
        bool any = false;
        char name[32] = "";
        if (first) snprintf(name, sizeof name, "-%d", first / tasks->part + 1);
        status = set_tasks(job, first, &any, err);
        if (status || !any) continue;
        status = hand_in(job, "array.sbatch", name, NULL, &id, err);
        if (given(job, "dry-run")) printf("\n");
        if (!status && id) status = vb_job_tasks_note(job->experiment->output, id, first, err);
        if (!status && id) {
            char *both = vb_format(err, "%s%s%s", after ? after : "", after ? ":" : "", id);
            vb_free(after);
            if (!(after = both)) status = -1;
        }
        vb_free(id);
        id = NULL;
    }
    if (!status) status = hand_in(job, "merge.sbatch", "-merge", after, &id, err);
    vb_free(id);
    vb_free(after);
    return status;
}

static int hand_in_all(submission *job, vb_error *err) {
    char *id = NULL;
    const bool array = given(job, "array");
    int status = array ? hand_in_array(job, err) : hand_in(job, "job.sbatch", "", NULL, &id, err);
    vb_free(id);
    char *output = status ? NULL : vb_script_path_word(job->experiment->output, "output", err);
    if (!status && !output) status = -1;
    if (!status && !given(job, "dry-run")) printf("how far it is: vocabench status %s\n", output);
    vb_free(output);
    return status;
}

static int list_tasks(submission *job, vb_error *err) {
    if (!given(job, "array")) return 0;
    if (vb_job_tasks_list(&job->tasks, job->experiment, job->site.by == VB_SITE_BY_PAIR, err)) return -1;
    if (vb_job_tasks_check_folders(&job->tasks, job->experiment, err)) return -1;
    vb_job_tasks_bound(&job->tasks, job->context->environment);
    if (!given(job, "retry-failed")) return 0;
    return vb_job_tasks_retry(&job->tasks, job->experiment, job->context->environment, given(job, "dry-run"), err);
}

static int submit_experiment(submission *job, vb_error *err) {
    char folder[PATH_MAX];
    job->scan = job->experiment->retrieval.given;
    for (int m = 0; m < job->experiment->model_count; m++) job->scan |= job->experiment->models[m].retrieval.given;
    if (read_site(job, err) || check_flags(job, err) || choose_gpus(job, err)) return -1;
    if (!getcwd(folder, sizeof folder)) return vb_errorf(err, VB_EMISSING, "the current folder cannot be named");
    if (!(job->folder = vb_strdup(folder, err))) return -1;
    if (set_options(job, err) || set_arguments(job, err) || set_paths(job, err) || set_setup(job, err)) return -1;
    if (list_tasks(job, err) || choose_sizes(job, err) || set_launcher(job, err) || set_sizes(job, err) || set_run(job, err))
        return -1;
    return hand_in_all(job, err);
}

int vb_cmd_submit(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_experiment experiment;
    if (context->comm.size > 1)
        return vb_errorf(err, VB_EUSAGE, "submit: expected one rank, found %d: start it without mpirun or srun",
                         context->comm.size);
    if (vb_experiment_arguments_read(&experiment, context, arguments, err)) return -1;
    submission job = {.context = context, .arguments = arguments, .experiment = &experiment};
    int status = submit_experiment(&job, err);
    vb_job_script_free(&job.script);
    vb_job_tasks_free(&job.tasks);
    vb_site_free(&job.site);
    vb_free(job.folder);
    vb_experiment_free(&experiment);
    return status;
}
