"""The recipes of the shipped models: lengths, rates and the numbers settled on training data."""

from __future__ import annotations

from models.training import autoencoder, latent, residual_unet
from models.training.loop import LoopSettings

PROJECTION_SEED = 1

RESIDUAL_UNET = residual_unet.Recipe(LoopSettings(steps=10_000, learning_rate=1e-3))
GAIN = 1.1
SLOW_SHARE = 0.7

AUTOENCODER = autoencoder.Recipe(LoopSettings(steps=3000, learning_rate=5e-4, weight_decay=0.0))
LATENT = latent.Recipe(LoopSettings(steps=3500, learning_rate=1e-3, averaging=0.998))
