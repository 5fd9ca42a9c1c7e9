"""`softray suppress IN OUT`: the service's pipeline from file to file."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pydicom import Dataset, dcmwrite
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dicom_node.eligibility import Ineligible, judge
from dicom_node.site_policy import derived_policy, eligibility_policy
from service.errors import PermanentError
from service.settings import Settings
from worker.app import model_host
from worker.image_files import read_radiograph, write_display_png
from worker.pipeline import SoftTissue, suppress

console = Console(stderr=True)


def run(settings: Settings, *, source: Path, target: Path, bone: Path | None, force: bool) -> None:
    """Suppress the bone in `source` and write `target` (PNG if it is named so, else DICOM).

    Raises PermanentError (not readable, or refused by the gate unless `force`), PixelError, WeightsError.
    """
    dataset = read_radiograph(source)
    _require_eligible(dataset, settings, force=force)
    result = _suppress(dataset, settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".png":
        write_display_png(target, result.source - result.residual)
    else:
        dcmwrite(target, result.derived, enforce_file_format=True)
    if bone is not None:
        write_display_png(bone, 0.5 + result.residual)
    console.print(f"{target}: {result.derived.SeriesDescription}")
    console.print(f"[dim]{result.derived.DerivationDescription}[/dim]")


def _require_eligible(dataset: Dataset, settings: Settings, *, force: bool) -> None:
    verdict = judge(dataset, eligibility_policy(settings))
    if not isinstance(verdict, Ineligible):
        return
    if not force:
        raise PermanentError(str(verdict.code), f"{verdict.detail} (--force processes it nevertheless)")
    console.print(f"[yellow]the gate refuses this image ({verdict.code}: {verdict.detail}); forced[/yellow]")


def _suppress(dataset: Dataset, settings: Settings) -> SoftTissue:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), console=console,
    ) as progress:  # fmt: skip
        task = progress.add_task("loading the model", total=None)
        host = model_host(settings)
        host.start()

        def on_step(step: int, total: int) -> None:
            progress.update(task, description="sampling step", completed=step, total=total)

        return host.run(
            lambda suppressor: suppress(
                dataset,
                suppressor,
                derived_policy(settings),
                service_version=version("softray"),
                seed=settings.seed,
                now=datetime.now().astimezone(),
                on_step=on_step,
            )
        )
