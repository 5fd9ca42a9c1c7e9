"""What each installed model leaves of leads, wires, catheters, tubes and clips of exactly known contrast.

Once as the service runs it, and once without what `models.lines` gives back. They are laid over three phantoms and,
where they are given, real pairs and CT projections, none of which took part in training the network that finds lines.
The measure is that of nodules (`models.metrics.nodule`): 1 right, 0 taken for bone. Two wires are laid where it is
hardest, along the rib and along the edge of a rib that are nearest to an arc.
Run: python -m benchmarks.line_contrast [--model NAME] [--cxr DIR --truth DIR] [--projections FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models import library
from models.dense_objects import beside_dense_objects
from models.evaluation.over_pairs import find_pairs
from models.evaluation.over_projections import read_held_out
from models.evaluation.pictures import Case, PngReader, read_case
from models.gaussian import gaussian_blur
from models.lines.drawing import Line, Plane, drawn, smooth_path
from models.metrics import fit
from models.metrics.nodule import contrast_kept
from models.patient import within_patient
from models.phantom import render
from models.preprocess import from_model, to_model
from models.spared import spared
from models.suppressor import Suppressor

console = Console()
Image = NDArray[np.float32]
CHEST_MM = 360.0
"""What a picture's longer side shows."""
OVER = 0.25
"""Share of a line's peak from which a pixel counts as the line's."""
ARCS, ARC_POINTS = 6000, 40


@dataclass(frozen=True)
class Laid:
    """A line and its course: each part through these points, rows and columns as shares of the picture's sides."""

    name: str
    line: Line
    parts: tuple[tuple[tuple[float, float], ...], ...]


def _loop(row: float) -> tuple[tuple[float, float], ...]:
    turn = np.linspace(0, 2 * np.pi, 12)
    return tuple(zip((row + 0.008 * np.sin(turn)).tolist(), (0.5 + 0.031 * np.cos(turn)).tolist(), strict=True))


CLIPS = ((0.33, 0.25), (0.40, 0.70), (0.55, 0.75), (0.62, 0.22), (0.28, 0.66))
LINES = (
    Laid(
        "central line, 2.3 mm",
        Line(2.3, 0.07),
        (((0.10, 0.62), (0.20, 0.60), (0.27, 0.52), (0.34, 0.44), (0.44, 0.415), (0.55, 0.42)),),
    ),
    Laid(
        "PICC, 1.5 mm",
        Line(1.5, 0.05),
        (((0.42, 0.04), (0.30, 0.10), (0.23, 0.20), (0.215, 0.32), (0.27, 0.40), (0.38, 0.42), (0.5, 0.425)),),
    ),
    Laid(
        "pacing lead, 2 mm",
        Line(2.0, 0.15),
        (((0.38, 0.80), (0.30, 0.77), (0.22, 0.72), (0.24, 0.58), (0.34, 0.44), (0.50, 0.42), (0.62, 0.48)),),
    ),
    Laid(
        "ECG wire, 1.2 mm, across",
        Line(1.2, 0.12),
        (((0.15, 0.05), (0.33, 0.20), (0.42, 0.40), (0.40, 0.65), (0.52, 0.95)),),
    ),
    Laid(
        "ECG wire, 1.2 mm, upwards",
        Line(1.2, 0.12),
        (((0.95, 0.10), (0.70, 0.18), (0.50, 0.22), (0.33, 0.30), (0.18, 0.36)),),
    ),
    Laid(
        "ECG cable, 3 mm",
        Line(3.0, 0.08),
        (((0.25, 0.95), (0.40, 0.85), (0.62, 0.75), (0.80, 0.60), (0.97, 0.5)),),
    ),
    Laid(
        "endotracheal tube, 10 mm, striped",
        Line(10.0, 0.04, wall_mm=0.8, stripe=0.09),
        (((0.02, 0.50), (0.12, 0.50), (0.22, 0.495), (0.30, 0.50)),),
    ),
    Laid(
        "gastric tube, 5 mm, striped",
        Line(5.0, 0.03, wall_mm=0.7, stripe=0.08),
        (((0.02, 0.52), (0.2, 0.51), (0.45, 0.515), (0.65, 0.53), (0.76, 0.58), (0.82, 0.66)),),
    ),
    Laid(
        "chest drain, 8 mm, striped",
        Line(8.0, 0.04, wall_mm=1.2, stripe=0.10),
        (((0.70, 0.08), (0.60, 0.16), (0.45, 0.20), (0.30, 0.25), (0.22, 0.31)),),
    ),
    Laid("sternal wires, 0.9 mm", Line(0.9, 0.25), tuple(_loop(row) for row in (0.26, 0.345, 0.43, 0.515, 0.6))),
    Laid(
        "clips, 6 mm",
        Line(1.0, 0.30),
        tuple(
            ((row, column), (row + 0.016 * np.sin(angle), column + 0.016 * np.cos(angle)))
            for angle, (row, column) in enumerate(CLIPS)
        ),
    ),
)
HARD = Line(1.5, 0.08)
PHANTOMS = (8, 9, 10)
"""Seeds: the first eight served in training the network that finds lines."""


