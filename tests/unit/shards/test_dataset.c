/* Tests of datasets: folders and WebDataset shards, their labels, units, and what is wrong with them. */
#include "kernels/base/fault.h"
#include "tests/unit/dataset_files.h"
#include "shards/datasets/dataset.h"
#include "shards/datasets/dataset_index.h"
#include "shards/files/file.h"
#include "shards/files/path.h"
#include "shards/files/tar.h"
#include "shards/files/zst.h"

static vb_error err;

/* ---- building data ---- */

static int to_zst(void *context, const void *bytes, size_t size, vb_error *error) {
    return vb_zst_writer_write(context, bytes, size, error);
}

/* "label name size;" of every sample, units in decreasing order when `backwards`. */
static void describe(const vb_dataset *dataset, char *text, size_t room, bool backwards) {
    text[0] = 0;
    char *part = vb_array(room, 1, "text", NULL);
    for (int64_t u = 0; u < vb_dataset_units(dataset); u++) {
        int64_t unit = backwards ? vb_dataset_units(dataset) - 1 - u : u;
        vb_unit_data data, labels;
        assert_ok(vb_dataset_read_unit(dataset, unit, &data, &err));
        assert_ok(vb_dataset_read_unit_labels(dataset, unit, &labels, &err));
        vb_unit_range range = vb_dataset_unit(dataset, unit);
        assert_int_equal(range.count, data.count);
        assert_int_equal(range.count, labels.count);
        for (int i = 0; i < range.count; i++) assert_int_equal(vb_dataset_unit_of(dataset, range.first + i), unit);
        part[0] = 0;
        for (int i = 0; i < data.count; i++) {
            const vb_sample *sample = &data.samples[i];
            assert_string_equal(sample->name, labels.samples[i].name);
            assert_int_equal(sample->label, labels.samples[i].label);
            assert_null(labels.samples[i].bytes);
            size_t n = strlen(part);
            snprintf(part + n, room - n, "%s %s %.*s;", sample->label < 0 ? "-" : vb_dataset_label(dataset, sample->label),
                     sample->name, sample->raw_width ? 0 : (int)sample->size, (const char *)sample->bytes);
        }
        size_t n = strlen(text), m = strlen(part);
        if (backwards) memmove(text + m, text, n + 1), memcpy(text, part, m);
        else memcpy(text + n, part, m + 1);
        vb_dataset_unit_free(&data);
        vb_dataset_unit_free(&labels);
    }
    vb_free(part);
}

static size_t open_descriptors(void) {
    vb_strings list;
    assert_ok(vb_path_list_folder(&list, "/proc/self/fd", &err));
    const size_t count = list.count;
    vb_strings_free(&list);
    return count;
}

static void check(const char *images, const char *names, const char *kind, const char *expected) {
    char path[1024], text[8192];
    vb_dataset *dataset;
    const size_t before = open_descriptors();
    snprintf(path, sizeof path, "%s/%s", scratch, images);
    assert_ok(vb_dataset_open(&dataset, path, names, &err));
    assert_string_equal(vb_dataset_kind(dataset), kind);
    describe(dataset, text, sizeof text, false);
    assert_string_equal(text, expected);
    vb_dataset_close(dataset);
    assert_int_equal(open_descriptors(), before);
}

/* ---- folders ---- */

