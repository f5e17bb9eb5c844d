/* Tests of resizing and normalisation: Pillow's digests for every mode, crops, both instruction sets, contradictions, lack of
 * memory. */
#include <malloc.h>
#include <math.h>

#include "tests/unit/vb_test.h"
#include "kernels/image/colour.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/image/preprocess.h"
#include "kernels/image/resize.h"
#include "tests/golden/resize.h"

/* The formulas of tests/golden/make_resize.py. */
static uint32_t scramble(uint32_t value, int seed) {
    uint32_t h = (value + (uint32_t)seed * 40503u) * 2654435761u;
    h ^= h >> 15;
    h *= 2246822519u;
    return h ^ h >> 13;
}

static uint64_t digest_add(uint64_t sum, uint64_t index, uint64_t value) {
    return sum + value * (index * 0x9E3779B97F4A7C15u + 1);
}

static vb_image picture(vb_mode mode, int width, int height, int seed) {
    vb_error err = {0};
    int bytes = vb_colour_mode_bytes(mode), channels = mode == VB_MODE_I || mode == VB_MODE_F ? 1 : bytes;
    vb_image image = {.mode = mode, .width = width, .height = height};
    image.pixels = vb_array((size_t)width * (size_t)height, (size_t)bytes, "test image", &err);
    assert_non_null(image.pixels);
    for (uint32_t i = 0; i < (uint32_t)(width * height * channels); i++) {
        uint32_t h = scramble(i, seed), c = i % (uint32_t)channels, x = i / (uint32_t)channels % (uint32_t)width;
        uint32_t y = i / (uint32_t)channels / (uint32_t)width;
        if (mode == VB_MODE_I) {
            int32_t level = (int32_t)(h >> 16);
            memcpy(image.pixels + 4 * i, &level, 4);
        } else if (mode == VB_MODE_F) {
            const float level = ((float)(h >> 16) - 9000.0f) / 64.0f;
            memcpy(image.pixels + 4 * i, &level, 4);
        } else if (mode == VB_MODE_1 || seed % 3 == 1) image.pixels[i] = (uint8_t)((h >> 31) * 255);
        else if (seed % 3 == 0) image.pixels[i] = (uint8_t)(h >> 24);
        else image.pixels[i] = (uint8_t)((x * 5 + y * 3 + c * 60) / 2 + (h >> 28));
    }
    for (uint32_t i = 0; i < 768; i++) image.palette[i] = (uint8_t)(scramble(i, 99) >> 24);
    return image;
}

static uint64_t digest_image(const vb_image *image) {
    uint64_t sum = 0;
    const bool wide = image->mode == VB_MODE_I || image->mode == VB_MODE_F;
    size_t samples = (size_t)image->width * (size_t)image->height * (size_t)(wide ? 1 : vb_colour_mode_bytes(image->mode));
    for (size_t i = 0; i < samples; i++) {
        int32_t level;
        if (wide) memcpy(&level, image->pixels + 4 * i, 4);
        else level = image->pixels[i];
        sum = digest_add(sum, i, image->mode == VB_MODE_F ? (uint32_t)level : (uint64_t)(int64_t)level);
    }
    return sum;
}

static void resizes_as_pillow(vb_isa isa) {
    vb_error err = {0};
    vb_isa_limit(isa);
    for (size_t i = 0; i < sizeof resize_cases / sizeof *resize_cases; i++) {
        const struct resize_case *c = &resize_cases[i];
        vb_image image = picture(c->mode, c->width, c->height, c->seed), out;
        vb_resize_to to = {.width = c->to_width,
                           .height = c->to_height,
                           .crop_width = c->to_width,
                           .crop_height = c->to_height,
                           .filter = c->filter};
        assert_ok(vb_resize(&image, &to, &out, &err));
        if (digest_image(&out) != c->digest)
            fail_msg("%s %dx%d to %dx%d, %s, at %s differs from Pillow", vb_colour_mode_name(c->mode), c->width, c->height,
                     c->to_width, c->to_height, vb_preprocess_filters[c->filter], vb_isa_name(vb_isa_level()));
        vb_free(out.pixels);
        vb_free(image.pixels);
    }
    vb_isa_limit(VB_VNNI);
}

