/* `vocabench preprocess`: the pixels that an encoder would see, on the first rank. */
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/command/fact_arguments.h"
#include "mpi/encode/encode.h"
#include "mpi/encode/facts.h"
#include "mpi/ranks/threads.h"
#include "shards/embeddings/npy.h"

const vb_flag vb_cmd_preprocess_flags[] = {
    {.name = "resolution",
     .kind = VB_FLAG_NUMBER,
     .value = "R",
     .required = true,
     .help = "side of the square",
     .low = 1,
     .high = 4096},
    {.name = "input",
     .kind = VB_FLAG_TEXT,
     .value = "PATH",
     .required = true,
     .help = "folder of images, .tar/.tar.zst (glob) or CIFAR binary"},
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "P.npy",
     .required = true,
     .plain = true,
     .help = "float32, images x 3 x R x R, images in name order"},
    VB_FACT_ARGUMENTS_PIXELS,
    {.option = "preprocessing"},
    {.name = "rgb-first", .kind = VB_FLAG_SWITCH, .help = "the same as --preprocessing rgb_first"},
    {.option = "decode_memory"},
    {0},
};

static int write_units(const vb_encoding *how, const vb_dataset *dataset, const vb_preprocess *spec, const char *input,
                       vb_writer *writer, vb_error *err) {
    enum { AT_ONCE = 16 };
    const size_t size = vb_preprocess_floats(spec);
    float *pixels = vb_array(AT_ONCE * size, sizeof *pixels, "pixels", err);
    int status = pixels ? 0 : -1;
    for (int64_t u = 0; u < vb_dataset_units(dataset) && !status; u++) {
        vb_unit_data data = {0};
        if (!(status = vb_dataset_read_unit(dataset, u, &data, err))) {
            for (int at = 0; at < data.count && !status; at += AT_ONCE) {
                int picked[AT_ONCE], n = data.count - at < AT_ONCE ? data.count - at : AT_ONCE;
                bool broken[AT_ONCE];
                json_t *skipped = NULL;
                for (int i = 0; i < n; i++) picked[i] = at + i;
                const vb_encode_batch batch = {&data, picked, n, at};
                const vb_encode_pixels to = {.pixels = pixels, .broken = broken};
                status = vb_encode_preprocess(how, spec, &batch, &to, &skipped, err);
                if (status) vb_error_prefix(err, "%s", input);
                if (!status) status = vb_writer_write(writer, pixels, (size_t)n * size * sizeof *pixels, err);
                json_decref(skipped);
            }
        }
        vb_dataset_unit_free(&data);
    }
    vb_free(pixels);
    return status;
}

static int preprocess(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const char *input = vb_arguments_text(arguments, "input");
    vb_preprocess spec = vb_preprocess_clip((int)vb_arguments_number(arguments, "resolution", 224));
    vb_stated_facts stated;
    vb_encoding how = {.threads = vb_threads_default(&context->comm)};
    if (vb_fact_arguments_read_pixels(&stated, arguments, err) ||
        vb_fact_arguments_integer(&how.decode_memory, arguments, "decode_memory", err))
        return -1;
    vb_facts_state_pixels(&spec, &stated, NULL);
    if (vb_facts_check_crop(&spec, &stated, err)) {
        if (err) err->code = VB_EUSAGE; /* it comes from the command line here */
        return vb_error_prefix(err, "preprocess");
    }
    vb_dataset *dataset = NULL;
    vb_writer *writer = NULL;
    if (vb_dataset_open(&dataset, input, NULL, err)) return -1;
    int64_t shape[4] = {vb_dataset_samples(dataset), 3, spec.resolution, spec.resolution};
    int status = vb_writer_open(&writer, vb_arguments_text(arguments, "output"), err);
    if (!status) status = vb_npy_write_header(writer, VB_F32, 4, shape, err);
    if (!status) status = write_units(&how, dataset, &spec, input, writer, err);
    if (!status) status = vb_writer_commit(writer, err);
    else vb_writer_abandon(writer);
    vb_dataset_close(dataset);
    return status;
}

int vb_cmd_preprocess(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : preprocess(context, arguments, err), err);
}
