/* Demo tool: the pictures of a colour emoji font as class folders, Unicode's subgroups as vocabularies. emoji FONT TEST-FILE
 * FOLDER
 *
 * FOLDER/images/1F600/picture.png    an emoji of one code point (a variation selector aside), on white, in a square
 * FOLDER/vocabularies.yaml           a vocabulary a subgroup of at least LEAST pictures, a class an emoji: its code point and
 * name FOLDER/names.txt                   the names of all emoji that the file lists without skin tone, one a line
 *
 * FONT has its pictures as PNG (CBDT/CBLC); TEST-FILE is Unicode's emoji-test.txt. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include <png.h>

enum { LEAST = 5, MOST_EMOJI = 8192, NAME = 128, LARGEST = 1024 };

typedef struct emoji {
    unsigned long code;
    char name[NAME], subgroup[NAME];
} emoji;

static int fail(const char *place, const char *what) {
    fprintf(stderr, "emoji: %s: %s\n", place, what);
    return -1;
}

static int make_folder(const char *path) { return mkdir(path, 0777) && errno != EEXIST ? fail(path, strerror(errno)) : 0; }

/* ---- the list ---- */

/* The only code point of "263A FE0F    ; ..." but for U+FE0F; 0 if there are several. */
static unsigned long single_code(const char *line) {
    unsigned long found = 0;
    char *end;
    for (const char *at = line;; at = end) {
        unsigned long code = strtoul(at, &end, 16);
        if (end == at) return found;
        if (code == 0xFE0F) continue;
        if (found) return 0;
        found = code;
    }
}

/* The name in "...; fully-qualified     # \U0001F600 E1.0 grinning face": what follows the version. NULL if it is not such a
 * line. */
static char *name_of(char *line) {
    char *status = strchr(line, ';'), *comment = status ? strstr(status, "# ") : NULL;
    if (!comment || strncmp(status, "; fully-qualified", 17)) return NULL;
    char *version = strstr(comment, " E"), *name = version ? strchr(version + 2, ' ') : NULL;
    return name && name[1] ? name + 1 : NULL;
}

static int copy_name(char *to, const char *from, const char *path, int number) {
    char place[600];
    snprintf(place, sizeof place, "%.500s:%d", path, number);
    if (strlen(from) >= NAME) return fail(place, "a name of more than 127 bytes");
    if (strpbrk(from, "\"\\\t\r")) return fail(place, "a name with a quotation mark, a backslash or a control character");
    strcpy(to, from);
    return 0;
}

/* Emoji of one code point in the file's order; every name without a skin tone also goes to `names`. Returns how many, or -1. */
static int read_list(const char *path, FT_Face face, emoji *list, FILE *names) {
    FILE *file = fopen(path, "r");
    if (!file) return fail(path, strerror(errno));
    char line[1024], subgroup[NAME] = "", name[NAME];
    int count = 0, number = 0, missing = 0, status = 0;
    while (!status && fgets(line, sizeof line, file)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "# subgroup: ", 12)) status = copy_name(subgroup, line + 12, path, number);
        const char *found = name_of(line);
        if (status || !found || strstr(found, "skin tone")) continue;
        if ((status = copy_name(name, found, path, number))) break;
        fprintf(names, "%s\n", name);
        unsigned long code = single_code(line);
        if (!code) continue;
        if (!FT_Get_Char_Index(face, code)) {
            missing++;
            continue;
        }
        if (count == MOST_EMOJI) status = fail(path, "more than 8192 emoji of one code point");
        else if (!*subgroup) status = fail(path, "an emoji before the first '# subgroup: ', expected Unicode's emoji-test.txt");
        if (status) break;
        list[count].code = code;
        strcpy(list[count].name, name);
        strcpy(list[count++].subgroup, subgroup);
    }
    if (!status && ferror(file)) status = fail(path, strerror(errno));
    fclose(file);
    if (!status && !count) status = fail(path, "no emoji of one code point that the font has, expected Unicode's emoji-test.txt");
    if (!status && missing) printf("%d emoji of the list are not in the font and left out\n", missing);
    return status ? -1 : count;
}

/* ---- a picture ---- */