static void class_folders(void **state) {
    (void)state;
    char path[1024], target[1024];
    put_text("c/cat/2.jpg", "c2");
    put_text("c/cat/1.PNG", "c1");
    put_text("c/cat/notes.txt", "-");
    put_text("c/cat/.hidden.jpg", "-");
    put_text("c/ant/deep/er/x.webp", "ax");
    put_text("c/ant-hill/x.jpeg", "hx");
    put_text("c/.git/x.jpg", "-");
    put_text("c/readme.md", "-");
    put_text("c/cat/Thumbs.db", "-");
    put_text("c/cat/.DS_Store", "-");
    put_text("c/cat/desktop.INI", "-");
    assert_ok(vb_path_make_folders(in_scratch(path, "c/empty/inside"), &err));
    put_text("elsewhere/e.jpg", "e");
    assert_int_equal(symlink(in_scratch(target, "elsewhere"), in_scratch(path, "c/link")), 0);
    assert_int_equal(symlink("nowhere", in_scratch(path, "c/dangling")), 0);
    const char *expected =
        "ant-hill ant-hill/x.jpeg hx;ant ant/deep/er/x.webp ax;cat cat/1.PNG c1;cat cat/2.jpg c2;link link/e.jpg e;";
    check("c", NULL, "class folders", expected);
    check("c/", NULL, "class folders", expected);
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "c"), NULL, &err));
    assert_int_equal(vb_dataset_samples(dataset), 5);
    assert_int_equal(vb_dataset_bytes(dataset), 9);
    assert_int_equal(vb_dataset_ignored(dataset), 4); /* notes, dangling, empty, readme */
    char *text = vb_dataset_ignored_text(dataset, &err);
    assert_string_equal(text, "4 files passed over, no images by their names, such as 'cat/notes.txt', 'dangling', 'empty/'");
    vb_free(text);
    assert_int_equal(vb_dataset_labels(dataset), 4);
    assert_string_equal(vb_dataset_label(dataset, 0), "ant");
    assert_string_equal(vb_dataset_label(dataset, 3), "link");
    assert_false(vb_dataset_labels_are_numbers(dataset));
    vb_dataset_close(dataset);
    /* A link back up never ends. */
    assert_int_equal(symlink("..", in_scratch(path, "c/cat/up")), 0);
    assert_fails(open_in_scratch("c", NULL, &err), VB_EDATA, "cat/up: a link back to a folder above it");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", in_scratch(path, "c/cat/gone.jpg")), 0);
    assert_fails(open_in_scratch("c", NULL, &err), VB_EMISSING, "gone.jpg");
    assert_int_equal(unlink(path), 0);
    /* What is no file, but claims to be an image; another is passed over. */
    assert_int_equal(mkfifo(in_scratch(path, "c/cat/pipe"), 0600), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(in_scratch(path, "c/cat/pipe.jpg"), 0600), 0);
    assert_fails(open_in_scratch("c", NULL, &err), VB_EMISSING, "cat/pipe.jpg: expected a file, found a pipe");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", in_scratch(path, "c/cat/zero.png")), 0);
    assert_fails(open_in_scratch("c", NULL, &err), VB_EMISSING, "cat/zero.png: expected a file, found a character device");
    assert_int_equal(unlink(path), 0);
    put_text("c/stray.jpg", "s");
    assert_fails(open_in_scratch("c", NULL, &err), VB_EDATA, "image 'stray.jpg' lies beside class folder 'ant'");
}

static void flat_folders(void **state) {
    (void)state;
    char path[1024];
    put_text("flat/b.jpg", "b");
    put_text("flat/a.jpg", "");
    put_text("flat/A.png", "A");
    put_text("flat/a\nb\x9b\xc2\x9b\xc3\xa4", "-");
    put_text("flat/x.dib", "d");
    put_text("flat/x.JFIF", "j");
    check("flat", NULL, "images", "- A.png A;- a.jpg ;- b.jpg b;- x.JFIF j;- x.dib d;");
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "flat"), NULL, &err));
    assert_int_equal(vb_dataset_ignored_names(dataset), 1);
    assert_string_equal(vb_dataset_ignored_name(dataset, 0), "a\nb\x9b\xc2\x9b\xc3\xa4");
    char *text = vb_dataset_ignored_text(dataset, &err);
    assert_string_equal(text, "1 file passed over, no image by its name: 'a?b???\xc3\xa4'");
    vb_free(text);
    vb_dataset_close(dataset);
    assert_ok(vb_path_make_folders(in_scratch(path, "void"), &err));
    assert_fails(open_in_scratch("void", NULL, &err), VB_EMISSING, "no images");
    put_text("void/a.txt", "-");
    assert_fails(open_in_scratch("void", NULL, &err), VB_EMISSING, "1 other files");
    assert_fails(open_in_scratch("absent", NULL, &err), VB_EMISSING, "absent");
    /* Folders named by numbers are names, unless a file says what the numbers mean. */
    put_text("n/10/a.jpg", "x");
    put_text("n/2/a.jpg", "y");
    check("n", NULL, "class folders", "10 10/a.jpg x;2 2/a.jpg y;");
    put_text("names", "zero\none\ntwo\r\n3\n4\n5\n6\n7\n8\n9\nten\n\n");
    check("n", in_scratch(path, "names"), "class folders", "ten 10/a.jpg x;two 2/a.jpg y;");
    put_text("names", "zero\none\n");
    assert_fails(open_in_scratch("n", path, &err), VB_EMISMATCH, "label 10, but there are 2 class names");
    put_text("names", "zero\n\none\n");
    assert_fails(open_in_scratch("n", path, &err), VB_EDATA, "line 2");
    put_text("names", "\n");
    assert_fails(open_in_scratch("n", path, &err), VB_EMISSING, "no names");
}

