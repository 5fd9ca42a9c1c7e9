from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.errors import DerivationError, PixelError, PixelErrorCode
from dicom_node.pixels import encode_pixel_data, read_source, write_back
from tests.dicom_node.factories import chest, lut_item, radiograph, reread, small_radiograph

SHAPE = (9, 7)


def zeros() -> npt.NDArray[np.float32]:
    return np.zeros(SHAPE, np.float32)


# --- what the header may ask for, as a strategy -------------------------------------------------------------------


def gamma_lut(bits_in: int, first: int, *, falling: bool = False, power: float = 1.6) -> Dataset:
    curve = np.linspace(0, 1, 1 << bits_in) ** power
    return lut_item(np.rint((curve[::-1] if falling else curve) * 4095).astype(np.int64), first)


def wavy_lut(bits_in: int, first: int) -> Dataset:
    return lut_item(np.rint((np.sin(np.linspace(0, 9, 1 << bits_in)) + 1) * 2047).astype(np.int64), first)


@st.composite
def headers(draw: st.DrawFn) -> Dataset:
    """CR and DX of every depth, sign, rescale, VOI, polarity, padding and shutter, with any stored values."""
    bits = draw(st.integers(10, 16))
    kind = draw(st.sampled_from(["CR", "DX", "DX-PROC"]))
    signed = kind == "CR" and draw(st.booleans())
    low = -(1 << (bits - 1)) if signed else 0
    values = st.lists(st.integers(low, low + (1 << bits) - 1), min_size=63, max_size=63)
    stored = np.array(draw(values), np.int64).reshape(SHAPE)
    stored[0, :2] = low, low + (1 << bits) - 1
    junk = draw(st.integers(0, 0xFFFF)) & ~((1 << bits) - 1) & 0xFFFF
    ds = small_radiograph((stored & ((1 << bits) - 1)) | junk, kind, bits_stored=bits, signed=signed)
    ds.PhotometricInterpretation = draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"]))
    if kind == "DX-PROC":
        ds.PixelIntensityRelationship = draw(st.sampled_from(["LIN", "LOG"]))
        ds.PixelIntensityRelationshipSign = draw(st.sampled_from([1, -1]))
    if kind == "CR" and draw(st.booleans()):
        ds.RescaleSlope = draw(st.sampled_from([1, 0.25, -1, 3.7, -0.01]))
        ds.RescaleIntercept = draw(st.sampled_from([0, -1024, 17.5]))
    voi = draw(st.sampled_from(["none", "LINEAR", "LINEAR_EXACT", "SIGMOID", "rising", "falling", "wavy"]))
    if voi in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        ds.WindowCenter = draw(st.integers(low - 500, low + (1 << bits) + 500))
        ds.WindowWidth = draw(st.integers(1, 1 << 17))
        ds.VOILUTFunction = voi
    elif voi != "none":
        lut = wavy_lut(bits, low) if voi == "wavy" else gamma_lut(bits, low, falling=voi == "falling")
        ds.VOILUTSequence = Sequence([lut])
    if draw(st.booleans()):
        padding = draw(st.integers(low, low + (1 << bits) - 1))
        ds.add_new("PixelPaddingValue", "SS" if signed else "US", padding)
        if draw(st.booleans()):
            ds.add_new("PixelPaddingRangeLimit", "SS" if signed else "US", min(padding + 40, low + (1 << bits) - 1))
    if draw(st.booleans()):
        ds.ShutterShape = draw(st.sampled_from(["RECTANGULAR", "CIRCULAR", "POLYGONAL"]))
        ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 1, 6
        ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 0, 10
        ds.CenterOfCircularShutter, ds.RadiusOfCircularShutter = [4, 4], 4
        ds.VerticesOfThePolygonalShutter = [1, 1, 1, 7, 9, 7, 9, 1]
    return ds


def words(ds: Dataset) -> npt.NDArray[np.uint16]:
    return np.frombuffer(ds.PixelData, "<u2").reshape(SHAPE)


