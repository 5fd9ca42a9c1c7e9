"""Statuses in and out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dicom_node.errors import RefusedObject
from dicom_node.status import C_STORE_STATUSES, Outcome, comment_of, meaning_of, status_of
from service.errors import PermanentError, RegistryUnavailableError, StoreFullError, TransientError


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0000, Outcome.SENT),
        (0x0107, Outcome.SENT),
        (0x0111, Outcome.SENT),
        (0x0116, Outcome.SENT),
        (0xB000, Outcome.SENT),
        (0xB006, Outcome.SENT),
        (0xB007, Outcome.SENT),
        (0x0110, Outcome.RETRY),
        (0x0213, Outcome.RETRY),
        (0xA700, Outcome.RETRY),
        (0xA7FF, Outcome.RETRY),
        (0x0117, Outcome.REFUSED),
        (0x0122, Outcome.REFUSED),
        (0x0124, Outcome.REFUSED),
        (0xA900, Outcome.REFUSED),
        (0xC000, Outcome.REFUSED),
        (0xCFFF, Outcome.REFUSED),
        (0xD000, Outcome.REFUSED),
        (0x0211, Outcome.REFUSED),
    ],
)
def test_a_status_tells_the_sender_what_to_do(status: int, outcome: Outcome) -> None:
    assert meaning_of(status).outcome is outcome


def test_the_listed_statuses_do_not_overlap() -> None:
    ranges = sorted((known.first, known.last) for known in C_STORE_STATUSES)
    assert all(first <= last for first, last in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedObject("X", "x", 0xA900), 0xA900),
        (TransientError("QUEUE_FULL", "x"), 0xA700),
        (StoreFullError("DISK_LOW", "x"), 0xA700),
        (RegistryUnavailableError("REGISTRY_UNAVAILABLE", "x"), 0xA700),
        (PermanentError("X", "x"), 0x0110),
        (ZeroDivisionError("x"), 0x0110),
    ],
)
def test_an_error_becomes_one_status(error: Exception, status: int) -> None:
    assert status_of(error) == status


def test_an_error_comment_is_a_valid_lo_of_at_most_64_characters() -> None:
    comment = comment_of(RefusedObject("UID_MISSING", "expected StudyInstanceUID, fünd \\ \n" + "x" * 100, 0xC000))
    assert comment.startswith("UID_MISSING: expected StudyInstanceUID, f?nd ? ?")
    assert len(comment) == 64


def test_the_message_of_a_foreign_exception_stays_inside() -> None:
    assert comment_of(ValueError("Doe^Jane")) == "INTERNAL_ERROR"
