"""Lays out a codebook over the latents that an encoder really gives, by a few rounds of Lloyd's algorithm."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from models.bs_ldm.vqgan import Vqgan
from models.training.batches import generator_for

ROUNDS = 12


@torch.no_grad()
def lay_out_codebook(vqgan: Vqgan, images: Iterable[Tensor], batches: int) -> None:
    """Spread the codes over the latents of `images`, (n, 1, H, W) each, which are `batches` batches of the training."""
    codebook = vqgan.quantizer.quantizer
    codes = codebook.embedding.weight
    count, dimension = codes.shape
    encoded = [vqgan.encode(image.to(codes.device)).float().permute(0, 2, 3, 1) for image in images]
    flat = torch.cat([latents.reshape(-1, dimension) for latents in encoded])
    order = torch.randperm(len(flat), generator=generator_for(0, len(flat))).to(flat.device)
    codes = flat[order[torch.arange(count) % len(flat)]].clone()
    sizes = torch.ones(count, device=flat.device)
    for _ in range(ROUNDS):
        nearest = torch.cdist(flat, codes).argmin(1)
        sizes = torch.bincount(nearest, minlength=count).float()
        sums = torch.zeros_like(codes).index_add_(0, nearest, flat)
        codes = torch.where(sizes[:, None] > 0, sums / sizes.clamp_min(1)[:, None], codes)
    share = (sizes + 1) / batches
    codebook.embedding.weight.copy_(codes)
    codebook.ema_cluster_size.copy_(share)
    codebook.ema_w.copy_(codes * share[:, None])
