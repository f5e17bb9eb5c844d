#!/usr/bin/env python3
"""Prompts as open_clip's own tokenizer cuts them: peers_tokens.py MODEL TEMPLATES.yaml VOCABULARIES.yaml OUT.npy

Rows: for each class in the order in which the file names it first, each template with its name in it, padded to the context."""
import sys

import numpy as np
import open_clip
import yaml

model, templates_path, names_path, out = sys.argv[1:]
with open(templates_path, encoding="utf-8") as file:
    templates = yaml.safe_load(file)["prompts"]
with open(names_path, encoding="utf-8") as file:
    vocabularies = yaml.safe_load(file)["vocabularies"]
listed = [name["name"] if isinstance(name, dict) else str(name) for names in vocabularies.values() for name in names]
texts = [template.replace("{}", name.replace("_", " ")) for name in dict.fromkeys(listed) for template in templates]
np.save(out, open_clip.get_tokenizer(model)(texts).numpy())
