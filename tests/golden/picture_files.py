"""Small GIF, BMP, PNM, TIFF, JPEG and damaged PNG files of many kinds, sound and odd: what tests/golden/make_pictures.py makes digests of and
tests/tools/pictures.py compares."""
import io
import struct
import zlib

import numpy as np
from PIL import Image

W, H = 9, 7
random = np.random.default_rng(1207)
NOISE = random.integers(0, 1 << 31, 8192)
place = 0


def noise(*shape, top=256):
    """The next values of a short table: random enough for decoders, and the files together can be compressed."""
    global place
    count = int(np.prod(shape))
    place = (place + 61) % (len(NOISE) - 5000)
    return (NOISE[place:place + count] % top).reshape(shape)


def smooth(width, height, channels):
    y, x, c = np.mgrid[:height, :width, :channels]
    return ((x * 9 + y * 6 + c * 70 + noise(height, width, channels, top=8)) % 256).astype(np.uint8)


def bits_of(samples, depth):
    """Rows of samples packed to bits, high bits first, each row to a whole byte."""
    rows = [np.packbits((row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1) & 1).astype(np.uint8).reshape(-1)).tobytes()
            for row in samples.astype(np.uint32)]
    return rows


# ---- GIF ----

def lzw(indices, bits, end=True, clears=0):
    """Codes as every encoder writes them; a clear code after every `clears` codes."""
    clear = 1 << bits
    out, table, size, buffer, used = bytearray(), {}, bits + 1, 0, 0

    def put(code):
        nonlocal buffer, used
        buffer |= code << used
        used += size
        while used >= 8:
            out.append(buffer & 255)
            buffer >>= 8
            used -= 8

    put(clear)
    table = {bytes([i]): i for i in range(clear)}
    following, string, written = clear + 2, b"", 0
    for index in bytes(indices):
        if string + bytes([index]) in table:
            string += bytes([index])
            continue
        put(table[string])
        written += 1
        if following < 4096:
            table[string + bytes([index])] = following
            if following == 1 << size and size < 12:
                size += 1
            following += 1
        string = bytes([index])
        if clears and written % clears == 0:
            put(clear)
            table = {bytes([i]): i for i in range(clear)}
            following, size = clear + 2, bits + 1
    put(table[string])
    if following == 1 << size and size < 12:
        size += 1
    if end:
        put(clear + 1)
    if used:
        out.append(buffer & 255)
    return bytes(out)


def blocks(data, size=255):
    return b"".join(bytes([len(data[i:i + size])]) + data[i:i + size] for i in range(0, len(data), size)) + b"\0"


def gif(width=W, height=H, bits=4, palette="colours", local=None, interlaced=False, transparent=None, box=None, screen=None,
        version=b"GIF89a", before=b"", end=True, clears=0, block=255, codes=None, trailer=b";", data=None, code_bits=None):
    def table(kind):
        ramp = bytes(np.repeat(np.arange(1 << bits, dtype=np.uint8), 3))
        return ramp if kind == "ramp" else noise(3 << bits).astype(np.uint8).tobytes()
    left, top, w, h = box or (0, 0, width, height)
    indices = noise(h, w, top=1 << bits).astype(np.uint8) if data is None else data
    if interlaced:
        order = [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, h, step)]
        indices = indices[order]
    out = version + struct.pack("<HHBBB", *(screen or (width, height)), (0x80 if palette else 0) | bits - 1, 3, 0)
    out += table(palette) if palette else b""
    out += before
    if transparent is not None:
        out += b"!\xf9\4" + struct.pack("<BHB", 1, 5, transparent) + b"\0"
    out += b"," + struct.pack("<HHHHB", left, top, w, h, (0x80 if local else 0) | (0x40 if interlaced else 0) | bits - 1)
    out += table(local) if local else b""
    code_bits = code_bits or max(bits, 2)
    return out + bytes([code_bits]) + blocks(codes if codes is not None else lzw(indices.reshape(-1), code_bits, end, clears),
                                             block) + trailer


