"""Seconds and peak memory per image on this machine, stage by stage, for every installed model.

Each model runs in a process of its own, so that the peak belongs to it alone. The image is the 2021 x 2021 phantom as
14-bit DX, from file to file; loading the model is shown apart, since a worker does it once. The network's arithmetic is
counted and set against the rate of matrix products measured in the same run.
Bars for the shipped default on two cores: 8 s, 2 GB, and 60 % of the products' rate.
Run: python -m benchmarks.seconds_per_image [--rounds N] [--model NAME] [--threads N] [--busy]
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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from pydicom import Dataset, dcmread, dcmwrite
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from dicom_node.derived import DerivedPolicy, derive
from dicom_node.pixels import read_source, write_back
from dicom_node.radiograph import wrap_radiograph
from models import library
from models.device.matmul_rate import Clock, best_seconds, matmul_rate
from models.phantom import render
from models.preprocess import from_model, to_model
from models.spared import spared
from models.suppressor import Suppressor
from worker.pipeline import provenance_of

console = Console()
T = TypeVar("T")
SIDE = 2021
UNITS = {
    "peak memory": "MB",
    "network's arithmetic": "GFLOP",
    "network's rate, best": "GFLOP/s",
    "matrix products' rate, best": "GFLOP/s",
    "share of that rate": "%",
}


def main() -> None:
    """Print one table; a child process per model does the measuring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="images per model; the median counts")
    parser.add_argument("--model", default="", help="only this model")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=0, help="threads of the network; 0: PyTorch decides")
    parser.add_argument(
        "--busy", action="store_true", help="rates by processor time, for a machine that has other work (seconds stay)"
    )
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measure(options)))
        return
    names = [options.model] if options.model else [manifest.name for manifest in library.installed([])]
    measured: dict[str, dict[str, float]] = {}
    for name in names:
        with console.status(f"measuring {name} …"):
            own = [argument for argument in sys.argv[1:] if argument != options.model and argument != "--model"]
            command = [sys.executable, "-m", __spec__.name, "--child", *own, "--model", name]
            measured[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    table = Table("stage", *names, title=f"{SIDE} x {SIDE}, 14 bits; median of {options.rounds}")
    for stage in next(iter(measured.values())):
        unit = UNITS.get(stage, "s")
        table.add_row(stage, *(f"{measured[name][stage]:.3g} {unit}" for name in names))
    console.print(table)


def _measure(options: argparse.Namespace) -> dict[str, float]:
    if options.threads:
        torch.set_num_threads(options.threads)
    phantom = render(SIDE)
    radiograph = wrap_radiograph(phantom.radiograph, imager_pixel_spacing_mm=phantom.pixel_spacing_mm)
    started = time.perf_counter()
    suppressor = library.load(options.model, [], preset="fast", steps=0, device="auto")
    loading = time.perf_counter() - started
    laps: dict[str, list[float]] = {}

    def lap(stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = work()
        laps.setdefault(stage, []).append(time.perf_counter() - began)
        return result

    with TemporaryDirectory() as folder:
        file, target = Path(folder) / "in.dcm", Path(folder) / "out.dcm"
        dcmwrite(file, radiograph, enforce_file_format=True)
        architecture = suppressor.identity.architecture
        for _ in range(options.rounds):
            dataset = lap("read and parse", lambda: dcmread(file))
            source = lap("pixels to display", lambda ds=dataset: read_source(ds))  # type: ignore[misc]
            pixels, placement = lap("display to model", lambda s=source: to_model(s.display, suppressor.image_size))  # type: ignore[misc]
            residual = lap("network", lambda p=pixels: _residual(suppressor, p))  # type: ignore[misc]
            found = lap("model to display", lambda r=residual, p=placement: from_model(r, p))  # type: ignore[misc]
            native = lap("what is spared", lambda f=found, s=source: spared(f, s.display, architecture))  # type: ignore[misc]
            stored = lap("display to stored", lambda s=source, n=native: write_back(s, n))  # type: ignore[misc]
            lap("derive and write", lambda ds=dataset, st=stored: _write(ds, st, suppressor, target))  # type: ignore[misc]
    medians = {stage: statistics.median(times) for stage, times in laps.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {
        "load the model (once)": loading,
        **medians,
        "one image, file to file": sum(medians.values()),
        "peak memory": peak,
        **_rates(suppressor, pixels, time.process_time if options.busy else time.perf_counter),
    }


def _rates(suppressor: Suppressor, pixels: Tensor, clock: Clock) -> dict[str, float]:
    """The network against the products, in turns, so that what else the machine does meets both."""
    device = torch.device(suppressor.identity.device.partition(" ")[0])
    with FlopCounterMode(display=False) as counter:
        _residual(suppressor, pixels)
    flop = counter.get_total_flops()
    products = network = 0.0
    for _ in range(4):
        products = max(products, matmul_rate(device, rounds=3, clock=clock))
        seconds = best_seconds(lambda: _residual(suppressor, pixels), device, rounds=2, clock=clock, warm=False)
        network = max(network, flop / seconds)
    return {
        "network's arithmetic": flop / 1e9,
        "network's rate, best": network / 1e9,
        "matrix products' rate, best": products / 1e9,
        "share of that rate": 100 * network / products,
    }


def _residual(suppressor: Suppressor, pixels: Tensor) -> Tensor:
    return suppressor.bone_residual(pixels, seeds=[0], on_step=lambda _step, _total: None)


def _write(dataset: Dataset, stored: object, suppressor: Suppressor, target: Path) -> None:
    provenance = provenance_of(suppressor.identity, 0, "benchmark")
    derived = derive(dataset, stored, provenance, DerivedPolicy(), datetime.now(UTC))  # type: ignore[arg-type]
    dcmwrite(target, derived, enforce_file_format=True)


if __name__ == "__main__":
    main()
