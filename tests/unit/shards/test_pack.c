/* Tests of packing: what comes out is what went in, other programs read it, and it is whole or absent. */
#include <limits.h>

#include "kernels/base/fault.h"
#include "tests/unit/random.h"
#include "tests/unit/dataset_files.h"
#include "shards/files/manifest.h"
#include "shards/datasets/pack.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/tar.h"

static vb_error err;

static int pack(const char *images, const char *folder, int64_t per_shard, vb_pack_result *result) {
    char from[1024], to[1024];
    vb_dataset *dataset;
    vb_pack_options options = vb_pack_defaults();
    options.samples_per_shard = per_shard;
    snprintf(from, sizeof from, "%s%s%s", images[0] == '/' ? "" : scratch, images[0] == '/' ? "" : "/", images);
    if (vb_dataset_open(&dataset, from, NULL, &err)) return -1;
    int status = vb_pack(dataset, in_scratch(to, folder), &options, result, &err);
    vb_dataset_close(dataset);
    return status;
}

/* Both datasets hold the same samples: labels, and pixels (or bytes). */
static void assert_same(const char *images, const char *packed) {
    char path[1024];
    vb_dataset *a, *b;
    snprintf(path, sizeof path, "%s%s%s", images[0] == '/' ? "" : scratch, images[0] == '/' ? "" : "/", images);
    assert_ok(vb_dataset_open(&a, path, NULL, &err));
    assert_ok(vb_dataset_open(&b, in_scratch(path, packed), NULL, &err));
    assert_int_equal(vb_dataset_samples(a), vb_dataset_samples(b));
    assert_int_equal(vb_dataset_labels(a), vb_dataset_labels(b));
    assert_int_equal(vb_dataset_labels_are_numbers(a), vb_dataset_labels_are_numbers(b));
    vb_unit_data x = {0}, y = {0};
    int64_t unit_x = 0, unit_y = 0;
    int i = 0, k = 0;
    for (int64_t n = 0; n < vb_dataset_samples(a); n++, i++, k++) {
        if (i == x.count) {
            vb_dataset_unit_free(&x);
            assert_ok(vb_dataset_read_unit(a, unit_x++, &x, &err));
            i = 0;
        }
        if (k == y.count) {
            vb_dataset_unit_free(&y);
            assert_ok(vb_dataset_read_unit(b, unit_y++, &y, &err));
            k = 0;
        }
        char number[16];
        snprintf(number, sizeof number, "%09lld", (long long)n);
        assert_string_equal(y.samples[k].name, number);
        assert_int_equal(x.samples[i].label, y.samples[k].label);
        if (x.samples[i].label >= 0)
            assert_string_equal(vb_dataset_label(a, x.samples[i].label), vb_dataset_label(b, y.samples[k].label));
        if (!x.samples[i].raw_width) {
            assert_int_equal(x.samples[i].size, y.samples[k].size);
            assert_memory_equal(x.samples[i].bytes, y.samples[k].bytes, x.samples[i].size);
            continue;
        }
        vb_image before, after;
        assert_ok(vb_dataset_sample_decode(&x.samples[i], &before, &err));
        assert_ok(vb_dataset_sample_decode(&y.samples[k], &after, &err));
        assert_int_equal(after.mode, VB_MODE_RGB);
        assert_int_equal(after.width, before.width);
        assert_memory_equal(before.pixels, after.pixels, (size_t)(3 * before.width * before.height));
        vb_free(before.pixels);
        vb_free(after.pixels);
    }
    vb_dataset_unit_free(&x);
    vb_dataset_unit_free(&y);
    vb_dataset_close(a);
    vb_dataset_close(b);
}

