"""BS-Diff's first stage as the second is trained over it: the averaged U-Net in another run folder, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.bs_diff.config import Condition
from models.bs_diff.denoiser import Denoiser
from models.bs_diff.unet import UNet
from models.checkpoint import file_sha256, network_from_state
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.samplers.dpm_solver import sample_dpm_solver, uniform_timesteps
from models.schedules import Prediction, cosine_schedule
from models.training.engine.checkpoints import averaged_state
from models.training.errors import TrainingError, TrainingFault
from models.training.objectives.bs_diff_settings import BSDIFF, DENOISER, DenoiserSettings, read_settings
from models.training.run_files import CHECKPOINT, CONFIG
from models.training.toml_text import read_toml


@dataclass(frozen=True)
class FirstStage:
    """A U-Net and how it was trained."""

    unet: UNet
    condition: Condition
    digest: str = ""
    """SHA-256 of the checkpoint that it came from."""

    @torch.no_grad()
    def sampled(self, cxr: Tensor, generator: torch.Generator, steps: int) -> Tensor:
        """The soft-tissue image in a few steps, (N, 1, H, W) float32, [-1, 1]; all but the network on the CPU."""
        device, schedule = next(self.unet.parameters()).device, cosine_schedule()
        noise, condition_noise = (torch.randn(cxr.shape, generator=generator).to(device) for _ in range(2))
        noised = condition_noise if self.condition is Condition.NOISED else None
        denoiser = Denoiser(self.unet, Prediction.EPSILON, schedule, cxr.to(device), noised)
        return sample_dpm_solver(denoiser, noise, uniform_timesteps(steps), schedule, lambda _step, _total: None).cpu()


def read_first_stage(run: Path, device: torch.device) -> FirstStage:
    """From the run folder of a `bsdiff` training of the denoiser. Raises TrainingError or ConfigError."""
    checkpoint = run / CHECKPOINT
    if not checkpoint.is_file():
        raise TrainingError(
            TrainingFault.RUN_MISSING,
            f"expected the run folder of a trained first stage (softray train bsdiff bsdiff-denoiser), found no "
            f"checkpoint in {run}; name it with --set bsdiff.denoiser=RUN",
        )
    table = read_toml(run / CONFIG)
    settings = read_settings(JsonFields(table, str(run / CONFIG)).nested(BSDIFF)) if BSDIFF in table else None
    if not isinstance(settings, DenoiserSettings):
        raise ConfigError(f"{run / CONFIG}: expected a training of BS-Diff's denoiser, found another")
    config = settings.unet
    unet = network_from_state(lambda: UNet(config), averaged_state(checkpoint, DENOISER), str(checkpoint))
    return FirstStage(unet.to(device), settings.condition, file_sha256(checkpoint))
