"""The table `[bsdiff]` of a training configuration, read strictly: one of BS-Diff's two stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.bs_diff.autoencoder import AutoencoderConfig
from models.bs_diff.config import Condition, autoencoder_from_json, unet_from_json
from models.bs_diff.unet import UNetConfig
from models.json_fields import JsonFields
from models.training.objectives.adversarial import DiscriminatorConfig, read_discriminator

BSDIFF = "bsdiff"
DENOISER, ENHANCER = "denoiser", "enhancer"
"""The stages; the first is also the name of its network."""


@dataclass(frozen=True)
class DenoiserSettings:
    """The first stage."""

    unet: UNetConfig
    condition: Condition
    """`noised` trains as the published code did, its radiograph noised with x_t."""
    offset_noise: float
    """λ of ε ~ N(0, I + λΣ); published for BS-Diff: 0."""


@dataclass(frozen=True)
class HybridWeights:
    """λ of each term of the second stage's loss; the published ones by default."""

    mae: float = 1.0
    ms_ssim: float = 1.0
    perceptual: float = 0.001
    adversarial: float = 0.01
    radiograph: float = 0.0
    """Of the MAE of the enhanced radiograph against the radiograph itself. Not published; `fast` and `reference`
    subtract one enhancement from another, so the radiograph's must be as faithful as the sample's."""


@dataclass(frozen=True)
class EnhancerSettings:
    """The second stage."""

    denoiser: Path
    """The run folder of the first stage."""
    sampling_steps: int
    """Evaluations of the first stage for each training image."""
    autoencoder: AutoencoderConfig
    discriminator: DiscriminatorConfig
    weights: HybridWeights
    lpips: Path | None
    """The operator's LPIPS weights; None: the perceptual term is left out."""


def read_settings(fields: JsonFields) -> DenoiserSettings | EnhancerSettings:
    """Raises ConfigError."""
    stage = fields.choice("stage", (DENOISER, ENHANCER))
    settings = _denoiser(fields) if stage == DENOISER else _enhancer(fields)
    fields.finish()
    return settings


def _denoiser(fields: JsonFields) -> DenoiserSettings:
    return DenoiserSettings(
        unet=unet_from_json(fields.nested("unet")),
        condition=Condition(fields.choice("condition", tuple(Condition), Condition.CLEAN)),
        offset_noise=fields.number("offset_noise", 0.0, low=0.0, high=1.0),
    )


def _enhancer(fields: JsonFields) -> EnhancerSettings:
    lpips = fields.text("lpips", "")
    return EnhancerSettings(
        denoiser=Path(fields.text("denoiser")).expanduser(),
        sampling_steps=fields.integer("sampling_steps", 10, low=1, high=900),
        autoencoder=autoencoder_from_json(fields.nested("autoencoder")),
        discriminator=read_discriminator(fields.nested_or_empty("discriminator"), DiscriminatorConfig()),
        weights=_weights(fields.nested_or_empty("weights")),
        lpips=Path(lpips).expanduser() if lpips else None,
    )


def _weights(fields: JsonFields) -> HybridWeights:
    default = HybridWeights()
    weights = HybridWeights(
        **{name: fields.number(name, value, low=0.0, high=1e4) for name, value in vars(default).items()}
    )
    fields.finish()
    return weights
