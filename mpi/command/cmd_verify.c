/* `vocabench verify DIR`: whether results hold. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/device.h"
#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/plan/verify.h"
#include "mpi/results/document.h"
#include "shards/files/path.h"

const vb_flag vb_cmd_verify_flags[] = {
    {.name = "units",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "units of each pair's images to encode again; 0: none, no model is opened [2]",
     .high = 1000000},
    {.name = "whole",
     .kind = VB_FLAG_SWITCH,
     .help = "run the whole experiment again, without any cache, and compare everything"},
    {.name = "junit", .kind = VB_FLAG_TEXT, .value = "FILE", .plain = true, .help = "write the lines as JUnit's XML, too"},
    {0},
};

const char vb_cmd_verify_details[] =
    "DIR is the output folder of `run` or `merge`. Looks at the digests of the configuration, of every pair's result and files, "
    "at the "
    "records against all figures that follow from them, at gains of REPE and what adversarial names leave against the figures "
    "beside "
    "them, at the SHA-256 of weights, tokenizers and corpora where they still lie, and encodes again, without any "
    "cache, "
    "all class texts and N units of images of every pair, drawn by the configuration's digest: the texts' digest and the images' "
    "similarities must be the same to the last bit. For that the experiment is read by the command line that the results state. "
    "What "
    "cannot be looked at is said. The last line is the verdict; the exit code is 0 for VALID, else that of the first error.";

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

/* The command line of the results, parsed as `run` parses it. *words holds its texts. */
static int parse_command(vb_arguments *arguments, char ***words, const json_t *command, vb_error *err) {
    const size_t count = json_array_size(command);
    /* What parsing takes of the row of `run`; the table itself would make a circle of files. */
    static const vb_command run = {
        .name = "run", .positional = "FILE.yaml", .positional_needed = 1, .flags = vb_cmd_run_flags, .help = ""};
    if (count < 3 || !json_is_string(json_array_get(command, 1)) || strcmp(json_string_value(json_array_get(command, 1)), "run"))
        return vb_errorf(err, VB_EMISSING, "the results state no command line of a run");
    if (!(*words = vb_array(count, sizeof **words, "the command line", err))) return -1;
    for (size_t i = 0; i + 2 < count; i++) {
        const char *word = json_string_value(json_array_get(command, i + 2));
        (*words)[i] = (char *)(uintptr_t)(word ? word : "");
    }
    return vb_arguments_parse(arguments, &run, (int)count - 2, *words, err);
}

/* What cannot be encoded again is a note: nothing of the results is wrong for it. */
static void skip(const vb_verify *verify, vb_error *err) {
    vb_findings_add(verify->findings, VB_FINDING_NOTE, "sample", "not looked at: %s", err->text);
    vb_error_clear(err);
}

/* The first device of a run, or of the parts that were merged, that differs from the CPU and was tolerated; NULL: none. */
static const char *tolerated_device(const json_t *facts) {
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(facts, "devices"), i, one) {
        const char *text = json_string_value(one);
        if (text && vb_device_described_tolerated(text)) return text;
    }
    const char *found = NULL;
    json_array_foreach(json_object_get(facts, "merged"), i, one) if (!found) found = tolerated_device(one);
    return found;
}

/* The same experiment, in a folder that is thrown away. */
static int run_again(const vb_verify *verify, vb_context *alone, const vb_experiment *experiment, const char *scratch,
                     vb_error *err) {
    vb_experiment again = *experiment;
    again.output = vb_format(err, "%s/results", scratch);
    again.cache = vb_format(err, "%s/cache", scratch);
    const int status = again.output && again.cache ? vb_verify_whole(verify, alone, &again, err) : -1;
    vb_free(again.output);
    vb_free(again.cache);
    return status;
}