static void resizes_as_pillow_scalar(void **state) {
    (void)state;
    resizes_as_pillow(VB_SCALAR);
}
static void resizes_as_pillow_vectors(void **state) {
    (void)state;
    resizes_as_pillow(VB_VNNI);
}

static void preprocesses_as_pillow(void **state) {
    (void)state;
    vb_error err = {0};
    for (size_t i = 0; i < sizeof square_cases / sizeof *square_cases; i++) {
        const struct square_case *c = &square_cases[i];
        vb_image image = picture(c->mode, c->width, c->height, c->seed);
        vb_preprocess spec = vb_preprocess_clip(c->resolution);
        spec.rgb_first = c->rgb_first;
        size_t count = 3 * (size_t)c->resolution * (size_t)c->resolution;
        float *out = vb_array(count, sizeof *out, "test", &err);
        assert_ok(vb_preprocess_image(&spec, &image, out, &err));
        uint64_t sum = 0;
        for (size_t k = 0; k < count; k++) {
            uint32_t bits;
            memcpy(&bits, &out[k], 4);
            sum = digest_add(sum, k, bits);
        }
        if (sum != c->digest)
            fail_msg("%s %dx%d at %d, rgb_first %d: differs from Pillow", vb_colour_mode_name(c->mode), c->width, c->height,
                     c->resolution, c->rgb_first);
        vb_free(out);
        vb_free(image.pixels);
    }
}

static uint64_t digest_pixels(const float *out, int resolution) {
    uint64_t sum = 0;
    for (size_t k = 0; k < 3 * (size_t)resolution * (size_t)resolution; k++) {
        uint32_t bits;
        memcpy(&bits, &out[k], 4);
        sum = digest_add(sum, k, bits);
    }
    return sum;
}

static void crops_from_more_as_pillow(void **state) {
    (void)state;
    vb_error err = {0};
    static float out[3 * 64 * 64];
    for (size_t i = 0; i < sizeof crop_cases / sizeof *crop_cases; i++) {
        const struct crop_case *c = &crop_cases[i];
        vb_image image = picture(c->mode, c->width, c->height, c->seed);
        vb_preprocess spec = vb_preprocess_clip(c->resolution);
        spec.resize_to = c->resize_to;
        spec.resize = c->squash ? VB_RESIZE_SQUASH : VB_RESIZE_SHORTEST;
        spec.crop = c->floor ? VB_CROP_FLOOR : VB_CROP_ROUND;
        spec.rgb_first = c->rgb_first;
        assert_ok(vb_preprocess_image(&spec, &image, out, &err));
        if (digest_pixels(out, c->resolution) != c->digest)
            fail_msg("%s %dx%d to %d, crop %d, squash %d, floor %d, rgb_first %d: differs from Pillow",
                     vb_colour_mode_name(c->mode), c->width, c->height, c->resize_to, c->resolution, c->squash, c->floor,
                     c->rgb_first);
        vb_free(image.pixels);
    }
    vb_image image = picture(VB_MODE_L, 20, 20, 3);
    vb_preprocess spec = {.resolution = 8, .resize_to = 7, .std = {1, 1, 1}};
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EMISMATCH, "resize to 7 before a crop to 8");
    spec = (vb_preprocess){.resolution = 8, .resize_to = 9, .resize = VB_RESIZE_LONGEST, .std = {1, 1, 1}};
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EMISMATCH, "with resize longest");
    vb_free(image.pixels);
}

