"""`softray models parity`: is `fast` as good as `reference` with these weights? Measured, printed, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from torch import Tensor

from models import library
from models.manifest import FEW_STEP_SAMPLERS
from models.pairs.folder import Split, read_grey16, read_pair_folder
from models.parity import MAX_ENERGY_CHANGE, MAX_PSNR_DROP_DB, Parity, compare, mean_parity
from models.parity_record import ParityRecord, write_parity
from models.phantom import render
from models.preprocess import to_model
from models.suppressor import Suppressor
from service.errors import PermanentError
from service.settings import Settings

console = Console(soft_wrap=True, highlight=False)
PHANTOM = "phantom"
FIRST_PHANTOM = 7  # its seed: the anatomy that is shown everywhere


@dataclass(frozen=True)
class _Image:
    """A radiograph with its truth, both (1, 1, S, S) float32, [-1, 1]."""

    name: str
    cxr: Tensor
    soft: Tensor


def run(settings: Settings, *, name: str, seeds: list[int], pairs: Path | None, images: int) -> None:
    """Compare, print the table and write `parity.json` beside the weights of `name` (empty: the configured model).

    `images`: how many phantoms, or pairs of the folder `pairs` (those kept for tests first). Raises PermanentError when
    there is nothing to compare or `fast` does not pass.
    """
    manifest = library.find(name or settings.model, [settings.effective_weights_dir])
    fast = manifest.preset("fast", settings.steps)
    reference = manifest.presets.get("reference")
    if reference is None or fast.sampler not in FEW_STEP_SAMPLERS:
        raise PermanentError(
            "NOTHING_TO_COMPARE", f"expected a model that samples in few steps, found {manifest.name} ({fast.sampler})"
        )
    suppressor = library.load_manifest(manifest, "fast", settings.steps, settings.device, unproven=True)
    device, size = suppressor.identity.device, suppressor.image_size
    chosen, source = _phantoms(images, size) if pairs is None else _pairs(pairs, images, size)
    of_fast = _residuals(suppressor, "fast", chosen, seeds)
    del suppressor  # one model in memory at a time
    of_reference = _residuals(
        library.load_manifest(manifest, "reference", 0, settings.device), "reference", chosen, seeds
    )
    runs = [(image, seed) for image in chosen for seed in seeds]
    each = [
        (f"{image.name}, seed {seed}", compare(image.cxr, image.soft, residual, reference_residual))
        for (image, seed), residual, reference_residual in zip(runs, of_fast, of_reference, strict=True)
    ]
    mean = mean_parity([parity for _, parity in each])
    record = ParityRecord(manifest.sha256, fast, reference, source, len(chosen), tuple(seeds), device, mean)
    console.print(_table(record, each), soft_wrap=False)
    console.print(f"written: {write_parity(record, manifest.folder)}")
    if not record.passed:
        raise PermanentError(
            "PARITY_FAILED",
            f"expected a PSNR drop of at most {MAX_PSNR_DROP_DB} dB and energies within {MAX_ENERGY_CHANGE:.0%} of the "
            f"reference's, found more; {manifest.name} keeps to its reference preset if its weights were imported",
        )


def _residuals(suppressor: Suppressor, preset: str, images: list[_Image], seeds: list[int]) -> list[Tensor]:
    """One residual per image and seed, in this order."""
    found: list[Tensor] = []
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
    ) as progress:  # fmt: skip
        task = progress.add_task(f"{preset}, evaluations", total=suppressor.identity.steps * len(images) * len(seeds))
        for image in images:
            for seed in seeds:
                found.append(
                    suppressor.bone_residual(
                        image.cxr, seeds=[seed], on_step=lambda _step, _total: progress.advance(task)
                    )
                )
    return found


def _phantoms(count: int, size: int) -> tuple[list[_Image], str]:
    phantoms = [(seed, render(size, seed)) for seed in range(FIRST_PHANTOM, FIRST_PHANTOM + count)]
    return [
        _Image(f"phantom {seed}", to_model(p.radiograph, size)[0], to_model(p.soft_tissue, size)[0])
        for seed, p in phantoms
    ], PHANTOM


def _pairs(folder: Path, count: int, size: int) -> tuple[list[_Image], str]:
    found = read_pair_folder(folder)
    tests_first = sorted(found.pairs, key=lambda pair: pair.split is not Split.TEST)
    return [
        _Image(pair.name, *(to_model(read_grey16(path), size)[0] for path in (pair.cxr, pair.soft)))
        for pair in tests_first[:count]
    ], found.digest


def _table(record: ParityRecord, each: list[tuple[str, Parity]]) -> Table:
    table = Table(title=f"{record.fast.steps} steps of {record.fast.sampler} against {record.reference.steps} of "
                  f"{record.reference.sampler}")  # fmt: skip
    table.add_column("image", no_wrap=True)
    for heading in ("PSNR drop, dB", "HF energy, image", "HF energy, residual", "vessels kept", "bone left"):
        table.add_column(heading, justify="right")
    verdict = "mean: passed" if record.passed else "mean: NOT passed"
    for name, parity in [*each, (verdict, record.parity)]:
        table.add_row(
            name,
            f"{parity.psnr_drop_db:+.3f}",
            f"{parity.soft_energy_change:+.2%}",
            f"{parity.residual_energy_change:+.2%}",
            f"{parity.detail_change:+.3f}",
            f"{parity.bone_left_change:+.3f}",
        )
    return table
