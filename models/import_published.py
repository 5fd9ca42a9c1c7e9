"""Published BS-LDM checkpoints → an installed model: safetensors and a manifest, executing nothing in the pickles.

The authors publish two whole pickled modules per model, `*-VQGAN.pth` and `ldm-final-*-myModel.pth`. Their sizes are
read off their tensors (`bs_ldm.shapes`), the networks are built at those sizes and every name and shape compared,
before anything is written.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from models.bs_ldm.config import ARCHITECTURE, BsLdmConfig, Condition
from models.bs_ldm.predict import UNET_FILE, VQGAN_FILE
from models.bs_ldm.presets import PRESETS
from models.bs_ldm.shapes import infer_unet, infer_vqgan
from models.bs_ldm.unet import AttentionOrder, UNet
from models.bs_ldm.vqgan import Vqgan
from models.checkpoint import file_sha256, network_from_state, save_tensors
from models.errors import ConfigError, WeightsError, WeightsFault
from models.manifest import NAME_PATTERN, Manifest, read_manifest, write_manifest
from models.pickle_modules import read_module


@dataclass(frozen=True)
class PublishedModel:
    """What the operator says of the files to import."""

    name: str
    """The model's name from now on: lower-case letters, digits, dot, dash, underscore."""
    unet: Path
    vqgan: Path
    image_size: int = 1024
    """Side of the images that the model was trained on, pixels."""
    condition: Condition = Condition.CLEAN
    """How the radiograph's latent is fed; `clean` is what published inference does."""
    attention_order: AttentionOrder | None = None
    """Only for checkpoints that do not tell (bare state dicts)."""
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

    vqgan, unet = read_module(model.vqgan), read_module(model.unet)
    config = BsLdmConfig(
        image_size=model.image_size,
        condition=model.condition,
        unet=infer_unet(unet, model.attention_order),
        vqgan=infer_vqgan(vqgan),
    )
    network_from_state(lambda: Vqgan(config.vqgan), vqgan.state, vqgan.source)
    network_from_state(lambda: UNet(config.unet), unet.state, unet.source)

    weights_dir.mkdir(parents=True, exist_ok=True)
    # A name with a dot is never listed as a model, should this process end before the rename.
    with tempfile.TemporaryDirectory(dir=weights_dir, prefix=".importing-") as scratch:
        folder = Path(scratch) / model.name
        folder.mkdir()
        files = {
            VQGAN_FILE: save_tensors(vqgan.state, folder / VQGAN_FILE, torch.float32),
            UNET_FILE: save_tensors(unet.state, folder / UNET_FILE, torch.float32),
        }
        write_manifest(
            Manifest(
                name=model.name,
                version=model.version,
                architecture=ARCHITECTURE,
                config=config.to_json(),
                presets=PRESETS,
                files=files,
                licence=model.licence,
                training="imported from published checkpoints; see their authors' description",
                sources={path.name: file_sha256(path) for path in (model.vqgan, model.unet)},
                folder=folder,
            )
        )
        folder.rename(target)
    return read_manifest(target)
