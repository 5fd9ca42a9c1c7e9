from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dicom_node.radiograph import SOP_CLASSES, RadiographKind, wrap_radiograph
from tests.dicom_node.factories import ACQUIRED_AT, chest, dciodvfy_errors

KINDS = list(RadiographKind)


@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("bits_stored", [10, 14, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrapped_radiograph_is_a_valid_object(
    kind: RadiographKind, bits_stored: int, monochrome1: bool, tmp_path: Path
) -> None:
    ds = wrap_radiograph(
        chest(), sop_class=kind, bits_stored=bits_stored, monochrome1=monochrome1, acquired_at=ACQUIRED_AT
    )
    assert dciodvfy_errors(ds, tmp_path) == []
    assert ds.SOPClassUID == SOP_CLASSES[kind]


def test_nothing_but_pixels_is_enough(tmp_path: Path) -> None:
    assert dciodvfy_errors(wrap_radiograph(chest()), tmp_path) == []


def test_the_same_call_gives_the_same_object_and_other_pixels_another() -> None:
    first, again, other = wrap_radiograph(chest()), wrap_radiograph(chest()), wrap_radiograph(1 - chest())
    assert first == again
    assert first.SOPInstanceUID != other.SOPInstanceUID
    assert first.SOPInstanceUID != wrap_radiograph(chest(), patient_age="030Y").SOPInstanceUID


@pytest.mark.parametrize("monochrome1", [False, True])
def test_pixels_fill_the_whole_stored_range(monochrome1: bool) -> None:
    ramp = np.linspace(0, 1, 1 << 16, dtype=np.float64).reshape(256, 256)
    stored = wrap_radiograph(ramp, bits_stored=16, monochrome1=monochrome1).pixel_array
    expected = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(stored, 65535 - expected if monochrome1 else expected)


def test_for_processing_carries_no_window() -> None:
    assert "WindowCenter" not in wrap_radiograph(chest(), sop_class="DX-PROC")


@pytest.mark.parametrize(("shape", "bits"), [((4, 4, 3), 14), ((0, 4), 14), ((4, 4), 8), ((4, 4), 17)])
def test_pixels_that_are_no_radiograph_are_refused(shape: tuple[int, ...], bits: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        wrap_radiograph(np.zeros(shape, np.float32), bits_stored=bits)
