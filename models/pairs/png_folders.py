"""Pairs in folders of grey PNG: two folders with the same names, or one folder with two endings of a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from models.pairs.errors import PairDataError, PairFault
from models.pairs.folder import CXR, SOFT_TISSUE
from models.pairs.grey_png import is_png, read_grey16
from models.pairs.source import Findings, Polarity, Refusal, SourcePair, SourcePicture, files_in


def pairs_in_folders(cxr: Path, soft: Path, *, patient_pattern: str = "", polarity: Polarity) -> Findings:
    """The pairs of equal relative names in two folders (subfolders included); what stands alone is refused."""
    cxr_files, soft_files = files_in((cxr,)), files_in((soft,))
    return _paired(
        _by_name((path.relative_to(cxr).with_suffix(""), path) for path in cxr_files),
        _by_name((path.relative_to(soft).with_suffix(""), path) for path in soft_files),
        skipped=tuple(path for path in (*cxr_files, *soft_files) if not is_png(path)),
        patient_pattern=patient_pattern,
        polarity=polarity,
    )


def pairs_by_suffix(
    folder: Path, cxr_suffix: str, soft_suffix: str, *, patient_pattern: str = "", polarity: Polarity
) -> Findings:
    """The pairs NAME + `cxr_suffix` + .png and NAME + `soft_suffix` + .png in a folder and its subfolders.

    One suffix may be empty. Raises PairDataError (OPTION_INVALID) when both are the same.
    """
    if cxr_suffix == soft_suffix:
        raise PairDataError(
            PairFault.OPTION_INVALID, f"expected two different suffixes, found {cxr_suffix!r} for both pictures"
        )
    sides: dict[str, list[tuple[Path, Path]]] = {cxr_suffix: [], soft_suffix: []}
    skipped = []
    for path in files_in((folder,)):
        # The longer suffix is asked first: the other may be empty, or the end of it.
        suffix = next((each for each in sorted(sides, key=len, reverse=True) if path.stem.endswith(each)), None)
        if suffix is None or not is_png(path):
            skipped.append(path)
            continue
        sides[suffix].append((path.relative_to(folder).with_name(path.stem.removesuffix(suffix) or "pair"), path))
    return _paired(
        _by_name(sides[cxr_suffix]),
        _by_name(sides[soft_suffix]),
        skipped=tuple(skipped),
        patient_pattern=patient_pattern,
        polarity=polarity,
    )


def pairs_in_one_folder(folder: Path, *, patient_pattern: str = "", polarity: Polarity) -> Findings:
    """The pairs of a folder laid out as `cxr/` and `soft_tissue/`. Raises PairDataError (EMPTY_FOLDER)."""
    if not ((folder / CXR).is_dir() and (folder / SOFT_TISSUE).is_dir()):
        raise PairDataError(
            PairFault.EMPTY_FOLDER,
            f"expected two folders of PNG, or one with {CXR}/ and {SOFT_TISSUE}/, or --cxr-suffix and --soft-suffix, "
            f"or DICOM or JSRT files, found none of these in {folder}",
        )
    return pairs_in_folders(folder / CXR, folder / SOFT_TISSUE, patient_pattern=patient_pattern, polarity=polarity)


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern whose first group is the patient in a pair's name. Raises PairDataError (OPTION_INVALID)."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PairDataError(PairFault.OPTION_INVALID, f"patient pattern: not a regular expression ({error})") from error
    if compiled.groups < 1:
        raise PairDataError(
            PairFault.OPTION_INVALID,
            f"patient pattern: expected a group in parentheses for the patient, found none in {pattern!r}",
        )
    return compiled


def _by_name(files: Iterable[tuple[Path, Path]]) -> dict[str, list[Path]]:
    """Pair name → its PNG files; more than one is ambiguous."""
    named: dict[str, list[Path]] = {}
    for name, path in files:
        if is_png(path):
            named.setdefault("_".join(name.parts), []).append(path)
    return named


def _paired(
    cxr: dict[str, list[Path]],
    soft: dict[str, list[Path]],
    *,
    skipped: tuple[Path, ...],
    patient_pattern: str,
    polarity: Polarity,
) -> Findings:
    pattern = compiled_pattern(patient_pattern) if patient_pattern else None
    pairs, refused = [], []
    for name in sorted(cxr.keys() | soft.keys()):
        here, there = cxr.get(name, []), soft.get(name, [])
        if not here or not there:
            alone, missing = ("radiograph", "soft-tissue image") if here else ("soft-tissue image", "radiograph")
            refused.append(Refusal(name, PairFault.PAIR_MISSING, f"expected a {missing} to the {alone}, found none"))
        elif len(here) > 1 or len(there) > 1:
            detail = f"expected one picture of each kind, found {len(here)} and {len(there)} of that name"
            refused.append(Refusal(name, PairFault.PAIR_AMBIGUOUS, detail))
        else:
            found = pattern.search(name) if pattern else None
            if pattern and not (found and found[1]):
                detail = f"expected the patient in the name by {patient_pattern!r}, found no match"
                refused.append(Refusal(name, PairFault.PATIENT_UNKNOWN, detail))
                continue
            pictures = (SourcePicture(path, read_grey16, polarity) for path in (here[0], there[0]))
            pairs.append(SourcePair(name, found[1] if found else name, *pictures))
    return Findings(tuple(pairs), tuple(refused), skipped)
