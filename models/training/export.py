"""From a training's averaged weights to an installed model: fp16 safetensors and the manifest beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from models.bs_ldm import config as bs_ldm_config
from models.bs_ldm.config import BsLdmConfig
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.checkpoint import save_tensors
from models.manifest import Manifest, Preset, write_manifest
from models.residual_unet import config as residual_unet_config
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.predict import WEIGHTS_FILE

LICENCE = "MIT"
ONE_PASS = Preset("one-pass", 1, 0)


def export_residual_unet(network: nn.Module, setup: ResidualUNetSetup, folder: Path, version: str, note: str) -> Path:
    """Writes the model into `folder`, named after it; returns the manifest's path."""
    config = setup.to_json()
    presets = {"fast": ONE_PASS, "reference": ONE_PASS}
    return _write(
        folder, residual_unet_config.ARCHITECTURE, config, presets, {WEIGHTS_FILE: network}, version=version, note=note
    )


def export_bs_ldm(
    vqgan: nn.Module,
    unet: nn.Module,
    config: BsLdmConfig,
    presets: Mapping[str, Preset],
    folder: Path,
    version: str,
    note: str,
) -> Path:
    """Writes both networks into `folder`, named after the model; returns the manifest's path."""
    networks = {VQGAN_FILE: vqgan, UNET_FILE: unet}
    return _write(folder, bs_ldm_config.ARCHITECTURE, config.to_json(), presets, networks, version=version, note=note)


def _write(
    folder: Path,
    architecture: str,
    config: Mapping[str, object],
    presets: Mapping[str, Preset],
    networks: Mapping[str, nn.Module],
    *,
    version: str,
    note: str,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: save_tensors(network.state_dict(), folder / name) for name, network in networks.items()}
    return write_manifest(
        Manifest(
            name=folder.name,
            version=version,
            architecture=architecture,
            config=config,
            presets=presets,
            files=files,
            licence=LICENCE,
            training=note,
            folder=folder,
        )
    )
