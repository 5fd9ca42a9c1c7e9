"""Full-size BS-LDM on this machine: one evaluation of the U-Net against matrix products, and `fast` against 1000 steps.

The networks have their published sizes and random weights (speed does not depend on values). One evaluation is timed;
1000 of them are that time a thousand times, since every step runs the same operations. Both ratios are shown: network
evaluations alone, and whole images, where encoding and the two decodings are the same on both sides.
Bars: an evaluation no slower than 393 GFLOP at 60 % of the products' rate; 80 times.
Run: python -m benchmarks.full_size_evaluation [--threads N] [--busy]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from models.bs_ldm.fast_networks import FastUNet, fast_decoder
from models.bs_ldm.presets import PRESETS
from models.bs_ldm.unet import UNet, UNetConfig
from models.bs_ldm.vqgan import Vqgan, VqganConfig
from models.device.matmul_rate import best_seconds, count_flop, matmul_rate

console = Console()
NetworkT = TypeVar("NetworkT", bound=nn.Module)
CPU = torch.device("cpu")
LATENT_SIDE, IMAGE_SIDE = 128, 1024
BAR_SHARE, BAR_TIMES = 0.60, 80


@torch.inference_mode()
def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0, help="threads; 0: PyTorch decides")
    parser.add_argument("--rounds", type=int, default=2, help="evaluations timed; the shortest counts")
    parser.add_argument(
        "--busy", action="store_true", help="by processor time, for a machine that has other work; use --threads 1"
    )
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    clock = time.process_time if options.busy else time.perf_counter
    table = Table("what", "seconds", "GFLOP", "GFLOP/s", "of matrix products")
    rate = matmul_rate(CPU, clock=clock)

    unet = with_random_weights(lambda: UNet(UNetConfig()))
    x = torch.randn(1, 8, LATENT_SIDE, LATENT_SIDE)
    flop = count_flop(meta(lambda: UNet(UNetConfig())), x.to("meta"), torch.empty(1, device="meta"))
    fast_unet = FastUNet(unet)
    fast_unet.film(500)
    with console.status("one evaluation of the U-Net …"):
        evaluation = best_seconds(lambda: fast_unet(x, 500), CPU, rounds=options.rounds, clock=clock, warm=False)
    rate = max(rate, matmul_rate(CPU, clock=clock))
    film = best_seconds(lambda: unet.film(torch.tensor([500])), CPU, rounds=3, clock=clock)

    vqgan = with_random_weights(lambda: Vqgan(VqganConfig()))
    decode = fast_decoder(vqgan)
    image, z = torch.randn(1, 1, IMAGE_SIDE, IMAGE_SIDE), torch.randn(1, 4, LATENT_SIDE, LATENT_SIDE)
    with console.status("encoding and decoding …"):
        encoding = best_seconds(lambda: vqgan.encode(image), CPU, rounds=1, clock=clock, warm=False)
        decoding = best_seconds(lambda: decode(z), CPU, rounds=1, clock=clock, warm=False)
    sides = {"U-Net, one evaluation": (evaluation, flop)}
    sides["ML-VQGAN, encoding"] = encoding, count_flop(vqgan.encoder, image)
    sides["ML-VQGAN, decoding"] = decoding, count_flop(vqgan.decoder, z)  # the decoder cannot run without memory
    for name, (seconds, operations) in sides.items():
        of_rate = operations / seconds / rate
        row = f"{seconds:.2f}", f"{operations / 1e9:.0f}", f"{operations / seconds / 1e9:.0f}", f"{of_rate:.0%}"
        table.add_row(name, *row)
    table.add_row("matrix product, best", "", "", f"{rate / 1e9:.0f}", "100%")
    console.print(table)

    steps = PRESETS["fast"].steps
    around = encoding + 2 * decoding
    ratio = (1000 * evaluation + around) / (steps * evaluation + around)
    console.print(f"scales and shifts of a timestep, kept after the first image: {film * 1e3:.1f} ms a step saved")
    console.print(f"evaluation against {BAR_SHARE:.0%} of the rate: {_verdict(flop / evaluation / rate >= BAR_SHARE)}")
    console.print(
        f"network evaluations, 1000 against {steps} (extrapolated from one): {1000 / steps:.0f} times, "
        f"{1000 * evaluation:.0f} s against {steps * evaluation:.0f} s: {_verdict(1000 / steps >= BAR_TIMES)}"
    )
    console.print(
        f"whole image, with encoding and two decodings on both sides: {ratio:.0f} times, "
        f"{1000 * evaluation + around:.0f} s against {steps * evaluation + around:.0f} s: "
        f"{_verdict(ratio >= BAR_TIMES)}"
    )


def with_random_weights(build: Callable[[], NetworkT]) -> NetworkT:
    """The network with small random weights, in evaluation mode, on the CPU."""
    network = meta(build)
    network.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.copy_(torch.randn(tensor.shape) * 0.02)
    return network.eval().requires_grad_(False)


def meta(build: Callable[[], NetworkT]) -> NetworkT:
    """The network without memory or arithmetic, for counting."""
    with torch.device("meta"):
        return build()


def _verdict(reached: bool) -> str:
    return "[green]reached[/green]" if reached else "[red]missed[/red]"


if __name__ == "__main__":
    main()
