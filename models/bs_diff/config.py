"""BS-Diff's configuration: what a manifest's `config` says about the method, read strictly and written back.

Field names inside `unet` and `autoencoder` are the published ones, so that a folder's `bsdiff_config.json` is read by
the same code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum

from models.bs_diff.autoencoder import AutoencoderConfig
from models.bs_diff.unet import UNetConfig
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.schedules import Prediction

ARCHITECTURE = "bs-diff"


class Condition(StrEnum):
    """How the radiograph is concatenated to x_t."""

    CLEAN = "clean"  # as it is: own training, and what published inference does
    NOISED = "noised"  # √ᾱ_t·cxr + √(1 − ᾱ_t)·ε′: what the published network saw in training, its pair noised whole


@dataclass(frozen=True)
class BsDiffConfig:
    """The whole method at one size. The defaults are the published ones."""

    image_size: int = 256
    prediction: Prediction = Prediction.EPSILON
    condition: Condition = Condition.CLEAN
    """Of `fast` and `reference`; `compat` always feeds it clean, as published."""
    timesteps: int = 1000
    unet: UNetConfig = field(default_factory=UNetConfig)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)

    def __post_init__(self) -> None:
        if self.unet.in_channels != 2:
            raise ConfigError(f"bs-diff: the U-Net takes x_t and the radiograph, found {self.unet.in_channels} inputs")
        for name, stride in (("unet", self.unet.stride), ("autoencoder", self.autoencoder.stride)):
            if self.image_size % stride:
                raise ConfigError(
                    f"bs-diff: image_size must be a multiple of the {name}'s {stride}, found {self.image_size}"
                )

    @classmethod
    def from_json(cls, value: object) -> BsDiffConfig:
        """From a manifest's `config`. Raises ConfigError."""
        fields = JsonFields(value, "bs-diff config")
        config = cls(
            image_size=fields.integer("image_size", low=8, high=4096),
            prediction=Prediction(fields.choice("prediction", tuple(Prediction))),
            condition=Condition(fields.choice("condition", tuple(Condition), Condition.CLEAN)),
            timesteps=fields.integer("timesteps", 1000, low=1000, high=1000),
            unet=unet_from_json(fields.nested("unet")),
            autoencoder=autoencoder_from_json(fields.nested("autoencoder")),
        )
        fields.finish()
        return config

    def to_json(self) -> dict[str, object]:
        """For a manifest; `from_json` reads it back unchanged."""
        return asdict(self)


def unet_from_json(fields: JsonFields) -> UNetConfig:
    """The U-Net's size, in the published field names. Raises ConfigError."""
    fields.integer("spatial_dims", 2, low=2, high=2)
    # Published, and without effect: layers of the transformer that a network conditioned by text would have.
    fields.integer("transformer_num_layers", 1, low=0, high=64)
    config = UNetConfig(
        in_channels=fields.integer("in_channels", low=2, high=2),
        out_channels=fields.integer("out_channels", low=1, high=2),
        num_channels=fields.integers("num_channels", low=1, high=4096),
        num_res_blocks=fields.integer("num_res_blocks", low=1, high=32),
        attention_levels=fields.booleans("attention_levels"),
        num_head_channels=fields.integers("num_head_channels", low=0, high=4096),
        norm_num_groups=fields.integer("norm_num_groups", 32, low=1, high=256),
    )
    fields.finish()
    return config


def autoencoder_from_json(fields: JsonFields) -> AutoencoderConfig:
    """The autoencoder's size, in the published field names. Raises ConfigError."""
    fields.integer("spatial_dims", 2, low=2, high=2)
    config = AutoencoderConfig(
        in_channels=fields.integer("in_channels", 1, low=1, high=1),
        out_channels=fields.integer("out_channels", 1, low=1, high=1),
        num_channels=fields.integers("num_channels", low=1, high=4096),
        latent_channels=fields.integer("latent_channels", low=1, high=256),
        num_res_blocks=fields.integer("num_res_blocks", low=1, high=32),
        attention_levels=fields.booleans("attention_levels"),
        norm_num_groups=fields.integer("norm_num_groups", 32, low=1, high=256),
    )
    fields.finish()
    return config
