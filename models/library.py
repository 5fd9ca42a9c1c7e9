"""Which models are installed, and one of them loaded: what the worker and the command line call.

A weights folder holds one folder per model, with its `manifest.json`. The operator's folders come first, the models
that ship with softray (`BUILTIN_WEIGHTS_DIR`) are always searched last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from models.errors import ConfigError, WeightsError, WeightsFault
from models.json_fields import JsonFields
from models.manifest import FILE_NAME, Manifest, read_manifest
from models.parity_record import require_parity
from models.suppressor import Suppressor, resolve_device

BUILTIN_WEIGHTS_DIR = Path(__file__).parent / "weights"


def load(
    name: str = "", weights_dirs: Sequence[Path] = (), preset: str = "fast", steps: int = 0, device: str = "auto"
) -> Suppressor:
    """The model by name (empty: the shipped default), on its device, ready to run.

    `preset`: `fast`, `reference` or `compat`, as the model has them; `steps`: 0 for the preset's own; `device`: `auto`,
    `cpu` or `cuda`. Raises WeightsError (missing, altered, foreign weights), ConfigError (manifest, preset) or
    DeviceError.
    """
    return load_manifest(find(name, weights_dirs), preset, steps, device)


def load_manifest(
    manifest: Manifest, preset: str = "fast", steps: int = 0, device: str = "auto", *, unproven: bool = False
) -> Suppressor:
    """As `load`, for a manifest in hand.

    `unproven`: few steps of imported weights also run where nothing vouches for them (`parity_record`): for checks of
    the weights themselves, never for a result that anybody keeps.
    """
    target = resolve_device(device)
    if not unproven:
        require_parity(manifest, manifest.preset(preset, steps))
    match manifest.architecture:
        case "bs-ldm":
            from models.bs_ldm.predict import BsLdmSuppressor

            return BsLdmSuppressor.from_manifest(manifest, target, preset, steps)
        case "bs-diff":
            from models.bs_diff.predict import BsDiffSuppressor

            return BsDiffSuppressor.from_manifest(manifest, target, preset, steps)
        case "residual-unet":
            from models.residual_unet.predict import ResidualUNetSuppressor

            return ResidualUNetSuppressor.from_manifest(manifest, target, preset, steps)
        case "peer-gusarev" | "peer-resnet-bs" | "peer-mca-net":
            from models.peers.predict import PeerSuppressor

            return PeerSuppressor.from_manifest(manifest, target, preset, steps)
    raise ConfigError(f"model {manifest.name!r}: architecture {manifest.architecture!r} is not known to this version")


def find(name: str = "", weights_dirs: Sequence[Path] = ()) -> Manifest:
    """The manifest of a model by name (empty: the shipped default). Raises WeightsError when no folder has it."""
    wanted = name or default_model()
    for folder in model_folders(weights_dirs):
        if folder.name == wanted:
            return read_manifest(folder)
    known = ", ".join(dict.fromkeys(folder.name for folder in model_folders(weights_dirs))) or "none"
    raise WeightsError(WeightsFault.MISSING, f"expected an installed model {wanted!r}, found {known}")


def installed(weights_dirs: Sequence[Path] = ()) -> list[Manifest]:
    """All manifests, the operator's folders first; a later one of the same name is hidden by the earlier.

    Raises ConfigError or WeightsError when a manifest cannot be read: a broken model is not passed over in silence.
    """
    found: dict[str, Manifest] = {}
    for folder in model_folders(weights_dirs):
        if folder.name not in found:
            found[folder.name] = read_manifest(folder)
    return list(found.values())


def model_folders(weights_dirs: Sequence[Path] = ()) -> list[Path]:
    """Every folder that holds a manifest, read or not, in the order of search."""
    return [
        path.parent
        for folder in (*weights_dirs, BUILTIN_WEIGHTS_DIR)
        for path in sorted(folder.glob(f"[!.]*/{FILE_NAME}"))
    ]


def default_model() -> str:
    """The shipped default's name, from `weights/default.json`."""
    path = BUILTIN_WEIGHTS_DIR / "default.json"
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(WeightsFault.MISSING, f"{path}: cannot be read ({type(error).__name__})") from error
    fields = JsonFields(value, path.name)
    name = fields.text("model")
    fields.finish()
    return name
