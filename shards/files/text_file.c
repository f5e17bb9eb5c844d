/* Byte order marks, line ends and blanks, in one place. */
#include "shards/files/text_file.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/content.h"
#include "shards/files/file.h"

size_t vb_text_file_mark(const void *bytes, size_t n) { return n >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0; }

int vb_text_file_read(const char *path, size_t limit, const char *expected, char **text, size_t *size, vb_error *err) {
    uint8_t *bytes;
    *text = NULL;
    if (vb_file_read_whole(path, limit, &bytes, size, err)) return -1;
    if (vb_content_is_no_text(bytes, *size)) {
        vb_content_refuse(path, bytes, *size, expected, VB_EDATA, err);
        vb_free(bytes);
        return -1;
    }
    const size_t mark = vb_text_file_mark(bytes, *size);
    *size -= mark;
    memmove(bytes, bytes + mark, *size + 1);
    *text = (char *)bytes;
    return 0;
}

bool vb_text_file_next_line(char **at, char *end, char **line, size_t *size) {
    if (*at >= end) return false;
    char *feed = memchr(*at, '\n', (size_t)(end - *at)), *stop = feed ? feed : end;
    *line = *at;
    *at = feed ? feed + 1 : end;
    if (stop > *line && stop[-1] == '\r') stop--;
    *stop = 0;
    *size = (size_t)(stop - *line);
    return true;
}

int vb_text_file_check_line(const char *line, size_t size, const char *path, size_t number, vb_error *err) {
    size_t bad;
    const char *cr = memchr(line, '\r', size);
    if (!vb_utf8_is_text(line, size, &bad)) {
        if (!line[bad])
            return vb_errorf(err, VB_EDATA, "%s:%zu: a NUL character in column %zu, expected text", path, number, bad + 1);
        return vb_errorf(err, VB_EDATA, "%s:%zu: byte 0x%02x in column %zu is not UTF-8", path, number, (unsigned char)line[bad],
                         bad + 1);
    }
    if (!cr) return 0;
    return vb_errorf(err, VB_EDATA,
                     "%s:%zu: a carriage return in column %zu that ends no line, expected LF or CR LF behind each line", path,
                     number, (size_t)(cr - line) + 1);
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool vb_text_file_is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

void vb_text_file_trim(char **line, size_t *size) {
    while (*size && is_blank((*line)[*size - 1])) --*size;
    for (; *size && is_blank(**line); --*size) ++*line;
    (*line)[*size] = 0;
}
