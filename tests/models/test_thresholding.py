from __future__ import annotations

import pytest
import torch

from models.thresholding import clamp_x0, threshold


def test_the_closed_form_equals_the_published_loop_over_all_timesteps() -> None:
    s = 1.4
    for t in reversed(range(1000)):
        if t < 998:
            s += 0.003
        assert threshold(t) == pytest.approx(s, abs=1e-9)
    assert threshold(0) == pytest.approx(4.394)


def test_the_bound_depends_on_the_timestep_alone() -> None:
    x = torch.tensor([-9.0, -1.0, 2.0, 9.0])
    assert torch.equal(clamp_x0(x, 999), torch.tensor([-1.4, -1.0, 1.4, 1.4]))
    torch.testing.assert_close(clamp_x0(x, 500), torch.tensor([-2.894, -1.0, 2.0, 2.894]))
