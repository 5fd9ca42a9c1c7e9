"""From averaged weights to an installed model: fp16 safetensors and the manifest beside them."""

from __future__ import annotations

import shutil
from pathlib import Path

from models.checkpoint import save_tensors
from models.errors import ConfigError, WeightsError, WeightsFault
from models.manifest import NAME_PATTERN, Manifest, read_manifest, write_manifest
from models.training.engine.objective import Installable

LICENCE = "MIT"


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
