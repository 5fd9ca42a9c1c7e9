"""`parity.json` beside the weights: whether `fast` was shown to give what `reference` gives, with these weights.

Imported weights were trained for every timestep; nobody has shown what ten steps make of them. So their few-step
presets are refused until `softray models parity` has compared and recorded it. Own models come with their figures.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.manifest import FEW_STEP_SAMPLERS, Manifest, Preset
from models.parity import Parity

FILE_NAME = "parity.json"
FORMAT = 1
_LARGEST = 1e9


@dataclass(frozen=True)
class ParityRecord:
    """What was compared with what, and what came out."""

    model_sha256: str
    fast: Preset
    reference: Preset
    images: str
    """`phantom`, or the digest of a prepared folder of pairs."""
    image_count: int
    seeds: tuple[int, ...]
    device: str
    parity: Parity

    @property
    def passed(self) -> bool:
        """The verdict."""
        return self.parity.passed


def require_parity(manifest: Manifest, plan: Preset) -> None:
    """Raises ConfigError when `plan` takes few steps with imported weights that no passing record vouches for."""
    if not manifest.sources or plan.sampler not in FEW_STEP_SAMPLERS:
        return
    what = f"model {manifest.name!r}: {plan.steps} steps of {plan.sampler} with imported weights"
    instead = "or set SOFTRAY_PRESET=reference"
    record = read_parity(manifest.folder)
    if record is None or (record.model_sha256, record.fast) != (manifest.sha256, plan):
        raise ConfigError(
            f"{what} need a comparison with the reference, found none: run softray models parity {manifest.name}, "
            f"{instead}",
            code="PARITY_NOT_SHOWN",
        )
    if not record.passed:
        raise ConfigError(
            f"{what} were compared with the reference and differ too much "
            f"(PSNR drop {record.parity.psnr_drop_db:.2f} dB, detail energy of the image "
            f"{record.parity.soft_energy_change:+.1%}, of the residual {record.parity.residual_energy_change:+.1%}): "
            f"try more SOFTRAY_STEPS with softray models parity {manifest.name}, {instead}",
            code="PARITY_FAILED",
        )


def read_parity(folder: Path) -> ParityRecord | None:
    """The record in a model's folder; None where there is none. Raises ConfigError when it is not as it should be."""
    path = folder / FILE_NAME
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no readable record ({type(error).__name__}); run softray models parity") from error
    fields = JsonFields(value, str(path))
    fields.integer("format", low=FORMAT, high=FORMAT)
    figures = fields.nested("parity")
    record = ParityRecord(
        model_sha256=fields.text("model_sha256"),
        fast=_plan(fields.nested("fast")),
        reference=_plan(fields.nested("reference")),
        images=fields.text("images"),
        image_count=fields.integer("image_count", low=1, high=10**6),
        seeds=fields.integers("seeds", low=0, high=2**63 - 1),
        device=fields.text("device"),
        parity=Parity(
            **{name: figures.number(name, low=-_LARGEST, high=_LARGEST) for name in Parity.__dataclass_fields__}
        ),
    )
    figures.finish()
    fields.boolean("passed")  # for people; the figures decide
    fields.finish()
    return record


def write_parity(record: ParityRecord, folder: Path) -> Path:
    """Writes the record into a model's folder; returns its path."""
    path = folder / FILE_NAME
    value = {"format": FORMAT, "passed": record.passed, **asdict(record)}
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    return path


def _plan(fields: JsonFields) -> Preset:
    plan = Preset(
        fields.text("sampler"),
        fields.integer("steps", low=1, high=1000),
        fields.integer("start_timestep", low=0, high=999),
    )
    fields.finish()
    return plan
