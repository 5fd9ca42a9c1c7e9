"""The `config` of a peer's manifest, read strictly and written back, and the network that it describes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.manifest import Manifest
from models.peers.gusarev import Gusarev, GusarevConfig
from models.peers.mca_net import McaNet, McaNetConfig
from models.peers.resnet_bs import ResNetBs, ResNetBsConfig

GUSAREV, RESNET_BS, MCA_NET = "peer-gusarev", "peer-resnet-bs", "peer-mca-net"
ARCHITECTURES = (GUSAREV, RESNET_BS, MCA_NET)

PeerConfig = GusarevConfig | ResNetBsConfig | McaNetConfig
PeerNetwork = Gusarev | ResNetBs | McaNet


@dataclass(frozen=True)
class PeerSetup:
    """What the manifest says: the network and the image that it was trained for."""

    network: PeerConfig
    image_size: int
    """Side of the square image, pixels."""

    def __post_init__(self) -> None:
        stride = self.network.stride
        if self.image_size % stride or self.image_size < 2 * stride:
            raise ConfigError(
                f"image_size must be twice {stride} or more and a multiple of it, found {self.image_size}"
            )

    @property
    def architecture(self) -> str:
        """As the manifest names it."""
        match self.network:
            case GusarevConfig():
                return GUSAREV
            case ResNetBsConfig():
                return RESNET_BS
            case McaNetConfig():
                return MCA_NET

    def to_json(self) -> dict[str, object]:
        """For a manifest; `read_config` reads it back unchanged."""
        return {**asdict(self.network), "image_size": self.image_size}


def read_config(manifest: Manifest) -> PeerSetup:
    """Raises ConfigError."""
    fields = JsonFields(manifest.config, f"config of {manifest.name!r}")
    network = read_network(manifest.architecture, fields)
    setup = PeerSetup(network, fields.integer("image_size", low=32, high=4096))
    fields.finish()
    return setup


def read_network(architecture: str, fields: JsonFields) -> PeerConfig:
    """The network's own fields, each with the published value where it is left out; does not finish `fields`."""
    match architecture:
        case "peer-gusarev":
            return GusarevConfig(
                channels=fields.integers("channels", GusarevConfig.channels, low=1, high=4096),
                kernel=fields.integer("kernel", GusarevConfig.kernel, low=3, high=31),
            )
        case "peer-resnet-bs":
            return ResNetBsConfig(
                channels=fields.integer("channels", ResNetBsConfig.channels, low=1, high=4096),
                blocks=fields.integer("blocks", ResNetBsConfig.blocks, low=1, high=256),
                scaling=fields.number("scaling", ResNetBsConfig.scaling, low=1e-4, high=1.0),
            )
        case "peer-mca-net":
            return McaNetConfig(channels=fields.integers("channels", McaNetConfig.channels, low=2, high=4096))
    raise ConfigError(f"{fields.where}: expected one of {', '.join(ARCHITECTURES)}, found {architecture!r}")


def build(config: PeerConfig) -> PeerNetwork:
    """The network, with fresh weights."""
    match config:
        case GusarevConfig():
            return Gusarev(config)
        case ResNetBsConfig():
            return ResNetBs(config)
        case McaNetConfig():
            return McaNet(config)