/* A crop has the bits of the whole, at every place, also where vector loads would pass the end of the image. */
static void crops_are_parts_of_the_whole(void **state) {
    (void)state;
    vb_error err = {0};
    for (int n = 0; n < 400; n++) {
        uint32_t h = scramble((uint32_t)n, 7), g = scramble((uint32_t)n, 8);
        static const vb_mode modes[] = {VB_MODE_1,    VB_MODE_L,    VB_MODE_LA, VB_MODE_P, VB_MODE_RGB,
                                        VB_MODE_RGBA, VB_MODE_CMYK, VB_MODE_I,  VB_MODE_F, VB_MODE_PA};
        const vb_mode mode = modes[n % 10];
        int w = 1 + (int)(h % 40), t = 1 + (int)(h >> 8 & 31), ow = 1 + (int)(h >> 16 & 63), oh = 1 + (int)(h >> 24 & 31);
        vb_image image = picture(mode, w, t, n), whole, part;
        const vb_filter filter = n & 16 ? VB_FILTER_BILINEAR : VB_FILTER_BICUBIC;
        vb_resize_to all = {ow, oh, 0, 0, ow, oh, filter}, some = {.width = ow, .height = oh, .filter = filter};
        some.left = (int)(g % (uint32_t)ow);
        some.top = (int)((g >> 8) % (uint32_t)oh);
        some.crop_width = 1 + (int)((g >> 16 & 63) % (uint32_t)(ow - some.left));
        some.crop_height = 1 + (int)((g >> 24 & 63) % (uint32_t)(oh - some.top));
        vb_isa_limit(VB_SCALAR);
        assert_ok(vb_resize(&image, &all, &whole, &err));
        vb_isa_limit(VB_VNNI);
        assert_ok(vb_resize(&image, &some, &part, &err));
        size_t pixel = (size_t)vb_colour_mode_bytes(mode);
        for (int y = 0; y < some.crop_height; y++)
            assert_memory_equal(part.pixels + (size_t)(y * some.crop_width) * pixel,
                                whole.pixels + (size_t)((y + some.top) * ow + some.left) * pixel,
                                (size_t)some.crop_width * pixel);
        vb_free(part.pixels);
        vb_free(whole.pixels);
        vb_free(image.pixels);
    }
}

static void transparent_colours_survive_only_an_unchanged_size(void **state) {
    (void)state;
    vb_error err = {0};
    uint8_t pixels[4 * 4] = {200, 100, 50, 0, 200, 100, 50, 0, 200, 100, 50, 0, 200, 100, 50, 0};
    vb_image image = {.mode = VB_MODE_RGBA, .width = 2, .height = 2, .pixels = pixels};
    vb_preprocess spec = {.resolution = 2, .std = {1, 1, 1}};
    float out[3 * 9];
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    assert_true(out[0] == 200.0f / 255.0f);
    assert_true(out[11] == 50.0f / 255.0f);
    spec.resolution = 3;
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    assert_true(out[0] == 0.0f);
    spec.rgb_first = 1;
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    assert_true(out[0] == 200.0f / 255.0f);
}

/* The long side to 8: 4 x 8 pixels between columns of index 0, and RGB after that. A crop's offset is 3 of 7, or 4 where halves
 * of one go to even. */
static void shapes_are_planned_as_their_libraries_do(void **state) {
    (void)state;
    vb_error err = {0};
    float out[3 * 64];
    uint8_t pixels[5 * 9];
    memset(pixels, 7, sizeof pixels);
    vb_image image = {.mode = VB_MODE_P, .width = 5, .height = 9, .pixels = pixels};
    image.palette[0] = 51, image.palette[21] = 255;
    vb_preprocess spec = {.resolution = 8, .resize = VB_RESIZE_LONGEST, .std = {1, 1, 1}};
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    for (int x = 0; x < 8; x++) assert_true(out[8 + x] == (x >= 2 && x < 6 ? 1.0f : 0.2f));
    spec.rgb_first = true; /* the frame is black then */
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    for (int x = 0; x < 8; x++) assert_true(out[8 + x] == (x >= 2 && x < 6 ? 1.0f : 0.0f));
    /* 4.5 of 8 columns: Python's round() makes 4 of them. */
    uint8_t tall[9 * 16];
    memset(tall, 7, sizeof tall);
    image.width = 9, image.height = 16, image.pixels = tall;
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    for (int x = 0; x < 8; x++) assert_true(out[8 + x] == (x >= 2 && x < 6 ? 1.0f : 0.0f));
    /* Five too many columns, or rows: open_clip's center_crop_or_pad puts two before the image and three behind. */
    for (int across = 0; across < 2; across++) {
        image.width = across ? 3 : 8, image.height = across ? 8 : 3;
        assert_ok(vb_preprocess_image(&spec, &image, out, &err));
        for (int i = 0; i < 8; i++) assert_true(out[across ? 8 + i : 8 * i + 1] == (i >= 2 && i < 5 ? 1.0f : 0.0f));
    }
    image.width = 1, image.height = 45;
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EUNSUPPORTED, "0x8 at resolution 8");

    uint8_t line[15];
    for (int i = 0; i < 15; i++) line[i] = (uint8_t)i;
    vb_image wide = {.mode = VB_MODE_L, .width = 15, .height = 1, .pixels = line};
    for (int floor = 0; floor < 2; floor++) {
        vb_preprocess one = {.resolution = 1, .crop = floor ? VB_CROP_FLOOR : VB_CROP_ROUND, .std = {1, 1, 1}};
        wide.width = 4; /* 3 too many */
        assert_ok(vb_preprocess_image(&one, &wide, out, &err));
        assert_true(out[0] == (float)(floor ? 1 : 2) / 255.0f);
    }
}

