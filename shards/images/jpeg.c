/* JPEG by libjpeg-turbo with its default, accurate settings, fed as Pillow feeds it: what libjpeg recovers from is read, with a
 * remark; a file that ends before its last row is an error, one that ends behind it is not. */
#include "shards/images/codec.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

#include "kernels/base/memory.h"

/* A few bytes of a progressive scan can ask for a pass over all pixels; no encoder writes this many. */
enum { MAX_SCANS = 500, ROWS = 16 /* at once */ };

typedef struct jpeg_job {
    struct jpeg_error_mgr errors; /* first member: libjpeg hands out pointers to it */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct codec;
    struct jpeg_source_mgr source;
    jmp_buf failed;
    vb_image *image;
    uint8_t *rows; /* on their way to a sink */
    size_t size;
    const char *name;
    vb_error *err;
} jpeg_job;

static vb_code code_of(int message) {
    switch (message) {
    case JERR_OUT_OF_MEMORY: return VB_EMEMORY;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL: return VB_EUNSUPPORTED;
    default: return VB_EDATA;
    }
}

static void jpeg_fail(j_common_ptr codec) {
    jpeg_job *job = (jpeg_job *)(void *)codec->err;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    vb_errorf(job->err, code_of(codec->err->msg_code), "%s: JPEG: %s", job->name, text);
    longjmp(job->failed, 1);
}

/* Level -1 is a warning. Those about a header field that changes no pixel are nothing; of the others, the first is kept. */
static void judge(j_common_ptr codec, int level) {
    jpeg_job *job = (jpeg_job *)(void *)codec->err;
    const int message = codec->err->msg_code;
    if (level >= 0 || message == JWRN_JFIF_MAJOR || message == JWRN_ADOBE_XFORM) return;
    codec->err->num_warnings++;
    if (job->image->remark[0]) return;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    snprintf(job->image->remark, sizeof job->image->remark, "JPEG: %s", text);
}

/* ---- a source that stops where the file does: libjpeg then keeps what it has, and its caller decides ---- */

static void no_bytes_to_prepare(j_decompress_ptr codec) { (void)codec; }

static boolean no_more_bytes(j_decompress_ptr codec) {
    (void)codec;
    return FALSE;
}

static void skip_bytes(j_decompress_ptr codec, long count) {
    struct jpeg_source_mgr *source = codec->src;
    const size_t n = count < 0 ? 0 : (size_t)count < source->bytes_in_buffer ? (size_t)count : source->bytes_in_buffer;
    source->next_input_byte += n;
    source->bytes_in_buffer -= n;
}

static int jpeg_truncated(const jpeg_job *job) {
    return vb_errorf(job->err, VB_EDATA, "%s: JPEG: truncated: the file's %zu bytes end before the image does", job->name,
                     job->size);
}

static void jpeg_print_nothing(j_common_ptr codec) { (void)codec; }

static void count_scans(j_common_ptr codec) {
    jpeg_job *job = (jpeg_job *)(void *)codec->err;
    if (job->codec.input_scan_number <= MAX_SCANS) return;
    vb_errorf(job->err, VB_EDATA, "%s: JPEG: more than %d scans", job->name, MAX_SCANS);
    longjmp(job->failed, 1);
}

/* Bytes that libjpeg takes: of several scans all coefficients, of one the blocks at hand; and our rows. */
static uint64_t jpeg_bytes(struct jpeg_decompress_struct *codec, int channels) {
    const bool all = jpeg_has_multiple_scans(codec);
    uint64_t bytes = (uint64_t)codec->image_width * (uint64_t)channels * (ROWS + 8);
    for (int c = 0; c < codec->num_components; c++) {
        const jpeg_component_info *component = &codec->comp_info[c];
        const uint64_t across = component->width_in_blocks + (uint64_t)component->h_samp_factor;
        const uint64_t down = component->height_in_blocks + (uint64_t)component->v_samp_factor;
        bytes += across * (all ? down * sizeof(JBLOCK) : 0) + across * (uint64_t)component->v_samp_factor * 6 * DCTSIZE2;
    }
    return bytes;
}

/* Adobe stores inks inverted, and everybody who writes CMYK follows; Pillow takes it for granted. */
static void invert_inks(uint8_t *row, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) row[i] ^= 0xff;
}

