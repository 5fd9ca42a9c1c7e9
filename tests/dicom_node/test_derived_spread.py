from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dicom_node.derived_spread import derive_spread
from dicom_node.errors import DerivationError
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.derivation import KINDS, NOW, POLICY, PROVENANCE, SMALL, small
from tests.dicom_node.factories import dcentvfy_errors, dciodvfy_errors, reread

SPREAD = SMALL / 5


@pytest.mark.parametrize("bits", [10, 16])
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_valid_and_its_real_world_values_are_the_spread(
    kind: RadiographKind, monochrome1: bool, bits: int, tmp_path: Path
) -> None:
    source = reread(small(kind, bits_stored=bits, monochrome1=monochrome1, PixelPaddingValue=0))
    derived = reread(derive_spread(source, SPREAD, PROVENANCE, POLICY, NOW))
    assert dciodvfy_errors(derived, tmp_path) == []
    assert dcentvfy_errors([source, derived], tmp_path) == []
    mapping = derived.RealWorldValueMappingSequence[0]
    values = derived.pixel_array * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept
    assert np.abs(values - SPREAD).max() <= 0.5 / 65535 + 1e-9
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "386136009"
    assert list(derived.ImageType) == ["DERIVED", "SECONDARY", "", "UNCERTAINTY", "AI"]
    assert (derived.PhotometricInterpretation, derived.BitsStored) == ("MONOCHROME2", 16)
    assert "not a radiograph" in derived.ImageComments
    assert derived.SeriesNumber == 11001
    assert "PixelPaddingValue" not in derived


@pytest.mark.parametrize("spread", [SPREAD[:-1], SPREAD * np.nan, SPREAD - 0.5, SPREAD * 10])
def test_what_is_no_such_map_is_refused(spread: np.ndarray) -> None:
    with pytest.raises(DerivationError) as caught:
        derive_spread(small(), spread, PROVENANCE, POLICY, NOW)
    assert caught.value.code == "SPREAD_INVALID"
