"""How the network that finds lines was made: lines drawn over radiographs without any, and asked for.

Run: python -m models.lines.training FOLDER... --projections FILE --without NAMES --into FILE. The radiographs are PNG;
names that begin as one of NAMES does show lines of their own and are left out. On one CPU core, within half an hour.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.checkpoint import file_sha256, load_tensors, save_tensors
from models.gaussian import gaussian_blur
from models.lines.drawing import Line, Plane, drawn, smooth_path
from models.lines.network import LineNetwork, views_of
from models.lines.scaled import in_range, scaled
from models.pairs.folder import read_grey16
from models.phantom import render
from models.training.augment import exposed
from models.training.data import HELD_OUT_PROJECTIONS
from models.training.projections import read_projections

CROP, LAYER = 192, 384
PIXEL_MM = 0.7
"""Of 512 pixels over a chest of 36 cm."""
LABELLED, UNASKED = 0.25, 3
"""Share of its peak from which a pixel belongs to a line; side of the surroundings of which nothing is asked."""
RARE = 4.0
"""How much more a pixel of a line weighs than another."""
WARM_UP = 100
FIRST_GUESS = -3.0


def main() -> None:
    """Read the arguments, train, write the weights and say their digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--projections", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--start", type=Path, help="weights of an earlier run to go on from")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=250, help="drawings of lines that are laid over")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--into", type=Path, required=True)
    wanted = parser.parse_args()
    torch.manual_seed(wanted.seed)
    random = np.random.default_rng(wanted.seed)
    generator = torch.Generator().manual_seed(wanted.seed)
    backgrounds = [
        _radiographs(wanted.folders, wanted.without),
        _projections(wanted.projections, generator),
        [scaled(torch.from_numpy(render(1024, seed).radiograph.astype(np.float32))[None, None]) for seed in range(8)],
    ]
    print(f"{[len(kind) for kind in backgrounds]} radiographs, projections and phantoms")
    layers = [_layer(random) for _ in range(wanted.layers)]
    network = LineNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.3 times as fast
    torch.nn.init.constant_(network.last.bias, FIRST_GUESS)  # type: ignore[arg-type]
    if wanted.start is not None:
        network.load_state_dict(load_tensors(wanted.start, file_sha256(wanted.start)))
    optimiser = torch.optim.AdamW(network.parameters(), wanted.rate, weight_decay=1e-4)
    begun, running = time.monotonic(), math.nan
    for step in range(wanted.steps):
        for group in optimiser.param_groups:
            group["lr"] = wanted.rate * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / wanted.steps)) / 2
        drawn_over = [_sample(backgrounds, layers, random, generator) for _ in range(wanted.batch)]
        cxr, lines, weight = (torch.cat(parts) for parts in zip(*drawn_over, strict=True))
        loss = F.binary_cross_entropy_with_logits(network(views_of(cxr)), lines, weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        running = loss.item() if math.isnan(running) else 0.99 * running + 0.01 * loss.item()
        if step % 200 == 199:
            print(f"step {step + 1}: loss {running:.4f}, {time.monotonic() - begun:.0f} s", flush=True)
            digest = save_tensors(network.state_dict(), wanted.into)
    digest = save_tensors(network.state_dict(), wanted.into)
    print(f"{wanted.into}: {digest}")


def _radiographs(folders: Sequence[Path], without: Sequence[str]) -> list[Tensor]:
    files = [file for folder in folders for file in sorted(folder.glob("*.png"))]
    kept = [file for file in files if not file.name.startswith(tuple(without))] if without else files
    return [scaled(torch.from_numpy(read_grey16(file))[None, None]) for file in kept]


def _projections(path: Path, generator: torch.Generator) -> list[Tensor]:
    found = read_projections(path)
    soft, bone = (paths[:-HELD_OUT_PROJECTIONS, None].float() for paths in (found.soft, found.bone))
    return [scaled(one[None]) for _ in range(2) for one in exposed(soft, bone, generator)[0]]


def _sample(
    backgrounds: Sequence[Sequence[Tensor]],
    layers: Sequence[tuple[Tensor, Tensor]],
    random: np.random.Generator,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """A crop with lines, (1, 1, `CROP`, `CROP`) 0 to 1; where lines are; and how much is asked of each pixel."""
    kind = backgrounds[random.choice(len(backgrounds), p=(0.7, 0.2, 0.1))]
    cxr = _cropped(in_range(kind[int(random.integers(len(kind)))]), random)
    contrast, mask = (_turned(plane, random_state) for plane, random_state in _same(layers, random))
    strength = float(np.exp(random.uniform(np.log(0.03), np.log(0.35)))) * (random.random() > 0.1)
    shown = cxr + strength * gaussian_blur(contrast, random.uniform(0.3, 0.9))
    shown = shown + random.uniform(0, 0.012) * torch.randn(shown.shape, generator=generator)
    lines = mask * (strength > 0)
    near = F.max_pool2d(lines, UNASKED, 1, UNASKED // 2)
    return shown, lines, 1 - near + (1 + RARE) * lines


def _same(
    layers: Sequence[tuple[Tensor, Tensor]], random: np.random.Generator
) -> list[tuple[Tensor, tuple[int, int, int, bool]]]:
    top, left = (int(random.integers(LAYER - CROP + 1)) for _ in range(2))
    turn = (top, left, int(random.integers(4)), bool(random.random() < 0.5))
    return [(plane, turn) for plane in layers[int(random.integers(len(layers)))]]


def _turned(plane: Tensor, turn: tuple[int, int, int, bool]) -> Tensor:
    top, left, quarters, mirrored = turn
    part = torch.rot90(plane[..., top : top + CROP, left : left + CROP], quarters, (2, 3))
    return part.flip(3) if mirrored else part


def _cropped(cxr: Tensor, random: np.random.Generator) -> Tensor:
    """A part of `cxr` in another size, slant and tone."""
    zoom, angle = np.exp(random.uniform(-0.3, 0.25)), random.normal(0, 0.1)
    height, width = cxr.shape[2:]
    room_y, room_x = (max(0.0, 1 - CROP / zoom / side) for side in (height, width))
    across = np.cos(angle) * CROP / zoom / np.array([width, height])
    down = np.sin(angle) * CROP / zoom / np.array([width, height])
    mirror = random.choice((-1.0, 1.0))
    matrix = torch.tensor(
        [
            [mirror * across[0], -down[0], random.uniform(-room_x, room_x)],
            [mirror * down[1], across[1], random.uniform(-room_y, room_y)],
        ],
        dtype=torch.float32,
    )
    grid = F.affine_grid(matrix[None], [1, 1, CROP, CROP], align_corners=False)
    part = F.grid_sample(cxr, grid, padding_mode="border", align_corners=False)
    toned = part.clamp_min(0) ** float(np.exp(random.normal(0, 0.25)))
    return toned * float(np.exp(random.normal(0, 0.25)))


def _layer(random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(1, 1, `LAYER`, `LAYER`) contrast, about 1 at most, of three to nine lines, and where they are."""
    contrast, mask = np.zeros((LAYER, LAYER)), np.zeros((LAYER, LAYER))
    for _ in range(random.integers(3, 10)):
        strength = float(np.exp(random.uniform(-0.7, 0)))
        line = drawn(_any_line(random), _any_path(random), (LAYER, LAYER), PIXEL_MM)
        line /= max(line.max(), 1e-6)
        contrast += strength * line
        mask = np.maximum(mask, line > LABELLED)
    tensors = (torch.from_numpy(plane.astype(np.float32))[None, None] for plane in (contrast, mask))
    first, second = tensors
    return first, second


def _any_line(random: np.random.Generator) -> Line:
    if random.random() < 0.65:
        return Line(float(np.exp(random.uniform(np.log(0.8), np.log(4.0)))), 1.0)
    return Line(random.uniform(3.5, 11.0), random.uniform(0.3, 0.7), random.uniform(0.6, 1.3), 1.0)


def _any_path(random: np.random.Generator) -> Plane:
    """A long course, a loop of wire, or a clip."""
    start = random.uniform(0, LAYER, 2)
    kind = random.random()
    if kind < 0.12:
        turn, radii = np.linspace(0, 2 * np.pi, 12), random.uniform(4, 26, 2)
        return smooth_path(start + np.stack([radii[0] * np.sin(turn), radii[1] * np.cos(turn)], 1))
    angle = random.uniform(0, 2 * np.pi)
    if kind < 0.25:
        return smooth_path(np.stack([start, start + random.uniform(6, 16) * np.array([np.sin(angle), np.cos(angle)])]))
    bend, points = random.normal(0, 0.25), [start]
    for _ in range(random.integers(4, 12)):
        points.append(points[-1] + 34 * np.array([np.sin(angle), np.cos(angle)]))
        angle += bend + random.normal(0, 0.25)
    return smooth_path(np.array(points))


if __name__ == "__main__":
    main()
