"""What races in peers_race.py: processes that answer lines, alone or as crews, and how they take turns."""
import os
import queue
import statistics
import subprocess
import threading

import numpy as np

from peers_level import is_held, settings

AGREE = 1e-3  # largest difference of embeddings, of their largest value
SHARES = {"peak": "share_of_peak", "gemm": "share_of_gemm"}  # a question for ours, and what comes of it


class Gone(Exception):
    """A runner that did not start, ended, or took too long."""


def last_line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return (file.read().strip().splitlines() or ["nothing said"])[-1][:200]


class Runner:
    """A process that answers a line with a line. Threads that wait look for work for some milliseconds and sleep then, which is
    OpenMP's way where OMP_WAIT_POLICY is not set: nobody takes the cores while another one runs."""

    processes = 1
    live = set()  # whoever is interrupted ends them all

    def __init__(self, name, command, threads, limit, log, level=None):
        self.name, self.limit, self.log, self.waiting = name, limit, log, True
        environment = {**settings(level, name), **os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                                            env=environment)
        Runner.live.add(self)
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        try:
            self.ready = self.answer().removeprefix("ready ")
        except Gone:
            self.close()
            raise

    def listen(self):
        for line in self.process.stdout:
            if line.startswith(("ready ", "saved", "level ")) or line[0].isdigit():  # libraries may talk, too
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
        self.waiting = False
        return line

    def tell(self, line):
        self.waiting = True
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it ended: the answer says how

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def ask_all(self, line):
        return [self.ask(line)]

    def find_reach(self, level, tower, results):
        """What a peer made of the level, once it has computed something; told where that says something, once a tower."""
        if not is_held(level):
            return
        entry = {"tower": tower, "runner": self.name, "reach": self.ask(f"level {level}").removeprefix("level ")}
        if entry not in results["held"]:
            results["held"].append(entry)
            print(f"{tower:14} {'':5} {'':7}  {self.name}: {entry['reach']}", flush=True)

    def save(self, items, path):
        self.ask(f"save {items} {path}")
        return np.fromfile(path, np.float32)

    def close(self):
        """Ends by itself when nothing more is asked, unless it is at something."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(0 if self.waiting else 5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        Runner.live.discard(self)


class Crew:
    """A process for each core, of one thread, all working at once, each on a batch of its own: how a machine is filled."""

    def __init__(self, first, start, count):
        self.name, self.ready, self.processes, self.members = first.name, first.ready, count, [first]
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

    def close(self):
        for member in self.members:
            member.close()


class Entry:
    """A line of a race: what is asked of a runner ("time 8"), and how many items each of its processes does then."""

    def __init__(self, runner, question, items, name=None):
        self.runner, self.question, self.name = runner, question, name or runner.name
        self.items = items * runner.processes
        self.runs, self.times = 1, []

    def turn(self):
        """Seconds of the processor and of the clock for one run; of a crew the slowest's, which the others' end with."""
        answers = [list(map(float, answer.split())) for answer in self.runner.ask_all(f"{self.question} {self.runs}")]
        return max(a[0] for a in answers) / self.runs, max(a[1] for a in answers) / self.runs


def take_turns(entries, options, notes):
    """Fills the entries' times, a pair a round; the first one is ours, without which there is no race. A peer that fails is out
    from then on. Returns the best rates of multiply-adds and of our products that were measured between."""
    ours, ceilings = entries[0].runner, dict.fromkeys(SHARES, 0.0)
    for turn in range(-1, options.rounds):  # the first warms up, and says how many runs fill a turn
        for what in ceilings:
            ceilings[what] = max(ceilings[what], sum(map(float, ours.ask_all(what))))
        for entry in entries[:] if turn % 2 else entries[::-1]:
            try:
                found = entry.turn()
            except Gone as e:
                if entry.runner is ours:
                    raise
                notes.append(str(e))
                entry.runner.close()
                entries.remove(entry)
                continue
            if turn < 0:
                entry.runs = max(1, round(options.seconds / max(found[1], 1e-6)))
            else:
                entry.times.append(found)
    return ceilings


def off(found, expected):
    if found.shape != expected.shape:
        return float("inf")
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    return error if error == error else float("inf")


def row_of(entry, shape, flops, ceilings, unit):
    """What one runner did, for JSON. unit: "image" or "prompt"; flops: of one, by this runner."""
    which = 0 if shape == (1, 1) else 1
    seconds = statistics.median(pair[which] for pair in entry.times) / entry.items
    rates = [entry.items / pair[which] for pair in entry.times]
    row = {"runner": entry.name, f"{unit}s_per_second": 1 / seconds, "slowest": min(rates), "fastest": max(rates),
           f"seconds_per_{unit}": seconds,
           f"clock_seconds_per_{unit}": statistics.median(pair[1] for pair in entry.times) / entry.items}
    for what, share in SHARES.items():
        row[share] = flops / seconds / 1e9 / ceilings[what] if ceilings[what] else None
    row["rounds"] = [[value / entry.items for value in pair] for pair in entry.times]
    return row


def compare(row, ours, unit, error):
    row.update(vocabench_times_as_fast=row[f"seconds_per_{unit}"] / ours[f"seconds_per_{unit}"], relative_error=error,
               agrees=error <= AGREE)


def print_row(place, row, unit, note=""):
    shares = "".join("        -" if row[share] is None else f"  {100 * row[share]:5.1f} %" for share in SHARES.values())
    if "agrees" in row:
        other = "" if row["agrees"] else f"   OTHER RESULTS: off by {row['relative_error']:.1e}"
        note = f"{row['vocabench_times_as_fast']:5.2f}{other}{note}"
    rates = f"{row[f'{unit}s_per_second']:9.3f} {row['slowest']:9.3f} {row['fastest']:9.3f}"
    print(f"{place}  {row['runner']:15} {rates}{shares}   {note}".rstrip(), flush=True)


def word_of(shape):
    return str(shape[1]) if shape[0] == 1 else f"{shape[0]}x{shape[1]}"
