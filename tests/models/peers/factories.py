"""Tiny peers with random weights, and one of them installed in a folder."""

from __future__ import annotations

from pathlib import Path

import torch

from models.checkpoint import save_tensors
from models.manifest import Manifest, Preset, read_manifest, write_manifest
from models.peers.config import PeerConfig, PeerNetwork, PeerSetup, build
from models.peers.gusarev import GusarevConfig
from models.peers.mca_net import McaNetConfig
from models.peers.predict import WEIGHTS_FILE
from models.peers.resnet_bs import ResNetBsConfig

SIZE = 32
TINY: dict[str, PeerConfig] = {
    "peer-gusarev": GusarevConfig(channels=(4, 6), kernel=3),
    "peer-resnet-bs": ResNetBsConfig(channels=4, blocks=2),
    "peer-mca-net": McaNetConfig(channels=(4, 6, 8)),
}


def tiny_network(architecture: str) -> PeerNetwork:
    """The same random weights at every call."""
    torch.manual_seed(5)
    return build(TINY[architecture])


def install_peer(folder: Path, architecture: str) -> Manifest:
    """The tiny network as an installed model named after its architecture."""
    home = folder / architecture
    home.mkdir(parents=True)
    digest = save_tensors(tiny_network(architecture).state_dict(), home / WEIGHTS_FILE, torch.float32)
    one_pass = Preset("one-pass", 1, 0)
    write_manifest(
        Manifest(
            name=architecture,
            version="0.1",
            architecture=architecture,
            config=PeerSetup(TINY[architecture], SIZE).to_json(),
            presets={"fast": one_pass, "reference": one_pass},
            files={WEIGHTS_FILE: digest},
            licence="MIT",
            training="random weights",
            folder=home,
        )
    )
    return read_manifest(home)
