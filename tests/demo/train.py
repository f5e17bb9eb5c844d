#!/usr/bin/env python3
"""The demo's CLIP: trains it on the pictures of pictures.py, writes its files, and evaluates it without vocabench.

  pip install torch==2.6.0 numpy pillow
  train.py train pictures.npz MODEL_DIR                  # emoji-rn.safetensors, emoji-bpe.txt, corpus/; seed and steps below
  train.py evaluate MODEL_DIR EMOJI_DIR [EXPECTED.json]  # EMOJI_DIR: what build/tests/demo/emoji wrote

OpenAI's ModifiedResNet and text transformer, small; symmetric InfoNCE on (picture, caption) pairs, a batch holding an emoji at most
once; the weights are the exponential mean over the steps. Same seed, version and number of threads: same weights.
"""
import argparse
import json
import math
import os
import re
import struct
import subprocess
import time
from collections import Counter

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

SEED, STEPS, STOP, BATCH, RATE, DECAY = 7, 1500, 1000, 384, 2e-3, 0.05
RESOLUTION, WIDTH, LAYERS, EMBED = 64, 16, (2, 2, 2, 2), 128
CONTEXT, TEXT_WIDTH, TEXT_LAYERS, MERGES = 24, 128, 2, 1500
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TEMPLATES = ["{}", "an emoji of {}.", "a drawing of {}.", "a picture of {}.", "a small icon of {}.", "a cartoon of {}.", "the {} emoji.",
             "a clip art of {}.", "a symbol of {}."]
PROMPT = "an emoji of {}."
ENSEMBLE = ["an emoji of {}.", "a drawing of {}.", "a picture of {}.", "a small icon of {}.", "a cartoon of {}.", "the {} emoji."]
CODES = "/usr/share/unicode/emoji/emoji-test.txt"


# ---- tokenizer: OpenAI's simple_tokenizer.py in small ------------------------------------------------------------------------------
def byte_alphabet():
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    rest = [b for b in range(256) if b not in plain]
    return {b: chr(c) for b, c in zip(plain + rest, plain + [256 + i for i in range(len(rest))])}


WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+|_+")


def words_of(text):
    text = re.sub(r"[‘’]", "'", re.sub(r"[“”]", '"', text))
    return WORD.findall(re.sub(r"\s+", " ", text).strip().lower())


class Tokenizer:
    def __init__(self, merges):
        self.alphabet = byte_alphabet()
        symbols = list(self.alphabet.values())
        tokens = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.ranks = {m: i for i, m in enumerate(merges)}
        self.size, self.cache = len(tokens), {}

    def split(self, word):
        return [self.alphabet[b] for b in word.encode()][:-1] + [self.alphabet[word.encode()[-1]] + "</w>"]

    def pieces(self, word):
        if word not in self.cache:
            parts = self.split(word)
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda p: self.ranks.get(p, math.inf))
                if best not in self.ranks:
                    break
                parts = merged(parts, best)
            self.cache[word] = [self.ids[p] for p in parts]
        return self.cache[word]

    def encode(self, text):
        ids = [i for w in words_of(text) for i in self.pieces(w)][:CONTEXT - 2]
        ids = [self.size - 2] + ids + [self.size - 1]
        return ids + [0] * (CONTEXT - len(ids))


