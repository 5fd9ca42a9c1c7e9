"""Things that are no chest, drawn from random solids: limbs, hands, skulls, bellies, spines, shoulders, test objects.

Real examples of them are few; what the check must learn from these is how much else there is than a chest. Bodies are
path lengths, air is dark.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.image_check.real import Sample

SIDE = 128
Floats = npt.NDArray[np.float64]


def drawn_things(each: int, seed: int) -> list[Sample]:
    """`each` of every kind."""
    rng = np.random.default_rng(seed)
    return [
        Sample(f"{kind} {index}", kind, np.asarray(draw(rng), np.float32))
        for kind, draw in KINDS.items()
        for index in range(each)
    ]


def drawn_chests(each: int, seed: int) -> list[Sample]:
    """Frontal chests of the same kind, so that being drawn is no sign of being no chest."""
    rng = np.random.default_rng(seed)
    return [Sample(f"drawn chest {n}", "drawn chest", _chest(rng).astype(np.float32)) for n in range(each)]


def empty_exposures(each: int, seed: int) -> list[Sample]:
    """Detector noise, an even field, a field with heel effect, a field inside a collimator, a gain line."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(each):
        noise = rng.normal(0.0, rng.uniform(0.002, 0.2), (SIDE * 4, SIDE * 4))
        tilt = rng.uniform(-0.5, 0.5, 2)
        y4, x4 = np.mgrid[-1 : 1 : SIDE * 4j, -1 : 1 : SIDE * 4j]
        heel = tilt[0] * y4 + tilt[1] * x4 + rng.uniform(-0.3, 0.3) * y4**2
        lines = rng.normal(0.0, 0.02, SIDE * 4)[None, :]
        for kind, picture in (
            ("noise", noise),
            ("even", noise * 0.0 + 0.5 + rng.normal(0, 1e-4, noise.shape)),
            ("heel", heel + 0.1 * noise),
            ("gain", heel + lines + 0.1 * noise),
        ):
            made.append(Sample(f"{kind} {index}", "empty", picture.astype(np.float32)))
    return made


def _grid() -> tuple[Floats, Floats]:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    return y, x


def _ellipse(centre: tuple[float, float], semi: tuple[float, float], angle: float = 0.0) -> Floats:
    """Path lengths through an ellipsoid, 0 to 1; `centre` and `semi` as (x, y) in half fields."""
    y, x = _grid()
    u = ((x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)) / semi[0]
    v = ((y - centre[1]) * np.cos(angle) - (x - centre[0]) * np.sin(angle)) / semi[1]
    return np.asarray(np.sqrt(np.maximum(0.0, 1.0 - u * u - v * v)))


def _tube(start: tuple[float, float], end: tuple[float, float], radius: float, flare: float = 0.0) -> Floats:
    """Path lengths through a tube, wider at its ends by `flare`."""
    y, x = _grid()
    run = np.array(end) - np.array(start)
    t = np.clip(((x - start[0]) * run[0] + (y - start[1]) * run[1]) / (run @ run), 0, 1)
    away = np.hypot(x - start[0] - t * run[0], y - start[1] - t * run[1])
    wide = radius * (1 + flare * (2 * t - 1) ** 4)
    return np.asarray(np.sqrt(np.maximum(0.0, wide**2 - away**2)))


def _limb(rng: np.random.Generator) -> Floats:
    angle = rng.uniform(-0.3, 0.3) + rng.choice([0.0, np.pi / 2], p=[0.8, 0.2])
    way = np.array([np.sin(angle), np.cos(angle)]) * 1.6
    side = np.array([way[1], -way[0]]) / 1.6
    middle = rng.uniform(-0.3, 0.3, 2)
    thick = rng.uniform(0.2, 0.7)
    flesh = _tube(tuple(middle - way), tuple(middle + way), thick, rng.uniform(-0.3, 0.6))
    bones = np.zeros_like(flesh)
    joint = middle + way * rng.uniform(-0.3, 0.3)
    for offset in rng.choice([0.0, 0.3, -0.3], rng.integers(1, 3), replace=False):
        at = side * offset * thick
        bone = thick * rng.uniform(0.2, 0.4)
        bones += _tube(tuple(middle - way + at), tuple(joint + at), bone, rng.uniform(0, 1))
        bones += _tube(tuple(joint + at), tuple(middle + way + at), bone, rng.uniform(0, 1))
    return flesh + rng.uniform(0.5, 3.0) * bones


def _hand(rng: np.random.Generator) -> Floats:
    made = 0.6 * _ellipse((0.0, 0.3), (0.45, 0.45))
    turn = rng.uniform(-0.2, 0.2)
    for finger in range(-2, 3):
        reach = rng.uniform(0.7, 1.0) - 0.08 * finger**2
        tip = (0.26 * finger + turn, 0.1 - reach)
        base = (0.17 * finger, 0.4)
        made += 1.3 * _tube(base, tip, 0.1) + 2.5 * _tube(base, tip, 0.045, 0.8)
    return made + _tube((-0.12, 0.4), (-0.15, 1.4), 0.12) + _tube((0.12, 0.4), (0.15, 1.4), 0.12)


