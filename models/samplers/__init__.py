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

OnEstimate = Callable[[int, Tensor], None]
"""Called as (t, estimate) after the evaluation at timestep t, for whoever watches a sample come into being. A sampler's
estimate is x̂₀; a method hands it on decoded, as the bone residual that it stands for."""


def watched(predict_x0: PredictX0, on_estimate: OnEstimate) -> PredictX0:
    """`predict_x0`, each of whose estimates `on_estimate` sees before the sampler goes on; any sampler takes it."""

    def predict(x_t: Tensor, t: int) -> Tensor:
        x0 = predict_x0(x_t, t)
        on_estimate(t, x0)
        return x0

    return predict