def gifs():
    for bits in (1, 2, 4, 8):
        yield "gif of %d bits" % bits, gif(bits=bits)
    yield "gif 87a", gif(version=b"GIF87a")
    yield "gif interlaced", gif(interlaced=True, width=5, height=17)
    yield "gif interlaced, small", gif(interlaced=True, width=3, height=2)
    yield "gif grey ramp", gif(palette="ramp")
    yield "gif without palette", gif(palette=None)
    yield "gif local palette", gif(local="colours")
    yield "gif local ramp", gif(local="ramp")
    yield "gif local palette alone", gif(palette=None, local="colours")
    yield "gif transparent", gif(transparent=5)
    yield "gif transparent, partial", gif(transparent=5, box=(2, 1, 4, 3))
    yield "gif partial first frame", gif(box=(2, 1, 4, 3))
    yield "gif partial at the right edge", gif(box=(4, 2, 5, 5))
    yield "gif frame beyond the screen", gif(box=(4, 3, 9, 7), screen=(8, 5))
    yield "gif screen of nothing", gif(screen=(0, 0))
    yield "gif frame of no width", gif(box=(3, 0, 0, 7), data=noise(7, 9, top=16).astype(np.uint8))
    yield "gif frame of no width at the left", gif(box=(0, 0, 0, 7), data=noise(7, 9, top=16).astype(np.uint8))
    yield "gif with comments", gif(before=b"!\xfe\3abc\2de\0!\xff\x0bNETSCAPE2.0\3\1\0\0\0" + b"!\1\0")
    yield "gif with bytes between", gif(before=b"\1\2\3\0")
    yield "gif with a short graphic control", gif(before=b"!\xf9\2\1\0\0")
    yield "gif with a graphic control of three", gif(before=b"!\xf9\3\0\1\0\0")
    yield "gif with an empty graphic control", gif(before=b"!\xf9\0")
    yield "gif clears its table", gif(clears=3, width=20)
    yield "gif fills its table", gif(bits=8, width=80, height=60, data=noise(60, 80).astype(np.uint8))
    yield "gif in small blocks", gif(block=3)
    yield "gif without an end code", gif(end=False)
    yield "gif without a trailer", gif(trailer=b"")
    yield "gif code size beyond the palette", gif(bits=2, code_bits=6)
    two = gif(transparent=3)
    yield "gif of two frames", two[:-1] + gif(version=b"", palette=None, local="colours")[7:]
    whole = gif()
    yield "gif cut in its codes", whole[:-10]
    yield "gif cut in its palette", whole[:30]
    yield "gif cut before its frame", whole[:13 + 48]
    yield "gif that ends early", gif(codes=lzw(noise(20, top=16).astype(np.uint8), 4))
    yield "gif with more codes than pixels", gif(codes=lzw(noise(99, top=16).astype(np.uint8), 4))
    yield "gif with a code beyond the table", gif(codes=b"\x50\xff\xff\xff\xff")
    yield "gif that begins without a clear code", gif(codes=b"\x20\x08" + bytes(noise(60, top=256).astype(np.uint8)))
    yield "gif of 13 bits", gif(code_bits=13, codes=bytes(60))
    yield "gif of 12 bits", gif(code_bits=12, codes=bytes(200))
    yield "gif with empty blocks between", gif(codes=None).replace(b"\0;", b"") + b"\0\0;"
    yield "gif of no frame", whole[:13 + 48] + b";"


# ---- BMP ----

def bmp(bits, palette=None, top_down=False, header=40, compression=0, masks=b"", data=None, colours=0, offset=None, width=W,
        height=H, gap=b"", dib=False, raw=None):
    stride = (width * bits + 31) // 32 * 4
    if data is None:
        data = b"".join(noise(stride).astype(np.uint8).tobytes() for _ in range(height))
    palette = b"" if palette is None else palette
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, -height if top_down else height, 1, bits, compression, len(data), 2835, 2835,
                           colours, 0)
        info += (masks + bytes(header))[:header - 40] if header > 40 else b""
        info = struct.pack("<I", header) + info[4:]
        if header == 40:
            info += masks
    at = 14 + len(info) + len(palette) + len(gap) if offset is None else offset
    body = info + palette + gap + data
    return body if dib else b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, at) + body


def quads(count, grey=False, step=1, entry=4):
    out = b""
    for i in range(count):
        out += (bytes([i * step & 255] * 3) if grey else noise(3).astype(np.uint8).tobytes()) + bytes(entry - 3)
    return out


def rle8(rows, finish=b"\0\1"):
    """Runs, literals and ends of lines in turn."""
    out = b""
    for n, row in enumerate(rows):
        row = bytes(row)
        if n % 3 == 0:
            out += b"".join(bytes([1, v]) for v in row)
        elif n % 3 == 1:
            out += bytes([0, len(row)]) + row + bytes(len(row) % 2)
        else:
            out += bytes([len(row), row[0]])
        out += b"\0\0"
    return out + finish