static void broken_images_spoil_only_themselves(void **state) {
    (void)state;
    char path[1024];
    /* 1 x 1, RGB (2, 4, 6): from Pillow */
    static const uint8_t png[] = {137, 80, 78, 71, 13, 10,  26,  10, 0,  0,  0,  13,  73,  72, 68,  82, 0,  0,
                                  0,   1,  0,  0,  0,  1,   8,   2,  0,  0,  0,  144, 119, 83, 222, 0,  0,  0,
                                  12,  73, 68, 65, 84, 120, 156, 99, 96, 98, 97, 3,   0,   0,  24,  0,  13, 136,
                                  91,  80, 13, 0,  0,  0,   0,   73, 69, 78, 68, 174, 66,  96, 130};
    put_file("b/good.png", png, sizeof png);
    put_file("b/half.png", png, 40);
    put_text("b/none.jpg", "");
    put_text("b/text.jpg", "this is no image");
    vb_dataset *dataset;
    vb_unit_data data;
    vb_image image;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "b"), NULL, &err));
    assert_ok(vb_dataset_read_unit(dataset, 0, &data, &err));
    assert_int_equal(data.count, 4);
    assert_ok(vb_dataset_sample_decode(&data.samples[0], &image, &err));
    assert_int_equal(image.width, 1);
    assert_memory_equal(image.pixels, "\2\4\6", 3);
    vb_free(image.pixels);
    assert_fails(vb_dataset_sample_decode(&data.samples[1], &image, &err), VB_EDATA, "half.png: ");
    assert_fails(vb_dataset_sample_decode(&data.samples[2], &image, &err), VB_EDATA, "none.jpg: no image");
    assert_true(vb_dataset_sample_decode(&data.samples[3], &image, &err));
    assert_non_null(strstr(err.text, "text.jpg"));
    vb_dataset_unit_free(&data);
    /* A file that goes away is named. */
    assert_int_equal(unlink(in_scratch(path, "b/half.png")), 0);
    assert_fails(vb_dataset_read_unit(dataset, 0, &data, &err), VB_EMISSING, "half.png");
    vb_digest signature;
    assert_fails(vb_dataset_unit_signature(dataset, 0, &signature, &err), VB_EMISSING, "half.png");
    vb_dataset_close(dataset);
}

/* ---- shards ---- */

static void samples_of_shards(void **state) {
    (void)state;
    char path[1024];
    PUT_TAR("w/1.tar", {"b.JPG", "B"}, {"b.txt", "caption"}, {"b.cls", " 2\n"}, {"README", "-"},
            {"b.json", "{\"label\": \"no\"}"}, {"dir.x/a.png", "A"}, {"dir.x/a.cls", "cat"}, {"a.seg.png", "-"}, {"a.webp", "a"},
            {"._a.png", "-"});
    check("w/1.tar", NULL, "WebDataset", "- a a;2 b B;cat dir.x/a A;");
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "w/1.tar"), NULL, &err));
    assert_int_equal(vb_dataset_ignored(dataset), 3);
    assert_false(vb_dataset_labels_are_numbers(dataset));
    vb_dataset_close(dataset);
    /* Integers alone are numbers; with names beside them, names. */
    PUT_TAR("num/1.tar", {"a.jpg", "a"}, {"a.cls", "10"}, {"b.jpg", "b"}, {"b.cls", "009"}, {"c.jpg", "c"},
            {"c.json", "{\"x\": null, \"label\": 9}"});
    check("num/1.tar", NULL, "WebDataset", "10 a a;9 b b;9 c c;");
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "num"), NULL, &err));
    assert_true(vb_dataset_labels_are_numbers(dataset));
    assert_int_equal(vb_dataset_labels(dataset), 2);
    assert_string_equal(vb_dataset_label(dataset, 0), "9");
    vb_dataset_close(dataset);
    put_text("num/classnames.txt", "n0\nn1\nn2\nn3\nn4\nn5\nn6\nn7\nn8\nn9\nn10\n");
    check("num/1.tar", NULL, "WebDataset", "n10 a a;n9 b b;n9 c c;");
    put_text("given", "m0\nm1\nm2\nm3\nm4\nm5\nm6\nm7\nm8\nm9\nm10\nm11\n");
    check("num/*.tar", in_scratch(path, "given"), "WebDataset", "m10 a a;m9 b b;m9 c c;");
    put_text("num/classnames.txt", "n0\nn1\n");
    assert_fails(open_in_scratch("num/1.tar", NULL, &err), VB_EMISMATCH, "but there are 2 class names (0 to 1)");
    /* A name that is one of the class names is that class. */
    PUT_TAR("m/1.tar", {"a.jpg", "a"}, {"a.cls", "dog"}, {"b.jpg", "b"}, {"b.cls", "1"}, {"c.jpg", "c"}, {"c.cls", "fox"});
    put_text("m/classnames.txt", "cat\ndog\n");
    check("m/1.tar", NULL, "WebDataset", "dog a a;dog b b;fox c c;");
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "m/1.tar"), NULL, &err));
    assert_int_equal(vb_dataset_labels(dataset), 3);
    vb_dataset_close(dataset);
}

