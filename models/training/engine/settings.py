"""How long, how fast and in what precision the engine trains: the configuration's `[training]` and `[optimiser]`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.errors import ConfigError
from models.json_fields import JsonFields


class Schedule(StrEnum):
    """How the learning rate falls after the warm-up."""

    COSINE = "cosine"  # half a cosine, down to a hundredth
    MULTISTEP = "multistep"  # times `factor` at each milestone
    CONSTANT = "constant"


class Precision(StrEnum):
    """What the networks compute in; weights, sums and the optimiser are always float32."""

    AUTO = "auto"  # bfloat16 on CUDA, else float32
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"  # on CPUs with AVX-512 BF16 or AMX twice as fast, elsewhere slower


@dataclass(frozen=True)
class OptimiserSettings:
    """AdamW, schedule and averaging of one network."""

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-4
    schedule: Schedule = Schedule.COSINE
    warm_up: int = 300
    """Steps of linear rise."""
    milestones: tuple[float, ...] = (0.5, 0.75)
    """Shares of the training, for `multistep`."""
    factor: float = 0.1
    averaging: float = 0.999
    """Decay of the exponential average of the weights, which is what is judged and exported."""
    clip: float = 1.0
    """Largest norm of the gradient."""


@dataclass(frozen=True)
class EngineSettings:
    """One training."""

    steps: int
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    optimisers: Mapping[str, OptimiserSettings] = field(default_factory=dict)
    """Network name → its own settings, where they differ."""
    micro_batch: int = 0
    """Images computed at a time, their gradients added up to the batch's; 0: the whole batch."""
    save_every: int = 500
    precision: Precision = Precision.AUTO
    seed: int = 0

    def of(self, network: str) -> OptimiserSettings:
        """The optimiser's settings for a network."""
        return self.optimisers.get(network, self.optimiser)


def rate(step: int, steps: int, settings: OptimiserSettings) -> float:
    """Share of the learning rate at `step` of `steps`."""
    warm = min(1.0, (step + 1) / max(1, settings.warm_up))
    through = min(1.0, step / max(1, steps))
    match settings.schedule:
        case Schedule.COSINE:
            share = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * through))
        case Schedule.MULTISTEP:
            share = settings.factor ** sum(through >= milestone for milestone in settings.milestones)
        case Schedule.CONSTANT:
            share = 1.0
    return warm * share


def engine_settings(training: JsonFields, optimiser: JsonFields, seed: int) -> EngineSettings:
    """From the configuration's tables; `[optimiser.NAME]` overrides fields for one network. Raises ConfigError."""
    tables = {name: optimiser.nested(name) for name in optimiser.objects()}
    shared = _optimiser(optimiser, OptimiserSettings())
    return EngineSettings(
        steps=training.integer("steps", low=1, high=100_000_000),
        optimiser=shared,
        optimisers={name: _optimiser(table, shared) for name, table in tables.items()},
        micro_batch=training.integer("micro_batch", 0, low=0, high=4096),
        save_every=training.integer("save_every", 500, low=1, high=1_000_000),
        precision=Precision(training.choice("precision", tuple(Precision), Precision.AUTO)),
        seed=seed,
    )


def _optimiser(fields: JsonFields, default: OptimiserSettings) -> OptimiserSettings:
    settings = OptimiserSettings(
        learning_rate=fields.number("learning_rate", default.learning_rate, low=1e-9, high=10.0),
        betas=_pair(fields, default.betas),
        weight_decay=fields.number("weight_decay", default.weight_decay, low=0.0, high=10.0),
        schedule=Schedule(fields.choice("schedule", tuple(Schedule), default.schedule)),
        warm_up=fields.integer("warm_up", default.warm_up, low=0, high=10_000_000),
        milestones=fields.numbers("milestones", default.milestones, low=0.0, high=1.0),
        factor=fields.number("factor", default.factor, low=0.0, high=1.0),
        averaging=fields.number("averaging", default.averaging, low=0.0, high=0.999999),
        clip=fields.number("clip", default.clip, low=1e-6, high=1e6),
    )
    fields.finish()
    return settings


def _pair(fields: JsonFields, default: tuple[float, float]) -> tuple[float, float]:
    betas = fields.numbers("betas", default, low=0.0, high=0.999999)
    if len(betas) != 2:
        raise ConfigError(f"{fields.where}: field 'betas' must be two numbers, found {len(betas)}")
    return betas[0], betas[1]
