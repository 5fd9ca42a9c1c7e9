"""A training's configuration, read strictly: which data, how long, how fast, and the kind's own table.

seed = 1
[data]       pairs = "DIR"  image_size = 512  side = 256  …
[training]   steps = 10000  device = "auto"  …
[optimiser]  learning_rate = 1e-3  …      [optimiser.NETWORK] overrides it for one network
[KIND]       what `models.training.objectives` reads
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.batches import Mixture
from models.training.engine.settings import EngineSettings, engine_settings
from models.training.toml_text import Table, read_toml, with_overrides

SHIPPED = Path(__file__).parent / "configs"
PATHS = (("data", "pairs"), ("data", "radiographs"), ("data", "projections"))
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class DataSettings:
    """What a training sees."""

    pairs: Path
    """A folder as `softray data prepare` writes it."""
    ratios: tuple[float, float, float]
    """Train, validation, test; for folders whose split is not recorded."""
    radiographs: Path | None
    """Unpaired radiographs, for autoencoders; None: those of the pairs."""
    projections: Path | None
    """CT projections made by `softray train project`."""
    phantoms: int
    """Phantoms rendered for their bone, which is known exactly: beside the projections, or instead of them."""
    image_size: int
    side: int
    mixture: Mixture
    augment: bool


@dataclass(frozen=True)
class RunConfig:
    """One training."""

    kind: str
    seed: int
    device: str
    data: DataSettings
    engine: EngineSettings
    table: Table
    """All of it, as it is written into the run folder."""

    @property
    def own(self) -> JsonFields:
        """The kind's own table, unread."""
        return JsonFields(self.table, "config").nested_or_empty(self.kind)


def load_config(kind: str, config: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration in a file, or shipped under that name, with overrides put in. Raises ConfigError."""
    return parse_config(kind, with_overrides(read_toml(find_config(config)), overrides))


def find_config(config: Path) -> Path:
    """The file itself, or the shipped configuration of that name. Raises ConfigError."""
    shipped = SHIPPED / f"{config.name.removesuffix('.toml')}.toml"
    if config.is_file():
        return config
    if config.name == str(config) and shipped.is_file():
        return shipped
    names = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.toml")))
    raise ConfigError(f"expected a configuration file or one of the shipped ones ({names}), found no {str(config)!r}")


def parse_config(kind: str, table: Table) -> RunConfig:
    """Raises ConfigError. Paths become absolute, so that a run folder works from anywhere."""
    table = _with_absolute_paths(table)
    fields = JsonFields(table, "config")
    training = fields.nested("training")
    seed = fields.integer("seed", 0, low=0, high=1_000_000)
    device = training.choice("device", DEVICES, "auto")
    engine = engine_settings(training, fields.nested_or_empty("optimiser"), seed)
    training.finish()
    data = _data_settings(fields.nested("data"))
    if fields.has(kind):
        fields.nested(kind)
    fields.finish()
    return RunConfig(kind, seed, device, data, engine, table)


def _data_settings(fields: JsonFields) -> DataSettings:
    if not fields.has("pairs"):
        raise ConfigError('expected a folder of pairs, found none: say --pairs DIR, or pairs = "DIR" under [data]')
    ratios = fields.numbers("ratios", (0.8, 0.1, 0.1), low=0.0, high=1e9)
    if len(ratios) != 3:
        raise ConfigError(f"{fields.where}: field 'ratios' must be train, validation and test, found {len(ratios)}")
    image_size = fields.integer("image_size", 512, low=32, high=4096)
    projections = _path(fields, "projections")
    phantoms = fields.integer("phantoms", 0, low=0, high=10_000)
    settings = DataSettings(
        pairs=Path(fields.text("pairs")),
        ratios=(ratios[0], ratios[1], ratios[2]),
        radiographs=_path(fields, "radiographs"),
        projections=projections,
        phantoms=phantoms,
        image_size=image_size,
        side=fields.integer("side", min(256, image_size), low=16, high=image_size),
        mixture=_mixture(fields.nested_or_empty("mixture"), with_bone=projections is not None or phantoms > 0),
        augment=fields.boolean("augment", True),
    )
    fields.finish()
    if not settings.augment and settings.mixture.pairs != settings.mixture.total:
        raise ConfigError("without augmentation only pairs can be drawn: leave projections and phantoms out of [data]")
    return settings


def _mixture(fields: JsonFields, *, with_bone: bool) -> Mixture:
    """Images of a batch by origin. Without exactly known bone all of them are pairs: the batch keeps its size."""
    mixture = Mixture(
        pairs=fields.integer("pairs", 4, low=0, high=4096),
        projections=fields.integer("projections", 0, low=0, high=4096),
        overlays=fields.integer("overlays", 0, low=0, high=4096),
        differences=fields.integer("differences", 0, low=0, high=4096),
    )
    fields.finish()
    if mixture.total < 1:
        raise ConfigError(f"{fields.where}: a batch needs one image or more")
    return mixture if with_bone else Mixture(pairs=mixture.total, projections=0, overlays=0, differences=0)


def _path(fields: JsonFields, name: str) -> Path | None:
    text = fields.text(name, "")
    return Path(text) if text else None


def _with_absolute_paths(table: Table) -> Table:
    result = with_overrides(table, ())
    for section, name in PATHS:
        inner = result.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(name), str) and inner[name]:
            inner[name] = str(Path(inner[name]).expanduser().absolute())
    return result