static void put_noisy_cifar(const char *name, int records) {
    uint8_t *bytes = vb_array((size_t)records, 3073, "records", NULL);
    uint32_t random = 5;
    for (int i = 0; i < records; i++) {
        bytes[(size_t)i * 3073] = (uint8_t)(i % 10);
        for (int k = 0; k < 3072; k++)
            bytes[(size_t)i * 3073 + 1 + (size_t)k] = (uint8_t)(k % 3 ? random_next24(&random) : (uint32_t)k);
    }
    put_file(name, bytes, (size_t)records * 3073);
    vb_free(bytes);
}

static void raw_pixels_become_png(void **state) {
    (void)state;
    vb_pack_result result;
    put_noisy_cifar("cifar.bin", 600);
    assert_ok(pack("cifar.bin", "p1", 250, &result));
    assert_int_equal(result.samples, 600);
    assert_int_equal(result.shards, 3);
    assert_same("cifar.bin", "p1");
    /* The same bytes again; the digests are those of the files. */
    assert_ok(pack("cifar.bin", "p2", 250, &result));
    assert_int_equal(run_command("diff -r %s/p1 %s/p2", scratch, scratch), 0);
    vb_manifest manifest;
    char path[1024];
    assert_ok(vb_manifest_read(&manifest, in_scratch(path, "p1/manifest.json"), &err));
    assert_int_equal(manifest.rows, 600);
    assert_int_equal(manifest.class_names.count, 10);
    assert_string_equal(manifest.class_names.items[9], "truck");
    assert_int_equal(manifest.shard_count, 3);
    assert_int_equal(manifest.shards[2].rows, 100);
    uint64_t bytes = 0;
    for (size_t i = 0; i < 3; i++) {
        vb_digest digest;
        char name[64];
        snprintf(name, sizeof name, "p1/%s", manifest.shards[i].file);
        assert_ok(vb_digest_file(in_scratch(path, name), &digest, &err));
        assert_string_equal(digest.hex, manifest.shards[i].digest.hex);
        bytes += manifest.shards[i].bytes;
    }
    assert_int_equal(bytes, result.bytes);
    vb_manifest_free(&manifest);
    if (!have("zstd") || !have("tar")) return;
    assert_int_equal(
        run_command("cd %s && mkdir -p x && zstd -dc p1/00002.tar.zst | tar -C x -xf - && test $(ls x | wc -l) = 400 && "
                    "test \"$(cat x/000000509.cls)\" = 9 && test \"$(cat x/000000509.txt)\" = truck && "
                    "test \"$(cat x/000000509.json)\" = '{\"label\":\"truck\",\"source\":\"000509\"}'",
                    scratch),
        0);
}

static void folders_keep_their_bytes(void **state) {
    (void)state;
    vb_pack_result result;
    char path[1024];
    put_text("c/b c/1.jpg", "\xff\xd8\xff one");
    put_text("c/a/2.PNG", "\x89PNG\r\n\x1a\n two");
    put_text("c/a/3.webp", "RIFF....WEBP three");
    put_text("c/a/\xfftext.jpg", "not an image");
    assert_ok(pack("c", "pc", 3, &result));
    assert_int_equal(result.shards, 2);
    assert_same("c", "pc");
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(in_scratch(path, "pc/manifest.json"), 1 << 16, &bytes, &size, &err));
    assert_non_null(strstr((char *)bytes, "\"schema\": \"vocabench.shards/1\""));
    vb_free(bytes);
    if (have("zstd") && have("tar"))
        assert_int_equal(
            run_command("cd %s && test \"$(for s in pc/*.zst; do zstd -dc $s | tar t; done | tr '\\n' ' ')\" = "
                        "'000000000.png 000000000.cls 000000000.txt 000000000.json 000000001.webp 000000001.cls "
                        "000000001.txt 000000001.json "
                        "000000002.png 000000002.cls 000000002.txt 000000002.json 000000003.jpg 000000003.cls 000000003.txt "
                        "000000003.json '",
                        scratch),
            0);
    put_text("flat/1.jpg", "\xff\xd8\xff one");
    assert_ok(pack("flat", "pf", 3, &result));
    assert_same("flat", "pf");
    put_text("latin/a/1.jpg", "image");
    put_text("latin/caf\xe9/1.jpg", "image");
    assert_fails(pack("latin", "pl", 3, &result), VB_EUNSUPPORTED, "pl: class name 'caf");
    assert_int_equal(run_command("test -z \"$(ls -A %s/pl)\"", scratch), 0); /* before anything is packed */
    put_text("hole/a.jpg", "");
    assert_fails(pack("hole", "ph", 3, &result), VB_EDATA, "sample 'a.jpg': no image");
    assert_int_equal(run_command("test -z \"$(ls -A %s/ph)\"", scratch), 0);
}

