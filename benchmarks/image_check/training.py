"""Training of the image check's networks: few perceptrons on 16 × 16 cells, whose mean is the answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from dicom_node.image_networks import CLASSES, ImageNetworks, Perceptron, pooled

HIDDEN = 24
NETWORKS = 5
EPOCHS = 40
BATCH = 256
SHIFTS = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1))
FACTOR = 1000.0  # weights are kept in thousandths

Ranks = npt.NDArray[np.float32]


def train(ranks: Ranks, label: npt.NDArray[np.int64], originals: Ranks) -> ImageNetworks:
    """Networks for (N, 32, 32) `ranks`; `originals`: frontal chests that are known not to be mirrored."""
    views = _views(ranks)
    return ImageNetworks(
        tuple(_perceptron(views, label, seed) for seed in range(NETWORKS)), mirror=_mirror_weights(originals)
    )


def _views(ranks: Ranks) -> torch.Tensor:
    """(views, N, 256): each picture shifted by a cell and mirrored."""
    made = []
    for down, right in SHIFTS:
        padded = np.pad(ranks, ((0, 0), (1, 1), (1, 1)), mode="edge")
        shifted = padded[:, 1 + down : 33 + down, 1 + right : 33 + right]
        made += [pooled(shifted), pooled(shifted[:, :, ::-1])]
    return torch.from_numpy(np.stack(made).astype(np.float32))


def _perceptron(views: torch.Tensor, label: npt.NDArray[np.int64], seed: int) -> Perceptron:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    hidden, answer = nn.Linear(views.shape[2], HIDDEN), nn.Linear(HIDDEN, len(CLASSES))
    network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(0.2), answer)
    wanted = torch.from_numpy(label)
    weight = torch.from_numpy(np.sqrt(len(label) / np.bincount(label, minlength=len(CLASSES)))).float()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=3e-2)
    steps = EPOCHS * -(-len(label) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = rng.permutation(len(label))
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            batch = views[rng.integers(0, len(views), len(chosen)), chosen]
            loss = nn.functional.cross_entropy(network(batch), wanted[chosen], weight=weight, label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return Perceptron(*(_kept(part) for part in (hidden.weight.T, hidden.bias, answer.weight.T, answer.bias)))


def _kept(weights: torch.Tensor) -> npt.NDArray[np.float64]:
    return np.rint(weights.detach().numpy().astype(np.float64) * FACTOR) / FACTOR


def _mirror_weights(originals: Ranks, ridge: float = 30.0) -> npt.NDArray[np.float64]:
    """Least squares on the difference between a picture and its mirror image: positive where nothing is mirrored."""
    difference = pooled(originals - originals[:, :, ::-1])
    count = difference.shape[1]
    solved = np.linalg.solve(difference.T @ difference + ridge * np.eye(count), difference.T @ np.ones(len(difference)))
    return np.rint(solved * FACTOR) / FACTOR
