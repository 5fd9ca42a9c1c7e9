from __future__ import annotations

import threading

import pytest

from models.training.engine.prefetch import drawn_ahead


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_the_order_of_their_steps(workers: int) -> None:
    assert list(drawn_ahead(lambda step: step * step, range(3, 20), workers)) == [s * s for s in range(3, 20)]


def test_drawing_is_ahead_of_the_step_by_a_bounded_number_of_batches() -> None:
    drawn: list[int] = []
    lock = threading.Lock()

    def draw(step: int) -> int:
        with lock:
            drawn.append(step)
        return step

    batches = drawn_ahead(draw, range(100), workers=2)
    assert next(batches) == 0
    batches.close()
    assert len(drawn) <= 4


def test_what_a_draw_raises_reaches_the_training() -> None:
    def draw(step: int) -> int:
        raise OSError(f"no pair at step {step}")

    with pytest.raises(OSError, match="step 0"):
        list(drawn_ahead(draw, range(5), workers=2))
