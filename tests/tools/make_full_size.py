"""Writes a model in its full published size with random weights, in fp16: make_full_size.py MODEL PATH.

RN101, ViT-B-16, ViT-L-14, SLIP, DeCLIP: a state dict, the first three under OpenAI's names. Any name of open_clip's configurations, or
OpenVision-L-14: a folder with safetensors and open_clip_config.json; this needs open_clip 3.3, and memory for none of the tensors.
siglip2-base-patch16-naflex, siglip2-so400m-patch16-naflex, align-base: the same with transformers' configurations (transformers 5)."""
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

def slip(state):
    """ViT-B/16 in timm's names, with OpenAI's text tower."""
    width = 768
    half = lambda *shape: torch.randn(shape).mul_(shape[-1] ** -0.5).half()
    state["visual.cls_token"], state["visual.pos_embed"] = half(1, 1, width), half(1, 197, width)
    state["visual.patch_embed.proj.weight"], state["visual.patch_embed.proj.bias"] = half(width, 3, 16, 16), torch.zeros(width)
    for i in range(12):
        b = f"visual.blocks.{i}."
        for name, out, inside in (("attn.qkv", 3 * width, width), ("attn.proj", width, width), ("mlp.fc1", 4 * width, width), ("mlp.fc2", width, 4 * width)):
            state[f"{b}{name}.weight"], state[f"{b}{name}.bias"] = half(out, inside), torch.zeros(out)
        for name in ("norm1", "norm2"):
            state[f"{b}{name}.weight"], state[f"{b}{name}.bias"] = torch.ones(width), torch.zeros(width)
    state["visual.norm.weight"], state["visual.norm.bias"] = torch.ones(width), torch.zeros(width)
    state["image_projection"] = half(width, 512)
    text(state, 512, 12, 512)

def declip(state):
    """ViT-B/32 with one more token and a bias in the texts' projection, texts below a prefix."""
    towers = {}
    vit(towers, 224, 32, 768, 12, 512)
    words = {}
    text(words, 512, 12, 512)
    words["token_embedding.weight"] = torch.randn(49409, 512).mul_(0.02).half()
    words["text_projection.weight"], words["text_projection.bias"] = words.pop("text_projection").T.contiguous(), torch.zeros(512)
    state.update(towers)
    state["logit_scale"] = words.pop("logit_scale")
    state.update({f"encode_text.{name}": tensor for name, tensor in words.items()})

# OpenVision is in no configuration of open_clip 3.3: L/14 by its publisher's.
OPENVISION = {"embed_dim": 768,
              "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14, "no_ln_pre": True, "pool_type": "avg",
                             "final_ln_after_pool": True, "norm_kwargs": {"eps": 1e-6}},
              "text_cfg": {"context_length": 80, "vocab_size": 32000, "hf_tokenizer_name": "bert-base-uncased",
                           "tokenizer_kwargs": {"strip_sep_token": True}, "width": 768, "heads": 12, "layers": 12, "pool_type": "last",
                           "no_causal_mask": True, "act_kwargs": {"approximate": "tanh"}, "norm_kwargs": {"eps": 1e-6}}}

def folder_of_open_clip(name, folder):
    """A model of open_clip's table: its configuration and a file of fp16, written tensor by tensor, whatever its size."""
    import json
    import os
    import open_clip
    from open_clip.factory import get_model_config
    config = OPENVISION if name == "OpenVision-L-14" else get_model_config(name)
    if not config:
        sys.exit(f"make_full_size.py: {name}: expected RN101, ViT-B-16, ViT-L-14, SLIP, DeCLIP, OpenVision-L-14 or a model of open_clip's")
    arguments = {key: value for key, value in config.items() if key not in ("custom_text", "custom")}
    kind = open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    with torch.device("meta"):
        shapes = {key: (tuple(value.shape), value.dtype) for key, value in kind(**arguments).state_dict().items()}
    write_half(os.path.join(folder, "open_clip_model.safetensors"), shapes)
    with open(os.path.join(folder, "open_clip_config.json"), "w") as out:
        json.dump({"model_cfg": config, "preprocess_cfg": {}}, out)

