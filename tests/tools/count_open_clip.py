"""Counts open_clip's pretrained files that load and encode right: count_open_clip.py [VOCABENCH] [--only TEXT] [--keep FOLDER].

For each file of open_clip's table it builds a random model of the same structure (the tag's configuration with few layers and, where the
heads' width allows, a small width), lays it into a folder as the hub has it, and compares what the program encodes from the folder alone,
images and texts, with open_clip's own embeddings. Files whose structure is the same are built once. Needs open_clip 3.3, which is no
dependency of the project: without it, it says so and does nothing. Texts other than OpenAI's need the shared data's small tokenizers."""
import argparse
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

try:
    import torch
    import open_clip
    from open_clip import pretrained
except ImportError as e:
    print(f"1..0 # SKIP open_clip is not installed for this Python ({e})")
    sys.exit(0)
if not open_clip.__version__.startswith("3.3."):
    print(f"1..0 # SKIP this counts the files of open_clip 3.3, found {open_clip.__version__}")
    sys.exit(0)
import numpy as np
import open_clip.hf_model
import open_clip.timm_model
import timm
from PIL import Image
from open_clip.factory import get_model_config
from open_clip.transform import PreprocessCfg, image_transform_v2
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../golden"))
from protobuf_fields import unused_pieces  # noqa: E402

SHARED = os.environ.get("VOCABENCH_SHARED", os.path.join(HERE, "../../../shared"))
TEXTS = ["a photo of a cat.", "An Apple_pie, with 3 forks!", "a", "the quick brown fox jumps over the lazy dog &amp; sleeps"]
torch.set_num_threads(1)


# ---- the files ----------------------------------------------------------------------------------------------------

def published_files():
    """Name of the file on the hub -> (model, tag): of the tags of one file the one that tells most of it."""
    files = {}
    for model, tag in open_clip.list_pretrained():
        config = pretrained.get_pretrained_cfg(model, tag)
        files.setdefault(config["hf_hub"] or config["url"], []).append((model, tag))
    chosen = {}
    for name, tags in files.items():
        def fitness(pair):
            config, quick = get_model_config(pair[0]), pretrained.get_pretrained_cfg(*pair).get("quick_gelu", False)
            return (f"/{pair[0]}/" in "/" + name, bool(config.get("quick_gelu", False)) == bool(quick))
        chosen[name] = max(tags, key=fitness)
    return chosen


# ---- smaller models of the same structure ---------------------------------------------------------------------------

def smaller_timm(name):
    """Arguments of timm.create_model. Towers whose heads are not 64 wide keep their width, by which heads are told."""
    if name.startswith("convnext"):
        return dict(depths=(1, 1, 2, 1), dims=(32, 48, 64, 96))
    if name.startswith("fastvit_mci"):
        return dict(layers=(1, 1, 2, 1), embed_dims=(32, 64, 128, 256)) if name[-1] in "012" else \
            dict(layers=(1, 1, 2, 1, 1), embed_dims=(32, 64, 128, 256, 512))
    if name.startswith(("vitamin", "vit_base_mci", "eva_giant", "eva02_enormous")) or "so400m" in name or "giga" in name or "giantopt" in name:
        return dict(depth=1)
    return dict(depth=2, embed_dim=128, num_heads=2)


create_model = timm.create_model
open_clip.timm_model.timm.create_model = lambda name, **more: create_model(name, **{**more, **smaller_timm(name)})


