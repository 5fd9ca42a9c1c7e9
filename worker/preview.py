"""Small pictures of a result for the admin page: what was there, what is left, what was taken away.

They are for the screen alone (8 bits, at most 1024 px); the delivered image never passes through them.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_SIDE = 1024


def previews(source: NDArray[np.float32], residual: NDArray[np.float32]) -> tuple[bytes, bytes, bytes]:
    """PNG bytes of (source, soft tissue, bone residual).

    source, residual: (H, W) float32 in display units, bright = dense. The bone residual is shown on grey, so that what
    was added back (negative) can be told from what was taken away.
    """
    return _png(source), _png(source - residual), _png(0.5 + residual)


def _png(display: NDArray[np.float32]) -> bytes:
    picture = Image.fromarray(np.rint(np.clip(display, 0.0, 1.0) * 255.0).astype(np.uint8))
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    target = BytesIO()
    picture.save(target, format="PNG")
    return target.getvalue()
