from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG2MPML,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.errors import PixelError, PixelErrorCode
from dicom_node.pixels import read_source
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from tests.dicom_node.factories import LOSSLESS, chest, in_transfer_syntax, radiograph, reread, small_radiograph

PICTURE = (np.arange(64 * 48).reshape(64, 48) * 5) % 16384


def stored_values(ds: Dataset) -> npt.NDArray[np.int32]:
    return read_source(ds, check_polarity=False).stored


def code_of(ds: Dataset) -> str:
    with pytest.raises(PixelError) as caught:
        read_source(ds, check_polarity=False)
    return caught.value.code


@pytest.mark.parametrize("uid", LOSSLESS, ids=lambda uid: uid.name)
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_every_lossless_transfer_syntax_gives_the_same_stored_values(uid: UID, bits: int) -> None:
    picture = PICTURE % (1 << bits)
    assert np.array_equal(stored_values(in_transfer_syntax(small_radiograph(picture, bits_stored=bits), uid)), picture)


@pytest.mark.parametrize("uid", [RLELossless, JPEGLSLossless, ExplicitVRBigEndian], ids=lambda uid: uid.name)
def test_signed_values_survive_every_kind_of_transfer_syntax(uid: UID) -> None:
    picture = PICTURE % 4096 - 2048
    ds = in_transfer_syntax(small_radiograph(picture, bits_stored=12, signed=True), uid)
    assert np.array_equal(stored_values(ds), picture)


