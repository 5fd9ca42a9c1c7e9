from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.batches import Mixture
from models.training.config import load_config
from models.training.kinds import make_objective
from models.training.objectives.bs_diff_enhancer import EnhancerObjective
from models.training.objectives.bs_diff_settings import EnhancerSettings, read_settings
from tests.models.training.objectives.bs_diff_factories import denoiser_table, first_stage
from tests.models.training.objectives.factories import phantom_task

CONFIGS = [
    ("peer", "peer-gusarev"),
    ("peer", "peer-resnet-bs"),
    ("peer", "peer-mca-net"),
    ("bsdiff", "bsdiff-denoiser"),
]


@pytest.mark.parametrize(("kind", "name"), CONFIGS)
def test_a_shipped_configuration_can_be_trained(kind: str, name: str) -> None:
    config = load_config(kind, Path(name), ["data.pairs=pairs"])
    task = phantom_task(image_size=config.data.image_size, side=config.data.side)
    objective = make_objective(kind, config.own, task)
    assert set(config.engine.optimisers) <= set(objective.networks)
    if kind == "peer":
        model = objective.model(objective.networks)
        assert model is not None
        assert (model.architecture, model.config["image_size"]) == (name, 256)


def test_the_shipped_second_stage_fits_the_shipped_first() -> None:
    config = load_config("bsdiff", Path("bsdiff-enhancer"), ["data.pairs=pairs"])
    settings = read_settings(config.own)
    assert isinstance(settings, EnhancerSettings)
    assert settings.denoiser == Path("runs/bsdiff-denoiser")  # where `softray train bsdiff bsdiff-denoiser` puts it
    task = phantom_task(image_size=config.data.image_size, side=config.data.side)
    objective = EnhancerObjective(settings, task, first_stage())
    assert set(config.engine.optimisers) <= set(objective.networks)


@pytest.mark.parametrize(("kind", "table"), [("peer", {"architecture": "peer-gusarev"}), ("bsdiff", denoiser_table())])
def test_images_whose_bone_is_known_in_part_are_refused(kind: str, table: dict[str, object]) -> None:
    task = phantom_task(mixture=Mixture(pairs=2, projections=0, overlays=0, differences=1))
    with pytest.raises(ConfigError, match="expected no differences, found 1"):
        make_objective(kind, JsonFields(table, kind), task)
