#!/usr/bin/env python3
"""Writes tests/golden/pieces.json: small SentencePiece models as fields, texts, and the ids of sentencepiece 0.2.3.

Needs the package sentencepiece; the file is committed, run this to change it."""
import json, os, random, struct
import sentencepiece
from protobuf_fields import block, number, piece


def model(m):
    out = b""
    for text, score, kind in m["pieces"]:
        out += piece(text, score, kind)
    out += block(2, number(3, m["type"]) + number(35, m["bytes"]) + number(40, 0))
    charsmap = bytes.fromhex(m["charsmap"])
    return out + block(3, (block(2, charsmap) if charsmap else b"") + number(3, m["prefix"]) + number(4, m["squeeze"]) + number(5, m["escape"]))


def charsmap(rules):
    """A double array by hand: units 256 apart, one block for each node."""
    nodes, children = [{}], [{}]
    for key, value in rules.items():
        at = 0
        for byte in key.encode():
            at = children[at].setdefault(byte, len(children))
            if at == len(children):
                children.append({})
        nodes += [{}] * (len(children) - len(nodes))
        nodes[at] = {"value": value}
    text, offsets = b"", {}
    for node in nodes:
        if node and node["value"] not in offsets:
            offsets[node["value"]] = len(text)
            text += node["value"].encode() + b"\0"
    base = [256 * (i + 1) for i in range(len(children))]     # where a node's children lie
    units = [0] * (256 * (len(children) + 2))

    def unit(at, to, label, value):
        offset = at ^ to
        assert offset < 1 << 21
        return label | (256 if value else 0) | offset << 10
    units[0] = unit(0, base[0], 0, False)
    for i, child in enumerate(children):
        if nodes[i]:
            units[base[i]] = offsets[nodes[i]["value"]] | 1 << 31
        for byte, to in child.items():
            at = base[i] ^ byte
            units[at] = unit(at, base[to], byte, bool(nodes[to]))
    data = b"".join(struct.pack("<I", u) for u in units)
    return (struct.pack("<I", len(data)) + data + text).hex()


random.seed(13)
rules = charsmap({"\uff41": "a", "e\u0301": "\u00e9", "\u3000": " ", "\ufb01": "fi", "\u00ad": "", "A": "a", "AB": "c c"})
letters, models = "ab\u00e9\u2581c", []
for kind in (1, 2):
    for variant in range(4):
        pieces = [["<unk>", 0, 2], ["<s>", 0, 3], ["</s>", 0, 3]]
        if variant == 1:
            pieces += [["<0x%02X>" % b, 0, 6] for b in range(256)]
        seen = set()
        while len(seen) < 24:
            text = "".join(random.choice(letters) for _ in range(random.choice([1, 1, 2, 2, 3, 3, 4, 5])))
            if text not in seen:
                seen.add(text)
                score = struct.unpack("<f", struct.pack("<f", -random.choice([random.uniform(1, 10), random.randint(1, 6)])))[0]
                pieces.append([text, score, random.choice([1, 1, 1, 1, 1, 1, 4, 5]) if variant else 1])
        m = {"type": kind, "bytes": int(variant == 1), "pieces": pieces, "charsmap": rules if variant % 2 == 0 else "",
             "prefix": int(variant != 3), "squeeze": int(variant != 1), "escape": int(variant != 3)}
        processor = sentencepiece.SentencePieceProcessor()
        processor.LoadFromSerializedProto(model(m))
        m["rows"] = []
        for text in ["", " ", "\u2581", "a  b ", "  \u3000a", "AABA", "aaaaaaaaaaaa", "e\u0301\u00adb"] + \
                ["".join(random.choice(letters + "  dA\uff41\u3000\ufb01\U0001f5fc") for _ in range(random.randint(1, 30))) for _ in range(24)]:
            m["rows"].append([text, processor.encode(text)])
        models.append(m)
# All models share their charsmap.
for m in models:
    m["charsmap"] = bool(m["charsmap"])
out = json.dumps({"charsmap": rules, "models": models}, ensure_ascii=True, separators=(",", ":")).replace('{"type"', '\n{"type"')
open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pieces.json"), "w").write(out + "\n")
