"""The training loop, over any objective: accumulation, mixed precision, checkpoints that resume to the bit.

A step depends on the configuration, the seed and its own number alone, so that a training that was interrupted ends
with the weights of one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from models.training.engine.checkpoints import Checkpoint, read_checkpoint, require_networks, write_checkpoint
from models.training.engine.learner import Learner
from models.training.engine.memory import is_out_of_memory, release
from models.training.engine.objective import Objective
from models.training.engine.parts import images_in, in_parts, on_device
from models.training.engine.prefetch import drawn_ahead
from models.training.engine.settings import EngineSettings, Precision
from models.training.errors import TrainingError, TrainingFault

BatchT = TypeVar("BatchT")
Terms = Mapping[str, float]
OnStep = Callable[[int, Terms], None]
"""Called after each step with its number (from 1) and the loss terms, `network/term` → value."""
DRAWING_THREADS = 2


class Trainer:
    """Networks under way; `step` steps are done."""

    def __init__(
        self, networks: Mapping[str, nn.Module], settings: EngineSettings, checkpoint: Path, device: torch.device
    ) -> None:
        self.settings = settings
        self.checkpoint = checkpoint
        self.device = device
        self.step = 0
        self.micro_batch = settings.micro_batch
        self.learners = {
            name: Learner(name, network.to(device), settings.of(name), settings.steps)
            for name, network in networks.items()
        }
        if unknown := sorted(set(settings.optimisers) - set(self.learners)):
            raise TrainingError(
                TrainingFault.CHECKPOINT_MISMATCH,
                f"optimiser settings are for networks {', '.join(self.learners)}, found {', '.join(unknown)}",
            )
        self._halved = False

    @property
    def averaged(self) -> dict[str, nn.Module]:
        """The averaged networks, in evaluation mode."""
        return {name: learner.averaged for name, learner in self.learners.items()}

    def resume(self) -> bool:
        """Go on from the checkpoint; False when there is none. Raises TrainingError when it is not of this training."""
        if not self.checkpoint.is_file():
            return False
        found = read_checkpoint(self.checkpoint)
        require_networks(found.learners, list(self.learners), self.checkpoint)
        for name, learner in self.learners.items():
            learner.load(found.learners[name])
        self.step, self.micro_batch = found.step, found.micro_batch
        return True

    def save(self) -> None:
        """Write the checkpoint."""
        learners = {name: learner.state() for name, learner in self.learners.items()}
        write_checkpoint(Checkpoint(self.step, self.micro_batch, learners), self.checkpoint)  # type: ignore[arg-type]

    def run(self, objective: Objective[BatchT], on_step: OnStep, until: int = 0) -> None:
        """Train to step `until` (0 = the settings' last). Raises TrainingError (not finite, out of memory)."""
        for learner in self.learners.values():
            learner.network.train()
        last = until or self.settings.steps
        workers = DRAWING_THREADS if self.device.type == "cuda" else 0
        batches = drawn_ahead(objective.draw, range(self.step, last), workers)
        for batch in batches:
            torch.manual_seed(self.settings.seed * 1_000_003 + self.step)  # for dropout alone: batches are drawn
            objective.before_step(self.step)
            terms: dict[str, float] = {}
            for name in self.learners:
                terms.update(self._update(name, objective, batch))
            self.step += 1
            on_step(self.step, terms)
            if self.step % self.settings.save_every == 0 or self.step == last:
                self.save()

    def _update(self, name: str, objective: Objective[BatchT], batch: BatchT) -> Terms:
        before = self._buffers()
        try:
            terms = self._accumulate(name, objective, batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._halve(images_in(batch), error)
            terms = None
        if terms is None:  # outside the handler: the failed attempt's tensors are let go of first
            release(self.device)
            self._restore(before)
            try:
                terms = self._accumulate(name, objective, batch)
            except (RuntimeError, MemoryError) as error:
                if is_out_of_memory(error):
                    self._halve(images_in(batch), error)
                raise
        self.learners[name].update(self.step)
        return terms

    def _accumulate(self, name: str, objective: Objective[BatchT], batch: BatchT) -> Terms:
        """Gradients of the whole batch, a micro-batch at a time."""
        for other, learner in self.learners.items():
            learner.freeze(other != name)
            learner.clear()
        totals: dict[str, float] = {}
        for part, share in in_parts(batch, self.micro_batch):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
                losses = objective.losses(name, on_device(part, self.device), self.step)
            values = self._finite(name, losses)
            loss: Tensor = torch.stack([term.float() for term in losses.values()]).sum()
            (loss * share).backward()  # type: ignore[no-untyped-call]
            for term, value in values.items():
                totals[term] = totals.get(term, 0.0) + share * value
        return totals

    def _finite(self, name: str, losses: Mapping[str, Tensor]) -> dict[str, float]:
        values = torch.stack([term.detach().float() for term in losses.values()]).tolist()  # one wait for the device
        named = {f"{name}/{term}": float(value) for term, value in zip(losses, values, strict=True)}
        for term, value in named.items():
            if value - value != 0:  # NaN and both infinities
                raise TrainingError(
                    TrainingFault.LOSS_NOT_FINITE,
                    f"step {self.step}: expected finite losses, found {term} = {value}; lower the learning rate or "
                    f"train in float32. The last checkpoint ({self.checkpoint.name}) is untouched",
                )
        return named

    def _halve(self, images: int, error: BaseException) -> None:
        """Half as many images at a time from now on; raises TrainingError when that was already done or cannot be."""
        tried = min(self.micro_batch or images, images)
        if self._halved or tried < 2:
            raise TrainingError(
                TrainingFault.OUT_OF_MEMORY,
                f"step {self.step}: out of memory with {tried} image(s) at a time"
                f"{', after halving once' if self._halved else ''}; set training.micro_batch or data.side lower",
            ) from error
        self._halved = True
        self.micro_batch = (tried + 1) // 2

    @property
    def _bfloat16(self) -> bool:
        if self.settings.precision is Precision.AUTO:
            return self.device.type == "cuda"
        return self.settings.precision is Precision.BFLOAT16

    def _buffers(self) -> list[tuple[Tensor, Tensor]]:
        """What a forward pass moves besides gradients: codebooks and running statistics, with copies of them."""
        kept: list[tuple[Tensor, Tensor]] = []
        for learner in self.learners.values():
            still = [parameter.data for parameter in learner.untrained]
            kept += [(tensor, tensor.clone()) for tensor in (*learner.network.buffers(), *still)]
        return kept

    @staticmethod
    @torch.no_grad()
    def _restore(kept: list[tuple[Tensor, Tensor]]) -> None:
        for tensor, copy in kept:
            tensor.copy_(copy)
