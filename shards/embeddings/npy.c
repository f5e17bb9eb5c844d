/* NumPy's .npy format: a strict header parser over a mapped file, and an atomic writer. */
#include "shards/embeddings/npy.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/content.h"

static const struct {
    const char *descr;
    vb_dtype dtype;
} dtypes[] = {{"<f4", VB_F32}, {"<f2", VB_F16}, {"<f8", VB_F64}, {"|i1", VB_I8},  {"|u1", VB_U8},
              {"<i2", VB_I16}, {"<i4", VB_I32}, {"<i8", VB_I64}, {"|b1", VB_BOOL}};
enum { DTYPES = sizeof dtypes / sizeof *dtypes, MAGIC = 6 };

/* The header is a Python dict literal with exactly three keys. */
typedef struct header_text {
    const char *at, *end;
} header_text;

static void skip_space(header_text *text) {
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\t')) text->at++;
}

static bool accept(header_text *text, char c) {
    skip_space(text);
    if (text->at >= text->end || *text->at != c) return false;
    text->at++;
    return true;
}

static int read_string(header_text *text, char *out, size_t size) {
    skip_space(text);
    if (text->at >= text->end || (*text->at != '\'' && *text->at != '"')) return -1;
    char quote = *text->at++;
    size_t n = 0;
    while (text->at < text->end && *text->at != quote) {
        if (n + 1 >= size) return -1;
        out[n++] = *text->at++;
    }
    out[n] = 0;
    if (text->at >= text->end) return -1;
    text->at++;
    return 0;
}

static bool read_word(header_text *text, const char *word) {
    skip_space(text);
    size_t n = strlen(word);
    if ((size_t)(text->end - text->at) < n || memcmp(text->at, word, n)) return false;
    text->at += n;
    return true;
}

static int read_npy_shape(header_text *text, vb_tensor *tensor) {
    if (!accept(text, '(')) return -1;
    tensor->ndim = 0;
    while (!accept(text, ')')) {
        skip_space(text);
        if (tensor->ndim >= VB_MAX_DIMS || text->at >= text->end || *text->at < '0' || *text->at > '9') return -1;
        int64_t value = 0;
        while (text->at < text->end && *text->at >= '0' && *text->at <= '9') {
            if (value > (INT64_MAX - 9) / 10) return -1;
            value = value * 10 + (*text->at++ - '0');
        }
        tensor->shape[tensor->ndim++] = value;
        if (!accept(text, ',')) {
            if (!accept(text, ')')) return -1;
            break;
        }
    }
    return 0;
}

static int parse_header(header_text *rest, vb_tensor *tensor, bool *fortran, char *descr, size_t descr_size) {
    header_text text = *rest;
    int seen = 0;
    descr[0] = 0;
    if (!accept(&text, '{')) return -1;
    while (!accept(&text, '}')) {
        char key[32];
        if (read_string(&text, key, sizeof key) || !accept(&text, ':')) return -1;
        if (!strcmp(key, "descr")) {
            if (read_string(&text, descr, descr_size)) return -1;
            seen |= 1;
        } else if (!strcmp(key, "fortran_order")) {
            *fortran = read_word(&text, "True");
            if (!*fortran && !read_word(&text, "False")) return -1;
            seen |= 2;
        } else if (!strcmp(key, "shape")) {
            if (read_npy_shape(&text, tensor)) return -1;
            seen |= 4;
        } else return -1;
        if (!accept(&text, ',')) {
            if (!accept(&text, '}')) return -1;
            break;
        }
    }
    *rest = text;
    return seen == 7 ? 0 : -1;
}

/* "# ..." up to the spaces that pad the header; nothing else may stand behind the literal. */
static int find_note(header_text text, vb_npy *npy) {
    if (!accept(&text, '#')) {
        skip_space(&text);
        return text.at == text.end ? 0 : -1;
    }
    skip_space(&text);
    npy->note = text.at;
    while (text.at < text.end && *text.at != '\n') text.at++;
    npy->note_size = (size_t)(text.at - npy->note);
    while (npy->note_size && npy->note[npy->note_size - 1] == ' ') npy->note_size--;
    skip_space(&text);
    return text.at == text.end ? 0 : -1;
}