def readable(ds: Dataset) -> Any:
    """The source, or None where padding and shutter leave a single value; any other error fails the test."""
    try:
        return read_source(ds, check_polarity=False)
    except PixelError as error:
        if error.code == PixelErrorCode.NO_CONTRAST:
            return None
        raise


@settings(max_examples=400, deadline=None)
@given(headers())
def test_a_zero_residual_gives_back_every_stored_value_bit_for_bit(ds: Dataset) -> None:
    source = readable(ds)
    if source is None:
        return
    unchanged = write_back(source, zeros())
    mask = (1 << ds.BitsStored) - 1
    assert np.array_equal(unchanged, source.stored)
    assert np.array_equal(
        np.frombuffer(encode_pixel_data(ds, unchanged), "<u2").reshape(SHAPE) & mask, words(ds) & mask
    )


@settings(max_examples=300, deadline=None)
@given(headers(), st.floats(-0.6, 0.6))
def test_a_residual_changes_the_display_value_by_itself_within_one_stored_unit(ds: Dataset, amount: float) -> None:
    source = readable(ds)
    if source is None:
        return
    table, lowest = source.mapping.table, source.mapping.lowest
    changed = write_back(source, np.full(SHAPE, amount, np.float64))
    target = table[source.stored - lowest] - amount
    reached = table[changed - lowest]
    inside = (target > table.min()) & (target < table.max()) & source.alterable
    if source.padding is not None:
        inside &= (changed != source.padding.lowest - 1) & (changed != source.padding.highest + 1)
    step = np.maximum(np.abs(np.gradient(table)), np.abs(np.diff(table, append=table[-1])))
    step = np.maximum(step, np.abs(np.diff(table, prepend=table[0])))
    assert np.all(np.abs(reached - target)[inside] <= step[changed - lowest][inside])
    assert changed.min() >= source.layout.lowest
    assert changed.max() <= source.layout.highest


@settings(max_examples=200, deadline=None)
@given(headers(), st.floats(-3, 3))
def test_padding_and_what_the_shutter_hides_are_never_touched_and_no_padding_appears(
    ds: Dataset, amount: float
) -> None:
    source = readable(ds)
    if source is None:
        return
    changed = write_back(source, np.full(SHAPE, amount, np.float32))
    hidden = ~source.alterable
    assert np.array_equal(changed[hidden], source.stored[hidden])
    if source.padding is not None:
        assert np.array_equal(source.padding.mask(changed), source.padding.mask(source.stored))


@settings(max_examples=200, deadline=None)
@given(headers())
def test_the_mapping_has_exactly_one_inverse(ds: Dataset) -> None:
    source = readable(ds)
    if source is None:
        return
    steps = np.diff(source.mapping.table)
    assert np.all(steps > 0) or np.all(steps < 0)
    assert len(source.mapping.table) == 1 << ds.BitsStored
    assert np.isfinite(source.display).all()


# --- named cases ----------------------------------------------------------------------------------------------------


