/* Calls of the system and of libraries that fail where no file makes them: the linker gives us those calls (tests/tests.mk), one
 * of them fails, and the reader or writer above says so. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h> /* before jpeglib.h, which needs it */

#include <jpeglib.h>

#include <jerror.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "tests/unit/scratch.h"
#include "shards/files/map.h"
#include "shards/files/writer.h"
#include "shards/files/zip.h"
#include "shards/files/zst.h"
#include "shards/images/image.h"
#include "shards/images/thumbnail.h"
#include "shards/text/tokenizer_format.h"
#include "shards/text/yaml.h"
#include "tests/golden/images.h"

static vb_error err;

/* ---- the calls ---- */

static struct {
    const char *call; /* the one that fails, NULL: none */
    int before;       /* how many of them go well first */
    int error;        /* of the system's calls */
    const char *then; /* the call that fails next, with EIO */
    int failed;
} wanted;

static bool fails(const char *call) {
    if (!wanted.call || strcmp(wanted.call, call) || wanted.before-- > 0) return false;
    errno = wanted.error;
    wanted.failed++;
    if (wanted.then) {
        wanted.call = wanted.then;
        wanted.error = EIO;
        wanted.then = NULL;
    }
    return true;
}

/* What takes the place of a function of the same type. */
#define CALL(type, name, ...)                                                                                                    \
    type __real_##name(__VA_ARGS__);                                                                                             \
    type __wrap_##name(__VA_ARGS__);                                                                                             \
    type __wrap_##name(__VA_ARGS__)

CALL(int, fstat, int fd, struct stat *info) { return fails("fstat") ? -1 : __real_fstat(fd, info); }
CALL(int, fsync, int fd) { return fails("fsync") ? -1 : __real_fsync(fd); }
CALL(int, link, const char *from, const char *to) { return fails("link") ? -1 : __real_link(from, to); }
CALL(struct dirent *, readdir, DIR *stream) { return fails("readdir") ? NULL : __real_readdir(stream); }
CALL(int, glob, const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *found) {
    return fails("glob") ? GLOB_NOSPACE : __real_glob(pattern, flags, on_error, found);
}

CALL(ZSTD_DCtx *, ZSTD_createDCtx, void) { return fails("ZSTD_createDCtx") ? NULL : __real_ZSTD_createDCtx(); }
CALL(ZSTD_CCtx *, ZSTD_createCCtx, void) { return fails("ZSTD_createCCtx") ? NULL : __real_ZSTD_createCCtx(); }
static size_t no_memory(void) { return (size_t)-ZSTD_error_memory_allocation; }
CALL(size_t, ZSTD_CCtx_setParameter, ZSTD_CCtx *context, ZSTD_cParameter parameter, int value) {
    return fails("ZSTD_CCtx_setParameter") ? no_memory() : __real_ZSTD_CCtx_setParameter(context, parameter, value);
}
CALL(size_t, ZSTD_compress2, ZSTD_CCtx *context, void *to, size_t room, const void *from, size_t size) {
    return fails("ZSTD_compress2") ? no_memory() : __real_ZSTD_compress2(context, to, room, from, size);
}
CALL(size_t, ZSTD_compress, void *to, size_t room, const void *from, size_t size, int level) {
    return fails("ZSTD_compress") ? no_memory() : __real_ZSTD_compress(to, room, from, size, level);
}

CALL(int, inflate, z_streamp stream, int flush) {
    if (fails("inflate")) return Z_MEM_ERROR;
    if (!fails("inflate, which fills what it is given")) return __real_inflate(stream, flush);
    stream->next_out += stream->avail_out;
    stream->avail_out = 0;
    return Z_OK;
}

CALL(int, yaml_parser_initialize, yaml_parser_t *parser) {
    return fails("yaml_parser_initialize") ? 0 : __real_yaml_parser_initialize(parser);
}
CALL(int, yaml_parser_parse, yaml_parser_t *parser, yaml_event_t *event) {
    if (fails("yaml_parser_parse")) {
        parser->error = YAML_MEMORY_ERROR;
        return 0;
    }
    if (!fails("yaml_parser_parse, whose event is none")) return __real_yaml_parser_parse(parser, event);
    *event = (yaml_event_t){0};
    return 1;
}

CALL(void, jpeg_finish_compress, j_compress_ptr codec) {
    if (fails("jpeg_finish_compress")) ERREXIT(codec, JERR_FILE_WRITE);
    __real_jpeg_finish_compress(codec);
}

