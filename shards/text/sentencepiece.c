/* The messages ModelProto, SentencePiece, TrainerSpec and NormalizerSpec, as far as encoding needs them. */
#include "shards/text/sentencepiece.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/protobuf.h"

enum { MODEL_UNIGRAM = 1, MODEL_BPE = 2, MODEL_WORD = 3, MODEL_CHARACTERS = 4 };

typedef struct model {
    vb_listed_piece *pieces;
    size_t count, capacity;
    uint64_t type;
    bool byte_fallback, suffix, prefix, squeeze, escape;
    const uint8_t *charsmap;
    size_t charsmap_size;
} model;

static float float_of(uint64_t bits) {
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

bool vb_sentencepiece_begins(const uint8_t *bytes, size_t size) {
    if (size < 4 || bytes[0] != 0x0a) return false; /* field 1, bytes */
    const size_t at = bytes[1] < 0x80 ? 2 : 3;      /* its length; in it field 1, bytes: the piece's text */
    return bytes[at] == 0x0a;
}

static void read_piece(vb_protobuf *in, model *m, const vb_protobuf_field *field) {
    char what[40];
    void *pieces = m->pieces;
    if (vb_grow(&pieces, &m->capacity, m->count + 1, sizeof *m->pieces, "pieces", in->err)) {
        in->failed = true;
        return;
    }
    m->pieces = pieces;
    snprintf(what, sizeof what, "piece %zu", m->count);
    vb_listed_piece *piece = &m->pieces[m->count];
    *piece = (vb_listed_piece){.text = "", .type = VB_PIECE_NORMAL, .id = (int32_t)m->count};
    m->count++;
    vb_protobuf inside = vb_protobuf_inside(in, field, what);
    for (vb_protobuf_field f; vb_protobuf_next(&inside, &f);) {
        if (f.number == 1 && vb_protobuf_is(&inside, &f, VB_WIRE_BYTES)) {
            piece->text = (const char *)f.bytes;
            piece->size = f.size;
        }
        if (f.number == 2 && vb_protobuf_is(&inside, &f, VB_WIRE_32)) piece->score = (double)float_of(f.value);
        if (f.number == 3 && vb_protobuf_is(&inside, &f, VB_WIRE_VARINT))
            piece->type = (vb_piece_type)(f.value < 256 ? f.value : 0);
    }
    in->failed |= inside.failed;
}

static void read_trainer(vb_protobuf *in, model *m, const vb_protobuf_field *field) {
    vb_protobuf inside = vb_protobuf_inside(in, field, "trainer_spec");
    for (vb_protobuf_field f; vb_protobuf_next(&inside, &f);) {
        const bool known = f.number == 3 || f.number == 24 || f.number == 35;
        if (!known || !vb_protobuf_is(&inside, &f, VB_WIRE_VARINT)) continue;
        if (f.number == 3) m->type = f.value;
        if (f.number == 24) m->suffix = f.value;
        if (f.number == 35) m->byte_fallback = f.value;
    }
    in->failed |= inside.failed;
}

static void read_normalizer(vb_protobuf *in, model *m, const vb_protobuf_field *field) {
    vb_protobuf inside = vb_protobuf_inside(in, field, "normalizer_spec");
    for (vb_protobuf_field f; vb_protobuf_next(&inside, &f);) {
        if (f.number == 2 && vb_protobuf_is(&inside, &f, VB_WIRE_BYTES)) {
            m->charsmap = f.bytes;
            m->charsmap_size = f.size;
        }
        if (f.number < 3 || f.number > 5 || !vb_protobuf_is(&inside, &f, VB_WIRE_VARINT)) continue;
        *(f.number == 3 ? &m->prefix : f.number == 4 ? &m->squeeze : &m->escape) = f.value;
    }
    in->failed |= inside.failed;
}

static int read_model(model *m, const uint8_t *bytes, size_t size, const char *name, vb_error *err) {
    vb_protobuf in = {.at = bytes, .end = bytes + size, .file = bytes, .name = name, .what = "", .err = err};
    *m = (model){.type = MODEL_UNIGRAM, .prefix = true, .squeeze = true, .escape = true};
    for (vb_protobuf_field f; vb_protobuf_next(&in, &f);) {
        if (f.number < 1 || f.number > 3 || !vb_protobuf_is(&in, &f, VB_WIRE_BYTES)) continue;
        (f.number == 1 ? read_piece : f.number == 2 ? read_trainer : read_normalizer)(&in, m, &f);
    }
    return in.failed ? -1 : 0;
}

/* The one piece of the type "unknown", as the library has it. */
static int find_unknown(const model *m, size_t *unknown, const char *name, vb_error *err) {
    *unknown = SIZE_MAX;
    for (size_t i = 0; i < m->count; i++) {
        if (m->pieces[i].type != VB_PIECE_UNKNOWN) continue;
        if (*unknown != SIZE_MAX)
            return vb_errorf(err, VB_EDATA, "%s: pieces %zu and %zu are both of the type unknown, expected one", name, *unknown,
                             i);
        *unknown = i;
    }
    if (*unknown != SIZE_MAX) return 0;
    return vb_errorf(err, VB_EDATA, "%s: %zu pieces, none of them of the type unknown: expected a SentencePiece model", name,
                     m->count);
}

static int refuse_kind(const model *m, const char *name, vb_error *err) {
    if (m->type == MODEL_WORD || m->type == MODEL_CHARACTERS)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: a SentencePiece model of %s, expected unigram or BPE", name,
                         m->type == MODEL_WORD ? "words" : "characters");
    if (m->type != MODEL_UNIGRAM && m->type != MODEL_BPE)
        return vb_errorf(err, VB_EDATA, "%s: a SentencePiece model of type %llu, expected 1 (unigram) or 2 (BPE)", name,
                         (unsigned long long)m->type);
    if (m->suffix) return vb_errorf(err, VB_EUNSUPPORTED, "%s: treat_whitespace_as_suffix, which is not computed here", name);
    return 0;
}

int vb_sentencepiece_read(vb_tokenizer **tokenizer, const uint8_t *bytes, size_t size, const char *name, vb_error *err) {
    model m;
    size_t unknown;
    *tokenizer = NULL;
    int status = read_model(&m, bytes, size, name, err);
    if (!status) status = refuse_kind(&m, name, err);
    if (!status) status = find_unknown(&m, &unknown, name, err);
    if (!status) {
        const vb_step_spec step = {.kind = VB_STEP_SENTENCEPIECE,
                                   .flags = (m.prefix ? VB_SP_PREFIX : 0) | (m.squeeze ? VB_SP_SQUEEZE : 0) |
                                            (m.escape ? VB_SP_ESCAPE : 0)};
        const vb_piece_spec spec = {.algorithm = m.type == MODEL_BPE ? VB_PIECES_SCORES : VB_PIECES_UNIGRAM,
                                    .pieces = m.pieces,
                                    .count = m.count,
                                    .charsmap = m.charsmap,
                                    .charsmap_size = m.charsmap_size,
                                    .steps = &step,
                                    .step_count = 1,
                                    .unknown = unknown,
                                    .byte_fallback = m.byte_fallback,
                                    .fuse_unknown = true,
                                    .single_precision = true};
        status = vb_tokenizer_open_pieces(tokenizer, &spec, name, err);
    }
    vb_free(m.pieces);
    return status;
}
