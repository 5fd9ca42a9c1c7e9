"""DIMSE statuses of C-STORE: which one an error becomes on the way in, and what one means on the way out.

PS3.4 Table B.2-1 (Storage Service Class) and PS3.7 Annex C (general statuses). An SCU reads a Warning as stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dicom_node.errors import RefusedObject
from service.errors import TransientError

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE_SOP_INSTANCE = 0x0111
INVALID_SOP_INSTANCE = 0x0117
SOP_CLASS_NOT_SUPPORTED = 0x0122
NOT_AUTHORISED = 0x0124
RESOURCE_LIMITATION = 0x0213
OUT_OF_RESOURCES = 0xA700
DATA_SET_MISMATCH = 0xA900
ELEMENTS_DISCARDED = 0xB006
CANNOT_UNDERSTAND = 0xC000
TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122  # of STOW-RS alone (PS3.18 Annex I): in an association it is negotiated

ERROR_COMMENT_LENGTH = 64  # (0000,0902) Error Comment is an LO


class Outcome(StrEnum):
    """What an SCU does after an answer: nothing more, the same again later, or call for a person."""

    SENT = "SENT"
    RETRY = "RETRY"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class StatusRange:
    """Statuses `first` to `last`, both included, mean `meaning`; `code` is what records and operators see."""

    first: int
    last: int
    code: str
    meaning: str
    outcome: Outcome


@dataclass(frozen=True)
class Answer:
    """A status that our SCP gives, in the words of the conformance statement."""

    status: int
    meaning: str
    when: str


C_STORE_ANSWERS = (
    Answer(SUCCESS, "Success", "the file and its rows are on disk; also for what is kept but not processed"),
    Answer(PROCESSING_FAILURE, "Processing failure", "softray failed in a way nobody foresaw"),
    Answer(INVALID_SOP_INSTANCE, "Invalid SOP Instance", "the Affected SOP Instance UID is no UID"),
    Answer(NOT_AUTHORISED, "Not authorised", "the caller was removed during its association"),
    Answer(
        OUT_OF_RESOURCES,
        "Refused: Out of Resources",
        "disk low, queue full, registry or store away, shutting down; send again",
    ),
    Answer(DATA_SET_MISMATCH, "Error: Data Set Does Not Match SOP Class", "the data set is of another SOP class"),
    Answer(
        CANNOT_UNDERSTAND, "Error: Cannot Understand", "the data set is unreadable, cut off, too large or has no UIDs"
    ),
)

# Read from the top: the first range that holds a status gives its meaning.
C_STORE_STATUSES = (
    StatusRange(SUCCESS, SUCCESS, "STORED", "stored", Outcome.SENT),
    StatusRange(0x0001, 0x0001, "STORED_WITH_WARNING", "stored, with a warning", Outcome.SENT),
    StatusRange(0x0107, 0x0107, "STORED_WITH_WARNING", "stored, attributes not recognised", Outcome.SENT),
    StatusRange(PROCESSING_FAILURE, PROCESSING_FAILURE, "PROCESSING_FAILURE", "processing failure", Outcome.RETRY),
    StatusRange(
        DUPLICATE_SOP_INSTANCE, DUPLICATE_SOP_INSTANCE, "ALREADY_STORED", "the peer has this instance", Outcome.SENT
    ),
    StatusRange(0x0116, 0x0116, "STORED_WITH_WARNING", "stored, attribute values out of range", Outcome.SENT),
    StatusRange(
        INVALID_SOP_INSTANCE, INVALID_SOP_INSTANCE, "INVALID_INSTANCE", "invalid SOP instance", Outcome.REFUSED
    ),
    StatusRange(
        SOP_CLASS_NOT_SUPPORTED,
        SOP_CLASS_NOT_SUPPORTED,
        "SOP_CLASS_NOT_SUPPORTED",
        "SOP class not supported",
        Outcome.REFUSED,
    ),
    StatusRange(NOT_AUTHORISED, NOT_AUTHORISED, "NOT_AUTHORISED", "not authorised", Outcome.REFUSED),
    StatusRange(RESOURCE_LIMITATION, RESOURCE_LIMITATION, "OUT_OF_RESOURCES", "resource limitation", Outcome.RETRY),
    StatusRange(OUT_OF_RESOURCES, 0xA7FF, "OUT_OF_RESOURCES", "out of resources", Outcome.RETRY),
    StatusRange(DATA_SET_MISMATCH, 0xA9FF, "DATA_SET_MISMATCH", "data set does not match SOP class", Outcome.REFUSED),
    StatusRange(0xB000, 0xBFFF, "STORED_WITH_WARNING", "stored, with a warning", Outcome.SENT),
    StatusRange(CANNOT_UNDERSTAND, 0xCFFF, "CANNOT_UNDERSTAND", "cannot understand", Outcome.REFUSED),
)
_UNKNOWN = StatusRange(0x0000, 0xFFFF, "UNKNOWN_STATUS", "a failure the Standard does not list", Outcome.REFUSED)


def meaning_of(status: int) -> StatusRange:
    """What a status that a peer answered means for the sender. A status nobody lists counts as a refusal."""
    return next((known for known in C_STORE_STATUSES if known.first <= status <= known.last), _UNKNOWN)


def status_of(error: Exception) -> int:
    """The status that answers a C-STORE which failed with `error`; 0x0110 for what nobody foresaw, never 0xC211."""
    match error:
        case RefusedObject():
            return error.dimse_status
        case TransientError():
            return OUT_OF_RESOURCES
        case _:
            return PROCESSING_FAILURE


def comment_of(error: Exception) -> str:
    """The Error Comment (0000,0902) for `error`: reason code and sentence, ASCII, cut to 64 characters.

    Only errors of ours are quoted, whose messages hold no patient data; a foreign exception may hold anything.
    """
    match error:
        case RefusedObject():
            text = f"{error.code}: {error}"
        case TransientError():
            text = str(error)
        case _:
            text = "INTERNAL_ERROR"
    printable = "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in text)
    return printable[:ERROR_COMMENT_LENGTH].rstrip()
