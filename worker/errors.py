"""What the worker itself raises, named for what it means for the job under way.

WorkerError
├── DeadlineExceededError   too slow: try again, within the budget
├── LeaseLostError          another worker has the job: stop, write nothing
├── AttemptsExhaustedError  the budget is spent: fail, visibly
├── ResultRejectedError     the network gave no image: fail, visibly
├── DeviceMemoryError       no memory, also for half the batch: try again later, within the budget
├── WorkerStoppedError      this worker ends: try again, elsewhere
└── SelfCheckFailedError    this worker may not work at all

`code` goes into the registry; `transient` says whether trying again can help.
"""

from __future__ import annotations


class WorkerError(Exception):
    """Root of what the worker itself raises; `code` goes into the registry."""

    code = "WORKER_ERROR"
    transient = False


class DeadlineExceededError(WorkerError):
    """The image took longer than `SOFTRAY_INFERENCE_DEADLINE_S`; noticed between two network evaluations."""

    code = "DEADLINE_EXCEEDED"
    transient = True


class LeaseLostError(WorkerError):
    """Another worker owns the job now: stop, and write nothing."""

    code = "LEASE_LOST"
    transient = True


class AttemptsExhaustedError(WorkerError):
    """Every attempt of the budget was used up without a word from the workers that made them."""

    code = "ATTEMPTS_EXHAUSTED"


class ResultRejectedError(WorkerError):
    """The network's output is not an image that may be shown (NaN, or out of any bound)."""

    code = "RESULT_REJECTED"


class DeviceMemoryError(WorkerError):
    """The device, or the machine, ran out of memory, and again with half as many images at once."""

    code = "OUT_OF_MEMORY"
    transient = True


class WorkerStoppedError(WorkerError):
    """This worker was told to stop before the image had its turn."""

    code = "WORKER_STOPPED"
    transient = True


class SelfCheckFailedError(WorkerError):
    """The golden phantom came out differently from what the model's authors shipped: this worker refuses work."""

    code = "SELF_CHECK_FAILED"
