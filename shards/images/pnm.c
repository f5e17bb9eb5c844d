/* PBM, PGM and PPM, plain and raw (P1 to P6), as Pillow 9.4 reads them: samples scaled to 0 .. 255, greys of more than 8 bits to
 * 0 .. 65535 in mode "I". */
#include "shards/images/codec.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/image/colour.h"

enum { LONGEST_TOKEN = 10 };

typedef struct pnm_job {
    const uint8_t *bytes;
    size_t size, at;
    const char *name;
    vb_error *err;
    bool plain;
    int channels, limit; /* limit: the largest sample of the file; 0: bits */
    vb_image *image;
} pnm_job;

static bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* The next byte that is of no comment, -1 at the end. A comment goes up to its line's end, and counts as nothing: it does not
 * part what is around it. */
static int pnm_byte(pnm_job *job) {
    while (job->at < job->size) {
        const uint8_t byte = job->bytes[job->at++];
        if (byte != '#') return byte;
        while (job->at < job->size && job->bytes[job->at] != '\n' && job->bytes[job->at] != '\r') job->at++;
        if (job->at < job->size) job->at++;
    }
    return -1;
}

/* A number and the blank behind it. */
static int pnm_number(pnm_job *job, const char *what, int64_t *value) {
    int digits = 0, byte;
    *value = 0;
    while ((byte = pnm_byte(job)) >= 0) {
        if (is_blank((uint8_t)byte)) {
            if (digits) break;
            continue;
        }
        if (byte < '0' || byte > '9' || digits == LONGEST_TOKEN)
            return vb_errorf(job->err, VB_EDATA, "%s: PNM: offset %zu: %s expected, a number of at most %d digits", job->name,
                             job->at - 1, what, LONGEST_TOKEN);
        *value = *value * 10 + byte - '0';
        digits++;
    }
    if (digits) return 0;
    return vb_errorf(job->err, VB_EDATA, "%s: PNM: truncated: %s expected at offset %zu, the file holds %zu bytes", job->name,
                     what, job->at, job->size);
}

/* Sample n of the image, of `value` out of the file's limit; 32-bit integers in mode "I". */
static void put_sample(const pnm_job *job, size_t n, int64_t value) {
    const int full = job->image->mode == VB_MODE_I ? 65535 : 255;
    const double scaled = nearbyint((double)value / job->limit * full);
    const int32_t level = scaled > full ? full : (int32_t)scaled;
    if (job->image->mode == VB_MODE_I) memcpy(job->image->pixels + 4 * n, &level, sizeof level);
    else job->image->pixels[n] = (uint8_t)level;
}

static int pnm_plain_bits(pnm_job *job, size_t pixels) {
    for (size_t n = 0; n < pixels;) {
        const int byte = pnm_byte(job);
        if (byte < 0) return vb_errorf(job->err, VB_EDATA, "%s: PNM: truncated: %zu of %zu pixels", job->name, n, pixels);
        if (is_blank((uint8_t)byte)) continue;
        if (byte != '0' && byte != '1')
            return vb_errorf(job->err, VB_EDATA, "%s: PNM: offset %zu: found byte %d, expected 0 or 1", job->name, job->at - 1,
                             byte);
        job->image->pixels[n++] = byte == '0' ? 255 : 0;
    }
    return 0;
}

static int pnm_plain_samples(pnm_job *job, size_t samples) {
    for (size_t n = 0; n < samples; n++) {
        int64_t value;
        if (pnm_number(job, "a sample", &value)) return -1;
        if (value > job->limit)
            return vb_errorf(job->err, VB_EDATA, "%s: PNM: sample %lld before offset %zu, expected at most %d", job->name,
                             (long long)value, job->at, job->limit);
        put_sample(job, n, value);
    }
    return 0;
}

static int pnm_raw(const pnm_job *job, size_t samples) {
    const size_t width = (size_t)job->image->width, row = (width + 7) / 8, bytes = job->limit > 255 ? 2 : 1;
    const uint8_t *in = job->bytes + job->at;
    for (size_t n = 0; n < samples; n++) {
        if (!job->limit) job->image->pixels[n] = in[n / width * row + n % width / 8] >> (7 - n % width % 8) & 1 ? 0 : 255;
        else if (bytes == 2) put_sample(job, n, in[2 * n] << 8 | in[2 * n + 1]);
        else if (job->limit == 255) job->image->pixels[n] = in[n];
        else put_sample(job, n, in[n]);
    }
    return 0;
}

/* Whether so few bytes can hold the samples: raw ones need theirs, plain ones a digit, and a blank but for bits. */
static int pnm_check_size(const pnm_job *job, uint64_t width, uint64_t height) {
    const uint64_t samples = width * height * (uint64_t)job->channels, left = job->size - job->at;
    const uint64_t raw = job->limit ? samples * (job->limit > 255 ? 2 : 1) : (width + 7) / 8 * height;
    const uint64_t wanted = !job->plain ? raw : job->limit ? 2 * samples - 1 : samples;
    if (wanted <= left) return 0;
    return vb_errorf(job->err, VB_EDATA, "%s: PNM: truncated: %llu bytes of pixels expected, found %llu", job->name,
                     (unsigned long long)wanted, (unsigned long long)left);
}

static int pnm_decode_job(pnm_job *job) {
    const uint8_t kind = job->bytes[1];
    if (job->size < 3 || !is_blank(job->bytes[2]))
        return vb_errorf(job->err, VB_EUNSUPPORTED, "%s: begins like PNM (P%c), but no blank follows", job->name, kind);
    const bool bits = kind == '1' || kind == '4', colour = kind == '3' || kind == '6';
    int64_t width, height, limit = 0;
    job->at = 3;
    job->plain = kind < '4';
    job->channels = colour ? 3 : 1;
    if (pnm_number(job, "the width", &width) || pnm_number(job, "the height", &height)) return -1;
    if (!bits && pnm_number(job, "the largest sample", &limit)) return -1;
    if (!bits && (limit < 1 || limit > 65535))
        return vb_errorf(job->err, VB_EDATA, "%s: PNM: a largest sample of %lld, expected 1 to 65535", job->name,
                         (long long)limit);
    job->limit = (int)limit;
    if (vb_codec_check((uint64_t)width, (uint64_t)height, job->name, job->err)) return -1;
    if (pnm_check_size(job, (uint64_t)width, (uint64_t)height)) return -1;
    const vb_mode mode = bits ? VB_MODE_1 : colour ? VB_MODE_RGB : limit > 255 ? VB_MODE_I : VB_MODE_L;
    const vb_codec_size whole = {(uint64_t)width, (uint64_t)height, 0};
    if (vb_codec_reserve(job->image, mode, &whole, job->name, job->err)) return -1;
    const size_t samples = (size_t)width * (size_t)height * (size_t)job->channels;
    if (!job->plain) return pnm_raw(job, samples);
    return bits ? pnm_plain_bits(job, samples) : pnm_plain_samples(job, samples);
}

static int pnm_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err) {
    pnm_job job = {.bytes = bytes, .size = size, .name = name, .err = err, .image = image};
    if (!pnm_decode_job(&job)) return 0;
    vb_free(image->pixels);
    image->pixels = NULL;
    return -1;
}

const vb_codec vb_codec_pnm = {
    .name = "PNM",
    .suffixes = {"ppm", "pgm", "pbm", "pnm"},
    .signatures = {{"P1", ".."}, {"P2", ".."}, {"P3", ".."}, {"P4", ".."}, {"P5", ".."}, {"P6", ".."}},
    .decode = pnm_decode,
};
