"""The worker's throughput with eight images in hand against one: decoding and writing overlap with the networks, and
on CUDA what waits together runs together.

Each image takes the whole pipeline, from encoded DICOM to encoded DICOM, through `ModelHost` as in the worker.
Run: python -m benchmarks.batching [--images N] [--side PIXELS] [--model NAME] [--max-batch N]
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

from pydicom import dcmread, dcmwrite
from rich.console import Console
from rich.table import Table

from dicom_node.derived import DerivedPolicy
from dicom_node.radiograph import wrap_radiograph
from models.phantom import render
from worker.model_host import ModelHost
from worker.pipeline import suppress

console = Console()
DEPTHS = (1, 2, 8)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=16, help="images at each depth")
    parser.add_argument("--side", type=int, default=2021, help="of the phantom, pixels")
    parser.add_argument("--model", default="", help="empty: the shipped default")
    parser.add_argument("--max-batch", type=int, default=0, help="0: one on the CPU, 8 on CUDA")
    parser.add_argument("--rounds", type=int, default=2, help="each depth as often; the fastest counts")
    options = parser.parse_args()
    phantom, encoded = render(options.side), BytesIO()
    dcmwrite(encoded, wrap_radiograph(phantom.radiograph, imager_pixel_spacing_mm=0.2), enforce_file_format=True)
    host = ModelHost(
        model=options.model,
        weights_dirs=[],
        preset="fast",
        steps=0,
        device="auto",
        torch_threads=0,
        max_batch=options.max_batch,
        batch_window_s=0.015,
    )
    identity = host.start()
    _derive(host, encoded.getvalue())  # what only the first image pays
    best = dict.fromkeys(DEPTHS, 0.0)
    for _ in range(options.rounds):
        for depth in DEPTHS:
            with ThreadPoolExecutor(depth) as callers:
                began = time.perf_counter()
                list(callers.map(lambda _: _derive(host, encoded.getvalue()), range(options.images)))
                best[depth] = max(best[depth], options.images / (time.perf_counter() - began))
    table = Table("images in hand", "images a second", "against one", title=_title(options.side, identity.name, host))
    for depth, throughput in best.items():
        table.add_row(str(depth), f"{throughput:.2f}", f"{throughput / best[1]:.2f} times")
    console.print(table)
    console.print(f"device: {identity.device}")
    host.stop()


def _title(side: int, model: str, host: ModelHost) -> str:
    return f"{model}, {side} x {side}, at most {host.batch_limit} in one run"


def _derive(host: ModelHost, encoded: bytes) -> int:
    result = host.run(
        lambda suppressor: suppress(
            dcmread(BytesIO(encoded)),
            suppressor,
            DerivedPolicy(),
            service_version="benchmark",
            seed=0,
            now=datetime.now(UTC),
            on_step=lambda _step, _total: None,
        )
    )
    target = BytesIO()
    dcmwrite(target, result.derived, enforce_file_format=True)
    return target.tell()


if __name__ == "__main__":
    main()
