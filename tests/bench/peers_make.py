#!/usr/bin/env python3
"""One tower in its published size with random weights: peers_make.py MODEL FOLDER [texts]

MODEL is a name of open_clip's. FOLDER becomes what its hub has (open_clip_config.json, open_clip_model.safetensors), and beside
that the image tower alone as image.onnx (fp32, any batch), and tower.json, which says what was made and comes last. With `texts`
also the text tower alone as text.onnx and CLIP's merges; without, no text is timed and that tower is cut to one layer."""
import copy
import json
import os
import shutil
import sys
import time

import open_clip
import torch
from open_clip.factory import get_model_config
from safetensors.torch import save_file

OPSET = 20  # the first with Gelu as one operation
MERGES = "bpe_simple_vocab_16e6.txt.gz"


def fill(model):
    """Every parameter and statistic random, so that a missing term shows."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not p.ndim:
                continue
            p.normal_(generator=generator)
            if p.ndim == 1 and name.endswith(("weight", "gamma")):
                p.mul_(0.1).add_(1)
            elif p.ndim == 1:
                p.mul_(0.1)
            elif "embed" in name or "token" in name:
                p.mul_(0.1)
            else:
                p.mul_(p[0].numel() ** -0.5)
        for name, b in model.named_buffers():
            if name.endswith("running_mean"):
                b.normal_(generator=generator).mul_(0.1)
            elif name.endswith("running_var"):
                b.uniform_(0.8, 1.2, generator=generator)
    return model.eval()


def build(name, texts):
    """(configuration, model without values) of open_clip's own classes, or (None, None) for an unknown name."""
    config = get_model_config(name)
    if config is None:
        return None, None
    if not texts:
        config["text_cfg"]["layers"] = 1
    arguments = {key: value for key, value in copy.deepcopy(config).items() if key not in ("custom_text", "custom")}
    arguments["text_cfg"]["hf_model_pretrained"] = False
    return config, (open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP)(**arguments)


class Images(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model.visual(pixels)


class Texts(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model.encode_text(tokens)


def export(tower, example, given, path):
    """The newer exporter first, the older one where it fails. Returns how it was done."""
    why = []
    for dynamo in (True, False):
        try:
            if dynamo:
                batch = torch.export.Dim("batch", min=1, max=4096)
                torch.onnx.export(tower, (example,), path, input_names=[given], output_names=["embeddings"], opset_version=OPSET,
                                  dynamo=True, dynamic_shapes={given: {0: batch}}, external_data=False)
            else:
                torch.onnx.export(tower, (example,), path, input_names=[given], output_names=["embeddings"], opset_version=OPSET,
                                  dynamo=False, dynamic_axes={given: {0: "batch"}, "embeddings": {0: "batch"}})
            return f"torch.onnx {'dynamo' if dynamo else 'TorchScript'}, opset {OPSET}"
        except Exception as e:  # whatever an exporter throws, the other one may do
            why.append(f"{type(e).__name__}: {e}".splitlines()[0])
    raise RuntimeError("; ".join(why))


def export_all(model, side, folder, texts, told):
    towers = [("onnx", Images(model), torch.zeros(2, 3, side, side), "pixels", "image.onnx")]
    if texts:
        towers.append(("text_onnx", Texts(model), torch.zeros(2, model.context_length, dtype=torch.int64), "tokens", "text.onnx"))
    for key, tower, example, given, name in towers:
        try:
            told[key] = export(tower.eval(), example, given, os.path.join(folder, name))
        except Exception as e:  # PyTorch itself can still be raced
            told[f"{key}_error"] = str(e)


def main():
    name, folder, texts = sys.argv[1], sys.argv[2], sys.argv[3:] == ["texts"]
    torch.set_num_threads(int(os.environ.get("MAKE_THREADS", "1")))
    config, model = build(name, texts)
    if model is None:
        sys.exit(f"peers_make.py: open_clip {open_clip.__version__} has no model {name}")
    os.makedirs(folder, exist_ok=True)
    model = fill(model)
    side = model.visual.image_size
    side = side[0] if isinstance(side, (tuple, list)) else side
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, os.path.join(folder, "open_clip_model.safetensors"))
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    with open(os.path.join(folder, "open_clip_config.json"), "w", encoding="utf-8") as out:
        json.dump({"model_cfg": config, "preprocess_cfg": preprocess}, out, indent=1)
    start = time.time()
    told = {"model": name, "resolution": side, "texts": texts, "open_clip": open_clip.__version__, "torch": torch.__version__}
    if texts:
        shutil.copyfile(os.path.join(os.path.dirname(open_clip.__file__), MERGES), os.path.join(folder, MERGES))
    export_all(model, side, folder, texts, told)
    print(f"{name}: exported in {time.time() - start:.0f} s")
    with open(os.path.join(folder, "tower.json"), "w", encoding="utf-8") as out:
        json.dump(told, out, indent=1)


if __name__ == "__main__":
    main()
