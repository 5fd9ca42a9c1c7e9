"""A BS-LDM small enough for tests: random weights, real code, its own folder with manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from models.bs_ldm.config import BsLdmConfig
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.bs_ldm.presets import PRESETS
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.checkpoint import save_tensors
from models.manifest import Manifest, write_manifest

UNET = UNetConfig(
    in_channels=8,
    out_channels=8,
    model_channels=32,
    num_res_blocks=1,
    channel_mult=(1, 2),
    attention_resolutions=(2,),
    num_heads=4,
)
VQGAN = VqganConfig(
    num_channels=(8, 16),
    num_res_channels=16,
    num_res_layers=1,
    downsample_parameters=((2, 4, 1, 1),) * 2,
    upsample_parameters=((2, 4, 1, 1, 0),) * 2,
    num_embeddings=16,
)
CONFIG = BsLdmConfig(image_size=32, unet=UNET, vqgan=VQGAN)


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter and buffer drawn anew: layers that start at zero would hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.15)
    return network


def install_model(weights_dir: Path, name: str = "small", **config_overrides: object) -> Manifest:
    """A model folder as the service finds it."""
    config = replace(CONFIG, **config_overrides)  # type: ignore[arg-type]
    folder = weights_dir / name
    folder.mkdir(parents=True)
    manifest = Manifest(
        name=name,
        version="1",
        architecture="bs-ldm",
        config=config.to_json(),
        presets=PRESETS,
        files={
            UNET_FILE: save_tensors(randomised(UNet(config.unet), 1).state_dict(), folder / UNET_FILE),
            VQGAN_FILE: save_tensors(randomised(Vqgan(config.vqgan), 2).state_dict(), folder / VQGAN_FILE),
        },
        licence="MIT",
        training="random weights for tests",
        folder=folder,
    )
    write_manifest(manifest)
    return manifest


def radiograph(size: int = 32, seed: int = 3) -> torch.Tensor:
    """(1, 1, size, size) in [-1, 1]."""
    return torch.rand((1, 1, size, size), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def no_step(_step: int, _total: int) -> None:
    """For callers that watch nothing."""
