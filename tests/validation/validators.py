"""dciodvfy and dcentvfy over many objects at once, and the figures that come of it."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from tests.dicom_validation import complaints
from tests.validation.allowed_warnings import reason_of

STUDIES_AT_ONCE = 40  # that one dcentvfy compares: every study has its own UIDs


@dataclass
class Checked:
    """What the validators said. `faults` are errors and warnings without a reason, with the object they are about."""

    combinations: int = 0
    objects: int = 0
    errors: int = 0
    allowed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def figures(self, what: str) -> str:
        lines = [
            f"{what}: {self.objects} objects of {self.combinations} combinations, "
            f"{self.errors} errors, {self.allowed.total()} allowed warnings"
        ]
        lines += [f"    {count} × {reason}" for reason, count in self.allowed.most_common()]
        return "\n".join(lines)

    def hear(self, name: str, lines: list[str]) -> None:
        for line in lines:
            reason = None if line.startswith("Error") else reason_of(name, line)
            if reason is not None:
                self.allowed[reason] += 1
                continue
            self.errors += line.startswith("Error")
            self.faults.append(f"{name}: {line}")


class Validators:
    """Takes source and derived objects study by study, checks the derived ones alone and each study as a whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._studies: list[tuple[str, list[Path]]] = []
        self._derived: list[tuple[str, Path]] = []

    def add_study(self, name: str, source: Dataset, derived: dict[str, Dataset]) -> None:
        """`derived` by what they are; only these are held against dciodvfy."""
        if source.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:  # dcentvfy cannot read that
            source = deepcopy(source)
            source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        paths = [self._write(source)]
        for kind, one in derived.items():
            paths.append(self._write(one))
            self._derived.append((f"{name} {kind}", paths[-1]))
        self._studies.append((name, paths))

    def check(self) -> Checked:
        checked = Checked(combinations=len(self._studies), objects=len(self._derived))
        batches = [self._studies[at : at + STUDIES_AT_ONCE] for at in range(0, len(self._studies), STUDIES_AT_ONCE)]
        with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
            alone = pool.map(lambda one: complaints("dciodvfy", "-new", str(one[1])), self._derived)
            together = pool.map(_complaints_about_studies, batches)
            for (name, _), lines in zip(self._derived, alone, strict=True):
                checked.hear(name, lines)
            for batch, lines in zip(batches, together, strict=True):
                checked.hear(f"{batch[0][0]} … {batch[-1][0]}", lines)
        return checked

    def _write(self, ds: Dataset) -> Path:
        path = self._folder / f"{len(self._derived)}-{ds.SOPInstanceUID}.dcm"
        pydicom.dcmwrite(path, ds, enforce_file_format=True)
        return path


def _complaints_about_studies(batch: list[tuple[str, list[Path]]]) -> list[str]:
    return complaints("dcentvfy", *(str(path) for _, paths in batch for path in paths))
