"""`pairs.json`, what `softray data prepare` records about a folder of pairs (format 1), written and strictly read.

It holds no patient data: patients are pseudonyms, sources are digests of file contents, and there is no time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.pairs.errors import PairDataError, PairFault
from models.pairs.split import Ratios, Split

FILE_NAME = "pairs.json"
FORMAT = 1


@dataclass(frozen=True)
class PairRecord:
    """One pair. Digests are SHA-256, lower-case hex."""

    patient: str
    split: Split
    cxr_source: str
    """Of the file that the radiograph was read from; `soft_source` likewise."""
    soft_source: str
    cxr_png: str
    """Of the PNG beside this file; `soft_png` likewise."""
    soft_png: str
    cxr_turned: bool
    """Whether bone was dark in the source; `soft_turned` likewise."""
    soft_turned: bool
    shift_x: float
    """What was done to the soft-tissue image, pixels of the prepared pair: positive moves its content right …"""
    shift_y: float
    """… and down."""
    rotation: float
    """About the centre, degrees, positive clockwise as seen."""
    scale: float
    """Above 1 enlarges."""
    match_before: float
    """Correlation of the two images' detail as they came; `match_after` after registration."""
    match_after: float


@dataclass(frozen=True)
class PairsFile:
    """The whole file."""

    seed: int
    ratios: Ratios
    settings: Mapping[str, object]
    """The options that shaped the pixels: size, CLAHE, registration."""
    refused: Mapping[str, int]
    """Reason code → how many pairs were refused for it."""
    pairs: Mapping[str, PairRecord]
    """By name."""
    digest: str = ""
    """Of the prepared data, `pairs_digest`."""


def pairs_digest(pairs: Mapping[str, tuple[str, Split, str, str]]) -> str:
    """SHA-256 over name → (patient, split, digest of the radiograph's file, digest of the soft-tissue image's file)."""
    lines = [[name, patient, str(split), cxr, soft] for name, (patient, split, cxr, soft) in sorted(pairs.items())]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def write_pairs_file(folder: Path, contents: PairsFile) -> None:
    """Write `pairs.json` into `folder`; equal contents give equal bytes."""
    pairs = {name: {**vars(record), "split": str(record.split)} for name, record in sorted(contents.pairs.items())}
    value = {
        "format": FORMAT,
        "seed": contents.seed,
        "ratios": dict(zip(Split, contents.ratios, strict=True)),
        "settings": dict(contents.settings),
        "digest": contents.digest,
        "refused": dict(sorted(contents.refused.items())),
        "pairs": pairs,
    }
    (folder / FILE_NAME).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_pairs_file(folder: Path) -> PairsFile:
    """The record in `folder`. Raises PairDataError (PAIRS_FILE_INVALID) when it is not as it was written."""
    try:
        value: object = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return _from_json(JsonFields(value, FILE_NAME))
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        reason = str(error) if isinstance(error, ConfigError) else f"{FILE_NAME}: {type(error).__name__}"
        raise PairDataError(
            PairFault.PAIRS_FILE_INVALID, f"expected {FILE_NAME} as softray data prepare writes it, found {reason}"
        ) from error


def _from_json(fields: JsonFields) -> PairsFile:
    fields.integer("format", low=FORMAT, high=FORMAT)
    entries, counts = fields.nested("pairs"), fields.nested("refused")
    contents = PairsFile(
        seed=fields.integer("seed", low=0, high=2**63 - 1),
        ratios=_ratios(fields.nested("ratios")),
        settings=fields.nested("settings").as_mapping(),
        digest=fields.text("digest"),
        refused={code: counts.integer(code, low=1, high=2**31) for code in counts.names()},
        pairs={name: _record(entries.nested(name)) for name in entries.names()},
    )
    fields.finish()
    return contents


def _ratios(fields: JsonFields) -> Ratios:
    train, validation, test = (fields.number(split, low=0.0, high=float("inf")) for split in Split)
    fields.finish()
    return train, validation, test


def _record(fields: JsonFields) -> PairRecord:
    record = PairRecord(
        patient=fields.text("patient"),
        split=Split(fields.choice("split", tuple(Split))),
        cxr_source=fields.text("cxr_source"),
        soft_source=fields.text("soft_source"),
        cxr_png=fields.text("cxr_png"),
        soft_png=fields.text("soft_png"),
        cxr_turned=fields.boolean("cxr_turned"),
        soft_turned=fields.boolean("soft_turned"),
        shift_x=fields.number("shift_x", low=-1e6, high=1e6),
        shift_y=fields.number("shift_y", low=-1e6, high=1e6),
        rotation=fields.number("rotation", low=-180, high=180),
        scale=fields.number("scale", low=0.01, high=100),
        match_before=fields.number("match_before", low=-1, high=1),
        match_after=fields.number("match_after", low=-1, high=1),
    )
    fields.finish()
    return record
