#!/usr/bin/env python3
"""Our image encoders against others', side by side: peers_race.py OURS FOLDER [options]

OURS is tests/bench/peers_ours as built. FOLDER holds a folder a tower, made by peers_make.py where it is not there yet. Each runner is a
process of its own, loads the weights and rests while another one runs; they take turns, so that a slow phase of the machine meets each.
Figures are medians of rounds. docs/measurements.md explains each line."""
import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TOWERS = {"vit-b-32": "ViT-B-32", "vit-b-16": "ViT-B-16", "rn50": "RN50", "rn101": "RN101", "siglip-b-16": "ViT-B-16-SigLIP",
          "pe-core-b-16": "PE-Core-B-16", "eva02-b-16": "EVA02-B-16", "convnext-base": "convnext_base", "mobileclip-s1": "MobileCLIP-S1",
          "mobileclip-b": "MobileCLIP-B", "vitamin-b": "ViTamin-B"}
PEERS = ("onnxruntime", "openvino", "torch")
AGREE = 1e-3  # largest difference of embeddings, of their largest value


class Gone(Exception):
    """A runner that did not start, ended, or took too long."""


class Runner:
    """A process that answers a line with a line. Threads that wait look for work for some milliseconds and sleep then, which is OpenMP's way
    where OMP_WAIT_POLICY is not set: nobody takes the cores while another one runs."""

    def __init__(self, name, command, threads, limit, log):
        self.name, self.limit, self.log = name, limit, log
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        try:
            self.ready = self.answer().removeprefix("ready ")
        except Gone:
            self.close()
            raise

    def listen(self):
        for line in self.process.stdout:
            if line.startswith(("ready ", "saved")) or line[0].isdigit():  # libraries may talk, too
                self.lines.put(line.strip())
        self.lines.put(None)

    def answer(self):
        try:
            line = self.lines.get(timeout=self.limit)
        except queue.Empty:
            raise Gone(f"{self.name}: no answer in {self.limit:.0f} s") from None
        if line is None:
            code = self.process.wait()
            raise Gone(f"{self.name}: {f'signal {-code}' if code < 0 else f'code {code}'}: {last_line(self.log)}")
        return line

    def tell(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it ended: the answer says how

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def peak(self):
        return float(self.ask("peak"))

    def save(self, images, path):
        self.ask(f"save {images} {path}")
        return np.fromfile(path, np.float32)

    def time(self, batch, runs):
        processor, clock = map(float, self.ask(f"time {batch} {runs}").split())
        return processor / runs, clock / runs

    def close(self):
        self.process.kill()
        self.process.wait()


class Crew:
    """A process for each core, of one thread, all working at once, each on a batch of its own: how a machine is filled."""

    def __init__(self, first, start, count):
        self.name, self.ready, self.members = first.name, first.ready, [first]
        try:
            for _ in range(count - 1):
                self.members.append(start())
        except Gone:
            self.close()
            raise

    def ask_all(self, line):
        for member in self.members:
            member.tell(line)
        return [member.answer() for member in self.members]

    def peak(self):
        return sum(map(float, self.ask_all("peak")))

    def time(self, batch, runs):
        """The slowest one's, which the others' end with, for the batches of all."""
        answers = [list(map(float, answer.split())) for answer in self.ask_all(f"time {batch} {runs}")]
        return max(a[0] for a in answers) / runs, max(a[1] for a in answers) / runs

    def close(self):
        for member in self.members:
            member.close()


def last_line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return (file.read().strip().splitlines() or ["nothing said"])[-1][:200]


def make_tower(key, model, folder, limit):
    """What peers_make.py makes, once. Returns tower.json."""
    told = os.path.join(folder, "tower.json")
    if not os.path.exists(told):
        print(f"{key}: weights and ONNX file are made ...", flush=True)
        log = f"{folder}.log"
        with open(log, "wb") as out:
            try:
                code = subprocess.run([sys.executable, os.path.join(HERE, "peers_make.py"), model, folder], stdout=out, stderr=out,
                                      timeout=limit, check=False).returncode
            except subprocess.TimeoutExpired:
                raise Gone(f"making {key}: not done in {limit:.0f} s") from None
        if code:
            raise Gone(f"making {key}: code {code}: {last_line(log)} ({log})")
    with open(told, encoding="utf-8") as file:
        return json.load(file)


def off(found, expected):
    if found.shape != expected.shape:
        return float("inf")
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    return error if error == error else float("inf")


def memory_for(count, folder):
    """Whether `count` more copies of the tower's weights, once as a file that all map and once as a program arranges them, fit."""
    path = os.path.join(folder, "open_clip_model.safetensors")
    size = os.path.getsize(path) if os.path.exists(path) else 0
    with open("/proc/meminfo", encoding="ascii") as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    return 2 * size * count < free


def start_runners(key, tower, folder, options, shape, images):
    """Ours first; the others that start, with how far their embeddings are from ours. shape: processes and threads of each."""
    scratch, (processes, threads) = os.path.join(folder, "embeddings.f32"), shape

    def start(name, command):
        return Runner(name, command, threads, options.limit, os.path.join(folder, f"{name}.log"))

    def fill(first, command):
        return first if processes == 1 else Crew(first, lambda: start(first.name, command), processes)

    if not memory_for(processes * (1 + len(options.peers)), folder):
        raise Gone(f"{key}: {processes} processes of {1 + len(options.peers)} runners do not fit into memory")
    command = [options.ours, folder, os.path.join(folder, "pixels.f32"), str(threads)]
    ours = start("vocabench", command)
    errors, notes = {}, []
    try:
        expected = ours.save(min(2, images), scratch)
    except Gone:
        ours.close()
        raise
    runners = [fill(ours, command)]
    for peer in options.peers:
        if peer != "torch" and "onnx_error" in tower:
            notes.append(f"{peer}: {key} cannot be exported: {tower['onnx_error'][:200]}")
            continue
        runner = None
        try:
            command = [sys.executable, os.path.join(HERE, "peers_worker.py"), peer, folder, str(images), str(threads)]
            runner = start(peer, command)
            errors[peer] = off(runner.save(min(2, images), scratch), expected)
            runners.append(fill(runner, command))
        except Gone as e:
            notes.append(str(e))
            if runner:
                runner.close()
    return runners, errors, notes


def take_turns(runners, batch, options, notes):
    """name -> [(processor, clock)] a round, and the peaks measured between. A runner that fails is out from then on."""
    runs, times, peaks = {}, {runner.name: [] for runner in runners}, []
    for turn in range(-1, options.rounds):  # the first warms up, and says how many runs fill a turn
        peaks.append(runners[0].peak())
        order = runners if turn % 2 else runners[::-1]
        for runner in list(order):
            try:
                found = runner.time(batch, runs.get(runner.name, 1))
            except Gone as e:
                if runner is runners[0]:
                    raise
                notes.append(str(e))
                runner.close()
                runners.remove(runner)
                times.pop(runner.name)
                continue
            if turn < 0:
                runs[runner.name] = max(1, round(options.seconds / max(found[1], 1e-6)))
            else:
                times[runner.name].append(found)
    return times, peaks


def report(key, batch, shape, times, peaks, flops, errors):
    """Prints the lines of one case and returns it for JSON. A crew encodes a batch a process."""
    processes, threads = shape
    each, word, which = batch, word_of(shape), 0 if shape == (1, 1) else 1
    batch *= processes
    median = {name: statistics.median(pair[which] for pair in pairs) for name, pairs in times.items()}
    peak, ours = max(peaks), median["vocabench"]
    rows = []
    for name, seconds in median.items():
        rates = [batch / pair[which] for pair in times[name]]
        row = {"runner": name, "images_per_second": batch / seconds, "slowest": min(rates), "fastest": max(rates),
               "seconds_per_image": seconds / batch, "clock_seconds_per_image": statistics.median(p[1] for p in times[name]) / batch,
               "share_of_peak": flops * batch / seconds / 1e9 / peak if peak else None, "rounds": times[name]}
        note = ""
        if name != "vocabench":
            row.update(vocabench_times_as_fast=seconds / ours, relative_error=errors[name], agrees=errors[name] <= AGREE)
            note = f"   {seconds / ours:5.2f}" + ("" if row["agrees"] else f"   OTHER RESULTS: off by {errors[name]:.1e}")
        share = f"{100 * row['share_of_peak']:5.1f} %" if peak else "      -"
        print(f"{key:14} {each:5} {word:>7}  {name:12} {row['images_per_second']:9.3f} {min(rates):9.3f} {max(rates):9.3f}  {share}{note}")
        rows.append(row)
    sys.stdout.flush()
    return {"tower": key, "batch": each, "processes": processes, "threads": threads, "peak_gflops": peak, "gflop_per_image": flops / 1e9, "runners": rows}


def race(key, options, results):
    folder = os.path.join(options.folder, key)
    tower = make_tower(key, TOWERS.get(key, key), folder, 1800)
    side, images = tower["resolution"], max(options.batches)
    np.random.default_rng(7).standard_normal((images, 3, side, side), np.float32).tofile(os.path.join(folder, "pixels.f32"))
    for shape in options.threads:
        runners, errors, notes = start_runners(key, tower, folder, options, shape, images)
        try:
            level, _, _, flops = runners[0].ready.split()
            results["level"] = level
            results["versions"].update({runner.name: runner.ready for runner in runners[1:]}, open_clip=tower["open_clip"])
            results["exported"][key] = tower.get("onnx", tower.get("onnx_error"))
            for batch in options.batches:
                case = report(key, batch, shape, *take_turns(runners, batch, options, notes), float(flops), errors)
                case["notes"] = list(notes)
                results["cases"].append(case)
        finally:
            for runner in runners:
                runner.close()
            for note in notes:
                print(f"{key:14} {'':5} {word_of(shape):>7}  {note}: skipped", flush=True)
                results["skipped"].append({"tower": key, "processes": shape[0], "threads": shape[1], "why": note})


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"


def word_of(shape):
    return str(shape[1]) if shape[0] == 1 else f"{shape[0]}x{shape[1]}"


def usual_threads():
    cores = len(os.sched_getaffinity(0))
    return ["1", str(cores), f"{cores}x1"] if cores > 1 else ["1"]


def words(text):
    return text.replace(",", " ").split()


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("folder")
    parser.add_argument("--towers", type=words, default=list(TOWERS), help=f"{' '.join(TOWERS)}, or names of open_clip's")
    parser.add_argument("--peers", type=words, default=list(PEERS), help=" ".join(PEERS))
    parser.add_argument("--threads", type=words, default=usual_threads(), help="N, or PxN: P processes at once")
    parser.add_argument("--batches", type=words, default=["1", "8"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn, about")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds until a runner that does not answer is given up")
    parser.add_argument("--make-only", action="store_true", help="weights and ONNX files alone")
    options = parser.parse_args()
    for name in ("threads", "batches"):
        values = [value.split("x", 1) if name == "threads" else [value] for value in getattr(options, name)]
        if not values or not all(part.isdigit() and 1 <= int(part) <= 4096 for value in values for part in value):
            parser.error(f"{name}: expected numbers from 1 to 4096, found {' '.join(getattr(options, name))!r}")
        shapes = [tuple(map(int, value)) for value in values]
        setattr(options, name, list(dict.fromkeys((1, *shape)[-2:] if name == "threads" else shape[0] for shape in shapes)))
    for peer in options.peers:
        if peer not in PEERS:
            parser.error(f"peers: expected some of {' '.join(PEERS)}, found {peer!r}")
    for tower in options.towers:
        if "/" in tower or tower.startswith("."):
            parser.error(f"towers: expected names, found {tower!r}")
    if options.rounds < 1:
        parser.error(f"rounds: expected 1 or more, found {options.rounds}")
    return options


def main():
    options = read_options()
    os.makedirs(options.folder, exist_ok=True)
    results = {"schema": "vocabench.peers/1", "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "processor": processor(),
               "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg(), "rounds": options.rounds, "seconds_a_turn": options.seconds,
               "level": None, "versions": {}, "exported": {}, "cases": [], "skipped": []}
    print(f"{results['processor']}, {results['cores']} cores, load {results['load'][0]:.1f} (a busy machine makes poor timings)")
    if not options.make_only:
        print(f"{'tower':14} {'batch':>5} {'threads':>7}  {'runner':12} {'images/s':>9} {'slowest':>9} {'fastest':>9}  {'of peak':>7}   "
              "ours is x times as fast")
    path = os.path.join(options.folder, "results.json")
    for key in options.towers:
        try:
            if options.make_only:
                make_tower(key, TOWERS.get(key, key), os.path.join(options.folder, key), 1800)
            else:
                race(key, options, results)
        except Gone as e:
            print(f"{key:14} {e}: skipped", flush=True)
            results["skipped"].append({"tower": key, "why": str(e)})
        if not options.make_only:
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(results, file, indent=1)
            os.replace(path + ".part", path)
    if not options.make_only:
        versions = "; ".join(f"open_clip {text}" if name == "open_clip" else text for name, text in results["versions"].items())
        print(f"level {results['level']}; {versions}")
        print(path)
    sys.exit(any(skipped["why"].startswith("vocabench:") for skipped in results["skipped"]))


if __name__ == "__main__":
    main()
