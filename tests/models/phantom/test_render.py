"""The phantom: exact parts, a stable patient, and the anatomy that tests and the demo rest on."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.phantom import Nodule, Phantom, render
from models.phantom.geometry import FIELD_MM, Grid
from models.phantom.ribs import RIBS, rib_line


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(768)


@pytest.fixture(scope="module")
def fine() -> Phantom:
    return render(1024)


def around(image: NDArray[np.float32], x: float, y: float, radius_mm: float = 5.0) -> float:
    """Mean grey in a square around a point in mm (x from the midline, y from the top)."""
    row, column = Grid(len(image)).pixel(x, y)
    reach = max(1, round(radius_mm * len(image) / FIELD_MM))
    i, j = round(row), round(column)
    return float(image[max(0, i - reach) : i + reach + 1, max(0, j - reach) : j + reach + 1].mean())


def digest(phantom: Phantom) -> str:
    parts = (phantom.radiograph, phantom.soft_tissue, phantom.bone)
    return hashlib.sha256(b"".join(np.rint(part * 16383).astype("<u2").tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize(("size", "seed"), [(257, 7), (400, 1), (513, 42)])
def test_the_radiograph_is_exactly_soft_tissue_plus_bone(size: int, seed: int) -> None:
    phantom = render(size, seed)
    for part in (phantom.radiograph, phantom.soft_tissue, phantom.bone):
        assert part.shape == (size, size)
        assert part.dtype == np.float32
        assert part.min() >= 0.0
        assert part.max() <= 1.0
    assert np.array_equal(phantom.radiograph, phantom.soft_tissue + phantom.bone)
    assert np.array_equal(phantom.radiograph - phantom.soft_tissue, phantom.bone)


def test_two_renders_of_a_seed_are_the_same_image() -> None:
    assert digest(render(300, 5)) == digest(render(300, 5))


def test_another_seed_is_another_patient() -> None:
    one, other = render(300, 5), render(300, 6)
    assert not np.array_equal(one.bone, other.bone)
    assert not np.array_equal(one.soft_tissue, other.soft_tissue)


def test_a_seed_is_the_same_patient_at_every_size(fine: Phantom) -> None:
    small, large = render(256), fine
    shrunk = large.radiograph.reshape(256, 4, 256, 4).mean(axis=(1, 3))
    assert float(np.corrcoef(shrunk.ravel(), small.radiograph.ravel())[0, 1]) > 0.995
    shrunk_bone = large.bone.reshape(256, 4, 256, 4).mean(axis=(1, 3))
    assert float(np.corrcoef(shrunk_bone.ravel(), small.bone.ravel())[0, 1]) > 0.98


@pytest.mark.slow
def test_full_size_has_the_matrix_pitch_and_depth_of_a_digital_radiograph() -> None:
    phantom = render()
    assert phantom.radiograph.shape == (2021, 2021)
    assert phantom.pixel_spacing_mm == pytest.approx(0.2)
    assert len(np.unique(np.rint(phantom.radiograph * 16383))) > 10_000


@pytest.mark.parametrize("size", [0, 31])
def test_a_matrix_too_small_for_anatomy_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        render(size)


def test_air_around_the_patient_is_black_and_holds_no_bone(phantom: Phantom) -> None:
    outside = phantom.soft_tissue < 0.004
    assert 0.02 < outside.mean() < 0.2
    assert phantom.bone[outside].max() < 0.004
    for x in (-190.0, 150.0):
        assert around(phantom.radiograph, x, 15.0) < 0.01
        assert around(phantom.bone, x, 15.0) == 0.0


def test_tone_resembles_a_clinical_film(phantom: Phantom) -> None:
    # Real 8-bit dual-energy pairs have quartiles near 0.36, 0.56 and 0.76; lungs dark, mediastinum and liver bright.
    low, middle, high = np.percentile(phantom.radiograph, (25, 50, 75))
    assert 0.2 < low < 0.42
    assert 0.45 < middle < 0.65
    assert 0.7 < high < 0.9
    lung = around(phantom.soft_tissue, -95.0, 190.0, 10.0)
    assert 0.12 < lung < 0.4
    assert around(phantom.soft_tissue, -80.0, 330.0) > 0.8
    assert around(phantom.soft_tissue, 0.0, 240.0) > 0.75


def test_organs_lie_on_their_sides(phantom: Phantom) -> None:
    soft = phantom.soft_tissue
    # Heart, aortic knob, stomach gas and marker on the left; right dome higher.
    assert around(soft, 70.0, 255.0) > around(soft, -70.0, 255.0) + 0.2
    assert around(soft, 36.0, 135.0, 2.0) > around(soft, -46.0, 135.0, 2.0) + 0.2
    assert around(soft, -80.0, 291.0, 2.0) > around(soft, 100.0, 291.0, 2.0) + 0.1
    assert around(soft, 73.0, 328.0) < around(soft, -73.0, 328.0) - 0.03
    assert around(soft, 173.5, 24.0, 1.0) > 0.95
    assert around(soft, -173.5, 24.0, 1.0) < 0.05


def test_the_trachea_is_darker_than_the_tissue_beside_it(phantom: Phantom) -> None:
    for y in (30.0, 80.0, 140.0):
        beside = 0.5 * (around(phantom.soft_tissue, -15.0, y, 1.0) + around(phantom.soft_tissue, 15.0, y, 1.0))
        assert around(phantom.soft_tissue, 0.0, y, 1.0) < beside - 0.02


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("number", range(3, 11))
def test_every_back_arc_of_a_rib_brightens_the_film_where_it_runs(phantom: Phantom, number: int, side: int) -> None:
    # Halfway between spine and flank, where only lung lies before it.
    line = rib_line(RIBS[number - 1], side)
    back = line[: len(line) // 3]
    x, y, _ = back[np.argmin(np.abs(np.abs(back[:, 0]) - 75.0))]
    assert around(phantom.bone, float(x), float(y), 1.0) > 0.03


def test_bone_is_the_skeleton_and_not_the_space_between_ribs(phantom: Phantom) -> None:
    assert 0.2 < (phantom.bone > 0.004).mean() < 0.6
    assert phantom.bone.max() > 0.2
    for upper, lower in pairwise(RIBS[4:9]):
        heights = [rib_line(rib, -1)[:130] for rib in (upper, lower)]
        middle = float(np.mean([line[np.argmin(np.abs(line[:, 0] + 42.0)), 1] for line in heights]))
        assert around(phantom.bone, -42.0, middle, 1.0) < 0.01


def test_bone_has_no_noise_and_soft_tissue_has(fine: Phantom) -> None:
    row, column = (round(v) for v in Grid(1024).pixel(-80.0, 350.0))
    patch = (slice(row, row + 30), slice(column, column + 30))
    assert fine.bone[patch].std() < 1e-3
    grain = np.diff(fine.soft_tissue[patch], axis=1)
    assert 2e-4 < grain.std() < 2e-2


@pytest.mark.parametrize("side", [-1, 1])
def test_cortex_outlines_a_rib(fine: Phantom, side: int) -> None:
    # The back arc of the ninth rib, beyond the reach of any front arc: compact edges, spongy middle.
    line = rib_line(RIBS[8], side)[:150]
    x, y, _ = line[np.argmin(np.abs(np.abs(line[:, 0]) - 70.0))]
    row, column = (round(v) for v in Grid(1024).pixel(float(x), float(y)))
    profile = fine.bone[row - 20 : row + 21, column - 2 : column + 3].mean(axis=1)
    middle = profile[17:24].min()
    assert middle > 0.02
    assert profile[:20].max() > 1.1 * middle
    assert profile[21:].max() > 1.1 * middle


def test_nodules_stand_out_of_the_lung_where_they_are_said_to_be(phantom: Phantom) -> None:
    assert len(phantom.nodules) == 3
    for nodule in phantom.nodules:
        diameter = 2.0 * nodule.radius * phantom.pixel_spacing_mm
        assert 8.0 <= diameter <= 20.0
        inside, ring = _nodule_and_ring(phantom.soft_tissue, nodule)
        assert inside > ring + 0.02


def test_one_nodule_lies_under_a_rib(phantom: Phantom) -> None:
    covered = [phantom.bone[round(nodule.row), round(nodule.column)] > 0.03 for nodule in phantom.nodules]
    assert any(covered)


def _nodule_and_ring(image: NDArray[np.float32], nodule: Nodule) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    distance = np.hypot(rows - nodule.row, columns - nodule.column)
    inside = image[distance < 0.6 * nodule.radius].mean()
    ring = image[(distance > 1.3 * nodule.radius) & (distance < 1.9 * nodule.radius)].mean()
    return float(inside), float(ring)


def test_without_nodules_the_same_patient_differs_where_they_are_and_in_no_bone() -> None:
    grown, before = render(512, 8), render(512, 8, with_nodules=False)
    assert len(grown.nodules) == 3
    assert before.nodules == ()
    change = grown.soft_tissue - before.soft_tissue
    rows, columns = np.ogrid[:512, :512]
    for nodule in grown.nodules:
        distance = np.hypot(rows - nodule.row, columns - nodule.column) / nodule.radius
        assert change[distance < 0.5].mean() > 0.02
    far = np.ones((512, 512), np.bool_)
    for nodule in grown.nodules:
        far &= np.hypot(rows - nodule.row, columns - nodule.column) > 12 * nodule.radius
    assert np.abs(change[far]).max() < 0.02