static void levels_beyond_a_byte_are_clamped(void **state) {
    (void)state;
    int32_t levels[5] = {-7, 0, 77, 256, 65535};
    uint8_t rgb[15], truth[15] = {0, 0, 0, 0, 0, 0, 77, 77, 77, 255, 255, 255, 255, 255, 255};
    vb_image image = {.mode = VB_MODE_I, .width = 5, .height = 1, .pixels = (uint8_t *)levels};
    vb_colour_to_rgb(&image, rgb);
    assert_memory_equal(rgb, truth, sizeof truth);

    uint16_t words[5] = {0, 1, 77, 256, 65535};
    const uint8_t truth_16[15] = {0, 0, 0, 1, 1, 1, 77, 77, 77, 255, 255, 255, 255, 255, 255};
    image = (vb_image){.mode = VB_MODE_I16, .width = 5, .height = 1, .pixels = (uint8_t *)words};
    vb_colour_to_rgb(&image, rgb);
    assert_memory_equal(rgb, truth_16, sizeof truth_16);

    float reals[5] = {-0.5f, NAN, 77.9f, 254.99f, 1e30f};
    const uint8_t truth_real[15] = {0, 0, 0, 0, 0, 0, 77, 77, 77, 254, 254, 254, 255, 255, 255};
    image = (vb_image){.mode = VB_MODE_F, .width = 5, .height = 1, .pixels = (uint8_t *)reals};
    vb_colour_to_rgb(&image, rgb);
    assert_memory_equal(rgb, truth_real, sizeof truth_real);
}

/* Pillow: "image has wrong mode"; a copy is no resize, and RGB first is another mode. */
static void words_are_not_resized(void **state) {
    (void)state;
    vb_error err = {0};
    uint16_t levels[16];
    float out[3 * 16];
    for (int i = 0; i < 16; i++) levels[i] = (uint16_t)(i * 20);
    vb_image image = {.mode = VB_MODE_I16, .width = 4, .height = 4, .pixels = (uint8_t *)levels};
    vb_preprocess spec = {.resolution = 4, .std = {1, 1, 1}};
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    assert_true(out[1] == 20.0f / 255.0f && out[15] == 1.0f);
    spec.resolution = 2;
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EUNSUPPORTED, "I;16");
    for (int flat = 0; flat < 2; flat++) { /* nor where one side stays */
        const vb_preprocess squashed = {.resolution = 4, .resize = VB_RESIZE_SQUASH, .std = {1, 1, 1}};
        vb_image half = {.mode = VB_MODE_I16, .width = flat ? 4 : 2, .height = flat ? 2 : 4, .pixels = image.pixels};
        assert_fails(vb_preprocess_image(&squashed, &half, out, &err), VB_EUNSUPPORTED, "I;16");
    }
    spec.rgb_first = true;
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
}

/* Beside an edge the bicubic filter leaves the range of what it reads: no white becomes black by that. */
static void integers_stay_in_their_range(void **state) {
    (void)state;
    vb_error err = {0};
    int32_t levels[8] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
    for (int down = 0; down < 2; down++) {
        vb_image image = {.mode = VB_MODE_I, .width = down ? 1 : 8, .height = down ? 8 : 1, .pixels = (uint8_t *)levels}, out;
        const int width = down ? 1 : 16, height = down ? 16 : 1;
        assert_ok(vb_resize(&image, &(vb_resize_to){width, height, 0, 0, width, height, VB_FILTER_BICUBIC}, &out, &err));
        for (int i = 0; i < 16; i++) {
            int32_t level;
            memcpy(&level, out.pixels + 4 * i, sizeof level);
            assert_int_equal(level < 0, i < 8);
            if (i == 5 || i == 10) assert_int_equal(level, i < 8 ? INT32_MIN : INT32_MAX); /* beyond it before it is clamped */
        }
        vb_free(out.pixels);
    }
}

