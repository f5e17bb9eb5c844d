/* Tests of the codecs over hundreds of small files, sound and odd: Pillow's pixels, or a refusal with a reason; every cut, lack
 * of memory. */
#include <tiffio.h>
#include <zlib.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/image/colour.h"
#include "shards/files/file.h"
#include "shards/images/image.h"
#include "tests/golden/pictures.h"

enum { CASES = sizeof picture_cases / sizeof *picture_cases };

static uint8_t *all_bytes;

static int inflate_the_files(void **state) {
    (void)state;
    vb_error err = {0};
    uint8_t *packed;
    size_t size;
    uLongf length = PICTURE_BYTES;
    if (vb_file_read_whole("tests/golden/pictures.z", 1 << 24, &packed, &size, &err)) return -1;
    all_bytes = vb_array(PICTURE_BYTES, 1, "test", &err);
    const int status = all_bytes && uncompress(all_bytes, &length, packed, size) == Z_OK && length == PICTURE_BYTES ? 0 : -1;
    vb_free(packed);
    return status;
}

static int drop_the_files(void **state) {
    (void)state;
    vb_free(all_bytes);
    return 0;
}

/* The bytes at the end of an allocation of their own, so that a sanitizer sees every read beyond them. */
static int decode_copy(vb_image *image, const uint8_t *bytes, size_t size, const char *name, vb_error *err) {
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    int status = vb_image_decode(image, copy, size, name, err);
    free(copy);
    return status;
}

static uint64_t digest(const uint8_t *pixels, size_t pixel_count, vb_mode mode) {
    const size_t size = mode == VB_MODE_I || mode == VB_MODE_F ? 4 : mode == VB_MODE_I16 ? 2 : 1;
    const size_t samples = pixel_count * (size_t)vb_colour_mode_bytes(mode) / size;
    uint64_t sum = 0;
    for (size_t i = 0; i < samples; i++) {
        uint64_t value = pixels[i];
        int32_t level;
        uint16_t word;
        if (size == 4) memcpy(&level, pixels + 4 * i, 4);
        if (size == 4) value = mode == VB_MODE_F ? (uint32_t)level : (uint64_t)(int64_t)level;
        if (size == 2) memcpy(&word, pixels + 2 * i, 2);
        if (size == 2) value = word;
        sum += value * (i * 0x9E3779B97F4A7C15u + 1);
    }
    return sum;
}

static void compare(const struct picture_case *c, const vb_image *image) {
    vb_error err = {0};
    const size_t pixels = (size_t)c->width * (size_t)c->height;
    if ((int)image->mode != c->mode || image->width != c->width || image->height != c->height)
        fail_msg("%s: %s %dx%d, Pillow has %s %dx%d", c->name, vb_colour_mode_name(image->mode), image->width, image->height,
                 vb_colour_mode_name((vb_mode)c->mode), c->width, c->height);
    if (digest(image->pixels, pixels, image->mode) != c->digest) fail_msg("%s: pixels differ from Pillow's", c->name);
    uint8_t *rgb = vb_array(pixels, 3, "test", &err);
    vb_colour_to_rgb(image, rgb);
    if (digest(rgb, pixels, VB_MODE_RGB) != c->rgb_digest) fail_msg("%s: RGB differs from Pillow's", c->name);
    vb_free(rgb);
}

static void decodes_or_refuses_as_pillow(void **state) {
    (void)state;
    vb_error err = {0};
    const uint8_t *bytes = all_bytes;
    for (int i = 0; i < CASES; bytes += picture_cases[i++].size) {
        const struct picture_case *c = &picture_cases[i];
        vb_image image;
        const int status = decode_copy(&image, bytes, c->size, "picture", &err);
        const bool ours = c->mode < 0 && c->height < 0;
        if (status) {
            if (c->mode >= 0 || ours) fail_msg("%s: refused (%s), Pillow reads it", c->name, err.text);
            if ((err.code != VB_EDATA && err.code != VB_EUNSUPPORTED) || strncmp(err.text, "picture: ", 9))
                fail_msg("%s: code %d: %s", c->name, err.code, err.text);
            assert_null(image.pixels);
            vb_error_clear(&err);
            continue;
        }
        if (c->mode < 0 && !ours) fail_msg("%s: read, Pillow refuses it", c->name);
        if (!ours) compare(c, &image);
        vb_free(image.pixels);
    }
}

