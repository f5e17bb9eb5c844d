#!/usr/bin/env python3
"""Differential fuzzing: the same random files to vocabench and to programs we did not write: differ.py [--seconds S] [--seed N] [--rounds R]

Each round makes files of one kind from a seeded generator, some of them damaged by a few bytes, and holds what vocabench makes of
them against Pillow (pixels), tarfile (members), NumPy (.npy), json (lists of texts), PyYAML (vocabularies), sentencepiece (ids of
texts by models that it has trained) and ftfy 6.3.1 (CLIP's clean-up of broken texts). Where both read a file they must read the
same; a whole file must be read, a damaged one may be refused, but for lists of texts, which must be read when json reads them.
Kinds whose program is not installed are skipped and said so. The last lines count; the code is 1 when something differs, and the files
of the first difference of a kind are kept."""
import argparse, collections, html, io, json, os, random, re, shutil, subprocess, sys, tarfile, tempfile, time, warnings

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
vocabench = os.path.join(os.environ.get("VOCABENCH_BUILD", os.path.join(root, "build")), "vocabench")
SIDE = 24
counts, wrong = collections.Counter(), []
warnings.simplefilter("ignore")  # Pillow's, of damaged files


def run(*arguments):
    done = subprocess.run([vocabench, *arguments], capture_output=True, timeout=120)
    if done.returncode not in (0, 3, 4, 5, 6, 10):
        raise AssertionError(f"{arguments}: code {done.returncode}: {done.stderr[-300:]}")
    return done.returncode == 0, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def expect(held, what):
    if not held:
        raise AssertionError(what)


def damaged(rng, data, most=4):
    data = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)):]
            if not data:
                break
        else:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


# ---- images: Pillow ----

FORMATS = [("png", {}), ("jpg", {"format": "JPEG"}), ("gif", {}), ("bmp", {}), ("tif", {"format": "TIFF"}), ("webp", {"lossless": True})]


def picture(rng, Image, side=SIDE):
    numpy = __import__("numpy")
    mode = rng.choice(["RGB", "RGB", "L", "RGBA", "P", "LA", "1", "CMYK"])
    pixels = numpy.random.RandomState(rng.randrange(1 << 30)).randint(0, 256, (side, side, 3)).astype("u1")
    if rng.random() < 0.5:  # smooth ones, too
        ramp = numpy.arange(side)
        pixels = ((ramp[:, None] * 7 + ramp * 3)[..., None] + [0, 40, 90]).astype("u1")
    return Image.fromarray(pixels).convert("RGBA" if mode == "LA" else mode).convert(mode)


