/* Captions of every form and lists of texts: what is read is UTF-8 without a NUL, and a row that is passed over is counted as one
 * that is read. The first byte chooses the form. */
#include <stdio.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/json_parse.h"
#include "shards/text/captions.h"
#include "shards/text/texts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"

static int64_t read_captions(const char *path, const char *column) {
    vb_captions *captions;
    vb_error err = {0};
    int64_t rows = 0;
    const char *text, *odd;
    if (vb_captions_open(&captions, path, column, &err)) {
        touch_error(&err);
        return -1;
    }
    int status;
    while (!(status = vb_captions_next(captions, &text, &odd, &err)) && text) {
        if (!vb_utf8_is_text(text, strlen(text), NULL) || (odd && *text)) abort();
        if (odd) touch_bytes(odd, strlen(odd));
        rows++;
    }
    if (status) touch_error(&err);
    vb_captions_close(captions);
    return status ? -1 : rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const forms[] = {"jsonl", "tsv", "txt", "json"};
    char path[64];
    vb_error err = {0};
    vb_texts texts;
    vb_json_parse_setup();
    if (!size) return 0;
    snprintf(path, sizeof path, "/tmp/vb-fuzz-%d.%s", (int)getpid(), forms[data[0] % 4]);
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    const size_t written = fwrite(data + 1, 1, size - 1, file);
    if (fclose(file) || written != size - 1) return 0;
    const int64_t rows = read_captions(path, data[0] & 4 ? "2" : NULL);
    /* Counting alone may accept more, since it looks at less. */
    if (rows >= 0 && vb_captions_pick(path, data[0] & 4 ? "2" : NULL, NULL, 0, rows, NULL, NULL, &err)) abort();
    for (int names = 0; names < 2; names++) {
        if (names ? vb_texts_read_names(&texts, path, &err) : vb_texts_read(&texts, path, &err)) touch_error(&err);
        else
            for (size_t i = 0; i < texts.count; i++)
                if (!vb_utf8_is_text(texts.items[i], strlen(texts.items[i]), NULL)) abort();
        vb_texts_free(&texts);
    }
    unlink(path);
    return 0;
}
