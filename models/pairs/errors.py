"""What can be wrong with pairs: the faults of a folder, and the reasons for which a single pair is refused.

PairDataError belongs to the tree in `models.errors`; its code is one of PairFault.
"""

from __future__ import annotations

from enum import StrEnum

from models.errors import ModelsError


class PairFault(StrEnum):
    """What is wrong."""

    # with a folder or with what was asked
    EMPTY_FOLDER = "EMPTY_FOLDER"  # no folder, or one without any pair
    PAIR_MISSING = "PAIR_MISSING"  # a radiograph without its soft-tissue image, or the other way round
    PAIRS_FILE_INVALID = "PAIRS_FILE_INVALID"  # pairs.json is not what `data prepare` writes
    PAIR_ALTERED = "PAIR_ALTERED"  # a picture is not the one that pairs.json records
    TARGET_NOT_OURS = "TARGET_NOT_OURS"  # the folder to write holds something else
    TARGET_NOT_WRITTEN = "TARGET_NOT_WRITTEN"  # disk full, no permission, a name that the file system does not take
    OPTION_INVALID = "OPTION_INVALID"  # a ratio, size, limit or pattern that cannot be
    # with one picture
    NOT_READABLE = "NOT_READABLE"  # damaged, or not a picture at all
    NOT_GREY = "NOT_GREY"  # colour, or more than 16 bits
    NOT_FINITE = "NOT_FINITE"  # NaN or infinity among the pixels
    NO_CONTRAST = "NO_CONTRAST"  # a single grey
    TOO_SMALL = "TOO_SMALL"  # too few pixels to judge or register
    RAW_SIZE_WRONG = "RAW_SIZE_WRONG"  # a JSRT raw file of another length
    RAW_DEPTH_WRONG = "RAW_DEPTH_WRONG"  # a JSRT raw file with values beyond 12 bits
    # with two pictures together
    PAIR_SIZES_DIFFER = "PAIR_SIZES_DIFFER"
    PAIR_IDENTICAL = "PAIR_IDENTICAL"  # no bone was taken away
    PAIR_UNRELATED = "PAIR_UNRELATED"  # not of the same exposure
    PAIR_AMBIGUOUS = "PAIR_AMBIGUOUS"  # more than one candidate
    POLARITY_UNSURE = "POLARITY_UNSURE"  # neither bone bright nor bone dark can be told
    PATIENT_UNKNOWN = "PATIENT_UNKNOWN"  # the name does not tell the patient as it was said to
    MOVED_TOO_FAR = "MOVED_TOO_FAR"  # registration ended outside its limits


class PairDataError(ModelsError):
    """A folder, picture or pair that cannot be used as it is."""

    def __init__(self, code: PairFault, message: str) -> None:
        super().__init__(code, message)
