/* Varints, keys and lengths, each within its message. */
#include "shards/files/protobuf.h"

static bool fail(vb_protobuf *m, const char *why) {
    if (!m->failed)
        vb_errorf(m->err, VB_EDATA, "%s: byte %zu%s%s: %s", m->name, (size_t)(m->at - m->file), *m->what ? ", " : "", m->what,
                  why);
    m->failed = true;
    return false;
}

static bool read_varint(vb_protobuf *m, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (m->at == m->end) return fail(m, "the message ends within a number: a truncated file?");
        const uint8_t byte = *m->at++;
        if (shift == 63 && byte > 1) break;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return fail(m, "a number of more than 64 bits");
}

static bool read_fixed(vb_protobuf *m, size_t size, uint64_t *value) {
    if ((size_t)(m->end - m->at) < size) return fail(m, "the message ends within a number: a truncated file?");
    *value = 0;
    for (size_t i = 0; i < size; i++) *value |= (uint64_t)m->at[i] << 8 * i;
    m->at += size;
    return true;
}

bool vb_protobuf_next(vb_protobuf *m, vb_protobuf_field *field) {
    uint64_t key, size;
    if (m->failed || m->at == m->end) return false;
    if (!read_varint(m, &key)) return false;
    *field = (vb_protobuf_field){.number = (uint32_t)(key >> 3), .wire = (vb_wire)(key & 7)};
    if (!field->number || key >> 3 > (1 << 29) - 1) return fail(m, "no field has such a number: not a protocol buffer?");
    switch (key & 7) {
    case VB_WIRE_VARINT: return read_varint(m, &field->value);
    case VB_WIRE_64: return read_fixed(m, 8, &field->value);
    case VB_WIRE_32: return read_fixed(m, 4, &field->value);
    case VB_WIRE_BYTES:
        if (!read_varint(m, &size)) return false;
        if (size > (size_t)(m->end - m->at)) return fail(m, "a field is longer than what is left: a truncated file?");
        field->bytes = m->at;
        field->size = (size_t)size;
        m->at += size;
        return true;
    default: return fail(m, "a field of a type that is not used: not a protocol buffer?");
    }
}

vb_protobuf vb_protobuf_inside(const vb_protobuf *m, const vb_protobuf_field *field, const char *what) {
    return (vb_protobuf){
        .at = field->bytes, .end = field->bytes + field->size, .file = m->file, .name = m->name, .what = what, .err = m->err};
}

bool vb_protobuf_is(vb_protobuf *m, const vb_protobuf_field *field, vb_wire wire) {
    return field->wire == wire || fail(m, "a field of another type than expected");
}
