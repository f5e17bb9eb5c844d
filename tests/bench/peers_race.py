#!/usr/bin/env python3
"""Our encoders against others', side by side: peers_race.py OURS FOLDER [options]

OURS is tests/bench/peers_ours as built. FOLDER holds a folder a tower, made by peers_make.py where it is not there yet. Each
runner is a process of its own, loads the weights and rests while another one runs; they take turns, so that a slow phase of the
machine meets each. Figures are medians of rounds. docs/measurements.md explains each line."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np

import peers_prompts
from peers_runner import Crew, Entry, Gone, Runner, compare, last_line, off, print_row, row_of, take_turns, word_of
from race_end import keep, stop

HERE = os.path.dirname(os.path.abspath(__file__))
JUDGED = {"vit_b32": "ViT-B-32", "vit_b16": "ViT-B-16", "rn50": "RN50", "rn101": "RN101", "siglip_b16": "ViT-B-16-SigLIP"}
TOWERS = {**JUDGED, "pe_core_b16": "PE-Core-B-16", "eva02_b16": "EVA02-B-16", "convnext_base": "convnext_base",
          "mobileclip_s1": "MobileCLIP-S1", "mobileclip_b": "MobileCLIP-B", "vitamin_b": "ViTamin-B"}
PROMPTS_OF = "vit_b32"  # whose text tower is whole
PEERS = ("onnxruntime", "openvino", "torch")
PICTURES = 16  # JPEG files, 500 x 375


def make_tower(key, folder, limit):
    """What peers_make.py makes, once. Returns tower.json."""
    told, texts = os.path.join(folder, "tower.json"), ["texts"] if key == PROMPTS_OF else []
    if not os.path.exists(told):
        print(f"{key}: weights and ONNX files are made ...", flush=True)
        log = f"{folder}.log"
        command = [sys.executable, os.path.join(HERE, "peers_make.py"), TOWERS.get(key, key), folder, *texts]
        with open(log, "wb") as out:
            try:
                code = subprocess.run(command, stdout=out, stderr=out, timeout=limit, check=False).returncode
            except subprocess.TimeoutExpired:
                raise Gone(f"making {key}: not done in {limit:.0f} s") from None
        if code:
            raise Gone(f"making {key}: code {code}: {last_line(log)} ({log})")
    with open(told, encoding="utf-8") as file:
        return json.load(file)


def make_pictures(folder):
    """JPEG files of smooth shapes and grain, of about 5 bits a pixel as photographs have. None without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return None
    random, place = np.random.default_rng(3), os.path.join(folder, "pictures")
    os.makedirs(place, exist_ok=True)
    for i in range(PICTURES):
        path, (width, height) = os.path.join(place, f"{i:02}.jpg"), ((500, 375), (375, 500))[i % 2]
        a, b, c = random.uniform(0.01, 0.04, 3)
        y, x, k = np.ogrid[:height, :width, :3]
        plane = 92 + 48 * np.sin(a * x + k) + 32 * np.sin(b * y + 100 * c) + random.uniform(0, 70, (height, width, 3))
        if not os.path.exists(path):
            Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)).save(path, quality=80)
    return place


def memory_for(count, folder):
    """Whether `count` more copies of the tower's weights, once as a file that all map and once as a program arranges them,
    fit into memory."""
    path = os.path.join(folder, "open_clip_model.safetensors")
    size = os.path.getsize(path) if os.path.exists(path) else 0
    with open("/proc/meminfo", encoding="ascii") as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    return 2 * size * count < free


def start_runners(key, tower, folder, options, shape, results):
    """Ours first; the others that start, with how far their embeddings are from ours. shape: processes and threads of each."""
    scratch, (processes, threads), images = os.path.join(folder, "embeddings.f32"), shape, max(options.batches)

    def start(name, command, level=None):
        return Runner(name, command, threads, options.limit, os.path.join(folder, f"{name}.log"), level)

    def fill(first, command):
        return first if processes == 1 else Crew(first, lambda: start(first.name, command, level), processes)

    if not memory_for(processes * (1 + len(options.peers)), folder):
        raise Gone(f"{key}: {processes} processes of {1 + len(options.peers)} runners do not fit into memory")
    command = [options.ours, folder, str(threads), "images", os.path.join(folder, "pixels.f32"), options.pictures or "none"]
    ours = start("vocabench", command)
    errors, notes, level = {}, [], ours.ready.split()[0]
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
            command = [sys.executable, os.path.join(HERE, "peers_worker.py"), peer, folder, "images", str(images), str(threads)]
            runner = start(peer, command, level)
            errors[peer] = off(runner.save(min(2, images), scratch), expected)
            runner.find_reach(level, key, results)
            runners.append(fill(runner, command))
        except Gone as e:
            notes.append(str(e))
            if runner:
                runner.close()
    return runners, errors, notes


