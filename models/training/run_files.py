"""What lies in a run folder, by name."""

from __future__ import annotations

CONFIG = "config.toml"
"""The configuration as resolved: `softray train KIND RUN/config.toml` is the same training again."""
FACTS = "run.json"
"""What the configuration does not say: code, versions, digests of the data."""
CHECKPOINT = "checkpoint.pt"
EVENTS = "events.jsonl"
"""One line per logged step: step and loss terms."""
CURVES = "curves.png"
TENSORBOARD = "tensorboard"
VALIDATION = "validation.json"
"""Figures on the validation split after the last step."""
MODEL = "model"
"""A weights folder with the finished model in it."""
CACHE = "cache"
"""Prepared images; may be deleted."""