static const uint8_t *bytes_of(const char *name, size_t *size) {
    const uint8_t *bytes = all_bytes;
    for (int i = 0; i < CASES; bytes += picture_cases[i++].size) {
        *size = picture_cases[i].size;
        if (!strcmp(picture_cases[i].name, name)) return bytes;
    }
    fail_msg("no picture '%s'", name);
    return NULL;
}

static void what_was_wrong_is_remarked(void **state) {
    (void)state;
    static const struct {
        const char *name, *remark;
        size_t at; /* where a byte becomes 0; 0: nowhere */
    } cases[] = {{"jpeg", "", 0},
                 {"jpeg JFIF version 9", "", 0},
                 {"jpeg bytes behind the end", "", 0},
                 {"jpeg stray bytes between segments", "JPEG: Corrupt JPEG data: 2 extraneous bytes before marker 0xdb", 0},
                 {"jpeg scan parameters", "JPEG: Invalid SOS parameters for sequential JPEG", 0},
                 {"jpeg end marker in a scan", "JPEG: Corrupt JPEG data: premature end of data segment", 0},
                 {"tiff tiff_lzw RGB", "", 0},
                 {"tiff group4", "TIFF: Bad code word at line 0 of strip 0 (x 14)", 9},
                 {"tiff II deflate of 32 bits", "TIFF: the data of a strip or tile end early", 255}};
    vb_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_image image;
        size_t size;
        const uint8_t *bytes = bytes_of(cases[i].name, &size);
        uint8_t file[8192];
        assert_in_range(size, cases[i].at + 1, sizeof file);
        memcpy(file, bytes, size);
        if (cases[i].at) file[cases[i].at] = 0;
        assert_ok(decode_copy(&image, file, size, "x", &err));
        assert_string_equal(image.remark, cases[i].remark);
        vb_free(image.pixels);
    }
}

/* Cuts at the first bytes, at the last and at some between: pixels or a message, never a crash, never words on stderr. */
static void every_cut_is_survived(void **state) {
    (void)state;
    vb_error err = {0};
    const uint8_t *bytes = all_bytes;
    for (int i = 0; i < CASES; bytes += picture_cases[i++].size) {
        const size_t size = picture_cases[i].size, step = size / 24 + 1;
        for (size_t cut = 0; cut < size; cut += cut < 8 ? 1 : step) {
            vb_image image;
            if (!decode_copy(&image, bytes, cut, "cut", &err)) vb_free(image.pixels);
            else if (err.code != VB_EDATA && err.code != VB_EUNSUPPORTED)
                fail_msg("%s, %zu of %zu bytes: code %d: %s", picture_cases[i].name, cut, size, err.code, err.text);
            vb_error_clear(&err);
        }
    }
}

/* What a decoder asked for, and the rows that it handed over. */
typedef struct taken {
    uint64_t granted, asked;
    int asks, width, height, rows;
    vb_image image;
    const char *refuse; /* "begin" or "row 2": what fails */
} taken;

static int take_admit(void *context, const vb_image *head, uint64_t bytes, const char *name, vb_error *err) {
    taken *t = context;
    assert_null(head->pixels);
    t->asks++;
    t->asked = bytes;
    t->width = head->width;
    t->height = head->height;
    return bytes > t->granted ? vb_errorf(err, VB_EMEMORY, "%s: too much", name) : 0;
}

