/* Tests of the image codecs: Pillow's pixels for every kind of file, foreign formats, truncation, flipped bits, PNG writing. */
#include <dirent.h>
#include <math.h>
#include <zlib.h>

#include "tests/unit/vb_test.h"
#include "kernels/image/colour.h"
#include "kernels/base/fault.h"
#include "shards/images/codec.h"
#include "shards/images/image.h"
#include "shards/files/map.h"
#include "shards/files/path.h"
#include "kernels/base/isa_internal.h"
#include "shards/embeddings/npy.h"
#include "tests/golden/images.h"

enum { CASES = sizeof image_cases / sizeof *image_cases };

static uint64_t digest_add(uint64_t sum, uint64_t index, uint64_t value) {
    return sum + value * (index * 0x9E3779B97F4A7C15u + 1);
}

static uint64_t digest_samples(const uint8_t *pixels, size_t samples, int wide) {
    uint64_t sum = 0;
    for (size_t i = 0; i < samples; i++) {
        int32_t level;
        if (wide) memcpy(&level, pixels + 4 * i, 4);
        else level = pixels[i];
        sum = digest_add(sum, i, (uint64_t)(int64_t)level);
    }
    return sum;
}

static void decodes_as_pillow(void **state) {
    (void)state;
    vb_error err = {0};
    for (int i = 0; i < CASES; i++) {
        const struct image_case *c = &image_cases[i];
        vb_image image;
        assert_ok(vb_image_decode(&image, c->bytes, c->size, c->name, &err));
        if (image.mode != c->mode || image.width != c->width || image.height != c->height)
            fail_msg("%s: %s %dx%d, Pillow has %s %dx%d", c->name, vb_colour_mode_name(image.mode), image.width, image.height,
                     vb_colour_mode_name(c->mode), c->width, c->height);
        size_t pixels = (size_t)c->width * (size_t)c->height;
        int wide = c->mode == VB_MODE_I;
        if (digest_samples(image.pixels, pixels * (wide ? 1 : (size_t)vb_colour_mode_bytes(c->mode)), wide) != c->digest)
            fail_msg("%s: pixels differ from Pillow's", c->name);
        uint8_t *rgb = vb_array(pixels, 3, "test", &err);
        vb_colour_to_rgb(&image, rgb);
        if (digest_samples(rgb, 3 * pixels, 0) != c->rgb_digest) fail_msg("%s: RGB differs from Pillow's", c->name);
        vb_free(rgb);
        vb_free(image.pixels);
    }
}

static void preprocesses_the_fixtures(void **state) {
    (void)state;
    char folder[1024], path[1100], npy_name[64];
    vb_error err = {0};
    shared_path(folder, "fixtures/images");
    vb_strings names;
    assert_ok(vb_path_list_folder(&names, folder, &err));
    for (int r = 32; r <= 224; r = r == 32 ? 64 : r == 64 ? 224 : 999) {
        vb_npy truth;
        snprintf(npy_name, sizeof npy_name, "fixtures/preprocessed_%d.npy", r);
        assert_ok(vb_npy_open(&truth, shared_path(path, npy_name), &err));
        assert_int_equal(truth.tensor.shape[0], names.count);
        size_t count = 3 * (size_t)r * (size_t)r;
        float *out = vb_array(count, sizeof *out, "test", &err);
        vb_preprocess spec = vb_preprocess_clip(r);
        for (size_t i = 0; i < names.count; i++) {
            vb_map map;
            vb_image image;
            snprintf(path, sizeof path, "%s/%s", folder, names.items[i]);
            assert_ok(vb_map_open(&map, path, &err));
            assert_ok(vb_image_decode(&image, map.data, map.size, path, &err));
            assert_ok(vb_preprocess_image(&spec, &image, out, &err));
            double worst = 0, limit = r == 224 ? 2e-3 : 1e-6; /* the largest is stored in fp16 */
            for (size_t k = 0; k < count; k++)
                worst = fmax(worst, fabs((double)out[k] - (double)vb_tensor_at(&truth.tensor, (int64_t)(i * count + k))));
            if (!(worst <= limit)) fail_msg("%s at %d: off by %g", names.items[i], r, worst);
            vb_free(image.pixels);
            vb_map_close(&map);
        }
        vb_free(out);
        vb_npy_close(&truth);
    }
    vb_strings_free(&names);
}