def encoded(rng, Image):
    while True:
        ending, how = rng.choice(FORMATS)
        how = dict(how, **({"quality": rng.randint(20, 100), "subsampling": rng.choice([0, 1, 2]), "progressive": rng.random() < 0.5}
                           if ending == "jpg" else {}))
        if ending == "tif":
            how["compression"] = rng.choice([None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
        out = io.BytesIO()
        try:
            picture(rng, Image).save(out, how.pop("format", ending.upper()), **how)
            return ending, out.getvalue()
        except (OSError, KeyError, ValueError):
            continue  # a mode that the format has not


def by_pillow(Image, data):
    numpy = __import__("numpy")
    try:
        image = Image.open(io.BytesIO(data))
        if image.size != (SIDE, SIDE):
            return None
        return numpy.asarray(image.convert("RGB")).transpose(2, 0, 1) / 255
    except Exception:  # pylint: disable=broad-except
        return None


def images(rng, folder):
    numpy, Image = __import__("numpy"), __import__("PIL.Image").Image
    os.makedirs(f"{folder}/p/c")
    wanted = []
    for k in range(40):
        ending, data = encoded(rng, Image)
        open(f"{folder}/p/c/{k:03}.{ending}", "wb").write(data)
        wanted.append(by_pillow(Image, data))
        expect(wanted[-1] is not None, f"Pillow does not read what it wrote: {k}")
    # Pillow resizes in the image's own mode, so only pictures of the size that is asked for are compared, to the bit of a fp32.
    arguments = ("preprocess", "--rgb-first", "--resolution", str(SIDE), "--mean", "0", "--std", "1", "--input", f"{folder}/p",
                 "--output", f"{folder}/o.npy")
    held, _, message = run(*arguments)
    expect(held, message)
    found = numpy.load(f"{folder}/o.npy")
    for k, one in enumerate(wanted):
        expect(abs(found[k] - one).max() < 1e-6, f"picture {k:03}: off by {abs(found[k] - one).max() * 255}")
    counts["pictures, pixel by pixel"] += len(wanted)
    shutil.rmtree(f"{folder}/p/c")
    for _ in range(4):
        os.makedirs(f"{folder}/p/c", exist_ok=True)
        ending, data = encoded(rng, Image)
        data = damaged(rng, data)
        path = f"{folder}/p/c/x.{ending}"
        open(path, "wb").write(data)
        held, _, message = run(*arguments)
        one = by_pillow(Image, data)
        counts["damaged pictures" + (", read by both" if held and one is not None else "")] += 1
        if held and one is not None:
            found = numpy.load(f"{folder}/o.npy")
            expect(found.shape == (1, 3, SIDE, SIDE), f"{found.shape}")
            expect(abs(found[0] - one).max() < 1e-6, f"damaged .{ending}: off by {abs(found[0] - one).max() * 255}")
        os.remove(path)


# ---- tar: tarfile ----


def archives(rng, folder):
    numpy, Image = __import__("numpy"), __import__("PIL.Image").Image
    kind = rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    path, names = f"{folder}/t.tar", []
    with tarfile.open(path, "w", format=kind) as tar:
        for k in range(rng.randint(1, 12)):
            long = "/".join(rng.choice(["a", "längere", "folder" * 3, "x" * 60]) for _ in range(rng.randint(0, 4)))
            name = f"{long + '/' if long else ''}{k:04}.png"
            if kind == tarfile.USTAR_FORMAT:
                name = f"{k:04}.png"
            out = io.BytesIO()
            picture(rng, Image).convert("RGB").save(out, "PNG")
            if rng.random() < 0.3:
                folder_entry = tarfile.TarInfo(f"d{k}")
                folder_entry.type = tarfile.DIRTYPE
                tar.addfile(folder_entry)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(out.getvalue()), rng.randrange(1 << 31)
            tar.addfile(entry, io.BytesIO(out.getvalue()))
            names.append(name)
    data = open(path, "rb").read()
    broken = rng.random() < 0.4
    if broken:
        data = damaged(rng, data[: rng.randrange(512, len(data))] if rng.random() < 0.3 else data, 2)
        open(path, "wb").write(data)
    held, _, message = run("preprocess", "--rgb-first", "--resolution", str(SIDE), "--mean", "0", "--std", "1", "--input", path, "--output",
                           f"{folder}/o.npy")
    try:
        with tarfile.open(path) as tar:
            members = [tar.extractfile(m).read() for m in tar if m.isfile() and m.name.endswith(".png")]
        wanted = [by_pillow(Image, m) for m in members]
        whole = len(members) == len(names) and all(one is not None for one in wanted)
    except (tarfile.TarError, OSError, ValueError, EOFError):
        whole = False
    counts["archives" + (", read by both" if held and whole else "")] += 1
    # tarfile passes over a damaged end, and takes a member whose data were cut as it is; here that is an error.
    expect(broken or (held and whole), message or "tarfile does not read what it wrote")
    if held and whole:
        found = numpy.load(f"{folder}/o.npy")
        expect(len(found) == len(members), f"{len(found)} images, tarfile has {len(members)}")
        pairs = sorted(map(tuple, (one.ravel() for one in wanted))), sorted(map(tuple, found.reshape(len(found), -1)))
        expect(numpy.allclose(*(numpy.array(side) for side in pairs), atol=1e-6), "other pixels than tarfile's members have")


# ---- .npy: NumPy ----

NPY = {"<f2": "fp16", "<f4": "fp32", "<f8": "fp64", "<i4": "int32", "<i8": "int64", "|u1": "uint8"}


def arrays(rng, folder):
    numpy = __import__("numpy")
    for _ in range(3):
        dtype = rng.choice(list(NPY))
        shape = tuple(rng.randint(1, 9) for _ in range(rng.randint(1, 3)))
        array = numpy.random.RandomState(rng.randrange(1 << 30)).randint(1, 9, shape).astype(dtype)
        path, out = f"{folder}/a.npy", io.BytesIO()
        numpy.lib.format.write_array(out, array, version=rng.choice([(1, 0), (2, 0), (3, 0)]))
        data = out.getvalue()
        broken = rng.random() < 0.5
        if broken:
            at = rng.randrange(128)
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
        open(path, "wb").write(data)
        held, told, message = run("inspect", path)
        try:
            its = numpy.load(path)
        except Exception:  # pylint: disable=broad-except
            its = None
        counts["arrays" + (", read by both" if held and its is not None else "")] += 1
        expect(broken or held, message)
        if held and its is not None and its.dtype.str in NPY:
            expect(f"{NPY[its.dtype.str]}, {' x '.join(map(str, its.shape))}" in told, f"{its.dtype.str} {its.shape}: {told}")
        expect(not held or its is not None, f"NumPy refuses it: {told}")


# ---- lists of texts: json ----


def texts(rng, folder):
    letters = ['"', "\\", "/", "\n", "\t", "a", "Z", " ", "é", "漢", "😀", "\x7f", "{", "]", ",", "&amp;"]
    for _ in range(3):
        items = ["".join(rng.choice(letters) for _ in range(rng.randint(0, 12))) for _ in range(rng.randint(1, 5))]
        data = json.dumps(items, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1])).encode()
        if rng.random() < 0.6:
            data = damaged(rng, data, 2)
        path = f"{folder}/t.json"
        open(path, "wb").write(data)
        held, _, message = run("tokenize", "--tokenizer", f"{folder}/../tok", "--input", path, "--output", f"{folder}/i.npy")
        try:
            its = json.loads(data.decode("utf-8"))
            good = isinstance(its, list) and all(isinstance(item, str) for item in its) and its
        except (ValueError, UnicodeDecodeError):
            good = False
        if good and any("\x00" in item or any(0xD800 <= ord(c) < 0xE000 for c in item) for item in its):
            good = held  # NUL and lone surrogates: no text here
        counts["lists of texts" + (", read by both" if held and good else "")] += 1
        expect(bool(good) == held, f"json {'reads' if good else 'refuses'} it: {message or 'read'}: {data!r}")
        if held:
            rows = __import__("numpy").load(f"{folder}/i.npy").shape[0]
            expect(rows == len(its), f"{rows} rows for {len(its)} texts")


