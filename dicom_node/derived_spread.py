"""The spread map: the standard deviation of the bone residual over a sampler's seeds, as a derived DX or CR image.

Not a Parametric Map, whose IOD demands a Frame of Reference that a projection has not. Stored value 65535 is one whole
display range (the source's window); the Real World Value Mapping says so, and the window is the same for every map, so
that two of them can be compared.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicom_node.codes import STANDARD_DEVIATION
from dicom_node.derived_attributes import COPIED_BY_ALL
from dicom_node.derived_image import Derivation, begin, derived_class, finish
from dicom_node.derived_kinds import SPREAD
from dicom_node.derived_map import add_own_grey_scale
from dicom_node.errors import DerivationError
from dicom_node.image_pixel import ImagePixel, read_image_pixel
from dicom_node.provenance import DerivedPolicy, Provenance
from dicom_node.real_world_values import RealWorldValue, add_real_world_value
from dicom_node.voi import Window

TOP = 65535
WINDOWS = {"0 TO 0.1": Window(3277.0, 6554.0), "FULL RANGE": Window(32768.0, 65536.0)}


def derive_spread(
    source: Dataset,
    spread: npt.NDArray[np.floating],
    provenance: Provenance,
    policy: DerivedPolicy,
    now: datetime,
) -> Dataset:
    """The map of `spread` (H, W), in display units (0…1 across the source's window), on the grid of `source`.

    Raises DerivationError when it is not such a map or the class is another, see `derived.derive` for the rest.
    """
    derived_class(source)
    source_layout = read_image_pixel(source)
    if spread.shape != (source_layout.rows, source_layout.columns):
        raise DerivationError(
            "SPREAD_INVALID", f"expected {source_layout.rows} × {source_layout.columns} pixels, found {spread.shape}"
        )
    if not np.isfinite(spread).all() or spread.min() < 0.0 or spread.max() > 1.0:
        raise DerivationError("SPREAD_INVALID", "expected standard deviations from 0 to 1 display range, found others")
    layout = ImagePixel(source_layout.rows, source_layout.columns, 16, False, "MONOCHROME2")
    derived = begin(source, Derivation(SPREAD, provenance, policy, now), COPIED_BY_ALL)
    derived.DerivationDescription = provenance.description(
        "Uncertainty map: standard deviation over repeated runs of what {method} took away, in units of the display "
        f"range of the original, {TOP} = 1"
    )
    add_own_grey_scale(derived, layout, WINDOWS)
    meaning = RealWorldValue(
        1.0 / TOP, 0.0, "SPREAD", "Standard deviation over seeds, 1 = display range", STANDARD_DEVIATION
    )
    add_real_world_value(derived, layout, meaning)
    return finish(source, derived, source_layout, layout, np.rint(spread.astype(np.float64) * TOP).astype(np.int32))