/* Pixels of images[0 .. 7] of ../shared/fixtures by `spec`, against those that the publishers' libraries made. */
static void compare_pixels(const vb_preprocess *spec, const char *truth_name) {
    char folder[1024], path[1100], npy_name[128];
    vb_error err = {0};
    vb_strings names;
    vb_npy truth;
    shared_path(folder, "fixtures/images");
    assert_ok(vb_path_list_folder(&names, folder, &err));
    snprintf(npy_name, sizeof npy_name, "zoo/fixtures/preprocess/%s.npy", truth_name);
    assert_ok(vb_npy_open(&truth, shared_path(path, npy_name), &err));
    size_t count = 3 * (size_t)spec->resolution * (size_t)spec->resolution;
    assert_int_equal(vb_tensor_count(&truth.tensor), names.count * count);
    float *out = vb_array(count, sizeof *out, "test", &err);
    for (size_t i = 0; i < names.count; i++) {
        vb_map map;
        vb_image image;
        snprintf(path, sizeof path, "%s/%s", folder, names.items[i]);
        assert_ok(vb_map_open(&map, path, &err));
        assert_ok(vb_image_decode(&image, map.data, map.size, path, &err));
        assert_ok(vb_preprocess_image(spec, &image, out, &err));
        double worst = 0; /* a grey level is 1 / 255 / std, 0.0039 at least; the largest error of fp16 is 0.001 */
        for (size_t k = 0; k < count; k++)
            worst = fmax(worst, fabs((double)out[k] - (double)vb_tensor_at(&truth.tensor, (int64_t)(i * count + k))));
        if (!(worst <= (truth.tensor.dtype == VB_F16 ? 1.1e-3 : 1e-6)))
            fail_msg("%s, %s: off by %g", truth_name, names.items[i], worst);
        vb_free(image.pixels);
        vb_map_close(&map);
    }
    vb_free(out);
    vb_npy_close(&truth);
    vb_strings_free(&names);
}