def _skull(rng: np.random.Generator) -> Floats:
    centre = (rng.uniform(-0.15, 0.15), rng.uniform(-0.3, 0.1))
    semi = (rng.uniform(0.55, 0.9), rng.uniform(0.6, 0.85))
    inner = (semi[0] * 0.92, semi[1] * 0.92)
    made = _ellipse(centre, semi) + 2.5 * (_ellipse(centre, semi) - 0.95 * _ellipse(centre, inner))
    made += rng.uniform(0.4, 1.2) * _ellipse((centre[0], centre[1] + semi[1] * 0.7), (semi[0] * 0.7, 0.35))
    for eye in (-0.3, 0.3):
        made -= rng.uniform(0.0, 0.5) * _ellipse((centre[0] + eye, centre[1] + 0.3 * semi[1]), (0.17, 0.14))
    return made + 0.8 * _tube((centre[0], 0.5), (centre[0], 1.5), 0.3)


def _belly(rng: np.random.Generator) -> Floats:
    wide = rng.uniform(0.7, 1.2)
    made = 1.2 * _ellipse((0.0, rng.uniform(-0.2, 0.2)), (wide, rng.uniform(1.2, 2.0)))
    made += rng.uniform(0.15, 0.6) * _column(rng, 0.0, 0.14)
    for hip in (-1, 1):
        made += rng.uniform(0.0, 0.5) * _ellipse((0.55 * hip, rng.uniform(0.6, 1.0)), (0.4, 0.45), 0.5 * hip)
    for _ in range(rng.integers(3, 14)):
        gas = rng.uniform(0.05, 0.2, 2)
        made -= rng.uniform(0.1, 0.45) * _ellipse(tuple(rng.uniform(-0.65, 0.65, 2)), tuple(gas), rng.uniform(0, 3))
    return made


def _pelvis(rng: np.random.Generator) -> Floats:
    made = 1.1 * _ellipse((0.0, 0.0), (rng.uniform(0.9, 1.3), rng.uniform(1.0, 1.6)))
    made += 0.4 * _column(rng, 0.0, 0.16, bottom=0.1)
    for side in (-1, 1):
        made += 0.5 * _ellipse((0.55 * side, -0.25), (0.35, 0.5), 0.5 * side)
        made += 0.6 * _ellipse((0.62 * side, 0.35), (0.17, 0.17)) + 1.2 * _tube(
            (0.7 * side, 0.4), (0.75 * side, 1.5), 0.12
        )
        made -= rng.uniform(0.0, 0.4) * _ellipse((0.18 * side, 0.6), (0.13, 0.1))
    return made - rng.uniform(0.0, 0.3) * _ellipse((0.0, 0.05), (0.3, 0.25))


def _spine(rng: np.random.Generator) -> Floats:
    """A spine from the front or, off centre and bent, from the side."""
    lateral = rng.random() < 0.5
    at = rng.uniform(-0.5, 0.5) if lateral else rng.uniform(-0.1, 0.1)
    made = rng.uniform(0.4, 1.0) * _ellipse((at * 0.5, 0.0), (rng.uniform(0.6, 1.5), rng.uniform(1.3, 2.5)))
    made += rng.uniform(0.4, 1.2) * _column(rng, at, rng.uniform(0.12, 0.3), bend=rng.uniform(-0.3, 0.3) * lateral)
    y, _ = _grid()
    return made * (1 + rng.uniform(-0.4, 0.4) * y)


def _shoulder(rng: np.random.Generator) -> Floats:
    side = rng.choice([-1.0, 1.0])
    made = 1.0 * _ellipse((-0.3 * side, 0.4), (0.9, 0.9)) + 0.7 * _ellipse((-0.2 * side, 0.0), (0.7, 0.6))
    made += 0.8 * _ellipse((0.25 * side, -0.15), (0.22, 0.24)) + 1.5 * _tube((0.3 * side, 0.0), (0.5 * side, 1.5), 0.13)
    made += 1.5 * _tube((-1.2 * side, -0.35), (0.1 * side, -0.4), 0.07)
    made -= rng.uniform(0.0, 0.8) * _ellipse((-0.75 * side, 0.5), (0.35, 0.6))
    return made


def _neck(rng: np.random.Generator) -> Floats:
    made = 0.8 * _tube((0.0, -1.5), (0.0, 0.3), rng.uniform(0.35, 0.5)) + _ellipse((0.0, 1.0), (1.2, 0.6))
    made += 0.7 * _column(rng, 0.0, 0.15) + rng.uniform(0, 1) * _ellipse((0.0, -1.0), (0.6, 0.5))
    return made - rng.uniform(0, 0.3) * _tube((0.0, -0.3), (0.0, 1.5), 0.07)


