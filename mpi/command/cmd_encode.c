/* `vocabench encode images|texts`: embeddings as .npy, encoded by all ranks, written by the first. */
#include <string.h>

#include "mpi/base/device.h"
#include "mpi/base/device_lending.h"
#include "mpi/command/cmd.h"
#include "mpi/command/fact_arguments.h"
#include "mpi/encode/encode_rows.h"
#include "mpi/ranks/threads.h"
#include "shards/files/writer.h"

const vb_flag vb_cmd_encode_flags[] = {
    {.name = "weights",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .required = true,
     .help = "checkpoint, safetensors or PyTorch, or a repository folder"},
    {.name = "input",
     .kind = VB_FLAG_TEXT,
     .value = "PATH",
     .required = true,
     .help = "images: folder, .tar/.tar.zst (glob) or CIFAR binary; texts: FILE.txt (one a line) or FILE.json (a list)"},
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "E.npy",
     .required = true,
     .plain = true,
     .help = "float32, rows x dimensions"},
    {.name = "tokenizer",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .help = "OpenAI's merges, vocab.json, a SentencePiece .model, vocab.txt, tokenizer.json, or a folder (texts) [beside the "
             "weights]"},
    {.name = "family", .kind = VB_FLAG_TEXT, .value = VB_FAMILY_CHOICES, .help = "[found from the tensors' names]"},
    VB_FACT_ARGUMENTS_TOWERS,
    VB_FACT_ARGUMENTS_TEXTS,
    VB_FACT_ARGUMENTS_PIXELS,
    {.option = "resolution"},
    {.option = "max_patches"},
    {.option = "preprocessing"},
    {.option = "precision"},
    {.name = "rgb-first", .kind = VB_FLAG_SWITCH, .help = "the same as --preprocessing rgb_first"},
    {.name = "raw", .kind = VB_FLAG_SWITCH, .help = "leave the embeddings unnormalised"},
    {.name = "batch", .kind = VB_FLAG_NUMBER, .value = "N", .help = "images encoded at once [16]", .low = 1, .high = 4096},
    {.name = "threads", .kind = VB_FLAG_NUMBER, .value = "N", .help = "threads a rank", .low = 1, .high = 1024},
    {.name = "device",
     .kind = VB_FLAG_TEXT,
     .value = "cpu|gpu|auto",
     .help = "where the model is computed: the same bytes [cpu]"},
    {.option = "decode_memory"},
    {0},
};

const char vb_cmd_encode_details[] =
    "Rows are in the order of the input: texts by line, images by name in byte order (CIFAR: by record; "
    "shards: by file, then by key). The rows do not\n"
    "depend on ranks, threads or batch size. Rows are normalised unless --raw is given.";

/* The flags as a model entry. */
static int model_spec(vb_model_spec *spec, const vb_arguments *arguments, vb_error *err) {
    *spec = (vb_model_spec){.name = (char *)"encode"};
    spec->weights = (char *)(uintptr_t)vb_arguments_text(arguments, "weights");
    spec->tokenizer = (char *)(uintptr_t)vb_arguments_text(arguments, "tokenizer");
    if (vb_arguments_choice(arguments, "family", VB_FAMILY_FOUND, &spec->family, err))
        return -1; /* the flag's words are those of vb_family_at */
    return vb_fact_arguments_read_pixels(&spec->stated, arguments, err);
}

int vb_cmd_encode(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const char *what = arguments->positional[0];
    bool texts = !strcmp(what, "texts");
    vb_model model;
    vb_model_spec spec = {0};
    vb_encode_rows_job job = {.context = context,
                              .model = &model,
                              .raw = vb_arguments_given(arguments, "raw"),
                              .input = vb_arguments_text(arguments, "input"),
                              .output = vb_arguments_text(arguments, "output"),
                              .batch = (int)vb_arguments_number(arguments, "batch", 16),
                              .threads = (int)vb_arguments_number(arguments, "threads", vb_threads_default(&context->comm))};
    int status = 0, kind = VB_DEVICE_CPU;
    vb_device device;
    if (!texts && strcmp(what, "images"))
        status = vb_errorf(err, VB_EUSAGE, "encode: expected images or texts, found '%s'", what);
    if (!status) status = model_spec(&spec, arguments, err);
    if (!status) status = vb_fact_arguments_integer(&job.decode_memory, arguments, "decode_memory", err);
    if (!status) status = vb_arguments_choice(arguments, "device", VB_DEVICE_CPU, &kind, err); /* the words of vb_device_kind */
    spec.tower = texts ? VB_TOWER_TEXT : VB_TOWER_IMAGE;
    if (!status && texts && spec.stated.resolution == VB_OPTION_NONE) spec.stated.resolution = VB_FACTS_NO_IMAGES;
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    if (!context->comm.rank) vb_writer_sweep_beside(job.output); /* of one that was killed */
    status = vb_device_open(&device, context, (vb_device_kind)kind, VB_DEVICE_STRICT, err);
    if (!status) status = vb_device_lending_agree(&device, context, context, 0, job.threads, err);
    if (!status && !(status = vb_model_open(&model, context, &spec, texts, job.threads, NULL, err))) {
        if (!texts) status = vb_model_expect(&model, context, job.batch, err);
        if (!status) status = texts ? vb_encode_rows_texts(&job, err) : vb_encode_rows_images(&job, err);
        vb_model_close(&model);
    }
    vb_device_close(&device, context);
    return status;
}