static void preprocesses_as_every_publisher(void **state) {
    (void)state;
    static const struct {
        const char *truth;
        vb_preprocess spec; /* mean and std: those of the first channel stand for a kind */
    } cases[] = {
        {"shortest_bicubic_56_openai", {.resolution = 56}},
        {"squash_bicubic_56_openai", {.resolution = 56, .resize = VB_RESIZE_SQUASH}},
        {"squash_bilinear_64_half",
         {64, .resize = VB_RESIZE_SQUASH, .filter = VB_FILTER_BILINEAR, .mean = {.5f, .5f, .5f}, .std = {.5f, .5f, .5f}}},
        {"squash_bilinear_56_imagenet",
         {56, .resize = VB_RESIZE_SQUASH, .filter = VB_FILTER_BILINEAR, .mean = {.485f, .456f, .406f},
          .std = {.229f, .224f, .225f}}},
        {"shortest_bilinear_64_zero", {64, .filter = VB_FILTER_BILINEAR, .std = {1, 1, 1}}},
        {"squash_bicubic_40_half", {40, .resize = VB_RESIZE_SQUASH, .mean = {.5f, .5f, .5f}, .std = {.5f, .5f, .5f}}},
        {"longest_bilinear_48_openai", {48, .resize = VB_RESIZE_LONGEST, .filter = VB_FILTER_BILINEAR}},
        {"shortest_bicubic_47_openai", {.resolution = 47}},
        {"hf_shortest_bicubic_47_openai", {.resolution = 47, .rgb_first = true, .crop = VB_CROP_FLOOR}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_preprocess spec = cases[i].spec, openai = vb_preprocess_clip(spec.resolution);
        if (spec.std[0] == 0) {
            memcpy(spec.mean, openai.mean, sizeof spec.mean);
            memcpy(spec.std, openai.std, sizeof spec.std);
        }
        for (int level = 0; level < 2; level++) {
            vb_isa_limit(level ? VB_VNNI : VB_SCALAR);
            compare_pixels(&spec, cases[i].truth);
        }
    }
}

static void foreign_formats_are_named(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        vb_code code;
        const char *says;
    } files[] = {{"", 0, VB_EDATA, "empty"},
                 {"GIF89a..........", 16, VB_EDATA, "GIF: truncated"},
                 {"BM..............", 16, VB_EDATA, "BMP: truncated"},
                 {"II*\0............", 16, VB_EDATA, "TIFF: truncated"},
                 {"MM\0*............", 16, VB_EDATA, "TIFF: truncated"},
                 {"\0\0\0\x1c"
                  "ftypavif....",
                  16, VB_EUNSUPPORTED, "AVIF"},
                 {"\0\0\0\x1c"
                  "ftypheic....",
                  16, VB_EUNSUPPORTED, "HEIF"},
                 {"\0\0\0\x0cjP  \r\n\x87\n....", 16, VB_EUNSUPPORTED, "JPEG 2000"},
                 {"\xff\x0a..............", 16, VB_EUNSUPPORTED, "JPEG XL"},
                 {"P6\n1 1\n255\n..", 13, VB_EDATA, "PNM: truncated"},
                 {"P7\nWIDTH 1\n....", 16, VB_EUNSUPPORTED, "PAM"},
                 {"<svg xmlns='http'", 16, VB_EUNSUPPORTED, "SVG"},
                 {"<!DOCTYPE html>.", 16, VB_EUNSUPPORTED, "HTML"},
                 {"RIFF....WAVEfmt ", 16, VB_EUNSUPPORTED, "52 49 46 46"},
                 {"abc", 3, VB_EUNSUPPORTED, "61 62 63"},
                 {"\xff\xd8", 2, VB_EDATA, "truncated JPEG"},
                 {"\x89PN", 3, VB_EDATA, "truncated PNG"},
                 {"RIFF\0\0\0\0WEB", 11, VB_EDATA, "truncated WebP"},
                 {"\x89PNG\n\x1a\n.........", 16, VB_EDATA, "PNG"}, /* line ends were converted */
                 {"RIFF\x04\0\0\0WEBP", 12, VB_EDATA, "WebP"},
                 {"\xff\xd8\xff\xd9", 4, VB_EDATA, "JPEG"}};
    vb_error err = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        vb_image image;
        assert_fails(vb_image_decode(&image, files[i].bytes, files[i].size, "folder/picture", &err), files[i].code,
                     files[i].says);
        assert_int_equal(strncmp(err.text, "folder/picture: ", 16), 0);
        assert_null(image.pixels);
    }
}

static void put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void dimensions_are_bounded(void **state) {
    (void)state;
    vb_error err = {0};
    vb_image image;
    uint8_t png[45] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR........\x08\0\0\0\0....\0\0\0\0IDAT";
    static const struct {
        uint32_t width, height;
        const char *says;
    } sizes[] = {{0, 5, "Invalid IHDR"},
                 {5, 0, "Invalid IHDR"},
                 {1 << 28, 2, "268435456x2 pixels"},
                 {16385, 16384, "16385x16384 pixels"},
                 {0x7fffffff, 0x7fffffff, "at most"},
                 {0x80000000u, 1, "PNG"}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put32(png + 16, sizes[i].width);
        put32(png + 20, sizes[i].height);
        put32(png + 29, (uint32_t)crc32_z(0, png + 12, 17));
        put32(png + 41, (uint32_t)crc32_z(0, png + 37, 4));
        assert_fails(vb_image_decode(&image, png, sizeof png, "big.png", &err), VB_EDATA, sizes[i].says);
    }
    assert_ok(vb_codec_check(VB_CODEC_PIXELS / 10, 10, "x", &err)); /* as many as are handled: Pillow's bound before it warns */
    assert_fails(vb_codec_check(VB_CODEC_PIXELS / 10 * 2 + 1, 5, "x", &err), VB_EDATA, "at most 178956970 in all");
    for (int i = 0; i < CASES;
         i++) { /* a JPEG with the sizes in its header overwritten: 65500 x 65500 is too much, zero too little */
        if (strcmp(image_cases[i].name, "jpeg grey")) continue;
        uint8_t jpeg[4096];
        memcpy(jpeg, image_cases[i].bytes, image_cases[i].size);
        uint8_t *header = memmem(jpeg, image_cases[i].size, "\xff\xc0\0", 3);
        assert_non_null(header);
        put32(header + 5, 65500u << 16 | 65500u);
        assert_fails(vb_image_decode(&image, jpeg, image_cases[i].size, "big.jpg", &err), VB_EDATA, "65500x65500 pixels");
        put32(header + 5, 65500u);
        assert_fails(vb_image_decode(&image, jpeg, image_cases[i].size, "flat.jpg", &err), VB_EDATA, "Empty JPEG");
    }
}

