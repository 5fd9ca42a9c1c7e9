from __future__ import annotations

import numpy as np
import torch

from models.training.bones import PHANTOM_SIZE, phantom_paths, varied, write_phantoms
from models.training.projections import read_projections


def test_phantoms_differ_have_bone_within_the_body_and_come_again(tmp_path) -> None:  # type: ignore[no-untyped-def]
    seen: list[int] = []
    paths = phantom_paths(2, 3, lambda done, _total: seen.append(done))
    assert paths.shape == (2, 2, PHANTOM_SIZE, PHANTOM_SIZE)
    assert seen == [1, 2]
    assert not torch.equal(paths[0], paths[1])
    assert torch.equal(paths[:1], phantom_paths(1, 3, lambda _done, _total: None))
    assert 10 < float(paths[:, 0].max()) < 40
    assert 1 < float(paths[:, 1].max()) < 20
    write_phantoms(paths, tmp_path / "phantoms.npz")
    np.testing.assert_allclose(read_projections(tmp_path / "phantoms.npz").bone, paths[:, 1], atol=0.01)


def test_varied_bone_stays_where_bone_was() -> None:
    bone = torch.zeros(4, 1, 64, 64)
    bone[..., 20:30, :] = 1.0
    other = varied(bone, torch.Generator().manual_seed(0))
    assert float(other.min()) >= 0
    assert float(other[bone == 0].max()) < 1e-3
    assert not torch.allclose(other[bone > 0], bone[bone > 0], atol=0.05)
