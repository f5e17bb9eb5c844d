#!/usr/bin/env python3
"""Writes the fact tables of the text clean-up: kernels/text/html_entities_table.h and kernels/text/mojibake_tables.h.

Needs Python 3.11's html.entities and ftfy 6.3.1 (pip install ftfy==6.3.1). Run it from the repository's root."""
import html.entities
import re

from ftfy import badness, chardata


def write(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def wrap(items, width=130):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 1 > width:
            lines.append(line)
            line = "   "
        line += " " + item
    return lines + [line]


def entities():
    table = html.entities.html5
    rows = []
    for name in sorted((n for n in table if n.endswith(";")), key=lambda n: n[:-1].encode()):
        bare, text = name[:-1], table[name]
        assert bare not in table or table[bare] == text
        values = ", ".join("0x%x" % ord(c) for c in text)
        rows.append('{"%s", %d, {%s}},' % (bare, bare in table, values))
    assert all(n + ";" in table for n in table if not n.endswith(";"))
    write("kernels/text/html_entities_table.h", [
        "/* HTML5's named character references (Python 3.11's html.entities.html5), sorted by name in byte order; written by",
        " * tests/tools/make_text_tables.py. */",
        "#ifndef VB_HTML_ENTITIES_TABLE_H",
        "#define VB_HTML_ENTITIES_TABLE_H",
        "",
        "#include <stdint.h>",
        "",
        "static const struct entity {",
        "    char name[32];    /* without the ampersand and the semicolon */",
        "    uint32_t bare;    /* 1 when it counts without its semicolon too */",
        "    uint32_t text[2]; /* one or two code points */",
        "} entities[] = {"] + wrap(rows) + ["};", "", "#endif"])


def mojibake():
    names = {"common": "COMMON", "c1": "C1", "bad": "BAD", "law": "LAW", "currency": "CURRENCY", "start_punctuation": "START",
             "end_punctuation": "END", "numeric": "NUMERIC", "kaomoji": "KAOMOJI", "upper_accented": "UPPER_ACCENTED",
             "lower_accented": "LOWER_ACCENTED", "upper_common": "UPPER_COMMON", "lower_common": "LOWER_COMMON", "box": "BOX",
             "utf8_first_of_2": "FIRST_OF_2", "utf8_first_of_3": "FIRST_OF_3", "utf8_first_of_4": "FIRST_OF_4",
             "utf8_continuation": "CONTINUATION", "utf8_continuation_strict": "CONTINUATION_STRICT"}
    sets = {**badness.MOJIBAKE_CATEGORIES, **chardata.UTF8_CLUES}
    assert list(sets) == list(names)
    bits = {}
    for k, name in enumerate(names):
        pattern = re.compile("[" + sets[name] + "]")
        for c in range(0x110000):
            if pattern.match(chr(c)):
                bits[c] = bits.get(c, 0) | 1 << k
    ranges = []
    for c in sorted(bits):
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == bits[c]:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, bits[c]])
    assert chardata.CHARMAP_ENCODINGS[0] == "latin-1" and max(bits) < 0x10000
    lines = [
        "/* Facts for the repair of mojibake: ftfy 6.3.1's classes of characters and its ten single-byte encodings; written by",
        " * tests/tools/make_text_tables.py. */",
        "#ifndef VB_MOJIBAKE_TABLES_H",
        "#define VB_MOJIBAKE_TABLES_H",
        "",
        "#include <stdint.h>",
        "",
        "enum {"]
    lines += wrap(["%s = 1 << %d," % (names[n], k) for k, n in enumerate(names)])
    lines += ["};", "", "static const struct { uint16_t first, last; uint32_t classes; } character_classes[] = {"]
    lines += wrap(["{0x%x, 0x%x, 0x%x}," % tuple(r) for r in ranges])
    lines += ["};", "",
              "/* Latin-1 comes before these; a sloppy encoding gives unassigned bytes their own number and U+FFFD to byte 0x1a. */",
              "static const struct {", "    uint8_t sloppy, spaces_restored;", "    uint16_t upper[128]; /* of bytes 0x80 .. 0xff */",
              "} encodings[] = {"]
    for e in chardata.CHARMAP_ENCODINGS[1:]:
        text = bytes(range(128, 256)).decode(e)
        body = wrap(["0x%x%s" % (ord(c), "," if i < 127 else "}},") for i, c in enumerate(text)], 126)
        lines.append("    {%d, %d, { /* %s */" % (e.startswith("sloppy"), e != "macroman", e))
        lines += ["    " + line for line in body]
    lines += ["};", "", "#endif"]
    write("kernels/text/mojibake_tables.h", lines)


entities()
mojibake()
