#!/usr/bin/env python3
"""A seeded campaign of faulted runs: faults.py [--runs N] [--seed S] [--jobs J] [--only I] [--mishap WORD] [--keep]

Each run takes a small job (an experiment of some kind, or a command), a number of ranks and one mishap: an injected fault
(VOCABENCH_FAULT: kernels/base/fault.h), a signal to one rank or to all, a rank that stands still, clocks that jump or differ,
a connection between ranks that is refused, a disk that is full, a second run in the same folder or cache, an input that changes,
damage to what the run has kept. Then the same command runs again, undisturbed. Held is:
  - the faulted run ends in time, with a documented code, and one line on the error output names what happened;
  - with code 0 its results are the right bytes;
  - it leaves no piece under a final name and, unless it was killed, nothing temporary;
  - the clean run ends with code 0 and the right bytes, whatever the first one left.
--only I repeats number I of a seed, and --keep keeps its folder; --mishap WORD takes no other. Without libfaketime, a device
(vocabench devices) or the right to mount a line says what is left out. The last line counts; the code is 1 when something did not hold."""
import argparse, collections, concurrent.futures, fcntl, functools, glob, hashlib, json, os, random, shlex, shutil, signal, subprocess, sys, tempfile, time

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
build = os.environ.get("VOCABENCH_BUILD", os.path.join(root, "build"))
vocabench, made, npy = (os.path.join(build, path) for path in ("vocabench", "tests/tools/make_data", "tests/tools/npy"))
LIMIT = 90  # seconds; an undisturbed run takes one or two
ALONE = "mpirun waits for ranks that have ended"  # Open MPI's: of a rank that dies while it connects. Counted, not held against us
# Of docs/troubleshooting.md; 1 only for a unit that is told to fail, and for mpirun when it is what was signalled.
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 75}
SITES = {"open": 60, "read": 300, "write": 60, "fsync": 20, "rename": 20, "mmap": 20, "alloc": 4000, "mpi": 60, "unit": 6, "decode": 40, "hash": 12}
DEVICE_SITES = {"device-alloc": 600, "device-build": 6, "device-launch": 300}
EFFECTS = ["EIO", "ENOSPC", "ENOMEM", "EACCES", "short", "slow", "kill"]
MISHAPS = ["fault"] * 6 + ["signal", "signal all", "stop", "twice", "damage", "input", "connect"]
CLOCKS = ["+0", "+1", "-1", "+3600", "-90000", "+90000", "+30y", "-20y"]  # seconds and years beside the true time

MODEL = "family: clip, activation: quick_gelu, weights: m.safetensors, tokenizer: tok"
GIVEN = "family: precomputed, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy"
EXPERIMENTS = {
    "encode": f"""
per_image: true
latex: true
datasets: [{{name: d, images: pics, vocabularies: v.yaml}}]
models: [{{name: m, {MODEL}, prompts: ["a photo of a {{}}.", "a {{}}"]}}]
""",
    "given": f"""
per_image: true
analyses: [margin, similarity, alignment, uniformity]
datasets: [{{name: d, vocabularies: w.yaml}}, {{name: e, vocabularies: w.yaml}}]
expansions: [{{name: both, datasets: [d, e]}}]
models:
  - name: m
    family: precomputed
    embeddings:
      - {{dataset: d, image_embeddings: i.npy, text_embeddings: t.npy, labels: y.npy}}
      - {{dataset: e, image_embeddings: j.npy, text_embeddings: t.npy, labels: y.npy}}
  - {{name: n, {GIVEN}, dataset: d}}
""",
    "adversarial": f"""
analyses: [open_curve]
open_curve: {{names: c.txt, embeddings: c.npy, exclude: names}}
adversarial: {{candidates: c.txt, embeddings: c.npy, k: 2, exclude: names}}
datasets: [{{name: d, vocabularies: w.yaml}}]
models: [{{name: m, {GIVEN}}}]
""",
    "repe": f"""
per_image: true
datasets: [{{name: d, vocabularies: w.yaml}}]
corpora: [{{name: c, embeddings: c.npy, captions: c.txt, text_embeddings: ct.npy}}]
models: [{{name: m, {GIVEN}, retrieval: {{corpus: c, top_k: [2, 3], lambda: [0.25, 0.5], filter: none}}}}]
""",
}
COMMANDS = {
    "retrieve": ["retrieve", "--queries", "q.npy", "--corpus", "parts", "--top-k", "7", "--output", "o/list.jsonl.zst", "--ids",
                 "o/ids.npy", "--memory", "1MiB", "--checkpoint-seconds", "0"],
    "search": ["retrieve", "--queries", "q.npy", "--corpus", "parts", "--quantized", "coded", "--top-k", "7", "--output",
               "o/list.jsonl.zst", "--checkpoint-seconds", "0"],
    "pack": ["pack", "--input", "pics", "--output", "o", "--samples-per-shard", "7"],
    "codes": ["pack", "--quantize", "int8", "--input", "parts", "--output", "o"],
}


