"""What each installed model does to the phantom, whose bone is known exactly: what stays of it, and what else is lost.

The phantom took no part in any training. Nodule contrast kept is the contrast of a nodule (mean inside 0.6 of its
radius minus mean of a ring around it) in the result, as a share of that in the phantom's soft tissue: 1 is right, 0 is
a nodule that was taken for bone.
Run: python -m benchmarks.phantom_quality
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models import library
from models.metrics import score
from models.phantom import Nodule, Phantom, render
from models.preprocess import from_model, to_model

console = Console()
SIDE = 1024
SEEDS = (7, 8, 9)


def main() -> None:
    """Print one table, the mean over three phantoms."""
    phantoms = [render(SIDE, seed) for seed in SEEDS]
    table = Table("method", "tone-fitted PSNR, dB", "bone left", "detail kept", "nodule contrast kept (each)")
    _row(table, "identity", phantoms, [phantom.radiograph for phantom in phantoms])
    for manifest in library.installed([]):
        with console.status(f"{manifest.name} …"):
            suppressor = library.load(manifest.name)
            results = []
            for phantom in phantoms:
                pixels, placement = to_model(phantom.radiograph, suppressor.image_size)
                residual = suppressor.bone_residual(pixels, seeds=[0], on_step=lambda _step, _total: None)
                results.append(phantom.radiograph - from_model(residual, placement))
        _row(table, f"{manifest.name}, {suppressor.identity.steps} evaluations", phantoms, results)
    console.print(table)


def _row(table: Table, name: str, phantoms: list[Phantom], results: list[NDArray[np.float32]]) -> None:
    scores = [score(result, p.radiograph, p.soft_tissue) for p, result in zip(phantoms, results, strict=True)]
    kept = [
        nodule_contrast(result, nodule) / nodule_contrast(phantom.soft_tissue, nodule)
        for phantom, result in zip(phantoms, results, strict=True)
        for nodule in phantom.nodules
    ]
    table.add_row(
        name,
        f"{np.mean([s.psnr_db for s in scores]):.2f}",
        f"{np.mean([s.bone_left for s in scores]):.3f}",
        f"{np.mean([s.detail_kept for s in scores]):.3f}",
        " ".join(f"{share:.2f}" for share in kept),
    )


def nodule_contrast(display: NDArray[np.float32], nodule: Nodule) -> float:
    """Mean inside 0.6 of the radius minus mean between 1.3 and 1.8 radii, display units."""
    rows, columns = np.ogrid[: display.shape[0], : display.shape[1]]
    distance = np.hypot(rows - nodule.row, columns - nodule.column) / nodule.radius
    return float(display[distance < 0.6].mean() - display[(distance > 1.3) & (distance < 1.8)].mean())


if __name__ == "__main__":
    main()
