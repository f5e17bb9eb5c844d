/* Test tool: small images, CIFAR binaries, random CLIP weights and a byte tokenizer, so that the shell tests need no downloaded
 * data. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

static const char *const names[] = {"apple",   "bear",     "chair", "dolphin",    "elephant", "forest",    "girl",
                                    "hamster", "keyboard", "lamp",  "maple tree", "orange",   "palm tree", "rabbit",
                                    "sea",     "table",    "train", "whale",      "wolf",     "worm"};
enum { NAMES = sizeof names / sizeof *names };

static uint64_t state = 1;
static uint32_t next(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}
static float uniform(void) { return (float)next() / (float)(1u << 30) - 1; } /* [-1, 1) */

static FILE *create(const char *path) {
    FILE *file = fopen(path, "wb");
    if (file) return file;
    perror(path);
    exit(2);
}

static void folder(const char *path) {
    if (!mkdir(path, 0777) || errno == EEXIST) return;
    perror(path);
    exit(2);
}

/* ---- images ---- */

/* A tilted gradient of two colours with some noise: different for every call, and a photograph to a codec. */
static void paint(uint8_t *pixels, int width, int height) {
    uint32_t from[3], to[3], tilt = next() % 100;
    for (int c = 0; c < 3; c++) from[c] = next() % 256, to[c] = next() % 256;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                uint32_t at = ((uint32_t)x * tilt / (uint32_t)width + (uint32_t)y * (100 - tilt) / (uint32_t)height);
                *pixels++ = (uint8_t)((from[c] * (100 - at) + to[c] * at) * 230 / 255 / 100 + next() % 25);
            }
}

static void write_png(const char *path, uint8_t *pixels, int width, int height) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL)) return;
    fprintf(stderr, "%s: %s\n", path, image.message);
    exit(2);
}