def main() -> None:
    """Print one table a kind of picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="only these of the installed models")
    parser.add_argument("--cxr", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--projections", type=Path)
    wanted = parser.parse_args()
    kinds = {"phantoms": [_phantom(seed) for seed in PHANTOMS]}
    if wanted.cxr and wanted.truth:
        reader = PngReader()
        pairs = find_pairs(wanted.cxr, wanted.truth, (), reader)
        kinds["pairs"] = [read_case(name, pairs.cxr[name], pairs.truth[name], reader) for name in pairs.cxr]
    if wanted.projections:
        kinds["projections"] = [projection.case for projection in read_held_out(wanted.projections)]
    for manifest in library.installed([]):
        if wanted.model and manifest.name not in wanted.model:
            continue
        model = library.load(manifest.name)
        for kind, cases in kinds.items():
            with console.status(f"{manifest.name}, {kind} …"):
                console.print(_table(f"{manifest.name}, {len(cases)} {kind}", model, cases))


def _table(title: str, model: Suppressor, cases: Sequence[Case]) -> Table:
    table = Table("line", "without: mean", "least", "as it runs: mean", "least", title=title)
    found: dict[str, list[tuple[float, float]]] = {}
    for case in cases:
        plain = _both(model, case.cxr)
        for name, line in lines_over(case).items():
            laid = (case.cxr + line).astype(np.float32)
            inside = line > OVER * line.max()
            nothing = np.zeros_like(line)
            kept = [contrast_kept(a, b, line, nothing, inside) for a, b in zip(_both(model, laid), plain, strict=True)]
            found.setdefault(name, []).append((kept[0], kept[1]))
    everything = [share for shares in found.values() for share in shares]
    for name, shares in [*found.items(), ("all", everything)]:
        alone, runs = np.array(shares).T
        table.add_row(name, *(f"{value:.2f}" for value in (alone.mean(), alone.min(), runs.mean(), runs.min())))
    return table


def lines_over(case: Case) -> dict[str, Image]:
    """Each line by its name, display units, as large as the picture."""
    shape = case.cxr.shape
    sides = np.array(shape, np.float64)
    pixel_mm = CHEST_MM / max(shape)
    planes = {
        laid.name: np.sum(
            [drawn(laid.line, smooth_path(np.array(part) * sides), shape, pixel_mm) for part in laid.parts], axis=0
        )
        for laid in LINES
    }
    bone = _blurred(fit(case.cxr, case.truth) - case.truth, 3.0).astype(np.float64)
    edge = np.hypot(*np.gradient(bone))
    planes["wire along a rib, 1.5 mm"] = drawn(HARD, _along(bone), shape, pixel_mm)
    planes["wire along a rib's edge, 1.5 mm"] = drawn(HARD, _along(edge), shape, pixel_mm)
    return {name: _blurred(plane, 0.8 * max(shape) / 1024) for name, plane in planes.items()}


def _along(where: NDArray[np.float64]) -> Plane:
    """The arc, a quarter of the picture long, of 6,000 random ones in its middle, along which there is most of it."""
    random = np.random.default_rng(0)
    rows, columns = where.shape
    start = random.uniform((0.2 * rows, 0.1 * columns), (0.7 * rows, 0.9 * columns), (ARCS, 2))
    angle, bend = random.uniform(0, 2 * np.pi, ARCS), random.normal(0, 0.02, ARCS)
    turned = angle[:, None] + bend[:, None] * np.arange(ARC_POINTS)
    steps = max(where.shape) / 4 / ARC_POINTS * np.stack([np.sin(turned), np.cos(turned)], 2)
    arcs = start[:, None] + np.cumsum(steps, 1)
    inside = ((arcs > 0.05 * rows) & (arcs < [0.85 * rows, 0.95 * columns])).all((1, 2))
    places = arcs.astype(int).clip(0, np.array(where.shape) - 1)
    amounts = where[places[..., 0], places[..., 1]]
    best = int(np.where(inside, np.quantile(amounts, 0.2, axis=1), -np.inf).argmax())
    return smooth_path(arcs[best])


def _both(model: Suppressor, cxr: Image) -> tuple[Image, Image]:
    """The soft-tissue image without what is given back to lines, and as the service makes it."""
    seen, placement = to_model(cxr, model.image_size)
    residual = from_model(model.bone_residual(seen, seeds=[0], on_step=lambda _step, _total: None), placement)
    return cxr - within_patient(beside_dense_objects(residual, cxr), cxr), cxr - spared(
        residual, cxr, model.identity.architecture
    )


def _phantom(seed: int) -> Case:
    phantom = render(1024, seed)
    return Case(f"phantom-{seed}", phantom.radiograph.astype(np.float32), phantom.soft_tissue.astype(np.float32))


def _blurred(plane: NDArray[np.float64], sigma: float) -> Image:
    return np.asarray(gaussian_blur(torch.from_numpy(plane.astype(np.float32))[None, None], sigma)[0, 0].numpy())


if __name__ == "__main__":
    main()
