"""BS-LDM's configuration: what a manifest's `config` says about the method, read strictly and written back.

Field names inside `unet` and `vqgan` are the published ones, so that a folder's `config.json` is read by the same code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum

from models.bs_ldm.unet import AttentionOrder, UNetConfig
from models.bs_ldm.vqgan import VqganConfig
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.schedules import Prediction

ARCHITECTURE = "bs-ldm"


class Target(StrEnum):
    """What the diffused latent is."""

    SOFT_TISSUE = "soft-tissue"  # z_soft, as published
    BONE = "bone"  # z_cxr − z_soft


class Condition(StrEnum):
    """How the radiograph's latent is concatenated."""

    CLEAN = "clean"  # as it is: own training, and what published inference does
    SCALED = "scaled"  # √ᾱ_t times it: what the published network saw in training, its concatenation being noised whole


@dataclass(frozen=True)
class BsLdmConfig:
    """The whole method at one size. The defaults are the published ones."""

    image_size: int = 1024
    prediction: Prediction = Prediction.EPSILON
    target: Target = Target.SOFT_TISSUE
    condition: Condition = Condition.CLEAN
    latent_scale: float = 1.0
    """Diffused latents are quantised latents times this."""
    timesteps: int = 1000
    unet: UNetConfig = field(default_factory=UNetConfig)
    vqgan: VqganConfig = field(default_factory=VqganConfig)

    def __post_init__(self) -> None:
        latent = self.vqgan.embedding_dim
        if self.unet.in_channels != 2 * latent or self.unet.out_channels < latent:
            raise ConfigError(
                f"bs-ldm: latents of {latent} channels need a U-Net with {2 * latent} in and {latent} or more out, "
                f"found {self.unet.in_channels} and {self.unet.out_channels}"
            )
        multiple = self.vqgan.stride * self.unet.stride
        if self.image_size % multiple:
            raise ConfigError(f"bs-ldm: image_size must be a multiple of {multiple}, found {self.image_size}")

    @property
    def latent_size(self) -> int:
        """Side of the latents."""
        return self.image_size // self.vqgan.stride

    @classmethod
    def from_json(cls, value: object) -> BsLdmConfig:
        """From a manifest's `config`. Raises ConfigError."""
        fields = JsonFields(value, "bs-ldm config")
        config = cls(
            image_size=fields.integer("image_size", low=8, high=8192),
            prediction=Prediction(fields.choice("prediction", tuple(Prediction))),
            target=Target(fields.choice("target", tuple(Target), Target.SOFT_TISSUE)),
            condition=Condition(fields.choice("condition", tuple(Condition), Condition.CLEAN)),
            latent_scale=fields.number("latent_scale", 1.0, low=1e-4, high=1e4),
            timesteps=fields.integer("timesteps", 1000, low=1000, high=1000),
            unet=unet_from_json(fields.nested("unet")),
            vqgan=vqgan_from_json(fields.nested("vqgan")),
        )
        fields.finish()
        return config

    def to_json(self) -> dict[str, object]:
        """For a manifest; `from_json` reads it back unchanged."""
        return asdict(self)


def unet_from_json(fields: JsonFields) -> UNetConfig:
    """The U-Net's size, in the published field names. Raises ConfigError, also for unpublished variants."""
    fields.integer("image_size", 0, low=0, high=65536)  # published, and without effect on the network
    for name in ("resblock_updown", "use_scale_shift_norm"):
        if not fields.boolean(name, True):
            raise ConfigError(f"{fields.where}: {name} must be true, as in every published network")
    for name in ("num_head_channels", "num_heads_upsample"):
        if fields.integer(name, -1, low=-1, high=1024) != -1:
            raise ConfigError(f"{fields.where}: {name} must be -1, as in every published network")
    config = UNetConfig(
        in_channels=fields.integer("in_channels", low=1, high=256),
        out_channels=fields.integer("out_channels", low=1, high=256),
        model_channels=fields.integer("model_channels", low=32, high=1024),
        num_res_blocks=fields.integer("num_res_blocks", low=1, high=32),
        channel_mult=fields.integers("channel_mult", low=1, high=16),
        attention_resolutions=fields.integers("attention_resolutions", low=1, high=1024),
        num_heads=fields.integer("num_heads", low=1, high=64),
        attention_order=AttentionOrder(fields.choice("attention_order", tuple(AttentionOrder), AttentionOrder.LEGACY)),
        dropout=fields.number("dropout", 0.0, low=0.0, high=0.9),
    )
    fields.finish()
    return config


def vqgan_from_json(fields: JsonFields) -> VqganConfig:
    """The autoencoder's size, in the published field names. Raises ConfigError."""
    fields.integer("spatial_dims", 2, low=2, high=2)
    config = VqganConfig(
        in_channels=fields.integer("in_channels", 1, low=1, high=1),
        out_channels=fields.integer("out_channels", 1, low=1, high=1),
        num_channels=fields.integers("num_channels", low=1, high=4096),
        num_res_channels=fields.integer("num_res_channels", low=1, high=4096),
        num_res_layers=fields.integer("num_res_layers", low=0, high=32),
        downsample_parameters=fields.integer_rows("downsample_parameters", 4, low=0, high=16),
        upsample_parameters=fields.integer_rows("upsample_parameters", 5, low=0, high=16),
        num_embeddings=fields.integer("num_embeddings", low=2, high=65536),
        embedding_dim=fields.integer("embedding_dim", low=1, high=128),
    )
    fields.finish()
    return config