static void description_tells_specifications_apart(void **state) {
    (void)state;
    enum { SPECS = 13 };
    char texts[SPECS][512];
    vb_preprocess specs[SPECS];
    for (int i = 0; i < SPECS; i++) specs[i] = vb_preprocess_clip(224);
    specs[1].resolution = 225;
    specs[2].rgb_first = 1;
    specs[3].mean[1] = nextafterf(specs[3].mean[1], 1);
    specs[4].std[2] = nextafterf(specs[4].std[2], 1);
    specs[5].mean[0] = 0;
    specs[6].resize = VB_RESIZE_SQUASH;
    specs[7].resize = VB_RESIZE_LONGEST;
    specs[8].filter = VB_FILTER_BILINEAR;
    specs[9].crop = VB_CROP_FLOOR;
    specs[10].resize_to = 256;
    specs[11] = specs[12] = specs[6];
    specs[11].resize_to = specs[12].resize_to = 256;
    specs[12].crop = VB_CROP_FLOOR;
    for (int i = 0; i < SPECS; i++) {
        vb_preprocess_describe(&specs[i], texts[i], sizeof texts[i]);
        assert_null(strchr(texts[i], '\n'));
        for (int j = 0; j < i; j++) assert_string_not_equal(texts[i], texts[j]);
    }
    /* A crop's offset is nothing without a crop; the words under which embeddings of CLIP's preprocessing are cached. */
    specs[6].crop = VB_CROP_FLOOR;
    vb_preprocess_describe(&specs[6], texts[0], sizeof texts[0]);
    assert_string_equal(texts[0], texts[6]);
    vb_preprocess_describe(&specs[0], texts[0], sizeof texts[0]);
    assert_string_equal(texts[0], "pillow-9.4 bicubic short side 224, own mode then RGB, centre crop 224x224, mean 0.48145467 "
                                  "0.457827508 0.408210725, std 0.268629551 0.26130259 0.275777102");
    char small[8];
    memset(small, 'x', sizeof small);
    vb_preprocess_describe(&specs[0], small, 4);
    assert_memory_equal(small, "pil\0xxxx", 8);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    vb_error err = {0};
    uint8_t pixels[12] = {0};
    float out[3 * 16];
    vb_preprocess spec = vb_preprocess_clip(4);
    vb_image image = {.mode = VB_MODE_RGB, .width = 2, .height = 2, .pixels = pixels}, result;
    vb_image empty = {.mode = VB_MODE_RGB, .pixels = pixels}, none = {.mode = VB_MODE_RGB, .width = 2, .height = 2};
    assert_fails(vb_preprocess_image(&spec, &empty, out, &err), VB_EDATA, "0x0");
    assert_fails(vb_preprocess_image(&spec, &none, out, &err), VB_EDATA, "2x2");
    for (int i = 0; i < 3; i++) {
        spec.resolution = (int[]){0, -1, 1 << 20}[i];
        assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EMISMATCH, "resolution");
    }
    vb_resize_to bad[] = {{4, 4, -1, 0, 4, 4, 0}, {4, 4, 0, -1, 4, 4, 0}, {4, 4, 1, 0, 4, 4, 0}, {4, 4, 0, 1, 4, 4, 0},
                          {4, 4, 0, 0, 0, 4, 0},  {4, 4, 0, 0, 4, 0, 0},  {0, 4, 0, 0, 1, 4, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_fails(vb_resize(&image, &bad[i], &result, &err), VB_EINTERNAL, "contradiction");
        assert_null(result.pixels);
    }
    assert_fails(vb_resize(&none, &(vb_resize_to){4, 4, 0, 0, 4, 4, 0}, &result, &err), VB_EINTERNAL,
                 "resize of an image without pixels");
    image.mode = (vb_mode)77;
    assert_fails(vb_resize(&image, &(vb_resize_to){4, 4, 0, 0, 4, 4, 0}, &result, &err), VB_EINTERNAL, "mode ?");

    /* A line of 2^24 pixels would become one of 2^24 x 224. */
    vb_image line = picture(VB_MODE_L, 1 << 24, 1, 3);
    spec = vb_preprocess_clip(224);
    assert_fails(vb_preprocess_image(&spec, &line, out, &err), VB_EUNSUPPORTED, "3758096384 pixels long");
    spec.resolution = 2;
    assert_ok(vb_preprocess_image(&spec, &line, out, &err));
    vb_free(line.pixels);
}

