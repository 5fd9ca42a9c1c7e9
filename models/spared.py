"""What no residual may change, whichever network named it: dense objects, lines, and everything outside the patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.dense_objects import beside_dense_objects
from models.lines.kept import with_lines_kept
from models.patient import within_patient


def spared(residual: NDArray[np.float32], display: NDArray[np.float32]) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) float32 each in display units, as it may be subtracted."""
    return within_patient(with_lines_kept(beside_dense_objects(residual, display), display), display)
