"""The lungs' vessels: trees that fill the lung from its hilum, calibres by Murray's law.

A tree serves a cloud of points scattered through the lung. Point by point, the one that costs least is joined to the tree, where
cost is the new piece's length plus a share of the way from there to the root (Cuntz et al. 2010): a compromise between little material and direct
supply, which is what makes the vessels radiate. Arteries and veins serve different clouds from different roots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numpy.typing import NDArray

from models.phantom.geometry import Floats, Grid
from models.phantom.lungs import in_lung
from models.phantom.projection import add_round_tubes
from models.phantom.thorax import LEFT, RIGHT

MURRAY = 2.7
"""Exponent that ties a parent's calibre to its children's (r^k = r1^k + r2^k); measured values lie between 2.3 and 3."""
BALANCE = 0.32
"""Share of the way to the root in a connection's cost."""
DEPTH_COST = 1.7
"""Front-to-back distances count this much more: in the flattened periphery of a lobe vessels keep to its plane."""
SMOOTHING = 8
PIECES = 4
"""Straight pieces per branch."""


@dataclass(frozen=True)
class Trunk:
    """A vessel at the hilum: its course as (x, y, z) points in mm, radii at both ends, and the part of the lung it serves."""

    side: int
    course: tuple[tuple[float, float, float], ...]
    radii: tuple[float, float]
    levels: tuple[float, float]
    """Heights (mm) between which its targets lie."""
    targets: int


TRUNKS: tuple[Trunk, ...] = (
    # Pulmonary arteries: right interlobar and truncus anterior, left descending and apical.
    Trunk(RIGHT, ((-20, 182, -5), (-38, 186, 2), (-46, 200, 8), (-50, 216, 12)), (7.6, 6.0), (185, 350), 780),
    Trunk(RIGHT, ((-24, 180, -5), (-38, 171, -6), (-47, 160, -6)), (5.8, 4.4), (50, 200), 495),
    Trunk(LEFT, ((24, 172, 0), (40, 168, 10), (50, 178, 20), (54, 200, 20)), (8.2, 6.0), (175, 350), 720),
    Trunk(LEFT, ((36, 168, 4), (45, 158, 4), (51, 148, 2)), (5.2, 4.2), (50, 195), 480),
    # Pulmonary veins: the lower ones nearly level to the left atrium, the upper ones before the arteries.
    Trunk(RIGHT, ((-18, 215, 18), (-36, 221, 18), (-50, 227, 16)), (6.6, 4.8), (205, 350), 495),
    Trunk(RIGHT, ((-20, 200, 4), (-36, 192, -14), (-46, 178, -22)), (5.8, 4.2), (50, 215), 390),
    Trunk(LEFT, ((28, 214, 18), (42, 220, 20), (55, 228, 20)), (6.2, 4.6), (205, 350), 450),
    Trunk(LEFT, ((28, 198, 6), (42, 189, -12), (51, 176, -20)), (5.6, 4.2), (50, 215), 390),
)


def add_vessels(canvas: Floats, grid: Grid, rng: np.random.Generator) -> None:
    """Adds the path length in mm of blood inside both lungs, trunks included."""
    ends: list[Floats] = []
    radii: list[Floats] = []
    for trunk in TRUNKS:
        course = np.array(trunk.course, np.float32)
        along = np.linspace(0.0, len(course) - 1.0, 24)
        line = np.stack([np.interp(along, np.arange(len(course)), column) for column in course.T], axis=1)
        ends.append(np.stack([line[:-1], line[1:]], axis=1).astype(np.float32))
        radii.append(np.linspace(*trunk.radii, len(line) - 1, dtype=np.float32))
        nodes, parent = _tree(course[-1], _targets(trunk, rng))
        branches, calibre = _branches(nodes, parent, trunk.radii[1])
        ends.append(branches)
        radii.append(calibre)
    add_round_tubes(canvas, grid, np.concatenate(ends), np.concatenate(radii))


