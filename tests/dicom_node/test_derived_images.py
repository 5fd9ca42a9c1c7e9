from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, SecondaryCaptureImageStorage

import dicom_node.derived_images as derived_images
from dicom_node.derived import derive
from dicom_node.derived_images import NO_TRUTHFUL_DX, derive_images
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source, write_back
from tests.dicom_node.derivation import ALL, NOW, POLICY, PROVENANCE, all_images, ribs, small

ORDER = ("SOFT_TISSUE", "BONE", "SPREAD")


@pytest.mark.parametrize("wanted", [one for n in range(4) for one in combinations(ORDER, n)])
def test_what_is_wanted_is_made_and_nothing_else(wanted: tuple[str, ...]) -> None:
    assert tuple(all_images(small(), wanted=frozenset(wanted))) == wanted


def test_a_single_seed_has_no_spread_to_show() -> None:
    source = small()
    image = read_source(source)
    made = derive_images(source, image, image.stored, None, PROVENANCE, POLICY, ALL, "none", NOW)
    assert [one.kind for one in made] == ["SOFT_TISSUE", "BONE"]


def test_the_names_are_those_of_the_registry() -> None:
    from service.registry.result_kinds import ResultKind

    assert set(ResultKind) > {derived_images.SOFT_TISSUE, derived_images.BONE, derived_images.SPREAD}


def test_the_soft_tissue_is_the_same_alone_and_in_company() -> None:
    source = small()
    stored = write_back(read_source(source), ribs())
    assert all_images(source)["SOFT_TISSUE"].dataset == derive(source, stored, PROVENANCE, POLICY, NOW)


@pytest.mark.parametrize(
    ("name", "uid"), [("none", ExplicitVRLittleEndian), ("jpeg-ls", JPEGLSLossless), ("jpeg-2000", JPEG2000Lossless)]
)
def test_all_of_them_are_compressed_as_asked(name: str, uid: str) -> None:
    made = all_images(small(), compression=name)
    assert {one.dataset.file_meta.TransferSyntaxUID for one in made.values()} == {uid}
    assert len({one.dataset.SeriesInstanceUID for one in made.values()}) == 3


def test_without_a_pixel_spacing_all_are_secondary_captures_and_say_so() -> None:
    made = all_images(small(remove=("ImagerPixelSpacing",)))
    assert {one.dataset.SOPClassUID for one in made.values()} == {SecondaryCaptureImageStorage}
    assert {one.notes for one in made.values()} == {(NO_TRUTHFUL_DX,)}
    assert all_images(small())["BONE"].notes == ()


def test_nothing_comes_back_from_a_broken_triple(monkeypatch: pytest.MonkeyPatch) -> None:
    make = derived_images.derive_bone

    def wrong(source, image, soft, *others):  # type: ignore[no-untyped-def]
        return make(source, image, np.roll(soft, 1), *others)

    monkeypatch.setattr(derived_images, "derive_bone", wrong)
    with pytest.raises(DerivationError) as caught:
        all_images(small())
    assert caught.value.code == "TRIPLE_BROKEN"
    assert set(all_images(small(), wanted=frozenset({"SOFT_TISSUE"}))) == {"SOFT_TISSUE"}