def full_ramp(bits: int, signed: bool = False) -> npt.NDArray[np.int64]:
    low = -(1 << (bits - 1)) if signed else 0
    side = 1 << (bits // 2)
    return np.arange(low, low + (1 << bits)).reshape(side, -1)


@pytest.mark.parametrize("bits", range(10, 17))
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_float32_display_values_tell_all_stored_values_apart(bits: int, photometric: str) -> None:
    ramp = full_ramp(bits)
    ds = small_radiograph(
        ramp,
        bits_stored=bits,
        PhotometricInterpretation=photometric,
        WindowCenter=2 ** (bits - 1),
        WindowWidth=2**bits,
    )
    display = read_source(ds, check_polarity=False).display
    expected = ramp / (2**bits - 1)
    assert len(np.unique(display)) == 1 << bits
    assert np.allclose(display, 1 - expected if photometric == "MONOCHROME1" else expected, atol=1e-6)


def test_monochrome1_is_inverted_against_the_full_range_and_not_the_range_that_occurs() -> None:
    ds = small_radiograph(full_ramp(12)[:8] + 500, bits_stored=12, PhotometricInterpretation="MONOCHROME1")
    ds.WindowCenter, ds.WindowWidth = 2048, 4096
    source = read_source(ds, check_polarity=False)
    assert source.display[0, 0] == pytest.approx(1 - 500 / 4095)


def test_photometric_interpretation_is_believed_where_the_presentation_lut_shape_contradicts() -> None:
    ds = small_radiograph(full_ramp(10), "DX", bits_stored=10, PhotometricInterpretation="MONOCHROME1")
    ds.WindowCenter, ds.WindowWidth, ds.PresentationLUTShape = 512, 1024, "IDENTITY"
    assert read_source(ds, check_polarity=False).display[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR", lambda x: (x - 599.5) / 399 + 0.5),
        ("LINEAR_EXACT", lambda x: (x - 600) / 400 + 0.5),
        ("SIGMOID", lambda x: 1 / (1 + np.exp(-4 * (x - 600) / 400))),
        ("", lambda x: (x - 599.5) / 399 + 0.5),
    ],
)
def test_windows_follow_the_formulas_of_the_standard(
    function: str, expected: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]
) -> None:
    ramp = full_ramp(10)
    ds = small_radiograph(ramp, bits_stored=10, WindowCenter=600, WindowWidth=400)
    if function:
        ds.VOILUTFunction = function
    display = read_source(ds, check_polarity=False).display
    assert np.allclose(display, expected(ramp), atol=3e-3 if function == "SIGMOID" else 1e-6)


def test_a_window_is_continued_outside_and_not_clipped() -> None:
    ds = small_radiograph(full_ramp(12), bits_stored=12, WindowCenter=2000, WindowWidth=1000)
    display = read_source(ds, check_polarity=False).display
    assert display.min() < -1.0
    assert display.max() > 2.0


def test_the_first_of_several_windows_applies_unless_one_is_explained_as_normal() -> None:
    ds = small_radiograph(full_ramp(12), bits_stored=12, WindowCenter=[2000, 1000], WindowWidth=[1000, 500])
    first = read_source(ds, check_polarity=False).display
    ds.WindowCenterWidthExplanation = ["HARD", "NORMAL"]
    normal = read_source(ds, check_polarity=False).display
    assert np.interp(2000, [1500, 2499], [0, 1]) == pytest.approx(first.ravel()[2000], abs=1e-3)
    assert np.interp(1000, [750, 1249], [0, 1]) == pytest.approx(normal.ravel()[1000], abs=1e-3)


def test_a_rescale_goes_before_the_window() -> None:
    ramp = full_ramp(12, signed=True)
    ds = small_radiograph(ramp, bits_stored=12, signed=True, RescaleSlope="0.5", RescaleIntercept="1024")
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = 1024, 2048, "LINEAR_EXACT"
    display = read_source(ds, check_polarity=False).display
    assert np.allclose(display, (ramp * 0.5 + 1024 - 1024) / 2048 + 0.5, atol=1e-6)


def test_a_modality_lut_is_applied_and_its_entry_count_of_zero_means_65536() -> None:
    stored = np.array([[0, 1000, 40000], [50000, 65535, 2]])
    squared = (np.arange(65536, dtype=np.int64) ** 2) >> 16
    ds = small_radiograph(stored, bits_stored=16, WindowCenter=32768, WindowWidth=65536)
    ds.ModalityLUTSequence = Sequence([lut_item(squared, bits=16)])
    ds.ModalityLUTSequence[0].ModalityLUTType = "US"
    assert ds.ModalityLUTSequence[0].LUTDescriptor[0] == 0
    display = read_source(ds, check_polarity=False).display
    assert np.allclose(display[display > 0.01], (squared[stored] / 65535)[display > 0.01], atol=1e-4)