static void captions_and_json_pass_through(void **state) {
    (void)state;
    char path[1024];
    static const char *const members[][2] = {{"k1.txt", "a caption"},
                                             {"k1.jpg", "\xff\xd8\xff 1"},
                                             {"k1.json", "{ \"label\":7, \"kept\" : true }\n"},
                                             {"k2.jpg", "\xff\xd8\xff 2"},
                                             {"k2.cls", "3"},
                                             {"k0.jpg", "\xff\xd8\xff 0"},
                                             {"k3.jpg", "\xff\xd8\xff 3"},
                                             {"k3.txt", ""}};
    FILE *file = fopen(in_scratch(path, "w.tar"), "wb");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        assert_ok(
            vb_tar_write_file(&(vb_tar_sink){write_to_file, file}, members[i][0], members[i][1], strlen(members[i][1]), &err));
    assert_ok(vb_tar_write_end(&(vb_tar_sink){write_to_file, file}, &err));
    fclose(file);
    vb_pack_result result;
    assert_ok(pack("w.tar", "pw", 100, &result));
    assert_same("w.tar", "pw");
    /* Packed again, nothing changes. */
    assert_ok(pack("pw", "pww", 100, &result));
    assert_same("w.tar", "pww");
    assert_int_equal(run_command("cmp %s/pw/manifest.json %s/pww/manifest.json", scratch, scratch), 0);
    if (!have("zstd") || !have("tar")) return;
    assert_int_equal(
        run_command("cd %s && mkdir -p xw && zstd -dc pw/00000.tar.zst | tar -C xw -xf - && cd xw && "
                    "test \"$(cat 000000001.txt)\" = 'a caption' && test \"$(cat 000000001.json)\" = '{ \"label\":7, "
                    "\"kept\" : true }' && "
                    "test \"$(cat 000000001.cls)$(cat 000000002.cls)\" = 73 && test ! -e 000000002.txt && test -f "
                    "000000003.txt && "
                    "test \"$(cat 000000002.json)\" = '{\"label\":3,\"source\":\"k2\"}' && test \"$(cat 000000000.json)\" = "
                    "'{\"source\":\"k0\"}'",
                    scratch),
        0);
}

static void folders_in_use_are_left_alone(void **state) {
    (void)state;
    vb_pack_result result;
    put_noisy_cifar("few.bin", 25);
    put_text("used1/manifest.json", "{}");
    assert_fails(pack("few.bin", "used1", 10, &result), VB_EOUTPUT, "already holds a packed dataset");
    put_text("used2/00003.tar.zst", "old");
    assert_fails(pack("few.bin", "used2", 10, &result), VB_EOUTPUT, "holds '00003.tar.zst'");
    put_text("used3/other.tar", "old");
    assert_fails(pack("few.bin", "used3", 10, &result), VB_EOUTPUT, "holds 'other.tar'");
    put_text("used4/00001.tar.zst", "of a run that was killed");
    put_text("used4/notes.txt", "mine");
    assert_ok(pack("few.bin", "used4", 10, &result));
    assert_same("few.bin", "used4");
    put_text("file", "x");
    assert_fails(pack("few.bin", "file", 10, &result), VB_EOUTPUT, "file");
    assert_fails(pack("few.bin", "used5", 0, &result), VB_EUSAGE, "0 samples a shard");
    /* What the manifest says must hold, and be all. */
    char path[1024];
    vb_dataset *more;
    put_text("used4/00003.tar", "more");
    assert_fails(vb_dataset_open(&more, in_scratch(path, "used4"), NULL, &err), VB_EMISMATCH,
                 "used4: holds '00003.tar', which its manifest.json does not list");
    assert_int_equal(unlink(in_scratch(path, "used4/00003.tar")), 0);
    assert_int_equal(truncate(in_scratch(path, "used4/00001.tar.zst"), 500), 0);
    vb_dataset *dataset;
    assert_fails(vb_dataset_open(&dataset, in_scratch(path, "used4/*.zst"), NULL, &err), VB_EDATA,
                 "500 bytes, manifest.json says");
    assert_int_equal(unlink(in_scratch(path, "used4/00001.tar.zst")), 0);
    assert_fails(vb_dataset_open(&dataset, in_scratch(path, "used4"), NULL, &err), VB_EMISSING, "00001.tar.zst");
}

