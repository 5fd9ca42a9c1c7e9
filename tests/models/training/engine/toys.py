"""Small objectives whose losses are known: a regression, and a generator with a critic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.batches import generator_for
from models.training.engine.objective import Objective
from models.training.engine.settings import EngineSettings, OptimiserSettings
from models.training.engine.trainer import Trainer

SEED = 3
QUICK = OptimiserSettings(learning_rate=0.02, warm_up=2, averaging=0.9)


@dataclass(frozen=True)
class Points:
    """(N, 4) each."""

    given: Tensor
    wanted: Tensor


class Regression(Objective[Points]):
    """A straight line through points; dropout shows whether a step's random numbers are its own."""

    def __init__(self, dropout: float = 0.0) -> None:
        torch.manual_seed(SEED)
        self.network = nn.Sequential(nn.Linear(4, 4), nn.Dropout(dropout))

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"line": self.network}

    def draw(self, step: int) -> Points:
        given = torch.rand((6, 4), generator=generator_for(SEED, step))
        return Points(given, 0.5 - 2 * given)

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        error = self.network(batch.given).float() - batch.wanted
        return {"squared": error.square().mean(), "absolute": 0.1 * error.abs().mean()}


class Duel(Objective[Points]):
    """A generator that imitates points, a critic that tells them apart, and a buffer that counts updates."""

    def __init__(self) -> None:
        torch.manual_seed(SEED)
        self.generator, self.critic = nn.Linear(4, 4), nn.Linear(4, 1)
        self.generator.register_buffer("forward_passes", torch.zeros(()))
        self.seen: list[tuple[int, str, bool]] = []

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "critic": self.critic}

    def draw(self, step: int) -> Points:
        given = torch.rand((4, 4), generator=generator_for(SEED, step))
        return Points(given, given.square())

    def losses(self, name: str, batch: Points, step: int) -> Mapping[str, Tensor]:
        self.seen.append((step, name, self.generator.weight.requires_grad))
        made = self.generator(batch.given)
        if name == "generator":
            with torch.no_grad():
                self.generator.get_buffer("forward_passes").add_(1)
            return {"fooled": (self.critic(made) - 1).square().mean(), "near": (made - batch.wanted).abs().mean()}
        return {"apart": (self.critic(batch.wanted) - 1).square().mean() + self.critic(made).square().mean()}


def trainer_of(objective: Objective[Points], checkpoint: Path, settings: EngineSettings) -> Trainer:
    return Trainer(objective.networks, settings, checkpoint, torch.device("cpu"))


def short(steps: int = 8, micro_batch: int = 0) -> EngineSettings:
    return EngineSettings(steps, QUICK, micro_batch=micro_batch, save_every=4, seed=SEED)


def same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