def test_a_voi_lut_is_scaled_by_its_declared_depth_and_held_at_its_ends() -> None:
    ds = small_radiograph(full_ramp(12), bits_stored=12)
    ds.VOILUTSequence = Sequence([lut_item(np.arange(500, 2500), first=1000, bits=12)])
    display = read_source(ds, check_polarity=False).display.ravel()
    assert display[1000] == pytest.approx(500 / 4095, abs=1e-6)
    assert display[2999] == pytest.approx(2499 / 4095, abs=1e-6)
    assert np.all(np.diff(display) > 0)


def test_repeated_entries_of_a_voi_lut_are_told_apart_within_its_own_rounding() -> None:
    ds = small_radiograph(full_ramp(14), bits_stored=14)
    ds.VOILUTSequence = Sequence([lut_item(np.arange(1 << 14) >> 4, bits=10)])
    display = read_source(ds, check_polarity=False).display.ravel()
    assert np.max(np.abs(display - (np.arange(1 << 14) >> 4) / 1023)) <= 1 / 1023
    assert np.all(np.diff(display) > 0)


def test_a_voi_lut_that_turns_back_gives_way_to_a_percentile_window() -> None:
    ds = small_radiograph(full_ramp(12), bits_stored=12)
    ds.VOILUTSequence = Sequence([wavy_lut(12, 0)])
    source = read_source(ds, check_polarity=False)
    assert source.notes == ("VOI_NOT_INVERTIBLE",)
    assert np.array_equal(write_back(source, np.zeros(source.stored.shape, np.float32)), source.stored)


@pytest.mark.parametrize(
    ("center", "width"), [("", ""), ("100", "0"), ("100", "-5"), ("2048", "1"), ("abc", "def"), ("1e400", "1")]
)
def test_a_window_that_cannot_be_used_gives_way_to_percentiles(center: str, width: str) -> None:
    ds = reread(small_radiograph(full_ramp(12), bits_stored=12))
    ds.add_new("WindowCenter", "LO", center)
    ds.add_new("WindowWidth", "LO", width)
    source = read_source(ds, check_polarity=False)
    assert source.notes == ("NO_VOI",)
    assert source.display.min() == pytest.approx(-0.005, abs=1e-3)
    assert source.display.max() == pytest.approx(1.005, abs=1e-3)


def test_a_window_that_shows_next_to_nothing_of_the_image_is_left_out_of_account() -> None:
    ds = small_radiograph(full_ramp(14), bits_stored=14, WindowCenter=40, WindowWidth=80)
    assert read_source(ds, check_polarity=False).notes == ("VOI_MISSES_THE_IMAGE",)


def test_junk_above_bits_stored_is_dropped() -> None:
    clean = full_ramp(12)
    junk = small_radiograph(clean | 0xB000, bits_stored=12, WindowCenter=2048, WindowWidth=4096)
    assert np.array_equal(read_source(junk, check_polarity=False).stored, clean)


def test_signed_values_are_extended_from_the_high_bit() -> None:
    stored = full_ramp(12, signed=True)
    ds = small_radiograph(stored & 0xFFF, bits_stored=12, signed=True)
    source = read_source(ds, check_polarity=False)
    assert np.array_equal(source.stored, stored)
    assert np.frombuffer(encode_pixel_data(ds, source.stored), "<i2").min() == -2048


def test_the_percentile_window_sees_neither_padding_nor_what_is_outside_the_shutter_or_collimator() -> None:
    stored = np.full((40, 40), 16383)
    stored[10:30, 10:30] = np.arange(400).reshape(20, 20) * 4 + 3000
    stored[:, :5] = 0
    ds = small_radiograph(stored, PixelPaddingValue=0)
    ds.ShutterShape = "RECTANGULAR"
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 0, 31
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 10, 31
    ds.CollimatorShape = "RECTANGULAR"
    ds.CollimatorLeftVerticalEdge, ds.CollimatorRightVerticalEdge = 10, 41
    ds.CollimatorUpperHorizontalEdge, ds.CollimatorLowerHorizontalEdge = 0, 41
    source = read_source(ds, check_polarity=False)
    assert source.display[10, 10] == pytest.approx(0.0, abs=0.02)
    assert source.display[29, 29] == pytest.approx(1.0, abs=0.02)
    assert not source.alterable[5, 20]
    assert not source.alterable[15, 2]
    assert source.alterable[15, 7]


