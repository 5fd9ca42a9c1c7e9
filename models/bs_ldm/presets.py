"""How BS-LDM may be run, unless a manifest says otherwise."""

from __future__ import annotations

from models.manifest import Preset
from models.samplers.dpm_solver import START_TIMESTEP

REFERENCE = Preset("ddpm", 1000, 999)
"""As published: every timestep, ancestral noise."""

FAST = Preset("sde-dpm-solver++2m", 10, START_TIMESTEP)
"""Second-order multistep with noise: a hundredth of the evaluations, the texture kept."""

PRESETS = {"fast": FAST, "reference": REFERENCE}
