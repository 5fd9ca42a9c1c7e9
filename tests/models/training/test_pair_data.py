from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import ConfigError
from models.metrics import fit
from models.pairs.errors import PairDataError
from models.training.config import DataSettings, parse_config
from models.training.data import Pair
from models.training.errors import TrainingError, TrainingFault
from models.training.lungs import lung_mask
from models.training.pair_data import pair_planes, read_all, read_run_data

from .folders import SIDE, pair_folder, phantom, residual_unet_table


def settings(pairs: Path) -> DataSettings:
    return parse_config("residual-unet", residual_unet_table(pairs)).data


def test_a_folder_is_split_by_patient_and_its_pairs_become_radiograph_residual_trust_and_lungs(tmp_path: Path) -> None:
    data = read_run_data(settings(pair_folder(tmp_path / "pairs")), 1, tmp_path / "cache")
    assert data.counts == "1 train, 1 validation, 1 test"
    assert data.training.pairs.shape == (1, 4, SIDE, SIDE)
    assert data.training.pairs.dtype == torch.float32
    trained = {path.stem for path in (tmp_path / "pairs/cxr").iterdir()} - {file.name for file in data.validation}
    kept = [int(name.removeprefix("patient")) for name in trained]
    cxr = data.training.pairs[0, 0].numpy()
    assert any(np.allclose(cxr, phantom(30 + index).radiograph, atol=1e-4) for index in kept)
    assert torch.equal(data.training.pairs[:, 3:], lung_mask(data.training.pairs[:, :1]))
    assert torch.equal(data.training.radiographs, data.training.pairs[:, [0, 3]])


def test_the_split_depends_on_the_seed_and_on_nothing_else(tmp_path: Path) -> None:
    folder = settings(pair_folder(tmp_path / "pairs", count=6))
    splits = [[file.name for file in read_run_data(folder, seed, tmp_path / "cache").validation] for seed in range(4)]
    again = [[file.name for file in read_run_data(folder, seed, tmp_path / "cache").validation] for seed in range(4)]
    assert splits == again
    assert len({tuple(names) for names in splits}) > 1


def test_the_residual_is_in_the_radiographs_own_tone() -> None:
    one = phantom(30)
    toned = (0.2 + 0.6 * one.soft_tissue).astype(np.float32)
    planes = pair_planes(Pair("p", one.radiograph, toned), SIDE)
    expected = one.radiograph - fit(toned, one.radiograph)
    np.testing.assert_allclose(planes[1].numpy(), expected, atol=1e-5)
    assert planes[2].min() >= 0
    assert planes[2].max() <= 1


def test_a_picture_that_is_not_square_is_placed_in_a_black_square() -> None:
    one = phantom(30)
    planes = pair_planes(Pair("p", one.radiograph[:, 16:48], one.soft_tissue[:, 16:48]), 128)
    assert planes.shape == (4, 128, 128)
    assert planes[:2, :, :30].abs().max() == 0
    assert planes[0, :, 40:88].max() > 0.2


def test_prepared_pairs_are_read_back_from_the_cache_and_made_anew_when_it_is_cut(tmp_path: Path) -> None:
    folder, cache = settings(pair_folder(tmp_path / "pairs")), tmp_path / "cache"
    first = read_run_data(folder, 1, cache).training.pairs.clone()
    file = next(cache.glob("pairs-*.f32"))
    written = file.stat().st_mtime_ns
    assert torch.equal(read_run_data(folder, 1, cache).training.pairs, first)
    assert file.stat().st_mtime_ns == written
    file.write_bytes(b"cut")
    assert torch.equal(read_run_data(folder, 1, cache).training.pairs, first)


def test_other_pictures_are_other_data(tmp_path: Path) -> None:
    folder = pair_folder(tmp_path / "pairs")
    before = read_run_data(settings(folder), 1, tmp_path / "cache").digest
    Image.fromarray(np.full((SIDE, SIDE), 9, np.uint16)).save(folder / "soft_tissue/patient1.png")
    assert read_run_data(settings(folder), 1, tmp_path / "cache").digest != before


def test_unpaired_radiographs_and_phantoms_join_the_pairs(tmp_path: Path) -> None:
    pairs = pair_folder(tmp_path / "pairs")
    (tmp_path / "more/site").mkdir(parents=True)
    Image.fromarray(np.full((40, 60), 128, np.uint8)).save(tmp_path / "more/site/a.jpg")
    given = replace(settings(pairs), radiographs=tmp_path / "more", phantoms=1)
    data = read_run_data(given, 1, tmp_path / "cache").training
    assert data.radiographs.shape == (1, 2, SIDE, SIDE)
    assert data.radiographs[:, 0].max() == pytest.approx(0.5, abs=0.02)
    assert data.phantoms.shape == (1, 3, 60, 60)  # 480 px of 512, at 64
    assert data.phantoms[:, 1].max() > 0.2
    assert torch.equal(data.projections, data.phantoms)
    assert torch.equal(read_run_data(given, 1, tmp_path / "cache").training.phantoms, data.phantoms)


def test_pairs_are_read_in_full_depth(tmp_path: Path) -> None:
    data = read_run_data(settings(pair_folder(tmp_path / "pairs")), 1, tmp_path / "cache")
    pair = next(read_all(data.validation))
    index = int(pair.name.removeprefix("patient"))
    assert np.abs(pair.cxr - phantom(30 + index).radiograph).max() < 1 / 65535


@pytest.mark.parametrize("name", ["image.dcm", "IM0001"])
def test_a_folder_of_dicom_files_is_pointed_to_data_prepare(name: str, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / name).write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(TrainingError, match="softray data prepare") as caught:
        read_run_data(settings(tmp_path), 1, tmp_path / "cache")
    assert caught.value.code == TrainingFault.DICOM_PAIRS


def test_an_empty_folder_a_missing_projection_file_and_a_folder_without_radiographs_are_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PairDataError, match="found none"):
        read_run_data(settings(tmp_path / "empty"), 1, tmp_path / "cache")
    given = settings(pair_folder(tmp_path / "pairs"))
    with pytest.raises(ConfigError, match="softray train project"):
        read_run_data(replace(given, projections=tmp_path / "none.npz"), 1, tmp_path / "cache")
    with pytest.raises(ConfigError, match=r"data\.radiographs"):
        read_run_data(replace(given, radiographs=tmp_path / "empty"), 1, tmp_path / "cache")
