"""LPIPS with AlexNet (Zhang et al., CVPR 2018, arXiv 1801.03924, version 0.1): a perceptual distance and loss term.

The weights are the operator's: none ship, none are downloaded, and none are ever made up. They are one safetensors file
of 15 tensors under the names that AlexNet (`features`) and LPIPS (`lin`) came with:

    features.0.weight  (64, 3, 11, 11)     features.0.bias  (64,)      lin0.model.1.weight (1, 64, 1, 1)
    features.3.weight  (192, 64, 5, 5)     features.3.bias  (192,)     lin1.model.1.weight (1, 192, 1, 1)
    features.6.weight  (384, 192, 3, 3)    features.6.bias  (384,)     lin2.model.1.weight (1, 384, 1, 1)
    features.8.weight  (256, 384, 3, 3)    features.8.bias  (256,)     lin3.model.1.weight (1, 256, 1, 1)
    features.10.weight (256, 256, 3, 3)    features.10.bias (256,)     lin4.model.1.weight (1, 256, 1, 1)
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.checkpoint import file_sha256, load_tensors, network_from_state

CHANNELS = (64, 192, 384, 256, 256)
CONVOLUTIONS = (0, 3, 6, 8, 10)
"""Places of the convolutions in AlexNet's `features`; the other places are ReLU and pooling, which hold nothing."""
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of the red, green and blue channel, from [-1, 1] to what AlexNet was trained on."""
SMALLEST_SIDE = 31
"""Pixels; anything smaller has no pixel left at the fifth layer's input."""
TINY = 1e-20


def load_lpips(path: Path) -> Lpips:
    """The network with the operator's weights, on the CPU, for evaluation, without gradients of its own.

    Raises WeightsError: no such file, not safetensors, other names or shapes.
    """
    return network_from_state(Lpips, load_tensors(path, file_sha256(path)), path.name)


class Lpips(nn.Module):
    """Distance of two images as AlexNet sees them; 0 for equal ones."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, 64, 11, stride=4, padding=2),
                "3": nn.Conv2d(64, 192, 5, padding=2),
                "6": nn.Conv2d(192, 384, 3, padding=1),
                "8": nn.Conv2d(384, 256, 3, padding=1),
                "10": nn.Conv2d(256, 256, 3, padding=1),
            }
        )
        for layer, channels in enumerate(CHANNELS):
            self.add_module(f"lin{layer}", _Weighting(channels))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """`a`, `b`: (N, 1, H, W) float, [-1, 1], at least 31 px a side -> (N,) distances."""
        if a.shape != b.shape or a.shape[1] != 1 or min(a.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(
                f"expected two (N, 1, H, W) images of one size, {SMALLEST_SIDE} px or more, "
                f"found {tuple(a.shape)} and {tuple(b.shape)}"
            )
        total = a.new_zeros(a.shape[0])
        for layer, (of_a, of_b) in enumerate(zip(self._layers(a), self._layers(b), strict=True)):
            weighted = self.get_submodule(f"lin{layer}")((of_a - of_b) ** 2)
            total = total + weighted.mean((1, 2, 3))
        return total

    def _layers(self, image: Tensor) -> list[Tensor]:
        """Activations after each of the five ReLUs, of length 1 over the channels."""
        shift, scale = (image.new_tensor(values).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
        x = (image.expand(-1, 3, -1, -1) - shift) / scale
        found = []
        for place in CONVOLUTIONS:
            if place in (3, 6):
                x = F.max_pool2d(x, 3, stride=2)
            x = torch.relu(self.features[str(place)](x))
            # The root's argument is never 0: a pixel that no channel sees must not make a gradient of infinity.
            found.append(x / (x.square().sum(1, keepdim=True) + TINY).sqrt())
        return found


class _Weighting(nn.Module):
    """A weight per channel; `model.1`, because the published layer has dropout at place 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"1": nn.Conv2d(channels, 1, 1, bias=False)})

    def forward(self, squared: Tensor) -> Tensor:
        weighted: Tensor = self.model["1"](squared)
        return weighted
