#!/usr/bin/env python3
"""Writes tests/fuzz/corpus: small files by Python's own pickle and zipfile, and broken ones made from them.

PyTorch is not needed: stand-ins of its functions give the same pickles. The files are committed; run this to change them."""
import collections, io, json, os, pickle, struct, subprocess, sys, tarfile, types, zipfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
sys.path.insert(0, os.path.join(HERE, "..", "..", "golden"))
from picture_files import files  # noqa: E402


def put(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)


# ---- stand-ins for PyTorch ----

def module(name, **items):
    if "." in name and name.rpartition(".")[0] not in sys.modules:
        module(name.rpartition(".")[0])
    made = types.ModuleType(name)
    for key, item in items.items():
        item.__module__ = name
        item.__qualname__ = item.__name__ = key
        setattr(made, key, item)
    sys.modules[name] = made
    return made


def function():
    return lambda *args: None


kinds = {"Float": "f", "Half": "e", "BFloat16": "H", "Double": "d", "Long": "q", "Int": "i", "Byte": "B", "Bool": "?"}
torch = module("torch", **{k + "Storage": type(k, (), {}) for k in kinds})
utils = module("torch._utils", _rebuild_tensor_v2=function(), _rebuild_parameter=function(), _rebuild_qtensor=function())
module("torch._tensor", _rebuild_from_type_v2=function())
script = module("__torch__.net", Net=type("Net", (), {}), Block=type("Block", (), {}))


class Storage:
    def __init__(self, kind, values, claimed=None, view=None):
        self.kind, self.count, self.view = kind, len(values) if claimed is None else claimed, view
        self.bytes = b"".join(struct.pack("<" + kinds[kind], v) for v in values)
        self.key = None


class Call:
    """Pickles as a call of `callee` with `args`."""
    def __init__(self, callee, *args):
        self.callee, self.args = callee, args

    def __reduce__(self):
        return self.callee, self.args


def tensor(storage, sizes, strides, offset=0):
    return Call(utils._rebuild_tensor_v2, storage, offset, sizes, strides, False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def __init__(self, file, protocol, legacy):
        super().__init__(file, protocol)
        self.storages, self.legacy = [], legacy

    def persistent_id(self, item):
        if not isinstance(item, Storage):
            return None
        if item not in self.storages:
            item.key = str(len(self.storages))
            self.storages.append(item)
        id = ("storage", getattr(torch, item.kind + "Storage"), item.key, "cpu", item.count)
        return id + (item.view,) if self.legacy else id


def dump(item, protocol=2, legacy=False):
    file = io.BytesIO()
    pickler = Pickler(file, protocol, legacy)
    pickler.dump(item)
    return file.getvalue(), pickler.storages


def torch_zip(item, root="net/", method=zipfile.ZIP_STORED, extra=(), protocol=2):
    data, storages = dump(item, protocol)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in [("data.pkl", data)] + [("data/" + s.key, s.bytes) for s in storages] + list(extra):
            archive.writestr(zipfile.ZipInfo(root + name, (1980, 1, 1, 0, 0, 0)), content, method)
    return file.getvalue()


def legacy_stream(item, little=True, keys=None):
    data, storages = dump(item, 2, True)
    parts = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2),
             pickle.dumps({"protocol_version": 1001, "little_endian": little, "type_sizes": {"short": 2}}, 2), data,
             pickle.dumps([s.key for s in storages] if keys is None else keys, 2)]
    for s in storages:
        parts += [struct.pack("<q", s.count), s.bytes]
    return b"".join(parts)


# ---- pickles ----

plain = {"none": None, "flags": (True, False), "ints": [0, 1, 255, 256, 65536, -1, -2147483649, 2**63 - 1, -2**63, 2**70],
         "floats": [0.5, -1e300], "text": "gr\u00fcn\n\\u20ac \u20ac \U0001f600 '\"", "nest": {"a": [(), [], {}], "b": (1, (2, (3,)))},
         "ordered": collections.OrderedDict([("k", 1), ("l", [2])])}
plain["again"] = plain["nest"]
for protocol in range(6):
    put(f"pickle/plain{protocol}", pickle.dumps(plain, protocol))
put("pickle/binary5", pickle.dumps({"bytes": b"\x00\xff", "array": bytearray(b"xy"), "set": {7}, "frozen": frozenset(["z"])}, 5))


class Slotted:
    __slots__ = ("x",)
    __module__, __qualname__ = "some.module", "Thing"

    def __getnewargs_ex__(self):
        return (1,), {"key": 2}


