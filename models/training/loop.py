"""The engine's front for a recipe of one network that draws its own batches: `models.training.residual_unet`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.engine.checkpoints import averaged_state
from models.training.engine.objective import Objective
from models.training.engine.settings import EngineSettings, OptimiserSettings, Precision
from models.training.engine.trainer import Trainer

NETWORK = "network"


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast; see `OptimiserSettings` and `EngineSettings`."""

    steps: int
    learning_rate: float = 1e-3
    warm_up: int = 300
    averaging: float = 0.999
    weight_decay: float = 1e-4
    clip: float = 1.0
    save_every: int = 500
    bfloat16: bool = False


class Training:
    """One network under way on the CPU: `network` learns, `averaged` is what evaluation and export use."""

    def __init__(self, network: nn.Module, settings: LoopSettings, checkpoint: Path) -> None:
        self.network = network
        optimiser = OptimiserSettings(
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warm_up=settings.warm_up,
            averaging=settings.averaging,
            clip=settings.clip,
        )
        precision = Precision.BFLOAT16 if settings.bfloat16 else Precision.FLOAT32
        engine = EngineSettings(settings.steps, optimiser, save_every=settings.save_every, precision=precision)
        self._trainer = Trainer({NETWORK: network}, engine, checkpoint, torch.device("cpu"))

    @property
    def averaged(self) -> nn.Module:
        """The average of the network's weights."""
        return self._trainer.averaged[NETWORK]

    @property
    def step(self) -> int:
        """Steps done."""
        return self._trainer.step

    def resume(self) -> bool:
        """Go on from the checkpoint; False when there is none."""
        return self._trainer.resume()

    def save(self) -> None:
        """Write the checkpoint."""
        self._trainer.save()

    def run(
        self, loss_of: Callable[[nn.Module, int], Tensor], on_step: Callable[[int, float], None], until: int = 0
    ) -> None:
        """Train to `until` (0 = the settings' last step); `loss_of(network, step)` draws its own batch."""
        objective = _Undrawn(self.network, loss_of)
        self._trainer.run(objective, lambda step, terms: on_step(step, sum(terms.values())), until)


class _Undrawn(Objective[None]):
    """A loss that draws its own batch."""

    def __init__(self, network: nn.Module, loss_of: Callable[[nn.Module, int], Tensor]) -> None:
        self._network, self._loss_of = network, loss_of

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {NETWORK: self._network}

    def draw(self, step: int) -> None:
        return None

    def losses(self, name: str, batch: None, step: int) -> Mapping[str, Tensor]:
        return {"loss": self._loss_of(self._network, step)}


def averaged_weights(checkpoint: Path) -> dict[str, Tensor]:
    """The averaged weights in a checkpoint, as a state dict."""
    return averaged_state(checkpoint, NETWORK)
