"""The autoencoder that a latent network is trained over: the averaged weights in another run folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import Tensor

from models.bs_ldm.vqgan import Vqgan
from models.checkpoint import network_from_state
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.engine.checkpoints import averaged_state
from models.training.errors import TrainingError, TrainingFault
from models.training.objectives.vqgan import VQGAN, read_vqgan_settings
from models.training.run_files import CHECKPOINT, CONFIG
from models.training.toml_text import read_toml


def read_trained_vqgan(run: Path) -> tuple[Vqgan, str]:
    """The autoencoder of `softray train vqgan`'s run folder, frozen, and its digest. Raises TrainingError."""
    if not (run / CHECKPOINT).is_file():
        raise TrainingError(
            TrainingFault.RUN_MISSING,
            f"expected the run folder of a trained autoencoder (softray train vqgan), found no checkpoint in {run}; "
            "name it with --set ldm.autoencoder=RUN",
        )
    table = read_toml(run / CONFIG)
    if VQGAN not in table:
        raise ConfigError(f"{run / CONFIG}: expected a training of an autoencoder (vqgan), found another kind")
    config = read_vqgan_settings(JsonFields(table, "config").nested(VQGAN)).network
    state = averaged_state(run / CHECKPOINT, VQGAN)
    return network_from_state(lambda: Vqgan(config), state, str(run / CHECKPOINT)), _digest(state)


def _digest(state: dict[str, Tensor]) -> str:
    """SHA-256 over names and values."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].cpu().numpy().tobytes())
    return digest.hexdigest()
