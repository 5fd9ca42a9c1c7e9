from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.trace import CAPTION_PX, MAX_ROW, Frame, shown_steps, write_trace


def frames(count: int, height: int = 20, width: int = 30) -> list[Frame]:
    return [Frame(f"t {i}", np.full((height, width), i / count, np.float32)) for i in range(count)]


@pytest.mark.parametrize("total", [1, 2, 9, 10, 11, 1000])
@pytest.mark.parametrize("wanted", [1, 2, 10])
def test_as_many_steps_are_shown_as_asked_or_there_are_and_the_last_always(total: int, wanted: int) -> None:
    shown = shown_steps(total, wanted)
    assert len(shown) == min(total, wanted)
    assert max(shown) == total
    assert min(shown) >= 1


def test_the_steps_shown_are_evenly_distributed() -> None:
    assert sorted(shown_steps(1000, 4)) == [1, 334, 667, 1000]


@pytest.mark.parametrize(("total", "wanted"), [(0, 3), (3, 0)])
def test_no_step_and_no_frame_are_refused(total: int, wanted: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        shown_steps(total, wanted)


def test_the_strip_shows_every_frame_in_its_place(tmp_path: Path) -> None:
    count = MAX_ROW + 2
    strip, _ = write_trace(frames(count), tmp_path / "made")
    with Image.open(strip) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (2 * (20 + CAPTION_PX), MAX_ROW * 30)
    for i in range(count):
        row, column = divmod(i, MAX_ROW)
        assert pixels[row * (20 + CAPTION_PX) + 5, column * 30 + 5] == round(255 * i / count)


def test_the_animation_has_every_frame_and_rests_on_the_last(tmp_path: Path) -> None:
    _, animation = write_trace(frames(4), tmp_path)
    with Image.open(animation) as picture:
        assert picture.n_frames == 4
        durations = []
        for i in range(4):
            picture.seek(i)
            durations.append(picture.info["duration"])
    assert durations[:3] == [400, 400, 400]
    assert durations[3] == 2000


def test_values_outside_the_display_range_are_clipped(tmp_path: Path) -> None:
    strip, _ = write_trace([Frame("", np.array([[-3.0, 7.0]] * 4, np.float32))], tmp_path)
    with Image.open(strip) as picture:
        assert [picture.getpixel((0, 0)), picture.getpixel((1, 0))] == [0, 255]


def test_no_frames_and_frames_of_different_sizes_are_refused(tmp_path: Path) -> None:
    for wrong in ([], [*frames(1), *frames(1, height=21)]):
        with pytest.raises(ValueError, match="one size"):
            write_trace(wrong, tmp_path / "none")
    assert not (tmp_path / "none").exists()
