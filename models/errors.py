"""Errors of the models package, named for what the caller must do.

ModelsError
├── ConfigError     a manifest or configuration says something impossible: correct it
├── WeightsError    the weights are missing, altered or not what they should be: reinstall or import them again
├── DeviceError     the requested device is not there: choose another
└── OutputError     the network's result cannot be used (not finite, self-check missed): refuse the work

Each carries a `code` for records and logs; its message says what was expected and what was found.
"""

from __future__ import annotations

from enum import StrEnum


class ModelsError(Exception):
    """A failure inside `models`; `code` is stable and fit for a registry row."""

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = str(code)


class WeightsFault(StrEnum):
    """What can be wrong with weights."""

    MISSING = "WEIGHTS_MISSING"  # the model, its manifest or one of its files is not there
    ALTERED = "WEIGHTS_ALTERED"  # a file's SHA-256 is not the manifest's
    FOREIGN = "WEIGHTS_FOREIGN"  # not a file of the kind expected
    TRUNCATED = "WEIGHTS_TRUNCATED"  # begins as the kind expected, ends too soon
    MISMATCH = "WEIGHTS_MISMATCH"  # tensors missing, unexpected or of another shape
    EXISTS = "WEIGHTS_EXIST"  # an import would overwrite an installed model


class WeightsError(ModelsError):
    """Weights that cannot be used as they are."""


class ConfigError(ModelsError):
    """A manifest or network configuration that cannot be."""

    def __init__(self, message: str, code: str = "MODEL_CONFIG_INVALID") -> None:
        super().__init__(code, message)


class DeviceError(ModelsError):
    """The requested device cannot be used."""

    def __init__(self, message: str, code: str = "DEVICE_UNAVAILABLE") -> None:
        super().__init__(code, message)


class OutputError(ModelsError):
    """A result that must not leave the house."""

    def __init__(self, message: str, code: str = "MODEL_OUTPUT_INVALID") -> None:
        super().__init__(code, message)
