"""The validation matrix: what is derived from every kind of source passes dciodvfy and dcentvfy, and looks like it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.compression import Compression
from dicom_node.derived import derive
from dicom_node.pixels import SourceImage, read_source, write_back
from dicom_node.radiograph import RadiographKind
from dicom_node.secondary_capture import as_secondary_capture
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from tests.dicom_node.derivation import NOW, POLICY, PROVENANCE, all_images, ribs
from tests.dicom_node.factories import reread
from tests.validation.sources import (
    BITS,
    CHARACTER_SETS,
    CLASSES,
    COLUMNS,
    DCMCJPEG,
    HTJ2K_FAMILY,
    ROWS,
    VOIS,
    Case,
    source_of,
)
from tests.validation.validators import Checked, Validators

pytestmark = pytest.mark.slow
MONOCHROME1 = (False, True)
HEADERS = [Case(*one) for one in product(CLASSES, MONOCHROME1, BITS, VOIS, CHARACTER_SETS)]
ENCODED = [
    Case(source_class, monochrome1, bits, transfer_syntax=uid)
    for uid, source_class, monochrome1, bits in product(decodable_transfer_syntaxes(), CLASSES, MONOCHROME1, BITS)
    if source_class != "DX-PROC LIN"  # the transfer syntax does not know how the values are meant
    if uid != ExplicitVRLittleEndian and (uid not in HTJ2K_FAMILY or bits == 14)
]
COMPANIONS = [Case(*one) for one in product(CLASSES, MONOCHROME1, BITS)]
RIBS = ribs((ROWS, COLUMNS), 0.1)


def assert_clean(checked: Checked, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{checked.figures(what)}")
    assert checked.faults == []
    assert checked.errors == 0


def assert_toggles_without_a_jump(source: SourceImage, derived: Dataset, case: Case) -> None:
    """Every stored value is shown alike in both, whatever was subtracted; what the source lacks is rounded to a DS."""
    before, after = source.mapping, read_source(derived, check_polarity=False).mapping
    assert (before.lowest, len(before.table)) == (after.lowest, len(after.table)), str(case)
    if case.kind is not RadiographKind.DX_FOR_PROCESSING and case.voi != "none":
        assert np.array_equal(before.table, after.table), str(case)
    on_screen = (mapping.table.clip(0.0, 1.0) for mapping in (before, after))
    assert np.allclose(*on_screen, atol=1e-4), str(case)


def soft_tissue_of(source: Dataset) -> tuple[SourceImage, Dataset]:
    image = read_source(source, check_polarity=False)
    return image, derive(source, write_back(image, RIBS), PROVENANCE, POLICY, NOW, image=image)


def test_every_header_gives_a_valid_soft_tissue_image_in_the_sources_grey_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validators = Validators(tmp_path)
    for case in HEADERS:
        source = source_of(case, tmp_path)
        image, derived = soft_tissue_of(source)
        assert_toggles_without_a_jump(image, derived, case)
        name = CHARACTER_SETS[case.character_set][1]
        assert reread(derived).get_item("PatientName").value.rstrip(b" ") == name, str(case)
        validators.add_study(str(case), source, {"soft tissue": derived})
    checked = validators.check()
    assert checked.combinations == len(CLASSES) * 2 * len(BITS) * len(VOIS) * len(CHARACTER_SETS)
    assert_clean(checked, "classes × photometric × bits × VOI × character sets", capsys)


@pytest.mark.interop
def test_every_transfer_syntax_gives_a_valid_soft_tissue_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    can_encode = shutil.which("dcmcjpeg") is not None
    cases = [one for one in ENCODED if can_encode or one.transfer_syntax not in DCMCJPEG]
    validators = Validators(tmp_path)

    def made(case: Case) -> tuple[Case, Dataset, SourceImage, Dataset]:
        source = source_of(case, tmp_path)
        return case, source, *soft_tissue_of(source)

    with ThreadPoolExecutor(max_workers=4) as pool:  # JPEG Lossless is encoded and decoded by processes of their own
        results = list(pool.map(made, cases))
    for case, source, image, derived in results:
        assert source.file_meta.TransferSyntaxUID == case.transfer_syntax
        assert_toggles_without_a_jump(image, derived, case)
        validators.add_study(str(case), source, {"soft tissue": derived})
    assert_clean(validators.check(), "transfer syntaxes × classes × photometric × bits", capsys)
    if not can_encode:
        pytest.skip("without DCMTK's dcmcjpeg JPEG Lossless was left out: make peers")


def test_bone_spread_and_secondary_captures_are_valid_however_they_are_compressed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validators = Validators(tmp_path)
    for case, compression in product(COMPANIONS, Compression):
        source = source_of(case, tmp_path, compression)
        derived = {kind: one.dataset for kind, one in all_images(source, RIBS, compression=compression).items()}
        captures = {f"SC {kind}": as_secondary_capture(derived[kind]) for kind in ("SOFT_TISSUE", "BONE")}
        validators.add_study(f"{case}, {compression}", source, derived | captures)
    assert_clean(validators.check(), "companions × compression", capsys)
