"""`softray suppress IN OUT`: the service's pipeline from file to file."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pydicom import Dataset, dcmwrite
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dicom_node.eligibility import Eligible, judge
from dicom_node.image_gate import ImageGate
from dicom_node.site_policy import derived_policy, eligibility_policy
from models.spread import AUTOMATIC_ON_CUDA
from models.trace import FRAMES, Frame, write_trace
from service.errors import PermanentError
from service.settings import Settings
from worker.app import model_host
from worker.image_files import read_radiograph, write_display_png
from worker.pipeline import SoftTissue, Watcher, suppress

console = Console(stderr=True)

SPREAD_WHITE = 0.1  # of the display range: where samples differ by as much, the map is white


def run(
    settings: Settings,
    *,
    source: Path,
    target: Path,
    bone: Path | None = None,
    seeds: int = 0,
    spread: Path | None = None,
    trace: Path | None = None,
    force: bool = False,
) -> None:
    """Suppress the bone in `source` and write `target` (PNG if it is named so, else DICOM).

    `seeds`: how many samples to average, 0 for the setting; `spread`, `trace`: where to write how they differ and how
    the first came into being. Raises PermanentError (not readable, options that exclude each other, or refused by the
    gate unless `force`), ImageRefused (by what the picture shows, unless `force`), PixelError, WeightsError.
    """
    if trace is not None and (spread is not None or seeds > 1):
        raise PermanentError(
            "OPTIONS_EXCLUDE", "expected --trace, which shows one sample, without --seeds and --spread"
        )
    wanted = seeds or settings.spread_seeds
    if spread is not None and wanted < 2:
        if seeds == 1:
            raise PermanentError("OPTIONS_EXCLUDE", "expected at least two seeds for a spread, found --seeds 1")
        wanted = AUTOMATIC_ON_CUDA  # asked for, so also on the CPU
    dataset = read_radiograph(source)
    gate = _judged(dataset, settings, force=force)
    frames: list[Frame] = []
    result = _suppress(dataset, settings, wanted, frames if trace is not None else None, gate)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".png":
        write_display_png(target, result.source - result.residual)
    else:
        dcmwrite(target, result.derived, enforce_file_format=True)
    if bone is not None:
        write_display_png(bone, 0.5 + result.residual)
    if spread is not None:
        _write_spread(spread, result)
    if trace is not None:
        _write_trace(trace, frames, result)
    console.print(f"{target}: {result.derived.SeriesDescription}")
    console.print(f"[dim]{result.derived.DerivationDescription}[/dim]")


def _judged(dataset: Dataset, settings: Settings, *, force: bool) -> ImageGate | None:
    """What the header leaves to the picture; None when `force` asks for no more looking than the pixels need."""
    policy = eligibility_policy(settings)
    verdict = judge(dataset, policy)
    if isinstance(verdict, Eligible):
        return None if force else ImageGate(verdict, policy)
    if not force:
        raise PermanentError(str(verdict.code), f"{verdict.detail} (--force processes it nevertheless)")
    console.print(f"[yellow]the gate refuses this image ({verdict.code}: {verdict.detail}); forced[/yellow]")
    return None


def _write_spread(path: Path, result: SoftTissue) -> None:
    if result.spread is None:
        console.print(f"{result.made_by.name} gives the same result for every seed: no spread written")
        return
    write_display_png(path, result.spread / SPREAD_WHITE)
    largest, mean = float(result.spread.max()), float(result.spread.mean())
    console.print(
        f"{path}: spread over the seeds, white = {SPREAD_WHITE:.0%} of the display range; mean {mean:.2%}, largest "
        f"{largest:.2%}"
    )


def _write_trace(folder: Path, frames: list[Frame], result: SoftTissue) -> None:
    if not frames:
        console.print(f"{result.made_by.name} takes one pass: its one result is all there is to trace, nothing written")
        return
    strip, animation = write_trace(frames, folder)
    console.print(f"{strip} and {animation}: the estimate at {len(frames)} of {result.made_by.steps} steps")


def _suppress(
    dataset: Dataset, settings: Settings, spread_seeds: int, frames: list[Frame] | None, gate: ImageGate | None
) -> SoftTissue:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), console=console,
    ) as progress:  # fmt: skip
        task = progress.add_task("loading the model", total=None)
        host = model_host(settings)
        host.start()

        def on_step(step: int, total: int) -> None:
            progress.update(task, description="sampling step", completed=step, total=total)

        watcher = None
        if frames is not None:
            watcher = Watcher(lambda t, display: frames.append(Frame(f"t = {t}", display)), FRAMES)

        return host.run(
            lambda suppressor: suppress(
                dataset,
                suppressor,
                derived_policy(settings),
                service_version=version("softray"),
                seed=settings.seed,
                now=datetime.now().astimezone(),
                on_step=on_step,
                spread_seeds=spread_seeds,
                watcher=watcher,
                gate=gate,
            )
        )