def merged(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if tuple(parts[i:i + 2]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def learn_merges(texts):
    counts = Counter(w for t in texts for w in words_of(t))
    tokenizer = Tokenizer([])
    split = {w: tokenizer.split(w) for w in counts}
    merges, pairs, holders = [], Counter(), {}

    def count(word, sign):
        for pair in zip(split[word], split[word][1:]):
            pairs[pair] += sign * counts[word]
            holders.setdefault(pair, set()).add(word)
    for word in split:
        count(word, 1)
    while len(merges) < MERGES:
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for word in sorted(holders[best]):
            count(word, -1)
            split[word] = merged(split[word], best)
            count(word, 1)
    return merges


# ---- model: OpenAI's model.py -------------------------------------------------------------------------------------------------------
class Bottleneck(nn.Module):
    def __init__(self, inplanes, planes, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(planes, planes * 4, 1, bias=False), nn.BatchNorm2d(planes * 4)
        self.downsample = None
        if stride > 1 or inplanes != planes * 4:
            pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
            self.downsample = nn.ModuleDict({"-1": pool, "0": nn.Conv2d(inplanes, planes * 4, 1, bias=False),
                                             "1": nn.BatchNorm2d(planes * 4)})

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(self.avgpool(out)))
        if self.downsample is not None:
            x = self.downsample["1"](self.downsample["0"](self.downsample["-1"](x)))
        return F.relu(out + x)


class AttentionPool(nn.Module):
    def __init__(self, side, dim, heads, out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(side * side + 1, dim) / dim ** 0.5)
        self.k_proj, self.q_proj, self.v_proj = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.c_proj, self.heads = nn.Linear(dim, out), heads

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        n, l, d = x.shape
        q = self.q_proj(x[:, :1]).view(n, 1, self.heads, -1).transpose(1, 2)
        k = self.k_proj(x).view(n, l, self.heads, -1).transpose(1, 2)
        v = self.v_proj(x).view(n, l, self.heads, -1).transpose(1, 2)
        return self.c_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, d))