CALL(int, WebPInitDecoderConfigInternal, WebPDecoderConfig *config, int version) {
    return fails("WebPInitDecoderConfigInternal") ? 0 : __real_WebPInitDecoderConfigInternal(config, version);
}
CALL(int, WebPDemuxGetFrame, const WebPDemuxer *demuxer, int number, WebPIterator *frame) {
    if (fails("WebPDemuxGetFrame")) return 0;
    const int found = __real_WebPDemuxGetFrame(demuxer, number, frame);
    if (fails("WebPDemuxGetFrame, of a frame elsewhere")) frame->x_offset = 1;
    return found;
}

/* ---- who makes them: 0, or -1 with err ---- */

static int map_file(void) {
    vb_map map;
    put_text("map", "x");
    const int status = vb_map_open(&map, scratch_path("map"), &err);
    vb_map_close(&map);
    return status;
}

static int glob_files(void) {
    vb_strings paths;
    const int status = vb_path_glob(&paths, scratch_path("nothing/*"), &err);
    vb_strings_free(&paths);
    return status;
}

static int list_folder(void) {
    vb_strings names;
    const int status = vb_path_list_folder(&names, scratch, &err);
    vb_strings_free(&names);
    return status;
}

/* Whole, or not there; its folder is empty then. */
static int create_file(void) {
    bool made;
    const char *path = scratch_path("created/file");
    const int status = vb_writer_create_whole(path, "content", 7, &made, &err);
    assert_int_equal(made, !status);
    assert_int_equal(unlink(path), status);
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/created", scratch);
    assert_int_equal(rmdir(folder), 0);
    return status;
}

static int write_zst(void) {
    vb_zst_writer *writer;
    if (vb_zst_writer_open(&writer, scratch_path("file.zst"), 3, &err)) return -1;
    if (!vb_zst_writer_write(writer, "hello", 5, &err)) return vb_zst_writer_commit(writer, NULL, &err);
    vb_zst_writer_abandon(writer);
    return -1;
}

static int read_zst(void) {
    vb_zst *zst;
    if (write_zst() || vb_zst_open(&zst, scratch_path("file.zst"), &err)) return -1;
    vb_zst_close(zst);
    return 0;
}

static int pack_frame(void) {
    void *packed;
    size_t size;
    if (vb_zst_frame("hello", 5, 3, &packed, &size, &err)) {
        assert_null(packed);
        return -1;
    }
    vb_free(packed);
    return 0;
}

static int read_zip(void) {
    static const char path[] = "tests/fuzz/corpus/zip/deflated.zip";
    vb_map map;
    vb_zip zip;
    const uint8_t *bytes;
    assert_ok(vb_map_open(&map, path, &err));
    assert_ok(vb_zip_open(&zip, map.data, map.size, path, &err));
    const int status = vb_zip_content(&zip, vb_zip_find(&zip, "b/c"), &bytes, path, &err);
    vb_zip_close(&zip);
    vb_map_close(&map);
    return status;
}

static int unpack_tokenizer(void) {
    uint8_t *bytes;
    size_t size;
    const char *path = scratch_path("merges.txt.gz");
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, "merges", 6), 6);
    assert_int_equal(gzclose(file), Z_OK);
    if (vb_tokenizer_format_unpacked(path, "merges", &bytes, &size, &err)) return -1;
    vb_free(bytes);
    return 0;
}

static int parse_yaml(void) {
    vb_yaml *root;
    const int status = vb_yaml_parse(&root, "a: 1\n", 5, "y.yaml", &err);
    vb_yaml_free(root);
    return status;
}

static int make_thumbnail(void) {
    uint8_t pixel[] = {1, 2, 3}, *jpeg = NULL;
    const vb_image image = {.mode = VB_MODE_RGB, .width = 1, .height = 1, .pixels = pixel};
    size_t size;
    int width, height;
    const int status = vb_thumbnail(&image, 8, &jpeg, &size, &width, &height, &err);
    vb_free(jpeg);
    return status;
}

static int decode_webp(void) {
    const struct image_case *webp = image_cases;
    while (strcmp(webp->name, "webp lossless")) webp++;
    vb_image image;
    const int status = vb_image_decode(&image, webp->bytes, webp->size, "x", &err);
    vb_free(image.pixels);
    return status;
}

