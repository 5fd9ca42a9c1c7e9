"""Seconds and peak memory per image on this machine, stage by stage, for every installed model.

Each model runs in a process of its own, so that the peak belongs to it alone. The image is the 2021 x 2021 phantom as
14-bit DX; loading the model is shown apart, since a worker does it once.
Run: python -m benchmarks.seconds_per_image [--rounds N] [--model NAME]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import TypeVar

from pydicom import Dataset, dcmread, dcmwrite
from rich.console import Console
from rich.table import Table

from dicom_node.derived import DerivedPolicy, derive
from dicom_node.pixels import read_source, write_back
from dicom_node.radiograph import wrap_radiograph
from models import library
from models.phantom import render
from models.preprocess import from_model, to_model
from worker.pipeline import provenance_of

console = Console()
T = TypeVar("T")
SIDE = 2021


def main() -> None:
    """Print one table; a child process per model does the measuring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="images per model; the median counts")
    parser.add_argument("--model", default="", help="only this model")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measure(options.model, options.rounds)))
        return
    names = [options.model] if options.model else [manifest.name for manifest in library.installed([])]
    measured: dict[str, dict[str, float]] = {}
    for name in names:
        with console.status(f"measuring {name} …"):
            command = [sys.executable, "-m", __spec__.name, "--child", "--model", name, "--rounds", str(options.rounds)]
            measured[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    table = Table("stage", *names, title=f"{SIDE} x {SIDE}, 14 bits; median of {options.rounds}")
    for stage in next(iter(measured.values())):
        unit = "MiB" if stage == "peak memory" else "s"
        table.add_row(stage, *(f"{measured[name][stage]:.3g} {unit}" for name in names))
    console.print(table)


def _measure(name: str, rounds: int) -> dict[str, float]:
    encoded = BytesIO()
    phantom = render(SIDE)
    radiograph = wrap_radiograph(phantom.radiograph, imager_pixel_spacing_mm=phantom.pixel_spacing_mm)
    dcmwrite(encoded, radiograph, enforce_file_format=True)
    started = time.perf_counter()
    suppressor = library.load(name, [], preset="fast", steps=0, device="auto")
    loading = time.perf_counter() - started
    laps: dict[str, list[float]] = {}

    def lap(stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = work()
        laps.setdefault(stage, []).append(time.perf_counter() - began)
        return result

    for _ in range(rounds):
        dataset = lap("parse", lambda: dcmread(BytesIO(encoded.getvalue())))
        source = lap("pixels to display", lambda ds=dataset: read_source(ds))  # type: ignore[misc]
        pixels, placement = lap("display to model", lambda s=source: to_model(s.display, suppressor.image_size))  # type: ignore[misc]
        residual = lap(
            f"network ({suppressor.identity.steps} evaluations)",
            lambda p=pixels: suppressor.bone_residual(p, seeds=[0], on_step=lambda _step, _total: None),  # type: ignore[misc]
        )
        native = lap("model to display", lambda r=residual, p=placement: from_model(r, p))  # type: ignore[misc]
        stored = lap("display to stored", lambda s=source, n=native: write_back(s, n))  # type: ignore[misc]
        lap("derive and encode", lambda ds=dataset, st=stored: _encode(ds, st, suppressor))  # type: ignore[misc]
    medians = {_plain(stage): statistics.median(times) for stage, times in laps.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"load the model (once)": loading, **medians, "one image": sum(medians.values()), "peak memory": peak}


def _plain(stage: str) -> str:
    return "network" if stage.startswith("network") else stage


def _encode(dataset: Dataset, stored: object, suppressor: library.Suppressor) -> int:
    provenance = provenance_of(suppressor.identity, 0, "benchmark")
    target = BytesIO()
    dcmwrite(target, derive(dataset, stored, provenance, DerivedPolicy(), datetime.now(UTC)), enforce_file_format=True)  # type: ignore[arg-type]
    return target.tell()


if __name__ == "__main__":
    main()