static void labels_from_json(void **state) {
    (void)state;
    PUT_TAR("j/1.tar", {"a.jpg", "a"},
            {"a.json", "{\"cls\": \"four\", \"class_name\": \"three\", \"class\": null, \"label\": [1]}"},
            {"b.json", "{\"cls\": \"four\", \"class\": \"two\"}"}, {"b.jpg", "b"}, {"c.jpg", "c"},
            {"c.json", "{\"cls\": 0.5, \"similarity\": 1}"}, {"c.txt", "cat"}, {"d.jpg", "d"},
            {"d.json", "{\"similarity\": NaN}"}, {"e.jpg", "e"}, {"e.json", "{\"label\": -1}"}, {"f.jpg", "f"},
            {"f.json", "{\"label\": \"\"}"});
    check("j/1.tar", NULL, "WebDataset", "three a a;two b b;- c c;- d d;- e e;- f f;");
    PUT_TAR("j/zero.tar", {"a.jpg", "a"}, {"a.json", "{\"label\": 0}"}, {"b.jpg", "b"}, {"b.json", "{\"label\": 0.0}"},
            {"c.jpg", "c"}, {"c.json", "{\"label\": 2.0, \"cls\": 1}"}); /* the first class is one, too */
    check("j/zero.tar", NULL, "WebDataset", "0 a a;0 b b;2 c c;");
    PUT_TAR("j/python.tar", {"a.jpg", "a"}, {"a.json", "{\"similarity\": NaN, \"label\": \"a NaN\"}"}, {"b.jpg", "b"},
            {"b.json", "{\"class\": NaN, \"x\": [-Infinity, Infinity], \"cls\": 3}"});
    check("j/python.tar", NULL, "WebDataset", "a NaN a a;3 b b;");
    PUT_TAR("j/hash.tar", {"a.jpg", "a"}, {"a.json", "{\"hash\": 18446744073709551615, \"label\": 12}"}, {"b.jpg", "b"},
            {"b.json", "{\"s\": NaN, \"hash\": -9223372036854775809, \"label\": 3.0}"});
    check("j/hash.tar", NULL, "WebDataset", "12 a a;3 b b;");
    PUT_TAR("j/bad.tar", {"a.jpg", "a"}, {"a.json", "{\"label\": "});
    assert_fails(open_in_scratch("j/bad.tar", NULL, &err), VB_EDATA, "sample 'a': .json");
    PUT_TAR("j/bad.tar", {"a.jpg", "a"}, {"a.json", "[\"label\"]"});
    assert_fails(open_in_scratch("j/bad.tar", NULL, &err), VB_EDATA, "expected an object");
    PUT_TAR("j/bad.tar", {"a.jpg", "a"}, {"a.json", "{\"label\": \"x\\u0000y\"}"});
    assert_fails(open_in_scratch("j/bad.tar", NULL, &err), VB_EDATA, "NUL");
    PUT_TAR("j/cls.tar", {"a.jpg", "a"}, {"a.cls", "one"}, {"a.json", "{\"label\": "}); /* nobody asks it */
    check("j/cls.tar", NULL, "WebDataset", "one a a;");
}