def bmps():
    for bits, count in ((1, 2), (4, 16), (8, 256)):
        yield "bmp of %d bits" % bits, bmp(bits, quads(count))
        yield "bmp of %d bits, top down" % bits, bmp(bits, quads(count), top_down=True)
        yield "bmp of %d bits, OS/2" % bits, bmp(bits, quads(count, entry=3), header=12)
    for bits in (16, 24, 32):
        yield "bmp of %d bits" % bits, bmp(bits)
        yield "bmp of %d bits, top down" % bits, bmp(bits, top_down=True)
    for header in (64, 108, 124, 52, 56, 16):
        yield "bmp header of %d" % header, bmp(24, header=header)
    yield "bmp OS/2 of 24 bits", bmp(24, header=12)
    yield "bmp black and white", bmp(1, b"\0\0\0\0\xff\xff\xff\0")
    yield "bmp white and black", bmp(1, b"\xff\xff\xff\0\0\0\0\0")
    yield "bmp grey ramp", bmp(8, quads(256, True))
    yield "bmp grey ramp of 4 bits", bmp(4, quads(16, True))
    yield "bmp greys by 17", bmp(4, quads(16, True, 17))
    yield "bmp short grey ramp", bmp(8, quads(16, True), colours=16)
    yield "bmp 8 bits, black and white", bmp(8, b"\0\0\0\0\xff\xff\xff\0", colours=2)
    yield "bmp 5 colours", bmp(8, quads(5), colours=5)
    yield "bmp 300 colours", bmp(8, quads(300), colours=300)
    yield "bmp 300 greys", bmp(8, quads(300, True), colours=300)
    yield "bmp 70000 colours", bmp(8, quads(3), colours=70000)
    yield "bmp offset at the palette", bmp(8, quads(256), offset=54)
    yield "bmp gap", bmp(24, gap=b"abcdef")
    yield "bmp offset 0", bmp(24, offset=0)
    yield "bmp offset beyond", bmp(24, offset=5000)
    masks = lambda *m: struct.pack("<%dI" % len(m), *m)
    for name, bits, m in (("565", 16, (0xf800, 0x7e0, 0x1f)), ("555", 16, (0x7c00, 0x3e0, 0x1f)), ("444", 16, (0xf00, 0xf0, 0xf)),
                          ("BGRX", 32, (0xff0000, 0xff00, 0xff)), ("RGBX", 32, (0xff, 0xff00, 0xff0000)),
                          ("XBGR", 32, (0xff000000, 0xff0000, 0xff00)), ("24", 24, (0xff0000, 0xff00, 0xff)),
                          ("none", 32, (0, 0, 0)), ("8 bits", 8, (1, 2, 3))):
        yield "bmp masks " + name, bmp(bits, compression=3, masks=masks(*m))
    for name, m in (("BGRA", (0xff0000, 0xff00, 0xff, 0xff000000)), ("RGBA", (0xff, 0xff00, 0xff0000, 0xff000000)),
                    ("ABGR", (0xff000000, 0xff0000, 0xff00, 0xff)), ("XBGR", (0xff000000, 0xff0000, 0xff00, 0)),
                    ("none", (0, 0, 0, 0))):
        for header in (108, 124, 64):
            yield "bmp masks %s, header of %d" % (name, header), bmp(32, compression=3, masks=masks(*m), header=header)
    rows = noise(H, W).astype(np.uint8)
    yield "bmp run lengths", bmp(8, quads(256), compression=1, data=rle8(rows))
    yield "bmp run lengths, top down", bmp(8, quads(256), compression=1, data=rle8(rows), top_down=True)
    yield "bmp run lengths, greys", bmp(8, quads(256, True), compression=1, data=rle8(rows))
    yield "bmp run lengths, odd offset", bmp(8, quads(256), compression=1, data=rle8(rows), gap=b"x")
    yield "bmp run lengths, no end", bmp(8, quads(256), compression=1, data=rle8(rows, b""))
    yield "bmp run lengths, cut", bmp(8, quads(256), compression=1, data=rle8(rows)[:50])
    yield "bmp run lengths, early end", bmp(8, quads(256), compression=1, data=rle8(rows[:3]))
    yield "bmp run lengths, long rows", bmp(8, quads(256), compression=1, data=b"".join(b"\x0e\5\4\6\0\0" for _ in range(H)))
    yield "bmp run lengths, delta", bmp(8, quads(256), compression=1, data=b"\3\7\0\2\2\1\4\x09\0\0\0\2\0\3\x09\x08\x09\1\x09\2\0\0\x09\3")
    yield "bmp run lengths, delta beyond", bmp(8, quads(256), compression=1, data=b"\3\7\0\2\2\xc8\4\x09\0\1")
    four = b"".join(b"\5\x12\4\x34\0\0" if y % 3 else b"\0\4\x12\x34\5\x67\0\0" for y in range(H))
    yield "bmp run lengths of 4 bits", bmp(4, quads(16), compression=2, data=four + b"\0\1")
    yield "bmp run lengths of 4 bits, odd literals", bmp(4, quads(16), compression=2, data=b"\0\5\x12\x34\x50\0\5\x12\0\0" * 40)
    yield "bmp run lengths of 1 bit", bmp(1, quads(2), compression=1, data=rle8(rows % 2))
    yield "bmp run lengths, black and white", bmp(1, b"\0\0\0\0\xff\xff\xff\0", compression=1, data=rle8(rows % 2))
    yield "bmp run lengths of 24 bits", bmp(24, compression=1, data=rle8(rows))
    yield "bmp of JPEG", bmp(24, compression=4)
    yield "bmp of 2 bits", bmp(2, quads(4))
    yield "bmp of 0 bits", bmp(0)
    yield "bmp of 1x1", bmp(24, width=1, height=1)
    yield "bmp without the last padding", bmp(24)[:-1]
    yield "bmp cut", bmp(24)[:-3]
    yield "bmp cut in its header", bmp(24)[:40]
    yield "bmp without height", bmp(24, height=0)
    for bits, count in ((1, 2), (8, 256), (24, 0)):
        yield "dib of %d bits" % bits, bmp(bits, quads(count), dib=True)
    yield "dib OS/2", bmp(24, header=12, dib=True)
    yield "dib of 32 bits", bmp(32, header=124, compression=3, masks=masks(0xff0000, 0xff00, 0xff, 0xff000000), dib=True)


# ---- PNM ----

def words(values):
    return b" ".join(b"%d" % v for v in np.asarray(values).reshape(-1))