def entries_of(runners, batch, options):
    """From files only in the largest batch."""
    entries = [Entry(runner, f"time {batch}", batch) for runner in runners]
    if options.pictures and batch == max(options.batches):
        entries.insert(1, Entry(runners[0], f"files {batch}", PICTURES, "vocabench, JPEG"))
    return entries


def report(case, shape, entries, ceilings, flops, errors):
    """Prints the lines of one case and returns it for JSON. A crew encodes a batch a process."""
    place = f"{case['tower']:14} {case['batch']:>5} {word_of(shape):>7}"
    for entry in entries:
        row, note = row_of(entry, shape, flops, ceilings, "image"), ""
        if entry.name in errors:
            compare(row, case["runners"][0], "image", errors[entry.name])
        elif entry is not entries[0]:
            row["of_encoding_alone"] = row["images_per_second"] / case["runners"][0]["images_per_second"]
            note = f"{row['of_encoding_alone']:5.3f} of encoding alone"
        print_row(place, row, "image", note)
        case["runners"].append(row)
    return case


def race(key, options, results):
    folder = os.path.join(options.folder, key)
    tower = make_tower(key, folder, 1800)
    side, images = tower["resolution"], max(options.batches)
    np.random.default_rng(7).standard_normal((images, 3, side, side), np.float32).tofile(os.path.join(folder, "pixels.f32"))
    for shape in options.threads:
        runners, errors, notes = start_runners(key, tower, folder, options, shape, results)
        try:
            level, _, _, flops = runners[0].ready.split()
            results["level"] = level
            results["versions"].update({runner.name: runner.ready for runner in runners[1:]}, open_clip=tower["open_clip"])
            results["exported"][key] = tower.get("onnx", tower.get("onnx_error"))
            for batch in options.batches:
                entries = entries_of(runners, batch, options)
                ceilings = take_turns(entries, options, notes)
                runners = [runner for runner in runners if any(entry.runner is runner for entry in entries)]
                case = {"tower": key, "batch": batch, "processes": shape[0], "threads": shape[1],
                        "peak_gflops": ceilings["peak"], "gemm_gflops": ceilings["gemm"], "gflop_per_image": float(flops) / 1e9,
                        "runners": [], "notes": list(notes)}
                results["cases"].append(report(case, shape, entries, ceilings, float(flops), errors))
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


def usual_threads():
    cores = len(os.sched_getaffinity(0))
    return ["1", str(cores), f"{cores}x1"] if cores > 1 else ["1"]


def words(text):
    return text.replace(",", " ").split()


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("folder")
    parser.add_argument("--only", type=words, default=["prompts", *JUDGED],
                        help=f"prompts, {', '.join(TOWERS)}, or names of open_clip's")
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
    for tower in options.only:
        if "/" in tower or tower.startswith("."):
            parser.error(f"only: expected names, found {tower!r}")
    if options.rounds < 1:
        parser.error(f"rounds: expected 1 or more, found {options.rounds}")
    return options


def run(options, results):
    """Part after part; what was measured is kept after each, also when the race is interrupted."""
    path, started = os.path.join(options.folder, "results.json"), time.monotonic()
    for key in options.only:
        tower = PROMPTS_OF if key == "prompts" else key
        folder = os.path.join(options.folder, tower)
        try:
            if options.make_only:
                make_tower(tower, folder, 1800)
            elif key == "prompts":
                make_tower(tower, folder, 1800)
                peers_prompts.race(folder, options, results)
            else:
                race(key, options, results)
        except Gone as e:
            print(f"{key:14} {e}: skipped", flush=True)
            results["skipped"].append({"tower": key, "why": str(e)})
        finally:
            results["seconds"] = round(time.monotonic() - started, 1)
            if not options.make_only:
                keep(results, path)
    if not options.make_only:
        versions = "; ".join(f"open_clip {text}" if name == "open_clip" else text for name, text in results["versions"].items())
        print(f"level {results['level']}; {versions}; {results['seconds']:.0f} s")
        print(path)


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, stop)
    os.makedirs(options.folder, exist_ok=True)
    results = {"schema": "vocabench.peers/2", "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               "processor": processor(), "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg(), "rounds": options.rounds,
               "seconds_a_turn": options.seconds, "level": None, "held": [], "versions": {}, "exported": {},
               "prompts": [], "cases": [], "skipped": []}
    print(f"{results['processor']}, {results['cores']} cores, load {results['load'][0]:.1f} (a busy machine makes poor timings)")
    if not options.make_only:
        options.pictures = make_pictures(options.folder)
        print(f"{'tower':14} {'batch':>5} {'threads':>7}  {'runner':15} {'items/s':>9} {'slowest':>9} {'fastest':>9}  "
              f"{'of peak':>7}  {'of GEMM':>7}   ours is x times as fast", flush=True)
    try:
        run(options, results)
    except KeyboardInterrupt:
        print("interrupted: what was measured is kept")
        sys.exit(130)
    finally:
        for runner in list(Runner.live):
            runner.close()
    sys.exit(any(skipped["why"].startswith("vocabench:") for skipped in results["skipped"]))


if __name__ == "__main__":
    main()
