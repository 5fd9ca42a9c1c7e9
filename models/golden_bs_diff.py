"""BS-Diff's golden files: its small networks, one published inference of theirs, and the names of the full ones.

The published inference feeds x̂₀ back a thousand times, and with random weights that iteration is chaotic: a difference
in the last bit of one convolution turns whole pixels from −1 to 1 some 500 steps later. The trace is therefore run as
the record was made, bit for bit: attention unfused, on two threads. Where another processor rounds otherwise all the
same, a second run of ours with fused attention tells which recorded states rounding alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from models.bs_diff.autoencoder import Autoencoder, AutoencoderConfig
from models.bs_diff.blocks import Attend, Attention
from models.bs_diff.config import autoencoder_from_json, unet_from_json
from models.bs_diff.denoiser import Denoiser
from models.bs_diff.unet import UNet, UNetConfig
from models.bs_diff.x0_feedback import iterate_x0
from models.checkpoint import network_from_state
from models.errors import WeightsError, WeightsFault
from models.golden_file import (
    NETWORK_TOLERANCE,
    TRACE_TOLERANCE,
    GoldenCase,
    deviation,
    differing_names,
    read_json,
    recorded,
)
from models.json_fields import JsonFields
from models.pickle_modules import read_module
from models.schedules import Prediction, cosine_schedule

CONFIG_FILE = "bsdiff_config.json"
UNET_PICKLE, AUTOENCODER_PICKLE = "upstream_bsdiff_unet_small.pth", "upstream_bsdiff_autoencoder_small.pth"
RECORDED_THREADS = 2
STATE = "x0_after_"


class BsDiffGolden:
    """The folder's small networks, imported when first needed. Raises ConfigError for an unusable configuration."""

    inputs = (CONFIG_FILE, UNET_PICKLE, AUTOENCODER_PICKLE)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        fields = JsonFields(read_json(folder / CONFIG_FILE), CONFIG_FILE)
        self._unet_config = unet_from_json(fields.nested("unet"))
        self._autoencoder_config = autoencoder_from_json(fields.nested("autoencoder"))

    def cases(self) -> list[GoldenCase]:
        """What is compared, in order."""
        return [
            GoldenCase("bsdiff_unet_small_io.safetensors", NETWORK_TOLERANCE, self._unet_io),
            GoldenCase("bsdiff_autoencoder_small_io.safetensors", NETWORK_TOLERANCE, self._autoencoder_io),
            GoldenCase("bsdiff_x0_iteration_trace.safetensors", TRACE_TOLERANCE, self._trace),
            GoldenCase(
                "bsdiff_unet_full_keys.json", 0.0, lambda path: differing_names(path, lambda: UNet(UNetConfig()))
            ),
            GoldenCase(
                "bsdiff_autoencoder_full_keys.json",
                0.0,
                lambda path: differing_names(path, lambda: Autoencoder(AutoencoderConfig())),
            ),
        ]

    def _unet(self) -> UNet:
        module = read_module(self._folder / UNET_PICKLE)
        return network_from_state(lambda: UNet(self._unet_config), module.state, module.source)

    def _unet_io(self, path: Path) -> dict[str, float]:
        record = recorded(path, "x", "t", "y")
        return {"y": deviation(self._unet()(record["x"], record["t"]), record["y"])}

    def _autoencoder_io(self, path: Path) -> dict[str, float]:
        record = recorded(path, "image", "mu", "sigma", "decoded_mu")
        module = read_module(self._folder / AUTOENCODER_PICKLE)
        autoencoder = network_from_state(lambda: Autoencoder(self._autoencoder_config), module.state, module.source)
        latents = autoencoder.encode(record["image"])
        return {
            "mu": deviation(latents.mean, record["mu"]),
            "sigma": deviation(torch.exp(0.5 * latents.log_variance), record["sigma"]),
            "decoded_mu": deviation(autoencoder(record["image"]), record["decoded_mu"]),
        }

    def _trace(self, path: Path) -> dict[str, float | None]:
        record = recorded(path, "noise", "cxr")
        expected = {name: tensor for name, tensor in record.items() if name.startswith(STATE)}
        if not expected or not set(expected) <= {f"{STATE}{t}" for t in range(cosine_schedule().timesteps)}:
            raise WeightsError(WeightsFault.MISMATCH, f"{path.name}: expected states {STATE}<timestep> and no others")
        unet = self._unet()
        found = _states(unet, record, unfused_attention)
        deviations: dict[str, float | None] = {name: deviation(found[name], expected[name]) for name in expected}
        if all(value is not None and value <= TRACE_TOLERANCE for value in deviations.values()):
            return deviations
        other = _states(unet, record, F.scaled_dot_product_attention)
        open_names = {name for name in expected if deviation(found[name], other[name]) > TRACE_TOLERANCE}
        return {name: None if name in open_names else value for name, value in deviations.items()}


def unfused_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q·kᵀ / √C)·v in three operations, as the published code has it; (N, heads, positions, C)."""
    n, heads, positions, channels = q.shape
    q, k, v = (part.flatten(0, 1) for part in (q, k, v))
    into = q.new_empty(n * heads, positions, positions)
    weights = torch.baddbmm(into, q, k.transpose(1, 2), beta=0, alpha=channels**-0.5).softmax(dim=-1)
    return torch.bmm(weights, v).view(n, heads, positions, channels)


def _states(unet: UNet, record: dict[str, Tensor], attend: Attend) -> dict[str, Tensor]:
    """x̂₀ after the recorded timesteps, by the records' names."""
    for module in unet.modules():
        if isinstance(module, Attention):
            module.attend = attend
    states: dict[str, Tensor] = {}

    def observe(t: int, x: Tensor) -> None:
        if (name := f"{STATE}{t}") in record:
            states[name] = x

    schedule = cosine_schedule()
    denoiser = Denoiser(unet, Prediction.EPSILON, schedule, record["cxr"])
    with _threads(RECORDED_THREADS):
        iterate_x0(denoiser, record["noise"], schedule, lambda _step, _total: None, observe)
    return states


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
