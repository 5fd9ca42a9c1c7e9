"""Which kind of source was given, and the pairs that it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.pairs.errors import PairDataError, PairFault
from models.pairs.jsrt import is_jsrt_raw, pairs_of_jsrt
from models.pairs.png_folders import pairs_by_suffix, pairs_in_folders, pairs_in_one_folder
from models.pairs.source import Findings, Polarity, files_in
from worker.prepare_pairs_dual_energy import pairs_of_dicom

KINDS = ("auto", "dicom", "jsrt", "png")


@dataclass(frozen=True)
class SearchOptions:
    """How pairs are looked for."""

    kind: str
    """One of KINDS."""
    polarity: Polarity
    """Of PNG pictures."""
    cxr_suffix: str
    soft_suffix: str
    patient_pattern: str
    exposure_window_s: float
    soft_words: frozenset[str]
    salt: Callable[[], bytes]
    """The secret behind pseudonyms; asked for only when there are patients to hide."""


def find_pairs(sources: list[Path], options: SearchOptions, *, on_file: Callable[[], None]) -> Findings:
    """The pairs in `sources`. Raises PairDataError for sources that cannot be."""
    if options.kind not in KINDS:
        raise PairDataError(PairFault.OPTION_INVALID, f"expected a kind of {', '.join(KINDS)}, found {options.kind!r}")
    for source in sources:
        if not source.is_dir():
            raise PairDataError(PairFault.EMPTY_FOLDER, f"expected a folder of pictures, found none at {source}")
    folders = tuple(sources)
    kind = kind_of(folders, options) if options.kind == "auto" else options.kind
    if kind == "jsrt":
        return pairs_of_jsrt(folders)
    if kind == "dicom":
        return pairs_of_dicom(
            folders,
            salt=options.salt(),
            window_s=options.exposure_window_s,
            soft_words=options.soft_words,
            on_file=on_file,
        )
    return _png_pairs(folders, options)


def kind_of(folders: tuple[Path, ...], options: SearchOptions) -> str:
    """What the folders hold, by file names and first bytes. Raises PairDataError for nothing and for two kinds."""
    files = files_in(folders)
    if not files:
        named = ", ".join(str(folder) for folder in folders)
        raise PairDataError(PairFault.EMPTY_FOLDER, f"expected DICOM, PNG or JSRT files, found no file in {named}")
    if options.cxr_suffix or options.soft_suffix:
        return "png"
    jsrt, dicom = any(is_jsrt_raw(path) for path in files), any(_is_dicom(path) for path in files)
    if jsrt and dicom:
        raise PairDataError(
            PairFault.OPTION_INVALID, "expected one kind of source, found DICOM and JSRT files; --kind chooses"
        )
    return "jsrt" if jsrt else "dicom" if dicom else "png"


def _png_pairs(folders: tuple[Path, ...], options: SearchOptions) -> Findings:
    pattern, polarity = options.patient_pattern, options.polarity
    by_suffix = bool(options.cxr_suffix or options.soft_suffix)
    if by_suffix and len(folders) == 1:
        return pairs_by_suffix(
            folders[0], options.cxr_suffix, options.soft_suffix, patient_pattern=pattern, polarity=polarity
        )
    if len(folders) == 1:
        return pairs_in_one_folder(folders[0], patient_pattern=pattern, polarity=polarity)
    if len(folders) == 2 and not by_suffix:
        return pairs_in_folders(*folders, patient_pattern=pattern, polarity=polarity)
    raise PairDataError(
        PairFault.OPTION_INVALID,
        "expected two folders of PNG (radiographs first), or one folder with suffixes, found "
        f"{len(folders)} folders{' with suffixes' if by_suffix else ''}",
    )


def _is_dicom(path: Path) -> bool:
    """Part 10 files have DICM behind their preamble (PS3.10 7.1)."""
    try:
        with path.open("rb") as opened:
            return opened.read(132)[128:] == b"DICM"
    except OSError:
        return False
