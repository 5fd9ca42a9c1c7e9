from __future__ import annotations

import json

import pytest

from models.bs_ldm.config import BsLdmConfig, Condition, Target, unet_from_json
from models.bs_ldm.unet import AttentionOrder
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.schedules import Prediction
from tests.models.bs_ldm.factories import CONFIG


def as_json(**overrides: object) -> dict[str, object]:
    value: dict[str, object] = json.loads(json.dumps(CONFIG.to_json()))
    return value | overrides


def test_a_configuration_survives_the_way_through_json() -> None:
    assert BsLdmConfig.from_json(as_json()) == CONFIG


def test_the_published_configuration_is_the_default() -> None:
    config = BsLdmConfig()
    assert (config.image_size, config.latent_size) == (1024, 128)
    assert (config.prediction, config.target, config.condition) == (
        Prediction.EPSILON,
        Target.SOFT_TISSUE,
        Condition.CLEAN,
    )
    assert config.unet.attention_order is AttentionOrder.LEGACY


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"image_size": 33}, "multiple"),
        ({"image_size": "32"}, "image_size"),
        ({"prediction": "noise"}, "prediction"),
        ({"latent_scale": 0}, "latent_scale"),
        ({"timesteps": 500}, "timesteps"),
        ({"surprise": 1}, "surprise"),
        ({"unet": {}}, "in_channels"),
        ({"unet": 3}, "object"),
    ],
)
def test_a_wrong_field_is_named(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BsLdmConfig.from_json(as_json(**overrides))


def test_networks_that_do_not_fit_each_other_are_refused() -> None:
    value = as_json()
    vqgan = value["vqgan"]
    assert isinstance(vqgan, dict)
    with pytest.raises(ConfigError, match="latents of 3 channels"):
        BsLdmConfig.from_json(value | {"vqgan": vqgan | {"embedding_dim": 3}})


@pytest.mark.parametrize("field", ["resblock_updown", "use_scale_shift_norm"])
def test_a_variant_that_was_never_published_is_refused_not_ignored(field: str) -> None:
    unet = as_json()["unet"]
    assert isinstance(unet, dict)
    with pytest.raises(ConfigError, match=field):
        unet_from_json(JsonFields(unet | {field: False}, "unet"))
