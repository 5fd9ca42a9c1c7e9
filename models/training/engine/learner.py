"""One network under way: its optimiser, its learning rate and the average of its weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from models.checkpoint import check_shapes
from models.errors import WeightsError
from models.training.engine.settings import OptimiserSettings, rate
from models.training.errors import TrainingError, TrainingFault


class Learner:
    """`network` learns, `averaged` is what is judged and exported."""

    def __init__(self, name: str, network: nn.Module, settings: OptimiserSettings, steps: int) -> None:
        self.name = name
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(network).requires_grad_(False).eval()
        self.settings = settings
        self._steps = steps
        self._learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.untrained = [parameter for parameter in network.parameters() if not parameter.requires_grad]
        """What the network itself moves, not the optimiser: codebooks."""
        self.optimiser = torch.optim.AdamW(
            self._learnt, lr=settings.learning_rate, betas=settings.betas, weight_decay=settings.weight_decay
        )

    def freeze(self, frozen: bool) -> None:
        """While another network is updated, this one gathers no gradient."""
        for parameter in self._learnt:
            parameter.requires_grad_(not frozen)

    def clear(self) -> None:
        """Forget the gradients."""
        self.optimiser.zero_grad(set_to_none=True)

    def update(self, step: int) -> None:
        """One step with the gradients gathered. Raises TrainingError when they are not finite; then nothing moves."""
        norm = nn.utils.clip_grad_norm_(self._learnt, self.settings.clip)
        if not bool(torch.isfinite(norm)):
            raise TrainingError(
                TrainingFault.LOSS_NOT_FINITE,
                f"step {step}: the gradient of network {self.name!r} has norm {float(norm)}; lower its learning rate "
                "or train in float32. The last checkpoint is untouched",
            )
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rate(step, self._steps, self.settings)
        self.optimiser.step()
        self._average(step + 1)

    @torch.no_grad()
    def _average(self, done: int) -> None:
        decay = min(self.settings.averaging, (1 + done) / (10 + done))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, buffer in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            kept.copy_(buffer)

    def state(self) -> dict[str, object]:
        """For a checkpoint."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Back to a checkpoint. Raises TrainingError when it is of another network."""
        expected = {name: tuple(tensor.shape) for name, tensor in self.network.state_dict().items()}
        for part in (self.network, self.averaged):
            tensors = cast(Mapping[str, Tensor], state["network" if part is self.network else "averaged"])
            try:
                check_shapes(expected, tensors, f"network {self.name!r}")
            except WeightsError as error:
                raise TrainingError(
                    TrainingFault.CHECKPOINT_MISMATCH, f"the checkpoint is of another network than configured: {error}"
                ) from error
            part.load_state_dict(tensors)
        self.optimiser.load_state_dict(cast("dict[str, object]", state["optimiser"]))
