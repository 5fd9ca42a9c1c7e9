"""When a result that was computed again counts as the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.registry.receipt_facts import ReceiptFacts
from worker.replay_verdict import Comparison, Verdict, changed_environment, compare

SOURCE = np.full((8, 8), 1000, np.uint16)
BEFORE = np.full((8, 8), 900, np.uint16)
FACTS = ReceiptFacts(
    source_sha256="11" * 32,
    model_name="residual-unet",
    model_version="1",
    model_sha256="ab" * 32,
    architecture="residual-unet",
    preset="fast",
    sampler="one-pass",
    steps=1,
    seed=0,
    seeds=1,
    parameters="lines=1",
    precision="float32",
    device="cpu",
    service_version="0.1.0",
    libraries="python 3.11.7, torch 2.5.1",
    inference_s=1.0,
    storing_s=0.1,
)


def against(now: np.ndarray, *environment: str, on_cpu: bool = True) -> Comparison:
    return compare(SOURCE, BEFORE, now, environment, on_cpu=on_cpu, tolerance=0.02)


def with_one_pixel(value: int) -> np.ndarray:
    changed = BEFORE.copy()
    changed[3, 4] = value
    return changed


def test_the_same_pixels_are_identical_wherever_they_were_computed() -> None:
    for found in (against(BEFORE.copy()), against(BEFORE.copy(), "device: cpu, now cuda", on_cpu=False)):
        assert (found.verdict, found.differing_pixels, found.deviation) == (Verdict.IDENTICAL, 0, 0.0)


def test_on_the_same_cpu_environment_one_bit_makes_another_result() -> None:
    found = against(with_one_pixel(901))
    assert (found.verdict, found.differing_pixels, found.largest_difference) == (Verdict.DIFFERENT, 1, 1)
    assert found.bits_owed


@pytest.mark.parametrize(("environment", "on_cpu"), [(("torch: 2.5, now 2.6",), True), ((), False)])
def test_elsewhere_a_small_deviation_is_within_tolerance_and_a_large_one_is_not(
    environment: tuple[str, ...], on_cpu: bool
) -> None:
    near = against(with_one_pixel(905), *environment, on_cpu=on_cpu)  # 5 of 100 at one pixel of 64
    assert near.verdict is Verdict.WITHIN_TOLERANCE
    assert near.deviation == pytest.approx(0.05 / 8)
    assert against(with_one_pixel(950), *environment, on_cpu=on_cpu).verdict is Verdict.DIFFERENT


def test_stored_values_are_subtracted_without_wrapping_around() -> None:
    assert against(with_one_pixel(0)).largest_difference == 900


def test_where_nothing_was_taken_away_any_difference_is_too_much() -> None:
    found = compare(BEFORE, BEFORE, with_one_pixel(901), ("torch: 2.5, now 2.6",), on_cpu=True, tolerance=0.02)
    assert found.verdict is Verdict.DIFFERENT
    assert found.deviation == float("inf")


def test_images_of_different_sizes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="one size"):
        against(np.zeros((4, 4), np.uint16))


def test_what_changed_around_the_model_is_named() -> None:
    now = replace(FACTS, device="cuda (H100)", libraries="python 3.11.7, torch 2.6.0, pyjpegls 1.5", inference_s=0.1)
    assert changed_environment(FACTS, now) == (
        "device: cpu, now cuda (H100)",
        "pyjpegls: -, now 1.5",
        "torch: 2.5.1, now 2.6.0",
    )
    assert changed_environment(FACTS, FACTS) == ()