class ModifiedResNet(nn.Module):
    def __init__(self):
        super().__init__()
        half = WIDTH // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(WIDTH)
        planes = WIDTH
        for i, blocks in enumerate(LAYERS):
            layer = []
            for b in range(blocks):
                layer.append(Bottleneck(planes, WIDTH << i, 2 if i and not b else 1))
                planes = (WIDTH << i) * 4
            setattr(self, "layer%d" % (i + 1), nn.Sequential(*layer))
        self.attnpool = AttentionPool(RESOLUTION // 32, WIDTH * 32, WIDTH * 32 // 64, EMBED)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class Attention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.in_proj_weight, self.in_proj_bias = nn.Parameter(torch.randn(3 * d, d) * d ** -0.5), nn.Parameter(torch.zeros(3 * d))
        self.out_proj = nn.Linear(d, d)

    def forward(self, x):
        n, l, d = x.shape
        q, k, v = (t.view(n, l, d // 64, 64).transpose(1, 2) for t in F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, l, d))


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.attn, self.ln_1, self.ln_2 = Attention(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(d, 4 * d), "c_proj": nn.Linear(4 * d, d)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        h = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](h * torch.sigmoid(1.702 * h))


class Clip(nn.Module):
    def __init__(self, tokens):
        super().__init__()
        self.visual = ModifiedResNet()
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(Block(TEXT_WIDTH) for _ in range(TEXT_LAYERS))})
        self.token_embedding = nn.Embedding(tokens, TEXT_WIDTH)
        self.positional_embedding = nn.Parameter(torch.randn(CONTEXT, TEXT_WIDTH) * 0.01)
        self.ln_final = nn.LayerNorm(TEXT_WIDTH)
        self.text_projection = nn.Parameter(torch.randn(TEXT_WIDTH, EMBED) * TEXT_WIDTH ** -0.5)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def encode_text(self, ids):
        end = ids.argmax(-1)
        ids = ids[:, :int(end.max()) + 1]  # what follows the end token is never looked at
        x = self.token_embedding(ids) + self.positional_embedding[:ids.shape[1]]
        for block in self.transformer["resblocks"]:
            x = block(x)
        return self.ln_final(x)[torch.arange(len(ids)), end] @ self.text_projection


# ---- data ---------------------------------------------------------------------------------------------------------------------------
def flippable(names):
    """Emoji that mean the same in a mirror: not symbols, clocks, hands, and nothing with left or right in its name."""
    fixed, group, subgroup = set(), "", ""
    for line in open(CODES, encoding="utf-8"):
        if line.startswith("# group:"):
            group = line.split(":")[1].strip()
        elif line.startswith("# subgroup:"):
            subgroup = line.split(":")[1].strip()
        elif ";" in line and (group in ("Symbols", "Flags") or subgroup == "time" or subgroup.startswith("hand")):
            fixed.add(re.sub(r"^.*# \S+ E[\d.]+ ", "", line.strip()))
    return np.array([n not in fixed and not re.search(r"left|right|clock|input", n) for n in names])


def captions_of(name, keywords, rng):
    """A dozen captions of an emoji: its name in templates, with keywords, and keywords alone."""
    other = [k for k in keywords if k != name]
    out = [t.format(name) for t in TEMPLATES] + [PROMPT.format(name)] * 2
    for _ in range(5):
        some = list(rng.permutation(other)[:3]) if other else [name]
        out.append(", ".join([name] + some))
    for _ in range(4):
        some = list(rng.permutation(other)[:3]) if len(other) > 1 else [name]
        out.append(", ".join(some))
    return out


def augment(pictures, flip, generator, share=1.0):
    """uint8 RGBA -> normalised float RGB: mirror, rotation, scale, shift, stretch, colours, background, blur."""
    n = len(pictures)
    uniform = lambda low, high, *shape: low + (high - low) * torch.rand(n, *shape, generator=generator)
    x = pictures.permute(0, 3, 1, 2).float() / 255
    x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], 1)
    mirror = torch.where(flip & (torch.rand(n, generator=generator) < 0.4), -1.0, 1.0)
    angle, scale, stretch = uniform(-0.2, 0.2) * share, uniform(0.97, 1.3), uniform(-0.08, 0.08)
    cos, sin = torch.cos(angle), torch.sin(angle)
    sx, sy = scale * torch.exp(stretch), scale * torch.exp(-stretch)
    room = (scale - 0.93).clamp(min=0)
    theta = torch.stack([torch.stack([cos * sx * mirror, -sin * sy, uniform(-1, 1) * room], 1),
                         torch.stack([sin * sx * mirror, cos * sy, uniform(-1, 1) * room], 1)], 1)
    grid = F.affine_grid(theta, (n, 4, RESOLUTION, RESOLUTION), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    alpha, colour = x[:, 3:], x[:, :3]
    # Colours: hue turned about the grey axis, saturation, contrast, brightness.
    hue, saturation = uniform(-0.25, 0.25), uniform(0.6, 1.4)
    c, s = torch.cos(hue) * saturation, torch.sin(hue) * saturation
    third = torch.full((n,), 1 / 3.0)
    a, b, d = third + c * 2 / 3, third - c / 3 - s / 3 ** 0.5, third - c / 3 + s / 3 ** 0.5
    turn = torch.stack([torch.stack([a, b, d], 1), torch.stack([d, a, b], 1), torch.stack([b, d, a], 1)], 1)
    colour = torch.einsum("nij,njhw->nihw", turn, colour)
    contrast = uniform(0.75, 1.25, 1, 1, 1)
    colour = colour * contrast + alpha * (0.5 * (1 - contrast) + uniform(-0.12, 0.12, 1, 1, 1))
    tinted = (torch.rand(n, generator=generator) < 0.25).float().view(n, 1, 1, 1)
    background = 1 - tinted * uniform(0, 0.5, 3, 1, 1)
    x = (colour + (1 - alpha) * background).clamp(0, 1)
    blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    x = torch.lerp(x, blurred, (torch.rand(n, generator=generator) ** 2).view(n, 1, 1, 1) * 1.2 - 0.2)
    return ((x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1))


def plain(pictures):
    """uint8 RGBA (n x 96 x 96 x 4) on white, as vocabench would preprocess it."""
    out = []
    for p in pictures:
        picture = Image.new("RGB", (p.shape[1], p.shape[0]), "white")
        picture.paste(Image.fromarray(p), mask=Image.fromarray(p).getchannel("A"))
        out.append(preprocess(picture))
    return torch.stack(out)


def preprocess(picture):
    picture = picture.resize((RESOLUTION, RESOLUTION), Image.BICUBIC)
    x = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


@torch.no_grad()
def encode(model, images, ids):
    unit = lambda x: F.normalize(x, dim=-1)
    images = torch.cat([unit(model.visual(i)) for i in images.split(256)]) if images is not None else None
    return images, torch.cat([unit(model.encode_text(i)) for i in ids.split(512)]) if ids is not None else None


# ---- files --------------------------------------------------------------------------------------------------------------------------
def half_or_single(name, tensor):
    """Matrices as fp16, vectors (batch norm's variances among them) as fp32."""
    return tensor.half() if tensor.dim() > 1 and tensor.numel() > 1024 else tensor.float()


def write_safetensors(path, tensors):
    header, offset, parts = {"__metadata__": {"format": "pt"}}, 0, []
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": {torch.float16: "F16", torch.float32: "F32"}[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_model(folder):
    merges = [tuple(l.split()) for l in open(os.path.join(folder, "emoji-bpe.txt"), encoding="utf-8").read().splitlines()[1:]]
    with open(os.path.join(folder, "emoji-rn.safetensors"), "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    state = {}
    for name, t in header.items():
        if name != "__metadata__":
            array = np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], {"F16": np.float16, "F32": np.float32}[t["dtype"]])
            state[name] = torch.from_numpy(array.astype(np.float32).reshape(t["shape"]))
    tokenizer = Tokenizer(merges)
    model = Clip(tokenizer.size)
    lacking = model.load_state_dict(state, strict=False)
    assert not lacking.unexpected_keys and all(k.endswith("num_batches_tracked") for k in lacking.missing_keys), lacking
    return model.eval(), tokenizer


