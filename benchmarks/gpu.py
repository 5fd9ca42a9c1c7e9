"""Full-size BS-LDM on a CUDA card; without one it says so and measures nothing.

The networks have their published sizes and random weights (speed does not depend on values). The cost of bfloat16 is
measured with the trained bs-ldm-lite: tone-fitted PSNR of phantoms on the card and in float32 on the CPU, from the same
noise.
Bars on an H200: 60 ms an image at batch 1 with at most 10 evaluations, 25 images/s at batch 8, 0.05 dB.
Run: python -m benchmarks.gpu
"""

from __future__ import annotations

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.full_size_evaluation import LATENT_SIDE, with_random_weights
from models import library
from models.bs_ldm.config import BsLdmConfig
from models.bs_ldm.fast_networks import FastUNet
from models.bs_ldm.predict import BsLdmSuppressor
from models.bs_ldm.presets import PRESETS
from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from models.device.graphs import BATCH_SIZES, CudaGraphs
from models.device.matmul_rate import best_seconds, matmul_rate
from models.metrics import score
from models.phantom import render
from models.preprocess import from_model, to_model
from models.suppressor import ModelIdentity

console = Console()
SEEDS = (7, 8, 9)
TRAINED = "bs-ldm-lite"


def main() -> None:
    """Print the tables, or one line."""
    if not torch.cuda.is_available():
        console.print("benchmarks.gpu: not run, no CUDA card is present")
        return
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    rate = matmul_rate(device, torch.bfloat16, sides=(8192,))
    console.print(f"{name}: {rate / 1e12:.0f} TFLOP/s in bfloat16 matrix products")
    _steps(device, name)
    _images(device, name)
    _precision()


@torch.inference_mode()
def _steps(device: torch.device, name: str) -> None:
    """One evaluation, recorded and not."""
    unet = with_random_weights(lambda: UNet(BsLdmConfig().unet)).to(device)
    eager, recorded = FastUNet(unet), FastUNet(unet, CudaGraphs())
    table = Table("batch", "launched, ms", "recorded, ms", title=f"U-Net, one evaluation, {name}")
    for batch in BATCH_SIZES:
        x = torch.randn(batch, 8, LATENT_SIDE, LATENT_SIDE, device=device)
        laps = [best_seconds(lambda f=f, x=x: f(x, 500), device, rounds=10) for f in (eager, recorded)]  # type: ignore[misc]
        table.add_row(str(batch), *(f"{seconds * 1e3:.2f}" for seconds in laps))
    console.print(table)


def _images(device: torch.device, name: str) -> None:
    """Whole images: encoding, sampling, two decodings, and the result back on the CPU."""
    config, preset = BsLdmConfig(), PRESETS["fast"]
    identity = ModelIdentity("bs-ldm", "0", "bs-ldm", "", preset.sampler, preset.steps, "bfloat16", f"cuda ({name})")
    vqgan, unet = (
        with_random_weights(build).to(device) for build in (lambda: Vqgan(config.vqgan), lambda: UNet(config.unet))
    )
    suppressor = BsLdmSuppressor(identity, config, vqgan, unet, preset)  # type: ignore[arg-type]
    table = Table("batch", "ms an image", "images/s", "bar", title=f"BS-LDM, {preset.steps} evaluations, {name}")
    for batch in BATCH_SIZES:
        cxr = torch.rand(batch, 1, config.image_size, config.image_size) * 2 - 1

        def run(cxr: torch.Tensor = cxr) -> torch.Tensor:
            return suppressor.bone_residual(cxr, seeds=range(len(cxr)), on_step=lambda _step, _total: None)

        seconds = best_seconds(run, device, rounds=5) / batch
        bar = {1: "60 ms", 8: "25 images/s"}.get(batch, "")
        table.add_row(str(batch), f"{seconds * 1e3:.1f}", f"{1 / seconds:.1f}", bar)
    console.print(table)


def _precision() -> None:
    """What bfloat16 costs in quality."""
    psnr = {device: float(np.mean(_psnr(device))) for device in ("cpu", "cuda")}
    console.print(
        f"{TRAINED}, tone-fitted PSNR: float32 {psnr['cpu']:.3f} dB, bfloat16 {psnr['cuda']:.3f} dB, "
        f"difference {psnr['cuda'] - psnr['cpu']:+.3f} dB (bar 0.05)"
    )


def _psnr(device: str) -> list[float]:
    suppressor = library.load(TRAINED, device=device)
    found = []
    for phantom in (render(1024, seed) for seed in SEEDS):
        pixels, placement = to_model(phantom.radiograph, suppressor.image_size)
        residual = suppressor.bone_residual(pixels, seeds=[0], on_step=lambda _step, _total: None)
        result = phantom.radiograph - from_model(residual, placement)
        found.append(score(result, phantom.radiograph, phantom.soft_tissue).psnr_db)
    return found


if __name__ == "__main__":
    main()
