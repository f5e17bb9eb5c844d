/* `vocabench tokenize`: token ids of texts, on the first rank. */
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/encode/encode.h"
#include "mpi/base/provenance.h"
#include "shards/embeddings/npy.h"
#include "shards/text/texts.h"
#include "shards/text/tokenizer_file.h"

const vb_flag vb_tokenize_flags[] = {
    {"tokenizer", VB_FLAG_TEXT, "FILE", true, "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside it", 0, 0},
    {"input", VB_FLAG_TEXT, "FILE", true, "FILE.txt (one text a line) or FILE.json (a list)", 0, 0},
    {"output", VB_FLAG_TEXT, "IDS.npy", true, "int32, texts x context length", 0, 0},
    {"context-length", VB_FLAG_NUMBER, "N", false, "tokens a text [77]", 2, 4096},
    {"mask-token", VB_FLAG_SWITCH, NULL, false, "DeCLIP's vocabulary: <|mask|> before the two special tokens", 0, 0},
    {0}};

static int tokenize(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const vb_command *command = context->command;
    vb_tokenizer *tokenizer = NULL;
    vb_texts texts = {0};
    vb_digest digest;
    int32_t *tokens = NULL;
    int length = (int)vb_arguments_number(arguments, command, "context-length", 77), status = -1;
    if (vb_tokenizer_file_read(&tokenizer, vb_arguments_text(arguments, command, "tokenizer"),
                               vb_arguments_given(arguments, command, "mask-token"), &digest, err))
        goto done;
    if (vb_texts_read(&texts, vb_arguments_text(arguments, command, "input"), err)) goto done;
    int64_t shape[2] = {(int64_t)texts.count, length};
    if (!(tokens = vb_array(texts.count * (size_t)length, sizeof *tokens, "tokens", err))) goto done;
    if (vb_encode_tokenize(tokenizer, texts.items, shape[0], length, vb_threads_default(&context->comm), tokens, err)) goto done;
    status = vb_npy_write(vb_arguments_text(arguments, command, "output"), VB_I32, 2, shape, tokens, err);
done:
    vb_free(tokens);
    vb_texts_free(&texts);
    vb_tokenizer_close(tokenizer);
    return status;
}

int vb_cmd_tokenize(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : tokenize(context, arguments, err), err);
}
