/* Fields of a protocol buffer's message, read in their order; every length is checked. Source: protobuf.dev encoding. */
#ifndef VB_PROTOBUF_H
#define VB_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef enum vb_wire { VB_WIRE_VARINT = 0, VB_WIRE_64 = 1, VB_WIRE_BYTES = 2, VB_WIRE_32 = 5 } vb_wire;

/* A message, or what is left of it. `file`: where offsets in messages count from. */
typedef struct vb_protobuf {
    const uint8_t *at, *end, *file;
    const char *name; /* of the file */
    const char *what; /* "piece 17": for messages; "" at the top */
    bool failed;
    vb_error *err;
} vb_protobuf;

typedef struct vb_protobuf_field {
    uint32_t number;
    vb_wire wire;
    uint64_t value;       /* of varints and numbers of fixed size */
    const uint8_t *bytes; /* of VB_WIRE_BYTES: inside of the message */
    size_t size;
} vb_protobuf_field;

/* The next field. False at the end, or when the message is broken: then `failed`, and *err (VB_EDATA) says where. */
bool vb_protobuf_next(vb_protobuf *message, vb_protobuf_field *field);

/* The message inside of a field of bytes. */
vb_protobuf vb_protobuf_inside(const vb_protobuf *message, const vb_protobuf_field *field, const char *what);

/* A field of another wire type than expected: sets failed and *err. Returns true when it is as expected. */
bool vb_protobuf_is(vb_protobuf *message, const vb_protobuf_field *field, vb_wire wire);

#endif
