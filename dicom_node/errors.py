"""What can go wrong with one DICOM object, for the edges that turn it into a status or a job's reason.

    DicomNodeError
    ├── RefusedObject    answer the sender with this DIMSE status; nothing was kept
    ├── MultipartError   the body of a web request is not what its header says: answer that, keep what came whole
    ├── PixelError       this object's pixels cannot be used, today or tomorrow: fail the job with the code
    ├── ImageRefused     this picture is not what we process, whatever its header says: refuse the job with the code
    └── DerivationError  a derived object cannot truthfully be made from this source: fail the job with the code

Messages say what was expected and what was found, and never carry a patient's name, ID, dates or accession number.
"""

from __future__ import annotations

from enum import StrEnum


class PixelErrorCode(StrEnum):
    """Why an object's pixels cannot be used."""

    ATTRIBUTE_MISSING = "ATTRIBUTE_MISSING"
    ATTRIBUTE_INVALID = "ATTRIBUTE_INVALID"
    NOT_GRAYSCALE = "NOT_GRAYSCALE"
    MULTI_FRAME = "MULTI_FRAME"
    BIT_DEPTH_NOT_SUPPORTED = "BIT_DEPTH_NOT_SUPPORTED"
    HIGH_BIT_NOT_SUPPORTED = "HIGH_BIT_NOT_SUPPORTED"
    MATRIX_TOO_LARGE = "MATRIX_TOO_LARGE"
    TRANSFER_SYNTAX_NOT_SUPPORTED = "TRANSFER_SYNTAX_NOT_SUPPORTED"
    PIXEL_DATA_MISSING = "PIXEL_DATA_MISSING"
    PIXEL_DATA_TRUNCATED = "PIXEL_DATA_TRUNCATED"
    FRAME_MISMATCH = "FRAME_MISMATCH"
    DECODE_FAILED = "DECODE_FAILED"
    MODALITY_TRANSFORM_INVALID = "MODALITY_TRANSFORM_INVALID"
    NO_CONTRAST = "NO_CONTRAST"
    POLARITY_SUSPECT = "POLARITY_SUSPECT"


class ImageRefusal(StrEnum):
    """Why a picture is not processed, by what it shows."""

    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_NOT_CHEST = "IMAGE_NOT_CHEST"
    IMAGE_NOT_FRONTAL = "IMAGE_NOT_FRONTAL"
    IMAGE_NOT_UPRIGHT = "IMAGE_NOT_UPRIGHT"
    IMAGE_UNSURE = "IMAGE_UNSURE"
    POLARITY_SUSPECT = "POLARITY_SUSPECT"


class DicomNodeError(Exception):
    """Something about one DICOM object; ``code`` is the UPPER_SNAKE reason that records and operators see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = str(code)
        self.message = message


class RefusedObject(DicomNodeError):  # noqa: N818 - named for what the edge does with it
    """The object is answered with ``dimse_status`` (PS3.4 B.2.3) and not kept."""

    def __init__(self, code: str, message: str, dimse_status: int) -> None:
        super().__init__(code, message)
        self.dimse_status = dimse_status


class MultipartError(DicomNodeError):
    """The body is not a whole multipart/related message, or larger than allowed; parts given before it are whole."""


class PixelError(DicomNodeError):
    """The pixels cannot be used; trying again gives the same answer."""

    def __init__(self, code: PixelErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.pixel_code = code


class ImageRefused(DicomNodeError):  # noqa: N818 - named for what the edge does with it
    """The picture itself is not what we process; looking again gives the same answer."""

    def __init__(self, code: ImageRefusal, message: str) -> None:
        super().__init__(code, message)
        self.refusal = code


class DerivationError(DicomNodeError):
    """No truthful derived object can be made from this source and these pixels."""