# ---- vocabularies: PyYAML ----


def vocabularies(rng, folder):
    yaml = __import__("yaml")
    letters = ["a", "b", " ", "-", ":", "#", "'", '"', "é", "漢", "?", "!", "&", "*", "%", "[", "}", ",", "0", "yes", "null", "~"]
    for _ in range(3):
        used, its = set(), {}
        for v in range(rng.randint(1, 4)):
            names = []
            for _ in range(rng.randint(1, 4)):
                name = "".join(rng.choice(letters) for _ in range(rng.randint(1, 6))).strip() or "x"
                if name not in used:
                    names.append(name)
                used.add(name)
            if names:
                its[f"v{v} {rng.choice(letters).strip()}".strip()] = names
        if not its:
            continue
        path = f"{folder}/v.yaml"
        open(path, "w").write(yaml.safe_dump({"name": "v", "vocabularies": its}, default_flow_style=rng.choice([None, True, False]),
                                             default_style=rng.choice([None, None, "'", '"']), allow_unicode=rng.random() < 0.5,
                                             width=rng.choice([10, 80]), sort_keys=False))
        held, told, message = run("inspect", path)
        counts["vocabularies"] += 1
        expect(held, f"{message}: {open(path).read()}")
        found = [int(line.rsplit(" classes", 1)[0].split()[-1]) for line in told.splitlines() if line.startswith("  ") and line.endswith("classes")]
        expect(found == [len(names) for names in its.values()], f"{found}, expected {its}: {told}")


