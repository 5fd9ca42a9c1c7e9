"""Checkpoints: written in one piece, read without executing anything in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from models.training.errors import TrainingError, TrainingFault

FORMAT = 2


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood after `step` steps."""

    step: int
    micro_batch: int
    learners: Mapping[str, Mapping[str, Mapping[str, object]]]
    """Network → `network`, `averaged`, `optimiser` → state."""


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """An interrupted write leaves the checkpoint before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({"format": FORMAT, **vars(checkpoint)}, partial)
    partial.replace(path)


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises TrainingError: no such file, or not a checkpoint of this trainer."""
    try:
        state: object = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(TrainingFault.RUN_MISSING, f"{path}: expected a checkpoint, found no file") from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise TrainingError(
            TrainingFault.CHECKPOINT_UNREADABLE,
            f"{path}: expected a checkpoint of softray train, found a file that cannot be read as one "
            f"({type(error).__name__})",
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(
            TrainingFault.CHECKPOINT_UNREADABLE, f"{path}: expected a checkpoint of format {FORMAT}, found another"
        )
    learners = cast("Mapping[str, Mapping[str, Mapping[str, object]]]", state["learners"])
    return Checkpoint(int(state["step"]), int(state["micro_batch"]), learners)


def averaged_state(path: Path, network: str) -> dict[str, Tensor]:
    """The averaged weights of one network in a checkpoint. Raises TrainingError."""
    learners = read_checkpoint(path).learners
    require_networks(learners, [network], path)
    return cast("dict[str, Tensor]", dict(learners[network]["averaged"]))


def require_networks(learners: Mapping[str, object], names: Sequence[str], path: Path) -> None:
    """Raises TrainingError unless a checkpoint holds the networks `names`."""
    if not set(names) <= set(learners):
        raise TrainingError(
            TrainingFault.CHECKPOINT_MISMATCH,
            f"{path}: expected a checkpoint of the networks {', '.join(names)}, found {', '.join(learners) or 'none'}",
        )
