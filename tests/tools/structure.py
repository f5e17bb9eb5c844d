#!/usr/bin/env python3
"""The structure of kernels/, shards/ and mpi/ held against its rules: structure.py [--figures] [ROOT]

Reads the sources as text (they look as .clang-format makes them) and prints one finding a line, "place: what". An arrow is an
include, or the use of a function or table that another file defines. --figures prints the counts instead."""
import collections, os, re, subprocess, sys

FLOORS = ["kernels", "shards", "mpi"]
LINES, FUNCTION_LINES, PARAMETERS, MANY_PARAMETERS = 600, 80, 8, 15
LONG_FUNCTIONS = {"shards/weights/pickle.c:step"}  # the switch over a pickle's operations
# Used so often, and so like the C library's, that a prefix would only be noise.
PLAIN_NAMES = {"vb_array", "vb_buffer", "vb_free", "vb_grow", "vb_strdup", "vb_strndup", "vb_format", "vb_errorf"}

findings = []


def find(place, what):
    findings.append(f"{place}: {what}")


def without_comments(text):
    """The code with comments and the insides of quotes blanked, line by line."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1]
    keep = []
    for line in re.sub(r'(?s)/\*.*?\*/|//[^\n]*|(?<!include )"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text).split("\n"):
        keep.append(line)
    return keep


class Source:
    def __init__(self, path):
        self.path = path
        text = open(path, encoding="utf-8").read()
        self.raw = text.split("\n")
        self.lines = without_comments(text)
        self.code = "\n".join(self.lines)
        self.includes = re.findall(r'^#include "([^"]+)"', self.code, re.M)
        self.words = set(re.findall(r"\bvb_\w+", self.code))
        self.wing = path if path.count("/") == 1 else path.rsplit("/", 1)[0]
        self.floor = path.split("/")[0]
        self.functions = list(self.find_functions())

    def find_functions(self):
        """(name, static, first line, lines, parameters) of every definition: it begins in column 0 and ends with a lone }."""
        start = 0
        while start < len(self.lines):
            line = self.lines[start]
            if not re.match(r"[A-Za-z_]", line) or re.match(r"(typedef|enum|struct \w+ \{|union|extern|else|case|default)\b", line):
                start += 1
                continue
            head, end = line, start
            while end + 1 < len(self.lines) and "{" not in head and ";" not in head:
                end += 1
                head += "\n" + self.lines[end]
            before = head.split("{")[0]
            match = re.search(r"(\w+)\s*\(", before)
            if "{" not in head or not match or ("=" in before and "==" not in before):
                start = end + 1
                continue
            depth, last = 0, start
            while last < len(self.lines):
                depth += self.lines[last].count("{") - self.lines[last].count("}")
                if depth == 0 and last >= end:
                    break
                last += 1
            inside, depth, commas = before[match.end():], 1, 0
            for letter in inside:
                depth += (letter == "(") - (letter == ")")
                if depth == 0:
                    break
                commas += letter == "," and depth == 1
            empty = re.match(r"\s*(void)?\s*\)", inside)
            yield match.group(1), "static" in before.split(), start + 1, last - start + 1, 0 if empty else commas + 1
            start = last + 1

    def prototypes(self):
        """(name, line, inline) of the functions that a header declares."""
        code, depth, statement, begin = [], 0, "", 1
        for number, line in enumerate(self.lines, 1):
            if line.lstrip().startswith("#") or line.endswith("\\"):
                continue
            for letter in line + "\n":
                if depth == 0:
                    if not statement.strip():
                        begin = number
                    statement += letter
                depth += (letter == "{") - (letter == "}")
                if depth == 0 and letter in ";}":
                    code.append((statement, begin))
                    statement = ""
        for statement, begin in code:
            if re.match(r"\s*(typedef|enum|struct \w+ \{|struct \w+;|extern (?!\w+ *\()|static_assert)", statement):
                continue
            match = re.search(r"\b(\w+)\s*\(", statement.split("__attribute__")[0])
            if match and not match.group(1).isupper():
                yield match.group(1), begin, "inline" in statement.split("(")[0]


def read_table(path):
    table = {}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.split("#")[0].strip()
        if line:
            wing, _, may = line.partition(":")
            table[wing] = {f"{wing.split('/')[0]}/{other}" for other in may.split()}
    return table


def circles(edges):
    """The strongly connected components of more than one file (Tarjan)."""
    index, low, stack, on, out, counter = {}, {}, [], set(), [], [0]

    def visit(v):
        index[v] = low[v] = counter[0]
        counter[0] += 1
        stack.append(v)
        on.add(v)
        for w in sorted(edges[v]):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            part = []
            while True:
                w = stack.pop()
                on.remove(w)
                part.append(w)
                if w == v:
                    break
            if len(part) > 1:
                out.append(sorted(part))
    sys.setrecursionlimit(10000)
    for v in sorted(edges):
        if v not in index:
            visit(v)
    return out


def main():
    roots = [word for word in sys.argv[1:] if not word.startswith("-")]
    os.chdir(roots[0] if roots else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    paths = sorted(os.path.join(folder, name)[2:] for floor in FLOORS for folder, _, names in os.walk("./" + floor) for name in names
                   if name.endswith((".c", ".h")))
    sources = {path: Source(path) for path in paths}
    table = read_table("tests/tools/wings.txt")

    # ---- names that must be unique -------------------------------------------------------------------------
    stems, guards, defined = collections.defaultdict(set), {}, {}
    for path, source in sources.items():
        name = os.path.basename(path)
        stems[name].add(path)
        if name.endswith(".h"):
            guard = "VB_" + name[:-2].upper() + "_H"
            if f"#ifndef {guard}\n#define {guard}\n" not in source.code:
                find(path, f"the include guard is not {guard}")
        for function, static, line, _, _ in source.functions:
            if not function.startswith("vb_") or static or not path.endswith(".c"):
                continue  # the compiler sees to it that everything else is static (-Wmissing-prototypes)
            if function in defined:
                find(f"{path}:{line}", f"{function} is defined in {defined[function]} too")
            defined[function] = path
    for name, places in stems.items():
        if len(places) > 1:
            find(sorted(places)[0], f"a file of this name stands in {', '.join(sorted(places)[1:])} too")
    where = collections.defaultdict(set)
    for path in paths:
        where[os.path.basename(path)[:-2]].add(os.path.dirname(path))
    for stem, folders in where.items():
        if len(folders) > 1:
            find(stem, f"files of this name stand in {', '.join(sorted(folders))}")

    # Tables that one file defines and others use.
    for path, source in sources.items():
        if path.endswith(".c"):
            for data in re.findall(r"^const [\w ]+?\*?\b(vb_\w+)(?:\[\w*\])* = ", source.code, re.M):
                defined.setdefault(data, path)

    # ---- headers and what they declare ---------------------------------------------------------------------
    public = wrong = 0
    for path, source in sources.items():
        if not path.endswith(".h"):
            continue
        header = os.path.basename(path)[:-2]
        for name, line, inline in source.prototypes():
            if not name.startswith("vb_"):
                continue
            public += 1
            prefix = "vb_" + re.sub(r"_internal$", "", header)
            if name not in PLAIN_NAMES and name != prefix and not name.startswith(prefix + "_"):
                wrong += 1
                find(f"{path}:{line}", f"{name} does not begin with {prefix}")
            if inline:
                continue
            home = os.path.basename(defined.get(name, ""))[:-2]
            own = re.sub(r"_internal$", "", header)
            if not home:
                find(f"{path}:{line}", f"{name} is defined nowhere")
            elif os.path.dirname(defined[name]) != os.path.dirname(path) or not (home == own or home.startswith(own + "_")):
                find(f"{path}:{line}", f"{name} is declared here and defined in {defined[name]}")

    # ---- arrows: wings and circles -------------------------------------------------------------------------
    edges = collections.defaultdict(set)
    arrows = 0
    for path, source in sources.items():
        targets = set(source.includes)
        uses = {defined[word] for word in source.words if word in defined and defined[word] != path} if path.endswith(".c") else set()
        edges[path] = {target for target in targets if target.endswith(".h") and target in sources} | uses
        if source.wing not in table:
            find(path, f"{source.wing} is not in tests/tools/wings.txt")
            continue
        for target in sorted(targets | uses):
            if target not in sources:
                if not target.startswith(("tests/", "build/")):
                    find(path, f'includes "{target}", which is not there')
                continue
            other = sources[target]
            if other.wing == source.wing:
                continue
            arrows += 1
            lower = FLOORS.index(other.floor) < FLOORS.index(source.floor)
            if not lower and other.wing not in table[source.wing]:
                find(path, f"{source.wing} may not use {target}")
    parts = circles(edges)
    for part in parts:
        find(part[0], "a circle of files: " + " ".join(part))

    # ---- sizes ---------------------------------------------------------------------------------------------
    many, longest, functions = [], 0, 0
    for path, source in sources.items():
        count = len(source.raw) - 1
        if count > LINES and not re.search(r"_tables?\.h$", path):
            find(path, f"{count} lines, at most {LINES}")
        for name, static, line, lines, parameters in source.functions:
            functions += 1
            longest = max(longest, lines)
            if lines > FUNCTION_LINES and f"{path}:{name}" not in LONG_FUNCTIONS:
                find(f"{path}:{line}", f"{name} has {lines} lines, at most {FUNCTION_LINES}")
            if parameters > PARAMETERS:
                many.append(f"{path}:{line}: {name} ({parameters})")
    if len(many) > MANY_PARAMETERS:
        for place in many:
            find(place, f"one of {len(many)} functions with more than {PARAMETERS} parameters; at most {MANY_PARAMETERS}")

    # ---- idioms --------------------------------------------------------------------------------------------
    for path, source in sources.items():
        for number, line in enumerate(source.lines, 1):
            label = re.match(r"([a-z_]\w*):$", line)
            if label and label.group(1) not in ("done", "default"):
                find(f"{path}:{number}", f"a label {label.group(1)}: the one for cleaning up is done")

    if "--figures" in sys.argv[1:]:
        print(f"{len(paths)} files in {len(table)} wings, {arrows} arrows between wings, {len(parts)} circles")
        print(f"{functions} functions, the longest {longest} lines; {len(many)} with more than {PARAMETERS} parameters")
        print(f"{public} public functions, {wrong} without their header's prefix")
        print(f"longest file {max(len(s.raw) - 1 for p, s in sources.items() if not re.search(r'_tables?.h$', p))} lines")
    else:
        for line in sorted(set(findings)):
            print(line)
        return 1 if findings else 0
    return 0


sys.exit(main())
