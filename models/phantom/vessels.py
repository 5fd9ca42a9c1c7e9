"""The lungs' vessels: trees that fill the lung from its hilum, calibres by Murray's law.

A tree serves a cloud of points scattered through the lung. Point by point, the one that costs least is joined to the
tree, where cost is the new piece's length plus a share of the way from there to the root (Cuntz et al. 2010): a
compromise between little material and direct supply, which is what makes the vessels radiate. Arteries and veins
serve different clouds from different roots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.phantom.geometry import Floats, Grid
from models.phantom.lungs import in_lung
from models.phantom.projection import add_round_tubes
from models.phantom.thorax import LEFT, RIGHT

MURRAY = 2.9
"""Exponent that ties a parent's calibre to its children's (r^k = r1^k + r2^k); measured values lie between 2.3 and
3."""
BALANCE = 0.5
"""Share of the way to the root in a connection's cost."""
DEPTH_COST = 0.5
"""Front-to-back distances count this much: branches follow the spread of a lobe in the image plane."""
FLATTENING = 0.45
"""Depths are drawn in this proportion about the hilum, which keeps most branches from running along the beam."""
SMOOTHING = 10
PIECES = 4
"""Straight pieces per branch."""


@dataclass(frozen=True)
class Trunk:
    """A vessel at the hilum: its course as (x, y, z) points in mm, radii at both ends, and the part of the lung it
    serves."""

    side: int
    course: tuple[tuple[float, float, float], ...]
    radii: tuple[float, float]
    levels: tuple[float, float]
    """Heights (mm) between which its targets lie."""
    targets: int


TRUNKS: tuple[Trunk, ...] = (
    # Pulmonary arteries: right interlobar and truncus anterior, left descending and apical.
    Trunk(RIGHT, ((-32, 184, 0), (-41, 190, 4), (-46, 202, 8), (-49, 214, 10)), (8.0, 6.2), (185, 350), 900),
    Trunk(RIGHT, ((-32, 176, -5), (-40, 168, -6), (-46, 158, -6)), (5.4, 4.2), (50, 200), 495),
    Trunk(LEFT, ((32, 169, 6), (43, 169, 12), (51, 180, 16), (55, 202, 16)), (8.6, 6.0), (175, 350), 840),
    Trunk(LEFT, ((38, 166, 4), (45, 158, 4), (51, 148, 2)), (5.2, 4.2), (50, 195), 480),
    # Pulmonary veins: the lower ones nearly level to the left atrium, the upper ones before the arteries.
    Trunk(RIGHT, ((-34, 219, 14), (-44, 223, 14), (-54, 227, 14)), (6.2, 4.9), (205, 350), 620),
    Trunk(RIGHT, ((-34, 193, -8), (-41, 184, -12), (-47, 174, -14)), (5.4, 4.2), (50, 215), 390),
    Trunk(LEFT, ((44, 219, 14), (52, 222, 14), (60, 227, 14)), (6.0, 4.7), (205, 350), 580),
    Trunk(LEFT, ((40, 190, -8), (46, 182, -12), (52, 172, -14)), (5.4, 4.2), (50, 215), 390),
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
    """Points in the lung, evenly scattered but thinned towards the upper zones (upright perfusion favours the
    bases)."""
    found: list[Floats] = []
    count = 0
    while count < trunk.targets:
        box = rng.uniform((2.0, trunk.levels[0], -80.0), (158.0, trunk.levels[1], 90.0), (4000, 3)).astype(np.float32)
        box[:, 0] *= trunk.side
        hilum = np.linalg.norm(box - np.array(trunk.course[-1], np.float32), axis=1)
        keep = in_lung(box, trunk.side, 3.0) & (rng.uniform(0, 1, 4000) < np.exp(-hilum / 500.0)) & (hilum > 12.0)
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
    nodes /= metric
    nodes[:, 2] = nodes[0, 2] + FLATTENING * (nodes[:, 2] - nodes[0, 2])
    return nodes, parent


def _branches(nodes: Floats, parent: NDArray[np.int_], radius: float) -> tuple[Floats, Floats]:
    """Straight pieces (m, 2, 3) and radii (m,) in mm: each branch a curve that leaves in its parent's direction."""
    count = len(nodes)
    ancestors = np.arange(count)
    served = np.ones(count)
    # Leaves served: walk every node's ancestors at once, one generation a turn.
    while np.any(ancestors != 0):
        ancestors = parent[ancestors]
        np.add.at(served, ancestors[ancestors != 0], 1.0)
    calibre = np.maximum(radius * (served / count) ** (1.0 / MURRAY), 0.30).astype(np.float32)
    first, last = nodes[parent[1:]], nodes[1:]
    incoming = first - nodes[parent[parent[1:]]]
    incoming /= np.linalg.norm(incoming, axis=1, keepdims=True) + 1e-6
    length = np.linalg.norm(last - first, axis=1, keepdims=True)
    control = 0.5 * (first + last) + 0.12 * length * (incoming - (last - first) / (length + 1e-6))
    t = np.linspace(0.0, 1.0, PIECES + 1, dtype=np.float32)[:, None, None]
    line = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
    from_radius = np.where(parent[1:] == 0, radius, calibre[parent[1:]])
    start = np.minimum(from_radius, 1.08 * calibre[1:])
    part = ((np.arange(PIECES) + 0.5) / PIECES)[:, None]
    radii = start + (calibre[1:] - start) * part
    ends = np.stack([line[:-1], line[1:]], axis=2).reshape(-1, 2, 3)
    return ends.astype(np.float32), radii.reshape(-1).astype(np.float32)
