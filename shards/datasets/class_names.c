/* Reads lists of class names. */
#include "shards/datasets/class_names.h"

#include "shards/text/texts.h"

int vb_class_names_read(vb_strings *names, const char *path, vb_error *err) {
    *names = (vb_strings){0};
    vb_texts texts;
    int status = vb_texts_read_names(&texts, path, err);
    for (size_t i = 0; i < texts.count && !status; i++) status = vb_strings_add(names, texts.items[i], err);
    vb_texts_free(&texts);
    if (status) vb_strings_free(names);
    return status;
}