static int take_begin(void *context, const vb_image *head, vb_error *err) {
    taken *t = context;
    vb_free(t->image.pixels);
    t->image = *head;
    t->rows = 0;
    const size_t stride = (size_t)head->width * (size_t)vb_colour_mode_bytes(head->mode);
    t->image.pixels = vb_array((size_t)head->height, stride, "taken", err);
    assert_non_null(t->image.pixels);
    return t->refuse && !strcmp(t->refuse, "begin") ? vb_errorf(err, VB_EUNSUPPORTED, "no") : 0;
}

static int take_row(void *context, const uint8_t *row, vb_error *err) {
    taken *t = context;
    const size_t stride = (size_t)t->image.width * (size_t)vb_colour_mode_bytes(t->image.mode);
    if (t->refuse && !strcmp(t->refuse, "row 2") && t->rows == 2) return vb_errorf(err, VB_EINCOMPLETE, "enough");
    assert_true(t->rows < t->image.height);
    memcpy(t->image.pixels + (size_t)t->rows++ * stride, row, stride);
    return 0;
}

static void rows_are_the_image(void **state) {
    (void)state;
    vb_error err = {0};
    for (size_t i = 0; i < CASES; i++) {
        vb_image whole, image;
        size_t size;
        const uint8_t *bytes = bytes_of(picture_cases[i].name, &size);
        taken t = {.granted = UINT64_MAX};
        vb_row_sink sink = {take_admit, take_begin, take_row, &t};
        vb_error other = {0};
        const int status = vb_image_decode(&whole, bytes, size, "x", &err);
        assert_int_equal(vb_image_decode_rows(&image, &sink, bytes, size, "x", &other), status);
        assert_null(image.pixels);
        if (status) {
            assert_string_equal(err.text, other.text);
            vb_free(t.image.pixels);
            continue;
        }
        const size_t all = (size_t)whole.width * (size_t)whole.height * (size_t)vb_colour_mode_bytes(whole.mode);
        assert_int_equal(t.rows, whole.height);
        assert_int_equal(image.mode, whole.mode);
        assert_int_equal(t.image.width, whole.width);
        assert_string_equal(image.remark, whole.remark);
        if (memcmp(t.image.pixels, whole.pixels, all)) fail_msg("%s: the rows differ", picture_cases[i].name);
        if (whole.mode == VB_MODE_P) assert_memory_equal(t.image.palette, whole.palette, sizeof whole.palette);
        vb_free(whole.pixels);
        vb_free(t.image.pixels);

        /* Memory is asked for before it is taken, with the size of the image; what is refused ends decoding. */
        assert_true(t.asks >= 1 && t.asked > 0);
        assert_true((int64_t)t.width * t.height == (int64_t)image.width * image.height);
        taken less = {.granted = t.asked - 1};
        sink.context = &less;
        assert_fails(vb_image_decode_rows(&image, &sink, bytes, size, "x", &err), VB_EMEMORY, "x: too much");
        assert_true(t.asks > 1 || !less.image.pixels); /* a PNG that is mended asks again */
        vb_free(less.image.pixels);
        taken begin = {.granted = UINT64_MAX, .refuse = "begin"};
        sink.context = &begin;
        assert_fails(vb_image_decode_rows(&image, &sink, bytes, size, "x", &err), VB_EUNSUPPORTED, "x: no");
        vb_free(begin.image.pixels);
        taken row = {.granted = UINT64_MAX, .refuse = "row 2"};
        sink.context = &row;
        if (whole.height > 2) assert_fails(vb_image_decode_rows(&image, &sink, bytes, size, "x", &err), VB_EINCOMPLETE, "enough");
        vb_free(row.image.pixels);
    }
}

/* libtiff takes the first of two equal tags, Pillow the last: here one byte a pixel by the last, three by the
 * first; and another width. */
