from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.bs_diff.autoencoder import AutoencoderConfig
from models.bs_diff.config import BsDiffConfig, Condition, autoencoder_from_json, unet_from_json
from models.bs_diff.unet import UNetConfig
from models.errors import ConfigError
from models.json_fields import JsonFields
from models.schedules import Prediction
from tests.models.bs_diff.factories import CONFIG


def as_json(**overrides: object) -> dict[str, object]:
    value: dict[str, object] = json.loads(json.dumps(CONFIG.to_json()))
    return value | overrides


def part(name: str, **overrides: object) -> dict[str, object]:
    value = as_json()[name]
    assert isinstance(value, dict)
    return value | overrides


def test_a_configuration_survives_the_way_through_json() -> None:
    assert BsDiffConfig.from_json(as_json()) == CONFIG


def test_the_published_configuration_is_the_default() -> None:
    config = BsDiffConfig()
    assert (config.image_size, config.prediction, config.condition) == (256, Prediction.EPSILON, Condition.CLEAN)
    assert config.unet.stride == 16
    assert config.autoencoder.stride == 4


def test_the_published_field_names_are_read(shared: Path) -> None:
    recorded = json.loads((shared / "parity" / "bsdiff_config.json").read_text())
    unet = unet_from_json(JsonFields(recorded["unet"], "unet"))
    assert unet == UNetConfig(num_channels=(32, 64, 64), attention_levels=(False, True, True),
                              num_head_channels=(0, 64, 64))  # fmt: skip
    autoencoder = autoencoder_from_json(JsonFields(recorded["autoencoder"], "autoencoder"))
    assert autoencoder == AutoencoderConfig(num_channels=(32, 64, 96))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"image_size": 33}, "multiple"),
        ({"image_size": "32"}, "image_size"),
        ({"prediction": "noise"}, "prediction"),
        ({"condition": "scaled"}, "clean, noised"),
        ({"timesteps": 500}, "timesteps"),
        ({"surprise": 1}, "surprise"),
        ({"unet": {}}, "in_channels"),
        ({"unet": 3}, "object"),
        ({"unet": part("unet", attention_levels=[0, 1])}, "true and false"),
        ({"unet": part("unet", in_channels=1)}, "in_channels"),
        ({"autoencoder": part("autoencoder", attention_levels="yes")}, "true and false"),
        ({"autoencoder": part("autoencoder", surprise=1)}, "surprise"),
    ],
)
def test_a_wrong_field_is_named(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BsDiffConfig.from_json(as_json(**overrides))