static const struct {
    const char *call;
    int before, error;
    const char *then;
    int (*make)(void);
    vb_code code;
    const char *says; /* NULL: does without */
} cases[] = {{"fstat", 0, EIO, NULL, map_file, VB_EMISSING, "map: cannot stat: Input/output error"},
             {"fstat", 1, EIO, NULL, map_file, VB_EMISSING, "map: cannot stat: Input/output error"},
             {"glob", 0, 0, NULL, glob_files, VB_EMEMORY, "nothing/*: no memory for the list of files"},
             {"readdir", 2, EIO, NULL, list_folder, VB_EMISSING, ": cannot list folder: Input/output error"},
             {"link", 0, EACCES, NULL, create_file, VB_EOUTPUT, "created/file: cannot create: Permission denied"},
             {"link", 0, EPERM, NULL, create_file, VB_OK, NULL},
             {"link", 0, EPERM, "fsync", create_file, VB_EOUTPUT, "created/file: cannot create: Input/output error"},
             {"ZSTD_createCCtx", 0, 0, NULL, write_zst, VB_EMEMORY, "file.zst: no memory for a zstd context"},
             {"ZSTD_CCtx_setParameter", 0, 0, NULL, write_zst, VB_EINTERNAL, "file.zst: zstd: Allocation error"},
             {"ZSTD_CCtx_setParameter", 1, 0, NULL, write_zst, VB_EINTERNAL, "file.zst: zstd: Allocation error"},
             {"ZSTD_compress2", 0, 0, NULL, write_zst, VB_EMEMORY, "zstd cannot compress 5 bytes: Allocation error"},
             {"ZSTD_createDCtx", 0, 0, NULL, read_zst, VB_EMEMORY, "file.zst: no memory for a zstd context"},
             {"ZSTD_compress", 0, 0, NULL, pack_frame, VB_EINTERNAL, "zstd: Allocation error"},
             {"inflate", 0, 0, NULL, read_zip, VB_EMEMORY, "deflated.zip: 'b/c': no memory to inflate it"},
             {"inflate", 0, 0, NULL, unpack_tokenizer, VB_EMEMORY, "merges.txt.gz: no memory to unpack it"},
             {"inflate, which fills what it is given", 0, 0, NULL, unpack_tokenizer, VB_EDATA,
              "merges.txt.gz: more than 268435456 bytes when unpacked, no tokenizer"},
             {"yaml_parser_initialize", 0, 0, NULL, parse_yaml, VB_EMEMORY, "y.yaml: no memory for reading YAML"},
             {"yaml_parser_parse", 0, 0, NULL, parse_yaml, VB_EMEMORY, "y.yaml: no memory for reading YAML"},
             {"yaml_parser_parse, whose event is none", 2, 0, NULL, parse_yaml, VB_EINTERNAL, "y.yaml: unexpected YAML event 0"},
             {"jpeg_finish_compress", 0, 0, NULL, make_thumbnail, VB_EINTERNAL, "a thumbnail: JPEG: Output file write error"},
             {"WebPInitDecoderConfigInternal", 0, 0, NULL, decode_webp, VB_EINTERNAL,
              "libwebp: the library does not fit its headers"},
             {"WebPDemuxGetFrame", 0, 0, NULL, decode_webp, VB_EDATA, "x: WebP: no complete first frame"},
             {"WebPDemuxGetFrame, of a frame elsewhere", 0, 0, NULL, decode_webp, VB_EDATA,
              "x: WebP: a frame of 21x18 at 1,0 leaves the canvas of 21x18"}};

static void failing_calls_are_told(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].make != glob_files) assert_ok(cases[i].make()); /* well, when no call fails */
        vb_error_clear(&err);
        wanted.call = cases[i].call;
        wanted.before = cases[i].before;
        wanted.error = cases[i].error;
        wanted.then = cases[i].then;
        wanted.failed = 0;
        const int status = cases[i].make();
        wanted.call = NULL;
        if (wanted.failed < (cases[i].then ? 2 : 1)) fail_msg("%s: not called", cases[i].call);
        if ((status != 0) != (cases[i].says != NULL)) fail_msg("%s: status %d: %s", cases[i].call, status, err.text);
        if (err.code != (int)cases[i].code || (cases[i].says && !strstr(err.text, cases[i].says)))
            fail_msg("%s: code %d, text: %s", cases[i].call, err.code, err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(failing_calls_are_told)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
