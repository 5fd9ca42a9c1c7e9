"""Making a tabulated curve strictly monotone, so that it has one inverse.

VOI LUTs are flat at their ends, repeat entries where they were rounded, and dip by a unit or two; all of that is mended
here without moving the curve by more than its own rounding. A curve that really turns back has no inverse.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]
TOLERATED_RETURN = 0.02  # of the whole rise: what rounding and noise may cost


def strictly_monotone(curve: Curve) -> Curve | None:
    """(N,) strictly rising or falling, flat ends continued along the mean slope; None when the curve has no inverse."""
    if len(curve) < 2 or not np.isfinite(curve).all():
        return None
    steps = np.diff(curve)
    if np.all(steps > 0) or np.all(steps < 0):
        return curve
    rise, fall = steps[steps > 0].sum(), -steps[steps < 0].sum()
    if min(rise, fall) > TOLERATED_RETURN * max(rise, fall) or rise == fall:
        return None
    sign = 1.0 if rise > fall else -1.0
    risen = _without_dips(sign * curve)
    mended = _without_plateaus(risen)
    return sign * mended if np.all(np.diff(mended) > 0) else None


def _without_dips(curve: Curve) -> Curve:
    from_left: Curve = np.maximum.accumulate(curve)
    from_right: Curve = np.minimum.accumulate(curve[::-1])[::-1]
    return np.asarray((from_left + from_right) / 2.0)


def _without_plateaus(curve: Curve) -> Curve:
    starts = np.flatnonzero(np.concatenate(([True], np.diff(curve) > 0)))
    ends = np.concatenate((starts[1:], [len(curve)])) - 1
    if len(starts) < 2:
        return curve
    knots = (starts + ends) / 2.0
    knots[0], knots[-1] = ends[0], starts[-1]  # the flat toe and shoulder are continued, not bent
    levels = curve[starts]
    positions = np.arange(len(curve), dtype=np.float64)
    between = np.interp(positions, knots, levels)
    slope = (levels[-1] - levels[0]) / (knots[-1] - knots[0])
    beyond = np.minimum(positions - knots[0], 0.0) + np.maximum(positions - knots[-1], 0.0)
    return np.asarray(between + slope * beyond)