def _targets(trunk: Trunk, rng: np.random.Generator) -> Floats:
    """Points in the lung, evenly scattered but thinned towards the upper zones (upright perfusion favours the bases)."""
    found: list[Floats] = []
    count = 0
    while count < trunk.targets:
        box = rng.uniform((2.0, trunk.levels[0], -80.0), (158.0, trunk.levels[1], 90.0), (4000, 3)).astype(np.float32)
        box[:, 0] *= trunk.side
        hilum = np.linalg.norm(box - np.array(trunk.course[-1], np.float32), axis=1)
        keep = in_lung(box, trunk.side, 3.0) & (rng.uniform(0, 1, 4000) < np.exp(-hilum / 190.0)) & (hilum > 12.0)
        found.append(box[keep])
        count += int(keep.sum())
    return np.concatenate(found)[: trunk.targets]


def _tree(root: Floats, cloud: Floats) -> tuple[Floats, NDArray[np.int_]]:
    """Nodes (n, 3) with the root first, and each node's parent (the root's is itself)."""
    nodes = np.concatenate([root[None], cloud])
    metric = np.array([1.0, 1.0, DEPTH_COST], np.float32)
    nodes = nodes * metric
    count = len(nodes)
    parent = np.zeros(count, int)
    path = np.zeros(count, np.float32)
    best = np.linalg.norm(nodes - nodes[0], axis=1)
    cost = (1.0 + BALANCE) * best
    cost[0] = np.inf
    for _ in range(count - 1):
        new = int(np.argmin(cost))
        path[new] = path[parent[new]] + np.linalg.norm(nodes[new] - nodes[parent[new]])
        cost[new] = np.inf
        apart = np.linalg.norm(nodes - nodes[new], axis=1)
        offered = apart + BALANCE * (path[new] + apart)
        better = (offered < cost) & np.isfinite(cost)
        cost[better], parent[better] = offered[better], new
    # Straighten: every node drifts towards the middle of its parent and its children.
    for _ in range(SMOOTHING):
        pull, weight = nodes[parent].copy(), np.ones((count, 1), np.float32)
        np.add.at(pull, parent[1:], nodes[1:])
        np.add.at(weight, parent[1:], 1.0)
        inner = weight[:, 0] > 1
        inner[0] = False
        nodes[inner] += 0.5 * (pull / weight - nodes)[inner]
    return nodes / metric, parent


def _branches(nodes: Floats, parent: NDArray[np.int_], radius: float) -> tuple[Floats, Floats]:
    """Straight pieces (m, 2, 3) and radii (m,) in mm: each branch a curve that leaves in its parent's direction."""
    count = len(nodes)
    ancestors = np.arange(count)
    served = np.ones(count)
    # Leaves served: walk every node's ancestors at once, one generation a turn.
    while np.any(ancestors != 0):
        ancestors = parent[ancestors]
        np.add.at(served, ancestors[ancestors != 0], 1.0)
    calibre = np.maximum(radius * (served / count) ** (1.0 / MURRAY), 0.24).astype(np.float32)
    first, last = nodes[parent[1:]], nodes[1:]
    incoming = first - nodes[parent[parent[1:]]]
    incoming /= np.linalg.norm(incoming, axis=1, keepdims=True) + 1e-6
    length = np.linalg.norm(last - first, axis=1, keepdims=True)
    control = 0.5 * (first + last) + 0.22 * length * (incoming - (last - first) / (length + 1e-6))
    t = np.linspace(0.0, 1.0, PIECES + 1, dtype=np.float32)[:, None, None]
    line = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
    from_radius = np.where(parent[1:] == 0, radius, calibre[parent[1:]])
    start = np.minimum(from_radius, 1.25 * calibre[1:])
    part = ((np.arange(PIECES) + 0.5) / PIECES)[:, None]
    radii = start + (calibre[1:] - start) * part
    ends = np.stack([line[:-1], line[1:]], axis=2).reshape(-1, 2, 3)
    return ends.astype(np.float32), radii.reshape(-1).astype(np.float32)