def write_model(folder, model, merges):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "emoji-bpe.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join("%s %s\n" % m for m in merges))
    write_safetensors(os.path.join(folder, "emoji-rn.safetensors"),
                      {k: half_or_single(k, v.detach()) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")})


def corpus(options):
    """Training pictures and captions as clip-retrieval lays them out: one part of every drawing, its name and keywords as the caption."""
    folder, data = options.output, dict(np.load(options.pictures))
    keep = np.flatnonzero(np.isin(data["vendor"], CORPUS_VENDORS) & data["single"][data["name"]])
    model, _ = read_model(folder)
    images, _ = encode(model, plain(data["pictures"][keep]), None)
    for part in ("img_emb", "metadata"):
        os.makedirs(os.path.join(folder, "corpus", part), exist_ok=True)
    np.save(os.path.join(folder, "corpus", "img_emb", "img_emb_0.npy"), images.numpy().astype(np.float16))
    captions = os.path.join(folder, "corpus", "metadata", "metadata_0.jsonl")
    with open(captions, "w", encoding="utf-8") as f:
        for i in keep:
            name = str(data["names"][data["name"][i]])
            words = [k for k in str(data["keywords"][data["name"][i]]).split("|") if k and k != name]
            f.write(json.dumps({"caption": ", ".join([name] + words), "vendor": str(data["vendors"][data["vendor"][i]])},
                               ensure_ascii=False) + "\n")
    subprocess.run(["zstd", "-q", "-19", "-f", "--rm", captions], check=True)


class Batches(torch.utils.data.IterableDataset):
    """Pictures and captions of BATCH different emoji, each by a vendor drawn at random; made in a process beside the training."""
    def __init__(self, steps, pictures, mirror, ids, of_name, drawn):
        self.all = steps, pictures, mirror, ids, of_name, drawn

    def __iter__(self):
        steps, pictures, mirror, ids, of_name, drawn = self.all
        rng, generator = np.random.default_rng(SEED), torch.Generator().manual_seed(SEED)
        torch.set_num_threads(1)
        order, at = rng.permutation(drawn), 0
        for _ in range(steps):
            if at + BATCH > len(order):
                order, at = rng.permutation(drawn), 0
            chosen = order[at:at + BATCH]
            at += BATCH
            picked = torch.from_numpy(np.array([of_name[n][rng.integers(len(of_name[n]))] for n in chosen]))
            texts = ids[torch.from_numpy(chosen), torch.from_numpy(rng.integers(ids.shape[1], size=BATCH))]
            yield augment(pictures[picked], mirror[torch.from_numpy(chosen)], generator), texts


# ---- training -----------------------------------------------------------------------------------------------------------------------
def train(options):
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    data = dict(np.load(options.pictures))
    names, keywords = [str(n) for n in data["names"]], [[k for k in str(k).split("|") if k] for k in data["keywords"]]
    held = [list(data["vendors"]).index(options.hold_out)] if options.hold_out else []
    use = np.flatnonzero(~np.isin(data["vendor"], held))
    captions = [captions_of(n, k, rng) for n, k in zip(names, keywords)]
    merges = learn_merges([t.format(n) for n in names for t in TEMPLATES[:2]] + [", ".join(k) for k in keywords])
    tokenizer = Tokenizer(merges)
    ids = torch.tensor([[tokenizer.encode(c) for c in some] for some in captions])
    of_name = [use[data["name"][use] == n] for n in range(len(names))]
    drawn = np.array([n for n in range(len(names)) if len(of_name[n])])
    pictures, mirror = torch.from_numpy(data["pictures"]).share_memory_(), torch.from_numpy(flippable(names))

    model = Clip(tokenizer.size).to(memory_format=torch.channels_last)
    decay = [p for n, p in model.named_parameters() if p.dim() > 1 and "embedding" not in n]
    rest = [p for n, p in model.named_parameters() if not (p.dim() > 1 and "embedding" not in n)]
    groups = [{"params": decay, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98))
    mean = {k: v.clone() for k, v in model.state_dict().items()}
    print("%d pictures of %d emoji, %d tokens, %d parameters" % (
        len(use), len(drawn), tokenizer.size, sum(p.numel() for p in model.parameters())), flush=True)
    batches = Batches(options.stop, pictures, mirror, ids, of_name, drawn)
    started = time.time()
    for step, (x, texts) in enumerate(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=3)):
        rate = RATE * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / options.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            f, g = model.visual(x), model.encode_text(texts)
        logits = model.logit_scale.exp() * F.normalize(f.float(), dim=-1) @ F.normalize(g.float(), dim=-1).T
        target = torch.arange(BATCH)
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
            keep = min(0.998, step / (step + 20))
            for k, v in model.state_dict().items():
                if v.is_floating_point():
                    mean[k].lerp_(v, 1 - keep)
        if step % 25 == 24:
            print("step %d loss %.3f scale %.1f, %.2f s a step" % (
                step + 1, loss.item(), model.logit_scale.exp().item(), (time.time() - started) / (step + 1)), flush=True)
        if (options.report and step % options.report == options.report - 1) or step + 1 == options.stop:
            averaged = Clip(tokenizer.size)
            averaged.load_state_dict(mean)
            write_model(options.output, averaged, merges)
            if held:
                score_held_out(options.output, data, held[0], names)
    if not held:
        corpus(options)


CORPUS_VENDORS = (0, 1, 2, 4)  # twemoji, openmoji, fluent-emoji, emojione: enough for a small corpus


def score_held_out(folder, data, vendor, names):
    model, tokenizer = read_model(folder)
    rows = np.flatnonzero((data["vendor"] == vendor) & data["single"][data["name"]])
    known = sorted({int(n) for n in data["name"][rows]})
    f, g = encode(model, plain(data["pictures"][rows]), torch.tensor([tokenizer.encode(PROMPT.format(names[n])) for n in known]))
    found = np.array(known)[(f @ g.T).argmax(1).numpy()]
    print("held out %s: %.3f of %d among %d names" % (data["vendors"][vendor], (found == data["name"][rows]).mean(), len(rows), len(known)),
          flush=True)


# ---- evaluation, by definition and without vocabench ---------------------------------------------------------------------------------
def read_vocabularies(path):
    """The YAML that emoji writes, line by line: {vocabulary: [(id, name)]}."""
    out, current = {}, None
    for line in open(path, encoding="utf-8"):
        if m := re.match(r"  (\S.*):$", line):
            current = out.setdefault(m[1], [])
        elif m := re.match(r'    - \{id: "(\w+)", name: "(.*)"\}$', line):
            current.append((m[1], m[2]))
    return out


def openness(own_right, harmful, target, count):
    """Acc-C, Acc-E, Acc-S over all orders of arrival, from what each image loses to."""
    m = count - 1
    share = own_right / (harmful + 1.0)
    stable = own_right * (m - harmful) / (m * (harmful + 1.0))
    return [float(np.mean([x[target == t].mean() for t in range(count)])) for x in (own_right, share, stable)]


def evaluate(options):
    model, tokenizer = read_model(options.model)
    vocabularies = read_vocabularies(os.path.join(options.emoji, "vocabularies.yaml"))
    classes = [c for v in vocabularies.values() for c in v]
    owner = np.array([t for t, v in enumerate(vocabularies.values()) for _ in v])
    pictures = []
    for code, _ in classes:
        folder = os.path.join(options.emoji, "images", code)
        (file,) = os.listdir(folder)
        pictures.append(preprocess(Image.open(os.path.join(folder, file))))
    texts = [encode(model, None, torch.tensor([tokenizer.encode(t.format(n)) for _, n in classes]))[1] for t in ENSEMBLE]
    f, _ = encode(model, torch.stack(pictures), None)
    result = {"images": len(classes), "vocabularies": len(vocabularies)}
    for label, g in (("one prompt", texts[ENSEMBLE.index(PROMPT)]), ("ensemble", F.normalize(torch.stack(texts).mean(0), dim=-1))):
        s = (f.double() @ g.double().T).numpy()
        true = s.diagonal()
        beaten = np.stack([(s[:, owner == t] > true[:, None]).any(1) for t in range(len(vocabularies))], 1)
        own_right = ~beaten[np.arange(len(owner)), owner]
        harmful = beaten.sum(1) - ~own_right
        c, e, st = openness(own_right, harmful, owner, len(vocabularies))
        result[label] = {"acc_c": c, "acc_e": e, "acc_s": st, "own_right": int(own_right.sum()),
                         "right_of_all": int((s.argmax(1) == np.arange(len(owner))).sum())}
    result["chance_acc_c"] = float(np.mean([1 / len(v) for v in vocabularies.values()]))
    text = json.dumps(result, indent=1)
    print(text)
    if options.expected:
        open(options.expected, "w").write(text + "\n")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    t = commands.add_parser("train")
    t.add_argument("pictures")
    t.add_argument("output")
    t.add_argument("--steps", type=int, default=STEPS)
    t.add_argument("--stop", type=int, default=STOP, help="end after so many of the steps that the learning rate's schedule has")
    t.add_argument("--hold-out", help="leave a vendor out, and score the model on it")
    t.add_argument("--report", type=int, default=200, help="write the model so far every so many steps")
    t.set_defaults(run=train)
    c = commands.add_parser("corpus", help="write the corpus again, from the model in OUTPUT")
    c.add_argument("pictures")
    c.add_argument("output")
    c.set_defaults(run=corpus)
    e = commands.add_parser("evaluate")
    e.add_argument("model")
    e.add_argument("emoji")
    e.add_argument("expected", nargs="?")
    e.set_defaults(run=evaluate)
    options = parser.parse_args()
    torch.set_num_threads(1)  # two threads that wait for each other lose on a machine with other work
    options.run(options)


if __name__ == "__main__":
    main()
