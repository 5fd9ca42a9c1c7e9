"""Training of the peers, `softray train peer CONFIG`: each with the loss that its paper states, on our batches.

All three learn the soft-tissue image in the radiograph's own tone, as every model here does; the papers learn it as the
database has it. Losses are on images in [0, 1]:

- Gusarev 2017: (1 − α)·MSE + α·(1 − MS-SSIM), α = 0.84 (the mixture of Zhao et al. 2017, arXiv 1511.08861);
- ResNet-BS 2021: (1 − Ω)·MAE + Ω·(1 − MS-SSIM), Ω = 0.84;
- MCA-Net: a conditional adversarial term and λ·L1. The balance is that of pix2pix, λ = 100, and the adversarial term
  the least-squares one; the coarse estimate has its own L1.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.manifest import ONE_PASS
from models.peers.config import ARCHITECTURES, RESNET_BS, PeerSetup, build, read_network
from models.peers.mca_net import McaNet, McaNetConfig
from models.peers.predict import WEIGHTS_FILE
from models.training.batches import Batch
from models.training.engine.objective import Installable, Objective, Task
from models.training.objectives.adversarial import (
    DiscriminatorConfig,
    PatchDiscriminator,
    made_as_real,
    read_discriminator,
    told_apart,
)
from models.training.objectives.ms_ssim import WINDOW, ms_ssim_loss

MS_SSIM_SHARE = 0.84
L1_WEIGHT = 100.0
DISCRIMINATOR = DiscriminatorConfig(scales=2, conditional=True)


def make_objective(config: JsonFields, task: Task) -> Objective[Batch]:
    """From `[peer]`: `architecture`, the network's own fields and, for MCA-Net, `[peer.discriminator]`."""
    require_truth(task)
    architecture = config.choice("architecture", ARCHITECTURES)
    setup = PeerSetup(read_network(architecture, config), task.image_size)
    if task.side % setup.network.stride:
        raise ConfigError(f"{config.where}: data.side must be a multiple of {setup.network.stride}, found {task.side}")
    if isinstance(setup.network, McaNetConfig):
        discriminator = read_discriminator(config.nested_or_empty("discriminator"), DISCRIMINATOR)
        config.finish()
        return McaNetObjective(task, setup, setup.network, discriminator)
    config.finish()
    return RegressionObjective(task, setup)


class RegressionObjective(Objective[Batch]):
    """Gusarev's network or ResNet-BS: one network, an error of pixels and one of structure."""

    def __init__(self, task: Task, setup: PeerSetup) -> None:
        if task.side < WINDOW:
            raise ConfigError(f"data.side must be {WINDOW} or more for MS-SSIM, found {task.side}")
        self._task, self._setup = task, setup
        self._networks = {"network": build(setup.network)}

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The one network."""
        return self._networks

    def draw(self, step: int) -> Batch:
        """See `Objective.draw`."""
        return self._task.batch(step)[0]

    def losses(self, name: str, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """The published mixture."""
        soft = soft_tissue(batch)
        predicted = self._networks[name](batch.cxr).float()
        error = (predicted - soft) / 2
        pixels = error.abs() if self._setup.architecture == RESNET_BS else error.square()
        label = "mae" if self._setup.architecture == RESNET_BS else "mse"
        return {
            label: (1 - MS_SSIM_SHARE) * pixels.mean(),
            "ms-ssim": MS_SSIM_SHARE * ms_ssim_loss(predicted, soft),
        }

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """The averaged network."""
        return installable(self._setup, averaged["network"])


class McaNetObjective(Objective[Batch]):
    """MCA-Net: the generator of two scales against a conditional discriminator of several."""

    def __init__(
        self, task: Task, setup: PeerSetup, generator: McaNetConfig, discriminator: DiscriminatorConfig
    ) -> None:
        if task.side < discriminator.smallest_side:
            raise ConfigError(f"data.side must be {discriminator.smallest_side} or more, found {task.side}")
        self._task, self._setup = task, setup
        self._generator, self._discriminator = McaNet(generator), PatchDiscriminator(discriminator)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator first."""
        return {"generator": self._generator, "discriminator": self._discriminator}

    def draw(self, step: int) -> Batch:
        """See `Objective.draw`."""
        return self._task.batch(step)[0]

    def losses(self, name: str, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """For the generator its errors and what the discriminator thinks; for the discriminator what it mistakes."""
        soft = soft_tissue(batch)
        if name == "discriminator":
            with torch.no_grad():
                predicted = self._generator(batch.cxr)
            real, made = (self._discriminator(image, batch.cxr) for image in (soft, predicted))
            return {"told-apart": told_apart(real, made)}
        coarse, fine = self._generator.scales(batch.cxr)
        return {
            "adversarial": made_as_real(self._discriminator(fine, batch.cxr)),
            "l1": L1_WEIGHT * (fine - soft).abs().mean() / 2,
            "l1-coarse": L1_WEIGHT * (coarse - F.avg_pool2d(soft, 2)).abs().mean() / 2,
        }

    def model(self, averaged: Mapping[str, nn.Module]) -> Installable:
        """The averaged generator; the discriminator is of no further use."""
        return installable(self._setup, averaged["generator"])


def require_truth(task: Task) -> None:
    """Raises ConfigError when a batch would hold images whose bone is known in part only: they have no soft tissue."""
    if task.mixture.differences:
        found = task.mixture.differences
        raise ConfigError(f"data.mixture: whole soft-tissue images are learnt, expected no differences, found {found}")


def soft_tissue(batch: Batch) -> Tensor:
    """What the peers are to predict: (N, 1, side, side), [-1, 1], in the radiograph's tone."""
    return (batch.cxr - batch.residual).clamp(-1, 1)


def installable(setup: PeerSetup, network: nn.Module) -> Installable:
    """A finished peer."""
    return Installable(
        architecture=setup.architecture,
        config=setup.to_json(),
        presets={"fast": ONE_PASS, "reference": ONE_PASS},
        files={WEIGHTS_FILE: network.state_dict()},
    )
