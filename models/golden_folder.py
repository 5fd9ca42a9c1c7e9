"""Checks a folder of golden inputs and outputs, as the published code made them, against this implementation.

Such a folder holds a `config.json` that names the networks' sizes, the networks as whole-module pickles (imported
without executing anything), safetensors files of inputs and outputs, a trace of one whole 1000-step sampling run, and
the names and shapes of the full networks. Networks must agree to 1e-4, the trace to 1e-3, names exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from models.bs_ldm.config import BsLdmConfig, unet_from_json, vqgan_from_json
from models.bs_ldm.denoiser import Denoiser
from models.bs_ldm.shapes import attention_order_of
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.checkpoint import file_sha256, load_tensors, network_from_state
from models.errors import ConfigError, ModelsError, WeightsError, WeightsFault
from models.json_fields import JsonFields
from models.pickle_modules import read_module
from models.samplers.ddpm import sample_ddpm
from models.schedules import cosine_schedule

NETWORK_TOLERANCE = 1e-4
TRACE_TOLERANCE = 1e-3
UNET_PICKLE, VQGAN_PICKLE = "upstream_unet_small.pth", "upstream_vqgan_small.pth"
NOT_CHECKED = "not checked by this version"


@dataclass(frozen=True)
class GoldenFile:
    """What became of one file of the folder."""

    file: str
    deviation: float | None
    """Largest absolute deviation (for names: how many differ); None when the file could not be compared."""
    tolerance: float | None
    ok: bool | None
    """None: not checked by this version."""
    note: str = ""
    """Where the largest deviation is, or why there is none."""


def check(folder: Path, on_file: Callable[[GoldenFile], None] = lambda _file: None) -> list[GoldenFile]:
    """Every golden file of the folder, in order; `on_file` sees each as soon as it is known.

    Raises ConfigError when there is no usable `config.json`. A file that is missing, altered or foreign is a result
    that is not ok, with the reason in its note.
    """
    golden = _Golden(folder)
    known: dict[str, tuple[float, Callable[[Path], dict[str, float]]]] = {
        "unet_small_io.safetensors": (NETWORK_TOLERANCE, golden.unet_io),
        "vqgan_small_io.safetensors": (NETWORK_TOLERANCE, golden.vqgan_io),
        "ddpm1000_trace.safetensors": (TRACE_TOLERANCE, golden.trace),
        "unet_full_keys.json": (0.0, lambda path: _differing_names(path, lambda: UNet(UNetConfig()))),
        "vqgan_full_keys.json": (0.0, lambda path: _differing_names(path, lambda: Vqgan(VqganConfig()))),
    }
    results: list[GoldenFile] = []
    for name, (tolerance, compare) in known.items():
        results.append(_compared(folder / name, tolerance, compare))
        on_file(results[-1])
    # Inputs of the checks above; everything else in the folder is listed, so that nothing seems checked that is not.
    used = {*known, "config.json", UNET_PICKLE, VQGAN_PICKLE, "README.md"}
    for path in sorted(folder.iterdir()):
        if path.name not in used:
            results.append(GoldenFile(path.name, None, None, None, NOT_CHECKED))
            on_file(results[-1])
    return results


class _Golden:
    """The folder's small networks, imported when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        fields = JsonFields(_json(folder / "config.json"), "config.json")
        self.unet_config = unet_from_json(fields.nested("unet"))
        self.vqgan_config = vqgan_from_json(fields.nested("vqgan"))
        self.seed = fields.integer("seed", low=0, high=2**31)
        self._unet: UNet | None = None
        self._vqgan: Vqgan | None = None

    def unet(self) -> UNet:
        if self._unet is None:
            module = read_module(self._folder / UNET_PICKLE)
            config = self.unet_config
            if module.class_names:
                config = replace(config, attention_order=attention_order_of(module))
            self._unet = network_from_state(lambda: UNet(config), module.state, module.source)
        return self._unet

    def vqgan(self) -> Vqgan:
        if self._vqgan is None:
            module = read_module(self._folder / VQGAN_PICKLE)
            self._vqgan = network_from_state(lambda: Vqgan(self.vqgan_config), module.state, module.source)
        return self._vqgan

    def unet_io(self, path: Path) -> dict[str, float]:
        recorded = _recorded(path, "x", "t", "y")
        return {"y": _deviation(self.unet()(recorded["x"], recorded["t"]), recorded["y"])}

    def vqgan_io(self, path: Path) -> dict[str, float]:
        recorded = _recorded(path, "image", "z", "z_q", "decoded", "reconstruction")
        vqgan = self.vqgan()
        z = vqgan.encode(recorded["image"])
        return {
            "z": _deviation(z, recorded["z"]),
            "z_q": _deviation(vqgan.quantise(z), recorded["z_q"]),
            "decoded": _deviation(vqgan.decode(recorded["z_q"]), recorded["decoded"]),
            "reconstruction": _deviation(vqgan(recorded["image"])[0], recorded["reconstruction"]),
        }

    def trace(self, path: Path) -> dict[str, float]:
        """The published sampling run, noise and all, and its decoded result."""
        recorded = _recorded(path, "noise", "cxr_latent", "soft")
        generator = torch.Generator().manual_seed(self.seed + 3)
        shape = tuple(recorded["noise"].shape)
        channels = shape[1]
        x_T = torch.randn(shape, generator=generator)
        found = {"noise": _deviation(x_T, recorded["noise"])}

        def step_noise(_t: int) -> Tensor:
            full = torch.randn((shape[0], self.unet_config.out_channels, *shape[2:]), generator=generator)
            return full[:, :channels]

        def observe(t: int, x: Tensor) -> None:
            if (name := f"x_after_{t}") in recorded:
                found[name] = _deviation(x, recorded[name])

        schedule = cosine_schedule()
        config = BsLdmConfig(
            image_size=shape[2] * self.vqgan_config.stride, unet=self.unet_config, vqgan=self.vqgan_config
        )
        denoiser = Denoiser(self.unet(), config, schedule, recorded["cxr_latent"])
        x = sample_ddpm(denoiser, x_T, step_noise, schedule, lambda _step, _total: None, observe)
        found["soft"] = _deviation(self.vqgan().decode(x), recorded["soft"])
        return found


