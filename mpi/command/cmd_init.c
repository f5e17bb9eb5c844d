/* `vocabench init`: a first experiment from a dataset and a checkpoint. */
#include <stdio.h>

#include "mpi/base/script.h"
#include "mpi/command/cmd.h"
#include "mpi/plan/draft.h"

const vb_flag vb_cmd_init_flags[] = {
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "FILE.yaml",
     .plain = true,
     .help = "the experiment to write, its vocabularies beside it [NAME.yaml in the current folder]"},
    {.name = "tokenizer", .kind = VB_FLAG_TEXT, .value = "PATH", .help = "of the model [beside the weights, or near them]"},
    {.name = "class-names",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .help = "names of integer labels, one a line [found beside the data]"},
    {0},
};

const char vb_cmd_init_details[] =
    "FOLDER: class folders, WebDataset shards or CIFAR binaries. CHECKPOINT: a file of weights or a repository folder as it was "
    "downloaded. Without them, the only ones in the current folder are taken. Writes NAME.yaml and NAME-vocabularies.yaml, with "
    "which 'check' and 'run' work at once; what was guessed (groups of classes, prompt) stands in their comments. Overwrites "
    "nothing.";

/* Folder and checkpoint, in either order. */
static int take_paths(vb_draft_request *request, const vb_arguments *arguments, vb_error *err) {
    for (int i = 0; i < arguments->positional_count; i++) {
        const char *path = arguments->positional[i], **place = vb_draft_is_weights(path) ? &request->weights : &request->images;
        if (*place && request->images == *place) place = &request->weights; /* said to be one: its reader tells what it is */
        if (*place)
            return vb_errorf(err, VB_EUSAGE,
                             "init: '%s' and '%s' are both checkpoints: expected a folder of images and a checkpoint", *place,
                             path);
        *place = path;
    }
    return 0;
}

static int init(const vb_arguments *arguments, vb_error *err) {
    vb_draft_request request = {.tokenizer = vb_arguments_text(arguments, "tokenizer"),
                                .class_names = vb_arguments_text(arguments, "class-names"),
                                .output = vb_arguments_text(arguments, "output")};
    vb_draft draft = {0};
    int status = take_paths(&request, arguments, err);
    if (!status) status = vb_draft_write(&draft, &request, err);
    if (!status) {
        printf("%s: %lld images of %d classes, one model\n%s: %d vocabularies, whose groups are guessed: look at them\nnext: ",
               draft.path, (long long)draft.images, draft.classes, draft.vocabularies, draft.groups);
        vb_script_print_command("check", draft.path);
        printf(" && ");
        vb_script_print_command("run", draft.path);
        printf("\n");
    }
    vb_draft_free(&draft);
    return status;
}

int vb_cmd_init(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : init(arguments, err), err);
}