static void wrong_shards(void **state) {
    (void)state;
    char path[1024];
    PUT_TAR("x/twice.tar", {"a.jpg", "1"}, {"b.jpg", "2"}, {"a.txt", "3"});
    assert_fails(open_in_scratch("x/twice.tar", NULL, &err), VB_EDATA,
                 "key 'a' comes twice, at offset 0 and, after other keys, at offset 2048");
    PUT_TAR("x/two.tar", {"a.jpg", "1"}, {"a.png", "2"});
    assert_fails(open_in_scratch("x/two.tar", NULL, &err), VB_EDATA, "a second image ('a.png')");
    PUT_TAR("x/two.tar", {"a.jpg", "1"}, {"a.cls", "2"}, {"a.cls", "2"});
    assert_fails(open_in_scratch("x/two.tar", NULL, &err), VB_EDATA, "a second .cls");
    const char *classes[] = {"", " \n", "1\n2", "-3", "99999999999"};
    const char *says[] = {"expected one", "expected one", "expected one", "found -3", "out of range"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        PUT_TAR("x/cls.tar", {"a.jpg", "1"}, {"a.cls", classes[i]});
        assert_fails(open_in_scratch("x/cls.tar", NULL, &err), VB_EDATA, says[i]);
    }
    PUT_TAR("x/cls.tar", {"a.jpg", "1"}, {"a.cls", "3\nX"});
    FILE *tar = fopen(in_scratch(path, "x/cls.tar"), "r+b");
    assert_non_null(tar);
    fseek(tar, 3 * 512 + 2, SEEK_SET); /* the X, behind two headers and the image */
    fputc(0, tar);
    fclose(tar);
    assert_fails(open_in_scratch("x/cls.tar", NULL, &err), VB_EDATA, "sample 'a': .cls with a NUL inside");
    static char long_name[70000];
    memset(long_name, 'x', sizeof long_name - 1);
    PUT_TAR("x/cls.tar", {"a.jpg", "1"}, {"a.cls", long_name});
    assert_fails(open_in_scratch("x/cls.tar", NULL, &err), VB_EDATA, "sample 'a': .cls of 69999 bytes: expected one integer");
    PUT_TAR("x/captions.tar", {"a.txt", "1"}, {"b.txt", "2"});
    assert_fails(open_in_scratch("x/captions.tar", NULL, &err), VB_EMISSING, "no images");
    put_tar("x/empty.tar", NULL, 0);
    assert_fails(open_in_scratch("x/empty.tar", NULL, &err), VB_EMISSING, "no images");
    put_text("x/zero.tar", "");
    assert_fails(open_in_scratch("x/zero.tar", NULL, &err), VB_EDATA, "truncated archive");
    put_text("x/any.jpg", "\xff\xd8");
    assert_fails(open_in_scratch("x/any.jpg", NULL, &err), VB_EUNSUPPORTED, "expected a folder");
    put_text("x/any.tgz", "\x1f\x8b\b ");
    assert_fails(open_in_scratch("x/any.tgz", NULL, &err), VB_EUNSUPPORTED, "gzip");
    put_text("x/any.tar.zst", "not zstd");
    assert_fails(open_in_scratch("x/any.tar.zst", NULL, &err), VB_EDATA, "expected zstd");
    /* A sample without its image keeps its place and fails when it is decoded; a shard of captions among shards of images holds
     * no samples. */
    PUT_TAR("x/hole.tar", {"a.jpg", "1"}, {"b.txt", "2"}, {"c.jpg", "3"});
    check("x/{hole,captions}.tar", NULL, "WebDataset", "- a 1;- b ;- c 3;");
    vb_dataset *dataset;
    vb_unit_data data;
    vb_image image;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "x/hole.tar"), NULL, &err));
    assert_ok(vb_dataset_read_unit(dataset, 0, &data, &err));
    assert_fails(vb_dataset_sample_decode(&data.samples[1], &image, &err), VB_EDATA, "b: no image");
    vb_dataset_unit_free(&data);
    vb_dataset_close(dataset);
    assert_fails(open_in_scratch("x/{hole.tar,hole.tar}", NULL, &err), VB_EDATA, "twice");
    assert_fails(open_in_scratch("{x,x/hole.tar}", NULL, &err), VB_EUNSUPPORTED, "expected one folder, or files");
    if (have("tar")) {
        assert_int_equal(run_command("cd %s/x && echo > l1.jpg && ln -f l1.jpg l2.jpg && tar cf links.tar l1.jpg l2.jpg",
                                     scratch),
                         0);
        assert_fails(open_in_scratch("x/links.tar", NULL, &err), VB_EUNSUPPORTED, "'l2.jpg' is a link: expected the image");
        assert_int_equal(run_command("cd %s/x && echo 3 > l1.cls && echo 2 > l3.jpg && ln -f l1.cls l3.cls && "
                                     "tar cf labels.tar l1.jpg l1.cls l3.jpg l3.cls",
                                     scratch),
                         0);
        assert_fails(open_in_scratch("x/labels.tar", NULL, &err), VB_EUNSUPPORTED, "'l3.cls' is a link: expected the .cls");
    }
    /* Two folders that mean different things by 0. */
    PUT_TAR("y1/a.tar", {"a.jpg", "1"}, {"a.cls", "0"});
    PUT_TAR("y2/a.tar", {"a.jpg", "2"}, {"a.cls", "0"});
    put_text("y1/classnames.txt", "cat\n");
    put_text("y2/classnames.txt", "dog\n");
    assert_fails(open_in_scratch("y?/a.tar", NULL, &err), VB_EMISMATCH, "differ");
    put_text("y2/classnames.txt", "cat\n");
    check("y?/a.tar", NULL, "WebDataset", "cat a 1;cat a 2;");
}

