from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

import dicom_node.compression as compression
from dicom_node.compression import compressed
from dicom_node.errors import DerivationError
from dicom_node.pixels import read_source
from dicom_node.radiograph import RadiographKind
from tests.dicom_node.derivation import all_images, small
from tests.dicom_node.factories import dciodvfy_errors, reread, small_radiograph

SYNTAXES = {"jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless}
NOISE = np.random.default_rng(5)


def derived(bits: int, signed: bool) -> Dataset:
    """A soft tissue image of noise from the lowest to the highest stored value."""
    lowest = -(1 << (bits - 1)) if signed else 0
    stored = NOISE.integers(lowest, lowest + (1 << bits), (48, 40))
    stored[0, :2] = lowest, lowest + (1 << bits) - 1
    source = small_radiograph(stored, RadiographKind.CR, bits_stored=bits, signed=signed)
    return all_images(source, np.zeros(stored.shape, np.float32))["SOFT_TISSUE"].dataset


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(10, 17))
@pytest.mark.parametrize("name", SYNTAXES)
def test_every_pixel_comes_back_under_the_same_uid(name: str, bits: int, signed: bool, tmp_path: Path) -> None:
    plain = derived(bits, signed)
    before = plain.to_json()
    packed = compressed(plain, name)
    assert packed.file_meta.TransferSyntaxUID == SYNTAXES[name]
    assert packed.SOPInstanceUID == plain.SOPInstanceUID == packed.file_meta.MediaStorageSOPInstanceUID
    expected = read_source(plain, check_polarity=False).stored
    assert np.array_equal(read_source(reread(packed), check_polarity=False).stored, expected)
    assert dciodvfy_errors(packed, tmp_path) == []
    assert plain.to_json() == before


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_compressed_radiograph_is_smaller(name: str) -> None:
    plain = all_images(small(bits_stored=12))["SOFT_TISSUE"].dataset
    assert len(compressed(plain, name).PixelData) < 0.8 * len(plain.PixelData)


def test_none_leaves_the_object_alone() -> None:
    plain = derived(12, False)
    assert compressed(plain, "none") is plain


def test_a_picture_too_small_for_the_encoder_is_a_coded_error() -> None:
    plain = all_images(small_radiograph(np.arange(64).reshape(8, 8)), np.zeros((8, 8), np.float32))
    with pytest.raises(DerivationError) as caught:
        compressed(plain["SOFT_TISSUE"].dataset, "jpeg-2000")
    assert caught.value.code == "COMPRESSION_FAILED"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(DerivationError) as caught:
        compressed(derived(12, False), "jpeg")
    assert caught.value.code == "COMPRESSION_UNKNOWN"


def test_what_is_compressed_already_is_not_compressed_again() -> None:
    with pytest.raises(DerivationError) as caught:
        compressed(compressed(derived(12, False), "jpeg-ls"), "jpeg-2000")
    assert caught.value.code == "COMPRESSION_FAILED"


@pytest.mark.parametrize("name", SYNTAXES)
def test_an_encoder_that_changes_one_pixel_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = compression.decode_stored
    answers = iter([0, 1])

    def off_by_one(ds: Dataset, layout: compression.ImagePixel) -> np.ndarray:
        stored = decode(ds, layout)
        stored[3, 4] ^= next(answers)
        return stored

    monkeypatch.setattr(compression, "decode_stored", off_by_one)
    with pytest.raises(DerivationError, match="same pixels back"):
        compressed(derived(12, False), name)


def test_compressing_twice_gives_the_same_bytes() -> None:
    plain = derived(14, False)
    assert compressed(plain, "jpeg-ls") == compressed(plain, "jpeg-ls")
