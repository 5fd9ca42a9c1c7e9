"""The tables `[bsdiff]` of both stages at a size for tests."""

from __future__ import annotations

import torch

from models.bs_diff.config import Condition
from models.bs_diff.unet import UNet
from models.json_fields import JsonFields
from models.training.objectives.bs_diff_settings import DenoiserSettings, EnhancerSettings, read_settings
from models.training.objectives.trained_denoiser import FirstStage

UNET: dict[str, object] = {
    "in_channels": 2,
    "out_channels": 2,
    "num_channels": [8, 16],
    "num_res_blocks": 1,
    "attention_levels": [False, True],
    "num_head_channels": [0, 16],
    "norm_num_groups": 4,
}
AUTOENCODER: dict[str, object] = {
    "num_channels": [8, 16],
    "latent_channels": 4,
    "num_res_blocks": 1,
    "attention_levels": [False, False],
    "norm_num_groups": 4,
}


def denoiser_table(**changes: object) -> dict[str, object]:
    """The first stage's table."""
    return {"stage": "denoiser", "unet": UNET, **changes}


def enhancer_table(**changes: object) -> dict[str, object]:
    """The second stage's table."""
    return {
        "stage": "enhancer",
        "denoiser": "runs/none",
        "sampling_steps": 2,
        "autoencoder": AUTOENCODER,
        "discriminator": {"channels": [4, 6]},
        **changes,
    }


def denoiser_settings(**changes: object) -> DenoiserSettings:
    """As read from its table."""
    settings = read_settings(JsonFields(denoiser_table(**changes), "bsdiff"))
    assert isinstance(settings, DenoiserSettings)
    return settings


def enhancer_settings(**changes: object) -> EnhancerSettings:
    """As read from its table."""
    settings = read_settings(JsonFields(enhancer_table(**changes), "bsdiff"))
    assert isinstance(settings, EnhancerSettings)
    return settings


def first_stage(condition: Condition = Condition.CLEAN) -> FirstStage:
    """A U-Net with random weights, also where a fresh one has zeros."""
    torch.manual_seed(8)
    unet = UNet(denoiser_settings().unet)
    for weight in unet.parameters():
        if not bool(weight.detach().any()):
            torch.nn.init.normal_(weight, std=0.02)
    return FirstStage(unet.eval().requires_grad_(False), condition, "0" * 64)
