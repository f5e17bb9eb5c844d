"""Fields of protocol buffers, written by hand. Source: protobuf.dev encoding."""
import struct


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def piece(text, score, kind):
    """A piece of a SentencePiece model. Source: sentencepiece_model.proto."""
    return block(1, block(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + number(3, kind))


def unused_pieces(count):
    """Behind a small model's bytes: what makes it as large as a published one. Pieces of type 5 are read and never used."""
    return b"".join(piece(f"filler{i:06}", -1e4, 5) for i in range(count))
