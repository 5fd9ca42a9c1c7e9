"""What a test needs to derive an image: who made it, how the site labels it, when, and small sources."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.derived import DerivedPolicy, Provenance
from dicom_node.derived_images import BONE, SOFT_TISSUE, SPREAD, DerivedImage, derive_images
from dicom_node.pixels import read_source, write_back
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.factories import chest, radiograph

NOW = datetime(2026, 3, 4, 12, 30, 15, 250000, tzinfo=UTC)
POLICY = DerivedPolicy()
PROVENANCE = Provenance(
    model_name="bs-ldm-lite",
    model_version="1.2",
    model_sha256="ab" * 32,
    architecture="bs-ldm",
    sampler="dpm-solver++(2m)",
    steps=15,
    seed=7,
    precision="float32",
    device="cpu",
    service_version="0.1.0",
)
KINDS = list(RadiographKind)
SMALL = chest(60, 50)
ALL = frozenset({SOFT_TISSUE, BONE, SPREAD})


def small(kind: RadiographKind | str = RadiographKind.DX, **overrides: object) -> Dataset:
    """A radiograph of 60 × 50 pixels."""
    return radiograph(kind, pixels=SMALL, **overrides)  # type: ignore[arg-type]


def ribs(shape: tuple[int, int] = (60, 50), strength: float = 0.2) -> npt.NDArray[np.float32]:
    """(H, W) a bone residual in display units: bands, zero between them."""
    y = np.linspace(0.0, 1.0, shape[0], dtype=np.float32)[:, None]
    bands = np.maximum(np.sin(40.0 * y), 0.0) * strength
    return np.asarray(np.broadcast_to(bands, shape), np.float32)


def all_images(
    source: Dataset,
    residual: npt.NDArray[np.floating] | None = None,
    *,
    wanted: frozenset[str] = ALL,
    compression: str = "none",
) -> dict[str, DerivedImage]:
    """The derived images of `source` by kind; the residual is that of `ribs` unless given."""
    image = read_source(source, check_polarity=False)
    taken = ribs(image.stored.shape) if residual is None else residual
    soft, spread = write_back(image, taken), np.abs(taken).clip(0.0, 1.0) / 4
    made = derive_images(source, image, soft, spread, PROVENANCE, POLICY, wanted, compression, NOW)
    return {one.kind: one for one in made}
