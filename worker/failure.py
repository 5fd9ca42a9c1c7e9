"""What a failure means for a job: the one place where exceptions become reason codes.

Every package names its own errors for what the reader must do. Here each is read once and turned into a `Failure`: a
reason code for the registry, a sentence without patient data, and whether trying again can help.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from dicom_node.errors import DicomNodeError
from models.errors import ModelsError
from service.errors import PermanentError, SoftrayError
from worker.errors import WorkerError


@dataclass(frozen=True)
class Failure:
    """One failure as the registry keeps it."""

    code: str
    detail: str
    transient: bool


def classify(error: BaseException) -> Failure:
    """The meaning of `error` for the job under way. Unknown errors count as transient: the retry budget bounds them."""
    match error:
        case WorkerError():
            return Failure(error.code, str(error), error.transient)
        case SoftrayError():
            return Failure(error.code, error.message, not isinstance(error, PermanentError))
        case DicomNodeError():
            return Failure(str(error.code), str(error), transient=False)
        case MemoryError():
            return Failure("OUT_OF_MEMORY", "the worker ran out of memory", transient=True)
        case OperationalError():
            return Failure("REGISTRY_UNAVAILABLE", "the database did not answer", transient=True)
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's, which this torch-free module cannot name
            return Failure("OUT_OF_MEMORY", "the device ran out of memory", transient=True)
        case ModelsError():
            return Failure(error.code, str(error), transient=False)
        case _:
            # The message of a foreign exception may quote header values; its type cannot.
            return Failure("UNEXPECTED", f"{type(error).__module__}.{type(error).__qualname__}", transient=True)