static void truncated_shards(void **state) {
    (void)state;
    char path[1024], expected[300] = "";
    tar_member members[24];
    static char names[24][8];
    for (int i = 0; i < 24; i++) {
        snprintf(names[i], sizeof names[i], "%02d.%s", i / 2, i % 2 ? "cls" : "jpg");
        members[i] = (tar_member){names[i], i % 2 ? "7" : "image"};
        if (i % 2) snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "7 %02d image;", i / 2);
    }
    put_tar("t.tar", members, 24);
    check("t.tar", NULL, "WebDataset", expected);
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(in_scratch(path, "t.tar"), 1 << 20, &bytes, &size, &err));
    for (size_t n = 0; n <= size - 1024; n += 512) {
        put_file("cut.tar", bytes, n);
        assert_fails(open_in_scratch("cut.tar", NULL, &err), VB_EDATA, "cut.tar");
        if (!strstr(err.text, "truncated") || !strstr(err.text, "offset")) fail_msg("%s", err.text);
    }
    /* Cut after it was listed. */
    vb_dataset *dataset;
    vb_unit_data data;
    put_file("later.tar", bytes, size);
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "later.tar"), NULL, &err));
    vb_digest before, after;
    assert_ok(vb_dataset_unit_signature(dataset, 0, &before, &err));
    put_file("later.tar", bytes, 5000);
    assert_fails(vb_dataset_read_unit(dataset, 0, &data, &err), VB_EDATA, "later.tar: truncated");
    assert_ok(vb_dataset_unit_signature(dataset, 0, &after, &err));
    assert_string_not_equal(before.hex, after.hex);
    vb_dataset_close(dataset);
    vb_free(bytes);
}

/* The signature of a shard's samples is their own: what others the dataset has, and how many samples lie before, is not in it. */
static void shards_beside_others(void **state) {
    (void)state;
    static const char *const patterns[] = {"beside/2.tar", "beside/*.tar"};
    vb_digest signatures[2];
    char path[1024];
    PUT_TAR("beside/1.tar", {"x.jpg", "x"}, {"x.cls", "cat"});
    PUT_TAR("beside/2.tar", {"a.jpg", "a"}, {"a.cls", "cat"}, {"b.jpg", "b"}, {"b.cls", "dog"});
    for (int i = 0; i < 2; i++) {
        vb_dataset *dataset;
        assert_ok(vb_dataset_open(&dataset, in_scratch(path, patterns[i]), NULL, &err));
        assert_int_equal(vb_dataset_samples(dataset), 2 + i);
        const int64_t unit = vb_dataset_unit_of(dataset, i);
        assert_int_equal(vb_dataset_unit(dataset, unit).first, i);
        assert_int_equal(vb_dataset_unit(dataset, unit).count, 2);
        assert_ok(vb_dataset_unit_signature(dataset, unit, &signatures[i], &err));
        vb_dataset_close(dataset);
    }
    assert_string_equal(signatures[0].hex, signatures[1].hex);
}

/* Units: 256 samples, or 64 MiB; forward, backward and from four threads, plain, seekable and streamed: always the same
 * samples. */