def pnms():
    yield "pbm plain", b"P1\n9 7\n" + words(noise(H, W, top=2))
    yield "pbm plain without blanks", b"P1 9 7\n" + words(noise(H, W, top=2)).replace(b" ", b"") + b"11"
    yield "pbm plain with comments", b"P1\n# one\n9 # two\r7\n" + b"10#x\n" * 31 + b"1"
    yield "pbm plain, 2", b"P1 3 1 0 1 2"
    yield "pbm plain, cut", b"P1 3 2 0 1 1 0"
    yield "pbm", b"P4\n9 7\n" + noise(2 * H).astype(np.uint8).tobytes()
    yield "pbm cut", b"P4 9 7\n" + bytes(13)
    for limit in (255, 1, 15, 100, 254):
        yield "pgm plain of %d" % limit, b"P2 9 7 %d\n" % limit + words(noise(H, W, top=limit + 1))
        yield "pgm of %d" % limit, b"P5 9 7 %d\n" % limit + noise(H, W, top=limit + 1).astype(np.uint8).tobytes()
        yield "ppm plain of %d" % limit, b"P3\n9 7\n%d\n" % limit + words(noise(H, W, 3, top=limit + 1))
        yield "ppm of %d" % limit, b"P6\n9 7\n%d\n" % limit + noise(H, W, 3, top=limit + 1).astype(np.uint8).tobytes()
    for limit in (256, 1023, 4095, 65534, 65535):
        yield "pgm plain of %d" % limit, b"P2 9 7 %d\n" % limit + words(noise(H, W, top=limit + 1))
        yield "pgm of %d" % limit, b"P5 9 7 %d\n" % limit + noise(H, W, top=limit + 1).astype(">u2").tobytes()
        yield "ppm plain of %d" % limit, b"P3 9 7 %d\n" % limit + words(noise(H, W, 3, top=limit + 1))
        yield "ppm of %d" % limit, b"P6 9 7 %d\n" % limit + noise(H, W, 3, top=limit + 1).astype(">u2").tobytes()
    yield "pgm beyond its limit", b"P5 9 7 100\n" + noise(H, W).astype(np.uint8).tobytes()
    yield "pgm of 16 bits beyond its limit", b"P5 9 7 300\n" + noise(H, W, top=65536).astype(">u2").tobytes()
    yield "pgm plain beyond its limit", b"P2 2 1 100 7 101"
    yield "pgm limit 0", b"P5 2 1 0\nab"
    yield "pgm limit 65536", b"P5 2 1 65536\nabcdefgh"
    yield "ppm comments", b"P6 # x\n#y\n9#z\n 7 255\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "ppm comment in a number", b"P6 9 7 2#z\n55\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "pgm plain comment in a number", b"P2 2 1 255 1#c\n2 3"
    yield "pgm comment at the end", b"P5 9 7 255#c\n" + noise(H, W).astype(np.uint8).tobytes()
    yield "ppm blanks", b"P6\r\n\t9\x0b\x0c7\r\n255\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "ppm long number", b"P6 00000000009 7 255\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "ppm ten digits", b"P6 0000000009 7 255\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "ppm letters", b"P6 9x 7 255\n" + noise(H, W, 3).astype(np.uint8).tobytes()
    yield "ppm no width", b"P6 0 7 255\n"
    yield "ppm cut", b"P6 9 7 255\n" + bytes(188)
    yield "ppm cut in its header", b"P6 9 7"
    yield "ppm surplus", b"P6 9 7 255\n" + noise(H, W, 3).astype(np.uint8).tobytes() + b"more"
    yield "ppm plain surplus", b"P3 1 1 255 1 2 3 4 5"
    yield "ppm plain cut", b"P3 1 1 255 1 2"
    yield "pgm plain long token", b"P2 1 1 255 00000000001"
    yield "pnm without a blank", b"P6x 9 7 255\n"
    yield "pam", b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nx"


# ---- TIFF ----

def packbits(data):
    out = b""
    for i in range(0, len(data), 100):
        part = data[i:i + 100]
        out += bytes([len(part) - 1]) + part
    return out


PACKERS = {1: bytes, 8: lambda d: zlib.compress(d, 9), 32946: lambda d: zlib.compress(d, 9), 32773: packbits}
REVERSED = bytes(int("{:08b}".format(i)[::-1], 2) for i in range(256))


