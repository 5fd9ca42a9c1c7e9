"""Trains the one-pass network that predicts the bone residual: `softray train residual-unet`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint import load_network
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.library import find
from models.manifest import FILE_NAME, ONE_PASS, Manifest, read_manifest
from models.residual_unet.config import ARCHITECTURE, ResidualUNetSetup, read_config
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.residual_unet.predict import WEIGHTS_FILE
from models.training.batches import Batch
from models.training.engine.objective import Installable, Objective, Task
from models.training.losses import residual_terms

NETWORK = "network"


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
    start = config.text("start", "")
    blend = config.number("blend", 1.0, low=0.0, high=2.0)
    config.finish()
    if blend != 1.0 and not start:
        raise ConfigError(f"residual-unet: blend = {blend} needs the model that it is blended with: start")
    if task.side % network.stride:
        raise ConfigError(f"data.side must be a multiple of {network.stride}, found {task.side}")
    return ResidualUNetObjective(
        ResidualUNetSetup(network, gain, slow_share), task, read_start(start) if start else None, blend
    )


class ResidualUNetObjective(Objective[Batch]):
    """One network, one loss."""

    def __init__(self, setup: ResidualUNetSetup, task: Task, start: Manifest | None = None, blend: float = 1.0) -> None:
        """`start`: the model whose weights the training goes on from; `blend`: see `model`. Raises WeightsError."""
        self._setup, self._task, self._start, self._blend = setup, task, start, blend
        self._network = ResidualUNet(setup.network)
        self._first = _weights(start) if start else {}
        if start:
            load_from(self._network, self._first)

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

    def inputs(self) -> Mapping[str, str]:
        """The model that the training started from."""
        return {"start": self._start.sha256} if self._start else {}

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """The network with the gain and share of slow changes that the configuration settles.

        What was fine-tuned is blended with what it started from, weight by weight, w = start + blend (tuned - start):
        along this line a network is often better than at either end (Wortsman et al., CVPR 2022, arXiv 2109.01903).
        """
        blended = ResidualUNet(self._setup.network)
        blended.load_state_dict(averaged[NETWORK].state_dict())
        if self._start and self._blend != 1.0:
            start = ResidualUNet(self._setup.network)
            load_from(start, self._first)
            with torch.no_grad():
                for weight, before in zip(blended.parameters(), start.parameters(), strict=True):
                    weight.copy_(torch.lerp(before, weight, self._blend))
        return installable(blended, self._setup)


def installable(network: ResidualUNet, setup: ResidualUNetSetup) -> Installable:
    """The network as a model that runs as `setup` says."""
    presets = {"fast": ONE_PASS, "reference": ONE_PASS}
    return Installable(ARCHITECTURE, setup.to_json(), presets, {WEIGHTS_FILE: network.state_dict()})


def read_start(name: str) -> Manifest:
    """The model to start from: a folder, or the name of a shipped one. Raises WeightsError or ConfigError."""
    manifest = read_manifest(Path(name)) if (Path(name) / FILE_NAME).is_file() else find(name)
    if manifest.architecture != ARCHITECTURE:
        raise ConfigError(f"start: expected a {ARCHITECTURE} model, found {name!r} of {manifest.architecture}")
    return manifest


def load_from(network: ResidualUNet, weights: Mapping[str, Tensor]) -> None:
    """Weights of a network of the same size; the output for the map of bone may be new. Raises ConfigError."""
    own = network.state_dict()
    for name, tensor in own.items():
        found = weights.get(name)
        if found is None or found.shape[1:] != tensor.shape[1:] or len(found) > len(tensor):
            shape = "none" if found is None else tuple(found.shape)
            raise ConfigError(f"start: expected {name} of shape {tuple(tensor.shape)}, found {shape}: another size")
        own[name] = torch.cat([found.to(tensor), torch.zeros_like(tensor[len(found) :])])
    network.load_state_dict(own)


def _weights(manifest: Manifest) -> dict[str, Tensor]:
    network = ResidualUNet(read_config(manifest).network)
    loaded = load_network(lambda: network, *manifest.file(WEIGHTS_FILE), torch.device("cpu"))
    return dict(loaded.state_dict())
