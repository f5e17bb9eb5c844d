/* `vocabench candidates`: lists of names for adversarial vocabularies, from WordNet's nouns. */
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "shards/files/writer.h"
#include "shards/text/wordnet.h"

const vb_flag vb_cmd_candidates_flags[] = {
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "FILE.txt",
     .required = true,
     .plain = true,
     .help = "one noun a line, in lower case, sorted"},
    {.name = "wordnet",
     .kind = VB_FLAG_TEXT,
     .value = "DIR",
     .help = "folder of index.noun and data.noun [" VB_WORDNET_FOLDER "]"},
    {.name = "single-words", .kind = VB_FLAG_SWITCH, .help = "leave out nouns of several words"},
    {.name = "heads", .kind = VB_FLAG_SWITCH, .help = "only nouns that are the first word of a synset, without their synonyms"},
    {.name = "min-depth",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "least number of steps below 'entity' of the first sense [0]",
     .high = 64},
    {.name = "max-depth", .kind = VB_FLAG_NUMBER, .value = "N", .help = "largest number of them [64]", .high = 64},
    {0},
};

const char vb_cmd_candidates_details[] =
    "`vocabench candidates wordnet` writes WordNet's nouns (Debian's package wordnet-base) for the key "
    "`adversarial: {candidates: FILE.txt}` of an experiment.";

static int write_nouns(vb_writer *writer, const vb_wordnet *wordnet, const vb_arguments *arguments, size_t *written,
                       vb_error *err) {
    bool single = vb_arguments_given(arguments, "single-words"), heads = vb_arguments_given(arguments, "heads");
    int64_t low = vb_arguments_number(arguments, "min-depth", 0), high = vb_arguments_number(arguments, "max-depth", 64);
    *written = 0;
    for (size_t i = 0; i < vb_wordnet_lemmas(wordnet); i++) {
        const char *lemma = vb_wordnet_lemma(wordnet, i);
        int depth = vb_wordnet_depth(wordnet, i);
        if ((single && strchr(lemma, ' ')) || (heads && !vb_wordnet_leads(wordnet, i)) || depth < low || depth > high) continue;
        if (vb_writer_printf(writer, err, "%s\n", lemma)) return -1;
        ++*written;
    }
    return 0;
}

static int make_list(const vb_arguments *arguments, vb_error *err) {
    const char *folder = vb_arguments_text(arguments, "wordnet"), *path = vb_arguments_text(arguments, "output");
    vb_wordnet *wordnet = NULL;
    vb_writer *writer = NULL;
    size_t written;
    int status = -1;
    if (strcmp(arguments->positional[0], "wordnet"))
        return vb_errorf(err, VB_EUSAGE, "candidates: expected 'wordnet', found '%s'", arguments->positional[0]);
    if (vb_wordnet_open(&wordnet, folder ? folder : VB_WORDNET_FOLDER, err) || vb_writer_open(&writer, path, err)) goto done;
    if (write_nouns(writer, wordnet, arguments, &written, err)) goto done;
    if (!written) {
        vb_errorf(err, VB_EUSAGE, "candidates: no noun meets the conditions");
        goto done;
    }
    status = vb_writer_commit(writer, err);
    writer = NULL;
    if (!status) printf("%zu nouns: %s\n", written, path);
done:
    vb_writer_abandon(writer);
    vb_wordnet_close(wordnet);
    return status;
}

int vb_cmd_candidates(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : make_list(arguments, err), err);
}