static void odd_headers_are_told(void **state) {
    (void)state;
    vb_error err = {0};
    vb_image image;
    static const uint8_t gif[] = "GIF89a\1\0\1\0\0\0\0!\xff\0"; /* its only extension has no content */
    assert_fails(vb_image_decode(&image, gif, sizeof gif - 1, "x", &err), VB_EDATA,
                 "x: GIF: offset 16: an application extension without content");
    const struct image_case *grey = image_cases;
    while (strcmp(grey->name, "jpeg grey")) grey++;
    uint8_t jpeg[4096];
    const size_t at = (size_t)((const uint8_t *)memmem(grey->bytes, grey->size, "\xff\xc0\0", 3) - grey->bytes), end = at + 13;
    memcpy(jpeg, grey->bytes, end);
    jpeg[at + 3] = 14; /* the segment's length, and a second component behind the first */
    jpeg[at + 9] = 2;
    memcpy(jpeg + end, "\2\x11\0", 3);
    memcpy(jpeg + end + 3, grey->bytes + end, grey->size - end);
    assert_fails(vb_image_decode(&image, jpeg, grey->size + 3, "x", &err), VB_EUNSUPPORTED,
                 "x: JPEG: 2 components, expected 1, 3 or 4");
    /* An unknown transform of Adobe's is taken for YCbCr, without a remark: it spoils no pixel. */
    const struct image_case *adobe = image_cases;
    while (strcmp(adobe->name, "jpeg stored as RGB")) adobe++;
    uint8_t *pixels[2];
    for (int i = 0; i < 2; i++) {
        memcpy(jpeg, adobe->bytes, adobe->size);
        ((uint8_t *)memmem(jpeg, adobe->size, "Adobe", 5))[11] = i ? 7 : 1;
        assert_ok(vb_image_decode(&image, jpeg, adobe->size, "x", &err));
        assert_string_equal(image.remark, "");
        pixels[i] = image.pixels;
    }
    assert_memory_equal(pixels[0], pixels[1], (size_t)image.width * (size_t)image.height * 3);
    vb_free(pixels[0]);
    vb_free(pixels[1]);
}

