from __future__ import annotations

import numpy as np

from models.lines.drawing import Line, drawn
from models.phantom import render
from models.spared import spared


def test_a_marker_in_the_patient_and_everything_outside_stay_and_bone_goes() -> None:
    shown = render(1024).radiograph.astype(np.float32).copy()
    shown[:, :80] = 0.0
    letter = np.zeros_like(shown, bool)
    letter[600:636, 360:366] = letter[630:636, 360:384] = True
    shown[letter] = 1.0
    residual = np.where(letter, np.float32(0.3), np.float32(0.05))
    kept = spared(residual, shown, "residual-unet")
    assert np.abs(kept[letter] - 0.05).max() < 0.01
    assert float(np.abs(kept[:, :56]).max()) == 0
    assert float(kept[512, 260]) == np.float32(0.05)


def test_a_lead_is_kept_only_where_the_network_can_tell_it_from_bone() -> None:
    course = np.stack([np.linspace(300, 560, 700), np.linspace(240, 800, 700)], 1)
    lead = drawn(Line(2.0, 0.15), course, (1024, 1024), 0.35).astype(np.float32)
    shown = render(1024).radiograph.astype(np.float32) + lead
    residual = np.float32(0.4) * lead
    sure, unsure = (spared(residual, shown, architecture) for architecture in ("residual-unet", "bs-ldm"))
    on = lead > 0.1
    assert float(sure[on].mean()) < 0.3 * float(unsure[on].mean())
