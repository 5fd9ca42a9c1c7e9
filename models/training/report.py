"""The table of figures on data left out of training, and the pictures that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from models.library import load
from models.metrics import fit, score
from models.suppressor import Suppressor
from models.training.data import Pair, read_pairs
from models.training.evaluation import Row, baselines, held_out_projections, mean_scores, meets_bar, suppressed

BONE_BRIGHTNESS = 2.0


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate on what."""

    folder: Path
    pair: str
    projections: Path
    """Where `project` left them; skipped when absent."""
    models: tuple[str, ...]
    weights: tuple[Path, ...] = ()
    preset: str = "fast"
    steps: int = 0
    seed: int = 0
    pictures: Path | None = None


def print_report(evaluation: Evaluation) -> int:
    """Prints the tables; 0 when every model meets the bar on the pair, else 1."""
    console = Console()
    loaded = [load(name, evaluation.weights, evaluation.preset, evaluation.steps) for name in evaluation.models]
    pair = next((pair for pair in read_pairs(evaluation.folder) if pair.name == evaluation.pair), None)
    if pair is None:
        console.print(f"no pair {evaluation.pair!r} in {evaluation.folder}")
        return 1
    rows = baselines(pair) + [_row([pair], model, evaluation) for model in loaded]
    console.print(_table(f"real pair {pair.name}, left out of training", rows))
    if evaluation.projections.is_file():
        projected = held_out_projections(evaluation.projections)
        plain = Row("identity", mean_scores([score(p.cxr, p.cxr, p.soft) for p in projected]))
        on_ct = [plain, *(_row(projected, model, evaluation) for model in loaded)]
        console.print(_table(f"{len(projected)} CT projections left out, mean", on_ct))
    return 0 if all(meets_bar(row.scores) for row in rows[2:]) else 1


def _row(pairs: list[Pair], model: Suppressor, evaluation: Evaluation) -> Row:
    scores = []
    for pair in pairs:
        soft = suppressed(
            pair.cxr,
            lambda cxr: model.bone_residual(cxr, seeds=[evaluation.seed], on_step=lambda _step, _total: None),
            model.image_size,
        )
        scores.append(score(soft, pair.cxr, pair.soft))
        if evaluation.pictures is not None:
            _write_picture(pair, soft, evaluation.pictures / f"{model.identity.name}-{pair.name}.png")
    return Row(f"{model.identity.name} ({model.identity.sampler}, {model.identity.steps})", mean_scores(scores))


def _table(title: str, rows: list[Row]) -> Table:
    table = Table(title=title)
    table.add_column("method")
    for heading in ("tone-fitted PSNR, dB", "bone left", "detail kept"):
        table.add_column(heading, justify="right")
    for row in rows:
        s = row.scores
        table.add_row(row.method, f"{s.psnr_db:.2f}", f"{s.bone_left:.3f}", f"{s.detail_kept:.3f}")
    return table


def _write_picture(pair: Pair, soft: np.ndarray, path: Path) -> None:
    """Original | soft tissue | truth in the original's tone | bone residual."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bone = 0.25 + BONE_BRIGHTNESS * (pair.cxr - soft)
    row = np.concatenate([pair.cxr, soft, fit(pair.soft, pair.cxr), bone], axis=1)
    Image.fromarray((row.clip(0, 1) * 255).round().astype(np.uint8)).save(path)