# ---- CLIP's clean-up of texts: ftfy, and html's entities ----

ENCODINGS = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
             "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]
PLANES = [(32, 127), (0x80, 0x250), (0x300, 0x370), (0x370, 0x378), (0x400, 0x530), (0x2010, 0x2028), (0x2500, 0x2600), (0x3000, 0x3030),
          (0xFB00, 0xFB05), (0xFF01, 0xFFBF), (0x1F300, 0x1F600)]


def misread(rng, clues):
    """A short text of which some bytes were read in another encoding, once or twice, and some lost; or of characters that look so."""
    if rng.random() < 0.6:
        return "".join(rng.choice(rng.choice(clues)) for _ in range(rng.randint(1, 9)))
    text = "".join(chr(rng.randrange(*rng.choice(PLANES))) for _ in range(rng.randint(1, 6)))
    for _ in range(rng.choice([1, 1, 2])):
        data = text.encode()
        if rng.random() < 0.2:
            data = data.replace(b"\xa0", b" ")
        text = data.decode(rng.choice(ENCODINGS))
        if rng.random() < 0.2:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice("\ufffd? \n\x1a") + text[at + 1:]
    return rng.choice(["", "", "", "<b>", "&eacute;", "&amp;#233;"]) + text


def cleanups(rng, folder):
    """Ids of texts by CLIP's clean-up are those of what ftfy and html make of them, taken as it stands."""
    ftfy, numpy = __import__("ftfy"), __import__("numpy")
    sets = {**ftfy.badness.MOJIBAKE_CATEGORIES, **ftfy.chardata.UTF8_CLUES}
    clues = [[c for c in map(chr, range(0x80, 0x3000)) if re.match(f"[{members}]", c)] for members in sets.values()]
    clues = [members for members in clues if members] + ["ab zAZ019.,?!&;<>'\"\n\t", " ÂÃ€™œ°β"]
    texts_, ids = [misread(rng, clues) for _ in range(2000)], []
    theirs = [re.sub(r"\s+", " ", html.unescape(html.unescape(ftfy.fix_text(text)))).strip().lower() for text in texts_]
    for name, those, cleaning in ("raw", texts_, "lower"), ("clean", theirs, "none"):
        json.dump([text.replace("\0", "") for text in those], open(f"{folder}/{name}.json", "w"))
        held, _, message = run("tokenize", "--tokenizer", f"{folder}/../tok", "--input", f"{folder}/{name}.json", "--output",
                               f"{folder}/{name}.npy", "--context-length", "256", "--cleaning", cleaning)
        expect(held, message)
        ids.append(numpy.load(f"{folder}/{name}.npy"))
    counts["texts cleaned"] += len(texts_)
    counts["texts cleaned, repaired"] += sum(ftfy.fix_encoding(text) != text for text in texts_)
    other = numpy.nonzero((ids[0] != ids[1]).any(axis=1))[0]
    expect(not len(other), f"{len(other)} texts, such as {ascii([texts_[i] for i in other[:3]])}: ftfy: {ascii([theirs[i] for i in other[:3]])}")


# ---- SentencePiece models: sentencepiece ----

BY_SENTENCEPIECE = """
import json, sentencepiece, sys
pieces = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
print(json.dumps([pieces.encode(text) for text in json.load(open(sys.argv[2]))]))
"""


def by_sentencepiece(path, texts_path):
    """The ids of the texts; None when it refuses the model, or dies of it: a process of its own."""
    done = subprocess.run([sys.executable, "-c", BY_SENTENCEPIECE, path, texts_path], capture_output=True, timeout=120)
    return json.loads(done.stdout) if done.returncode == 0 else None