def _breast(rng: np.random.Generator) -> Floats:
    side = rng.choice([-1.0, 1.0])
    y, x = _grid()
    made = _ellipse((side * 1.0, rng.uniform(-0.2, 0.2)), (rng.uniform(0.8, 1.5), rng.uniform(0.7, 1.0)))
    return made * (1 + 0.3 * rng.random() * x * side) + 0.5 * np.maximum(0, x * side - y - rng.uniform(0.9, 1.4))


def _lateral(rng: np.random.Generator) -> Floats:
    """A chest from the side: dark before and behind the heart, the spine at the back, the diaphragm below."""
    side = rng.choice([-1.0, 1.0])
    made = _ellipse((0.0, 0.2), (rng.uniform(0.65, 1.0), rng.uniform(1.1, 1.8)))
    made += 0.35 * _column(rng, 0.6 * side, 0.13, bend=rng.uniform(-0.1, 0.1))
    made -= rng.uniform(0.3, 0.6) * _ellipse((0.05 * side, -0.1), (0.55, 0.75), 0.2 * side)
    made += rng.uniform(0.2, 0.5) * _ellipse((-0.2 * side, 0.3), (0.35, 0.3))
    made += rng.uniform(0.2, 0.7) * _ellipse((0.0, rng.uniform(0.9, 1.2)), (0.9, 0.45))
    return made + rng.uniform(0.0, 0.8) * _ellipse((-0.1 * side, -1.0), (0.6, 0.5))


def _chest(rng: np.random.Generator) -> Floats:
    """A chest from the front: two dark lungs, the heart between them and to one side, the spine, the diaphragm."""
    wide = rng.uniform(0.85, 1.1)
    made = _ellipse((0.0, rng.uniform(0.1, 0.4)), (wide, rng.uniform(1.0, 1.6)))
    for side in (-1, 1):
        lung = (rng.uniform(0.26, 0.34), rng.uniform(0.5, 0.65))
        made -= rng.uniform(0.3, 0.6) * _ellipse((0.42 * side * wide, rng.uniform(-0.2, 0.0)), lung, -0.1 * side)
    made += rng.uniform(0.1, 0.5) * _column(rng, 0.0, 0.11) + rng.uniform(0.1, 0.4) * _tube((0, -0.6), (0, 0.5), 0.16)
    made += rng.uniform(0.1, 0.4) * _ellipse((0.15, 0.25), (0.32, 0.27), 0.4)
    return made + rng.uniform(0.2, 0.6) * _ellipse((0.0, rng.uniform(0.9, 1.2)), (0.9, 0.5))


def _test_object(rng: np.random.Generator) -> Floats:
    y, x = _grid()
    made = np.full_like(x, 0.3)
    for _ in range(rng.integers(1, 12)):
        left, top = rng.uniform(-1, 0.8, 2)
        wide, high = rng.uniform(0.05, 1.2, 2)
        box = (x > left) & (x < left + wide) & (y > top) & (y < top + high)
        made = made + box * rng.uniform(-0.3, 0.8)
    return made + 0.3 * np.sin(rng.uniform(3, 40) * x) * (rng.random() < 0.3)


def _blobs(rng: np.random.Generator) -> Floats:
    """Smooth random structure of any coarseness."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    shaped = np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / (frequency + 0.004) ** rng.uniform(0.8, 2.2)
    return np.asarray(np.real(np.fft.ifft2(shaped)))


def _field(rng: np.random.Generator) -> Floats:
    """An empty field inside a collimator, or what little of a body reaches into it."""
    y, x = _grid()
    wide, high = rng.uniform(0.3, 0.95, 2)
    inside = (abs(x - rng.uniform(-0.2, 0.2)) < wide) & (abs(y - rng.uniform(-0.2, 0.2)) < high)
    outside = rng.choice([-1.0, 1.0])
    edge = 0.5 * (_ellipse((rng.choice([-1.0, 1.0]), rng.uniform(-1, 1)), tuple(rng.uniform(0.2, 0.7, 2))))
    return np.where(inside, 0.1 * x * rng.normal() + edge * (rng.random() < 0.6), outside)


def _column(rng: np.random.Generator, at: float, radius: float, bend: float = 0.0, bottom: float = 1.5) -> Floats:
    made = np.zeros((SIDE, SIDE))
    step = radius * rng.uniform(1.1, 1.6)
    y = -1.2
    while y < bottom:
        made += _ellipse((at + bend * np.cos(2 * y), y), (radius, step * 0.55))
        y += step
    return made


KINDS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "drawn limb": _limb,
    "drawn hand": _hand,
    "drawn skull": _skull,
    "drawn belly": _belly,
    "drawn pelvis": _pelvis,
    "drawn spine": _spine,
    "drawn shoulder": _shoulder,
    "drawn neck": _neck,
    "drawn breast": _breast,
    "drawn lateral": _lateral,
    "drawn test object": _test_object,
    "drawn blobs": _blobs,
    "drawn field": _field,
}
