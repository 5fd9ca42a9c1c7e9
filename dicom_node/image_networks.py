"""The image check's networks: what a coarse picture shows, as probabilities, and whether it is mirrored.

Trained by this project (benchmarks/image_check) and kept beside this module as JSON, in thousandths.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CLASSES = ("frontal", "lateral", "other")
FILE = Path(__file__).with_name("image_networks.json")
THOUSANDTHS = 1000.0
POOLED = 16


@dataclass(frozen=True)
class Perceptron:
    """One hidden layer: weights (256, n), bias (n), weights (n, 3), bias (3)."""

    hidden: Floats
    hidden_bias: Floats
    answer: Floats
    answer_bias: Floats

    def probabilities(self, cells: Floats) -> Floats:
        """(N, 3) probabilities of CLASSES for (N, 256) cells."""
        scores = np.maximum(cells @ self.hidden + self.hidden_bias, 0.0) @ self.answer + self.answer_bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class ImageNetworks:
    """Perceptrons whose mean is the answer, and weights (256) of the mirror score."""

    perceptrons: tuple[Perceptron, ...]
    mirror: Floats

    def probabilities(self, ranks: npt.NDArray[np.floating]) -> Floats:
        """(N, 3) probabilities of CLASSES for (N, 32, 32) ranks, the same for a picture and its mirror image."""
        both = (pooled(ranks), pooled(ranks[:, :, ::-1]))
        answers = [one.probabilities(cells) for one in self.perceptrons for cells in both]
        return np.asarray(np.mean(answers, axis=0))

    def mirror_score(self, ranks: npt.NDArray[np.floating]) -> Floats:
        """(N,) about 1 for a frontal chest as it is shown, about -1 for a mirrored one."""
        return np.asarray(pooled(ranks - ranks[:, :, ::-1]) @ self.mirror)


def pooled(ranks: npt.NDArray[np.floating]) -> Floats:
    """(N, 256) means of 2 × 2 cells of (N, 32, 32) ranks."""
    cells = ranks.reshape(len(ranks), POOLED, 2, POOLED, 2).mean(axis=(2, 4), dtype=np.float64)
    return np.asarray(cells.reshape(len(ranks), -1))


@functools.cache
def shipped_networks() -> ImageNetworks:
    """The networks of this version."""
    kept = json.loads(FILE.read_text())
    names = ("hidden", "hidden_bias", "answer", "answer_bias")
    perceptrons = tuple(Perceptron(*(_weights(one[name]) for name in names)) for one in kept["perceptrons"])
    return ImageNetworks(perceptrons, _weights(kept["mirror"]))


def as_json(networks: ImageNetworks) -> str:
    """The file's text."""
    perceptrons = [
        {name: _integers(value) for name, value in vars(perceptron).items()} for perceptron in networks.perceptrons
    ]
    kept = {"unit": "1/1000", "perceptrons": perceptrons, "mirror": _integers(networks.mirror)}
    return json.dumps(kept, separators=(",", ":")) + "\n"


def _weights(integers: list[int] | list[list[int]]) -> Floats:
    return np.asarray(integers, np.float64) / THOUSANDTHS


def _integers(weights: Floats) -> list[int] | list[list[int]]:
    listed: list[int] | list[list[int]] = np.rint(weights * THOUSANDTHS).astype(int).tolist()
    return listed
