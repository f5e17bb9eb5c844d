/* `vocabench models`: the families that are encoded here, from their rows. */
#include <stdio.h>
#include <string.h>

#include "kernels/text/convention.h"
#include "kernels/towers/family.h"
#include "mpi/base/terminal.h"
#include "mpi/command/cmd.h"
#include "shards/weights/published.h"
#include "shards/weights/weight_names.h"

const vb_flag vb_cmd_models_flags[] = {
    {.name = "published",
     .kind = VB_FLAG_SWITCH,
     .help = "list the published files whose SHA-256 is known here: SUM  FILE  ADDRESS"},
    {0},
};

const char vb_cmd_models_details[] =
    "For each family: examples of published models, the naming schemes of weights that lead to it, what surrounds its "
    "tokenizers,\n"
    "and with what its embeddings were compared. Where checkpoints come from, and what is told by which file: docs/models.md.";

enum { COLUMN = 13, WIDTH = 110 };

static void print_cell(const char *title, const char *text) {
    const int width = vb_terminal_width();
    vb_terminal_row(title, text, COLUMN, width < WIDTH ? width : WIDTH);
}

/* "openai (OpenAI's CLIP), ...", from the rows of conventions. */
static void list_conventions(const vb_family *family, char *text, size_t size) {
    const char *names = vb_family_conventions(family);
    size_t used = 0;
    *text = 0;
    for (size_t n; *names && used < size; names += n + (names[n] == ' ')) {
        char name[64];
        n = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, names);
        const int row = vb_convention_index(name);
        used += (size_t)snprintf(text + used, size - used, "%s%s (%s)", used ? ", " : "", name,
                                 row < 0 ? "" : vb_convention_rows[row].about);
    }
}

static void list_published(void) {
    const vb_published_row *row;
    char address[256];
    for (int i = 0; (row = vb_published_table(i)); i++)
        printf("%-64s  %s  %s\n", row->sum, row->file, vb_published_address(row, address, sizeof address));
}

int vb_cmd_models(const vb_command *commands, const vb_arguments *arguments, vb_error *err) {
    char text[512];
    (void)commands;
    (void)err;
    if (!vb_context_is_first_rank()) return 0;
    if (vb_arguments_given(arguments, "published")) {
        list_published();
        return 0;
    }
    for (int i = 0; i < VB_FAMILY_COUNT; i++) {
        const vb_family *family = vb_family_at(i);
        printf("%s%s\n", i ? "\n" : "", family->name);
        print_cell("models", family->published ? family->published : "");
        print_cell("names", vb_weight_names_of(family, text, sizeof text));
        list_conventions(family, text, sizeof text);
        print_cell("tokenizers", text);
        print_cell("tested by", family->tested ? family->tested : "");
    }
    return 0;
}