def text_model_config(name, vocabulary):
    import transformers
    sizes = dict(vocab_size=vocabulary, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256,
                 max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    if "nllb" in name:
        return transformers.M2M100Config(vocab_size=vocabulary, d_model=128, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=256,
                                         decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=64, scale_embedding=True)
    return (transformers.XLMRobertaConfig if "xlm" in name else transformers.RobertaConfig)(**sizes)


def smaller(config, bare):
    """A configuration of the same keys. `bare`: nothing beside the file tells, so that heads follow from the width."""
    vision, text = config["vision_cfg"], config["text_cfg"]
    timm_name = vision.get("timm_model_name")
    config["embed_dim"] = 64
    if timm_name:
        if vision.get("timm_proj") == "none":
            probe = create_model(timm_name, num_classes=0, **smaller_timm(timm_name))
            config["embed_dim"] = probe.num_features
    elif isinstance(vision["layers"], list):
        vision.update(layers=[1, 2, 1, 1], width=8)
    else:
        vision.update(layers=2, width=2 * vision.get("head_width", 64))
    if "hf_model_name" in text:
        text["hf_model_pretrained"] = False
        return config
    width, heads = text.get("width", 512), text.get("heads", 8)
    if text.get("proj_type") != "none" and (not bare or width // heads == 64):  # else the width is the embedding's, or tells the heads
        text.update(width=2 * width // heads, heads=2)
    text["layers"] = 2 if text.get("width", 512) <= 256 else 1
    if "multimodal_cfg" in config:
        config["multimodal_cfg"].update(width=text["width"], heads=2, layers=1)
    return config


def fill(model, seed):
    """Every parameter and statistic random, so that a missing term shows."""
    generator = torch.Generator().manual_seed(seed)
    random = lambda shape: torch.randn(shape, generator=generator)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not p.ndim:
                continue
            if p.ndim == 1 and (name.endswith("weight") or name.endswith("gamma")):
                p.copy_(1 + 0.2 * random(p.shape))
            elif p.ndim == 1:
                p.copy_(0.1 * random(p.shape))
            elif "embedding" in name or "pos_embed" in name or "token" in name:
                p.copy_(0.3 * random(p.shape))
            else:
                p.copy_(random(p.shape) * (p[0].numel() if p.ndim > 1 else 1) ** -0.5)
        for name, b in model.named_buffers():
            if name.endswith("running_mean"):
                b.copy_(0.1 * random(b.shape))
            elif name.endswith("running_var"):
                b.copy_(0.5 + random(b.shape) ** 2)
    return model.eval()


# ---- tokenizers -----------------------------------------------------------------------------------------------------

def framed(split, start, context):
    """A tokenizer as open_clip's HFTokenizer frames XLM-RoBERTa's kin: start, words, 2, padded with 1."""
    from open_clip.tokenizer import get_clean_fn
    clean = get_clean_fn("whitespace")

    def ids(texts):
        rows = [[start] + split(clean(text))[:context - 2] + [2] for text in texts]
        return torch.tensor([row + [1] * (context - len(row)) for row in rows])
    return ids


def lay_roberta(folder, context):
    from tokenizers import ByteLevelBPETokenizer
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS * 50, vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    bpe.save_model(folder)
    return framed(lambda text: bpe.encode(text).ids, 0, context), bpe.get_vocab_size()


def lay_nllb(folder, context):
    """SentencePiece's numbers are moved by one, and the language's is the published one. Unused pieces bring the small model to the
    published 256000: one of far fewer tokens than the embedding has rows is refused."""
    source = os.path.join(SHARED, "zoo/fixtures/tok/bpe.model")
    if not os.path.exists(source):
        return None, 600
    from sentencepiece import SentencePieceProcessor
    pieces, file = SentencePieceProcessor(model_file=source), os.path.join(folder, "sentencepiece.bpe.model")
    with open(source, "rb") as small, open(file, "wb") as full:
        full.write(small.read() + unused_pieces(256000 - pieces.get_piece_size()))
    pieces = SentencePieceProcessor(model_file=file)
    split = lambda text: [3 if i == pieces.unk_id() else i + 1 for i in pieces.encode(text)]
    return framed(split, 256047, context), 256206


def lay_tokenizer(folder, config):
    """The tokenizer's files into the folder; returns a function of texts, and how many rows an embedding needs. None: there is none here."""
    text = config["text_cfg"]
    name, context = text.get("hf_tokenizer_name"), text.get("context_length", 77)
    if not name:
        source = os.path.join(os.path.dirname(open_clip.__file__), "bpe_simple_vocab_16e6.txt.gz")
        shutil.copy(source, folder)
        return open_clip.SimpleTokenizer(context_length=context), text.get("vocab_size", 49408)
    kind = next((repository for sign, repository in (("SigLIP2", "hf-siglip2"), ("SigLIP", "oc-siglip"), ("xlm-v", "hf-metaclip2"),
                                                     ("xlm-roberta", "hf-metaclip2"), ("bert", "oc-clipa")) if sign in name), None)
    if name.startswith("roberta"):
        return lay_roberta(folder, context)
    if "nllb" in name:
        return lay_nllb(folder, context)
    if not kind:
        return None, 600
    source = os.path.join(SHARED, "zoo/repos", kind)
    if not os.path.isdir(source):
        return None, 600
    for file in os.listdir(source):
        if "token" in file or file.startswith("vocab") or file.endswith(".model"):
            shutil.copy(os.path.join(source, file), folder)
    from open_clip.tokenizer import HFTokenizer
    tokenizer = HFTokenizer(folder, context_length=context, **(text.get("tokenizer_kwargs") or {}))
    return tokenizer, max(tokenizer.tokenizer.vocab_size, len(tokenizer.tokenizer)) + (7 if kind == "oc-clipa" else 0)


# ---- one structure ----------------------------------------------------------------------------------------------------

def make_images(folder):
    """Sizes and modes that show a wrong resize, crop, filter or order of conversion."""
    os.makedirs(folder)
    random = np.random.default_rng(7)
    made = []
    for i, (mode, size) in enumerate((("RGB", (97, 131)), ("L", (517, 403)), ("P", (333, 222)), ("RGBA", (120, 302)))):
        noise = random.integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 4 if mode == "RGBA" else 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize(size, Image.BICUBIC)
        image = image.quantize(32) if mode == "P" else image.convert(mode)
        path = os.path.join(folder, f"{i}.png")
        image.save(path)
        made.append(path)
    return made


def program(arguments):
    found = subprocess.run(arguments, capture_output=True, text=True, timeout=600)
    lines = [line for line in found.stderr.splitlines() if line.startswith("vocabench")]
    return found.returncode, (lines or found.stderr.splitlines() or [""])[-1]


def far(found, expected):
    """How far off, or None: cosine >= 0.999999 of each row, no difference above 1e-4 of the largest value."""
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    cosine = ((found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)).min()
    error = np.abs(found - expected).max() / np.abs(expected).max()
    return None if cosine >= 0.999999 and error <= 1e-4 else f"cosine {cosine:.7f}, relative error {error:.1e}"


def build(config, preprocess, folder):
    """The folder's files without weights; returns the model, the transform and the tokenizer."""
    config = copy.deepcopy(config)
    tokenizer, rows = lay_tokenizer(folder, config)
    hf_name = config["text_cfg"].get("hf_model_name")
    if hf_name:
        tiny = text_model_config(hf_name, rows)
        open_clip.hf_model.AutoConfig = SimpleNamespace(from_pretrained=lambda name: tiny)
    else:
        config["text_cfg"]["vocab_size"] = rows
    arguments = {key: value for key, value in config.items() if key not in ("custom_text", "custom")}
    kind = open_clip.CoCa if "multimodal_cfg" in config else \
        open_clip.CustomTextCLIP if config.get("custom_text") or hf_name else open_clip.CLIP
    model = fill(kind(**copy.deepcopy(arguments)), 5)
    size = model.visual.image_size
    trunk = getattr(model.visual, "trunk", None)
    if trunk is not None and trunk.default_cfg.get("fixed_input_size"):
        size = trunk.default_cfg["input_size"][1:] if "vitamin" in config["vision_cfg"]["timm_model_name"] else size
    return config, model, image_transform_v2(PreprocessCfg(size=tuple(size) if isinstance(size, (list, tuple)) else size, **preprocess), False), tokenizer


def side_of(transform):
    return transform(Image.new("RGB", (9, 9))).shape[-1]


def judge(vocabench, config, preprocess, file, root):
    """("right", "refused" or "wrong", why) of a folder with one such model."""
    folder = tempfile.mkdtemp(dir=root)
    config, model, transform, tokenizer = build(config, preprocess, folder)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if file:
        torch.save(state, os.path.join(folder, file))
    else:
        save_file(state, os.path.join(folder, "open_clip_model.safetensors"))
        with open(os.path.join(folder, "open_clip_config.json"), "w") as out:
            json.dump({"model_cfg": config, "preprocess_cfg": preprocess}, out)
    pictures = os.path.join(root, "pictures")
    paths = sorted(os.path.join(pictures, name) for name in os.listdir(pictures))
    coca = {"normalize": False}
    with torch.no_grad():
        images = model.encode_image(torch.stack([transform(Image.open(path)) for path in paths]), **coca).numpy()
        texts = model.encode_text(tokenizer(TEXTS), **coca).numpy() if tokenizer else None
    note, out, lines = "", os.path.join(folder, "out.npy"), os.path.join(root, "texts.txt")
    try:
        for what, expected, source in (("images", images, pictures), ("texts", texts, lines)):
            if expected is None:
                return "refused", "texts: no tokenizer of the kind here to test with"
            command = [vocabench, "encode", what, "--weights", folder, "--input", source, "--output", out, "--raw", "--threads", "1"]
            code, said = program(command)
            if code == 3 and "state resolution" in said:  # a bare file without positions (ViTamin-XL): the message asks for it
                note = "with the resolution stated, as the message asks"
                code, said = program(command + ["--resolution", str(side_of(transform))])
            if code:
                return "refused", f"{what}: code {code}: {said.replace(folder, 'FOLDER')}"
            off = far(np.load(out), expected)
            if off:
                return "wrong", f"{what}: {off}"
        return "right", note
    finally:
        if not KEEP:
            shutil.rmtree(folder)


def main():
    global KEEP
    parser = argparse.ArgumentParser()
    parser.add_argument("vocabench", nargs="?", default=os.path.join(HERE, "../../build/vocabench"))
    parser.add_argument("--only", default="", help="files with this in their names, or in their models'")
    parser.add_argument("--keep", help="an empty folder for the models, left there")
    parser.add_argument("--list", action="store_true", help="a line for every file, not for every structure")
    options = parser.parse_args()
    KEEP = options.keep
    root = options.keep or tempfile.mkdtemp(prefix="open-clip-")
    os.makedirs(root, exist_ok=True)
    make_images(os.path.join(root, "pictures"))
    with open(os.path.join(root, "texts.txt"), "w") as out:
        out.write("\n".join(TEXTS) + "\n")
    groups = {}
    for name, (model, tag) in published_files().items():
        if options.only not in name and options.only not in model:
            continue
        config, of_tag = get_model_config(model), pretrained.get_pretrained_cfg(model, tag)
        file = os.path.basename(name) if not name.startswith("http") else ""
        if of_tag.get("quick_gelu"):
            config["quick_gelu"] = True
        preprocess = {key: of_tag[key] for key in ("mean", "std", "interpolation", "resize_mode")}
        config = smaller(config, bool(file))
        if "SigLIP" in (config["text_cfg"].get("hf_tokenizer_name") or ""):  # each names its own repository
            config["text_cfg"]["hf_tokenizer_name"] = "SigLIP2" if "SigLIP2" in config["text_cfg"]["hf_tokenizer_name"] else "SigLIP"
        groups.setdefault(json.dumps([config, preprocess, file], sort_keys=True), []).append((name, model, tag))
    counts = {"right": 0, "refused": 0, "wrong": 0}
    for key, files in groups.items():
        config, preprocess, file = json.loads(key)
        verdict, why = judge(options.vocabench, config, preprocess, file, root)
        counts[verdict] += len(files)
        for name, model, tag in files if options.list else files[:1]:
            print(f"{verdict:8} {1 if options.list else len(files):3}  {model} {tag} ({name.rstrip('/')}){': ' if why else ''}{why}", flush=True)
    if not options.keep:
        shutil.rmtree(root)
    print(f"open_clip {open_clip.__version__}: {sum(counts.values())} files in {len(groups)} structures: {counts['right']} right, "
          f"{counts['refused']} refused by name, {counts['wrong']} silently wrong")
    sys.exit(1 if counts["wrong"] else 0)


main()