@torch.inference_mode()
def _compared(path: Path, tolerance: float, compare: Callable[[Path], Mapping[str, float]]) -> GoldenFile:
    try:
        deviations = compare(path)
    except ModelsError as error:
        return GoldenFile(path.name, None, tolerance, False, str(error))
    except RuntimeError as error:  # torch's word for tensors whose shapes do not fit the configuration
        return GoldenFile(path.name, None, tolerance, False, f"does not fit config.json: {str(error).splitlines()[0]}")
    worst = max(deviations, key=lambda name: deviations[name])
    return GoldenFile(path.name, deviations[worst], tolerance, deviations[worst] <= tolerance, f"largest in {worst}")


def _recorded(path: Path, *needed: str) -> dict[str, Tensor]:
    tensors = load_tensors(path, file_sha256(path))
    if absent := [name for name in needed if name not in tensors]:
        raise WeightsError(WeightsFault.MISMATCH, f"{path.name}: tensors missing: {', '.join(absent)}")
    return tensors


def _deviation(found: Tensor, expected: Tensor) -> float:
    """Largest absolute difference; infinite where shapes differ or a value is not a number."""
    if found.shape != expected.shape:
        return float("inf")
    largest = float((found - expected).abs().max())
    return largest if largest == largest else float("inf")


def _differing_names(path: Path, build: Callable[[], nn.Module]) -> dict[str, float]:
    """How many names or shapes of the full network differ from the recorded ones; allocates no weights."""
    recorded = _json(path)
    if not isinstance(recorded, dict):
        raise ConfigError(f"{path.name}: expected an object of names and shapes")
    with torch.device("meta"):
        found = {name: list(tensor.shape) for name, tensor in build().state_dict().items()}
    return {"names and shapes": float(sum(found.get(n) != recorded.get(n) for n in {*found, *recorded}))}


def _json(path: Path) -> object:
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})", code="GOLDEN_FILE_MISSING") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error})") from error
    return value
