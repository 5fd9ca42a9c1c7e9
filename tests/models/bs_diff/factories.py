"""A BS-Diff small enough for tests: random weights, real code, its own folder with manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models.bs_diff.autoencoder import Autoencoder, AutoencoderConfig
from models.bs_diff.config import BsDiffConfig
from models.bs_diff.predict import AUTOENCODER_FILE, UNET_FILE
from models.bs_diff.presets import PRESETS
from models.bs_diff.unet import UNet, UNetConfig
from models.checkpoint import save_tensors
from models.manifest import Manifest, Preset, write_manifest
from tests.models.bs_ldm.factories import randomised

UNET = UNetConfig(
    num_channels=(32, 64),
    num_res_blocks=1,
    attention_levels=(False, True),
    num_head_channels=(0, 64),
)
AUTOENCODER = AutoencoderConfig(
    num_channels=(32, 32), latent_channels=4, num_res_blocks=1, attention_levels=(False, True)
)
CONFIG = BsDiffConfig(image_size=32, unet=UNET, autoencoder=AUTOENCODER)


def small_unet(config: UNetConfig = UNET) -> UNet:
    """Its weights drawn anew: layers that start at zero would hide mistakes."""
    unet = randomised(UNet(config), 1)
    assert isinstance(unet, UNet)
    return unet


def small_autoencoder(config: AutoencoderConfig = AUTOENCODER) -> Autoencoder:
    """As `small_unet`."""
    autoencoder = randomised(Autoencoder(config), 2)
    assert isinstance(autoencoder, Autoencoder)
    return autoencoder


def install_model(
    weights_dir: Path, name: str = "small-diff", presets: Mapping[str, Preset] = PRESETS, **config_overrides: object
) -> Manifest:
    """A model folder as the service finds it."""
    config = replace(CONFIG, **config_overrides)  # type: ignore[arg-type]
    folder = weights_dir / name
    folder.mkdir(parents=True)
    unet, autoencoder = small_unet(config.unet), small_autoencoder(config.autoencoder)
    manifest = Manifest(
        name=name,
        version="1",
        architecture="bs-diff",
        config=config.to_json(),
        presets=presets,
        files={
            UNET_FILE: save_tensors(unet.state_dict(), folder / UNET_FILE),
            AUTOENCODER_FILE: save_tensors(autoencoder.state_dict(), folder / AUTOENCODER_FILE),
        },
        licence="MIT",
        training="random weights for tests",
        folder=folder,
    )
    write_manifest(manifest)
    return manifest