/* Runs with stderr caught in a file; nothing may appear there. */
static FILE *caught;
static int kept_stderr = -1;
static void catch_stderr(void) {
    caught = tmpfile();
    assert_non_null(caught);
    fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
}
static long release_stderr(void) {
    fflush(stderr);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    fseek(caught, 0, SEEK_END);
    long size = ftell(caught);
    fclose(caught);
    return size;
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

static void truncation_is_found_everywhere(void **state) {
    (void)state;
    vb_error err = {0};
    char problem[1200] = "";
    catch_stderr();
    for (int i = 0; i < CASES; i++)
        for (size_t size = 0; size < image_cases[i].size; size++) {
            vb_image image;
            vb_error_clear(&err);
            int status = decode_copy(&image, image_cases[i].bytes, size, "cut", &err);
            /* of a PNG no more than the end is missing: Pillow reads it */
            const bool whole = !status && !strncmp(image.remark, "PNG: truncated", 14) && size + 13 > image_cases[i].size - 12;
            if (!whole && (status != -1 || err.code != VB_EDATA || image.pixels))
                snprintf(problem, sizeof problem, "%s: %zu of %zu bytes: %d %s", image_cases[i].name, size, image_cases[i].size,
                         err.code, err.text);
            if (!status) vb_free(image.pixels);
        }
    assert_int_equal(release_stderr(), 0);
    assert_string_equal(problem, "");
}

static void flipped_bits_never_crash(void **state) {
    (void)state;
    vb_error err = {0};
    size_t refused[3] = {0}, total[3] = {0}, remarked = 0;
    char problem[1200] = "";
    catch_stderr();
    for (int i = 0; i < CASES; i++) {
        const struct image_case *c = &image_cases[i];
        int kind = c->name[0] == 'j' ? 0 : c->name[0] == 'p' ? 1 : 2;
        uint8_t bytes[8192];
        assert_in_range(c->size, 1, sizeof bytes);
        memcpy(bytes, c->bytes, c->size);
        for (size_t k = 0; k < 2 * c->size; k++) {
            size_t at = k / 2;
            uint8_t right = bytes[at];
            bytes[at] = k & 1 ? (uint8_t)(right + 1 + k * 2654435761u % 255) : (uint8_t)(right ^ 1 << (at * 5 + (size_t)i) % 8);
            vb_image image;
            vb_error_clear(&err);
            int status = decode_copy(&image, bytes, c->size, "flipped", &err);
            total[kind]++;
            refused[kind] += status == -1;
            remarked += !status && kind == 1 && *image.remark;
            int sound = status ?
                            !image.pixels && (err.code == VB_EDATA || err.code == VB_EUNSUPPORTED || err.code == VB_EMEMORY) &&
                                *err.text :
                            image.pixels && image.width > 0 && image.height > 0;
            if (!sound) snprintf(problem, sizeof problem, "%s, byte %zu: %d, %s", c->name, at, err.code, err.text);
            if (!status) vb_free(image.pixels);
            bytes[at] = right;
        }
    }
    assert_int_equal(release_stderr(), 0);
    assert_string_equal(problem, "");
    print_message("refused: JPEG %zu of %zu, PNG %zu of %zu, WebP %zu of %zu\n", refused[0], total[0], refused[1], total[1],
                  refused[2], total[2]);
    /* Every byte of a PNG is under a checksum or a constant; those of the image data's Pillow does not check. */
    assert_int_equal(refused[1] + remarked, total[1]);
    assert_true(refused[1] > total[1] / 2 && remarked > total[1] / 50);
    assert_true(refused[0] > total[0] / 10);
    assert_true(refused[2] > total[2] / 10);
}

static void broken_files_say_what_the_codec_said(void **state) {
    (void)state;
    vb_error err = {0};
    vb_image image;
    for (int i = 0; i < CASES; i++) {
        const struct image_case *c = &image_cases[i];
        uint8_t bytes[8192];
        memcpy(bytes, c->bytes, c->size);
        if (!strcmp(c->name, "png type 2 depth 8 interlaced 0")) {
            assert_ok(vb_image_decode(&image, bytes, c->size - 12, "a.png", &err));
            assert_string_equal(image.remark, "PNG: truncated: the file ends before its IEND chunk");
            vb_free(image.pixels);
            assert_fails(vb_image_decode(&image, bytes, c->size - 60, "a.png", &err), VB_EDATA, "a.png: PNG: truncated");
            bytes[c->size - 14] ^= 1;
            assert_ok(vb_image_decode(&image, bytes, c->size, "b.png", &err));
            assert_string_equal(image.remark, "PNG: IDAT: CRC error");
            if (digest_samples(image.pixels, (size_t)c->width * (size_t)c->height * 3, 0) != c->digest)
                fail_msg("a wrong checksum changes pixels");
            vb_free(image.pixels);
            bytes[20] ^= 1; /* before the image data checksums count */
            assert_fails(vb_image_decode(&image, bytes, c->size, "c.png", &err), VB_EDATA, "c.png: PNG: ");
        } else if (!strcmp(c->name, "jpeg RGB subsampling 2")) {
            assert_fails(vb_image_decode(&image, bytes, c->size - 2, "a.jpg", &err), VB_EDATA, "a.jpg: JPEG: truncated");
            memmove(bytes + c->size + 1, bytes + c->size - 2, 2);
            memset(bytes + c->size - 2, 0x11,
                   3); /* bytes that belong to nothing, before the end marker: as in files of the web */
            assert_ok(vb_image_decode(&image, bytes, c->size + 3, "b.jpg", &err));
            size_t samples = (size_t)c->width * (size_t)c->height * (size_t)vb_colour_mode_bytes(c->mode);
            assert_string_equal(image.remark, "JPEG: Corrupt JPEG data: 2 extraneous bytes before marker 0xd9");
            if (digest_samples(image.pixels, samples, 0) != c->digest)
                fail_msg("stray bytes before the end marker change pixels");
            vb_free(image.pixels);
            memcpy(bytes, c->bytes, c->size);
            uint8_t *tables = memmem(bytes, c->size, "\xff\xdb", 2); /* and between two segments of the header */
            memmove(tables + 3, tables, c->size - (size_t)(tables - bytes));
            memset(tables, 0x22, 3);
            assert_ok(vb_image_decode(&image, bytes, c->size + 3, "c.jpg", &err));
            if (digest_samples(image.pixels, samples, 0) != c->digest) fail_msg("stray bytes between segments change pixels");
            vb_free(image.pixels);
            memcpy(bytes, c->bytes, c->size);
        } else if (!strcmp(c->name, "webp lossless")) {
            assert_fails(vb_image_decode(&image, bytes, c->size - 3, "a.webp", &err), VB_EDATA, "a.webp: WebP: truncated");
        }
    }
}

/* A colour JPEG of `scans` scans, a component each, built from the one scan of a grey one. */
static uint8_t *jpeg_of_scans(size_t scans, size_t *size) {
    vb_error err = {0};
    const struct image_case *grey = image_cases;
    while (strcmp(grey->name, "jpeg grey")) grey++;
    const uint8_t *frame = memmem(grey->bytes, grey->size, "\xff\xc0\0\x0b", 4), *end = grey->bytes + grey->size - 2;
    const uint8_t *tables = frame + 13, *scan = memmem(tables, (size_t)(end - tables), "\xff\xda\0\x08\1", 5);
    assert_non_null(scan);
    static const uint8_t components[10] = {3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0};
    size_t before = (size_t)(frame - grey->bytes), between = (size_t)(scan - tables), length = (size_t)(end - scan);
    *size = before + 19 + between + scans * length + 2;
    uint8_t *file = vb_array(*size, 1, "test", &err), *at = file;
    assert_non_null(file);
    memcpy(at, grey->bytes, before + 9);
    at[before + 3] = 17;
    memcpy(at + before + 9, components, 10);
    memcpy(at += before + 19, tables, between);
    at += between;
    for (size_t i = 0; i < scans; i++, at += length) {
        memcpy(at, scan, length);
        at[5] = (uint8_t)(i < 3 ? i + 1 : 3);
    }
    memcpy(at, end, 2);
    return file;
}

static void scans_are_bounded(void **state) {
    (void)state;
    vb_error err = {0};
    vb_image image;
    size_t size;
    uint8_t *few = jpeg_of_scans(20, &size);
    assert_ok(vb_image_decode(&image, few, size, "few.jpg", &err));
    assert_int_equal(image.mode, VB_MODE_RGB);
    vb_free(image.pixels);
    vb_free(few);
    uint8_t *many = jpeg_of_scans(600, &size);
    assert_fails(vb_image_decode(&image, many, size, "many.jpg", &err), VB_EDATA, "more than 500 scans");
    vb_free(many);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    vb_error err = {0};
    for (int i = 0; i < CASES; i++) {
        int n = 1, status = -1;
        for (; status && n < 50; n++) {
            char fault[32];
            vb_image image;
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            err.code = 0;
            status = vb_image_decode(&image, image_cases[i].bytes, image_cases[i].size, "full", &err);
            vb_fault_setup(NULL, 0);
            if (status ? err.code != VB_EMEMORY || image.pixels : !image.pixels)
                fail_msg("%s: %s", image_cases[i].name, err.text);
            if (!status) vb_free(image.pixels);
        }
        assert_in_range(n, 3, 49);
    }
}

static void png_comes_back(void **state) {
    (void)state;
    vb_error err = {0};
    static const int sizes[][2] = {{1, 1}, {32, 32}, {3, 200}, {257, 85}, {21845, 1}, {300, 219}};
    uint8_t *rgb = vb_array(70000, 3, "test", &err);
    for (uint32_t i = 0; i < 210000; i++) rgb[i] = (uint8_t)(i * i * 2654435761u >> 13);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *png, *again;
        size_t size, size_again;
        vb_image image;
        int width = sizes[i][0], height = sizes[i][1];
        assert_ok(vb_image_encode_png(rgb, width, height, &png, &size, &err));
        assert_ok(vb_image_encode_png(rgb, width, height, &again, &size_again, &err));
        assert_int_equal(size, size_again);
        assert_memory_equal(png, again, size);
        assert_ok(vb_image_decode(&image, png, size, "own.png", &err));
        assert_int_equal(image.mode, VB_MODE_RGB);
        assert_int_equal(image.width, width);
        assert_int_equal(image.height, height);
        assert_memory_equal(image.pixels, rgb, (size_t)width * (size_t)height * 3);
        vb_free(image.pixels);
        vb_free(again);
        vb_free(png);
    }
    /* One pixel (1, 2, 3), written down by hand after the PNG and zlib specifications. */
    static const uint8_t truth[] = {0x89, 'P', 'N', 'G', 13,  10,   26, 10, 0, 0, 0,    13,   'I',  'H',  'D',  'R', 0, 0,
                                    0,    1,   0,   0,   0,   1,    8,  2,  0, 0, 0,    0x90, 0x77, 0x53, 0xde, 0,   0, 0,
                                    15,   'I', 'D', 'A', 'T', 0x78, 1,  1,  4, 0, 0xfb, 0xff, 1,    1,    2,    3};
    uint8_t *png;
    size_t size;
    assert_ok(vb_image_encode_png((const uint8_t[]){1, 2, 3}, 1, 1, &png, &size, &err));
    assert_int_equal(size, 8 + 25 + 12 + 15 + 12);
    assert_memory_equal(png, truth, sizeof truth);
    vb_free(png);
    for (int n = 1; n <= 2; n++) {
        vb_fault_setup(n == 1 ? "alloc:1:ENOMEM" : "alloc:2:ENOMEM", 0);
        assert_fails(vb_image_encode_png(rgb, 5, 5, &png, &size, &err), VB_EMEMORY, "PNG");
        assert_null(png);
    }
    vb_fault_setup(NULL, 0);
    assert_fails(vb_image_encode_png(rgb, 0, 5, &png, &size, &err), VB_EDATA, "0x5");
    assert_fails(vb_image_encode_png(rgb, 1 << 20, 1 << 20, &png, &size, &err), VB_EDATA, "1048576x1048576");
    vb_free(rgb);
}