static int check_file(vb_npy *npy, const char *path, vb_error *err) {
    const uint8_t *bytes = npy->map.data;
    size_t size = npy->map.size;
    if (size < MAGIC || memcmp(bytes, "\x93NUMPY", MAGIC))
        return vb_content_refuse(path, bytes, size, "an .npy array", VB_EDATA, err);
    if (size < 10) return vb_errorf(err, VB_EDATA, "%s: truncated: the header is cut off", path);
    const int major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: .npy version %d.%d, expected 1.0, 2.0 or 3.0", path, major, minor);
    size_t start = major == 1 ? 10 : 12;
    if (size < start) return vb_errorf(err, VB_EDATA, "%s: truncated: the header is cut off", path);
    size_t length = major == 1 ? bytes[8] | (size_t)bytes[9] << 8 :
                                 bytes[8] | (size_t)bytes[9] << 8 | (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - start)
        return vb_errorf(err, VB_EDATA, "%s: truncated: a header of %zu bytes in a file of %zu", path, length, size);
    header_text text = {(const char *)bytes + start, (const char *)bytes + start + length};
    char descr[32];
    bool fortran = false;
    vb_tensor *tensor = &npy->tensor;
    header_text rest = text;
    if (parse_header(&rest, tensor, &fortran, descr, sizeof descr) || find_note(rest, npy))
        return vb_errorf(err, VB_EDATA, "%s: offset %zu: malformed .npy header: %.*s", path, start,
                         length < 80 ? (int)length : 80, text.at);
    int found = -1;
    for (int i = 0; i < DTYPES; i++)
        if (!strcmp(descr, dtypes[i].descr)) found = i;
    if (found < 0)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: element type '%s', expected one of <f2 <f4 <f8 |i1 |u1 <i2 <i4 <i8 |b1", path,
                         descr);
    tensor->dtype = dtypes[found].dtype;
    int long_dims = 0;
    uint64_t expected;
    for (int i = 0; i < tensor->ndim; i++) long_dims += tensor->shape[i] > 1;
    if (!vb_tensor_shape_bytes(tensor->shape, tensor->ndim, vb_dtype_size(tensor->dtype), &expected))
        return vb_errorf(err, VB_EDATA, "%s: the shape in the header overflows", path);
    if (fortran && long_dims > 1)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: stored in Fortran order; write it with numpy.ascontiguousarray", path);
    uint64_t held = size - start - length;
    if (held != expected)
        return vb_errorf(err, VB_EDATA, "%s: %s: the header asks for %llu bytes of data, the file holds %llu", path,
                         held < expected ? "truncated" : "longer than its header says", (unsigned long long)expected,
                         (unsigned long long)held);
    tensor->data = bytes + start + length;
    vb_tensor_pack_strides(tensor);
    return 0;
}

int vb_npy_open(vb_npy *npy, const char *path, vb_error *err) {
    *npy = (vb_npy){0};
    if (vb_map_open(&npy->map, path, err)) return -1;
    if (!check_file(npy, path, err)) return 0;
    vb_npy_close(npy);
    return -1;
}

void vb_npy_close(vb_npy *npy) {
    vb_map_close(&npy->map);
    npy->tensor = (vb_tensor){0};
    npy->note = NULL;
    npy->note_size = 0;
}

static int write_header(vb_writer *writer, vb_dtype dtype, int ndim, const int64_t *shape, const char *note, vb_error *err) {
    assert(ndim >= 0 && ndim <= VB_MAX_DIMS && strlen(note) < 64);
    const char *descr = NULL;
    for (int i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == dtype) descr = dtypes[i].descr;
    if (!descr) return vb_errorf(err, VB_EINTERNAL, ".npy has no element type %s", vb_dtype_name(dtype));
    char text[384];
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < ndim; i++) n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? ", " : "", (long long)shape[i]);
    n += snprintf(text + n, sizeof text - (size_t)n, "%s), }", ndim == 1 ? "," : "");
    if (*note) n += snprintf(text + n, sizeof text - (size_t)n, " # %s", note);
    /* NumPy pads with spaces and a newline so that the data begin at a multiple of 64. */
    int total = (10 + n + 1 + 63) / 64 * 64, length = total - 10;
    uint8_t start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    char padded[512];
    memset(padded, ' ', sizeof padded);
    memcpy(padded, text, (size_t)n);
    padded[length - 1] = '\n';
    if (vb_writer_write(writer, start, sizeof start, err)) return -1;
    return vb_writer_write(writer, padded, (size_t)length, err);
}

int vb_npy_write_header(vb_writer *writer, vb_dtype dtype, int ndim, const int64_t *shape, vb_error *err) {
    return write_header(writer, dtype, ndim, shape, "", err);
}

int vb_npy_write_noted(const char *path, vb_dtype dtype, int ndim, const int64_t *shape, const void *data, const char *note,
                       vb_error *err) {
    vb_writer *writer;
    size_t size = vb_dtype_size(dtype);
    for (int i = 0; i < ndim; i++) size *= (size_t)shape[i];
    if (vb_writer_open(&writer, path, err)) return -1;
    if (write_header(writer, dtype, ndim, shape, note, err) || vb_writer_write(writer, data, size, err)) {
        vb_writer_abandon(writer);
        return -1;
    }
    return vb_writer_commit(writer, err);
}

int vb_npy_write(const char *path, vb_dtype dtype, int ndim, const int64_t *shape, const void *data, vb_error *err) {
    return vb_npy_write_noted(path, dtype, ndim, shape, data, "", err);
}
