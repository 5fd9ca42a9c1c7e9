"""How BS-Diff may be run, unless a manifest says otherwise."""

from __future__ import annotations

from models.manifest import Preset
from models.samplers.dpm_solver import START_TIMESTEP

X0_FEEDBACK = "x0-feedback"

COMPAT = Preset(X0_FEEDBACK, 1000, 999)
"""What the published code does: x̂₀ fed back as x_t a thousand times, then enhanced."""

REFERENCE = Preset("ddpm", 1000, 999)
"""The sampler that the network was trained for: every timestep, ancestral noise."""

FAST = Preset("sde-dpm-solver++2m", 10, START_TIMESTEP)
"""Second-order multistep with noise, as BS-LDM's: a hundredth of the evaluations."""

PRESETS = {"fast": FAST, "reference": REFERENCE, "compat": COMPAT}