static void suffixes(void **state) {
    (void)state;
    static const char *const yes[] = {"a.jpg", "a.JPEG", "x/y.b.Png", "a.webp", "a.jfif", "a.JPE", "a.gif", "a.bmp",
                                      "a.dib", "a.tif",  "a.TIFF",    "a.ppm",  "a.pgm",  "a.pbm", "a.pnm"};
    static const char *const no[] = {"a.txt", "jpg", ".jpg", "a.jpg.txt", "", "a.pn", "apng"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(vb_image_has_suffix(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(vb_image_has_suffix(no[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decodes_as_pillow),
                                       cmocka_unit_test(preprocesses_the_fixtures),
                                       cmocka_unit_test(preprocesses_as_every_publisher),
                                       cmocka_unit_test(foreign_formats_are_named),
                                       cmocka_unit_test(dimensions_are_bounded),
                                       cmocka_unit_test(odd_headers_are_told),
                                       cmocka_unit_test(truncation_is_found_everywhere),
                                       cmocka_unit_test(flipped_bits_never_crash),
                                       cmocka_unit_test(broken_files_say_what_the_codec_said),
                                       cmocka_unit_test(scans_are_bounded),
                                       cmocka_unit_test(every_allocation_may_fail),
                                       cmocka_unit_test(png_comes_back),
                                       cmocka_unit_test(suffixes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
