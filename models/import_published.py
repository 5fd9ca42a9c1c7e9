"""Published checkpoints of BS-LDM or BS-Diff → an installed model: safetensors and a manifest, executing nothing.

The authors publish two pickled networks per model: a latent U-Net and an ML-VQGAN (BS-LDM), or a U-Net in pixels and an
enhancement autoencoder (BS-Diff). Which method it is, the names of the U-Net's tensors tell; the sizes are read off
their shapes. The networks are built at those sizes and every name and shape compared, before anything is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from models.bs_diff import config as bs_diff_config
from models.bs_diff.autoencoder import Autoencoder
from models.bs_diff.predict import AUTOENCODER_FILE
from models.bs_diff.predict import UNET_FILE as PIXEL_UNET_FILE
from models.bs_diff.presets import PRESETS as BS_DIFF_PRESETS
from models.bs_diff.shapes import infer_autoencoder, infer_pixel_unet
from models.bs_diff.unet import UNet as PixelUNet
from models.bs_ldm import config as bs_ldm_config
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.bs_ldm.presets import PRESETS as BS_LDM_PRESETS
from models.bs_ldm.shapes import infer_unet, infer_vqgan
from models.bs_ldm.unet import AttentionOrder, UNet
from models.bs_ldm.vqgan import Vqgan
from models.checkpoint import file_sha256, network_from_state, save_tensors
from models.errors import ConfigError, WeightsError, WeightsFault
from models.manifest import NAME_PATTERN, Manifest, Preset, read_manifest, write_manifest
from models.pickle_modules import ImportedModule, read_module

LATENT_UNET_MARK = "input_blocks.0.0.weight"
PIXEL_UNET_MARK = "conv_in.conv.weight"
ConditionT = TypeVar("ConditionT", bound=StrEnum)


@dataclass(frozen=True)
class PublishedModel:
    """What the operator says of the files to import."""

    name: str
    """The model's name from now on: lower-case letters, digits, dot, dash, underscore."""
    unet: Path
    autoencoder: Path
    """BS-LDM's ML-VQGAN or BS-Diff's enhancement autoencoder."""
    image_size: int = 0
    """Side of the images that the model was trained on, pixels; 0: as published (1024 and 256)."""
    condition: str = "clean"
    """How the radiograph is fed. `clean` is what published inference does; what the networks saw in training is
    `scaled` (BS-LDM) and `noised` (BS-Diff)."""
    attention_order: AttentionOrder | None = None
    """Only for BS-LDM's checkpoints that do not tell (bare state dicts)."""
    licence: str = "as published by the authors of the checkpoint"
    version: str = "1"


def import_published(model: PublishedModel, weights_dir: Path) -> Manifest:
    """Installs the checkpoints as `weights_dir/<name>`, which appears whole or not at all; returns its manifest.

    Raises WeightsError (missing, truncated, foreign, other names or shapes, name taken) or ConfigError.
    """
    if not NAME_PATTERN.fullmatch(model.name):
        raise ConfigError(f"a model's name must match {NAME_PATTERN.pattern}, found {model.name!r}")
    target = weights_dir / model.name
    if target.exists():
        raise WeightsError(WeightsFault.EXISTS, f"{target} exists; remove it or import under another name")
    found = _recognised(model, read_module(model.unet), read_module(model.autoencoder))

    weights_dir.mkdir(parents=True, exist_ok=True)
    # A name with a dot is never listed as a model, should this process end before the rename.
    with tempfile.TemporaryDirectory(dir=weights_dir, prefix=".importing-") as scratch:
        folder = Path(scratch) / model.name
        folder.mkdir()
        files = {name: save_tensors(state, folder / name, torch.float32) for name, state in found.states.items()}
        write_manifest(
            Manifest(
                name=model.name,
                version=model.version,
                architecture=found.architecture,
                config=found.config,
                presets=found.presets,
                files=files,
                licence=model.licence,
                training="imported from published checkpoints; see their authors' description",
                sources={path.name: file_sha256(path) for path in (model.autoencoder, model.unet)},
                folder=folder,
            )
        )
        folder.rename(target)
    return read_manifest(target)


@dataclass(frozen=True)
class _Method:
    """A published method, recognised and whole: what its manifest will say, and its weights by file."""

    architecture: str
    config: Mapping[str, object]
    presets: Mapping[str, Preset]
    states: Mapping[str, Mapping[str, Tensor]]


def _recognised(model: PublishedModel, unet: ImportedModule, autoencoder: ImportedModule) -> _Method:
    if LATENT_UNET_MARK in unet.state:
        return _bs_ldm(model, unet, autoencoder)
    if PIXEL_UNET_MARK in unet.state:
        return _bs_diff(model, unet, autoencoder)
    raise WeightsError(
        WeightsFault.FOREIGN,
        f"{unet.source}: expected the U-Net of BS-LDM or BS-Diff (a tensor {LATENT_UNET_MARK} or {PIXEL_UNET_MARK}), "
        f"found {len(unet.state)} tensors of another network",
    )


def _bs_ldm(model: PublishedModel, unet: ImportedModule, vqgan: ImportedModule) -> _Method:
    config = bs_ldm_config.BsLdmConfig(
        image_size=model.image_size or bs_ldm_config.BsLdmConfig.image_size,
        condition=_condition(model.condition, bs_ldm_config.Condition),
        unet=infer_unet(unet, model.attention_order),
        vqgan=infer_vqgan(vqgan),
    )
    network_from_state(lambda: Vqgan(config.vqgan), vqgan.state, vqgan.source)
    network_from_state(lambda: UNet(config.unet), unet.state, unet.source)
    states = {VQGAN_FILE: vqgan.state, UNET_FILE: unet.state}
    return _Method(bs_ldm_config.ARCHITECTURE, config.to_json(), BS_LDM_PRESETS, states)


def _bs_diff(model: PublishedModel, unet: ImportedModule, autoencoder: ImportedModule) -> _Method:
    config = bs_diff_config.BsDiffConfig(
        image_size=model.image_size or bs_diff_config.BsDiffConfig.image_size,
        condition=_condition(model.condition, bs_diff_config.Condition),
        unet=infer_pixel_unet(unet),
        autoencoder=infer_autoencoder(autoencoder),
    )
    network_from_state(lambda: PixelUNet(config.unet), unet.state, unet.source)
    network_from_state(lambda: Autoencoder(config.autoencoder), autoencoder.state, autoencoder.source)
    states = {AUTOENCODER_FILE: autoencoder.state, PIXEL_UNET_FILE: unet.state}
    return _Method(bs_diff_config.ARCHITECTURE, config.to_json(), BS_DIFF_PRESETS, states)


def _condition(asked: str, known: type[ConditionT]) -> ConditionT:
    try:
        return known(asked)
    except ValueError:
        raise ConfigError(f"condition must be one of {', '.join(known)} for this method, found {asked!r}") from None