static void tags_that_come_twice_are_survived(void **state) {
    (void)state;
    static const struct {
        uint8_t tags[24];
        const char *says;
    } cases[] = {{{6, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0}, "two photometric interpretations"},
                 {{0, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 1, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0},
                  "TIFF: its directory tells two sizes"}};
    vb_error err = {0};
    vb_image image;
    size_t size;
    const uint8_t *bytes = bytes_of("tiff YCbCr, deflate", &size);
    uint8_t file[1024] = {0};
    assert_in_range(size, 8, 512);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(file, bytes, size);
        const size_t start = file[4] | (size_t)file[5] << 8, at = (size + 1) & ~(size_t)1, listed = 2 + 12 * (size_t)file[start];
        assert_in_range(start + listed, 8, size);
        memcpy(file + at, file + start, listed);
        memcpy(file + at + listed, cases[i].tags, sizeof cases[i].tags);
        file[at] = (uint8_t)(file[at] + 2);
        file[4] = (uint8_t)at;
        file[5] = (uint8_t)(at >> 8);
        assert_fails(decode_copy(&image, file, at + listed + sizeof cases[i].tags + 4, "x", &err), VB_EDATA, cases[i].says);
        assert_null(image.pixels);
    }
}

/* Appends codes to the data of a GIF, lowest bits first. */
typedef struct gif_bits {
    uint8_t bytes[1 << 15];
    size_t count;
    uint32_t held;
    int bits;
} gif_bits;

static void gif_emit(gif_bits *out, int code, int size) {
    out->held |= (uint32_t)code << out->bits;
    for (out->bits += size; out->bits >= 8; out->bits -= 8, out->held >>= 8) {
        assert_true(out->count < sizeof out->bytes);
        out->bytes[out->count++] = (uint8_t)out->held;
    }
}

/* Pillow's and libgif's encoders clear a table that is full; others write on with the strings that it has. */
static void a_gif_may_keep_its_full_table(void **state) {
    (void)state;
    enum { WIDTH = 160, HEIGHT = 120, PIXELS = WIDTH * HEIGHT, CODES = 4096, CLEAR = 256 };
    static uint16_t longer[CODES][256]; /* the string of a code and a byte behind it; 0: not in the table */
    static gif_bits data;
    static uint8_t pixels[PIXELS], file[1 << 16];
    uint32_t random = 1;
    for (int i = 0; i < PIXELS; i++) pixels[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24 & 7);
    int next = CLEAR + 2, size = 9, string = pixels[0], full = 0;
    gif_emit(&data, CLEAR, size);
    for (int i = 1; i < PIXELS; i++) {
        uint16_t *entry = &longer[string][pixels[i]];
        if (*entry) {
            string = *entry;
            continue;
        }
        gif_emit(&data, string, size);
        full += next == CODES;
        if (next < CODES) {
            if (next == 1 << size) size++;
            *entry = (uint16_t)next++;
        }
        string = pixels[i];
    }
    assert_true(full > 1000);
    gif_emit(&data, string, size);
    gif_emit(&data, CLEAR + 1, size);
    gif_emit(&data, 0, 7); /* the last bits */
    static const uint8_t head[] = {'G', 'I', 'F', '8', '9', 'a', WIDTH, 0, HEIGHT, 0, 0xf7, 0, 0};
    static const uint8_t frame[] = {',', 0, 0, 0, 0, WIDTH, 0, HEIGHT, 0, 0, 8};
    size_t at = sizeof head;
    memcpy(file, head, at);
    for (int i = 0; i < 256; i++, at += 3) file[at] = (uint8_t)i, file[at + 1] = (uint8_t)~i, file[at + 2] = 7;
    memcpy(file + at, frame, sizeof frame);
    at += sizeof frame;
    for (size_t done = 0; done < data.count;) {
        const size_t n = data.count - done < 255 ? data.count - done : 255;
        file[at++] = (uint8_t)n;
        memcpy(file + at, data.bytes + done, n);
        at += n, done += n;
    }
    file[at++] = 0, file[at++] = ';';
    vb_error err = {0};
    vb_image image;
    assert_ok(decode_copy(&image, file, at, "full", &err));
    assert_true(image.mode == VB_MODE_P && image.width == WIDTH && image.height == HEIGHT);
    assert_memory_equal(image.pixels, pixels, PIXELS);
    vb_free(image.pixels);
}