def tiff(photo, depth, samples=1, order="<", compression=1, fmt=None, fill=None, extra=None, planar=1, rows=3, tile=None, colours=None,
         orientation=None, big=False, width=W, height=H, values=None, tags=(), drop=(), cut=None, lists=False, depths=None):
    """A TIFF of random samples; `tags`: (tag, type, values) that replace what stands there."""
    if values is None:
        values = noise(height, width, samples, top=min(1 << depth, 1 << 31)) if fmt != 3 else None
    byte_order = order

    def pack(block):
        if fmt == 3:
            return ((noise(*block.shape, top=5000) - 900) / 8).astype(byte_order + "f4").tobytes()
        if depth == 12 or depth < 8:
            return b"".join(bits_of(block.reshape(block.shape[0], -1), depth))
        kind = {8: "u1", 16: "u2", 32: "u4"}[depth]
        return block.astype(byte_order + kind).tobytes()
    if fmt == 3:
        values = np.zeros((height, width, samples))
    planes = [values[:, :, s:s + 1] for s in range(samples)] if planar == 2 else [values]
    pieces = []
    for plane in planes:
        if tile:
            padded = np.zeros(((height + tile[1] - 1) // tile[1] * tile[1], (width + tile[0] - 1) // tile[0] * tile[0], plane.shape[2]), int)
            padded[:height, :width] = plane
            pieces += [pack(padded[y:y + tile[1], x:x + tile[0]]) for y in range(0, height, tile[1]) for x in range(0, width, tile[0])]
        else:
            pieces += [pack(plane[y:y + rows]) for y in range(0, height, rows)]
    pieces = [PACKERS[compression](p) for p in pieces]
    if fill == 2:
        pieces = [p.translate(REVERSED) for p in pieces]
    entries = {256: (3, [width]), 257: (3, [height]), 258: (3, depths or [depth] * samples), 259: (3, [compression]), 262: (3, [photo]),
               277: (3, [samples])}
    if planar != 1:
        entries[284] = (3, [planar])
    if fmt:
        entries[339] = (3, [fmt] * samples)
    if fill:
        entries[266] = (3, [fill])
    if extra is not None:
        entries[338] = (3, list(extra))
    if orientation:
        entries[274] = (3, [orientation])
    if colours:
        entries[320] = (3, list(noise(3 * colours, top=65536)))
    at = 16 if big else 8
    offsets = []
    data = b""
    for piece in pieces:
        offsets.append(at + len(data))
        data += piece + bytes(len(piece) % 2)
    lengths = [len(p) for p in pieces]
    if tile:
        entries.update({322: (3, [tile[0]]), 323: (3, [tile[1]]), 324: (4, offsets), 325: (4, lengths)})
    else:
        entries.update({273: (4, offsets), 278: (3, [rows]), 279: (4, lengths)})
    for tag, kind, what in tags:
        entries[tag] = (kind, what)
    for tag in drop:
        entries.pop(tag, None)
    start = at + len(data)
    sizes = {1: "B", 3: "H", 4: "I", 16: "Q"}
    room, count_format = (8, "Q") if big else (4, "I")
    beyond = start + (8 if big else 2) + len(entries) * (20 if big else 12) + room
    directory, outside = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
    for tag in sorted(entries):
        kind, what = entries[tag]
        value = struct.pack(order + "%d%s" % (len(what), sizes[kind]), *[int(v) for v in what])
        if len(value) > room:
            place = struct.pack(order + count_format, beyond + len(outside))
            outside += value + bytes(len(value) % 2)
        else:
            place = value + bytes(room - len(value))
        directory += struct.pack(order + "HH" + count_format, tag, kind, len(what)) + place
    directory += bytes(room)
    name = b"II" if order == "<" else b"MM"
    head = name + (struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HI", 42, start))
    out = head + data + directory + outside
    return out[:cut] if cut else out


def saved(mode, size=(21, 18), form="TIFF", **options):
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "1": 1, "I;16": 2, "I": 4, "F": 4, "P": 1, "LA": 2, "YCbCr": 3, "LAB": 3}[mode]
    if mode == "1":
        image = Image.fromarray((smooth(*size, 1)[:, :, 0] > 127))
    elif mode == "F":
        image = Image.frombytes("F", size, smooth(*size, 1).astype(np.float32).tobytes())
    else:
        image = Image.frombytes(mode, size, smooth(*size, channels).tobytes())
    if mode == "P":
        image.putpalette(noise(768).astype(np.uint8).tobytes())
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def tiffs():
    for order in "<>":
        e = "II" if order == "<" else "MM"
        for depth in (1, 2, 4, 8):
            for photo in (0, 1):
                yield "tiff %s grey %d of %d bits" % (e, photo, depth), tiff(photo, depth, order=order)
            yield "tiff %s palette of %d bits" % (e, depth), tiff(3, depth, order=order, colours=1 << depth)
        for photo in (0, 1):
            yield "tiff %s grey %d of 16 bits" % (e, photo), tiff(photo, 16, order=order)
            yield "tiff %s grey %d of 32 bits" % (e, photo), tiff(photo, 32, order=order)
            yield "tiff %s grey %d of reals" % (e, photo), tiff(photo, 32, order=order, fmt=3)
        yield "tiff %s grey of 12 bits" % e, tiff(1, 12, order=order)
        for depth in (8, 16, 32):
            yield "tiff %s signed of %d bits" % (e, depth), tiff(1, depth, order=order, fmt=2)
        yield "tiff %s grey and alpha" % e, tiff(1, 8, 2, order=order, extra=[2])
        yield "tiff %s palette and alpha" % e, tiff(3, 8, 2, order=order, extra=[2], colours=256)
        for depth in (8, 16):
            yield "tiff %s RGB of %d bits" % (e, depth), tiff(2, depth, 3, order=order)
            for extra in (None, [0], [1], [2], [999], [3]):
                yield "tiff %s RGB and %s of %d bits" % (e, extra, depth), tiff(2, depth, 4, order=order, extra=extra)
            yield "tiff %s CMYK of %d bits" % (e, depth), tiff(5, depth, 4, order=order)
        for extra in ([0, 0], [1, 0], [2, 0], [0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1]):
            yield "tiff %s RGB and %s" % (e, extra), tiff(2, 8, 3 + len(extra), order=order, extra=extra)
        for extra in ([0], [0, 0], [1]):
            yield "tiff %s CMYK and %s" % (e, extra), tiff(5, 8, 4 + len(extra), order=order, extra=extra)
        yield "tiff %s BigTIFF" % e, tiff(2, 8, 3, order=order, big=True)
        yield "tiff %s deflate of 16 bits" % e, tiff(1, 16, order=order, compression=8)
        yield "tiff %s deflate of 32 bits" % e, tiff(1, 32, order=order, compression=8, fmt=2)
        yield "tiff %s deflate of reals" % e, tiff(1, 32, order=order, compression=8, fmt=3)
        yield "tiff %s deflate RGB of 16 bits" % e, tiff(2, 16, 3, order=order, compression=8)
        yield "tiff %s planes" % e, tiff(2, 8, 3, order=order, planar=2)
        yield "tiff %s planes of 16 bits" % e, tiff(2, 16, 3, order=order, planar=2)
        yield "tiff %s deflate planes of 16 bits" % e, tiff(2, 16, 3, order=order, planar=2, compression=8)
    for depth in (1, 2, 4, 8, 16):
        for photo in (0, 1, 3):
            yield "tiff reversed bits, %d of %d" % (photo, depth), tiff(photo, depth, fill=2, colours=256 if photo == 3 else None)
        yield "tiff reversed bits, deflate of %d" % depth, tiff(1, depth, fill=2, compression=8)
    yield "tiff reversed bits, RGB", tiff(2, 8, 3, fill=2)
    yield "tiff reversed bits, RGBA", tiff(2, 8, 4, fill=2, extra=[2])
    yield "tiff fill order 3", tiff(1, 8, fill=3)
    for compression in (8, 32946, 32773):
        for photo, depth, samples, extra in ((1, 1, 1, None), (0, 4, 1, None), (1, 8, 1, None), (3, 8, 1, None), (2, 8, 3, None), (2, 8, 4, [1]),
                                             (2, 8, 4, [0]), (2, 8, 5, [2, 0]), (5, 8, 4, None), (5, 8, 6, [0, 0]), (1, 8, 2, [2]), (1, 12, 1, None)):
            yield "tiff compression %d, %d of %d x %d %s" % (compression, photo, samples, depth, extra), tiff(
                photo, depth, samples, compression=compression, extra=extra, colours=256 if photo == 3 else None)
    for samples, photo, extra in ((3, 2, None), (4, 2, None), (4, 2, [0]), (4, 2, [1]), (4, 2, [2]), (5, 2, [0, 0]), (4, 5, None), (5, 5, [0]),
                                  (2, 1, [2])):
        for compression in (1, 8):
            yield "tiff planes, compression %d, %d of %d %s" % (compression, photo, samples, extra), tiff(
                photo, 8, samples, planar=2, compression=compression, extra=extra)
    for photo, depth in ((1, 8), (0, 8), (1, 1), (3, 8), (1, 16)):
        for compression in (1, 8):
            yield "tiff planes of one, compression %d, %d of %d" % (compression, photo, depth), tiff(
                photo, depth, planar=2, compression=compression, colours=256 if photo == 3 else None)
    for compression in (1, 8):
        yield "tiff tiles, compression %d" % compression, tiff(2, 8, 3, tile=(16, 16), width=21, height=18, compression=compression)
        yield "tiff tiles of bits, compression %d" % compression, tiff(1, 1, tile=(16, 16), width=21, height=18, compression=compression)
        yield "tiff tiles of 16 bits, compression %d" % compression, tiff(1, 16, tile=(16, 16), width=21, height=18, compression=compression)
        yield "tiff tiles in planes, compression %d" % compression, tiff(2, 8, 3, tile=(16, 16), width=21, height=18, planar=2,
                                                                         compression=compression)
        yield "tiff tiles in four planes, compression %d" % compression, tiff(2, 8, 4, tile=(16, 16), width=21, height=18, planar=2,
                                                                              compression=compression)
        yield "tiff tiles in four planes and alpha, compression %d" % compression, tiff(
            2, 8, 4, tile=(16, 16), width=21, height=18, planar=2, compression=compression, extra=[2])
    for orientation in range(0, 10):
        yield "tiff orientation %d" % orientation, tiff(2, 8, 3, orientation=orientation)
    yield "tiff orientation 6, deflate", tiff(2, 8, 3, orientation=6, compression=8)
    yield "tiff orientation 8 of bits", tiff(1, 1, orientation=8)
    yield "tiff one strip", tiff(2, 8, 3, rows=H)
    yield "tiff strips of a row", tiff(2, 8, 3, rows=1)
    yield "tiff strips longer than the image", tiff(2, 8, 3, rows=100)
    yield "tiff without RowsPerStrip", tiff(2, 8, 3, rows=H, drop=[278])
    yield "tiff without RowsPerStrip, deflate", tiff(2, 8, 3, rows=H, drop=[278], compression=8)
    yield "tiff RowsPerStrip 0", tiff(2, 8, 3, tags=[(278, 3, [0])])
    yield "tiff RowsPerStrip of all", tiff(2, 8, 3, rows=H, tags=[(278, 4, [0xffffffff])])
    yield "tiff fewer strips than rows", tiff(2, 8, 3, tags=[(273, 4, [8])])
    yield "tiff wrong strip lengths", tiff(2, 8, 3, tags=[(279, 4, [1, 1, 1])])
    yield "tiff without strip lengths", tiff(2, 8, 3, drop=[279])
    yield "tiff without a photometric interpretation", tiff(0, 8, drop=[262])
    yield "tiff without bits", tiff(1, 1, drop=[258])
    yield "tiff without a width", tiff(1, 8, drop=[256])
    yield "tiff without strips", tiff(1, 8, drop=[273])
    yield "tiff without a compression", tiff(2, 8, 3, drop=[259])
    yield "tiff without samples", tiff(2, 8, 3, drop=[277])
    yield "tiff one number of bits for all", tiff(2, 8, 3, depths=[8])
    yield "tiff more numbers of bits than samples", tiff(1, 8, depths=[8, 8, 8])
    yield "tiff bits that differ", tiff(2, 8, 3, depths=[8, 8, 4])
    yield "tiff two numbers of bits", tiff(2, 8, 3, depths=[8, 8])
    yield "tiff of 7 samples", tiff(2, 8, 7, extra=[0] * 4)
    yield "tiff formats", tiff(2, 8, 3, fmt=1)
    yield "tiff signed formats", tiff(2, 8, 3, fmt=2)
    yield "tiff format 4", tiff(1, 8, fmt=4)
    yield "tiff without a palette", tiff(3, 8)
    yield "tiff long palette", tiff(3, 8, colours=300)
    yield "tiff short palette", tiff(3, 8, colours=5)
    yield "tiff long numbers", tiff(2, 8, 3, tags=[(256, 4, [W]), (257, 4, [H]), (258, 3, [8, 8, 8])])
    yield "tiff Lab", tiff(8, 8, 3)
    yield "tiff YCbCr", tiff(6, 8, 3)
    yield "tiff YCbCr, deflate", tiff(6, 8, 3, compression=8, tags=[(530, 3, [1, 1])])
    yield "tiff YCbCr, deflate, subsampled", tiff(6, 8, 3, compression=8, width=8, height=6, rows=6,
                                                 values=noise(6, 8, 3).astype(int), tags=[(530, 3, [2, 2])])
    yield "tiff LogLuv", tiff(32845, 16, 3)
    yield "tiff compression 9", tiff(1, 8, tags=[(259, 3, [9])])
    yield "tiff of NeXT", tiff(1, 8, tags=[(259, 3, [32766])])
    yield "tiff cut in its pixels", tiff(2, 8, 3)[:150]
    yield "tiff cut in its directory", tiff(2, 8, 3)[:240]
    yield "tiff cut in a list", tiff(2, 8, 3)[:-8]
    whole = tiff(2, 8, 3, compression=8)
    yield "tiff deflate, corrupt", whole[:30] + bytes(20) + whole[50:]
    yield "tiff directory beyond", b"II*\0\xff\xff\0\0"
    yield "tiff of 1x1", tiff(2, 8, 3, width=1, height=1)
    yield "tiff with swapped magic", b"MM*\0" + tiff(2, 8, 3, order=">")[4:]
    yield "tiff II with swapped magic", b"II\0*" + tiff(2, 8, 3)[4:]
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "lzma", "zstd"):
        for mode in ("L", "RGB", "RGBA", "1", "I;16", "P", "CMYK", "LA", "F"):
            yield "tiff %s %s" % (compression, mode), saved(mode, compression=compression)
    for predictor in (2,):
        for mode in ("RGB", "L", "I;16"):
            yield "tiff lzw predictor, " + mode, saved(mode, compression="tiff_lzw", tiffinfo={317: predictor})
    for compression in ("tiff_ccitt", "group3", "group4"):
        yield "tiff " + compression, saved("1", compression=compression)
        yield "tiff %s, white is zero" % compression, saved("1", compression=compression, tiffinfo={262: 0})
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        yield "tiff jpeg " + mode, saved(mode, compression="jpeg")
    yield "tiff webp", saved("RGB", compression="webp")
    yield "tiff two pages", saved("RGB", size=(9, 7), save_all=True, append_images=[Image.new("L", (5, 5))])


# ---- JPEG: what libjpeg recovers from ----

def jpegs():
    base = saved("RGB", (40, 33), "JPEG", quality=60, subsampling=0)
    grey = saved("L", (40, 33), "JPEG", quality=60)
    scan = base.find(b"\xff\xda")
    yield "jpeg", base
    yield "jpeg stray bytes before the end", base[:-2] + b"\x11\x11\x11" + base[-2:]
    yield "jpeg stray bytes between segments", base[:base.find(b"\xff\xdb")] + b"\x22\x22" + base[base.find(b"\xff\xdb"):]
    yield "jpeg scan parameters", base[:scan + 11] + b"\0\0" + base[scan + 13:]
    yield "jpeg scan parameters 1 to 5", base[:scan + 11] + b"\1\5" + base[scan + 13:]
    yield "jpeg end marker in a scan", base[:scan + 200] + b"\xff\xd9" + base[scan + 202:]
    yield "jpeg restart marker in a scan", base[:scan + 200] + b"\xff\xd3" + base[scan + 202:]
    yield "jpeg another marker in a scan", base[:scan + 200] + b"\xff\xe0\0\4ab" + base[scan + 200:]
    for at in (150, 220, 333):
        yield "jpeg wrong bytes at %d" % at, base[:scan + at] + b"\xfe\xdc\xba" + base[scan + at + 3:]
    yield "jpeg zeros in a scan", base[:scan + 100] + bytes(150) + base[scan + 250:]
    yield "jpeg without its end marker", base[:-2]
    yield "jpeg without its last bytes", base[:-6]
    yield "jpeg cut", base[:scan + 300]
    yield "jpeg cut in its header", base[:scan - 30]
    yield "jpeg header alone", base[:scan]
    yield "jpeg bytes behind the end", base + b"\0\1\2 behind"
    yield "jpeg twice", base + grey
    progressive = saved("RGB", (40, 33), "JPEG", quality=60, progressive=True)
    yield "jpeg progressive", progressive
    yield "jpeg progressive without its end marker", progressive[:-2]
    yield "jpeg progressive cut", progressive[:-100]
    yield "jpeg progressive with an end marker", progressive[:-150] + b"\xff\xd9"
    second = progressive.find(b"\xff\xda", progressive.find(b"\xff\xda") + 2)
    yield "jpeg progressive without its second scan", progressive[:second] + progressive[progressive.find(b"\xff\xda", second + 2):]
    restarts = grey[:grey.find(b"\xff\xda")] + b"\xff\xdd\0\4\0\5" + grey[grey.find(b"\xff\xda"):]
    yield "jpeg restarts that are missing", restarts
    yield "jpeg JFIF version 9", base.replace(b"JFIF\0\1", b"JFIF\0\x09")
    yield "jpeg Adobe transform 7", base[:2] + b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\7" + base[2:]
    yield "jpeg grey of two sampling factors", grey.replace(b"\1\x11\0\xff", b"\1\x22\0\xff")
    yield "jpeg of 12 bits", base.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c")
    yield "jpeg lossless", base.replace(b"\xff\xc0\0\x11", b"\xff\xc3\0\x11")
    yield "jpeg extended", base.replace(b"\xff\xc0\0\x11", b"\xff\xc1\0\x11")
    yield "jpeg without height", base.replace(struct.pack(">BHH", 8, 33, 40), struct.pack(">BHH", 8, 0, 40))
    yield "jpeg without tables", base.replace(b"\xff\xdb", b"\xff\xec")
    yield "jpeg without codes", base.replace(b"\xff\xc4", b"\xff\xec")
    yield "jpeg component that is none", base[:scan + 5] + b"\7" + base[scan + 6:]
    mpo = saved("RGB", (40, 33), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 33))])
    yield "jpeg MPO of two", mpo


