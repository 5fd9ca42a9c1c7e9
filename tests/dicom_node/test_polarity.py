from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.pixels import read_source
from dicom_node.polarity import looks_inverted, polarity_score
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.factories import chest, radiograph


def real_radiographs(shared: Path) -> list[npt.NDArray[np.float32]]:
    data = shared / "data"
    paths = [*data.glob("radiographs/*/*.png"), *data.glob("pairs/cxr/*.png")]
    assert len(paths) > 100
    return [np.asarray(Image.open(path).convert("L"), np.float32) / np.float32(255) for path in paths]


def test_no_real_radiograph_is_suspected_and_nearly_every_inverted_one_is(shared: Path) -> None:
    pictures = real_radiographs(shared)
    assert [index for index, picture in enumerate(pictures) if looks_inverted(picture)] == []
    assert sum(looks_inverted(1 - picture) for picture in pictures) >= len(pictures) - 1


def test_the_score_is_antisymmetric() -> None:
    assert polarity_score(chest()) == pytest.approx(-polarity_score(1 - chest()), abs=1e-4)
    assert polarity_score(chest()) > 0.2


@pytest.mark.parametrize("kind", list(RadiographKind))
def test_a_monochrome1_lie_is_refused(kind: RadiographKind) -> None:
    lie = radiograph(kind, monochrome1=True)
    lie.PhotometricInterpretation = "MONOCHROME2"
    if kind is RadiographKind.DX_FOR_PROCESSING:
        lie.PixelIntensityRelationshipSign = -1
    with pytest.raises(PixelError) as caught:
        read_source(lie)
    assert caught.value.code == PixelErrorCode.POLARITY_SUSPECT
    assert read_source(lie, check_polarity=False).stored.shape == chest().shape


@pytest.mark.parametrize("kind", list(RadiographKind))
@pytest.mark.parametrize("monochrome1", [False, True])
def test_an_honest_header_passes(kind: RadiographKind, monochrome1: bool) -> None:
    assert read_source(radiograph(kind, monochrome1=monochrome1)).display.max() > 0.5


def test_pictures_that_say_nothing_are_not_suspected() -> None:
    noise = np.random.default_rng(0).random((200, 200), np.float32)
    assert not looks_inverted(noise)
    assert not looks_inverted(np.zeros((200, 200), np.float32))
    assert not looks_inverted(np.zeros((4, 4), np.float32))
    assert not looks_inverted(noise, np.zeros((200, 200), np.bool_))


def test_bright_shuttered_borders_do_not_make_a_radiograph_suspect() -> None:
    framed = chest().copy()
    valid = np.zeros(framed.shape, np.bool_)
    valid[60:-60, 60:-60] = True
    framed[~valid] = 1.0
    assert not looks_inverted(framed, valid)
