"""What a radiologist reads for each reason why an image has no companion: the meanings of the refusal's codes.

The gate and the pixel guards name a reason in capitals; that name is the code's value. A reason without a sentence here
is spelt out of its own name.
"""

from __future__ import annotations

import re

from dicom_node.codes import PRIVATE_SCHEME, Code
from dicom_node.errors import DerivationError

MAX_MEANING = 64  # characters of an LO
_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

_MEANINGS = {
    "HEADER_UNREADABLE": "The image's header could not be read",
    "IDENTIFIER_MISSING": "The image lacks a valid identifier",
    "SOP_CLASS_NOT_ACCEPTED": "Not a CR or DX image",
    "FOR_PROCESSING_NOT_ACCEPTED": "An unprocessed image (For Processing)",
    "MODALITY_NOT_ACCEPTED": "Not of modality CR or DX",
    "SECONDARY_CAPTURE": "A secondary capture, not an acquisition",
    "ALREADY_PROCESSED": "Bone is suppressed in this image already",
    "SECONDARY_IMAGE": "A secondary image, not the primary radiograph",
    "DUAL_ENERGY": "Already a soft tissue or bone image",
    "LOCALIZER_OR_STITCHED": "A localizer or stitched image",
    "QUALITY_CONTROL_IMAGE": "A quality control image",
    "VETERINARY": "Not a human patient",
    "MATRIX_TOO_SMALL": "Too few pixels for a diagnostic radiograph",
    "NOT_CHEST": "Not a chest radiograph",
    "BODY_PART_UNKNOWN": "The body part is not known",
    "VIEW_NOT_FRONTAL": "Not a frontal view",
    "VIEW_NOT_ACCEPTED": "A view that this site does not process",
    "VIEW_CONTRADICTED": "The header contradicts itself about the view",
    "VIEW_UNKNOWN": "The view is not known",
    "NOT_UPRIGHT": "The image is not upright",
    "BELOW_MINIMUM_AGE": "The patient is younger than the site's limit",
    "ABOVE_MAXIMUM_AGE": "The patient is older than the site's limit",
    "AGE_UNKNOWN": "The patient's age is not known",
    "ATTRIBUTE_MISSING": "The image's header is incomplete",
    "ATTRIBUTE_INVALID": "The image's header is not valid",
    "NOT_GRAYSCALE": "Not a grayscale image",
    "MULTI_FRAME": "More than one frame",
    "BIT_DEPTH_NOT_SUPPORTED": "Not of 10 to 16 bits a pixel",
    "HIGH_BIT_NOT_SUPPORTED": "A retired packing of pixels",
    "MATRIX_TOO_LARGE": "Too many pixels for a radiograph",
    "TRANSFER_SYNTAX_NOT_SUPPORTED": "A compression that cannot be read here",
    "PIXEL_DATA_MISSING": "The image has no pixels",
    "PIXEL_DATA_TRUNCATED": "The image's pixels are incomplete",
    "FRAME_MISMATCH": "The image's pixels do not fit its header",
    "DECODE_FAILED": "The image's pixels could not be decoded",
    "MODALITY_TRANSFORM_INVALID": "The image's grey scale is not valid",
    "NO_CONTRAST": "The image shows nothing",
    "POLARITY_SUSPECT": "The image looks inverted",
    "IMAGE_EMPTY": "An exposure without a patient",
    "IMAGE_NOT_CHEST": "The picture shows no chest",
    "IMAGE_NOT_FRONTAL": "The picture shows a chest from the side",
    "IMAGE_NOT_UPRIGHT": "The picture shows a chest that is not upright",
    "IMAGE_UNSURE": "It is not certain that this is a frontal chest image",
}


def reason_code(reason: str) -> Code:
    """The coded concept of a reason such as NOT_CHEST; DerivationError when it is no such name."""
    if not _REASON.fullmatch(reason):
        raise DerivationError("REASON_INVALID", "expected a reason in capitals, digits and underscores, found another")
    spelt = reason.replace("_", " ").capitalize()
    return Code(reason, PRIVATE_SCHEME, _MEANINGS.get(reason, spelt)[:MAX_MEANING].strip())