/* What libtiff refuses of YCbCr where no file makes it: the linker gives us its calls (tests/tests.mk). */
static const char *failing;
static bool fails(const char *call) { return failing && !strcmp(failing, call); }
int __real_TIFFRGBAImageOK(TIFF *, char *);
int __wrap_TIFFRGBAImageOK(TIFF *, char *);
int __wrap_TIFFRGBAImageOK(TIFF *tiff, char *text) {
    if (!fails("OK")) return __real_TIFFRGBAImageOK(tiff, text);
    strcpy(text, "why not");
    return 0;
}
int __real_TIFFRGBAImageGet(TIFFRGBAImage *, uint32_t *, uint32_t, uint32_t);
int __wrap_TIFFRGBAImageGet(TIFFRGBAImage *, uint32_t *, uint32_t, uint32_t);
int __wrap_TIFFRGBAImageGet(TIFFRGBAImage *image, uint32_t *pixels, uint32_t width, uint32_t height) {
    return fails("Get") ? 0 : __real_TIFFRGBAImageGet(image, pixels, width, height);
}
TIFFOpenOptions *__real_TIFFOpenOptionsAlloc(void);
TIFFOpenOptions *__wrap_TIFFOpenOptionsAlloc(void);
TIFFOpenOptions *__wrap_TIFFOpenOptionsAlloc(void) { return fails("Alloc") ? NULL : __real_TIFFOpenOptionsAlloc(); }

static void what_libtiff_refuses_is_told(void **state) {
    (void)state;
    static const struct {
        const char *call;
        vb_code code;
        const char *says;
    } cases[] = {{"OK", VB_EDATA, "x: TIFF: why not"},
                 {"Get", VB_EDATA, "x: TIFF: corrupt image data"},
                 {"Alloc", VB_EMEMORY, "x: TIFF: no memory for the decoder"}};
    vb_error err = {0};
    vb_image image;
    size_t size;
    const uint8_t *bytes = bytes_of("tiff YCbCr, deflate", &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        failing = cases[i].call;
        assert_fails(vb_image_decode(&image, bytes, size, "x", &err), cases[i].code, cases[i].says);
        failing = NULL;
        assert_null(image.pixels);
        assert_ok(vb_image_decode(&image, bytes, size, "x", &err));
        vb_free(image.pixels);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char *const names[] = {"gif interlaced",
                                        "bmp run lengths",
                                        "ppm of 255",
                                        "tiff II RGB of 8 bits",
                                        "tiff orientation 6",
                                        "tiff tiles, compression 8",
                                        "tiff YCbCr, deflate, subsampled",
                                        "png without its end",
                                        "jpeg"};
    vb_error err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size;
        const uint8_t *bytes = bytes_of(names[i], &size);
        const int most = strncmp(names[i], "png", 3) ? 20 : 60; /* libpng takes many, and decodes twice */
        int n = 1, status = -1;
        for (; status && n < most; n++) {
            char fault[32];
            vb_image image;
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            status = vb_image_decode(&image, bytes, size, "full", &err);
            vb_fault_setup(NULL, 0);
            if (status ? err.code != VB_EMEMORY || image.pixels : !image.pixels) fail_msg("%s: %s", names[i], err.text);
            if (!status) vb_free(image.pixels);
            vb_error_clear(&err);
        }
        assert_in_range(n, 3, most - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decodes_or_refuses_as_pillow),
                                       cmocka_unit_test(what_was_wrong_is_remarked),
                                       cmocka_unit_test(every_cut_is_survived),
                                       cmocka_unit_test(rows_are_the_image),
                                       cmocka_unit_test(tags_that_come_twice_are_survived),
                                       cmocka_unit_test(a_gif_may_keep_its_full_table),
                                       cmocka_unit_test(what_libtiff_refuses_is_told),
                                       cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, inflate_the_files, drop_the_files);
}
