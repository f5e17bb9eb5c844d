#!/usr/bin/env python3
"""PyTorch on the device that gpu_ours measured: gpu_torch.py OURS.json

Times towers of the same shapes with random weights in fp32 (without TF32), TF32 and fp16, and products with top-k, and adds
them to the file as "torch", with our rate as a multiple. Without PyTorch, or where it does not see that device, "torch" says why."""
import json
import sys
import time


def best_of(work, wait, moment):
    """Seconds of one call, the least; two at least."""
    work()
    wait()
    least, passed, runs = float("inf"), 0.0, 0
    while runs < 2 or passed < moment:
        began = time.perf_counter()
        work()
        wait()
        once = time.perf_counter() - began
        least, passed, runs = min(least, once), passed + once, runs + 1
    return least


def make_tower(torch, told):
    """A tower of CLIP as PyTorch would have it: its own attention, fused where it can."""
    functional, nn = torch.nn.functional, torch.nn

    class Layer(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.before, self.between = heads, nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            n, rows, width = x.shape
            q, k, v = self.qkv(self.before(x)).view(n, rows, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, rows, width)
            x = x + self.out(y)
            y = self.up(self.between(x))
            return x + self.down(y * torch.sigmoid(1.702 * y))

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            width, side = told["width"], 224 // told["patch"]
            self.patches = nn.Conv2d(3, width, told["patch"], told["patch"], bias=False)
            self.row = nn.Parameter(torch.randn(1, 1, width))
            self.positions = nn.Parameter(torch.randn(1, side * side + 1, width))
            self.first, self.behind = nn.LayerNorm(width), nn.LayerNorm(width)
            self.layers = nn.Sequential(*[Layer(width, told["heads"]) for _ in range(told["layers"])])
            self.last = nn.Linear(width, told["columns"])

        def forward(self, pixels):
            x = self.patches(pixels).flatten(2).transpose(1, 2)
            x = torch.cat([self.row.expand(len(x), -1, -1), x], 1) + self.positions
            return self.last(self.behind(self.layers(self.first(x))[:, 0]))

    return Tower().eval()


def time_towers(torch, ours, device, wait, moment):
    results = []
    for told in ours["towers"]:
        entry = {"name": told["name"]}
        for kind in ("fp32", "tf32", "fp16") if device == "cuda" else ("fp32",):
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = kind == "tf32"
            element = torch.float16 if kind == "fp16" else torch.float32
            tower = make_tower(torch, told).to(device, element)
            pixels = torch.randn(told["batch"], 3, 224, 224)
            # From the host and back, as ours are measured.
            seconds = best_of(lambda: tower(pixels.to(device, element)).float().cpu(), wait, moment)
            entry[kind] = {"images_per_second": told["batch"] / seconds,
                           "ours_is_times": told["images_per_second"] * seconds / told["batch"]}
            print(f"torch {told['name']:9} {kind}: {told['batch'] / seconds:10.1f} images/s, ours {entry[kind]['ours_is_times']:.2f} times that",
                  flush=True)
        results.append(entry)
    return results


def time_best(torch, ours, device, wait, moment):
    told, results = ours["retrieval"], []
    element = torch.float16 if device == "cuda" else torch.float32
    rows = torch.nn.functional.normalize(torch.randn(told["rows"], told["dim"], device=device, dtype=element), dim=1)
    pieces = rows.split(500000)
    torch.backends.cuda.matmul.allow_tf32 = False
    for entry in told["queries"]:
        asked = torch.nn.functional.normalize(torch.randn(entry["queries"], told["dim"], device=device, dtype=element), dim=1)

        def search(asked=asked):
            found = [torch.topk(asked @ piece.T, min(told["top_k"], len(piece)))[0] for piece in pieces]
            return torch.topk(torch.cat(found, 1), told["top_k"])

        seconds = best_of(search, wait, moment)
        results.append({"queries": entry["queries"], "seconds": seconds, "ours_is_times": seconds / entry["seconds"]})
        print(f"torch top-{told['top_k']} ({element}), {entry['queries']:5} queries: {1e3 * seconds:10.2f} ms, "
              f"ours {seconds / entry['seconds']:.2f} times as fast", flush=True)
    return results


def measure(ours):
    try:
        import torch
    except ImportError as reason:
        return {"skipped": f"PyTorch cannot be imported: {reason}"}
    device, wait, moment = "cpu", (lambda: None), 0.2
    if not ours["processor"]:
        if not torch.cuda.is_available():
            return {"skipped": f"PyTorch {torch.__version__} sees no GPU (torch.cuda.is_available() is false)"}
        device, wait, moment = "cuda", torch.cuda.synchronize, 1.0
    name = torch.cuda.get_device_name() if device == "cuda" else "the processor"
    print(f"PyTorch {torch.__version__} on {name}", flush=True)
    with torch.inference_mode():
        return {"version": torch.__version__, "device": name, "towers": time_towers(torch, ours, device, wait, moment),
                "retrieval": time_best(torch, ours, device, wait, moment)}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ours = json.load(file)
    ours["torch"] = measure(ours)
    if "skipped" in ours["torch"]:
        print(ours["torch"]["skipped"])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(ours, file, indent=1)
        file.write("\n")


main()