/* At least 64 units of 8 to 256 samples, where there are so many. */
static void sizes_of_units(void **state) {
    (void)state;
    static const struct {
        int64_t samples;
        int size;
    } cases[] = {{0, 8},
                 {1, 8},
                 {512, 8},
                 {1023, 8},
                 {1024, 16},
                 {2047, 16},
                 {2048, 32},
                 {10000, 128},
                 {16383, 128},
                 {16384, 256},
                 {(int64_t)1 << 40, 256}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(vb_dataset_index_unit_size(cases[i].samples), cases[i].size);
}

static void units(void **state) {
    (void)state;
    enum { SAMPLES = 700, ROOM = 1 << 16 };
    char path[1024], name[40], text[40];
    char *expected = vb_array(ROOM, 1, "text", NULL), *got = vb_array(ROOM, 1, "text", NULL);
    FILE *file = fopen(in_scratch(path, "u/many.tar"), "wb");
    vb_zst_writer *writer;
    assert_ok(vb_zst_writer_open(&writer, in_scratch(path, "u/seek.tar.zst"), 1, &err));
    for (int i = 0; i < SAMPLES; i++) {
        int key = i * 37 % SAMPLES; /* the archive's order is not the names' */
        snprintf(text, sizeof text, "image %d", key);
        snprintf(name, sizeof name, "%04d.jpg", key);
        assert_ok(vb_tar_write_file(&(vb_tar_sink){write_to_file, file}, name, text, strlen(text), &err));
        assert_ok(vb_tar_write_file(&(vb_tar_sink){to_zst, writer}, name, text, strlen(text), &err));
        if (i % 50 == 49) assert_ok(vb_zst_writer_cut(writer, &err));
        snprintf(expected + strlen(expected), ROOM - strlen(expected), "- %04d image %d;", i, i);
    }
    assert_ok(vb_tar_write_end(&(vb_tar_sink){write_to_file, file}, &err));
    assert_ok(vb_tar_write_end(&(vb_tar_sink){to_zst, writer}, &err));
    assert_ok(vb_zst_writer_commit(writer, NULL, &err));
    fclose(file);
    const char *names[] = {"u/many.tar", "u/seek.tar.zst", "u/stream.tar.zst"};
    int kinds = have("zstd") && !run_command("zstd -q %s/u/many.tar -o %s/u/stream.tar.zst", scratch, scratch) ? 3 : 2;
    vb_digest digests[3];
    for (int k = 0; k < kinds; k++) {
        vb_dataset *dataset, *other;
        assert_ok(vb_dataset_open(&dataset, in_scratch(path, names[k]), NULL, &err));
        assert_int_equal(vb_dataset_units(dataset), 88); /* of eight */
        assert_int_equal(vb_dataset_unit(dataset, 1).first, 8);
        assert_int_equal(vb_dataset_unit(dataset, 87).count, 700 - 696);
        describe(dataset, got, ROOM, false);
        assert_string_equal(got, expected);
        describe(dataset, got, ROOM, true);
        assert_string_equal(got, expected);
        void *block;
        size_t size;
        assert_ok(vb_dataset_export(dataset, &block, &size, &err));
        assert_ok(vb_dataset_import(&other, block, size, &err));
        describe(other, got, ROOM, false);
        assert_string_equal(got, expected);
        int wrong = 0;
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
        for (int i = 0; i < 12; i++) {
            vb_unit_data data;
            vb_error local = {0};
            if (vb_dataset_read_unit(other, i % 3, &data, &local)) {
                wrong++;
                continue;
            }
            char first[40];
            snprintf(first, sizeof first, "image %d", i % 3 * 8);
            wrong += data.samples[0].size != strlen(first) || memcmp(data.samples[0].bytes, first, strlen(first));
            vb_dataset_unit_free(&data);
        }
        assert_int_equal(wrong, 0);
        vb_unit_data data;
        assert_ok(vb_dataset_read_unit(other, 1, &data, &err));
        digests[k] = data.digest;
        vb_dataset_unit_free(&data);
        vb_dataset_close(other);
        vb_dataset_close(dataset);
        /* A block that was damaged on its way is refused or harmless. */
        for (size_t i = 0; i < size; i += i < 600 ? 1 : 61) {
            uint8_t kept = ((uint8_t *)block)[i];
            for (int bit = 0; bit < 8; bit++) {
                ((uint8_t *)block)[i] = (uint8_t)(kept ^ 1 << bit);
                vb_error_clear(&err);
                if (vb_dataset_import(&other, block, size, &err)) assert_int_equal(err.code, VB_EINTERNAL);
                else vb_dataset_close(other);
            }
            ((uint8_t *)block)[i] = kept;
        }
        /* A sample may begin where its shard does, not before. */
        vb_dataset view;
        vb_dataset_index_point(&view, block);
        const vb_place first = view.place[0];
        view.place[0].before = (uint32_t)first.offset;
        assert_ok(vb_dataset_import(&other, block, size, &err));
        vb_dataset_close(other);
        view.place[0].before++;
        assert_fails(vb_dataset_import(&other, block, size, &err), VB_EINTERNAL, "contradicts itself");
        view.place[0] = first;
        for (size_t n = 0; n < size; n += 97) assert_fails(vb_dataset_import(&other, block, n, &err), VB_EINTERNAL, "index");
        vb_free(block);
    }
    for (int k = 1; k < kinds; k++) assert_string_equal(digests[0].hex, digests[k].hex);
    vb_free(expected);
    vb_free(got);
    /* By bytes: files of 30 MiB, sparse, go two to a unit. */
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "big/%d.jpg", i);
        put_text(name, "");
        assert_int_equal(truncate(in_scratch(path, name), 30 << 20), 0);
    }
    vb_dataset *dataset;
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "big"), NULL, &err));
    assert_int_equal(vb_dataset_units(dataset), 3);
    assert_int_equal(vb_dataset_unit(dataset, 2).count, 1);
    vb_dataset_close(dataset);
    run_command("rm -rf %s/big", scratch);
}

