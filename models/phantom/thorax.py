"""The chest's inner surface and the solids that take room from the lungs in it: diaphragm, heart, great vessels, spine.

Every solid answers one question, "where does the ray at (x, y) enter and leave you?", with a z interval; an empty
interval starts where it ends. Lung is what remains of the pleural cavity, so the heart's, aorta's and diaphragm's
silhouettes, the lung behind the heart and the lung behind the domes come out as they do in a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.phantom.geometry import Curve, Floats, through

Interval = tuple[Floats, Floats]

LEFT, RIGHT = 1, -1
"""The patient's sides as signs of x."""

half_width: Curve = through(
    [(52, 72), (72, 86), (86, 97), (100, 107), (122, 119), (150, 130), (178, 138), (206, 143), (235, 147), (258, 149),
     (279, 151), (297, 152), (340, 151), (358, 138), (372, 110)]
)  # fmt: skip
"""Lateral edge of the cavity, mm from the midline, by height; the apex is narrowed further in `PleuralCavity`."""

half_depth: Curve = through(
    [
        (52, 36),
        (72, 50),
        (96, 63),
        (122, 76),
        (150, 87),
        (206, 99),
        (258, 105),
        (300, 104),
        (328, 98),
        (350, 82),
        (372, 50),
    ]
)
mid_depth: Curve = through([(52, 34), (80, 24), (110, 15), (160, 5), (220, 0), (400, 0)])


class Solid(Protocol):
    """Something a ray crosses once."""

    def crossing(self, x: Floats, y: Floats) -> Interval:
        """z where the rays at (x, y) enter and leave, mm."""


def _span(centre: Floats | float, half: Floats) -> Interval:
    return np.asarray(centre - half, np.float32), np.asarray(centre + half, np.float32)


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid, turned in the image plane by `angle` radians (clockwise on the image)."""

    centre: tuple[float, float, float]
    semi: tuple[float, float, float]
    angle: float = 0.0

    def crossing(self, x: Floats, y: Floats) -> Interval:
        dx, dy = x - self.centre[0], y - self.centre[1]
        u = (dx * np.cos(self.angle) + dy * np.sin(self.angle)) / self.semi[0]
        v = (dy * np.cos(self.angle) - dx * np.sin(self.angle)) / self.semi[1]
        return _span(self.centre[2], self.semi[2] * np.sqrt(np.maximum(0.0, 1.0 - u * u - v * v)))


@dataclass(frozen=True)
class Column:
    """An upright vessel or the mediastinal septum: an ellipse whose centre and half-width follow curves of height."""

    middle: Curve
    half: Curve
    z: float
    half_z: float

    def crossing(self, x: Floats, y: Floats) -> Interval:
        u = (x - self.middle(y)) / np.maximum(self.half(y), 1e-3)
        return _span(self.z, np.where(self.half(y) > 0.01, self.half_z * np.sqrt(np.maximum(0.0, 1.0 - u * u)), 0.0))


@dataclass(frozen=True)
class Dome:
    """One half of the diaphragm with what lies below it: half an ellipsoid on an elliptic cylinder.

    `lateral` and `medial` are its half-widths towards the chest wall and the spine.
    """

    side: int
    x: float
    top: float
    height: float
    lateral: float
    medial: float
    z: float
    half_z: float

    def crossing(self, x: Floats, y: Floats) -> Interval:
        out = x * self.side - self.x
        u = np.where(out > 0, out / self.lateral, out / self.medial)
        rise = np.clip(1.0 - (y - self.top) / self.height, 0.0, 1.0)
        return _span(self.z, self.half_z * np.maximum(0.0, 1.0 - rise**2.2 - np.abs(u) ** 2.6) ** 0.42)


@dataclass(frozen=True)
class PleuralCavity:
    """The room of one lung: elliptic cross-sections that close in a dome at the apex, mm."""

    side: int
    apex: float

    def crossing(self, x: Floats, y: Floats) -> Interval:
        shoulder = 112.0
        closing = np.sqrt(np.clip(1.0 - ((shoulder - y) / (shoulder - self.apex)).clip(0.0) ** 2.3, 0.0, 1.0))
        edge, medial = half_width(y), _medial_edge(y)
        u = (x * self.side - (edge + medial) / 2) / np.maximum((edge - medial) / 2 * closing, 1e-3)
        # The lung thins slowly towards the mediastinum, abruptly at the ribs.
        taper = np.where(u > 0, np.abs(u) ** 2.6, np.abs(u) ** 1.9)
        depth = half_depth(y) * np.maximum(0.0, 1.0 - taper) ** 0.48
        return _span(mid_depth(y), np.asarray(depth * closing**0.5, np.float32))


_medial_edge: Curve = through([(50, 13), (80, 14), (110, 11), (160, 5), (240, 5), (285, 24), (310, 30)])

LUNGS: dict[int, PleuralCavity] = {RIGHT: PleuralCavity(RIGHT, 51.0), LEFT: PleuralCavity(LEFT, 53.0)}

DIAPHRAGM: dict[int, Dome] = {
    RIGHT: Dome(RIGHT, x=74.0, top=281.0, height=66.0, lateral=80.0, medial=112.0, z=-14.0, half_z=96.0),
    LEFT: Dome(LEFT, x=80.0, top=297.0, height=56.0, lateral=74.0, medial=105.0, z=-14.0, half_z=95.0),
}

HEART: tuple[Solid, ...] = (
    # Right atrium, right ventricle, left ventricle, pulmonary trunk, ascending aorta, and the aortic arch end-on: the
    # knob.
    Ellipsoid((-11.0, 243.0, -16.0), (32.0, 46.0, 40.0), 0.05),
    Ellipsoid((18.0, 263.0, -18.0), (54.0, 42.0, 44.0), 0.25),
    Ellipsoid((33.0, 248.0, -14.0), (66.0, 40.0, 47.0), 0.84),
    Ellipsoid((19.0, 186.0, -12.0), (23.0, 44.0, 30.0), -0.24),
    Ellipsoid((-7.0, 170.0, -20.0), (25.0, 52.0, 26.0), 0.06),
    Ellipsoid((22.0, 137.0, 20.0), (19.0, 21.0, 38.0)),
    # Superior vena cava, left subclavian artery.
    Column(
        through([(55, -13), (80, -17), (115, -23), (175, -27), (240, -24)]),
        through([(46, 4), (60, 7), (115, 11), (230, 10)]), -6.0, 34.0,
    ),
    Column(
        through([(46, 12), (85, 19), (125, 22), (150, 17)]),
        through([(44, 4), (60, 8), (90, 10), (125, 11), (140, 7), (150, 0)]), 14.0, 34.0,
    ),
)  # fmt: skip
"""Heart and great vessels: they touch, so that only their common outline shows."""

MEDIASTINUM: tuple[Solid, ...] = (
    # Septum from sternum to spine, spine with paraspinal tissue, descending aorta.
    Column(through([(0, 0), (400, 0)]), through([(50, 20), (90, 21), (140, 20), (190, 12), (300, 10)]), 0.0, 150.0),
    Column(through([(0, 0), (400, 1)]), through([(50, 25), (120, 21), (200, 21), (300, 25)]), 78.0, 40.0),
    Column(
        through([(118, 25), (150, 27), (300, 16)]),
        through([(119, 0), (121, 4), (125, 8), (131, 11), (145, 13), (400, 11)]), 46.0, 15.0,
    ),
    *HEART,
)  # fmt: skip


def solids(side: int) -> tuple[Solid, ...]:
    """Everything that takes room from the lung of one side."""
    return (*MEDIASTINUM, DIAPHRAGM[side])