@pytest.mark.parametrize(
    ("option", "uid"),
    [("+e1", JPEGLosslessSV1), ("+el", JPEGLossless)],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_dcmtk_compressed_is_decoded(option: str, uid: UID, tmp_path: Path) -> None:
    tool = shutil.which("dcmcjpeg")
    if tool is None:
        pytest.skip("DCMTK is not installed")
    ds = radiograph(bits_stored=12)
    plain, compressed = tmp_path / "plain.dcm", tmp_path / "compressed.dcm"
    ds.save_as(plain, enforce_file_format=True)
    subprocess.run([tool, option, "+un", str(plain), str(compressed)], check=True, timeout=60)
    packed = pydicom.dcmread(compressed)
    assert packed.file_meta.TransferSyntaxUID == uid
    assert np.array_equal(stored_values(packed), stored_values(ds))


def test_a_14_bit_htj2k_frame_is_decoded_exactly() -> None:
    y, x = np.mgrid[:64, :48]
    picture = (331 * x + 7 * y * y) % 16384
    ds = small_radiograph(picture)
    ds.PixelData = encapsulate([(Path(__file__).parent / "data" / "htj2k_14bit.j2c").read_bytes()])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = HTJ2KLossless
    assert np.array_equal(stored_values(reread(ds)), picture)


@pytest.mark.parametrize("name", ["RG2", "RG3"])
def test_real_10_bit_images_decode_to_identical_pixels_over_four_transfer_syntaxes(shared: Path, name: str) -> None:
    first, *others = [
        stored_values(pydicom.dcmread(shared / "data" / "dicom" / f"{name}_{kind}"))
        for kind in ("JPLL", "JLSL", "J2KR", "RLE")
    ]
    assert first.max() < 1024
    assert len(np.unique(first)) > 500
    for other in others:
        assert np.array_equal(first, other)


def test_lossless_transfer_syntaxes_are_listed_first_and_what_cannot_be_decoded_not_at_all() -> None:
    offered = decodable_transfer_syntaxes()
    assert offered[0] == ExplicitVRLittleEndian
    lossy = ["4.81", "4.91", "4.203"]
    ends = [str(uid).removeprefix("1.2.840.10008.1.2.") for uid in offered]
    assert sorted(ends[-3:]) == sorted(lossy)
    assert not {MPEG2MPML, JPEGBaseline8Bit, JPEGExtended12Bit} & set(offered)
    assert len(set(offered)) == len(offered) == 14


# --- bad input: each a coded error, never a crash or an allocation ------------------------------------------------


@pytest.mark.parametrize(
    "keyword",
    ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"],
)
def test_a_missing_attribute_is_named(keyword: str) -> None:
    assert code_of(small_radiograph(PICTURE, remove=(keyword,))) == PixelErrorCode.ATTRIBUTE_MISSING
    empty = reread(small_radiograph(PICTURE))
    empty[keyword].value = None
    assert code_of(empty) == PixelErrorCode.ATTRIBUTE_INVALID


@pytest.mark.parametrize("value", ["many", "-3", "0", "1.5"])
def test_a_matrix_size_that_is_no_size_is_refused(value: str) -> None:
    ds = small_radiograph(PICTURE)
    ds.add_new("Rows", "LO", value)
    assert code_of(ds) == PixelErrorCode.ATTRIBUTE_INVALID


@pytest.mark.parametrize("uid", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_a_header_of_65535_by_65535_with_a_kilobyte_of_pixels_costs_nothing(uid: UID) -> None:
    ds = small_radiograph(PICTURE, Rows=65535, Columns=65535)
    ds.PixelData = bytes(1000)
    ds.file_meta.TransferSyntaxUID = uid
    assert code_of(ds) == PixelErrorCode.MATRIX_TOO_LARGE


def test_a_codestream_that_claims_another_size_than_the_header_is_not_decoded() -> None:
    ds = in_transfer_syntax(small_radiograph(PICTURE), JPEG2000Lossless)
    frame = bytearray(next(generate_frames(ds.PixelData, number_of_frames=1)))
    start = frame.index(b"\xff\x51") + 6
    frame[start : start + 8] = (60000).to_bytes(4, "big") * 2
    ds.PixelData = encapsulate([bytes(frame)])
    assert code_of(ds) == PixelErrorCode.FRAME_MISMATCH
    ls = in_transfer_syntax(small_radiograph(PICTURE), JPEGLSLossless)
    ls.Rows = 65
    assert code_of(ls) == PixelErrorCode.FRAME_MISMATCH


@pytest.mark.parametrize("length", [0, 1, 1000, 64 * 48 * 2 - 1])
def test_pixel_data_that_is_empty_or_too_short_is_refused(length: int) -> None:
    ds = small_radiograph(PICTURE)
    ds.PixelData = bytes(length)
    expected = PixelErrorCode.PIXEL_DATA_TRUNCATED if length else PixelErrorCode.PIXEL_DATA_MISSING
    assert code_of(ds) == expected


def test_an_object_without_pixel_data_is_refused() -> None:
    assert code_of(small_radiograph(PICTURE, remove=("PixelData",))) == PixelErrorCode.PIXEL_DATA_MISSING


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("uid", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_a_compressed_frame_that_was_cut_off_is_refused_and_not_half_shown(uid: UID, keep: float) -> None:
    ds = in_transfer_syntax(small_radiograph(PICTURE), uid)
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([frame[: int(len(frame) * keep)]])
    assert code_of(ds) in {PixelErrorCode.PIXEL_DATA_TRUNCATED, PixelErrorCode.DECODE_FAILED}


@pytest.mark.parametrize("kind", ["JPLL", "JLSL", "J2KR", "RLE"])
def test_a_real_frame_that_was_cut_off_is_refused(shared: Path, kind: str) -> None:
    ds = pydicom.dcmread(shared / "data" / "dicom" / f"RG3_{kind}")
    frame = next(generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([frame[: len(frame) // 2]])
    assert code_of(ds) in {PixelErrorCode.PIXEL_DATA_TRUNCATED, PixelErrorCode.DECODE_FAILED}


@pytest.mark.parametrize("uid", [RLELossless, JPEGLSLossless, JPEGLosslessSV1, JPEG2000Lossless, HTJ2KLossless])
def test_native_pixels_under_a_compressed_transfer_syntax_are_refused(uid: UID) -> None:
    ds = small_radiograph(PICTURE)
    ds.file_meta.TransferSyntaxUID = uid
    assert code_of(ds) in {PixelErrorCode.PIXEL_DATA_TRUNCATED, PixelErrorCode.DECODE_FAILED}


@pytest.mark.parametrize("uid", ["", "1.2.3", str(MPEG2MPML), str(JPEGExtended12Bit), "1.2.840.10008.1.2.8.1"])
def test_a_transfer_syntax_that_cannot_be_decoded_is_named(uid: str) -> None:
    ds = small_radiograph(PICTURE)
    ds.file_meta.TransferSyntaxUID = UID(uid)
    assert code_of(ds) == PixelErrorCode.TRANSFER_SYNTAX_NOT_SUPPORTED


def test_a_dataset_without_file_meta_is_refused() -> None:
    ds = small_radiograph(PICTURE)
    del ds.file_meta
    assert code_of(ds) == PixelErrorCode.TRANSFER_SYNTAX_NOT_SUPPORTED


def test_a_multi_frame_object_is_refused() -> None:
    assert code_of(small_radiograph(PICTURE, NumberOfFrames=2)) == PixelErrorCode.MULTI_FRAME


def test_a_colour_object_is_refused() -> None:
    ds = small_radiograph(PICTURE, SamplesPerPixel=3, PhotometricInterpretation="RGB")
    assert code_of(ds) == PixelErrorCode.NOT_GRAYSCALE


def test_an_8_bit_object_is_refused() -> None:
    ds = small_radiograph(PICTURE, BitsAllocated=8, BitsStored=8, HighBit=7)
    assert code_of(ds) == PixelErrorCode.BIT_DEPTH_NOT_SUPPORTED


def test_a_high_bit_elsewhere_is_refused() -> None:
    assert code_of(small_radiograph(PICTURE, HighBit=15)) == PixelErrorCode.HIGH_BIT_NOT_SUPPORTED


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_frame_is_an_image_or_a_coded_error(data: st.DataObject) -> None:
    uid = data.draw(st.sampled_from([RLELossless, JPEGLSLossless, JPEG2000Lossless]))
    ds = in_transfer_syntax(small_radiograph(PICTURE), uid)
    frame = bytearray(next(generate_frames(ds.PixelData, number_of_frames=1)))
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), min_size=1, max_size=8)
    ):
        frame[position] = value
    ds.PixelData = encapsulate([bytes(frame)])
    try:
        outcome: object = stored_values(ds).shape
    except PixelError as error:
        outcome = error.code
    assert outcome == PICTURE.shape or outcome in set(PixelErrorCode)


def test_a_damaged_jpeg_lossless_frame_leaves_this_process_alive(tmp_path: Path) -> None:
    tool = shutil.which("dcmcjpeg")
    if tool is None:
        pytest.skip("DCMTK is not installed")
    small_radiograph(PICTURE).save_as(tmp_path / "plain.dcm", enforce_file_format=True)
    subprocess.run([tool, "+e1", str(tmp_path / "plain.dcm"), str(tmp_path / "packed.dcm")], check=True, timeout=60)
    ds = pydicom.dcmread(tmp_path / "packed.dcm")
    frame = bytearray(next(generate_frames(ds.PixelData, number_of_frames=1)))
    start_of_scan = frame.index(b"\xff\xda")
    frame[start_of_scan + 3 : start_of_scan + 40] = b"\xff\xff\x00" * 12 + b"\xff"
    ds.PixelData = encapsulate([bytes(frame)])
    assert code_of(ds) == PixelErrorCode.DECODE_FAILED


def test_error_messages_carry_no_patient_data() -> None:
    with pytest.raises(PixelError) as caught:
        read_source(radiograph(pixels=1 - chest()))
    assert "TEST-0001" not in str(caught.value)
    assert "Test" not in str(caught.value)
