from __future__ import annotations

import pickle

import pytest

from service.errors import (
    ConfigurationError,
    PermanentError,
    RegistryUnavailableError,
    SoftrayError,
    StoreFullError,
    TransientError,
)


def test_errors_are_told_apart_by_what_to_do() -> None:
    assert issubclass(StoreFullError, TransientError)
    assert issubclass(RegistryUnavailableError, TransientError)
    assert issubclass(ConfigurationError, PermanentError)
    assert not issubclass(TransientError, PermanentError)


@pytest.mark.parametrize("kind", [SoftrayError, StoreFullError, ConfigurationError])
def test_an_error_carries_its_reason_code_even_across_processes(kind: type[SoftrayError]) -> None:
    error = pickle.loads(pickle.dumps(kind("DISK_LOW", "expected 2 GB, found 1 GB")))
    assert type(error) is kind
    assert (error.code, error.message) == ("DISK_LOW", "expected 2 GB, found 1 GB")
    assert str(error) == "DISK_LOW: expected 2 GB, found 1 GB"
