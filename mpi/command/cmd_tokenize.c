/* `vocabench tokenize`: token ids of texts, on the first rank. */
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/command/fact_arguments.h"
#include "mpi/encode/encode.h"
#include "mpi/ranks/threads.h"
#include "shards/embeddings/npy.h"
#include "shards/text/texts.h"
#include "shards/text/tokenizer_file.h"

const vb_flag vb_cmd_tokenize_flags[] = {
    {.name = "tokenizer",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .required = true,
     .help = "OpenAI's merges, vocab.json, a SentencePiece .model, vocab.txt, tokenizer.json, or a folder with one of them"},
    {.name = "input",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .required = true,
     .help = "FILE.txt (one text a line) or FILE.json (a list)"},
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "IDS.npy",
     .required = true,
     .plain = true,
     .help = "int32, texts x context length"},
    {.name = "context-length", .kind = VB_FLAG_NUMBER, .value = "N", .help = "tokens a text [77]", .low = 2, .high = 4096},
    VB_FACT_ARGUMENTS_TEXTS,
    {.name = "mask-token", .kind = VB_FLAG_SWITCH, .help = "DeCLIP's vocabulary: <|mask|> before the two special tokens"},
    {0},
};

static int tokenize(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_tokenizer *tokenizer = NULL;
    vb_texts texts = {0};
    vb_digest digest;
    vb_stated_facts stated;
    int32_t *tokens = NULL;
    int length = (int)vb_arguments_number(arguments, "context-length", 77), status = -1;
    if (vb_tokenizer_file_read(&tokenizer, vb_arguments_text(arguments, "tokenizer"), vb_arguments_given(arguments, "mask-token"),
                               &digest, err))
        goto done;
    if (vb_fact_arguments_read(&stated, arguments, err)) goto done;
    if (stated.convention >= 0 &&
        vb_tokenizer_use(tokenizer, &vb_convention_rows[stated.convention], vb_arguments_text(arguments, "tokenizer"), err))
        goto done;
    if (stated.start_token != VB_OPTION_NONE) vb_tokenizer_start_with(tokenizer, (int32_t)stated.start_token);
    if (stated.cleaning >= 0) vb_tokenizer_clean(tokenizer, (vb_cleaning)stated.cleaning);
    if (vb_texts_read(&texts, vb_arguments_text(arguments, "input"), err)) goto done;
    int64_t shape[2] = {(int64_t)texts.count, length};
    if (!(tokens = vb_array(texts.count * (size_t)length, sizeof *tokens, "tokens", err))) goto done;
    if (vb_encode_tokenize(tokenizer, texts.items, shape[0], length, vb_threads_default(&context->comm), tokens, err)) goto done;
    status = vb_npy_write(vb_arguments_text(arguments, "output"), VB_I32, 2, shape, tokens, err);
    if (!status)
        status = vb_encode_note_cut(tokenizer, texts.items, shape[0], length, vb_arguments_text(arguments, "input"), err);
done:
    vb_free(tokens);
    vb_texts_free(&texts);
    vb_tokenizer_close(tokenizer);
    return status;
}

int vb_cmd_tokenize(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : tokenize(context, arguments, err), err);
}
