"""How much a derived image differs from its source: the figures that the report carries.

They are measured where the pixels are (worker.quality) and written down here without them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class QualityFigures:
    """Figures of one derived image; percent is of the whole image for a share, of the display range for a change.

    None is a figure that could not be measured: no pixel outside the patient, no fine structure, one seed only.
    """

    changed_share_percent: float
    """How much of the image changed visibly."""
    mean_change_percent: float
    """The mean absolute change."""
    largest_change_percent: float
    """The largest absolute change."""
    largest_change_outside_percent: float | None = None
    """The largest absolute change where no patient is; anything but zero is a fault."""
    fine_structure_correlation: float | None = None
    """−1…1: whether the fine structure of the source is still there; 1 where nothing fine was changed."""
    mean_spread_percent: float | None = None
    """The mean standard deviation over the sampler's seeds."""

    def __post_init__(self) -> None:
        """Refuse what could not be written as a number."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"expected a finite number for {field.name}, found {value}")
