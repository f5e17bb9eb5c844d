"""Checks the documents against the tree: check_docs.py ROOT. Prints what is wrong, one line each, or a count.

Every link within the tree leads to a file and every anchor to a heading; every message that docs/troubleshooting.md quotes is one that
the sources, Open MPI's help, the C library or libjpeg can print; every target of the Makefile that a document names exists; every
VOCABENCH_ variable that a document names is read somewhere; every analysis, family, dataset format and image codec stands on its page; every
file of the tree that a document names is there."""
import glob
import os
import re
import sys

root = sys.argv[1]
wrong, counts = [], {"links": 0, "messages": 0, "targets": 0, "variables": 0, "rows": 0, "paths": 0}
read = lambda path: open(path, encoding="utf-8").read()
documents = sorted(glob.glob(f"{root}/*.md") + glob.glob(f"{root}/docs/*.md"))


def anchors(path):
    """GitHub's: lower case, punctuation dropped, spaces to hyphens."""
    text = re.sub(r"```.*?```", "", read(path), flags=re.S)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, flags=re.M)}


def check_links(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if re.match(r"[a-z]+:", target):
            continue
        counts["links"] += 1
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
        if not os.path.exists(path):
            wrong.append(f"{document}: {target} leads nowhere")
        elif anchor and anchor not in anchors(path):
            wrong.append(f"{document}: {target}: no such heading among {sorted(anchors(path))}")


def texts_that_exist():
    """All string literals of the sources, neighbours joined, with one space for every conversion; and other programs' messages."""
    pieces = []
    for path in glob.glob(f"{root}/*/**/*.[ch]", recursive=True):
        if "/tests/" in path:
            continue
        source = re.sub(r'"\s*(?:PRI[a-z0-9]+\s*)?"', "", read(path))
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', source):
            pieces.append(literal.replace('\\"', '"'))
    for path in glob.glob("/usr/share/openmpi/help-*.txt"):
        pieces.append(" ".join(open(path, encoding="utf-8", errors="replace").read().split()))
    pieces += [os.strerror(number) for number in range(1, 134)]
    for path in glob.glob("/usr/lib/*/libjpeg.so.62"):
        pieces.append(open(path, "rb").read().decode("latin-1"))
    for path in glob.glob("/usr/lib/*/libopen-rte.so.40"):
        pieces += re.findall(r"[ -~]{12,}", open(path, "rb").read().decode("latin-1"))
    return [re.sub(r"\s+", " ", re.sub(r"'?%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z)?[a-zA-Z]'?", "\0", piece)) for piece in pieces]


def check_messages():
    known = texts_that_exist()
    forms = [".*".join(map(re.escape, re.sub("^\0: ", "", piece).split("\0"))) for piece in known
             if "\0" in piece and len(re.sub(r"[^a-z]", "", max(piece.split("\0"), key=len))) >= 8]
    text = read(f"{root}/docs/troubleshooting.md")
    part = text[text.index("## By message") : text.index("## Accuracy is not")]
    for entry in re.findall(r"^- (.*?)(?=^- |\Z)", part, flags=re.M | re.S):
        head = re.match(r"((?:`[^`]+`(?:, (?:other [a-z ]+)?)?)+)", " ".join(entry.split()))
        for message in re.findall(r"`([^`]+)`", head.group(1)) if head else []:
            counts["messages"] += 1
            # What stands for a name or a number is cut out; what is left are pieces of the program's own words.
            parts = re.split(r"'[^']*'|\.\.\.|\b\d[\d,]*\b|\b[A-Z]{1,4}\b(?![a-z'])|\bSIG[A-Z]+\b|\bimges\b|[a-z_]+\.weight", message)
            parts = [part.strip(" ,;:?") for part in parts]
            parts = [part for part in parts if len(part) >= 4]
            if not parts:
                wrong.append(f"troubleshooting: `{message}` has no words of its own")
            missing = [part for part in parts if not any(part in piece for piece in known)]
            # Or a format of the program's gives it as a whole.
            if missing and not any(re.fullmatch(r"(?:.*: )?" + form, message) for form in forms):
                wrong.append(f"troubleshooting: `{message}`: nothing prints '{missing[0]}'")


def check_names():
    makefiles = read(f"{root}/Makefile") + read(f"{root}/tests/tests.mk")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefiles, flags=re.M))
    for target in targets:
        listed = re.search(rf"^{target}:[^\n]*##", makefiles, flags=re.M)
        if not listed and target not in ("test-deps", "unit", "tools"):
            wrong.append(f"Makefile: {target} has no line of help")
    sources = "".join(read(path) for path in glob.glob(f"{root}/*/**/*.[ch]", recursive=True) + glob.glob(f"{root}/tests/**/*.sh", recursive=True) +
                      glob.glob(f"{root}/slurm/*") + [f"{root}/.ci/run"])
    for document in documents:
        text = read(document)
        for target in re.findall(r"(?:^ +|`)make ([a-z][a-z-]*)", text, flags=re.M):
            counts["targets"] += 1
            if target not in targets:
                wrong.append(f"{document}: make {target}: no such target")
        for name in re.findall(r"\bVOCABENCH_[A-Z_]+", text):
            counts["variables"] += 1
            if name not in sources:
                wrong.append(f"{document}: {name} is read nowhere")


# Things that come in kinds: where their rows are, how a row gives its name, and the page that must have it.
ROWS = [("analysis", ["mpi/experiment/analyses_list.h"], r"^ +X\((\w+),", "docs/analyses.md"),
        ("family", ["kernels/towers/family.h"], r"each\((\w+)\)", "docs/models.md"),
        ("family", ["kernels/towers/family.h"], r"each\((\w+)\)", "docs/experiment.md"),
        ("dataset format", sorted(glob.glob(f"{root}/shards/datasets/dataset_*.c")), r'\.variants = \{(?:\[\w+\] = )?"([^"]+)"', "docs/formats.md"),
        ("image codec", sorted(glob.glob(f"{root}/shards/images/*.c")), r'^ +\.name = "([^"]+)"', "docs/formats.md")]


def check_rows():
    for kind, files, pattern, page in ROWS:
        text = read(f"{root}/{page}")
        for path in files:
            for name in re.findall(pattern, read(path if os.path.isabs(path) else f"{root}/{path}"), flags=re.M):
                counts["rows"] += 1
                if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                    wrong.append(f"{page}: {kind} '{name}' is missing")


def check_paths():
    """Files of the tree that documents and READMEs of wings name."""
    for document in documents + sorted(glob.glob(f"{root}/*/README.md") + glob.glob(f"{root}/*/*/README.md")):
        for path in re.findall(r"(?<![\w/.])((?:mpi|shards|kernels|tests|configs|slurm)/[\w/.-]+\.(?:c|h|sh|py|mk|txt|yaml|gp|css))\b", read(document)):
            if "NAME" in path:
                continue
            counts["paths"] += 1
            if not os.path.exists(f"{root}/{path}"):
                wrong.append(f"{document}: {path} is not there")


for document in documents:
    check_links(document)
check_rows()
check_paths()
check_messages()
check_names()
for what, count in counts.items():
    if not count:
        wrong.append(f"no {what} were found to check")
print("\n".join(wrong) if wrong else ", ".join(f"{count} {what}" for what, count in counts.items()))
sys.exit(bool(wrong))
