"""Samplers: from noise to a clean latent by way of a denoiser, one readable function each, with the noise passed in.

A sampler knows nothing of networks or conditions. It asks a `PredictX0` for x̂₀ and does the arithmetic between two
timesteps in the dtype of the noise (float32 in the service).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

PredictX0 = Callable[[Tensor, int], Tensor]
"""(x_t, t) → x̂₀, already thresholded; shape and dtype of x_t."""

OnStep = Callable[[int, int], None]
"""Called as (step, total) after each network evaluation, step from 1; what it raises ends the sampling."""
