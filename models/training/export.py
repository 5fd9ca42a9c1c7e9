"""From averaged weights to an installed model: fp16 safetensors and the manifest beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from models.bs_ldm import config as bs_ldm_config
from models.bs_ldm.config import BsLdmConfig
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.checkpoint import save_tensors
from models.errors import ConfigError, WeightsError, WeightsFault
from models.manifest import FILE_NAME, NAME_PATTERN, Manifest, Preset, read_manifest, write_manifest
from models.residual_unet import config as residual_unet_config
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.predict import WEIGHTS_FILE
from models.training.engine.objective import Installable

LICENCE = "MIT"
ONE_PASS = Preset("one-pass", 1, 0)


def write_model(
    model: Installable, folder: Path, *, version: str, note: str, licence: str = LICENCE, replace: bool = False
) -> Manifest:
    """Writes the model into `folder`, whose name is the model's. All of it appears at once, or nothing.

    With `replace` a model that is there goes, save its card (`*.md`).
    Raises ConfigError (a name that cannot be) or WeightsError (WEIGHTS_EXIST, unless `replace`).
    """
    require_free(folder, replace=replace)
    building = folder.parent / f".{folder.name}.partial" / folder.name
    shutil.rmtree(building.parent, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        files = {name: save_tensors(state, building / name) for name, state in model.files.items()}
        write_manifest(
            Manifest(
                name=folder.name,
                version=version,
                architecture=model.architecture,
                config=model.config,
                presets=model.presets,
                files=files,
                licence=licence,
                training=note,
                folder=building,
            )
        )
        if folder.exists():
            for card in folder.glob("*.md"):
                shutil.copy2(card, building)
            shutil.rmtree(folder)
        building.replace(folder)
    finally:
        shutil.rmtree(building.parent, ignore_errors=True)
    return read_manifest(folder)


def require_free(folder: Path, *, replace: bool = False) -> None:
    """Raises ConfigError for a name that cannot be, WeightsError (WEIGHTS_EXIST) where there is a model already."""
    if not NAME_PATTERN.fullmatch(folder.name):
        raise ConfigError(f"a model's name must match {NAME_PATTERN.pattern}, found {folder.name!r}")
    if folder.exists() and not replace:
        raise WeightsError(
            WeightsFault.EXISTS,
            f"expected no model {folder.name!r} yet, found one in {folder.parent}; name it otherwise, or --replace it",
        )


def export_residual_unet(network: nn.Module, setup: ResidualUNetSetup, folder: Path, version: str, note: str) -> Path:
    """Writes a one-pass network into `folder`, in place of the model there; returns the manifest's path."""
    presets = {"fast": ONE_PASS, "reference": ONE_PASS}
    files = {WEIGHTS_FILE: network.state_dict()}
    model = Installable(residual_unet_config.ARCHITECTURE, setup.to_json(), presets, files)
    return write_model(model, folder, version=version, note=note, replace=True).folder / FILE_NAME


def export_bs_ldm(
    vqgan: nn.Module,
    unet: nn.Module,
    config: BsLdmConfig,
    presets: Mapping[str, Preset],
    folder: Path,
    version: str,
    note: str,
) -> Path:
    """Writes both networks into `folder`, in place of the model there; returns the manifest's path."""
    files = {VQGAN_FILE: vqgan.state_dict(), UNET_FILE: unet.state_dict()}
    model = Installable(bs_ldm_config.ARCHITECTURE, config.to_json(), presets, files)
    return write_model(model, folder, version=version, note=note, replace=True).folder / FILE_NAME
