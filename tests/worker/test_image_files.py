"""Radiographs in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicom_node.pixels import read_source
from dicom_node.radiograph import wrap_radiograph
from service.errors import PermanentError
from tests.radiographs import phantom, write
from worker.image_files import read_radiograph, write_comparison_png, write_display_png


def test_a_16_bit_png_keeps_its_14_bits_on_the_way_in_and_out(tmp_path: Path) -> None:
    write_display_png(tmp_path / "in.png", phantom(1024).radiograph)
    source = read_source(read_radiograph(tmp_path / "in.png"))
    assert np.abs(source.display - phantom(1024).radiograph).max() <= 1.5 / (2**14 - 1)
    assert len(np.unique(source.stored)) > 2**12


def test_an_8_bit_grey_png_is_taken_and_so_is_one_saved_as_colour(tmp_path: Path) -> None:
    grey = Image.fromarray((phantom(1024).radiograph * 255).astype(np.uint8))
    grey.save(tmp_path / "grey.png")
    grey.convert("RGB").save(tmp_path / "rgb.png")
    first, second = (read_source(read_radiograph(tmp_path / name)).stored for name in ("grey.png", "rgb.png"))
    assert (first == second).all()


def test_a_colour_picture_is_not_taken_for_a_radiograph(tmp_path: Path) -> None:
    colours = np.zeros((64, 64, 3), dtype=np.uint8)
    colours[..., 0] = 200
    Image.fromarray(colours).save(tmp_path / "colour.png")
    with pytest.raises(PermanentError, match="NOT_GREY"):
        read_radiograph(tmp_path / "colour.png")


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\nbroken", b"\0" * 200])
def test_anything_else_is_said_to_be_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing").write_bytes(content)
    with pytest.raises(PermanentError, match="NOT_READABLE"):
        read_radiograph(tmp_path / "thing")


def test_a_dicom_file_comes_back_as_it_is(tmp_path: Path) -> None:
    dataset = wrap_radiograph(phantom(1024).radiograph)
    assert read_radiograph(write(tmp_path / "image.dcm", dataset)) == dataset


def test_the_comparison_shows_three_panels_of_the_asked_height(tmp_path: Path) -> None:
    made = phantom(1024)
    write_comparison_png(tmp_path / "three.png", made.radiograph, made.bone, 200)
    with Image.open(tmp_path / "three.png") as picture:
        assert picture.height == 200
        assert 600 <= picture.width <= 620