/* Numbers of more digits would stand before others in the manifest, which then could not be read. */
static void numbers_keep_their_digits(void **state) {
    (void)state;
    char path[1024];
    vb_pack_result result;
    put_text("many.bin", "");
    assert_int_equal(truncate(in_scratch(path, "many.bin"), 100001l * 3073), 0);
    assert_fails(pack("many.bin", "many", 1, &result), VB_EUSAGE, "100001 shards: expected at most 100000");
    assert_int_equal(access(in_scratch(path, "many"), F_OK), -1);
    if (truncate(in_scratch(path, "many.bin"), 1000000001l * 3073)) return; /* beyond a file system's files */
    assert_fails(pack("many.bin", "many", 1 << 30, &result), VB_EUNSUPPORTED, "1000000001 samples: at most 1000000000");
}

/* Whatever fails, no broken shard lies under a final name and there is no manifest. */
static void whole_or_absent(void **state) {
    (void)state;
    static const struct {
        const char *site, *effect;
        int code;
    } effects[] = {{"write", "ENOSPC", VB_EOUTPUT},
                   {"fsync", "EIO", VB_EOUTPUT},
                   {"rename", "EACCES", VB_EOUTPUT},
                   {"alloc", "ENOMEM", VB_EMEMORY}};
    vb_pack_result result;
    put_noisy_cifar("tiny.bin", 5);
    for (size_t e = 0; e < sizeof effects / sizeof *effects; e++) {
        int status = -1, n = 0;
        while (status) {
            char spec[64];
            run_command("rm -rf %s/full", scratch);
            snprintf(spec, sizeof spec, "%s:%d:%s", effects[e].site, ++n, effects[e].effect);
            vb_error_clear(&err);
            assert_int_equal(vb_fault_setup(spec, 0), 0);
            status = pack("tiny.bin", "full", 2, &result);
            vb_fault_setup(NULL, 0);
            if (!status) break;
            if (err.code != effects[e].code) fail_msg("%s: code %d: %s", spec, err.code, err.text);
            /* The last sync, and allocation, follow the manifest's rename. */
            if (run_command("test -e %s/full/manifest.json", scratch) == 0) {
                assert_same("tiny.bin", "full");
                continue;
            }
            if (run_command("test ! -d %s/full || test -z \"$(ls -A %s/full | grep -v '^0000[0-2].tar.zst$')\"", scratch,
                            scratch))
                fail_msg("%s leaves other files", spec);
            if (have("zstd") &&
                run_command("cd %s; for f in full/*.zst; do test ! -e $f || zstd -tq $f || exit 1; done", scratch))
                fail_msg("%s leaves a broken shard", spec);
            if (e == 3) n += 6; /* there are many */
        }
        if (n < 2) fail_msg("nothing to fail by %s", effects[e].site);
    }
    assert_same("tiny.bin", "full");
}

