"""What is kept of the losses: a line per logged step, TensorBoard's event log, and curves as a picture.

matplotlib and tensorboardX are the extra `train`; where they are not installed the lines are kept nevertheless.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from models.training.run_files import CURVES, EVENTS, TENSORBOARD

PICTURE_PACKAGE, LOG_PACKAGE = "matplotlib", "tensorboardX"
SMOOTHING = 0.95


class ScalarLog(Protocol):
    """What is used of TensorBoard's writer."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """One point of one curve."""

    def close(self) -> None:
        """Everything written."""


class Curves:
    """Losses of one training, meant over the steps between two logged ones."""

    def __init__(self, folder: Path, begin_at: int, every: int) -> None:
        self._folder, self._every = folder, every
        self._sums: dict[str, float] = {}
        self._count = 0
        forget_after(folder / EVENTS, begin_at)
        self._log: ScalarLog | None = None
        if importlib.util.find_spec(LOG_PACKAGE) is not None:
            from tensorboardX import SummaryWriter

            self._log = SummaryWriter(str(folder / TENSORBOARD), purge_step=begin_at + 1)

    def add(self, step: int, terms: Mapping[str, float]) -> None:
        """The losses of one step."""
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if step % self._every == 0:
            self._flush(step)

    def draw(self) -> None:
        """Curves as PNG, from all lines so far."""
        if importlib.util.find_spec(PICTURE_PACKAGE) is not None:
            draw_curves(read_events(self._folder / EVENTS), self._folder / CURVES)

    def close(self) -> None:
        """Ends the event log."""
        if self._log is not None:
            self._log.close()

    def _flush(self, step: int) -> None:
        means = {name: total / self._count for name, total in self._sums.items()}
        with (self._folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **means}) + "\n")
        if self._log is not None:
            for name, value in means.items():
                self._log.add_scalar(name, value, step)
        self._sums, self._count = {}, 0


def missing_packages() -> list[str]:
    """Which packages of the extra `train` are not installed."""
    return [name for name in (PICTURE_PACKAGE, LOG_PACKAGE) if importlib.util.find_spec(name) is None]


def read_events(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Loss term → its points (step, value)."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for line in _lines(path):
        event = json.loads(line)
        step = int(event.pop("step"))
        for name, value in event.items():
            curves.setdefault(name, []).append((step, float(value)))
    return curves


def forget_after(path: Path, step: int) -> None:
    """Drop lines of steps that are computed again, and a last line that an interruption cut."""
    kept: list[str] = []
    for line in _lines(path):
        try:
            if int(json.loads(line)["step"]) <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def draw_curves(curves: Mapping[str, list[tuple[int, float]]], path: Path) -> None:
    """One panel per loss term: its points, and their running mean."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not curves:
        return
    figure = Figure(figsize=(8, 2.2 * len(curves)), layout="constrained")
    FigureCanvasAgg(figure)
    for index, (name, points) in enumerate(sorted(curves.items()), start=1):
        panel = figure.add_subplot(len(curves), 1, index)
        steps, values = zip(*points, strict=True)
        panel.plot(steps, values, color="0.75", linewidth=0.8)
        panel.plot(steps, _smoothed(values), color="tab:blue", linewidth=1.4)
        panel.set_title(name, fontsize=9, loc="left")
        panel.grid(alpha=0.3)
        if min(values) > 0:
            panel.set_yscale("log")
    panel.set_xlabel("step")
    partial = path.with_suffix(".partial.png")
    figure.savefig(partial, dpi=110)
    partial.replace(path)


def _smoothed(values: tuple[float, ...]) -> list[float]:
    means: list[float] = []
    for value in values:
        means.append(SMOOTHING * means[-1] + (1 - SMOOTHING) * value if means else value)
    return means


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
