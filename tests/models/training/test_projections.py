from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.projections import Attenuation, project, project_ct, read_ct, read_projections

HU_SOFT, HU_RIB, HU_AIR = 40, 700, -1000


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    """A 96 mm cube of soft tissue in air with a bar of bone across it, 4 mm voxels."""
    hu = np.full((32, 32, 40), HU_AIR, np.int32)
    hu[4:28, 4:28, 8:32] = HU_SOFT
    hu[14:18, 20:24, 8:32] = HU_RIB
    path = tmp_path / "ct.npz"
    np.savez(path, hu_over_6=((hu + 1000) / 6).round().astype(np.uint16), spacing_mm=np.array([4.0, 4.0, 4.0]))
    return path


def test_soft_tissue_and_bone_together_are_the_ct(ct: Path) -> None:
    volumes = read_ct(ct).volumes
    assert volumes.shape == (2, 32, 32, 40)
    assert float(volumes.sum(0)[16, 22, 20]) == pytest.approx(1 + HU_RIB / 1000, abs=0.01)
    assert float(volumes[0, 16, 22, 20]) == pytest.approx(1.05, abs=1e-6)


def test_bone_is_only_where_the_ct_is_calcified(ct: Path) -> None:
    bone = read_ct(ct).volumes[1]
    assert float(bone[16, 22, 20]) == pytest.approx(0.65, abs=0.01)
    assert float(bone[6, 6, 12]) == 0
    assert float(bone[0].max()) == 0


def test_a_path_through_the_middle_is_as_long_as_the_body_is_deep() -> None:
    water = torch.zeros(2, 40, 40, 40)
    water[0, 4:36, 4:36, 4:36] = 1
    # Poses stretch and turn the body by a little: 12.8 cm of water at the isocentre, within a fifth.
    for seed in range(3):
        image = project(Attenuation(water, (4.0, 4.0, 4.0)), torch.Generator().manual_seed(seed))
        assert image.shape == (2, 352, 512)
        assert float(image[0].amax()) == pytest.approx(12.8, rel=0.3)
        assert float(image[1].amax()) == 0
        assert float(image[0, 0].amax()) == 0


@pytest.mark.slow
def test_projections_are_kept_and_read_again(ct: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    made = project_ct(ct, tmp_path / "out" / "p.npz", count=2, seed=5, on_progress=lambda i, n: seen.append((i, n)))
    read = read_projections(tmp_path / "out" / "p.npz")
    assert seen == [(1, 2), (2, 2)]
    torch.testing.assert_close(read.bone, made.bone, atol=0.01, rtol=0.01)
    assert not torch.equal(made.soft[0], made.soft[1])
