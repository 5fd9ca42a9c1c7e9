from __future__ import annotations

import logging

import pytest

from service.errors import RegistryUnavailableError, StoreFullError
from worker.left_to_sweep import left_to_sweep


def test_a_task_that_the_registry_left_ends_with_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), left_to_sweep("softray.infer", "job-1"):
        raise RegistryUnavailableError("REGISTRY_UNAVAILABLE", "the server closed the connection")
    [record] = caplog.records
    assert record.exc_info is None
    assert "task_left_to_sweep" in record.getMessage()


def test_any_other_error_of_a_task_is_seen() -> None:
    with pytest.raises(StoreFullError), left_to_sweep("softray.infer", "job-1"):
        raise StoreFullError("DISK_LOW", "expected space, found none")