/* facts: the `run` block of a run. */
static int sample_run(const vb_verify *verify, vb_context *alone, const json_t *facts, int units, vb_error *err) {
    const json_t *document = verify->folder->document;
    const char *folder = vb_json_text(facts, json_object_get(facts, "command_folder") ? "command_folder" : "folder");
    const char *temporary = getenv("TMPDIR");
    vb_arguments arguments;
    vb_experiment experiment;
    char **words = NULL, digest[40] = "";
    int status = 0;
    char *scratch = vb_format(err, "%s/vocabench-verify.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!scratch) return -1;
    if (tolerated_device(facts)) {
        vb_errorf(err, VB_EDEVICE, "computed by a device of other bits than the CPU's: %s", tolerated_device(facts));
        skip(verify, err);
    } else if (parse_command(&arguments, &words, json_object_get(facts, "command"), err)) skip(verify, err);
    else if (chdir(folder)) {
        vb_errorf(err, VB_EMISSING, "%s: the folder of the run is not there", folder);
        skip(verify, err);
    } else if (vb_experiment_arguments_read(&experiment, alone, &arguments, err)) skip(verify, err);
    else {
        status = vb_document_configuration_digest(experiment.configuration, digest, err);
        if (!status && strcmp(digest, vb_json_text(document, "configuration_digest"))) {
            vb_errorf(err, VB_EMISMATCH, "%s: is another experiment by now", experiment.path);
            skip(verify, err);
        } else if (!status && !mkdtemp(scratch)) status = vb_errorf(err, VB_EOUTPUT, "%s: cannot be made", scratch);
        else if (!status) {
            if (units) status = vb_verify_sample(verify, alone, &experiment, units, scratch, err);
            if (!status && verify->whole) status = run_again(verify, alone, &experiment, scratch, err);
            nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        }
        vb_experiment_free(&experiment);
    }
    if (words) vb_arguments_free(&arguments);
    vb_free(words);
    vb_free(scratch);
    return status;
}

/* The run's own pairs; of results that were merged those of each part, by its command line. */
static int sample(const vb_verify *verify, vb_context *alone, int units, vb_error *err) {
    const json_t *facts = json_object_get(verify->folder->document, "run"), *parts = json_object_get(facts, "merged"), *part;
    size_t i;
    int status = 0;
    if (!json_array_size(parts)) return sample_run(verify, alone, facts, units, err);
    json_array_foreach((json_t *)(uintptr_t)parts, i, part) {
        if (!status) status = sample_run(verify, alone, part, units, err);
    }
    return status;
}

static int verdict(const vb_findings *findings, vb_error *err) {
    const int errors = findings->count[VB_FINDING_ERROR], notes = findings->count[VB_FINDING_NOTE];
    if (!errors) {
        printf("VALID: %d looked at", findings->count[VB_FINDING_OK]);
        if (notes) printf(", %d could not be", notes);
        printf("\n");
        return 0;
    }
    printf("NOT VALID: %d error%s, %d ok, %d could not be looked at\n", errors, errors == 1 ? "" : "s",
           findings->count[VB_FINDING_OK], notes);
    return vb_errorf(err, findings->first_code, "verify: the results are not valid: %d error%s", errors, errors == 1 ? "" : "s");
}

static int verify_folder(vb_context *alone, const vb_arguments *arguments, vb_error *err) {
    vb_result_folder folder;
    vb_strbuf cases = {0};
    const char *junit = vb_arguments_text(arguments, "junit");
    char *written = junit ? vb_path_absolute(junit, err) : NULL; /* the folder changes below */
    vb_findings findings = {.cases = junit ? &cases : NULL, .gaps = true};
    char *given = vb_path_absolute(arguments->positional[0], err);
    int status = given && (written || !junit) ? vb_result_folder_open(&folder, given, err) : -1;
    if (given && (written || !junit)) {
        const vb_verify verify = {.folder = &folder, .findings = &findings, .whole = vb_arguments_given(arguments, "whole")};
        const int units = (int)vb_arguments_number(arguments, "units", 2);
        if (!status) status = vb_verify_files(&verify, alone, err);
        if (!status && (units || verify.whole)) status = sample(&verify, alone, units, err);
        if (!status && junit) status = vb_findings_write_junit(&findings, "verify", written, err);
        if (!status) status = verdict(&findings, err);
        vb_result_folder_close(&folder);
    }
    vb_strbuf_free(&cases);
    vb_free(written);
    vb_free(given);
    return status;
}

int vb_cmd_verify(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    int status = 0;
    if (!context->comm.rank) {
        vb_context alone = {.started = context->started, .environment = context->environment};
        status = vb_comm_open_alone(&alone.comm, err);
        if (!status) status = verify_folder(&alone, arguments, err);
        vb_comm_close(&alone.comm);
    }
    return vb_comm_agree(&context->comm, status, err);
}
