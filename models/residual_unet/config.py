"""The `config` of a residual-unet manifest, read strictly and written back."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from models.json_fields import JsonFields
from models.manifest import Manifest
from models.residual_unet.network import ResidualUNetConfig

ARCHITECTURE = "residual-unet"


@dataclass(frozen=True)
class ResidualUNetSetup:
    """What the manifest says about the network and how its output is used."""

    network: ResidualUNetConfig
    gain: float
    """The residual is multiplied by this; settled on training data."""
    slow_share: float
    """How much of the residual's slowest changes (above `SLOW_SIGMA` px) is subtracted, 0 to 1; settled likewise."""

    def to_json(self) -> dict[str, object]:
        """For a manifest; `read_config` reads it back unchanged."""
        return {**asdict(self.network), "gain": self.gain, "slow_share": self.slow_share}


def read_config(manifest: Manifest) -> ResidualUNetSetup:
    """Raises ConfigError."""
    fields = JsonFields(manifest.config, f"config of {manifest.name!r}")
    setup = ResidualUNetSetup(
        network=ResidualUNetConfig(
            channels=fields.integers("channels", low=1, high=4096),
            blocks=fields.integer("blocks", low=1, high=16),
            image_size=fields.integer("image_size", low=32, high=4096),
            bone_map=fields.boolean("bone_map", False),
        ),
        gain=fields.number("gain", low=0.1, high=3.0),
        slow_share=fields.number("slow_share", low=0.0, high=1.0),
    )
    fields.finish()
    return setup