/* Every allocation fails once, jansson's too, by one sample whose name is text beyond ASCII and one whose name is none: what is
 * packed says so, or is whole. */
static void names_without_memory(void **state) {
    (void)state;
    char spec[64], path[1024], folder[1024];
    const vb_pack_options options = vb_pack_defaults();
    vb_pack_result result;
    vb_dataset *dataset;
    int told = 0;
    put_text("names/cafe/1\xe9.jpg", "image");
    put_text("names/na\xc3\xafve/2.jpg", "image");
    in_scratch(folder, "named");
    assert_ok(vb_dataset_open(&dataset, in_scratch(path, "names"), NULL, &err));
    for (int n = 1;; n++) {
        run_command("rm -rf %s", folder);
        snprintf(spec, sizeof spec, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        assert_int_equal(vb_fault_setup(spec, 0), 0);
        int status = vb_pack(dataset, folder, &options, &result, &err);
        vb_fault_setup(NULL, 0);
        if (!status) break;
        assert_int_equal(err.code, VB_EMEMORY);
        told += !strcmp(err.text, "no memory for JSON");
    }
    assert_true(told >= 8); /* of two samples: two texts, and a name each in the object */
    vb_dataset_close(dataset);
    vb_unit_data data;
    vb_sample_extra extras[VB_UNIT_SAMPLES] = {{0}};
    assert_ok(vb_dataset_open(&dataset, folder, NULL, &err));
    assert_ok(vb_dataset_read_unit_extras(dataset, 0, &data, extras, &err));
    static const char *const told_of[] = {"\"source\":\"cafe/1?.jpg\"", "\"source\":\"na\xc3\xafve/2.jpg\""};
    assert_int_equal(data.count, 2);
    for (int i = 0; i < 2; i++) assert_non_null(memmem(extras[i].json, extras[i].json_size, told_of[i], strlen(told_of[i])));
    vb_dataset_extras_free(extras, VB_UNIT_SAMPLES);
    vb_dataset_unit_free(&data);
    vb_dataset_close(dataset);
}

#define ANOTHER(name) "{\"file\": \"" name "\", \"rows\": 0, \"bytes\": 9, \"xxh3_128\": \"00112233445566778899aabbccddeeff\"}"

static void manifests(void **state) {
    (void)state;
    static const char good[] =
        "{\"schema\": \"vocabench.shards/1\", \"rows\": 3, \"class_names\": [\"x\"], \"shards\": [{\"file\": "
        "\"a\", \"rows\": 3, \"bytes\": 9, "
        "\"xxh3_128\": \"00112233445566778899aabbccddeeff\"}]}";
    static const struct {
        const char *from, *to, *says;
        int code;
    } cases[] = {{"vocabench.shards/1", "vocabench.shards/2", "expected \"schema\"", VB_EUNSUPPORTED},
                 {"\"rows\": 3, \"c", "\"rows\": 4, \"c", "the manifest says 4", VB_EDATA},
                 {"\"rows\": 3, \"c", "\"rows\": 2, \"c", "more rows than the 2", VB_EDATA},
                 {"\"rows\": 3, \"b", "\"rows\": -3, \"b", "shards[0]: rows", VB_EDATA},
                 {"\"rows\": 3, \"b", "\"row\": 3, \"b", "unknown key 'row'", VB_EDATA},
                 {"\"bytes\": 9, ", "", "'bytes' is missing", VB_EDATA},
                 {"\"bytes\": 9", "\"bytes\": \"9\"", "shards[0]: bytes", VB_EDATA},
                 {"\"file\": \"a\"", "\"file\": \"../a\"", "'../a'", VB_EDATA},
                 {"\"file\": \"a\"", "\"file\": \"\"", "file", VB_EDATA},
                 {"\"file\": \"a\"", "\"file\": \".a\"", "'.a'", VB_EDATA}, /* a writer's, that is not whole */
                 {"ddeeff", "ddeef", "32 hexadecimal", VB_EDATA},
                 {"aabbccddeeff", "AABBCCDDEEFF", "32 hexadecimal", VB_EDATA},
                 {"[\"x\"]", "[1]", "class_names", VB_EDATA},
                 {"[\"x\"]", "\"x\"", "class_names", VB_EDATA},
                 {"[{", "[{}, {", "is missing", VB_EDATA},
                 {"}]}", "}]", "manifest.json:1:", VB_EDATA},
                 {"\"rows\": 3, \"c", "\"rows\": 3, \"rows\": 3, \"c", "duplicate", VB_EDATA},
                 {"}]}", "}, 5]}", "shards[1]", VB_EDATA},
                 {"[{", "[" ANOTHER("b") ", {", "shards[1]: 'a' after 'b': expected files in byte order, each once", VB_EDATA},
                 {"[{", "[" ANOTHER("a") ", {", "shards[1]: 'a' after 'a': expected files in byte order, each once", VB_EDATA}};
    char path[1024], text[1024];
    vb_manifest manifest;
    put_text("m/manifest.json", good);
    assert_ok(vb_manifest_read(&manifest, in_scratch(path, "m/manifest.json"), &err));
    assert_string_equal(manifest.shards[0].digest.hex, "00112233445566778899aabbccddeeff");
    assert_ok(vb_manifest_write(&manifest, path, &err));
    vb_manifest_free(&manifest);
    assert_ok(vb_manifest_read(&manifest, path, &err));
    char not_utf8[] = "caf\xe9";
    char *kept = manifest.class_names.items[0];
    manifest.class_names.items[0] = not_utf8;
    assert_fails(vb_manifest_write(&manifest, path, &err), VB_EUNSUPPORTED, "not UTF-8");
    manifest.class_names.items[0] = kept;
    vb_manifest_free(&manifest);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(good, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, cases[i].to, at + strlen(cases[i].from));
        put_text("m/manifest.json", text);
        assert_fails(vb_manifest_read(&manifest, path, &err), cases[i].code, cases[i].says);
    }
    for (size_t n = 0; n < strlen(good); n++) {
        put_file("m/manifest.json", good, n);
        assert_fails(vb_manifest_read(&manifest, path, &err), VB_EDATA, "manifest.json");
    }
    assert_fails(vb_manifest_read(&manifest, in_scratch(path, "m/none.json"), &err), VB_EMISSING, "none.json");
}

