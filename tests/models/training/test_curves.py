from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from models.training import curves
from models.training.curves import Curves, forget_after, read_events
from models.training.run_files import CURVES, EVENTS, TENSORBOARD


def test_losses_are_kept_as_means_over_the_steps_between_two_lines(tmp_path: Path) -> None:
    kept = Curves(tmp_path, begin_at=0, every=2)
    for step, value in enumerate([1.0, 3.0, 5.0, 7.0], start=1):
        kept.add(step, {"net/l1": value, "net/other": 0.5})
    kept.draw()
    kept.close()
    assert read_events(tmp_path / EVENTS) == {
        "net/l1": [(2, 2.0), (4, 6.0)],
        "net/other": [(2, 0.5), (4, 0.5)],
    }
    with Image.open(tmp_path / CURVES) as picture:
        assert picture.size[0] > 400
        assert len(picture.convert("RGB").getcolors(1 << 16) or []) > 10
    assert any(path.stat().st_size > 100 for path in (tmp_path / TENSORBOARD).iterdir())


def test_lines_of_steps_that_are_computed_again_and_a_cut_line_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / EVENTS
    lines = [json.dumps({"step": step, "net/l1": 0.1}) for step in (1, 2, 3, 4)]
    path.write_text("\n".join(lines) + '\n{"step": 5, "ne', encoding="utf-8")
    forget_after(path, 3)
    assert [step for step, _ in read_events(path)["net/l1"]] == [1, 2, 3]


def test_without_the_extra_the_lines_are_kept_nevertheless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves.importlib.util, "find_spec", lambda _name: None)
    assert curves.missing_packages() == ["matplotlib", "tensorboardX"]
    kept = Curves(tmp_path, begin_at=0, every=1)
    kept.add(1, {"net/l1": 1.0})
    kept.draw()
    kept.close()
    assert [path.name for path in tmp_path.iterdir()] == [EVENTS]


def test_a_curve_that_touches_zero_or_less_can_be_drawn(tmp_path: Path) -> None:
    curves.draw_curves({"a": [(1, 0.0), (2, -1.0)]}, tmp_path / CURVES)
    curves.draw_curves({}, tmp_path / "nothing.png")
    assert (tmp_path / CURVES).is_file()
    assert not (tmp_path / "nothing.png").exists()
