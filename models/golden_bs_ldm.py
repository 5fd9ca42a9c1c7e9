"""BS-LDM's golden files: its small networks, one sampling run of theirs, and the names of the full ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models.bs_ldm.config import BsLdmConfig, unet_from_json, vqgan_from_json
from models.bs_ldm.denoiser import Denoiser
from models.bs_ldm.fast_networks import FastUNet
from models.bs_ldm.shapes import attention_order_of
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.checkpoint import network_from_state
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
from models.samplers.ddpm import sample_ddpm
from models.schedules import cosine_schedule

CONFIG_FILE = "config.json"
UNET_PICKLE, VQGAN_PICKLE = "upstream_unet_small.pth", "upstream_vqgan_small.pth"


class BsLdmGolden:
    """The folder's small networks, imported when first needed. Raises ConfigError for an unusable `config.json`."""

    inputs = (CONFIG_FILE, UNET_PICKLE, VQGAN_PICKLE)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        fields = JsonFields(read_json(folder / CONFIG_FILE), CONFIG_FILE)
        self._unet_config = unet_from_json(fields.nested("unet"))
        self._vqgan_config = vqgan_from_json(fields.nested("vqgan"))
        self._seed = fields.integer("seed", low=0, high=2**31)
        self._loaded_unet: UNet | None = None
        self._loaded_vqgan: Vqgan | None = None

    def cases(self) -> list[GoldenCase]:
        """What is compared, in order."""
        return [
            GoldenCase("unet_small_io.safetensors", NETWORK_TOLERANCE, self._unet_io),
            GoldenCase("vqgan_small_io.safetensors", NETWORK_TOLERANCE, self._vqgan_io),
            GoldenCase("ddpm1000_trace.safetensors", TRACE_TOLERANCE, self._trace),
            GoldenCase("unet_full_keys.json", 0.0, lambda path: differing_names(path, lambda: UNet(UNetConfig()))),
            GoldenCase("vqgan_full_keys.json", 0.0, lambda path: differing_names(path, lambda: Vqgan(VqganConfig()))),
        ]

    def _unet(self) -> UNet:
        if self._loaded_unet is None:
            module = read_module(self._folder / UNET_PICKLE)
            config = self._unet_config
            if module.class_names:
                config = replace(config, attention_order=attention_order_of(module))
            self._loaded_unet = network_from_state(lambda: UNet(config), module.state, module.source)
        return self._loaded_unet

    def _vqgan(self) -> Vqgan:
        if self._loaded_vqgan is None:
            module = read_module(self._folder / VQGAN_PICKLE)
            self._loaded_vqgan = network_from_state(lambda: Vqgan(self._vqgan_config), module.state, module.source)
        return self._loaded_vqgan

    def _unet_io(self, path: Path) -> dict[str, float]:
        record = recorded(path, "x", "t", "y")
        return {"y": deviation(self._unet()(record["x"], record["t"]), record["y"])}

    def _vqgan_io(self, path: Path) -> dict[str, float]:
        record = recorded(path, "image", "z", "z_q", "decoded", "reconstruction")
        vqgan = self._vqgan()
        z = vqgan.encode(record["image"])
        return {
            "z": deviation(z, record["z"]),
            "z_q": deviation(vqgan.quantise(z), record["z_q"]),
            "decoded": deviation(vqgan.decode(record["z_q"]), record["decoded"]),
            "reconstruction": deviation(vqgan(record["image"])[0], record["reconstruction"]),
        }

    def _trace(self, path: Path) -> dict[str, float]:
        """The published sampling run, noise and all, and its decoded result."""
        record = recorded(path, "noise", "cxr_latent", "soft")
        generator = torch.Generator().manual_seed(self._seed + 3)
        shape = tuple(record["noise"].shape)
        channels = shape[1]
        x_T = torch.randn(shape, generator=generator)
        found = {"noise": deviation(x_T, record["noise"])}

        def step_noise(_t: int) -> Tensor:
            full = torch.randn((shape[0], self._unet_config.out_channels, *shape[2:]), generator=generator)
            return full[:, :channels]

        def observe(t: int, x: Tensor) -> None:
            if (name := f"x_after_{t}") in record:
                found[name] = deviation(x, record[name])

        schedule = cosine_schedule()
        config = BsLdmConfig(
            image_size=shape[2] * self._vqgan_config.stride, unet=self._unet_config, vqgan=self._vqgan_config
        )
        denoiser = Denoiser(FastUNet(self._unet()), config, schedule, record["cxr_latent"])
        x = sample_ddpm(denoiser, x_T, step_noise, schedule, lambda _step, _total: None, observe)
        found["soft"] = deviation(self._vqgan().decode(x), record["soft"])
        return found