def must(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"needed: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def prepare(folder):
    """What all jobs read. Numbers are made by the standard library alone."""
    os.chdir(folder)
    must(made, "images", "pics", "20", "26"), must(made, "model", "m.safetensors"), must(made, "tokenizer", "tok")
    chance = random.Random(7)

    def floats(name, rows, columns):
        with open("flat", "w") as file:
            file.writelines(f"{chance.uniform(-1, 1):.6f}\n" for _ in range(rows * columns))
        must(npy, "numbers", "flat.npy", "f4", "flat"), must(npy, "fold", "flat.npy", name, str(columns))
    floats("i.npy", 300, 4), floats("j.npy", 300, 4), floats("t.npy", 15, 4), floats("c.npy", 100, 4), floats("ct.npy", 100, 4), floats("q.npy", 5, 16)
    os.mkdir("parts")
    for part in range(3):
        floats(f"parts/{part}.npy", 3000, 16)
    must(vocabench, "pack", "--quantize", "int8", "--input", "parts", "--output", "coded")
    with open("labels", "w") as file:
        file.writelines(f"{image % 15}\n" for image in range(300))
    must(npy, "numbers", "y.npy", "i8", "labels")
    with open("c.txt", "w") as file:
        file.writelines(f"a{row} caption of b{row % 9}\n" for row in range(100))
    must(*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-O1", "-o", "refuse.so",
         os.path.join(root, "tests/campaigns/refuse_connect.c"))
    with open("clocks.sh", "w") as file:  # the clock of each rank; times of files stay the true ones, as a file server's do
        file.write(f"""export LD_PRELOAD={faketime()} NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1
FAKETIME_TIMESTAMP_FILE=$PWD/clock.${{OMPI_COMM_WORLD_RANK:-0}} exec "$@"
""")
    with open("v.yaml", "w") as file:
        file.write("name: v\nvocabularies: {animals: [bear, dolphin, elephant], things: [apple, chair], places: [forest, sea]}\n")
    with open("w.yaml", "w") as file:
        file.write("name: w\nvocabularies:\n  a: [%s]\n  b: [%s]\n" % (", ".join(f"a{i}" for i in range(1, 9)),
                                                                     ", ".join(f"b{i}" for i in range(1, 8))))
    for name, text in EXPERIMENTS.items():
        with open(name + ".yaml", "w") as file:
            file.write(f"experiment: {name}\nthreads: 1\non_cut: allow\non_equal: allow\n{text.lstrip()}")


def command_of(job):
    if job == "device":  # the first experiment; its bytes are the CPU's
        return ["run", "encode.yaml", "--output", "o", "--device", "gpu"]
    return COMMANDS.get(job) or ["run", job + ".yaml", "--output", "o"]


def jobs():
    """Those that this machine has. The first to ask has a device's driver compile, for half a minute; the others wait."""
    if b"__asan_init" in open(vocabench, "rb").read():  # drivers take minutes there, and leaks of their own
        return list(EXPERIMENTS) + list(COMMANDS)
    cache = os.environ["XDG_CACHE_HOME"] = os.path.join(build, "tests/device-cache")
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([vocabench, "devices"], capture_output=True, text=True)
    return list(EXPERIMENTS) + list(COMMANDS) + (["device"] if done.returncode == 0 and done.stdout[:1] == "0" else [])


@functools.cache
def mishaps():
    return MISHAPS + (["clock"] if faketime() else []) + (["full"] if may_mount() else [])


def may_mount():
    with tempfile.TemporaryDirectory() as folder:
        return not mount(folder, "size=16k") and not unmount(folder)


def mount(folder, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True).returncode


def unmount(folder):
    return subprocess.run(["umount", "-l", folder], capture_output=True).returncode


def faketime():
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def start(job, ranks, fault="", more=(), under=(), **variables):
    os.makedirs(".mpi", exist_ok=True)  # Open MPI's folders: runs beside each other would take them away from one another
    environment = dict(os.environ, VOCABENCH_FAULT=fault, OMPI_MCA_orte_tmpdir_base=os.path.abspath(".mpi"), **variables)
    command = list(under) + [vocabench] + command_of(job) + list(more)
    if ranks > 1 or fault.endswith("kill"):
        command = ["mpirun", "--oversubscribe", "-n", str(ranks)] + command
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True, errors="replace", start_new_session=True)


