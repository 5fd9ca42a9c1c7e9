"""One training from configuration to figures: what `softray train KIND` runs, without the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from models.pairs.folder import PairFile
from models.suppressor import resolve_device
from models.training.config import RunConfig
from models.training.curves import Curves
from models.training.engine.objective import Objective, Task
from models.training.engine.trainer import OnStep, Terms, Trainer
from models.training.kinds import make_objective
from models.training.pair_data import read_run_data
from models.training.run_folder import RunFolder

LOGGED_STEPS = 2000
"""About this many lines are kept of a training, however long it is."""


@dataclass(frozen=True)
class Session:
    """A training that is ready to begin or to go on."""

    folder: RunFolder
    config: RunConfig
    objective: Objective[object]
    trainer: Trainer
    validation: tuple[PairFile, ...]
    data: str
    """How many pairs are for what, in words."""


def open_session(config: RunConfig, folder: Path) -> Session:
    """Reads the data, enters the run folder and loads its checkpoint, if there is one. Raises ModelsError."""
    run = RunFolder(folder)
    run.require_same_config(config)  # before gigabytes of pairs are prepared for it
    device = resolve_device(config.device)
    data = read_run_data(config.data, config.seed, run.cache)
    task = Task(
        data=data.training,
        mixture=config.data.mixture,
        image_size=config.data.image_size,
        side=config.data.side,
        seed=config.seed,
        steps=config.engine.steps,
        device=device,
        augment=config.data.augment,
    )
    torch.manual_seed(config.seed)
    objective = make_objective(config.kind, config.own, task)
    trainer = Trainer(objective.networks, config.engine, run.checkpoint, device)
    run.enter(config, {"pairs": data.digest, **objective.inputs()})
    trainer.resume()
    return Session(run, config, objective, trainer, data.validation, data.counts)


def run_session(session: Session, on_step: OnStep, until: int = 0) -> None:
    """Trains to the end (or to step `until`), logging as it goes. Raises TrainingError; the checkpoint before stays."""
    trainer = session.trainer
    steps = session.config.engine.steps
    curves = Curves(session.folder.path, trainer.step, every=max(1, steps // LOGGED_STEPS))
    try:
        trainer.run(session.objective, _both(curves, on_step, session.config.engine.save_every), until)
    finally:
        curves.draw()
        curves.close()


def _both(curves: Curves, on_step: OnStep, draw_every: int) -> Callable[[int, Terms], None]:
    def after(step: int, terms: Terms) -> None:
        curves.add(step, terms)
        if step % draw_every == 0:
            curves.draw()
        on_step(step, terms)

    return after