module("some.module", Thing=Slotted)
thing = Slotted()
thing.x = 5
put("pickle/object4", pickle.dumps(thing, 4))
put("pickle/object2", pickle.dumps(types.SimpleNamespace(a=1), 2))
put("pickle/os_system", b"cos\nsystem\n(S'touch hostile-pickle-was-here'\ntR.")
put("pickle/os_system_stack", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x1etouch hostile-pickle-was-here\n\x85R.")
put("pickle/os_system_inst", b"(S'touch hostile-pickle-was-here'\nios\nsystem\n.")
put("pickle/os_system_obj", b"(cos\nsystem\nS'touch hostile-pickle-was-here'\no.")
put("pickle/itself", b"]q\x00h\x00a.")
put("pickle/strings0", b"(S'a\\x41\\101\\n\\\\\\'\\q'\nV\\u20ac\\U0001f600\xe9\nI01\nI-5\nL12L\nF2.5\nP17\nt.")
for name, data in {
        "huge_bytes8": b"\x8e" + b"\xff" * 8 + b".", "huge_unicode": b"X\xff\xff\xff\xff.", "negative_string": b"T\xff\xff\xff\xff.",
        "huge_long4": b"\x8b\xff\xff\xff\x7f.", "negative_long4": b"\x8b\x00\x00\x00\x80.",
        "huge_frame": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
        "memo_get": b"h\x05.", "memo_put": b"Nr\xff\xff\xff\xff.", "memo_line": b"Np99999999999999999999\n.", "empty": b"", "stop": b".",
        "pop": b"0.", "no_mark": b"t.", "below_mark": b"N(0a.", "odd_pairs": b"}(NNNu.", "append_to_none": b"NNa.", "build_list": b"]}b.",
        "build_twice": b"cm\nn\n)R}b}b.", "call_without_tuple": b"cm\nn\n]R.", "protocol6": b"\x80\x06N.", "extension": b"\x82\x01.",
        "buffer": b"\x97.", "no_opcode": b"\xffN.", "no_newline": b"I12345", "not_a_number": b"Iabc\n.", "no_digits": b"F\n.",
        "unquoted": b"Sabc\n.", "backslash": b"S'\\'\n.", "mixed": b"cm\nn\n)RNaNNs.", "surrogate_escape": b"V\\u12\n.",
        "stack_global": b"NN\x93.",
        "tuple3": b"NN\x87."}.items():
    put("pickle/bad_" + name, data)

# ---- torch archives ----

grid = Storage("Float", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
model = collections.OrderedDict([
    ("module.a.weight", tensor(grid, (3, 4), (4, 1))),
    ("module.a.transposed", tensor(grid, (4, 3), (1, 4))),
    ("module.b", tensor(grid, (2, 2), (4, 1), 5)),
    ("module.half", Call(utils._rebuild_parameter, tensor(Storage("Half", [0.5, -2]), (2,), (1,)), True, collections.OrderedDict())),
    ("module.bf16", tensor(Storage("BFloat16", [0x3F80, 0xC000]), (2,), (1,))),
    ("module.steps", tensor(Storage("Long", [-7]), (), ())),
    ("module.none", tensor(Storage("Double", []), (0, 3), (3, 1)))])
checkpoint = {"epoch": 3, "args": types.SimpleNamespace(model="x"), "state_dict": model}
put("zip/state_dict.pt", torch_zip(checkpoint))
put("zip/deflated.pt", torch_zip(checkpoint, method=zipfile.ZIP_DEFLATED))
put("zip/protocol4.pt", torch_zip(checkpoint, protocol=4, extra=[("byteorder", b"little")]))
put("zip/big_endian.pt", torch_zip(checkpoint, extra=[("byteorder", b"big")]))
put("pickle/legacy.pt", legacy_stream(checkpoint))
put("pickle/legacy_view.pt", legacy_stream({"v": tensor(Storage("Int", [1, 2, 3, 4], view=("w", 1, 2)), (2,), (1,))}))
put("pickle/legacy_big_endian.pt", legacy_stream(checkpoint, little=False))
put("pickle/legacy_claims.pt", legacy_stream({"a": tensor(Storage("Float", [1], claimed=2**40), (1,), (1,))}))
vector = {"a": tensor(Storage("Float", [1]), (1,), (1,))}
put("pickle/legacy_unlisted.pt", legacy_stream(vector, keys=[]))
put("pickle/legacy_no_list.pt", legacy_stream(vector, keys={"0": 1}))

net, block = script.Net(), script.Block()
net.weight, net.training, block.bias = tensor(grid, (12,), (1,)), False, tensor(grid, (3,), (1,), 9)
setattr(net, "0", block)
put("zip/torchscript.pt", torch_zip(net, extra=[("constants.pkl", b"\x80\x02).")]))

one = lambda item: torch_zip({"t": item})
for name, item in {
        "beyond": tensor(grid, (3, 4), (4, 1), 1), "stride": tensor(grid, (2, 2), (2**62, 2**62)), "negative": tensor(grid, (2,), (-1,)),
        "product": tensor(grid, (2**40, 2**40), (0, 0)), "repeats": tensor(grid, (2**40,), (0,)), "offset": tensor(grid, (0,), (1,), 13),
        "dimensions": tensor(grid, (1,) * 9, (1,) * 9), "claims": tensor(Storage("Float", [1], claimed=2**61), (1,), (1,)),
        "quantised": Call(utils._rebuild_qtensor, 1), "no_storage": Call(utils._rebuild_tensor_v2, 1, 0, (1,), (1,), False, None),
        "sizes": Call(utils._rebuild_tensor_v2, grid, 0, 5, (1,), False, None)}.items():
    put(f"zip/bad_{name}.pt", one(item))
put("zip/bad_empty.pt", one(tensor(grid, (0, 2**40, 2**40), (0, 0, 0))))
put("zip/bad_control.pt", torch_zip({"a\nb": tensor(grid, (1,), (1,))}))
put("zip/bad_twice.pt", torch_zip({"a.b": tensor(grid, (1,), (1,)), "a": {"b": tensor(grid, (1,), (1,))}}))
put("zip/bad_long_name.pt", torch_zip({"a": {"x" * 510: tensor(grid, (1,), (1,))}}))
put("zip/bad_long_root.pt", torch_zip({}, root="r" * 256 + "/"))
cycle = {}
cycle["x"] = cycle
put("zip/bad_cycle.pt", torch_zip(cycle))
bomb = {"t": tensor(grid, (1,), (1,))}
for _ in range(40):
    bomb = {"a": bomb, "b": bomb}
put("zip/bad_aliases.pt", torch_zip(bomb))
deep = {}
for _ in range(300):
    deep = {"x": deep}
put("zip/bad_deep.pt", torch_zip(deep))
with zipfile.ZipFile(os.path.join(HERE, "zip/bad_missing_storage.pt"), "w") as archive:
    archive.writestr(zipfile.ZipInfo("net/data.pkl"), dump({"t": tensor(grid, (1,), (1,))})[0])
hostile = io.BytesIO()
with zipfile.ZipFile(hostile, "w") as archive:
    archive.writestr(zipfile.ZipInfo("net/data.pkl"), b"cos\nsystem\n(S'touch hostile-pickle-was-here'\ntR.")
put("zip/os_system.pt", hostile.getvalue())

# ---- zip archives ----


def plain_zip(comment=b"", names=("a", "b/c"), method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.comment = comment
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"content of " + name.encode(), method)
    return bytearray(file.getvalue())


def changed(data, at, new):
    data = bytearray(data)
    data[at:at + len(new)] = new
    return bytes(data)


good = plain_zip()
first = good.index(b"PK\x01\x02")
end = good.index(b"PK\x05\x06")
put("zip/plain.zip", good)
put("zip/comment.zip", plain_zip(b"a comment with PK\x05\x06 in it, and more than 22 bytes behind it"))
put("zip/none.zip", plain_zip(names=()))
put("zip/bad_roots.pt", plain_zip(names=("a/data.pkl", "b/data.pkl")))
put("zip/bad_twice.zip", bytes(plain_zip(names=("bbb", "bbc"))).replace(b"bbc", b"bbb"))
put("zip/bad_count.zip", changed(good, end + 10, b"\x03\x00"))
put("zip/bad_entry.zip", changed(good, first, b"PK\x01\x00"))
put("zip/bad_offset.zip", changed(good, end + 16, b"\xff\xff\xff\x7f"))
put("zip/bad_disks.zip", changed(good, end + 4, b"\x01\x00"))
put("zip/bad_header.zip", changed(good, first + 42, b"\xff\xff\xff\x7f"))
put("zip/bad_size.zip", changed(changed(good, first + 20, b"\x00\x10\x00\x00"), first + 24, b"\x00\x10\x00\x00"))
put("zip/bad_sizes.zip", changed(good, first + 24, b"\x05\x00\x00\x00"))
put("zip/bad_name.zip", changed(good, first + 46, b"z"))
put("zip/bad_method.zip", changed(good, first + 10, b"\x0c\x00"))
put("zip/bad_encrypted.zip", changed(good, first + 8, b"\x01\x00"))
put("zip/bad_nul.zip", changed(good, first + 46, b"\0"))
put("zip/bad_beyond.zip", changed(good, good.rindex(b"PK\x01\x02") + 32, b"\x01\x00"))
packed = plain_zip(method=zipfile.ZIP_DEFLATED)
packed_first = packed.index(b"PK\x01\x02")
put("zip/deflated.zip", packed)
put("zip/bad_crc.zip", changed(packed, packed_first + 16, b"\0\0\0\0"))
put("zip/bad_inflate.zip", changed(packed, 31, b"\xff\xff\xff"))
put("zip/bad_bomb.zip", changed(packed, packed_first + 24, b"\xff\xff\xff\x7f"))
# ZIP64: the first entry's sizes and offset in extra field 1, behind a field of another kind, and a ZIP64 end record.
extra = struct.pack("<HHH", 0x5455, 2, 0) + struct.pack("<HHQQQ", 1, 24, 12, 12, 0)
entry_end = first + 46 + 1
directory = changed(changed(good, first + 20, b"\xff" * 8), first + 42, b"\xff" * 4)
directory = changed(directory, first + 30, struct.pack("<H", len(extra)))
directory = directory[first:entry_end] + extra + directory[entry_end:end]
body = bytes(good[:first]) + directory
end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 2, 2, len(directory), first)
locator = struct.pack("<IIQI", 0x07064B50, 0, len(body), 1)
tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
put("zip/zip64.zip", body + end64 + locator + tail)
put("zip/bad_zip64_locator.zip", body + end64 + locator[:8] + b"\xff" * 8 + locator[16:] + tail)
put("zip/bad_zip64_extra.zip", (body + end64 + locator + tail).replace(struct.pack("<HH", 1, 24), struct.pack("<HH", 1, 8)))

# ---- safetensors ----


def safetensors(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


table = {"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
         "h": {"dtype": "BF16", "shape": [], "data_offsets": [16, 18]}, "none": {"dtype": "I64", "shape": [0, 5], "data_offsets": [18, 18]}}
put("safetensors/plain", safetensors(table, bytes(18)))
put("safetensors/clip", safetensors({"visual.conv1.weight": {"dtype": "F16", "shape": [1, 3, 1, 1], "data_offsets": [0, 6]},
                                     "module.token_embedding.weight": {"dtype": "F16", "shape": [1, 1], "data_offsets": [6, 8]}}, bytes(8)))
put("safetensors/bad_gap", safetensors({"w": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}, bytes(2)))
put("safetensors/bad_overflow", safetensors({"w": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, bytes(4)))
put("safetensors/bad_length", b"\xff" * 7 + b"\x7f{}")
put("safetensors/bad_json", safetensors(b"{\"w\": [", b""))
put("safetensors/bad_deep", safetensors(b"{\"w\":" + b"[" * 3000, b""))

# ---- files beside weights: the first byte, by 3, says which ----
plain = {"model_type": "clip", "projection_dim": 8, "vision_config": {"hidden_act": "gelu", "image_size": [8, 8], "layer_norm_eps": 1e-6},
         "text_config": {"eos_token_id": 2, "hidden_size": 8, "num_attention_heads": 1}}
put("side_files/config", b"0" + json.dumps(plain).encode())
put("side_files/bad_type", b"0" + json.dumps(dict(plain, model_type="flava")).encode())
put("side_files/naflex", b"0" + json.dumps(dict(plain, model_type="siglip2", vision_config={"num_patches": 9})).encode())
put("side_files/align", b"0" + json.dumps({"model_type": "align", "vision_config": {"strides": [1, 2, 2, 2, 1, 2, 1]}}).encode())
put("side_files/align_pixels", b"1" + json.dumps({"image_processor_type": "EfficientNetImageProcessor", "rescale_offset": True}).encode())
put("side_files/naflex_pixels", b"1" + json.dumps({"image_processor_type": "Siglip2ImageProcessor", "max_num_patches": 7}).encode())
put("side_files/siglip", b"0" + json.dumps(dict(plain, model_type="siglip", text_config={"hidden_act": "gelu_new"})).encode())
put("side_files/metaclip2", b"0" + json.dumps(dict(plain, model_type="metaclip_2", text_config={"eos_token_id": 2, "vocab_size": 901629})).encode())
put("side_files/bad_tower", b"0" + json.dumps(dict(plain, vision_config=[1])).encode())
put("side_files/preprocessor", b"1" + json.dumps(
    {"size": {"shortest_edge": 8}, "crop_size": {"height": 8, "width": 8}, "image_mean": [0.5, 0, 1], "resample": 2}).encode())
put("side_files/bad_sizes", b"1" + json.dumps({"size": {"height": 8, "width": 9}, "image_std": [0, 1, 1]}).encode())
put("side_files/open_clip", b"2" + json.dumps(
    {"model_cfg": {"quick_gelu": True, "embed_dim": 8, "vision_cfg": {"layers": [1, 1, 1, 1], "width": 2, "head_width": 64},
                   "text_cfg": {"pool_type": "eos", "norm_kwargs": {"eps": 1e-5}}},
     "preprocess_cfg": {"mean": 0.5, "resize_mode": "longest", "interpolation": "bilinear"}}).encode())
put("side_files/bad_pool", b"2" + json.dumps({"model_cfg": {"text_cfg": {"pool_type": "none"}}}).encode())
put("side_files/timm", b"2" + json.dumps(
    {"model_cfg": {"vision_cfg": {"timm_model_name": "vit_base_patch16_siglip_224"},
                   "text_cfg": {"pool_type": "last", "no_causal_mask": True, "act_kwargs": {"approximate": "tanh"}}}}).encode())
put("side_files/processor", b"3" + json.dumps({"image_processor": {"size": {"height": 8, "width": 8}, "do_center_crop": False}}).encode())
put("side_files/bad_json", b"2{\"model_cfg\": [")

# ---- tokenizers ----
from protobuf_fields import block, number, varint  # noqa: E402


def charsmap(rules):
    """One letter to a text each; the letters' units lie in the first 256, their values behind them."""
    units, text = [0] * (256 + 2 * len(rules)), b""
    for i, (key, value) in enumerate(rules.items()):
        base = 256 + 2 * i
        units[ord(key)] = ord(key) | 256 | (ord(key) ^ base) << 10
        units[base] = len(text) | 1 << 31
        text += value.encode() + b"\0"
    data = b"".join(struct.pack("<I", u) for u in units)
    return struct.pack("<I", len(data)) + data + text


def model(pieces, kind, rules=b"", more=b""):
    out = b"".join(block(1, block(1, t.encode()) + varint(2 << 3 | 5) + struct.pack("<f", s) + number(3, k)) for t, s, k in pieces)
    return out + block(2, number(3, kind) + number(40, 0) + more) + block(3, (block(2, rules) if rules else b"") + number(3, 1))


pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("\u2581a", -1, 1), ("a", -2, 1), ("b", -3, 1), ("ab", -2.5, 1), ("\u2581", -4, 1), ("AB", 0, 4)]
rules = charsmap({"A": "a", "z": ""})
put("charsmap/two", rules)
put("charsmap/one", charsmap({"b": " x"}))
put("charsmap/none", charsmap({}) + b"\0")
put("charsmap/bad_size", b"\x05" + rules[1:])
put("charsmap/bad_circle", rules[:4] + rules[4:8] + rules[8:].replace(struct.pack("<I", ord("A") | 256 | (65 ^ 256) << 10),
                                                                    struct.pack("<I", ord("A") | 65 << 10)))
put("charsmap/bad_end", rules[:-1] + b"x")
put("charsmap/bad_text", rules.replace(b"a\0", b"\xff\0"))
put("sentencepiece/unigram", model(pieces, 1))
put("sentencepiece/bpe", model(pieces + [("c", -9, 5), ("ca", -8, 5)], 2))
put("sentencepiece/charsmap", model(pieces[:4], 1, rules))
put("sentencepiece/bad_words", model(pieces, 3))
put("sentencepiece/bad_bytes", model(pieces, 2, b"", number(35, 1)))
put("sentencepiece/bad_twice", model(pieces + pieces[2:3], 1))
put("sentencepiece/bad_score", model([("<unk>", 0, 2), ("a", float("nan"), 1)], 1))
put("sentencepiece/bad_none", model(pieces[2:], 1))
added = [{"id": 1, "content": "<s>"}]
steps = {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "NFC"}, {"type": "Strip"}, {
    "type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Prepend", "prepend": "b"}]},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"}}