def finish(process):
    """Its code, None when it hung, ALONE when only mpirun did; and what it said."""
    try:
        said = process.communicate(timeout=LIMIT)[1]
        # Told twice to end, mpirun does so before its ranks; whoever comes next would find the folder in use.
        until = time.monotonic() + LIMIT
        while (ranks := ranks_of(process)) and time.monotonic() < until:
            time.sleep(0.05)
        if not ranks:
            return process.returncode, said
        for rank in ranks:
            os.kill(rank, signal.SIGKILL)
        return None, said
    except subprocess.TimeoutExpired:
        ranks = ranks_of(process)
        for rank in ranks:
            os.kill(rank, signal.SIGKILL)
        os.killpg(process.pid, signal.SIGKILL)
        return None if ranks else ALONE, process.communicate()[1]


def ranks_of(process):
    """The processes of vocabench below it that have not ended."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rsplit(")", 1)
            state, _, _, session = fields[1].split()[:4]
            if int(session) == process.pid and fields[0].endswith("(vocabench") and state not in "ZX":
                found.append(int(entry))
        except (OSError, ValueError, IndexError):
            pass
    return sorted(found)


def digest(folder):
    """What a finished job has to show, by name: every file but what says when and how it ran."""
    digests = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("cache", "pairs", "list.jsonl.zst.checkpoint")]
        for name in files:
            path = os.path.join(place, name)
            short = os.path.relpath(path, folder)
            with open(path, "rb") as file:
                data = file.read()
            if short == "results.json" or short.endswith("summary.json"):
                results = json.loads(data)
                results.pop("run", None)
                for key in [key for key in results if "seconds" in key or key in ("ranks", "threads", "resumed")]:
                    results.pop(key)
                data = json.dumps(results, sort_keys=True).encode()
            elif not (short.startswith(("records", "retrieval", "table.", "series.", "list.", "ids.", "0")) or
                      short == "manifest.json"):
                continue
            digests[short] = hashlib.sha256(data).hexdigest()
    return digests


def pieces(folder):
    """Temporary files, and files under a final name that are not whole."""
    temporary, cut = [], []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(".parts")]  # frames of records until they are joined
        for name in files:
            path = os.path.join(place, name)
            if name.endswith(".tmp"):
                temporary.append(path)
            elif name.endswith(".json"):
                try:
                    json.load(open(path))
                except ValueError:
                    cut.append(path)
            elif name.endswith(".npy") and subprocess.run([npy, "print", path], capture_output=True).returncode:
                cut.append(path)
            elif name.endswith(".zst") and not name.endswith(".tar.zst") and \
                    subprocess.run(["zstd", "-tq", path], capture_output=True).returncode:
                cut.append(path)
    return temporary, cut


class Run:
    def __init__(self, seed, number, base, truth, mishap):
        self.chance = random.Random(f"{seed}.{number}")
        self.number, self.base, self.truth = number, base, truth
        self.job = self.chance.choice(list(truth))
        self.ranks = 1 if self.job in ("pack", "codes") else self.chance.randint(1, 4)
        self.mishap = mishap or self.chance.choice(mishaps())
        if self.job in COMMANDS and self.mishap in ("twice", "damage", "full") or self.ranks == 1 and self.mishap == "connect":
            self.mishap = "fault"
        self.what, self.met, self.alone, self.wrong, self.damaged = self.mishap, False, False, [], None

    def expect(self, holds, what, detail=""):
        if not holds:
            self.wrong.append(what + (": " + detail.strip().replace("\n", " | ")[-700:] if detail else ""))

    def right(self):
        found = digest("o")
        return "" if found == self.truth[self.job] else "other: " + " ".join(
            sorted(name for name in set(found) | set(self.truth[self.job]) if found.get(name) != self.truth[self.job].get(name)))

    def judge(self, code, said, codes=frozenset(), killed=False):
        """What must hold of every first run."""
        self.met = self.met or code != 0
        self.alone = code == ALONE
        self.expect(code is not None and (killed or not self.alone), "hangs", said)
        if code is None or self.alone:
            return
        own = [line for line in said.split("\n") if line.startswith("vocabench:") and not line.startswith("vocabench: note:")]
        if not killed:
            self.expect(code in DOCUMENTED or code in codes, f"code {code}", said)
            self.expect(code == 0 or code not in DOCUMENTED or len(own) == 1, f"code {code} with {len(own)} lines", said)
        if code == 0:
            wrong = self.right()
            self.expect(not wrong, "code 0 and wrong bytes", wrong)
        temporary, cut = pieces("o")
        self.expect(not cut, "a piece under a final name", " ".join(cut))
        self.expect(killed or not temporary, "temporary files", " ".join(temporary))

    def again(self):
        more = ["--resume"] if self.job not in COMMANDS and self.chance.random() < 0.5 else []
        job = self.chance.choice(["device", "encode"]) if self.job == "device" else self.job  # the CPU goes on with what it left
        ranks = 1 if self.job in ("pack", "codes") else self.chance.randint(1, 3)
        if self.job in ("pack", "codes"):
            shutil.rmtree("o", ignore_errors=True)  # these refuse a folder that has something
            os.mkdir("o")
        code, said = finish(start(job, ranks, more=more))
        self.expect(code == 0, f"the clean run at {ranks} ranks {' '.join(more)} ends with code {code}", said)
        if code == 0:
            wrong = self.right()
            self.expect(not wrong, "wrong bytes after the clean run " + " ".join(more), wrong)
        temporary, cut = pieces("o")
        cut = [path for path in cut if path != self.damaged]  # a unit that --resume has no need of
        self.expect(not temporary and not cut, "left after the clean run", " ".join(temporary + cut))

    def fault(self):
        sites = DEVICE_SITES if self.job == "device" and self.chance.random() < 0.5 else SITES
        site = self.chance.choice(list(sites))
        nth = max(1, int(sites[site] ** self.chance.random()))
        # A kernel that computes nothing and does not say so is found by the check at the start alone: mpi/test_devices.
        effect = self.chance.choice([effect for effect in EFFECTS if sites is SITES or effect != "short"])
        onwards = "+" if self.chance.random() < 0.2 and effect != "kill" else ""
        if effect == "slow" and site == "alloc":
            onwards = ""  # some thousand tenths of a second
        if effect == "slow" and onwards:
            nth = max(nth, sites[site] // 2)
        self.what = f"{site}:{nth}{onwards}:{effect}@{self.chance.randrange(self.ranks)}"
        code, said = finish(start(self.job, self.ranks, self.what))
        self.judge(code, said, codes={1} if site in ("unit", "decode") else set(), killed=effect == "kill" and code != 0)

    def catch(self, process):
        """Its ranks, at some moment of its life."""
        until = time.monotonic() + 10
        while time.monotonic() < until and process.poll() is None and len(ranks_of(process)) < self.ranks:
            time.sleep(0.01)
        time.sleep(self.chance.choice([0.2, 0.3, 0.5, 0.8, 1.2]))
        return ranks_of(process)

    def signal(self):
        number = self.chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP])
        self.what = f"{number.name} to one rank"
        process = start(self.job, self.ranks, "unit:1+:slow")
        ranks = self.catch(process)
        if ranks:
            self.send(self.chance.choice(ranks), number)
        code, said = finish(process)
        killed = number in (signal.SIGKILL, signal.SIGHUP) or code != 0 and code not in DOCUMENTED
        # mpirun says 128 + signal, or 1; a program alone dies by what it does not handle.
        self.judge(code, said, codes={1, 128 + number, -number}, killed=killed)

    def signal_all(self):
        number = self.chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
        self.what = f"{number.name} to mpirun and all ranks"
        process = start(self.job, self.ranks, "unit:1+:slow")
        if self.catch(process):
            self.send(-process.pid, number)
        code, said = finish(process)
        self.judge(code, said, codes={1, 128 + number, -number}, killed=code != 0 and code not in DOCUMENTED)

    def send(self, process, number):
        try:
            os.killpg(-process, number) if process < 0 else os.kill(process, number)
            self.met = True
        except ProcessLookupError:
            pass

    def stop(self):
        self.what = "a rank stands still for two seconds"
        process = start(self.job, self.ranks, "unit:1+:slow")
        ranks = self.catch(process)
        if ranks:
            chosen = self.chance.choice(ranks)
            self.send(chosen, signal.SIGSTOP), time.sleep(2), self.send(chosen, signal.SIGCONT)
        code, said = finish(process)
        self.expect(code == 0, f"code {code}", said)
        self.judge(code, said)

    def twice(self):
        cache = self.chance.random() < 0.5
        self.what = "two runs in one " + ("cache" if cache else "folder")
        self.met = True
        first = start(self.job, self.ranks, "unit:1+:slow", ["--cache", "shared"] if cache else [])
        time.sleep(self.chance.choice([0, 0.3, 0.6]))
        more = ["--cache", "shared", "--output", "p"] if cache else []
        second = start(self.job, self.ranks, "unit:1+:slow", more)
        ends = [finish(first), finish(second)]
        self.expect(sorted(end[0] or 0 for end in ends) in ([0, 0], [0, 7]), "codes " + str([end[0] for end in ends]),
                    " ".join(end[1] for end in ends))
        self.judge(0, "")
        if cache and ends[1][0] == 0:
            self.expect(digest("p") == self.truth[self.job], "the second run has other bytes")

    def connect(self):
        rank, number = self.chance.randrange(self.ranks), self.chance.randint(1, 3)
        self.what = f"connection {number} of rank {rank} is refused"
        under = ["env", "LD_PRELOAD=" + os.path.abspath("refuse.so")]
        code, said = finish(start(self.job, self.ranks, under=under, REFUSE_CONNECT=str(number), REFUSE_RANK=str(rank),
                                  OMPI_MCA_btl="tcp,self", OMPI_MCA_btl_tcp_if_include="lo"))
        self.judge(code, said, killed=code != 0)  # it is Open MPI that ends the ranks, with its own words

    def clock(self):
        """No figure and no decision may depend on the time of day, nor on that of another rank or of the file server."""
        def put():
            for rank in range(self.ranks):
                with open(f"clock.{rank}.new", "w") as file:
                    file.write(self.chance.choice(CLOCKS) + "\n")
                os.rename(f"clock.{rank}.new", f"clock.{rank}")
        both = self.job not in COMMANDS and self.chance.random() < 0.5
        self.what = "clocks differ and jump" + (", two runs in one cache" if both else "")
        put()
        cache = ["--cache", "shared"] if both else []
        other = start(self.job, self.ranks, "unit:1+:slow", cache + ["--output", "p"]) if both else None
        process = start(self.job, self.ranks, "unit:1+:slow", cache, under=["sh", "clocks.sh"])
        self.catch(process)
        put()
        self.met = True
        code, said = finish(process)
        self.expect(code == 0, f"code {code}", said)
        self.judge(code, said)
        if other:
            code, said = finish(other)
            self.expect(code == 0, f"the other run: code {code}", said)
            self.expect(code != 0 or digest("p") == self.truth[self.job], "the other run has other bytes")

    def full(self):
        room = int(8 * 128 ** self.chance.random())
        self.what = f"a disk of {room} kB"
        if mount("o", f"size={room}k"):
            return self.expect(False, "no disk could be mounted")
        try:
            code, said = finish(start(self.job, self.ranks))
            self.judge(code, said)
            self.expect(code in (0, 7), f"code {code}", said)
            mount("o", "remount,size=256m")
            self.again()
        finally:
            unmount("o")

    def damage(self):
        code, said = finish(start(self.job, self.ranks))
        self.judge(code, said)
        self.met = True
        kept = sorted(os.path.join(place, name) for place, _, files in os.walk("o") for name in files
                      if os.path.getsize(os.path.join(place, name)))
        path = self.damaged = self.chance.choice(kept)
        how = self.chance.choice(["bit", "cut", "gone", "empty"])
        self.what = f"{how}: {path}"
        if how == "gone":
            os.remove(path)
            return
        data = bytearray(open(path, "rb").read())
        if how == "bit":
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)
        open(path, "wb").write(data if how == "bit" else data[: 0 if how == "empty" else self.chance.randrange(len(data))])

    def input(self):
        """An input changes while the job reads it, and is put back: figures of the other bytes may not stay."""
        read = ["m.safetensors", "tok", "v.yaml"]
        name = self.chance.choice({"encode": read, "device": read, "retrieve": ["parts/1.npy", "q.npy"],
                                   "search": ["coded/000001.vbq", "coded/mean.npy", "coded/manifest.json", "parts/1.npy"],
                                   "codes": ["parts/1.npy"], "pack": ["pics/bear"]}.get(self.job, ["i.npy", "t.npy", "y.npy"]))
        if os.path.isdir(name):
            name = os.path.join(name, sorted(os.listdir(name))[0])
        how = self.chance.choice(["cut", "zeros", "gone", "bit"])
        self.what = f"{name} is changed: {how}"
        whole = open(name, "rb").read()
        process = start(self.job, self.ranks, "unit:1+:slow")
        self.catch(process)
        self.met = True
        if how == "gone":
            os.remove(name)
        else:
            with open(name, "r+b") as file:
                if how == "cut":
                    file.truncate(len(whole) // 2)
                elif how == "bit":
                    at = self.chance.randrange(len(whole))
                    file.seek(at), file.write(bytes([whole[at] ^ 1 << self.chance.randrange(8)]))
                else:
                    file.seek(len(whole) // 2), file.write(bytes(len(whole) // 4))
        code, said = finish(process)
        # With code 0 it has read the old bytes or the new ones: which, the clean run does not have to ask.
        self.expect(code is not None, "hangs", said)
        self.expect(code in DOCUMENTED or code == 1 and self.job == "pack", f"code {code}", said)
        if code == 0 and name.startswith("coded/"):  # a copy only says which rows need not be read
            self.expect(digest("o") == self.truth[self.job], "a changed copy gives another list")
        with open(name + ".new", "wb") as file:
            file.write(whole)
        os.rename(name + ".new", name)

    def go(self):
        self.folder = os.path.join(self.base, f"run-{self.number}")
        os.mkdir(self.folder)
        for name in os.listdir(os.path.join(self.base, "inputs")):  # copies: a run may change them
            source = os.path.join(self.base, "inputs", name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy2)(source, os.path.join(self.folder, name))
        os.chdir(self.folder)
        os.mkdir("o")
        getattr(self, self.mishap.replace(" ", "_"))()
        if self.mishap != "full":  # which goes on where it was
            self.again()
        return self


def one(arguments):
    seed, number, base, truth, mishap, keep = arguments
    run = Run(seed, number, base, truth, mishap)
    try:
        run.go()
    except Exception as error:  # the campaign's own fault is a failure, too
        run.wrong.append(f"the campaign fails: {error!r}")
    os.chdir(base)
    if not keep:
        shutil.rmtree(run.folder, ignore_errors=True)
    return run.number, run.job, run.ranks, run.mishap, run.what, run.met, run.alone, run.wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--only", type=int)
    parser.add_argument("--mishap", choices=sorted(set(mishaps())))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seconds", type=float, default=0, help="begin no run after that many")
    asked = parser.parse_args()
    for name, value in (("OMP_WAIT_POLICY", "passive"), ("OMPI_MCA_mpi_yield_when_idle", "1"),
                        ("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("OMPI_MCA_hwloc_base_binding_policy", "none"),
                        ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")):
        os.environ.setdefault(name, value)
    base = tempfile.mkdtemp(prefix="vocabench-faults.")
    os.mkdir(os.path.join(base, "inputs"))
    prepare(os.path.join(base, "inputs"))
    truth = {}
    for job in jobs():
        os.mkdir("o")
        code, said = finish(start(job, 1))
        if code != 0:
            sys.exit(f"{job}: code {code}: {said}")
        truth[job] = digest("o")
        shutil.rmtree("o")
    if truth.get("device", truth["encode"]) != truth["encode"]:
        sys.exit("the device gives other bytes than the CPU")
    numbers = [asked.only] if asked.only is not None else range(asked.runs)
    counts, failed, begun = collections.Counter(), 0, time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(asked.jobs) as pool:
        waiting, numbers = set(), iter(numbers)
        while True:
            while len(waiting) < asked.jobs and not (asked.seconds and time.monotonic() - begun > asked.seconds):
                number = next(numbers, None)
                if number is None:
                    break
                waiting.add(pool.submit(one, (asked.seed, number, base, truth, asked.mishap, asked.keep)))
            if not waiting:
                break
            done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                number, job, ranks, mishap, what, met, alone, wrong = future.result()
                counts["runs"] += 1
                counts["met"] += met
                counts["alone"] += alone
                counts[mishap] += 1
                if wrong or asked.only is not None:
                    print(f"run {number} of seed {asked.seed}: {job} at {ranks} ranks: {what}: " +
                          ("; ".join(wrong) if wrong else "holds"), flush=True)
                failed += bool(wrong)
    if not asked.keep:
        shutil.rmtree(base, ignore_errors=True)
    else:
        print(base)
    for word, there in (("jobs on a device", "device" in truth), ("clocks, as there is no libfaketime", "clock" in mishaps()),
                        ("full disks, as nothing can be mounted", "full" in mishaps())):
        if not there:
            print("left out: " + word)
    kinds = ", ".join(f"{mishap} {count}" for mishap, count in sorted(counts.items()) if mishap not in ("runs", "met", "alone"))
    print(f"seed {asked.seed}: {counts['runs']} faulted runs ({kinds}), {counts['met']} met their mishap, "
          f"{counts['alone']} left mpirun waiting for nobody, "
          f"{failed} did not hold, {time.monotonic() - begun:.0f} s")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