/* The premultiplied BGRA bitmap on a white square of its longer side. */
static int write_picture(const char *path, const FT_Bitmap *bitmap) {
    unsigned width = bitmap->width, height = bitmap->rows, side = width > height ? width : height;
    if (bitmap->pixel_mode != FT_PIXEL_MODE_BGRA) return fail(path, "the font has no colour picture of it");
    if (!side || side > LARGEST || bitmap->pitch < 0)
        return fail(path, "the font's picture of it is empty or larger than 1024 pixels");
    uint8_t *square = malloc((size_t)side * side * 3);
    if (!square) return fail(path, "out of memory");
    memset(square, 255, (size_t)side * side * 3);
    unsigned left = (side - width) / 2, top = (side - height) / 2;
    for (unsigned y = 0; y < height; y++) {
        const uint8_t *from = bitmap->buffer + (size_t)y * (size_t)bitmap->pitch;
        uint8_t *to = square + ((size_t)(top + y) * side + left) * 3;
        for (unsigned x = 0; x < width; x++, from += 4, to += 3)
            for (int c = 0; c < 3; c++) {
                int value = from[2 - c] + 255 - from[3];
                to[c] = (uint8_t)(value > 255 ? 255 : value);
            }
    }
    png_image image = {.version = PNG_IMAGE_VERSION, .width = side, .height = side, .format = PNG_FORMAT_RGB};
    int written = png_image_write_to_file(&image, path, 0, square, 0, NULL);
    free(square);
    return written ? 0 : fail(path, image.message);
}

static int write_pictures(FT_Face face, const char *folder, const emoji *list, const int *kept, int count) {
    char path[4096];
    for (int i = 0; i < count; i++) {
        if (!kept[i]) continue;
        snprintf(path, sizeof path, "%.4000s/images/%04lX", folder, list[i].code);
        if (make_folder(path)) return -1;
        snprintf(path, sizeof path, "%.4000s/images/%04lX/picture.png", folder, list[i].code);
        if (FT_Load_Char(face, list[i].code, FT_LOAD_COLOR)) return fail(path, "FreeType cannot read the font's picture of it");
        if (write_picture(path, &face->glyph->bitmap)) return -1;
    }
    return 0;
}

/* ---- the vocabularies ---- */

static int size_of(const emoji *list, int count, const char *subgroup) {
    int size = 0;
    for (int i = 0; i < count; i++) size += !strcmp(list[i].subgroup, subgroup);
    return size;
}

/* Also sets kept[i] for the emoji that have a vocabulary. */
static int write_vocabularies(const char *folder, const emoji *list, int *kept, int count) {
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/vocabularies.yaml", folder);
    FILE *file = fopen(path, "w");
    if (!file) return fail(path, strerror(errno));
    int vocabularies = 0, classes = 0, small = 0;
    fprintf(file, "name: emoji\nvocabularies:\n");
    for (int i = 0; i < count; i++) {
        const char *subgroup = list[i].subgroup;
        int first = !i || strcmp(subgroup, list[i - 1].subgroup);
        kept[i] = size_of(list, count, subgroup) >= LEAST;
        small += !kept[i];
        if (!kept[i]) continue;
        if (first) fprintf(file, "  %s:\n", subgroup);
        fprintf(file, "    - {id: \"%04lX\", name: \"%s\"}\n", list[i].code, list[i].name);
        vocabularies += first;
        classes++;
    }
    if (fclose(file)) return fail(path, strerror(errno));
    if (vocabularies < 2) return fail(path, "fewer than two subgroups of five emoji");
    printf("%d pictures in %d vocabularies; %d in subgroups of less than %d are left out\n", classes, vocabularies, small, LEAST);
    return 0;
}

static emoji list[MOST_EMOJI];
static int kept[MOST_EMOJI];

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: emoji FONT EMOJI-TEST.TXT FOLDER\n");
        return 2;
    }
    const char *folder = argv[3];
    char path[4096];
    FT_Library library;
    FT_Face face;
    if (FT_Init_FreeType(&library)) return fail("FreeType", "does not start") ? 1 : 0;
    int status = 1;
    if (FT_New_Face(library, argv[1], 0, &face)) {
        fail(argv[1], "not there, or no font that FreeType reads (Debian: fonts-noto-color-emoji)");
        FT_Done_FreeType(library);
        return 1;
    }
    snprintf(path, sizeof path, "%.4000s/images", folder);
    if (!FT_HAS_COLOR(face) || !face->num_fixed_sizes || FT_Select_Size(face, 0)) fail(argv[1], "a font without colour pictures");
    else if (!make_folder(folder) && !make_folder(path)) {
        snprintf(path, sizeof path, "%.4000s/names.txt", folder);
        FILE *names = fopen(path, "w");
        int count = names ? read_list(argv[2], face, list, names) : fail(path, strerror(errno));
        if (names && fclose(names)) count = fail(path, strerror(errno));
        if (count > 0 && !write_vocabularies(folder, list, kept, count) && !write_pictures(face, folder, list, kept, count))
            status = 0;
    }
    FT_Done_Face(face);
    FT_Done_FreeType(library);
    return status;
}
