"""A peer as the service and the evaluation run it: the soft-tissue image in one evaluation, bone = cxr − that image.

What the network blurs or tones otherwise counts as bone here, as in the published tables: none of the three methods
says anything about the residual alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.checkpoint import load_network
from models.manifest import Manifest
from models.peers.config import PeerNetwork, PeerSetup, build, read_config
from models.samplers import OnStep
from models.suppressor import ModelIdentity, check_radiographs, check_residual, identify

WEIGHTS_FILE = "network.safetensors"


class PeerSuppressor:
    """The loaded network; implements `models.suppressor.Suppressor`."""

    def __init__(self, identity: ModelIdentity, setup: PeerSetup, network: PeerNetwork) -> None:
        self.identity = identity
        self.image_size = setup.image_size
        self._network = network
        self._device = next(network.parameters()).device

    @classmethod
    def from_manifest(cls, manifest: Manifest, device: torch.device, preset: str, steps: int) -> PeerSuppressor:
        """Loads the network onto `device`; `steps` must be 0 or 1. Raises WeightsError or ConfigError."""
        setup = read_config(manifest)
        plan = manifest.preset(preset, steps)
        network = load_network(lambda: build(setup.network), *manifest.file(WEIGHTS_FILE), device)
        return cls(identify(manifest, plan, "float32", device), setup, network)

    @torch.inference_mode()
    def bone_residual(self, cxr: Tensor, *, seeds: Sequence[int], on_step: OnStep) -> Tensor:
        """See `Suppressor.bone_residual`; there is nothing random, so `seeds` change nothing."""
        check_radiographs(cxr, seeds, self.image_size)
        seen = cxr.to(self._device)
        residual = seen - self._network(seen)
        on_step(1, 1)
        return check_residual(residual)
