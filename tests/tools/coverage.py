#!/usr/bin/env python3
"""What tests have reached of kernels/, shards/ and mpi/: coverage.py BUILD

BUILD was made with --coverage (`make coverage`), and tests have run in it. Prints lines and branches by wing, as gcovr counts them,
what is left out by which rule, and the error lines that no test has reached; ends with 1 where a floor is below its aim.

Left out:
- the side of an assertion that ends the process, and the line that kills it on purpose: no counters are written then;
- kernels of instruction sets that this processor lacks: their objects, with what these have of the lanes' common headers. What
  ran of AVX-512's sources in AVX2 (tests/emulator/) counts in their place."""
import collections, contextlib, json, os, re, subprocess, sys

AIMS = {"kernels": (95, 85), "shards": (95, 85), "mpi": (95, 80)}  # lines and branches, in percent
PATTERNS = ["--exclude-branches-by-pattern", r".*\b(static_)?assert\(.*", "--exclude-lines-by-pattern", r".*\braise\(SIGKILL\).*"]
SETS = {"_avx2": "avx2", "_avx512": "avx512f", "_vnni": "avx512_vnni", "_bf16": "avx512_bf16", "_amx": "amx_bf16"}
# What makes an error: vb_errorf and those that end in it, by their names.
ERRORS = re.compile(r"\b(vb_errorf|vb_error_prefix|\w+_errorf|\w*refuse\w*|fail(_at|_tiff|ed)?|vb_tables_error|vb_opencl_failed)\(")


def lacking():
    """The endings of kernels' files whose instructions this processor has not, as a pattern; None where it has them all."""
    flags = next((line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")), [])
    endings = [ending for ending, flag in SETS.items() if flag not in flags]
    return rf"kernels/.*({'|'.join(endings)})\.c" if endings else None


def objects(build):
    return [os.path.join(folder, name) for floor in AIMS for folder, _, names in os.walk(os.path.join(build, floor))
            for name in sorted(names) if name.endswith(".gcno")]


@contextlib.contextmanager
def hidden(build, left_out):
    """Meanwhile gcovr, which takes whole folders, does not see the counters of the objects that are left out."""
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names
             if left_out and re.fullmatch(r".*\.gc(no|da)", name) and re.search(left_out, os.path.join(folder, name)[:-5] + ".c")
             and os.path.join(build, "emulated") not in folder]
    for path in paths:
        os.rename(path, path + ".hidden")
    try:
        yield
    finally:
        for path in paths:
            os.rename(path + ".hidden", path)


def by_gcovr(build, left_out):
    """Of each file: (lines, lines reached, branches, branches taken)."""
    out = os.path.join(build, "coverage.json")
    command = ["gcovr", "-r", ".", "-j", str(os.cpu_count()), "--gcov-ignore-parse-errors", "--exclude-unreachable-branches",
               "--exclude-throw-branches", *PATTERNS, "--json", out]
    for floor in AIMS:
        command += ["--filter", f"{floor}/"]
    with hidden(build, left_out):
        folders = [os.path.join(build, floor) for floor in [*AIMS, "emulated"]]
        subprocess.run(command + [folder for folder in folders if os.path.isdir(folder)], check=True)
    counts = {}
    for file in json.load(open(out))["files"]:
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode") and not line.get("gcovr/excluded")]
        branches = [branch for line in lines for branch in line["branches"]]
        counts[file["file"]] = (len(lines), sum(line["count"] > 0 for line in lines), len(branches),
                                sum(branch["count"] > 0 for branch in branches))
    return counts


def unreached_errors(build, left_out):
    """(file, line, text) of each call that makes an error and never ran: alone on its line, or the last of the line's calls."""
    paths = [path for path in objects(build) if not (left_out and re.search(left_out, path.replace(".gcno", ".c")))]
    found, source, number, text, never = {}, "", 0, "", False

    def end():
        if never and source.endswith(".c") and ERRORS.search(text) and not re.match(r"(static |int |void |__attr)", text):
            found[source, number] = text.strip()
    for first in range(0, len(paths), 50):
        told = subprocess.run(["gcov", "-b", "-t", *paths[first:first + 50]], capture_output=True, text=True, errors="replace",
                              check=True).stdout
        for row in told.split("\n"):
            match = re.match(r" *([^:\s][^:]*): *(\d+):(.*)", row)
            if match:
                end()
                count, number, text = match.group(1), int(match.group(2)), match.group(3)
                never = count in ("#####", "=====")
                if not number and text.startswith("Source:"):
                    source = text[len("Source:"):]
            elif row.startswith("call"):
                never = row.endswith("never executed")
        end()
        never = False
    return [(*place, text) for place, text in sorted(found.items()) if place[0].startswith(tuple(AIMS))]


def percent(reached, all_of_them):
    return 100 * reached / all_of_them if all_of_them else 100


def row(name, counts):
    lines, reached, branches, taken = (sum(column) for column in zip(*counts))
    print(f"{name:<22} {lines:>6} {percent(reached, lines):>6.1f} {branches:>7} {percent(taken, branches):>6.1f}")
    return percent(reached, lines), percent(taken, branches)


def main():
    build = sys.argv[1].rstrip("/")
    left_out = lacking()
    files = by_gcovr(build, left_out)
    wings = collections.defaultdict(list)
    for path, counts in files.items():
        wings[os.path.dirname(path)].append(counts)
    print(f"{'wing':<22} {'lines':>6} {'%':>6} {'branch':>7} {'%':>6}")
    short = []
    for floor, aims in AIMS.items():
        for wing in sorted(wing for wing in wings if wing.split("/")[0] == floor):
            row(wing, wings[wing])
        found = row(floor, [counts for wing in wings if wing.split("/")[0] == floor for counts in wings[wing]])
        short += [f"{floor}: {what} {value:.1f} %, the aim is {aim}" for what, value, aim in
                  zip(("lines", "branches"), found, aims) if value < aim]
    if left_out:
        print(f"left out, this processor cannot run them: {left_out}")
    errors = unreached_errors(build, left_out)
    for path, number, text in errors:
        print(f"{path}:{number}: never reached: {text}")
    print(f"{len(errors)} error lines that no test reaches")
    for line in short:
        print(f"below its aim: {line}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
