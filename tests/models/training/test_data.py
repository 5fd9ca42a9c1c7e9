from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.training.data import letterboxed, read_pairs, read_radiographs, trust


def test_pairs_are_matched_by_file_name(tmp_path: Path) -> None:
    for folder, value in (("cxr", 200), ("soft_tissue", 100)):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        for offset, name in enumerate(("b", "a")):
            Image.fromarray(np.full((8, 8), value + offset, np.uint8)).save(tmp_path / "pairs" / folder / f"{name}.png")
    first, second = read_pairs(tmp_path)
    assert (first.name, second.name) == ("a", "b")
    assert np.allclose(first.cxr * 255, 201)
    assert np.allclose(second.soft * 255, 100)


def test_radiographs_are_fitted_into_the_square(tmp_path: Path) -> None:
    (tmp_path / "radiographs" / "site").mkdir(parents=True)
    Image.fromarray(np.full((40, 80), 255, np.uint8)).save(tmp_path / "radiographs" / "site" / "one.png")
    images = read_radiographs(tmp_path, size=32)
    assert images.shape == (1, 1, 32, 32)
    torch.testing.assert_close(images[0, 0, 8:24], torch.ones(16, 32))
    assert float(images[0, 0, :8].max()) == 0


def test_a_square_image_fills_the_square() -> None:
    image = torch.rand((1, 1, 16, 16))
    torch.testing.assert_close(letterboxed(image, 16), image)


def test_what_moved_between_the_exposures_is_not_trusted() -> None:
    generator = torch.Generator().manual_seed(1)
    texture = torch.nn.functional.avg_pool2d(torch.rand((1, 1, 132, 132), generator=generator), 5, stride=1)
    soft = texture.clone()
    soft[..., 96:, :] = soft[..., 96:, :].roll(7, dims=-1)
    trusted = trust(texture, texture - soft)[0, 0]
    assert float(trusted[:64].min()) > 0.95
    assert float(trusted[112:].mean()) < 0.2
