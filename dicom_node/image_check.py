"""What does the picture itself show? A frontal chest, a lateral one, something else, or nothing; inverted, turned.

For what the header leaves unknown, and as a safety net for headers that are wrong. Three small networks and two plain
statistics over a coarse, ranked picture; their error rates, and how they were measured, stand in docs/gate.md.
Pure: pixels in, verdict out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dicom_node.coarse_image import CoarseImage, coarse_image
from dicom_node.image_networks import ImageNetworks, shipped_networks
from dicom_node.polarity import SUSPECT_BELOW, polarity_score

# Real radiographs have at least 0.117, exposures without a patient at most 0.03 (docs/gate.md).
EMPTY_BELOW = 0.06
# Below it a picture plainly is no frontal chest: no real one was, with networks that had not seen its patient.
REFUTED_BELOW = 0.02
# From it on a picture is taken for a frontal chest where nothing else says so.
CONFIRMED_FROM = 0.1
# A picture is turned when what it becomes by putting it right is a chest, and so many times more than what it is now.
PUT_RIGHT_FROM = 0.5
PUT_RIGHT_TIMES = 3.0
MIRRORED_BELOW = -0.6


class ImageKind(StrEnum):
    """What a picture shows."""

    FRONTAL_CHEST = "FRONTAL_CHEST"
    MIRRORED = "MIRRORED"  # a frontal chest whose heart seems to lie on the right: noted, never refused
    LATERAL_CHEST = "LATERAL_CHEST"
    NOT_CHEST = "NOT_CHEST"
    TURNED = "TURNED"  # a frontal chest that lies on its side or head
    EMPTY_EXPOSURE = "EMPTY_EXPOSURE"
    INVERTED_POLARITY = "INVERTED_POLARITY"
    UNSURE = "UNSURE"


@dataclass(frozen=True)
class ImageScores:
    """What the verdict rests on.

    `frontal`, `lateral`, `other`: probabilities, about, that sum to 1. `turned`: the highest `frontal` of the picture
    turned by 90, 180 or 270 degrees; `inverted`: that of its negative. `polarity`: positive when bone is bright.
    `mirror`: about 1, or -1 for a mirrored chest. `structure`: share of the range that is shape; 0 with all others 0
    when too little of the picture is valid to say anything.
    """

    frontal: float = 0.0
    lateral: float = 0.0
    other: float = 0.0
    turned: float = 0.0
    inverted: float = 0.0
    polarity: float = 0.0
    mirror: float = 0.0
    structure: float = 0.0

    @classmethod
    def of(cls, coarse: CoarseImage, polarity: float, networks: ImageNetworks) -> ImageScores:
        """The scores that `networks` give a coarse picture and its polarity score."""
        ranks = coarse.ranks
        views = np.stack([ranks, -ranks, *(np.rot90(ranks, quarter) for quarter in (1, 2, 3))])
        probabilities = networks.probabilities(views)
        frontal, lateral, other = (float(one) for one in probabilities[0])
        return cls(
            frontal=frontal,
            lateral=lateral,
            other=other,
            turned=float(probabilities[2:, 0].max()),
            inverted=float(probabilities[1, 0]),
            polarity=polarity,
            mirror=float(networks.mirror_score(ranks[None])[0]),
            structure=coarse.structure,
        )


@dataclass(frozen=True)
class ImageVerdict:
    """What the picture shows, and by which scores."""

    kind: ImageKind
    scores: ImageScores


def check_image(display: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_] | None = None) -> ImageVerdict:
    """What (H, W) `display`, meant to be bone bright, shows; only `valid` pixels count. Any range, any window."""
    scores = image_scores(display, valid)
    return ImageVerdict(kind_of(scores), scores)


def image_scores(display: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_] | None = None) -> ImageScores:
    """The scores of a picture; all 0 when it is too small or too little of it is valid."""
    coarse = coarse_image(display, valid)
    if coarse is None:
        return ImageScores()
    return ImageScores.of(coarse, polarity_score(display, valid), shipped_networks())


def kind_of(scores: ImageScores) -> ImageKind:
    """What scores say that a picture shows."""
    if scores.structure < EMPTY_BELOW:
        return ImageKind.EMPTY_EXPOSURE
    if _looks_inverted(scores):
        return ImageKind.INVERTED_POLARITY
    if scores.turned >= PUT_RIGHT_FROM and scores.turned > PUT_RIGHT_TIMES * scores.frontal:
        return ImageKind.TURNED
    if scores.frontal >= CONFIRMED_FROM:
        return ImageKind.MIRRORED if scores.mirror < MIRRORED_BELOW else ImageKind.FRONTAL_CHEST
    if scores.frontal >= REFUTED_BELOW:
        return ImageKind.UNSURE
    return ImageKind.LATERAL_CHEST if scores.lateral > scores.other else ImageKind.NOT_CHEST


def _looks_inverted(scores: ImageScores) -> bool:
    """By the contrast of lungs to mediastinum, if the negative may be a chest; by the networks, if only it is one."""
    if scores.polarity < SUSPECT_BELOW and scores.inverted >= CONFIRMED_FROM:
        return True
    return scores.inverted >= PUT_RIGHT_FROM and scores.frontal < REFUTED_BELOW