static void shared_captions(void **state) {
    (void)state;
    char path[PATH_MAX], given[1024];
    assert_non_null(realpath(shared_path(given, "data/cifar-captions/00000.tar"), path)); /* relative ones lie in scratch */
    strcpy(strrchr(path, '/'), "/0000[01].tar");
    vb_pack_result result;
    assert_ok(pack(path, "captions", 1500, &result));
    assert_int_equal(result.samples, 2000);
    assert_int_equal(result.shards, 2);
    assert_same(path, "captions");
    if (!have("zstd") || !have("tar")) return;
    /* All captions, in order. */
    assert_int_equal(
        run_command("cd %s && for s in captions/*.zst; do zstd -dc $s | tar xO --wildcards '*.txt'; done | md5sum >a; d='%s'; "
                    "for s in \"${d%%/*}\"/0000[01].tar; do tar xOf $s --wildcards '*.txt'; done | md5sum >b; cmp a b",
                    scratch, path),
        0);
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(raw_pixels_become_png),
                                       cmocka_unit_test(folders_keep_their_bytes),
                                       cmocka_unit_test(captions_and_json_pass_through),
                                       cmocka_unit_test(folders_in_use_are_left_alone),
                                       cmocka_unit_test(numbers_keep_their_digits),
                                       cmocka_unit_test(whole_or_absent),
                                       cmocka_unit_test(names_without_memory),
                                       cmocka_unit_test(manifests),
                                       cmocka_unit_test(shared_captions)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
