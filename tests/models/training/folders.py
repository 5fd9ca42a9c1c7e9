"""A folder of phantom pairs, and configurations small enough to train in a second."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from models.phantom.render import Phantom, render
from models.training.toml_text import Table

SIDE = 64


@lru_cache(maxsize=8)
def phantom(seed: int) -> Phantom:
    return render(SIDE, seed)


def pair_folder(folder: Path, count: int = 3) -> Path:
    """`count` pairs of 64 x 64, 16 bits."""
    for index in range(count):
        one = phantom(30 + index)
        for side, image in (("cxr", one.radiograph), ("soft_tissue", one.soft_tissue)):
            (folder / side).mkdir(parents=True, exist_ok=True)
            grey = np.round(image * 65535).astype(np.uint16)
            Image.fromarray(grey).save(folder / side / f"patient{index}.png")
    return folder


def residual_unet_table(pairs: Path, steps: int = 4) -> Table:
    return {
        "seed": 1,
        "data": {"pairs": str(pairs), "image_size": SIDE, "side": 32, "mixture": {"pairs": 2}},
        "training": {"steps": steps, "save_every": 2, "device": "cpu"},
        "optimiser": {"learning_rate": 5e-4, "warm_up": 2},
        "residual-unet": {"channels": [4, 4]},
    }


def vqgan_table(pairs: Path, steps: int = 4) -> Table:
    rows = [2, 4, 1, 1]
    network: Table = {
        "num_channels": [4, 4],
        "num_res_channels": 4,
        "num_res_layers": 1,
        "downsample_parameters": [rows, rows],
        "upsample_parameters": [[*rows, 0], [*rows, 0]],
        "num_embeddings": 8,
        "embedding_dim": 4,
    }
    table = residual_unet_table(pairs, steps)
    del table["residual-unet"]
    table["vqgan"] = {
        "radiographs": 1,
        "adversarial": 0.01,
        "network": network,
        "discriminator": {"channels": [4, 4]},
    }
    return table


def ldm_table(pairs: Path, autoencoder: Path, steps: int = 4) -> Table:
    table = residual_unet_table(pairs, steps)
    del table["residual-unet"]
    table["ldm"] = {
        "autoencoder": str(autoencoder),
        "decoded": 1.0,
        "own_share": 0.5,
        "late_share": 0.5,
        "unet": {
            "in_channels": 8,
            "out_channels": 4,
            "model_channels": 32,
            "num_res_blocks": 1,
            "channel_mult": [1, 1],
            "attention_resolutions": [2],
            "num_heads": 2,
        },
    }
    return table
