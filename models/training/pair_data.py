"""A folder of pairs as what batches are drawn from: prepared once, then mapped from disk, whatever its size.

An archive of a thousand pairs is several gigabytes as float32: the operating system pages in what a batch touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ConfigError
from models.metrics import fit
from models.pairs.folder import PairFile, PairFolder, Split, read_grey16, read_pair_folder
from models.training.bones import PHANTOM_SIZE, phantom_paths, write_phantoms
from models.training.config import DataSettings
from models.training.data import HELD_OUT_PROJECTIONS, SIZE, Pair, TrainingData, letterboxed, read_grey, trust
from models.training.errors import TrainingError, TrainingFault
from models.training.lungs import lung_mask, paths_with_lungs, with_lungs
from models.training.projections import read_projections

PLANES = 4  # radiograph, residual, trust, lungs
DICOM_MAGIC = (128, b"DICM")
LOOKED_AT = 50


@dataclass(frozen=True)
class RunData:
    """The data of one training."""

    training: TrainingData
    validation: tuple[PairFile, ...]
    digest: str
    """Of all pairs with their split."""
    counts: str
    """How many pairs are for what, in words."""


def read_run_data(settings: DataSettings, seed: int, cache: Path) -> RunData:
    """The data that `settings` name. Raises PairDataError, TrainingError or ConfigError."""
    refuse_dicom(settings.pairs)
    folder = read_pair_folder(settings.pairs, seed=seed, ratios=settings.ratios)
    chosen = folder.of(Split.TRAIN)
    if not chosen:
        raise TrainingError(
            TrainingFault.NO_TRAINING_PAIRS,
            f"expected pairs for training in {settings.pairs}, found all {len(folder.pairs)} in other splits",
        )
    pairs = mapped_pairs(folder, chosen, settings.image_size, cache)
    unpaired = _radiographs(settings.radiographs, settings.image_size) if settings.radiographs else pairs[:, ::3]
    counts = ", ".join(f"{len(folder.of(split))} {split}" for split in Split)
    phantoms = _at_size(cached_phantoms(settings.phantoms, seed, cache), settings.image_size)
    projected = _projections(settings.projections, settings.image_size) if settings.projections else phantoms
    data = TrainingData(pairs, projected, unpaired, phantoms)
    return RunData(data, folder.of(Split.VALIDATION), folder.digest, counts)


def read_all(files: Iterable[PairFile]) -> Iterator[Pair]:
    """The pictures of the pairs, one pair at a time."""
    for file in files:
        yield Pair(file.name, read_grey16(file.cxr), read_grey16(file.soft))


def mapped_pairs(folder: PairFolder, chosen: Sequence[PairFile], size: int, cache: Path) -> Tensor:
    """(P, 4, size, size) float32 as in `TrainingData.pairs`, from a file in `cache` that is made when it is missing."""
    path = cache / f"pairs-{folder.digest[:16]}-{size}.f32"
    shape = (len(chosen), PLANES, size, size)
    count = int(np.prod(shape))
    if not path.is_file() or path.stat().st_size != 4 * count:
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            for pair in read_all(chosen):
                file.write(pair_planes(pair, size).numpy().tobytes())
        partial.replace(path)
    return torch.from_file(str(path), shared=False, size=count, dtype=torch.float32).view(shape)


def pair_planes(pair: Pair, size: int) -> Tensor:
    """(4, size, size): radiograph, bone residual in the radiograph's tone, trust, lungs; letterboxed."""
    residual = pair.cxr - fit(pair.soft, pair.cxr).astype(np.float32)
    both = torch.from_numpy(np.stack([pair.cxr, residual]))[None]
    at_size = letterboxed(both, size)
    seen = at_size if size == SIZE else letterboxed(both, SIZE)  # the trust's filters are stated in px of SIZE
    trusted = trust(seen[:, :1], seen[:, 1:])
    if size != SIZE:
        trusted = F.interpolate(trusted, size=(size, size), mode="bilinear", antialias=True)
    return torch.cat([at_size, trusted, lung_mask(at_size[:, :1].float())], 1)[0].float()


def refuse_dicom(folder: Path) -> None:
    """Raises TrainingError (DICOM_PAIRS) for a folder of DICOM files, which have to be made into pairs first."""
    if (folder / "cxr").is_dir() or not folder.is_dir():
        return
    files = (path for path in folder.rglob("*") if path.is_file())
    for _, path in zip(range(LOOKED_AT), files, strict=False):
        if path.suffix.lower() == ".dcm" or _has_preamble(path):
            raise TrainingError(
                TrainingFault.DICOM_PAIRS,
                f"expected pairs as cxr/NAME.png and soft_tissue/NAME.png in {folder}, found DICOM files: make them "
                f"into pairs with `softray data prepare` first, and train on the folder that it writes",
            )


def _has_preamble(path: Path) -> bool:
    offset, magic = DICOM_MAGIC
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(len(magic)) == magic


def _radiographs(folder: Path, size: int) -> Tensor:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise ConfigError(f"data.radiographs: expected PNG or JPEG radiographs in {folder}, found none")
    return with_lungs(torch.cat([letterboxed(torch.from_numpy(read_grey(path))[None, None], size) for path in paths]))


def cached_phantoms(count: int, seed: int, cache: Path) -> Tensor:
    """Path integrals of `count` phantoms (`models.training.bones`), rendered once."""
    if count == 0:
        return torch.zeros(0, 2, PHANTOM_SIZE, PHANTOM_SIZE)
    path = cache / f"phantoms-{seed}-{count}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        write_phantoms(phantom_paths(count, seed, lambda _done, _total: None), partial)
        partial.replace(path)
    kept = read_projections(path)
    return torch.stack([kept.soft, kept.bone], 1)


def _projections(path: Path, size: int) -> Tensor:
    if not path.is_file():
        raise ConfigError(f"data.projections: expected a file made by `softray train project`, found no {path}")
    kept = read_projections(path)
    return _at_size(torch.stack([kept.soft, kept.bone], 1)[:-HELD_OUT_PROJECTIONS], size)


def _at_size(paths: Tensor, size: int) -> Tensor:
    """Path integrals are kept at the scale of radiographs of `SIZE`; here at that of `size`, with their lungs."""
    if not len(paths):
        return paths.new_zeros(0, 3, *paths.shape[2:])
    if size != SIZE:
        paths = F.interpolate(paths, scale_factor=size / SIZE, mode="bilinear", antialias=True)
    return paths_with_lungs(paths)
