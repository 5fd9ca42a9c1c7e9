"""Trains the one-pass network that predicts the bone residual: `softray train residual-unet`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.manifest import Preset
from models.residual_unet.config import ARCHITECTURE, ResidualUNetSetup
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.residual_unet.predict import WEIGHTS_FILE
from models.training.batches import Batch
from models.training.engine.objective import Installable, Objective, Task
from models.training.losses import residual_terms

NETWORK = "network"
ONE_PASS = Preset("one-pass", 1, 0)


def make_objective(config: JsonFields, task: Task) -> ResidualUNetObjective:
    """See `models.training.engine.objective`."""
    network = ResidualUNetConfig(
        channels=config.integers("channels", (24, 48, 96, 128, 160), low=1, high=4096),
        blocks=config.integer("blocks", 1, low=1, high=16),
        image_size=task.image_size,
        bone_map=config.boolean("bone_map", False),
    )
    gain = config.number("gain", 1.0, low=0.1, high=3.0)
    slow_share = config.number("slow_share", 1.0, low=0.0, high=1.0)
    config.finish()
    if task.side % network.stride:
        raise ConfigError(f"data.side must be a multiple of {network.stride}, found {task.side}")
    return ResidualUNetObjective(ResidualUNetSetup(network, gain, slow_share), task)


class ResidualUNetObjective(Objective[Batch]):
    """One network, one loss."""

    def __init__(self, setup: ResidualUNetSetup, task: Task) -> None:
        self._setup, self._task = setup, task
        self._network = ResidualUNet(setup.network)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {NETWORK: self._network}

    def draw(self, step: int) -> Batch:
        """Radiographs and their residuals."""
        return self._task.batch(step)[0]

    def losses(self, name: str, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """See `Objective.losses`."""
        differs = batch.difference.flatten() > 0
        seen = torch.cat([batch.cxr, batch.before[differs]]).to(memory_format=torch.channels_last)
        residual, bone_map = self._network.with_map(seen)
        n = len(batch.cxr)
        with torch.autocast(batch.cxr.device.type, enabled=False):
            # Of a radiograph without a truth only the change is known that something laid over it must make.
            predicted = residual[:n].float()
            if bool(differs.any()):
                predicted = predicted.index_add(0, differs.nonzero()[:, 0], residual[n:].float(), alpha=-1)
            return residual_terms(predicted, None if bone_map is None else bone_map[:n].float(), batch)

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """The network with the gain and share of slow changes that the configuration settles."""
        presets = {"fast": ONE_PASS, "reference": ONE_PASS}
        files = {WEIGHTS_FILE: averaged[NETWORK].state_dict()}
        return Installable(ARCHITECTURE, self._setup.to_json(), presets, files)