# ---- PNG: what Pillow passes over ----

def pngs():
    whole = saved("RGB", (21, 18), "PNG")
    data = whole.find(b"IDAT")
    length = struct.unpack(">I", whole[data - 4:data])[0]
    end = data + 4 + length
    chunk = lambda kind, body, crc=None: struct.pack(">I", len(body)) + kind + body + (crc or struct.pack(">I", zlib.crc32(kind + body)))
    body, head, tail = whole[data + 4:end], whole[:data - 4], chunk(b"IEND", b"")
    yield "png", whole
    yield "png without its end", whole[:-12]
    yield "png cut in its end", whole[:-5]
    yield "png cut in the checksum of its data", whole[:end + 2]
    yield "png cut in the checksum of its stream", whole[:end - 2]
    yield "png cut in its data", whole[:end - 60]
    yield "png cut before its data", head
    yield "png wrong checksum of its data", head + chunk(b"IDAT", body, b"abcd") + tail
    yield "png wrong checksum of its end", whole[:-1] + b"x"
    yield "png wrong checksum of its stream", head + chunk(b"IDAT", body[:-2] + b"xx") + tail
    yield "png wrong checksum of its header", whole[:30] + b"x" + whole[31:]
    yield "png wrong checksum of a text", head + chunk(b"tEXt", b"a\0b", b"abcd") + whole[data - 4:]
    yield "png wrong checksum of a text behind", whole[:-12] + chunk(b"tEXt", b"a\0b", b"abcd") + tail
    yield "png bytes behind the data", whole[:-12] + b"what is this"
    yield "png corrupt data", head + chunk(b"IDAT", body[:80] + bytes(20) + body[100:]) + tail
    yield "png data in parts", head + b"".join(chunk(b"IDAT", body[i:i + 50]) for i in range(0, length, 50)) + tail
    yield "png data in parts, one wrong", head + chunk(b"IDAT", body[:50], b"abcd") + chunk(b"IDAT", b"") + chunk(b"IDAT", body[50:]) + tail
    yield "png data parted by a text", head + chunk(b"IDAT", body[:50]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", body[50:]) + tail
    yield "png short data", head + chunk(b"IDAT", zlib.compress(bytes(18 * 64 - 5))) + tail
    yield "png more data", head + chunk(b"IDAT", zlib.compress(bytes(18 * 64 + 50))) + tail


# ---- what came later, so that the files above stay as they are ----

def planes_in_reverse():
    for photo, depth, samples in ((0, 1, 1), (1, 1, 1), (0, 8, 1), (1, 8, 1), (3, 8, 1), (2, 8, 3)):
        for compression in (1, 8):
            yield "tiff reversed bits in planes, compression %d, %d of %d x %d" % (compression, photo, samples, depth), tiff(
                photo, depth, samples, planar=2, fill=2, compression=compression, colours=256 if photo == 3 else None)
    yield "tiff reversed bits in planes, tiles", tiff(2, 8, 3, planar=2, fill=2, tile=(16, 16))


def files():
    for part in (gifs, bmps, pnms, tiffs, jpegs, pngs, planes_in_reverse):
        yield from part()
