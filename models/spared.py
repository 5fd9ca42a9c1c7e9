"""What no residual may change, whichever network named it: dense objects, lines, and everything outside the patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.dense_objects import beside_dense_objects
from models.lines.kept import keeps_lines, with_lines_kept
from models.patient import within_patient


def spared(residual: NDArray[np.float32], display: NDArray[np.float32], architecture: str) -> NDArray[np.float32]:
    """`residual` of the radiograph `display`, (H, W) float32 each in display units, as it may be subtracted.

    `architecture`: of the model that named it (`models.suppressor.ModelIdentity`); not every one's lines can be told
    from bone.
    """
    kept = beside_dense_objects(residual, display)
    if keeps_lines(architecture):
        kept = with_lines_kept(kept, display)
    return within_patient(kept, display)
