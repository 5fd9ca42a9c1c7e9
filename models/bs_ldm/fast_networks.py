"""The networks as the method calls them: the same numbers with less work.

All images of a batch stand at the same timestep, and a preset comes to the same few with every image: what a timestep
says to the network's blocks (114 small products in BS-LDM's) is computed once and kept. Convolutions run channels last;
on CUDA in bfloat16, from weights that were rounded once, and each batch size is a recorded graph
(`models.device.graphs`). Encoder and quantiser stay in float32: bfloat16 flips code indices.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.bs_ldm.unet import UNet
from models.bs_ldm.vqgan import Vqgan
from models.device.graphs import GraphBackend, GraphedFunction

KEPT_TIMESTEPS = 64
"""Every timestep of a preset of few steps; the reference's thousand would take 0.3 GB."""


class FastUNet:
    """f(x, t): x (N, in_channels, H, W) float32, one timestep t → (N, out_channels, H, W) float32."""

    def __init__(self, unet: UNet, graphs: GraphBackend | None = None) -> None:
        """`unet` is changed for speed: layout everywhere, the convolutions' weights to bfloat16 on CUDA. `graphs` None:
        nothing is recorded."""
        device = next(unet.parameters()).device
        unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._unet = unet
        self._reduced = device.type == "cuda"
        if self._reduced:
            round_weights(unet, torch.bfloat16)
        # All timesteps at once on the device: indexing there costs no transfer for a step.
        self._timesteps = torch.arange(1000, device=device)
        self._films: dict[int, Tensor] = {}
        self._denoise = GraphedFunction("the U-Net", self._evaluate, graphs)

    def __call__(self, x: Tensor, t: int) -> Tensor:
        """One evaluation."""
        return self._denoise(x, self.film(t))

    def film(self, t: int) -> Tensor:
        """What timestep t says to the blocks, (1, …) float32."""
        kept = self._films.get(t)
        if kept is None:
            kept = self._unet.film(self._timesteps[t : t + 1])
            if len(self._films) < KEPT_TIMESTEPS:
                self._films[t] = kept
        return kept

    def _evaluate(self, x: Tensor, film: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._reduced):
            output: Tensor = self._unet.denoise(x.contiguous(memory_format=torch.channels_last), film)
        return output.float()


def fast_decoder(vqgan: Vqgan, graphs: GraphBackend | None = None) -> GraphedFunction:
    """f(z): latents (N, D, h, w) float32 → pixels (N, 1, H, W) float32. `vqgan` is changed for speed, as above."""
    device = next(vqgan.parameters()).device
    vqgan.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    reduced = device.type == "cuda"
    if reduced:
        round_weights(vqgan.decoder, torch.bfloat16, but=vqgan.decoder.blocks[-1])  # the last layer runs in float32

    def decode(z: Tensor) -> Tensor:
        with torch.autocast(z.device.type, torch.bfloat16, enabled=reduced):
            return vqgan.decode(z.contiguous(memory_format=torch.channels_last))

    return GraphedFunction("the decoder", decode, graphs)


def round_weights(network: nn.Module, dtype: torch.dtype, *, but: nn.Module | None = None) -> None:
    """Converts the weights of the convolutions of `network` to `dtype`, those in `but` excepted.

    Under autocast they would be rounded to the same numbers at every call.
    """
    kept = set(but.modules()) if but is not None else set()
    for module in network.modules():
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)) and module not in kept:
            module.to(dtype)