/* Whoever bounds the memory for decoding adds up what is planned: no less than is taken, and not much more. */
static void memory_is_planned_as_it_is_taken(void **state) {
    (void)state;
    static const int sizes[][2] = {{4000, 3000}, {37, 4001}, {5003, 41}, {300, 224}, {224, 224}, {90, 70}};
    static const vb_mode modes[] = {VB_MODE_RGB, VB_MODE_L, VB_MODE_RGBA, VB_MODE_CMYK};
    const vb_preprocess clip = vb_preprocess_clip(224);
    vb_preprocess squashed = clip, framed = clip, bilinear = clip, first = clip;
    squashed.resize = VB_RESIZE_SQUASH, framed.resize = VB_RESIZE_LONGEST, bilinear.filter = VB_FILTER_BILINEAR;
    first.rgb_first = true;
    const vb_preprocess *const specs[] = {&clip, &squashed, &framed, &bilinear, &first};
    for (int i = 0; i < 5 * 6 * 4; i++) {
        vb_error err = {0};
        vb_preprocess_rows rows;
        const vb_preprocess *spec = specs[i / 24];
        const int *size = sizes[i / 4 % 6];
        const vb_image head = {.mode = modes[i % 4], .width = size[0], .height = size[1]};
        const uint64_t planned = vb_preprocess_bytes(spec, &head);
        const struct mallinfo2 before = mallinfo2();
        assert_ok(vb_preprocess_begin(&rows, spec, &head, &err));
        const struct mallinfo2 after = mallinfo2();
        const uint64_t taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd; /* 0: another allocator's */
        const uint64_t later = 4 * 224 * 224 + 3 * (uint64_t)size[0], rgb = 3 * 224 * 224;
        if (taken + later > planned || (taken && planned > taken + taken / 2 + later + rgb + 20000))
            fail_msg("%dx%d, mode %d, specification %d: %llu bytes taken, %llu planned", size[0], size[1], (int)head.mode, i / 24,
                     (unsigned long long)taken, (unsigned long long)planned);
        vb_preprocess_free(&rows);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    vb_error err = {0};
    float out[3 * 64];
    static const vb_mode modes[] = {VB_MODE_RGBA, VB_MODE_P, VB_MODE_I, VB_MODE_CMYK};
    for (size_t i = 0; i < 4 * sizeof modes / sizeof *modes; i++) {
        vb_image image = picture(modes[i / 4], 20, 30, 3);
        vb_preprocess spec = vb_preprocess_clip(8);
        spec.rgb_first = i & 1;
        spec.resize = i & 2 ? VB_RESIZE_LONGEST : VB_RESIZE_SHORTEST;
        int n = 1, status = -1;
        for (; status && n < 50; n++) {
            char fault[32];
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
            assert_int_equal(vb_fault_setup(fault, 0), 0);
            err.code = 0;
            status = vb_preprocess_image(&spec, &image, out, &err);
            vb_fault_setup(NULL, 0);
            assert_int_equal(err.code, status ? VB_EMEMORY : VB_OK);
        }
        assert_in_range(n, 4, 40);
        assert_int_equal(status, 0);
        vb_free(image.pixels);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(resizes_as_pillow_scalar),
                                       cmocka_unit_test(resizes_as_pillow_vectors),
                                       cmocka_unit_test(preprocesses_as_pillow),
                                       cmocka_unit_test(crops_from_more_as_pillow),
                                       cmocka_unit_test(crops_are_parts_of_the_whole),
                                       cmocka_unit_test(shapes_are_planned_as_their_libraries_do),
                                       cmocka_unit_test(transparent_colours_survive_only_an_unchanged_size),
                                       cmocka_unit_test(levels_beyond_a_byte_are_clamped),
                                       cmocka_unit_test(words_are_not_resized),
                                       cmocka_unit_test(integers_stay_in_their_range),
                                       cmocka_unit_test(description_tells_specifications_apart),
                                       cmocka_unit_test(nonsense_is_refused),
                                       cmocka_unit_test(memory_is_planned_as_it_is_taken),
                                       cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
