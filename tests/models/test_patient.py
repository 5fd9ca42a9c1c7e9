from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.patient import patient_weight, within_patient
from models.phantom import render
from models.phantom.render import Phantom


@lru_cache
def phantom_of(size: int) -> Phantom:
    return render(size)


def collimated(size: int = 256, margin: int = 20, grey: float = 0.0) -> tuple[Phantom, np.ndarray]:
    """A phantom between shutters of `grey`, with a bright marker on the left one."""
    phantom = phantom_of(size)
    shown = phantom.radiograph.copy()
    shown[:, :margin] = grey
    shown[:, -margin:] = grey
    shown[10:20, 4:12] = 1.0
    return phantom, shown


def test_nothing_is_taken_from_shutters_air_and_markers_on_them() -> None:
    _, shown = collimated()
    weight = patient_weight(torch.from_numpy(shown)[None, None])[0, 0]
    assert float(weight[:, :14].max()) == 0
    assert float(weight[10:20, 4:12].max()) == 0


def test_all_bone_is_left_to_the_network() -> None:
    phantom, shown = collimated(margin=1)
    weight = patient_weight(torch.from_numpy(shown)[None, None])[0, 0].numpy()
    inside = phantom.bone > 0.02
    inside[:, :6] = inside[:, -6:] = False
    assert float(weight[inside].min()) == 1
    assert float(weight[100:200, 60:196].min()) == 1


def test_an_image_without_contrast_is_all_patient() -> None:
    assert float(patient_weight(torch.full((2, 1, 32, 32), 0.4)).min()) == 1


def test_the_middle_is_patient_even_when_all_of_it_is_dark() -> None:
    dark = torch.zeros(1, 1, 64, 64)
    dark[..., :4, :4] = 1.0
    assert float(patient_weight(dark).min()) == 1


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 5.0), st.floats(-3.0, 3.0), st.integers(0, 2))
def test_the_weight_hangs_on_no_unit(gain: float, offset: float, which: int) -> None:
    image = torch.from_numpy(collimated(128, 10 + 4 * which)[1])[None, None]
    torch.testing.assert_close(patient_weight(image * gain + offset), patient_weight(image), atol=0.02, rtol=0)


def test_a_residual_is_kept_inside_and_gone_outside() -> None:
    _, shown = collimated()
    residual = np.full_like(shown, 0.1)
    kept = within_patient(residual, shown)
    assert kept.dtype == np.float32
    assert float(kept[128, 128]) == np.float32(0.1)
    assert float(np.abs(kept[:, :14]).max()) == 0
    assert np.isnan(within_patient(residual * np.nan, shown)).all()
