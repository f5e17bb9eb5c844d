/* The table of first bytes. */
#include "shards/files/content.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kernels/base/utf8.h"

typedef struct kind {
    const char *name;
    const char *begin; /* first bytes */
    size_t size;       /* of begin */
    size_t offset;     /* of begin in the file */
    bool pointer;      /* text that stands for another file; of the rest, what reads as text may be one */
} kind;

#define BEGIN(bytes) .begin = bytes, .size = sizeof(bytes) - 1

static const kind kinds[] = {
    {"a Git LFS pointer, not the file it points to (git lfs pull fetches it)", BEGIN("version https://git-lfs"), .pointer = true},
    {"a Git LFS pointer, not the file it points to (git lfs pull fetches it)", BEGIN("version https://hawser"), .pointer = true},
    {"a pointer of git-annex, not the file it points to (git annex get fetches it)", BEGIN("/annex/objects/"), .pointer = true},
    {"text in UTF-32 (save it as UTF-8)", BEGIN("\xff\xfe\0\0")},
    {"text in UTF-32 (save it as UTF-8)", BEGIN("\0\0\xfe\xff")},
    {"text in UTF-16 (save it as UTF-8)", BEGIN("\xff\xfe")},
    {"text in UTF-16 (save it as UTF-8)", BEGIN("\xfe\xff")},
    {"a tar archive", BEGIN("ustar"), .offset = 257},
    {"gzip data", BEGIN("\x1f\x8b")},
    {"zstd data", BEGIN("\x28\xb5\x2f\xfd")},
    {"bzip2 data", BEGIN("BZh")},
    {"xz data", BEGIN("\xfd"
                      "7zXZ\0")},
    {"LZ4 data", BEGIN("\x04\x22\x4d\x18")},
    {"a 7z archive", BEGIN("7z\xbc\xaf\x27\x1c")},
    {"a RAR archive", BEGIN("Rar!\x1a\x07")},
    {"a zip archive (PyTorch's checkpoints, .npz and .zip are such)", BEGIN("PK\x03\x04")},
    {"an empty zip archive", BEGIN("PK\x05\x06")},
    {"an .npy array", BEGIN("\x93NUMPY")},
    {"an HDF5 file (Keras, h5py)", BEGIN("\x89HDF\r\n\x1a\n")},
    {"a GGUF file", BEGIN("GGUF")},
    {"a Parquet file", BEGIN("PAR1")},
    {"an Arrow file", BEGIN("ARROW1")},
    {"an SQLite database", BEGIN("SQLite format 3")},
    {"a PNG image", BEGIN("\x89PNG\r\n\x1a\n")},
    {"a JPEG image", BEGIN("\xff\xd8\xff")},
    {"a GIF image", BEGIN("GIF8")},
    {"a TIFF image", BEGIN("II*\0")},
    {"a TIFF image", BEGIN("MM\0*")},
    {"a WebP image", BEGIN("WEBP"), .offset = 8},
    {"an AVIF or HEIF image", BEGIN("ftypavi"), .offset = 4},
    {"an AVIF or HEIF image", BEGIN("ftyphei"), .offset = 4},
    {"an MP4 video", BEGIN("ftyp"), .offset = 4},
    {"a PDF document", BEGIN("%PDF-")},
    {"a program (ELF)", BEGIN("\x7f"
                              "ELF")},
    {"a Python pickle", BEGIN("\x80\x02")},
    {"a Python pickle", BEGIN("\x80\x03")},
    {"a Python pickle", BEGIN("\x80\x04")},
    {"a Python pickle", BEGIN("\x80\x05")},
    {"a safetensors file", BEGIN("\0\0\0\0{"), .offset = 4},
    {"a DVC pointer, not the file it points to (dvc pull fetches it)", BEGIN("outs:\n- md5:"), .pointer = true},
};