/* The next `count` rows of the image, to `to`. */
static int jpeg_some_rows(jpeg_job *job, uint8_t *to, size_t stride, JDIMENSION count) {
    struct jpeg_decompress_struct *codec = &job->codec;
    for (JDIMENSION at = 0, got; at < count; at += got) {
        JSAMPROW rows[ROWS];
        const JDIMENSION most = count - at < ROWS ? count - at : ROWS;
        for (JDIMENSION i = 0; i < most; i++) rows[i] = to + (at + i) * stride;
        if (!(got = jpeg_read_scanlines(codec, rows, most))) return jpeg_truncated(job);
    }
    if (job->image->mode == VB_MODE_CMYK) invert_inks(to, count * stride);
    return 0;
}

/* All rows to the sink, some at a time: what libjpeg and the resize have in the processor's caches would else make room for each
 * other at every row. */
static int jpeg_hand_over(jpeg_job *job, size_t stride) {
    const JDIMENSION height = job->codec.output_height;
    for (JDIMENSION y = 0; y < height; y += ROWS) {
        const JDIMENSION count = height - y < ROWS ? height - y : ROWS;
        if (jpeg_some_rows(job, job->rows, stride, count)) return -1;
        for (JDIMENSION i = 0; i < count; i++)
            if (vb_codec_row(job->image, job->rows + i * stride, job->err)) return -1;
    }
    return 0;
}

/* Everything that may jump to job->failed. */
static int jpeg_decode_job(jpeg_job *job, const void *bytes, size_t size) {
    struct jpeg_decompress_struct *codec = &job->codec;
    jpeg_create_decompress(codec);
    codec->progress = &job->progress;
    job->source = (struct jpeg_source_mgr){.next_input_byte = bytes,
                                           .bytes_in_buffer = size,
                                           .init_source = no_bytes_to_prepare,
                                           .fill_input_buffer = no_more_bytes,
                                           .skip_input_data = skip_bytes,
                                           .resync_to_restart = jpeg_resync_to_restart,
                                           .term_source = no_bytes_to_prepare};
    codec->src = &job->source;
    int found;
    while ((found = jpeg_read_header(codec, FALSE)) == JPEG_HEADER_TABLES_ONLY) continue;
    if (found == JPEG_SUSPENDED) return jpeg_truncated(job);
    vb_mode mode;
    switch (codec->num_components) {
    case 1:
        mode = VB_MODE_L;
        codec->out_color_space = JCS_GRAYSCALE;
        break;
    case 3:
        mode = VB_MODE_RGB;
        codec->out_color_space = JCS_RGB;
        break;
    case 4:
        mode = VB_MODE_CMYK;
        codec->out_color_space = JCS_CMYK;
        break;
    default:
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: JPEG: %d components, expected 1, 3 or 4", job->name,
                         codec->num_components);
    }
    const vb_codec_size size_of = {codec->image_width, codec->image_height, jpeg_bytes(codec, codec->num_components)};
    if (job->image->sink ? vb_codec_stream(job->image, mode, &size_of, job->name, job->err) :
                           vb_codec_reserve(job->image, mode, &size_of, job->name, job->err))
        return -1;
    const size_t stride = (size_t)codec->image_width * (size_t)codec->num_components;
    if (job->image->sink && !(job->rows = vb_buffer(ROWS, stride, "JPEG rows", job->err)))
        return vb_error_prefix(job->err, "%s", job->name);
    if (!jpeg_start_decompress(codec)) return jpeg_truncated(job);
    if (job->rows ? jpeg_hand_over(job, stride) : jpeg_some_rows(job, job->image->pixels, stride, codec->output_height))
        return -1;
    if (!jpeg_finish_decompress(codec) && !job->image->remark[0])
        snprintf(job->image->remark, sizeof job->image->remark, "JPEG: the end of the image is not marked");
    return 0;
}

static int jpeg_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    jpeg_job job = {.image = image, .size = size, .name = name, .err = err};
    job.codec.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = jpeg_fail;
    job.errors.emit_message = judge;
    job.errors.output_message = jpeg_print_nothing;
    job.progress.progress_monitor = count_scans;
    int status = setjmp(job.failed) ? -1 : jpeg_decode_job(&job, bytes, size);
    jpeg_destroy_decompress(&job.codec);
    vb_free(job.rows);
    if (!status) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_jpeg = {
    .name = "JPEG",
    .suffixes = {"jpg", "jpeg", "jpe", "jfif"},
    .signatures = {{"\xff\xd8\xff", "..."}},
    .decode = jpeg_decode,
};