grams = {"type": "Unigram", "unk_id": 0, "vocab": [[t, s] for t, s, k in pieces]}
pairs = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3, "<unk>": 4}, "merges": ["a b"], "unk_token": "<unk>", "fuse_unk": True}
words = {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##b": 2}, "unk_token": "[UNK]", "continuing_subword_prefix": "##"}


def tokenizer(name, value):
    put("tokenizer_json/" + name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


tokenizer("unigram", dict(steps, added_tokens=added, model=grams))
tokenizer("bytes", {"pre_tokenizer": {"type": "ByteLevel"}, "model": pairs})
tokenizer("split", {"pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "MergedWithNext"}, "model": pairs})
tokenizer("words", {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": words})
tokenizer("bad_backwards", {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?=(?&x))a(?(DEFINE)(?<x>a \\K))"},
                                              "behavior": "Isolated"}, "model": pairs})
tokenizer("bad_suffix", {"model": dict(pairs, end_of_word_suffix="</w>")})
tokenizer("bad_kind", {"normalizer": {"type": "NFKD"}, "model": pairs})
tokenizer("bad_base64", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "model": grams})

# ---- images ----
wanted = ("gif of 4 bits", "gif interlaced", "gif clears its table", "gif of two frames", "bmp of 4 bits", "bmp of 16 bits", "bmp masks 565",
          "bmp OS/2 of 24 bits", "pbm plain", "pgm of 1023", "ppm plain of 15", "pbm", "tiff II grey 0 of 4 bits",
          "tiff MM RGB of 8 bits", "tiff II BigTIFF", "tiff planes", "tiff compression 32773, 2 of 4 x 8 [1]", "tiff orientation 6, deflate",
          "tiff group4", "tiff tiff_lzw L")
for name, data in files():
    if name in wanted:
        put("images/" + name.replace("/", "").replace(" ", "_").replace(",", ""), data)

# ---- files that have no other target: the first byte is the form (fuzz_files.c) ----

def npy_file(header, data):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def tar_file(form, members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()[:4096]


def zst_file(data):
    return subprocess.run(["zstd", "-q", "-19"], input=data, capture_output=True, check=True).stdout


nouns, index, offsets = b"  1 a license\n", b"", []
for number, (word, above) in enumerate([("entity", []), ("animal", [0]), ("wolf", [1]), ("grey_wolf", [2])]):
    offsets.append(len(nouns))
    pointers = "".join(f"@ {offsets[a]:08d} n 0000 " for a in above)
    nouns += f"{offsets[-1]:08d} 03 n 01 {word} 0 {len(above):03d} {pointers}| gloss\n".encode()
    index += f"{word} n 1 {len(above)} {'@ ' * len(above)}1 0 {offsets[-1]:08d}\n".encode()
words = b"\n".join(sorted(index.rstrip(b"\n").split(b"\n"))) + b"\n\f" + nouns
shard = tar_file(tarfile.USTAR_FORMAT, [("a.png", b"pixels"), ("a.cls", b"1"), ("b.txt", b"a caption")])
others = {
    "vocabulary": b"\x00name: v\nvocabularies:\n  animals: [bear, {name: wolf, id: n02114100, aliases: [grey wolf]}]\n  things: [chair]\n",
    "prompts": b"\x00name: p\nprompts:\n  - 'a photo of a {}.'\n  - \"the {}\\u00e9\"\n",
    "anchors": b"\x00a: &x {b: [1, 2.5, ~, true]}\nc: *x\nd: |\n  text\n  more\n",
    "array": b"\x01" + npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", struct.pack("<6f", *range(6))),
    "noted": b"\x01" + npy_file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }  # xxh3 0", struct.pack("<2q", 1, 2)),
    "manifest": b"\x02" + json.dumps({"schema": "vocabench.shards/1", "rows": 3, "class_names": ["a"], "shards": [
        {"file": "00000.tar.zst", "rows": 3, "bytes": 10, "xxh3_128": "0" * 32}]}).encode(),
    "ustar": b"\x03" + shard,
    "pax": b"\x03" + tar_file(tarfile.PAX_FORMAT, [("n\u00e4me" * 30, b"x")]),
    "gnu": b"\x03" + tar_file(tarfile.GNU_FORMAT, [("name" * 40, b"y")]),
    "frames": b"\x04" + zst_file(b"one frame, " * 50) + zst_file(b"another"),
    "packed": b"\x05" + zst_file(shard),
    "wordnet": b"\x06" + words,
    "merges": b"\x07#version: 0.2\ni n\nt h\nth e</w>\nin g</w>\n",
}
for name, data in others.items():
    put(f"files/{name}", data)

# ---- texts, datasets, what is kept, what commands read: the first byte is the form (fuzz_texts.c, ...) ----
for way, name in enumerate(("none", "whitespace", "lower", "canonicalize")):
    put(f"texts/{name}", bytes([way]) + "  A\u0130\u03a3 &amp;amp;lt; ab\tab\u00a0\u2019_x_ \u00c3\u00a9 \ufb01 c\u0327\u0301".encode())
put("texts/mojibake", b"\x02" + "\u00e2\u20ac\u0153cat\u00e2\u20ac\x9d \u00c3\u201a\u00c2\u00a3".encode())
put("texts/nested", b"\x01" + b"&amp;" * 20 + b"&#x41;&#0;&#1114112;&notit;&not")
put("texts/broken", b"\x02" + b"a\x00b\xff\xc3\xed\xa0\x80\xf4\x90\x80\x80 ab")

pixel = next(data for name, data in files() if name == "pbm plain")
web = [("a.pbm", pixel), ("a.cls", b"1"), ("a.txt", b" a caption "), ("b.pbm", pixel), ("b.json", b'{"label": "cat", "caption": "b"}'),
       ("c.pbm", b"none"), ("notes", b"x")]
record = bytes([3]) + bytes(range(256)) * 12
put("datasets/shard", b"\x00" + tar_file(tarfile.USTAR_FORMAT, web[:3]))
put("datasets/names", b"\x00" + tar_file(tarfile.USTAR_FORMAT, [web[3], web[4]]))
put("datasets/broken", b"\x00" + tar_file(tarfile.USTAR_FORMAT, [web[5], web[6]]))
put("datasets/packed", b"\x01" + zst_file(tar_file(tarfile.USTAR_FORMAT, web[:5])))
put("datasets/cifar10", b"\x02" + record)
put("datasets/cifar100", b"\x02" + b"\x01" + record)
put("datasets/lines", b"\x03cat\ndog\n\nb\xc3\xa4r\n")
put("datasets/list", b"\x04" + json.dumps(["cat", "dog"]).encode())
put("datasets/index", b"\x05" + bytes(200))

kept = {"unit": 0, "foreign": 1, "npy": 2, "safetensors": 3, "sent_parts": 4, "manifest": 5, "mean": 6, "codes": 7, "sent_hits": 8,
        "scan": 9, "contexts": 10}


def keep(name, form, data):
    put("kept/" + name, bytes([kept[form]]) + data)


rows = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", struct.pack("<8f", *range(8)))
keep("unit", "unit", b"")
keep("unit_rows", "unit", b"\x00\x90\x01" + b"\x00\x03\x01")
keep("unit_cut", "unit", b"\x80")
keep("foreign", "foreign", rows)
keep("noted", "foreign", b"0123456789abcdef" * 2)
keep("npy", "npy", rows)
keep("halves", "npy", npy_file("{'descr': '<f2', 'fortran_order': False, 'shape': (3, 2), }", bytes(12)))
keep("safetensors", "safetensors", safetensors({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16)))
keep("sent_parts", "sent_parts", bytes(120))
copied = {"schema": "vocabench.quantized/2", "similarity": "cosine", "rows": 3, "dimensions": 2, "width": 64, "seed": 7, "rows_not_finite": 0,
          "rows_zero": 0, "parts": [{"file": "a.vbq", "source": "a.npy", "rows": 3, "type": "fp32", "bytes": 152, "xxh3_128": "0" * 32,
                                     "file_bytes": 1288}]}
keep("manifest", "manifest", json.dumps(copied).encode())
many = 2**63 - 1
keep("bad_rows", "manifest", json.dumps(dict(copied, rows=many, parts=[dict(copied["parts"][0], rows=many)])).encode())
keep("bad_sum", "manifest", json.dumps(dict(copied, rows=-2, parts=[dict(copied["parts"][0], rows=many)] * 2)).encode())
keep("mean", "mean", b"\x00\x0b\x01")
keep("codes", "codes", b"\x00\x09\x01")
hit = struct.pack("<q4dq", 5, 0.25, 0, 1, 0, 0)
wide = struct.pack("<q4dq", 6, 0.5, 0, 1, 0, 1) + struct.pack("<i18Ii18I", 1, *range(18), 1, *range(1, 19))
keep("sent_hits", "sent_hits", struct.pack("<q", 1) + hit + struct.pack("<q", 2) + hit + wide)
hits = struct.pack("<Q", 8) + bytes(8)
keep("scan", "scan", b"VBSCAN1\0" + struct.pack("<9q", 2, 3, 5, 2, 7, 0, 0, 1, 0) + struct.pack("<q", 3) + hits * 2)
keep("bad_scan", "scan", b"VBSCAN1\0" + struct.pack("<8q", 2, 3, 5, 0, 7, 0, 0, 1) + struct.pack("<Q", 56) + struct.pack("<q", 1) + hit + hits)
keep("contexts", "contexts", safetensors({"prompt_learner.ctx": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}, bytes(24)))
keep("contexts_of_classes", "contexts", safetensors({"ctx": {"dtype": "F16", "shape": [2, 1, 3], "data_offsets": [0, 12]}}, bytes(12)))


def command(name, form, data):
    put("commands/" + name, bytes([form]) + (data if isinstance(data, bytes) else data.encode()))


given = "{name: m, family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.txt}"
command("experiment", 0, f"experiment: x\nper_image: true\ndatasets: [{{name: d, vocabularies: v.yaml}}]\nmodels: [{given}]\n")
command("encoder", 0, "experiment: x\nanalyses: [margin, open_curve]\nopen_curve: {names: n.txt, exclude: related, wordnet: w}\n"
        "adversarial: {candidates: n.txt, k: 3}\ncorpora: [{name: c, captions: c.tsv, column: 2}]\nretrieval: {corpus: c, lambda: [0.25]}\n"
        "datasets: [{name: d, images: 'p{a,b}', vocabularies: v.yaml, on_error: skip}]\nexpansions: [{name: e, datasets: [d]}]\n"
        "models: [{name: m, family: clip, activation: gelu, weights: 'w{1..3}.pt', tokenizer: t, prompts: ['a {}.']}]\n")
command("anchors", 0, "experiment: &x y\nmodels: [*x, *x]\n")
command("set", 1, "models.m.activation\fquick_gelu")
command("set_new", 1, "retrieval.top_k\f[1, 2]")
command("set_index", 1, "datasets.0.images\fother")
command("set_far", 1, "datasets.9.images\f")
command("site", 2, "partition: p\naccount: a\nnodes: 2\noption: [--exclusive]\nlauncher: mpirun\nsetup: |\n  module load x\n")
command("site_numbers", 2, "notice: -1\ntime: 9:9\n")
program = os.path.join(os.environ.get("VOCABENCH_BUILD", "build"), "vocabench")
if os.path.exists(program):  # results as a run leaves them
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        def write(name, data):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        write("v.yaml", b"name: v\nvocabularies:\n  a: [cat, dog]\n  b: [car, bus]\n")
        write("y.txt", b"cat\ndog\ncar\nbus\ncat\ncar\n")
        for name, shape, step in (("i.npy", (6, 4), 7), ("t.npy", (4, 4), 5)):
            values = [(at * step * step) % 17 - 8 for at in range(shape[0] * shape[1])]
            write(name, npy_file(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", struct.pack(f"<{len(values)}f", *values)))
        write("e.yaml", f"experiment: x\nper_image: true\ndatasets: [{{name: d, vocabularies: v.yaml}}]\nmodels: [{given}]\n".encode())
        subprocess.run([os.path.abspath(program), "run", "e.yaml", "--output", "o"], cwd=folder, check=True, capture_output=True)
        read = lambda name: open(os.path.join(folder, "o", name), "rb").read()
        results, state = json.loads(read("results.json")), json.loads(read("state.json"))
        records = subprocess.run(["zstd", "-dcq", os.path.join(folder, "o/records/m--d.jsonl.zst")], capture_output=True, check=True).stdout
    for noise in ("host", "pid", "started"):
        state.pop(noise)
    results["run"] = {"version": results["run"]["version"], "command": ["vocabench", *results["run"]["command"][1:]]}
    short = lambda value: json.dumps(value, separators=(",", ":"))
    command("results", 3, short(results).encode() + b"\f" + records)
    command("results_alone", 3, short(results))
    command("few_records", 3, short(results).encode() + b"\f" + records[:300])
    command("state", 4, short(state))
    command("state_running", 4, short({key: value for key, value in state.items() if key != "ended"}))