/* What begins so, whatever the case and the blanks before it. */
static const struct {
    const char *name, *begin;
    bool text;
} texts[] = {{"a web page (HTML), saved in the place of the file", "<!doctype html", false},
             {"a web page (HTML), saved in the place of the file", "<html", false},
             {"a web page (HTML), saved in the place of the file", "<head>", false},
             {"XML, such as a server's answer instead of the file", "<?xml", false},
             {"XML, such as a server's answer instead of the file", "<error>", false},
             {"JSON, such as a server's answer instead of the file", "{\"", true}};

static const kind *find(const void *bytes, size_t n) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const kind *row = &kinds[i];
        if (n >= row->offset + row->size && !memcmp((const char *)bytes + row->offset, row->begin, row->size)) return row;
    }
    return NULL;
}

static const char *find_text(const char *bytes, size_t n, bool *text) {
    size_t at = n >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < n && isspace((unsigned char)bytes[at])) at++;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t length = strlen(texts[i].begin);
        *text = texts[i].text;
        if (n - at >= length && !strncasecmp(bytes + at, texts[i].begin, length)) return texts[i].name;
    }
    return NULL;
}

/* UTF-16 without a mark: of Latin letters every second byte is a NUL. */
static bool has_nul_in_turns(const uint8_t *bytes, size_t n) {
    size_t nul[2] = {0};
    n = n < 64 ? n & ~(size_t)1 : 64;
    for (size_t i = 0; i < n; i++) nul[i & 1] += !bytes[i];
    return n >= 4 && ((2 * nul[0] == n && !nul[1]) || (2 * nul[1] == n && !nul[0]));
}

static bool is_zero(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i]) return false;
    return true;
}

/* UTF-8 without control characters, but for one that is cut off. */
static bool reads_as_text(const uint8_t *bytes, size_t n) {
    size_t bad;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] < 0x20 && !isspace(bytes[i])) return false;
    return vb_utf8_is_text((const char *)bytes, n, &bad) || bad + 4 > n;
}

const char *vb_content_name(const void *bytes, size_t n) {
    bool text;
    if (!n) return "an empty file";
    n = n < VB_CONTENT_HEAD ? n : VB_CONTENT_HEAD;
    const kind *known = find(bytes, n);
    if (known) return known->name;
    const char *name = find_text(bytes, n, &text);
    if (name) return name;
    if (has_nul_in_turns(bytes, n)) return "text in UTF-16 (save it as UTF-8)";
    return n >= 16 && is_zero(bytes, n) ? "nothing but zeros at the start (a download that was cut short?)" : NULL;
}

bool vb_content_is_no_file(const void *bytes, size_t n) {
    bool text;
    n = n < VB_CONTENT_HEAD ? n : VB_CONTENT_HEAD;
    const kind *known = find(bytes, n);
    return known ? known->pointer : find_text(bytes, n, &text) || (n >= 16 && is_zero(bytes, n));
}

bool vb_content_is_no_text(const void *bytes, size_t n) {
    bool text;
    if (!n) return false;
    n = n < VB_CONTENT_HEAD ? n : VB_CONTENT_HEAD;
    const kind *known = find(bytes, n);
    if (known) return known->pointer || !reads_as_text(bytes, n);
    if (find_text(bytes, n, &text)) return !text;
    return has_nul_in_turns(bytes, n);
}

int vb_content_refuse(const char *path, const void *bytes, size_t n, const char *expected, vb_code code, vb_error *err) {
    const char *name = vb_content_name(bytes, n);
    char start[3 * 8 + 1] = "";
    if (name) return vb_errorf(err, code, "%s: %s, expected %s", path, name, expected);
    for (size_t i = 0; i < 8 && i < n; i++) snprintf(start + 3 * i, sizeof start - 3 * i, "%02x ", ((const uint8_t *)bytes)[i]);
    if (*start) start[strlen(start) - 1] = 0;
    return vb_errorf(err, code, "%s: begins with the bytes %s, expected %s", path, start, expected);
}
