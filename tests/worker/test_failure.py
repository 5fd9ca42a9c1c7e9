"""What a failure means for a job."""

from __future__ import annotations

import pytest

from dicom_node.errors import PixelError, PixelErrorCode
from models.errors import WeightsError, WeightsFault
from service.errors import PermanentError, StoreFullError
from worker.errors import DeadlineExceededError, ResultRejectedError
from worker.failure import classify


@pytest.mark.parametrize(
    ("error", "code", "transient"),
    [
        (StoreFullError("DISK_LOW", "expected room"), "DISK_LOW", True),
        (PermanentError("STORED_FILE_ALTERED", "digest"), "STORED_FILE_ALTERED", False),
        (DeadlineExceededError("late"), "DEADLINE_EXCEEDED", True),
        (ResultRejectedError("NaN"), "RESULT_REJECTED", False),
        (MemoryError(), "OUT_OF_MEMORY", True),
    ],
)
def test_each_error_has_its_code_and_says_whether_trying_again_can_help(
    error: Exception, code: str, transient: bool
) -> None:
    failure = classify(error)
    assert (failure.code, failure.transient) == (code, transient)


def test_a_foreign_error_is_named_by_its_type_and_never_by_its_message() -> None:
    failure = classify(KeyError("DOE^JANE"))
    assert failure.code == "UNEXPECTED"
    assert "DOE" not in failure.detail


def test_pixels_and_weights_that_cannot_be_read_stay_so() -> None:
    pixels = classify(PixelError(PixelErrorCode.DECODE_FAILED, "expected a whole frame"))
    weights = classify(WeightsError(WeightsFault.ALTERED, "expected another digest"))
    assert (pixels.code, pixels.transient) == ("DECODE_FAILED", False)
    assert (weights.code, weights.transient) == ("WEIGHTS_ALTERED", False)
