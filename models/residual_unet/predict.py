"""residual-unet as the service runs it: one evaluation from radiograph to bone residual."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.checkpoint import load_network
from models.gaussian import gaussian_blur
from models.manifest import Manifest
from models.residual_unet.config import ResidualUNetSetup, read_config
from models.residual_unet.network import ResidualUNet
from models.samplers import OnStep
from models.suppressor import ModelIdentity, check_radiographs, check_residual, identify

SLOW_SIGMA = 30.0  # px at the network's size: broader than a rib, where bone and a hospital's tone look the same
WEIGHTS_FILE = "unet.safetensors"


class ResidualUNetSuppressor:
    """The loaded network; implements `models.suppressor.Suppressor`."""

    def __init__(self, identity: ModelIdentity, setup: ResidualUNetSetup, network: ResidualUNet) -> None:
        self.identity = identity
        self.image_size = setup.network.image_size
        self._setup, self._network = setup, network
        self._device = next(network.parameters()).device

    @classmethod
    def from_manifest(cls, manifest: Manifest, device: torch.device, preset: str, steps: int) -> ResidualUNetSuppressor:
        """Loads the network onto `device`; `steps` must be 0 or 1. Raises WeightsError or ConfigError."""
        setup = read_config(manifest)
        plan = manifest.preset(preset, steps)
        network = load_network(lambda: ResidualUNet(setup.network), *manifest.file(WEIGHTS_FILE), device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.6 times as fast on the CPU
        return cls(identify(manifest, plan, "float32", device), setup, network)

    @torch.inference_mode()
    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """See `Suppressor.bone_residual`; there is nothing random, so `seeds` change nothing."""
        check_radiographs(cxr, seeds, self.image_size)
        residual = shared_out(self._network(cxr.to(self._device)), self._setup)
        on_step(1, 1)
        return check_residual(residual)


def shared_out(residual: Tensor, setup: ResidualUNetSetup) -> Tensor:
    """The network's residual, (N, 1, H, W), as it is subtracted: its gain, and its slowest changes in part."""
    slow = gaussian_blur(residual, SLOW_SIGMA)
    return setup.gain * (residual - (1 - setup.slow_share) * slow)