/* Every allocation, open and read that can fail fails once. */
static void faults(void **state) {
    (void)state;
    put_text("f/cat/1.jpg", "c1");
    put_text("f/dog/1.jpg", "d1");
    PUT_TAR("g/1.tar", {"a.jpg", "a"}, {"a.json", "{\"label\": \"x\"}"}, {"b.jpg", "b"}, {"b.cls", "0"});
    put_text("g/classnames.txt", "cat\n");
    put_cifar("h/x.bin", 3, 1, 10);
    static const char *const sets[] = {"f", "g/1.tar", "h/x.bin"}, *const effects[][2] = {{"alloc", "ENOMEM"},
                                                                                          {"open", "EACCES"},
                                                                                          {"read", "EIO"},
                                                                                          {"read", "short"}};
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++)
        for (size_t e = 0; e < sizeof effects / sizeof *effects; e++) {
            int status = -1, n = 0;
            while (status) {
                char path[1024], spec[64];
                snprintf(spec, sizeof spec, "%s:%d:%s", effects[e][0], ++n, effects[e][1]);
                in_scratch(path, sets[k]);
                assert_int_equal(vb_fault_setup(spec, 0), 0);
                vb_error_clear(&err);
                vb_dataset *dataset = NULL;
                vb_unit_data data = {0};
                vb_digest signature;
                status = vb_dataset_open(&dataset, path, NULL, &err);
                if (!status) status = vb_dataset_read_unit(dataset, 0, &data, &err);
                vb_dataset_unit_free(&data);
                if (!status) status = vb_dataset_unit_signature(dataset, 0, &signature, &err);
                vb_dataset_close(dataset);
                vb_fault_setup(NULL, 0);
                if (status && (err.code == VB_OK || err.code == VB_EINTERNAL))
                    fail_msg("%s %s: code %d %s", sets[k], spec, err.code, err.text);
                if (n > 500) fail_msg("%s %s: %s", sets[k], spec, err.text);
            }
            if (n < 2) fail_msg("%s: nothing to fail by %s", sets[k], effects[e][0]);
        }
}

/* ---- the shared data ---- */

static void shared_captions(void **state) {
    (void)state;
    char path[1024];
    shared_path(path, "data/cifar-captions/00000.tar");
    strcpy(strrchr(path, '/'), "/*.tar");
    vb_dataset *dataset;
    vb_unit_data data;
    assert_ok(vb_dataset_open(&dataset, path, NULL, &err));
    assert_int_equal(vb_dataset_samples(dataset), 5000);
    assert_int_equal(vb_dataset_units(dataset), 80); /* 1000 a shard: 16 units of 64 each, none across two shards */
    assert_int_equal(vb_dataset_labels(dataset), 0);
    assert_ok(vb_dataset_read_unit(dataset, 15, &data, &err));
    assert_int_equal(data.count, 1000 - 960);
    assert_string_equal(data.samples[0].name, "000000960");
    assert_int_equal(data.samples[0].label, -1);
    vb_image image;
    assert_ok(vb_dataset_sample_decode(&data.samples[0], &image, &err));
    assert_int_equal(image.width, 32);
    vb_free(image.pixels);
    vb_dataset_unit_free(&data);
    vb_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(class_folders),
                                       cmocka_unit_test(flat_folders),
                                       cmocka_unit_test(broken_images_spoil_only_themselves),
                                       cmocka_unit_test(samples_of_shards),
                                       cmocka_unit_test(labels_from_json),
                                       cmocka_unit_test(wrong_shards),
                                       cmocka_unit_test(truncated_shards),
                                       cmocka_unit_test(shards_beside_others),
                                       cmocka_unit_test(sizes_of_units),
                                       cmocka_unit_test(units),
                                       cmocka_unit_test(faults),
                                       cmocka_unit_test(shared_captions)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