def test_for_processing_intensities_are_linearised_by_minus_log_with_bone_bright() -> None:
    thickness = np.linspace(0, 1, 400).reshape(20, 20)  # bone where it is large
    intensity = np.rint(16000 * np.exp(-4 * thickness))
    ds = small_radiograph(intensity.astype(int), "DX-PROC", PixelIntensityRelationship="LIN")
    ds.PixelIntensityRelationshipSign = 1
    source = read_source(ds, check_polarity=False)
    assert "FOR_PROCESSING_LINEARISED" in source.notes
    display = source.display.ravel()
    assert np.allclose(display, np.linspace(display[0], display[-1], 400), atol=2e-3)
    assert display[-1] > display[0]


@pytest.mark.parametrize(("sign", "bright"), [(1, 0), (-1, -1)])
def test_the_sign_tells_where_bone_is_in_a_for_processing_image(sign: int, bright: int) -> None:
    ds = small_radiograph(full_ramp(12), "DX-PROC", bits_stored=12, PixelIntensityRelationshipSign=sign)
    display = read_source(ds, check_polarity=False).display.ravel()
    assert display[bright] == display.max()


def test_reading_leaves_the_dataset_as_it_was() -> None:
    ds = reread(radiograph())
    before = ds.to_json()
    read_source(ds)
    assert ds.to_json() == before


def test_a_whole_radiograph_comes_through_unchanged() -> None:
    source = read_source(radiograph(bits_stored=16))
    assert np.abs(source.display - chest()).max() < 1e-5
    assert source.stored.dtype == np.int32
    assert source.display.dtype == np.float32
    assert source.alterable.all()
    assert source.stored.shape == source.display.shape == source.alterable.shape == chest().shape


@pytest.mark.parametrize("residual", [np.zeros((3, 3), np.float32), np.full(SHAPE, np.nan, np.float32)])
def test_a_residual_that_does_not_fit_or_is_not_finite_is_refused(residual: npt.NDArray[np.float32]) -> None:
    source = read_source(small_radiograph(np.arange(63).reshape(SHAPE)), check_polarity=False)
    with pytest.raises(DerivationError) as caught:
        write_back(source, residual)
    assert caught.value.code == "RESIDUAL_INVALID"


@pytest.mark.parametrize("stored", [np.zeros((2, 2), int), np.full(SHAPE, 1 << 14), np.full(SHAPE, -1)])
def test_stored_values_that_do_not_fit_the_layout_are_not_encoded(stored: npt.NDArray[np.int64]) -> None:
    with pytest.raises(DerivationError) as caught:
        encode_pixel_data(small_radiograph(np.zeros(SHAPE, int)), stored)
    assert caught.value.code == "PIXELS_DO_NOT_FIT"


@pytest.mark.parametrize("fill", [0, 5000, 16383])
def test_an_image_of_one_value_is_refused(fill: int) -> None:
    with pytest.raises(PixelError) as caught:
        read_source(small_radiograph(np.full((20, 20), fill)))
    assert caught.value.code == PixelErrorCode.NO_CONTRAST


@pytest.mark.parametrize("slope", ["0", "1e300", "abc"])
def test_a_rescale_that_cannot_be_applied_is_refused(slope: str) -> None:
    ds = small_radiograph(full_ramp(12), bits_stored=12)
    ds.add_new("RescaleSlope", "LO", slope)
    with pytest.raises(PixelError) as caught:
        read_source(ds)
    assert caught.value.code == PixelErrorCode.MODALITY_TRANSFORM_INVALID