# What the published configurations say of their sizes.
SO400M = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
NAFLEX_PIXELS = {"image_processor_type": "Siglip2ImageProcessor", "max_num_patches": 256, "patch_size": 16, "resample": 2}
ALIGN_PIXELS = {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 346, "width": 346},
                "crop_size": {"height": 289, "width": 289}, "do_center_crop": True, "resample": 2, "rescale_factor": 1 / 127.5,
                "rescale_offset": True, "do_normalize": False, "include_top": False}
TRANSFORMERS = {"siglip2-base-patch16-naflex": ("Siglip2", {"text_config": {"vocab_size": 256000}}, NAFLEX_PIXELS),
                "siglip2-so400m-patch16-naflex": ("Siglip2", {"text_config": dict(SO400M, vocab_size=256000), "vision_config": SO400M},
                                                  NAFLEX_PIXELS),
                "align-base": ("Align", {"vision_config": {"image_size": 289, "hidden_dim": 640}, "projection_dim": 640}, ALIGN_PIXELS)}

def folder_of_transformers(name, folder):
    """A model of transformers: its configuration, its processor's, and a file of fp16."""
    import json
    import os
    import transformers
    kind, sizes, pixels = TRANSFORMERS[name]
    config = getattr(transformers, kind + "Config")(**sizes)
    with torch.device("meta"):
        model = getattr(transformers, kind + "Model")(config)
        shapes = {key: (tuple(value.shape), value.dtype) for key, value in model.state_dict().items()}
    write_half(os.path.join(folder, "model.safetensors"), shapes)
    config.save_pretrained(folder)
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as out:
        json.dump(pixels, out)

def write_half(path, shapes):
    """Noise in fp16 under these names."""
    import json
    import os
    import numpy as np
    header, end = {}, 0
    for key, (shape, dtype) in shapes.items():
        size = int(np.prod(shape, dtype=np.int64)) * (2 if dtype.is_floating_point else 8)
        header[key] = {"dtype": "F16" if dtype.is_floating_point else "I64", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = np.random.default_rng(1).standard_normal(1 << 22, dtype=np.float32)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for key, (shape, dtype) in shapes.items():
            n = int(np.prod(shape, dtype=np.int64))
            if not dtype.is_floating_point:
                out.write(np.ones(n, dtype=np.int64).tobytes())
                continue
            # A residual's gamma is small: where statistics stand for norms nothing else keeps a deep tower finite.
            scale, base = (0, 0.1) if key.endswith("gamma") else \
                (0, 1) if len(shape) < 2 and key.endswith(("weight", "running_var")) else \
                (0, 0) if len(shape) < 2 else ((n / shape[0]) ** -0.5, 0)
            block = (noise * np.float32(scale) + np.float32(base)).astype(np.float16)
            for start in range(0, n, len(block)):
                out.write(block[:min(len(block), n - start)].tobytes())

torch.manual_seed(1)
kind, path, state = sys.argv[1], sys.argv[2], {}
if kind == "RN101":
    resnet(state, 224, (3, 4, 23, 3), 64, 512)
    text(state, 512, 12, 512)
elif kind == "ViT-B-16":
    vit(state, 224, 16, 768, 12, 512)
    text(state, 512, 12, 512)
elif kind == "ViT-L-14":
    vit(state, 224, 14, 1024, 24, 768)
    text(state, 768, 12, 768)
elif kind == "SLIP":
    slip(state)
elif kind == "DeCLIP":
    declip(state)
elif kind in TRANSFORMERS:
    folder_of_transformers(kind, path)
else:
    folder_of_open_clip(kind, path)
if state:
    torch.save(state, path)
