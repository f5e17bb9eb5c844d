/* Small copies of images for pages: shape, colour, memory. */
#include "kernels/base/fault.h"
#include "kernels/image/colour.h"
#include "shards/images/image.h"
#include "shards/images/thumbnail.h"
#include "tests/unit/vb_test.h"

/* One colour all over: a copy has it, too, whatever JPEG does. */
static void check_flat(vb_mode mode, const uint8_t *pixel, int width, int height, int side, int small_width, int small_height,
                       const uint8_t *rgb) {
    vb_error err = {0};
    int bytes = vb_colour_mode_bytes(mode), w, h;
    vb_image image = {.mode = mode, .width = width, .height = height}, back;
    image.pixels = vb_array((size_t)width * (size_t)height, (size_t)bytes, "test", &err);
    assert_non_null(image.pixels);
    for (int i = 0; i < width * height * bytes; i++) image.pixels[i] = pixel[i % bytes];
    uint8_t *jpeg;
    size_t size;
    assert_ok(vb_thumbnail(&image, side, &jpeg, &size, &w, &h, &err));
    assert_int_equal(w, small_width);
    assert_int_equal(h, small_height);
    assert_ok(vb_image_decode(&back, jpeg, size, "thumbnail", &err));
    assert_int_equal(back.mode, VB_MODE_RGB);
    assert_int_equal(back.width, w);
    assert_int_equal(back.height, h);
    for (int i = 0; i < w * h * 3; i++)
        if (abs(back.pixels[i] - rgb[i % 3]) > 4)
            fail_msg("mode %s: byte %d is %d, expected %d", vb_colour_mode_name(mode), i, back.pixels[i], rgb[i % 3]);
    vb_free(back.pixels);
    vb_free(jpeg);
    vb_free(image.pixels);
}

static void thumbnails_keep_shape_and_colour(void **state) {
    (void)state;
    const uint8_t red[] = {200, 40, 30}, grey[] = {90, 90, 90};
    check_flat(VB_MODE_RGB, red, 32, 32, 112, 32, 32, red); /* never enlarged */
    check_flat(VB_MODE_RGB, red, 400, 300, 112, 112, 84, red);
    check_flat(VB_MODE_RGB, red, 5, 1000, 112, 1, 112, red); /* 0.56 pixels wide */
    check_flat(VB_MODE_RGB, red, 3, 3000, 100, 1, 100, red); /* 0.1 pixels: one all the same */
    check_flat(VB_MODE_L, grey, 200, 100, 50, 50, 25, grey);
    check_flat(VB_MODE_RGBA, (const uint8_t[]){200, 40, 30, 0}, 64, 64, 32, 32, 32, (const uint8_t[]){255, 255, 255});
    check_flat(VB_MODE_RGBA, (const uint8_t[]){200, 40, 30, 51}, 64, 64, 32, 32, 32, (const uint8_t[]){244, 212, 210});
    check_flat(VB_MODE_LA, (const uint8_t[]){90, 255}, 64, 64, 32, 32, 32, grey);
}

static void thumbnails_grow_and_run_out_of_memory(void **state) {
    (void)state;
    vb_error err = {0};
    vb_image image = {.mode = VB_MODE_RGB, .width = 300, .height = 300}, back;
    image.pixels = vb_array(300 * 300, 3, "test", &err);
    for (uint32_t i = 0; i < 270000; i++)
        image.pixels[i] = (uint8_t)(i * i * 2654435761u >> 13); /* noise: a file of many pieces */
    uint8_t *jpeg;
    size_t size;
    int w, h;
    assert_ok(vb_thumbnail(&image, 300, &jpeg, &size, &w, &h, &err));
    assert_true(size > 40000);
    assert_ok(vb_image_decode(&back, jpeg, size, "noise", &err));
    vb_free(back.pixels);
    vb_free(jpeg);
    int n = 1;
    for (int status = -1; status; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        vb_error_clear(&err);
        status = vb_thumbnail(&image, 150, &jpeg, &size, &w, &h, &err);
        vb_fault_setup(NULL, 0);
        if (status) {
            assert_int_equal(err.code, VB_EMEMORY);
            assert_null(jpeg);
        } else vb_free(jpeg);
        assert_in_range(n, 1, 30);
    }
    assert_in_range(n, 4, 30);
    vb_free(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(thumbnails_keep_shape_and_colour),
                                       cmocka_unit_test(thumbnails_grow_and_run_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
