"""What can be wrong with what is to be evaluated; EvaluationError belongs to the tree in `models.errors`."""

from __future__ import annotations

from enum import StrEnum

from models.errors import ModelsError


class EvaluationFault(StrEnum):
    """What is wrong."""

    NOTHING_TO_MEASURE = "NOTHING_TO_MEASURE"  # neither pairs nor projections nor radiographs, or no method for them
    EMPTY_FOLDER = "EMPTY_FOLDER"  # no folder, or one without a single picture
    NAME_AMBIGUOUS = "NAME_AMBIGUOUS"  # two pictures of one name in a folder
    PICTURE_MISSING = "PICTURE_MISSING"  # a radiograph without its truth or prediction, or a pair asked for by name
    SIZES_DIFFER = "SIZES_DIFFER"  # radiograph, truth and prediction are not of one size
    TOO_SMALL = "TOO_SMALL"  # too few pixels for any figure
    NOT_FINITE = "NOT_FINITE"  # NaN or infinity among the pixels
    NO_BONE = "NO_BONE"  # radiograph and truth differ by tone at most
    PROJECTIONS_INVALID = "PROJECTIONS_INVALID"  # not what `project` of models.training writes
    MODEL_CHOICE_INVALID = "MODEL_CHOICE_INVALID"  # not NAME[:preset[:steps]]
    REQUIREMENT_INVALID = "REQUIREMENT_INVALID"  # not FIGURE>=NUMBER, or a figure that was not measured


class EvaluationError(ModelsError):
    """Pictures, models or requirements that cannot be evaluated as they are."""

    def __init__(self, code: EvaluationFault, message: str) -> None:
        super().__init__(code, message)