def pieces(rng, folder):
    numpy, sentencepiece = __import__("numpy"), __import__("sentencepiece")
    letters = "aaabbcdé漢字ｆA0.\u0301\u3000ﬁ😀   "
    kind, model, path, texts_path = rng.choice(["unigram", "bpe"]), io.BytesIO(), f"{folder}/m.model", f"{folder}/t.json"
    lines = ["".join(rng.choice(letters) for _ in range(rng.randint(5, 40))) for _ in range(200)]
    byte_fallback = rng.random() < 0.3
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type=kind, vocab_size=rng.randint(40, 160) + 256 * byte_fallback,
        hard_vocab_limit=False, minloglevel=2, num_threads=1, byte_fallback=byte_fallback, split_digits=rng.random() < 0.5,
        normalization_rule_name=rng.choice(["identity", "nmt_nfkc", "nfkc_cf"]), add_dummy_prefix=rng.random() < 0.5,
        remove_extra_whitespaces=rng.random() < 0.5, user_defined_symbols=rng.choice([[], ["ab"], ["ca", "é0"]]))
    texts_ = ["".join(rng.choice(letters + "zß") for _ in range(rng.randint(0, 30))) for _ in range(40)]
    json.dump(texts_, open(texts_path, "w"))
    for broken in (False, True):
        open(path, "wb").write(damaged(rng, model.getvalue()) if broken else model.getvalue())
        held, _, message = run("tokenize", "--tokenizer", path, "--input", texts_path, "--output", f"{folder}/i.npy",
                               "--context-length", "256")
        its = by_sentencepiece(path, texts_path)
        both = held and its is not None
        counts[("damaged " if broken else "") + "SentencePiece models" + (", read by both" if both else "")] += 1
        expect(broken or both, message or "sentencepiece does not read what it wrote")
        if both:
            found = numpy.load(f"{folder}/i.npy").tolist()
            for text, ours, theirs in zip(texts_, found, its):
                same = ours[: len(theirs)] == theirs and not any(ours[len(theirs):])
                expect(same, f"{kind}: {text!r}: {ours[:len(theirs) + 1]}, expected {theirs}")


KINDS = {"images": (images, ["numpy", "PIL.Image"]), "archives": (archives, ["numpy", "PIL.Image"]), "arrays": (arrays, ["numpy"]),
         "texts": (texts, ["numpy"]), "vocabularies": (vocabularies, ["yaml"]), "clean-up": (cleanups, ["numpy", "ftfy"]),
         "pieces": (pieces, ["numpy", "sentencepiece"])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rounds", type=int, default=1 << 30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    scratch, kinds = tempfile.mkdtemp(prefix="vocabench-differ."), []
    for name, (function, needs) in KINDS.items():
        try:
            for module in needs:
                __import__(module)
            kinds.append((name, function))
        except ImportError as error:
            print(f"{name}: skipped: {error}")
    subprocess.run([os.path.join(os.path.dirname(vocabench), "tests/tools/make_data"), "tokenizer", f"{scratch}/tok"], check=True)
    started, rounds = time.monotonic(), 0
    while rounds < asked.rounds and time.monotonic() - started < asked.seconds:
        name, function = kinds[rounds % len(kinds)]
        folder = f"{scratch}/{rounds}"
        os.makedirs(folder)
        try:
            function(random.Random(f"{asked.seed}/{rounds}"), folder)
            shutil.rmtree(folder)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            wrong.append(name)
            print(f"round {rounds}, {name}: {str(error)[:600]}" + (f" (kept in {folder})" if wrong.count(name) == 1 else ""))
            if wrong.count(name) > 1:
                shutil.rmtree(folder)
        rounds += 1
    for what, count in sorted(counts.items()):
        print(f"{count:8} {what}")
    print(f"{rounds} rounds, {len(wrong)} differ")
    if not wrong:
        shutil.rmtree(scratch)
    sys.exit(1 if wrong or not rounds else 0)


main()
