from __future__ import annotations

import math

import pytest
import torch

from models.evaluation.nodules import APART_MM, DIAMETERS_MM, EXCESS, choose_nodules, lung_field, nodule_path
from models.training.projections import PIXEL_MM
from tests.models.evaluation.factories import chest_paths

SOFT, BONE = (paths[0] for paths in chest_paths(1))


def test_lungs_are_where_rays_meet_less_than_all_around() -> None:
    lung = lung_field(SOFT)
    height, width = SOFT.shape
    middle = height // 2
    assert lung[middle, round(0.3 * width)]
    assert lung[middle, round(0.7 * width)]
    assert not lung[middle, width // 2]  # mediastinum
    assert not lung[:, 0].any()  # air beside the patient
    assert 0.05 < float(lung.float().mean()) < 0.3


@pytest.mark.parametrize("first", range(4))
def test_nodules_lie_in_the_lung_under_bone_apart_from_each_other_each_of_another_size(first: int) -> None:
    nodules = choose_nodules(SOFT, BONE, first)
    lung = lung_field(SOFT)
    assert [nodule.diameter_mm for nodule in nodules] == [DIAMETERS_MM[(first + i) % 4] for i in range(4)]
    rows, columns = torch.meshgrid(torch.arange(SOFT.shape[0]), torch.arange(SOFT.shape[1]), indexing="ij")
    for nodule in nodules:
        inside = torch.hypot((rows - nodule.row).float(), (columns - nodule.column).float()) <= nodule.radius
        assert lung[inside].all()
        assert nodule.bone_cm == pytest.approx(0.8)
    apart = [math.hypot(a.row - b.row, a.column - b.column) * PIXEL_MM for a in nodules for b in nodules if a is not b]
    assert min(apart) > APART_MM
    assert choose_nodules(SOFT, BONE, first) == nodules


def test_a_nodule_adds_the_volume_of_its_sphere() -> None:
    [nodule, *_] = choose_nodules(SOFT, BONE, 3)
    path = nodule_path((nodule,), (SOFT.shape[0], SOFT.shape[1]))
    radius_cm = nodule.diameter_mm / 20
    assert float(path.sum()) * (PIXEL_MM / 10) ** 2 == pytest.approx(EXCESS * 4 / 3 * math.pi * radius_cm**3, rel=0.02)
    assert float(path.max()) == pytest.approx(EXCESS * 2 * radius_cm, rel=0.01)


def test_where_no_lung_has_room_there_is_no_nodule() -> None:
    assert choose_nodules(torch.full((64, 64), 10.0), torch.ones(64, 64), 0) == ()