static void write_jpeg(const char *path, uint8_t *pixels, int width, int height) {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    FILE *file = create(path);
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_stdio_dest(&codec, file);
    codec.image_width = (JDIMENSION)width;
    codec.image_height = (JDIMENSION)height;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_start_compress(&codec, TRUE);
    while (codec.next_scanline < codec.image_height) {
        JSAMPROW row = pixels + codec.next_scanline * 3 * (JDIMENSION)width;
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    fclose(file);
}

static void make_images(const char *root, int classes, int each) {
    static uint8_t pixels[80 * 80 * 3];
    folder(root);
    for (int c = 0; c < classes; c++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", root, names[c]);
        folder(path);
        for (int i = 0; i < each; i++) {
            int width = 24 + (int)(next() % 50), height = 24 + (int)(next() % 50), jpeg = (c + i) % 2;
            paint(pixels, width, height);
            snprintf(path, sizeof path, "%s/%s/%03d.%s", root, names[c], i, jpeg ? "jpg" : "png");
            (jpeg ? write_jpeg : write_png)(path, pixels, width, height);
        }
    }
}

/* CIFAR-100's layout: a coarse label, a fine label, 3 x 32 x 32 bytes. */
static void make_cifar(const char *path, int classes, int records) {
    static uint8_t pixels[32 * 32 * 3], planes[32 * 32 * 3];
    FILE *file = create(path);
    for (int i = 0; i < records; i++) {
        paint(pixels, 32, 32);
        for (int p = 0; p < 32 * 32; p++)
            for (int c = 0; c < 3; c++) planes[c * 1024 + p] = pixels[3 * p + c];
        fputc(i % classes / 5, file);
        fputc(i % classes, file);
        fwrite(planes, 1, sizeof planes, file);
    }
    fclose(file);
    char beside[4096];
    const char *slash = strrchr(path, '/');
    snprintf(beside, sizeof beside, "%.*sfine_label_names.txt", slash ? (int)(slash - path) + 1 : 0, path);
    file = create(beside);
    for (int c = 0; c < 100; c++) /* the format has a hundred of them */
        if (c < NAMES) fprintf(file, "%s\n", names[c]);
        else fprintf(file, "nothing %d\n", c);
    fclose(file);
}

/* ---- weights: one pass for the header, one for the data ---- */

enum { WIDTH = 64, LAYERS = 2, EMBED = 32, VOCABULARY = 515, CONTEXT = 32, RESOLUTION = 32, PATCH = 8 };

typedef struct output {
    FILE *file;
    int header; /* the first pass */
    char *text;
    size_t filled, offset;
} output;

static void tensor(output *out, const char *name, int a, int b, int c, int d, float scale, float around) {
    size_t count = (size_t)a * (size_t)(b ? b : 1) * (size_t)(c ? c : 1) * (size_t)(d ? d : 1);
    if (out->header) {
        char shape[64];
        int n = snprintf(shape, sizeof shape, "%d", a);
        if (b) n += snprintf(shape + n, sizeof shape - (size_t)n, ",%d", b);
        if (c) snprintf(shape + n, sizeof shape - (size_t)n, ",%d,%d", c, d);
        out->filled +=
            (size_t)sprintf(out->text + out->filled, "%c\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                            out->filled ? ',' : '{', name, shape, out->offset, out->offset + 4 * count);
        out->offset += 4 * count;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        float value = around + scale * uniform();
        fwrite(&value, 4, 1, out->file);
    }
}

static void blocks(output *out, const char *prefix) {
    for (int i = 0; i < LAYERS; i++) {
        static const struct {
            const char *name;
            int rows, columns;
            float around;
        } parts[] = {{"attn.in_proj_weight", 3 * WIDTH, WIDTH, 0},
                     {"attn.in_proj_bias", 3 * WIDTH, 0, 0},
                     {"attn.out_proj.weight", WIDTH, WIDTH, 0},
                     {"attn.out_proj.bias", WIDTH, 0, 0},
                     {"ln_1.weight", WIDTH, 0, 1},
                     {"ln_1.bias", WIDTH, 0, 0},
                     {"ln_2.weight", WIDTH, 0, 1},
                     {"ln_2.bias", WIDTH, 0, 0},
                     {"mlp.c_fc.weight", 4 * WIDTH, WIDTH, 0},
                     {"mlp.c_fc.bias", 4 * WIDTH, 0, 0},
                     {"mlp.c_proj.weight", WIDTH, 4 * WIDTH, 0},
                     {"mlp.c_proj.bias", WIDTH, 0, 0}};
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            char name[128];
            snprintf(name, sizeof name, "%stransformer.resblocks.%d.%s", prefix, i, parts[p].name);
            tensor(out, name, parts[p].rows, parts[p].columns, 0, 0, 0.15f, parts[p].around);
        }
    }
}

/* `extra`: a tensor more, under that name. */
static void make_model(const char *path, int vocabulary, const char *extra) {
    static char text[1 << 16];
    output out = {.text = text};
    for (out.header = 1; out.header >= 0; out.header--) {
        if (!out.header) {
            text[out.filled++] = '}';
            uint64_t size = out.filled;
            out.file = create(path);
            fwrite(&size, 8, 1, out.file);
            fwrite(text, 1, size, out.file);
        }
        tensor(&out, "logit_scale", 1, 0, 0, 0, 0, 4.6f);
        tensor(&out, "visual.class_embedding", WIDTH, 0, 0, 0, 0.3f, 0);
        tensor(&out, "visual.positional_embedding", 1 + RESOLUTION / PATCH * RESOLUTION / PATCH, WIDTH, 0, 0, 0.1f, 0);
        tensor(&out, "visual.proj", WIDTH, EMBED, 0, 0, 0.2f, 0);
        tensor(&out, "visual.conv1.weight", WIDTH, 3, PATCH, PATCH, 0.1f, 0);
        tensor(&out, "visual.ln_pre.weight", WIDTH, 0, 0, 0, 0.1f, 1);
        tensor(&out, "visual.ln_pre.bias", WIDTH, 0, 0, 0, 0.1f, 0);
        tensor(&out, "visual.ln_post.weight", WIDTH, 0, 0, 0, 0.1f, 1);
        tensor(&out, "visual.ln_post.bias", WIDTH, 0, 0, 0, 0.1f, 0);
        blocks(&out, "visual.");
        blocks(&out, "");
        tensor(&out, "token_embedding.weight", vocabulary, WIDTH, 0, 0, 0.3f, 0);
        tensor(&out, "positional_embedding", CONTEXT, WIDTH, 0, 0, 0.1f, 0);
        tensor(&out, "ln_final.weight", WIDTH, 0, 0, 0, 0.1f, 1);
        tensor(&out, "ln_final.bias", WIDTH, 0, 0, 0, 0.1f, 0);
        tensor(&out, "text_projection", WIDTH, EMBED, 0, 0, 0.2f, 0);
        if (extra) tensor(&out, extra, WIDTH, 0, 0, 0, 0.1f, 0);
    }
    fclose(out.file);
}

/* Hugging Face's pair with one merge only: the 256 bytes, the same at the end of a word, "an", start and end. */
static void make_tokenizer(const char *root) {
    char path[4096];
    folder(root);
    snprintf(path, sizeof path, "%s/merges.txt", root);
    FILE *file = create(path);
    fprintf(file, "#version: 0.2\na n\n");
    fclose(file);
    snprintf(path, sizeof path, "%s/vocab.json", root);
    file = create(path);
    for (int end = 0; end < 2; end++)
        for (int byte = 0, other = 256; byte < 256; byte++) {
            int printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
            fprintf(file, "%s\"\\u%04x%s\": %d", byte || end ? ", " : "{", printable ? byte : other++, end ? "</w>" : "",
                    256 * end + byte);
        }
    fprintf(file, ", \"an\": 512, \"<|startoftext|>\": 513, \"<|endoftext|>\": 514}\n");
    fclose(file);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    int first = argc > 3 ? atoi(argv[3]) : 0, second = argc > 4 ? atoi(argv[4]) : 0;
    state += (uint64_t)what[0];
    if (!strcmp(what, "images") && first > 0 && first <= NAMES) make_images(argv[2], first, second);
    else if (!strcmp(what, "cifar") && first > 0 && first <= NAMES) make_cifar(argv[2], first, second);
    else if (!strcmp(what, "model")) make_model(argv[2], first ? first : VOCABULARY, argc > 4 ? argv[4] : NULL);
    else if (!strcmp(what, "tokenizer")) make_tokenizer(argv[2]);
    else {
        fprintf(
            stderr,
            "usage: make_data images DIR CLASSES EACH | cifar FILE CLASSES RECORDS | model FILE [VOCABULARY [EXTRA_TENSOR]] |\n"
            "  tokenizer DIR\n");
        return 2;
    }
    return 0;
}
