"""What can end a training, named for what the caller must do: see the message, which says what was found."""

from __future__ import annotations

from enum import StrEnum

from models.errors import ModelsError


class TrainingFault(StrEnum):
    """Why a training cannot begin or go on."""

    LOSS_NOT_FINITE = "LOSS_NOT_FINITE"  # NaN or infinity; the last checkpoint is still good
    OUT_OF_MEMORY = "OUT_OF_MEMORY"  # also with half the micro-batch
    CHECKPOINT_MISMATCH = "CHECKPOINT_MISMATCH"  # of another size, network or kind
    CHECKPOINT_UNREADABLE = "CHECKPOINT_UNREADABLE"  # not a checkpoint of this trainer
    RUN_DIFFERS = "RUN_DIFFERS"  # the run folder holds a training with another configuration or other data
    RUN_MISSING = "RUN_MISSING"  # nothing to resume, export or use as autoencoder
    DICOM_PAIRS = "DICOM_PAIRS"  # a folder that `softray data prepare` has to turn into pairs first
    NO_TRAINING_PAIRS = "NO_TRAINING_PAIRS"  # every pair fell into validation or test
    NOT_A_MODEL = "NOT_A_MODEL"  # what was trained is part of a model, not one


class TrainingError(ModelsError):
    """A training that cannot begin or go on."""

    def __init__(self, fault: TrainingFault, message: str) -> None:
        super().__init__(fault, message)
