"""A prepared folder of pairs, for trainers and evaluation: which pictures it holds, and what each pair is for.

    DIR/cxr/NAME.png           the radiograph
    DIR/soft_tissue/NAME.png   its soft-tissue image: same exposure, same size
    DIR/pairs.json             optional: patients, split, digests (`models.pairs.record`)

All grey, 8 or 16 bits, bone bright.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.pairs.errors import PairDataError, PairFault
from models.pairs.grey_png import png_size, read_grey16
from models.pairs.record import FILE_NAME, PairsFile, pairs_digest, read_pairs_file
from models.pairs.split import Ratios, Split, check_ratios, draw_split

__all__ = ["CXR", "SOFT_TISSUE", "PairFile", "PairFolder", "Split", "file_digest", "read_grey16", "read_pair_folder"]

CXR = "cxr"
SOFT_TISSUE = "soft_tissue"


@dataclass(frozen=True)
class PairFile:
    """One pair on disk."""

    name: str
    patient: str
    """A pseudonym; pairs of one patient share it, and with it the split."""
    split: Split
    cxr: Path
    soft: Path


@dataclass(frozen=True)
class PairFolder:
    """A folder of pairs, in the order of their names."""

    folder: Path
    pairs: tuple[PairFile, ...]
    digest: str
    """SHA-256 over names, patients, splits and the contents of all pictures: equal digests are equal data."""

    def of(self, split: Split) -> tuple[PairFile, ...]:
        """The pairs of one split."""
        return tuple(pair for pair in self.pairs if pair.split is split)


def read_pair_folder(folder: Path, *, seed: int = 0, ratios: Ratios = (0.8, 0.1, 0.1)) -> PairFolder:
    """The pairs in `folder`, their sizes and digests checked.

    Patients and split are those of `pairs.json`. Without it every pair is a patient of its own, and the split is drawn
    from `seed` and `ratios` (train, validation, test). Raises PairDataError: EMPTY_FOLDER, PAIR_MISSING,
    PAIR_SIZES_DIFFER, NOT_READABLE, PAIRS_FILE_INVALID, PAIR_ALTERED (a picture is not the one that was recorded).
    """
    check_ratios(ratios)
    found = _pictures(folder)
    digests = {name: (file_digest(cxr), file_digest(soft)) for name, (cxr, soft) in found.items()}
    if (folder / FILE_NAME).exists():
        recorded = read_pairs_file(folder)
        _check_recorded(recorded, digests)
        patients = {name: record.patient for name, record in recorded.pairs.items()}
        splits = {name: record.split for name, record in recorded.pairs.items()}
    else:
        patients = {name: name for name in found}
        splits = draw_split(found, seed=seed, ratios=ratios)
    pairs = tuple(PairFile(name, patients[name], splits[name], *found[name]) for name in sorted(found))
    digest = pairs_digest({name: (patients[name], splits[name], *digests[name]) for name in found})
    return PairFolder(folder, pairs, digest)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's contents, lower-case hex. Raises PairDataError (NOT_READABLE)."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise PairDataError(
            PairFault.NOT_READABLE, f"{path.name}: expected a readable file, found: {error.strerror}"
        ) from error


def _pictures(folder: Path) -> Mapping[str, tuple[Path, Path]]:
    """Name → (radiograph, soft-tissue image)."""
    cxr, soft = (_named(folder / side) for side in (CXR, SOFT_TISSUE))
    if not cxr and not soft:
        raise PairDataError(
            PairFault.EMPTY_FOLDER,
            f"expected pairs as {CXR}/NAME.png and {SOFT_TISSUE}/NAME.png in {folder}, found none",
        )
    alone = [f"{CXR}/{cxr[name].name}" for name in sorted(cxr.keys() - soft.keys())]
    alone += [f"{SOFT_TISSUE}/{soft[name].name}" for name in sorted(soft.keys() - cxr.keys())]
    if alone:
        shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        raise PairDataError(
            PairFault.PAIR_MISSING, f"expected every picture in both folders of {folder}, found alone: {shown}"
        )
    for name in sorted(cxr):
        sizes = png_size(cxr[name]), png_size(soft[name])
        if sizes[0] != sizes[1]:
            (height, width), (soft_height, soft_width) = sizes
            raise PairDataError(
                PairFault.PAIR_SIZES_DIFFER,
                f"expected pictures of one size, found {CXR}/{cxr[name].name} of {width} × {height} and "
                f"{SOFT_TISSUE}/{soft[name].name} of {soft_width} × {soft_height} pixels",
            )
    return {name: (cxr[name], soft[name]) for name in cxr}


def _named(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".png" and path.is_file()}


def _check_recorded(recorded: PairsFile, digests: Mapping[str, tuple[str, str]]) -> None:
    if recorded.pairs.keys() != digests.keys():
        name = min(recorded.pairs.keys() ^ digests.keys())
        expected, found = ("it in", "it missing") if name in recorded.pairs else ("no such pair in", "its pictures")
        raise PairDataError(PairFault.PAIR_ALTERED, f"pair {name!r}: expected {expected} the folder, found {found}")
    for name, found_digests in digests.items():
        record = recorded.pairs[name]
        if found_digests != (record.cxr_png, record.soft_png):
            raise PairDataError(
                PairFault.PAIR_ALTERED,
                f"pair {name!r}: expected the pictures that {FILE_NAME} records, found others of that name",
            )
