"""The training loop: warm-up and cosine decay, averaged weights, checkpoints that resume to the bit."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast."""

    steps: int
    learning_rate: float = 1e-3
    warm_up: int = 300
    averaging: float = 0.999
    """Decay of the exponential average of the weights, which is what is exported."""
    weight_decay: float = 1e-4
    clip: float = 1.0
    save_every: int = 500
    bfloat16: bool = False
    """Convolutions in bfloat16: twice as fast on CPUs that know it; weights and sums stay float32."""


class Training:
    """One network under way: `network` learns, `averaged` is what evaluation and export use."""

    def __init__(self, network: nn.Module, settings: LoopSettings, checkpoint: Path) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(network).requires_grad_(False).eval()
        self.settings = settings
        self.checkpoint = checkpoint
        learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(learnt, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.step = 0

    def resume(self) -> bool:
        """Go on from the checkpoint; False when there is none."""
        if not self.checkpoint.is_file():
            return False
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        return True

    def save(self) -> None:
        """Write the checkpoint in one piece: an interrupted write leaves the one before."""
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def run(
        self, loss_of: Callable[[nn.Module, int], Tensor], on_step: Callable[[int, float], None], until: int = 0
    ) -> None:
        """Train to `until` (0 = the settings' last step); `loss_of(network, step)` draws its own batch."""
        self.network.train()
        last = until or self.settings.steps
        while self.step < last:
            for group in self.optimiser.param_groups:
                group["lr"] = self.settings.learning_rate * rate(self.step, self.settings)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.settings.bfloat16):
                loss = loss_of(self.network, self.step)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
            self.optimiser.step()
            self.step += 1
            self._average()
            on_step(self.step, float(loss.detach()))
            if self.step % self.settings.save_every == 0 or self.step == last:
                self.save()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.settings.averaging, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, buffer in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            kept.copy_(buffer)


def averaged_weights(checkpoint: Path) -> dict[str, Tensor]:
    """The averaged weights in a checkpoint, as a state dict."""
    state: dict[str, dict[str, Tensor]] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state["averaged"]


def rate(step: int, settings: LoopSettings) -> float:
    """Share of the learning rate at `step`: linear warm-up, then half a cosine down to a hundredth."""
    warm = min(1.0, (step + 1) / max(1, settings.warm_up))
    through = min(1.0, step / max(1, settings.steps))
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * through)))
