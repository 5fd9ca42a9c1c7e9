"""The replay receipt of a finished result, as the registry keeps it (`service.registry.receipts`)."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import PackageNotFoundError, version

from service.registry.receipt_facts import ReceiptFacts
from worker.pipeline import SoftTissue

LIBRARIES = ("torch", "numpy", "pydicom", "highdicom", "pylibjpeg-openjpeg", "pyjpegls", "python-gdcm")
"""What computes pixels, and what reads them from the source and writes them."""


def receipt_of(
    result: SoftTissue, *, source_sha256: str, preset: str, inference_s: float, storing_s: float
) -> ReceiptFacts:
    """What decided the pixels of `result`, and how long computing and storing it took, in seconds."""
    made_by, provenance = result.made_by, result.provenance
    return ReceiptFacts(
        source_sha256=source_sha256,
        model_name=made_by.name,
        model_version=made_by.version,
        model_sha256=made_by.sha256,
        architecture=made_by.architecture,
        preset=preset,
        sampler=made_by.sampler,
        steps=made_by.steps,
        seed=provenance.seed,
        seeds=result.seeds,
        parameters=provenance.parameters,
        precision=made_by.precision,
        device=made_by.device,
        service_version=provenance.service_version,
        libraries=library_versions(),
        inference_s=round(inference_s, 4),
        storing_s=round(storing_s, 4),
    )


@functools.cache
def library_versions() -> str:
    """ "name version" of Python and of each of `LIBRARIES` that is installed, with commas."""
    found = [f"python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
