#!/usr/bin/env python3
"""Writes tests/golden/huggingface.json: small tokenizer.json files of every kind of step, texts, and the ids of tokenizers 0.23.3.

Needs the package tokenizers; the file is committed, run this to change it. With arguments SEED COUNT it prints that many more
of random models, for a look that is wider than what is kept."""
import base64, json, os, random, struct, sys
import tokenizers

seed, count = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (7, 0)
random.seed(seed)
LETTERS = "ab\u00e9\u2581c"
SPLITS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext"]


def words(n, letters=LETTERS):
    found = []
    while len(found) < n:
        text = "".join(random.choice(letters) for _ in range(random.choice([1, 1, 2, 2, 2, 3, 3, 4])))
        if text not in found:
            found.append(text)
    return found


def unigram():
    pieces = [["<unk>", 0.0], ["</s>", 0.0]] + [[w, -random.choice([random.uniform(1, 10), random.randint(1, 6)])] for w in words(24)]
    fallback = random.random() < .3
    if fallback:
        pieces += [["<0x%02X>" % b, 0.0] for b in range(256)]
    return {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": fallback}


def bpe(letters=LETTERS, bytes_=True):
    vocab, merges = {"<unk>": 0, "</s>": 1}, []
    for c in letters:
        vocab.setdefault(c, len(vocab))
    for _ in range(24):
        left, right = random.choice(list(vocab)[2:]), random.choice(list(vocab)[2:])
        if [left, right] not in merges and len(left + right) < 9:
            merges.append([left, right])
            vocab.setdefault(left + right, len(vocab))
    fallback = bytes_ and random.random() < .3
    if fallback:
        for b in range(256):
            vocab["<0x%02X>" % b] = len(vocab)
    if random.random() < .5:
        merges = [" ".join(m) for m in merges]
    return {"type": "BPE", "dropout": None, "unk_token": random.choice(["<unk>", None]), "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": random.random() < .5, "byte_fallback": fallback,
            "ignore_merges": random.random() < .5, "vocab": vocab, "merges": merges}


def wordpiece():
    vocab = {}
    for w in ["[UNK]", "</s>", "a", "b", "##a", "##b"] + [random.choice(["", "##"]) + w for w in words(20, "ab\u00e9ec")]:
        vocab.setdefault(w, len(vocab))
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": random.choice([100, 6]), "vocab": vocab}


def normalizer():
    return random.choice([
        {"type": "Lowercase"}, {"type": "NFC"}, {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Strip", "strip_left": random.random() < .5, "strip_right": random.random() < .5},
        {"type": "Replace", "pattern": {"String": random.choice([" ", "ab", "c"])}, "content": random.choice(["\u2581", "", "b"])},
        {"type": "Replace", "pattern": {"Regex": random.choice([" {2,}", "\\s+", "[.,!]", "a(?=b)"])}, "content": random.choice([" ", ""])}])


def pre_tokenizer():
    return random.choice([
        {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": random.choice(["always", "first", "never"]),
         "split": random.random() < .5},
        {"type": "WhitespaceSplit"},
        {"type": "Split", "pattern": {"String": random.choice([" ", "a", "bb"])}, "behavior": random.choice(SPLITS), "invert": False},
        {"type": "Split", "pattern": {"Regex": random.choice(["\\s+", "[ab]+", "\\p{L}+"])}, "behavior": random.choice(SPLITS),
         "invert": random.random() < .5}])


def sequence(kind, key, items):
    return None if not items else items[0] if len(items) == 1 and random.random() < .5 else {"type": kind, key: items}


def file(kind):
    made = {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": 1, "content": "</s>", "single_word": False, "lstrip": False, "rstrip": False,
                              "normalized": False, "special": True}],
            "normalizer": sequence("Sequence", "normalizers", [normalizer() for _ in range(random.randint(0, 3))]),
            "pre_tokenizer": sequence("Sequence", "pretokenizers", [pre_tokenizer() for _ in range(random.randint(0, 2))]),
            "post_processor": None, "decoder": None}
    if kind == 0:
        made["model"] = unigram()
    elif kind == 1:
        made["model"] = bpe()
    elif kind == 2:
        made["model"] = wordpiece()
        lower = random.random() < .7
        made["normalizer"] = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                              "lowercase": lower}
        made["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    else:
        made["model"] = bpe("ab\u0120\u00c3\u00a9c1.'\u010a", False)
        made["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": random.random() < .5, "trim_offsets": True, "use_regex": True}
    return made


out = []


def put(made, texts):
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    tokenizer = tokenizers.Tokenizer.from_str(text)
    out.append({"json": text, "rows": [[t, tokenizer.encode(t, add_special_tokens=False).ids] for t in texts]})


for i in range(count or 16):
    made = file(i % 4)
    put(made, ["", " ", "a </s> b", "</s>"] + ["".join(random.choice(LETTERS + "  dAB.1\n\u00c9e\u0301\U0001f5fc\u4e2d'")
                                                      for _ in range(random.randint(1, 24))) for _ in range(20)])

# What stands in front of a text and goes, before the symbol that only its first word has.
gone = lambda pattern: {"type": "Replace", "pattern": pattern, "content": ""}
split = lambda pattern: {"type": "Split", "pattern": pattern, "behavior": "Removed", "invert": False}
fronts = [([{"type": "Strip", "strip_left": True, "strip_right": False}], []), ([gone({"String": "a"})], []),
          ([gone({"Regex": "^[ab]"})], []), ([], [{"type": "WhitespaceSplit"}]), ([], [split({"String": "a"})]),
          ([], [split({"Regex": "[ab]"})]), ([], [])]
for i, (normalizers, before) in enumerate(fronts if not count else []):
    made = file(0)
    made["normalizer"] = sequence("Sequence", "normalizers", normalizers)
    made["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": before + [
        {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": i % 2 == 0}]}
    pieces = ["a", "b", "c", "ab", "\u2581", "\u2581a", "\u2581b", "\u2581c", "\u2581ab", "\u2581bc"]
    made["model"]["vocab"] = [["<unk>", 0.0], ["</s>", 0.0]] + [[p, -3.0 + len(p) / 2] for p in pieces]
    put(made, ["ab c", " ab c", "  bc", "a bc", "aab", "bab a", "c</s>ab", "</s>ab", "</s> ab", "</s></s>ab</s>b", "\u2581ab", "a"])
if not count:  # graphemes around the longest that are looked up whole, by a charsmap of one rule: A becomes a
    units = [0] * 256
    units[0], units[ord("A") ^ 1], units[2] = 1 << 10, ord("A") | 256 | (ord("A") ^ 1 ^ 2) << 10, 1 << 31
    charsmap = base64.b64encode(struct.pack("<257I", 1024, *units) + b"a\0").decode()
    made["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    put(made, ["A", "A\u0301", "A\u0301\u0301", "A\u0301\u20e3", "A\u20e3\u0301b", "A\u0301\u0301\u0301c", "\u00e9A"])
text = json.dumps(out, ensure_ascii=True, separators=(",", ":")).replace('{"json"', '\n{"json"') + "\n"
if count:
    print(text)
else:
    open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "huggingface.json"), "w").write(text)
