from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.engine.settings import (
    EngineSettings,
    OptimiserSettings,
    Precision,
    Schedule,
    engine_settings,
    rate,
)


def read(training: dict[str, object], optimiser: dict[str, object]) -> EngineSettings:
    return engine_settings(JsonFields(training, "training"), JsonFields(optimiser, "optimiser"), seed=1)


def test_the_rate_warms_up_and_falls_along_half_a_cosine() -> None:
    settings = OptimiserSettings(warm_up=10)
    rates = [rate(step, 100, settings) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates.index(max(rates)) in (9, 10)
    assert rates[55] == pytest.approx(0.01 + 0.99 * 0.5 * (1 - 0.1564), abs=1e-3)  # cos 99°
    assert rates[100] == pytest.approx(0.01)


def test_the_rate_falls_at_each_milestone() -> None:
    settings = OptimiserSettings(schedule=Schedule.MULTISTEP, warm_up=0, milestones=(0.5, 0.8), factor=0.1)
    assert [rate(step, 10, settings) for step in (0, 4, 5, 7, 8, 10)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


@given(
    step=st.integers(0, 1000),
    steps=st.integers(1, 1000),
    warm_up=st.integers(0, 200),
    schedule=st.sampled_from(Schedule),
)
def test_the_rate_never_leaves_zero_to_one(step: int, steps: int, warm_up: int, schedule: Schedule) -> None:
    assert 0 < rate(step, steps, OptimiserSettings(warm_up=warm_up, schedule=schedule)) <= 1


def test_a_network_has_the_shared_settings_where_it_has_none_of_its_own() -> None:
    optimiser = {"learning_rate": 1e-4, "clip": 2.0, "discriminator": {"learning_rate": 5e-4, "betas": [0.5, 0.9]}}
    settings = read({"steps": 10, "precision": "bfloat16", "micro_batch": 2}, optimiser)
    assert settings.precision is Precision.BFLOAT16
    assert settings.micro_batch == 2
    assert settings.of("unet") == OptimiserSettings(learning_rate=1e-4, clip=2.0)
    assert settings.of("discriminator") == OptimiserSettings(learning_rate=5e-4, clip=2.0, betas=(0.5, 0.9))


@pytest.mark.parametrize(
    ("training", "optimiser", "message"),
    [
        ({}, {}, "'steps' is missing"),
        ({"steps": 0}, {}, "'steps' must be a whole number"),
        ({"steps": 5, "precision": "float16"}, {}, "auto, float32, bfloat16"),
        ({"steps": 5}, {"learning_rat": 1e-3}, "unknown fields learning_rat"),
        ({"steps": 5}, {"schedule": "linear"}, "cosine, multistep, constant"),
        ({"steps": 5}, {"betas": [0.9]}, "two numbers"),
        ({"steps": 5}, {"critic": {"learning_rate": -1.0}}, "optimiser.critic: field 'learning_rate'"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    training: dict[str, object], optimiser: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read(training, optimiser)
