/* Reads lists of class names. */
#include "shards/datasets/class_names.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/file.h"

int vb_class_names_read(vb_strings *names, const char *path, vb_error *err) {
    enum { LIMIT = 1 << 26 };
    *names = (vb_strings){0};
    uint8_t *bytes;
    size_t size;
    int status = -1;
    if (vb_file_read_whole(path, LIMIT, &bytes, &size, err)) return -1;
    if (memchr(bytes, 0, size)) {
        vb_errorf(err, VB_EDATA, "%s: NUL byte: expected one class name a line", path);
        goto done;
    }
    while (size && strchr(" \t\r\n", bytes[size - 1])) size--;
    for (size_t at = size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0; at < size;) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        size_t next = end ? (size_t)(end - bytes) : size;
        while (at < next && strchr(" \t\r", bytes[at])) at++;
        size_t n = next - at;
        while (n && strchr(" \t\r", bytes[at + n - 1])) n--;
        if (!n) {
            vb_errorf(err, VB_EDATA, "%s: line %zu: expected a class name, found an empty line", path, names->count + 1);
            goto done;
        }
        if (vb_strings_add_n(names, (const char *)bytes + at, n, err)) goto done;
        at = next + 1;
    }
    status = names->count ? 0 : vb_errorf(err, VB_EDATA, "%s: expected one class name a line, found none", path);
done:
    vb_free(bytes);
    if (status) vb_strings_free(names);
    return status;
}
