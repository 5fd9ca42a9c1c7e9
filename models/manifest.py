"""The manifest of an installed model: `manifest.json` beside its safetensors files, read strictly.

It says what the model is, which files belong to it with their SHA-256, and how it may be run. The model's own digest,
which provenance and UIDs carry, is made of the architecture, the configuration and the files' digests, so that it
changes with everything that can change a result and with nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ConfigError, WeightsError, WeightsFault
from models.json_fields import JsonFields

FILE_NAME = "manifest.json"
FORMAT = 1
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FEW_STEP_SAMPLERS = ("dpm-solver++2m", "sde-dpm-solver++2m")
SAMPLERS = ("ddpm", *FEW_STEP_SAMPLERS, "one-pass", "x0-feedback")
PRESET_NAMES = ("fast", "reference", "compat")


@dataclass(frozen=True)
class Preset:
    """One way to run a model."""

    sampler: str
    """One of SAMPLERS."""
    steps: int
    """Network evaluations per image."""
    start_timestep: int = 999
    """Where sampling begins; 0 for `one-pass`."""


ONE_PASS = Preset("one-pass", 1, 0)
"""The only way to run a network that does not sample."""


@dataclass(frozen=True)
class GoldenRecord:
    """The recorded self-check: file name, its SHA-256, and the preset and steps that it was made with."""

    file: str
    sha256: str
    preset: str
    steps: int


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says. `folder` is where it lies."""

    name: str
    version: str
    architecture: str
    config: Mapping[str, object]
    """The method's own configuration; its folder's `config` module reads it strictly."""
    presets: Mapping[str, Preset]
    files: Mapping[str, str]
    """Weight file name → SHA-256 (lower-case hex)."""
    licence: str
    training: str
    """One paragraph: data, recipe, figures."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """For imported weights: original file name → SHA-256."""
    golden: GoldenRecord | None = None
    folder: Path = Path()

    @property
    def sha256(self) -> str:
        """Digest over architecture, configuration and file digests."""
        subject = {"architecture": self.architecture, "config": self.config, "files": dict(self.files)}
        return hashlib.sha256(json.dumps(subject, sort_keys=True).encode()).hexdigest()

    def file(self, name: str) -> tuple[Path, str]:
        """(path, expected SHA-256) of a weight file. Raises WeightsError when the manifest does not list it."""
        if name not in self.files:
            raise WeightsError(WeightsFault.MISSING, f"model {self.name!r}: its manifest lists no file {name!r}")
        return self.folder / name, self.files[name]

    def preset(self, name: str, steps: int = 0) -> Preset:
        """The preset by name, with its number of steps replaced unless `steps` is 0. Raises ConfigError."""
        if name not in self.presets:
            raise ConfigError(f"model {self.name!r}: preset must be one of {', '.join(self.presets)}, found {name!r}")
        preset = self.presets[name]
        if steps in (0, preset.steps):
            return preset
        if preset.sampler not in FEW_STEP_SAMPLERS or not 1 <= steps <= preset.start_timestep:
            raise ConfigError(f"model {self.name!r}: preset {name!r} ({preset.sampler}) cannot run in {steps} steps")
        return Preset(preset.sampler, steps, preset.start_timestep)


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises WeightsError when there is none, ConfigError when it is not as it should be."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(WeightsFault.MISSING, f"{path}: no readable manifest ({type(error).__name__})") from error
    try:
        value: object = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON ({error})") from error
    manifest = manifest_from_json(value, folder)
    if manifest.name != folder.name:
        raise ConfigError(f"{path}: expected the name of its folder, {folder.name!r}, found {manifest.name!r}")
    return manifest


def manifest_from_json(value: object, folder: Path) -> Manifest:
    """A manifest from parsed JSON. Raises ConfigError."""
    fields = JsonFields(value, f"manifest of {folder.name!r}")
    fields.integer("format", low=FORMAT, high=FORMAT)
    manifest = Manifest(
        name=_matching(fields, "name", NAME_PATTERN),
        version=fields.text("version"),
        architecture=fields.text("architecture"),
        config=fields.nested("config").as_mapping(),
        presets=_presets(fields.nested("presets")),
        files=_digests(fields.nested("files")),
        licence=fields.text("licence"),
        training=fields.text("training"),
        sources=_digests(fields.nested("sources")) if fields.has("sources") else {},
        golden=_golden(fields.nested("golden")) if fields.has("golden") else None,
        folder=folder,
    )
    fields.finish()
    if not manifest.files:
        raise ConfigError(f"{fields.where}: files must not be empty")
    return manifest


def write_manifest(manifest: Manifest) -> Path:
    """Writes `manifest.json` into the manifest's folder, which must exist; returns its path."""
    value: dict[str, object] = {
        "format": FORMAT,
        "name": manifest.name,
        "version": manifest.version,
        "architecture": manifest.architecture,
        "config": dict(manifest.config),
        "presets": {name: vars(preset) for name, preset in manifest.presets.items()},
        "files": dict(manifest.files),
        "licence": manifest.licence,
        "training": manifest.training,
    }
    if manifest.sources:
        value["sources"] = dict(manifest.sources)
    if manifest.golden is not None:
        value["golden"] = vars(manifest.golden)
    manifest_from_json(json.loads(json.dumps(value)), manifest.folder)  # never write what cannot be read back
    path = manifest.folder / FILE_NAME
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _presets(fields: JsonFields) -> dict[str, Preset]:
    presets: dict[str, Preset] = {}
    for name in fields.names():
        if name not in PRESET_NAMES:
            raise ConfigError(f"{fields.where}: presets are {', '.join(PRESET_NAMES)}, found {name!r}")
        one = fields.nested(name)
        presets[name] = Preset(
            sampler=one.choice("sampler", SAMPLERS),
            steps=one.integer("steps", low=1, high=1000),
            start_timestep=one.integer("start_timestep", 999, low=0, high=999),
        )
        one.finish()
    if "fast" not in presets:
        raise ConfigError(f"{fields.where}: a preset 'fast' is needed")
    return presets


def _digests(fields: JsonFields) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in fields.names():
        _check_file_name(name, fields.where)
        found[name] = _matching(fields, name, re.compile(r"[0-9a-f]{64}"))
    return found


def _golden(fields: JsonFields) -> GoldenRecord:
    record = GoldenRecord(
        file=fields.text("file"),
        sha256=_matching(fields, "sha256", re.compile(r"[0-9a-f]{64}")),
        preset=fields.choice("preset", PRESET_NAMES),
        steps=fields.integer("steps", low=1, high=1000),
    )
    fields.finish()
    _check_file_name(record.file, fields.where)
    return record


def _matching(fields: JsonFields, name: str, pattern: re.Pattern[str]) -> str:
    value = fields.text(name)
    if not pattern.fullmatch(value):
        raise ConfigError(f"{fields.where}: field {name!r} must match {pattern.pattern}, found {value!r}")
    return value


def _check_file_name(name: str, where: str) -> None:
    """A manifest must not reach outside its folder."""
    if not name or Path(name).name != name or "\\" in name or name in (".", ".."):
        raise ConfigError(f"{where}: file names must be plain, found {name!r}")
