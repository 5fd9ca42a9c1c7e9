"""The gate's second half: may this picture be processed, by what it shows and what its header left open?

The header gate (dicom_node.eligibility) goes first. An empty or inverted picture is refused always, one that plainly is
no frontal chest unless the site wants it only noted. What the header left open, the picture must confirm.
"""

from __future__ import annotations

from dataclasses import dataclass

from dicom_node.eligibility import EligibilityPolicy, Eligible
from dicom_node.errors import ImageRefusal, ImageRefused
from dicom_node.image_check import CONFIRMED_FROM, ImageKind, ImageVerdict, check_image
from dicom_node.pixels import SourceImage

IMAGE_CONFIRMED = "IMAGE_CONFIRMED"
IMAGE_MIRRORED = "IMAGE_MIRRORED"

ALWAYS = {
    ImageKind.EMPTY_EXPOSURE: ImageRefusal.IMAGE_EMPTY,
    ImageKind.INVERTED_POLARITY: ImageRefusal.POLARITY_SUSPECT,
}
OTHERWISE = {
    ImageKind.NOT_CHEST: ImageRefusal.IMAGE_NOT_CHEST,
    ImageKind.LATERAL_CHEST: ImageRefusal.IMAGE_NOT_FRONTAL,
    ImageKind.TURNED: ImageRefusal.IMAGE_NOT_UPRIGHT,
    ImageKind.UNSURE: ImageRefusal.IMAGE_UNSURE,
}
FOUND = {
    ImageKind.EMPTY_EXPOSURE: "an exposure without a patient",
    ImageKind.INVERTED_POLARITY: "a picture that looks inverted",
    ImageKind.NOT_CHEST: "a picture of something else",
    ImageKind.LATERAL_CHEST: "a picture of a chest from the side",
    ImageKind.TURNED: "a chest that lies on its side or head",
    ImageKind.UNSURE: "a picture that may be one or not",
}


@dataclass(frozen=True)
class ImageGate:
    """What the header gate left to the picture of one object, and what the site wants."""

    verdict: Eligible
    policy: EligibilityPolicy

    def require_processable(self, source: SourceImage) -> tuple[str, ...]:
        """Notes of what stood out in the picture. Raises ImageRefused when it may not be processed."""
        return require_processable(source, self.verdict, self.policy)


def require_processable(source: SourceImage, verdict: Eligible, policy: EligibilityPolicy) -> tuple[str, ...]:
    """Notes of what stood out in the picture. Raises ImageRefused when it may not be processed."""
    return require_shown(check_image(source.display, source.valid), verdict, policy)


def require_shown(image: ImageVerdict, verdict: Eligible, policy: EligibilityPolicy) -> tuple[str, ...]:
    """As `require_processable`, for a picture that was looked at already."""
    asked = bool(verdict.open_questions)
    otherwise = OTHERWISE.get(image.kind)
    refusal = ALWAYS.get(image.kind)
    if asked or (policy.refuse_by_image and image.kind is not ImageKind.UNSURE):
        refusal = refusal or otherwise
    if refusal is not None:
        raise ImageRefused(refusal, _detail(image, verdict))
    notes = [IMAGE_CONFIRMED] if asked else []
    if image.kind is ImageKind.MIRRORED:
        notes.append(IMAGE_MIRRORED)
    if otherwise is not None:
        notes.append(str(otherwise))
    return tuple(notes)


def _detail(image: ImageVerdict, verdict: Eligible) -> str:
    scores = image.scores
    sentence = f"expected a frontal chest, found {FOUND[image.kind]} (frontal {scores.frontal:.2f}, polarity "
    sentence += f"{scores.polarity:+.2f}, structure {scores.structure:.2f})"
    if verdict.open_questions:
        questions = ", ".join(sorted(verdict.open_questions))
        sentence += f"; the header leaves open: {questions}, so the picture must reach {CONFIRMED_FROM:.2f}"
    return sentence
