"""Writes a full-size CLIP state dict with random weights under OpenAI's names: RN101, ViT-B/16 or ViT-L/14, in fp16."""
import sys
import torch

def blocks(p, state, width, layers):
    for i in range(layers):
        b = f"{p}transformer.resblocks.{i}."
        for name, shape in (("attn.in_proj_weight", (3 * width, width)), ("attn.out_proj.weight", (width, width)),
                            ("mlp.c_fc.weight", (4 * width, width)), ("mlp.c_proj.weight", (width, 4 * width))):
            state[b + name] = torch.randn(shape, dtype=torch.float32).mul_(shape[1] ** -0.5).half()
        for name, n in (("attn.in_proj_bias", 3 * width), ("attn.out_proj.bias", width), ("mlp.c_fc.bias", 4 * width), ("mlp.c_proj.bias", width),
                        ("ln_1.bias", width), ("ln_2.bias", width)):
            state[b + name] = torch.zeros(n).half()
        for name in ("ln_1.weight", "ln_2.weight"):
            state[b + name] = torch.ones(width).half()

def text(state, width, layers, dim):
    blocks("", state, width, layers)
    state["token_embedding.weight"] = torch.randn(49408, width).mul_(0.02).half()
    state["positional_embedding"] = torch.randn(77, width).mul_(0.01).half()
    state["ln_final.weight"], state["ln_final.bias"] = torch.ones(width), torch.zeros(width)
    state["text_projection"] = torch.randn(width, dim).mul_(width ** -0.5).half()
    state["logit_scale"] = torch.tensor(2.6593)

def vit(state, resolution, patch, width, layers, dim):
    state["visual.class_embedding"] = torch.randn(width).mul_(width ** -0.5)
    state["visual.positional_embedding"] = torch.randn((resolution // patch) ** 2 + 1, width).mul_(width ** -0.5)
    state["visual.proj"] = torch.randn(width, dim).mul_(width ** -0.5).half()
    state["visual.conv1.weight"] = torch.randn(width, 3, patch, patch).mul_((3 * patch * patch) ** -0.5).half()
    for ln in ("ln_pre", "ln_post"):
        state[f"visual.{ln}.weight"], state[f"visual.{ln}.bias"] = torch.ones(width), torch.zeros(width)
    blocks("visual.", state, width, layers)

def conv(state, name, out, inside, k):
    state[f"{name}.weight"] = torch.randn(out, inside, k, k).mul_((inside * k * k / 2) ** -0.5).half()

def norm(state, name, n):
    for part, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
        state[f"{name}.{part}"] = torch.full((n,), value)
    state[f"{name}.num_batches_tracked"] = torch.tensor(1)

def resnet(state, resolution, layers, width, dim):
    for i, (a, b) in enumerate(((3, width // 2), (width // 2, width // 2), (width // 2, width)), 1):
        conv(state, f"visual.conv{i}", b, a, 3)
        norm(state, f"visual.bn{i}", b)
    inside = width
    for stage, count in enumerate(layers, 1):
        planes = width * 2 ** (stage - 1)
        for i in range(count):
            b = f"visual.layer{stage}.{i}."
            for j, (x, y, k) in enumerate(((inside, planes, 1), (planes, planes, 3), (planes, 4 * planes, 1)), 1):
                conv(state, f"{b}conv{j}", y, x, k)
                norm(state, f"{b}bn{j}", y)
            state[f"{b}bn3.weight"].mul_(0.2)
            if i == 0:
                conv(state, f"{b}downsample.0", 4 * planes, inside, 1)
                norm(state, f"{b}downsample.1", 4 * planes)
            inside = 4 * planes
    side, wide = resolution // 32, width * 32
    state["visual.attnpool.positional_embedding"] = torch.randn(side * side + 1, wide).mul_(wide ** -0.5).half()
    for part, out in (("q_proj", wide), ("k_proj", wide), ("v_proj", wide), ("c_proj", dim)):
        state[f"visual.attnpool.{part}.weight"] = torch.randn(out, wide).mul_(wide ** -0.5).half()
        state[f"visual.attnpool.{part}.bias"] = torch.zeros(out).half()

torch.manual_seed(1)
kind, path, state = sys.argv[1], sys.argv[2], {}
if kind == "RN101":
    resnet(state, 224, (3, 4, 23, 3), 64, 512)
    text(state, 512, 12, 512)
elif kind == "ViT-B-16":
    vit(state, 224, 16, 768, 12, 512)
    text(state, 512, 12, 512)
else:
    vit(state, 224, 14, 1024, 24, 768)
    text(state, 768, 12, 768)
torch.save(state, path)
