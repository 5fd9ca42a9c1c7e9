"""Where a radiograph shows leads, wires, catheters, tubes and clips.

The network's weights are part of the program, as a threshold would be: they lie beside this file, and no model chooses
others. How they were made is `models.lines.training`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from models.checkpoint import load_network
from models.lines.network import MULTIPLE, LineNetwork, views_of
from models.lines.scaled import in_range, scaled
from models.regions import Parts, parts_of

WEIGHTS = Path(__file__).with_name("lines.safetensors")
SHA256 = "08270d3e9a53b03bd0cd81f08fadeb89865827a3d30119a9e8dbfe7faf11853d"
SURE, LIKELY = 0.97, 0.7
"""Probability of a line's surest pixel, and of every other, as training weighs the two kinds of pixels."""


@torch.inference_mode()
def lines_in(cxr: Tensor) -> Parts:
    """Each line of a radiograph, (1, 1, H, W) in any unit, bone bright; on a grid of at most 512 pixels a side.

    Edges of bones are among them: what is kept of them is for `models.lines.kept` to say. Raises WeightsError when the
    network's weights are missing or altered.
    """
    probability = torch.sigmoid(logits(_network(), in_range(scaled(cxr))))
    sure, likely = (probability > SURE).float(), (probability > LIKELY).float()
    found = parts_of(likely)
    return parts_of(found.only(found.sums(sure) > 0))


def logits(network: LineNetwork, cxr: Tensor) -> Tensor:
    """What `network` says of `cxr`, (1, 1, h, w) as `in_range` makes it: a logit a pixel."""
    height, width = cxr.shape[2:]
    right, below = -width % MULTIPLE, -height % MULTIPLE
    views = F.pad(views_of(cxr), (0, right, 0, below), mode="replicate").contiguous(memory_format=torch.channels_last)
    found: Tensor = network(views)
    return found[..., :height, :width]


@lru_cache(maxsize=1)
def _network() -> LineNetwork:
    network = load_network(LineNetwork, WEIGHTS, SHA256, torch.device("cpu"))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
