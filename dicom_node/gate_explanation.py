"""Why an object is processed or not, rule by rule, as `softray gate` shows it. No value of a patient's is in it."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicom_node.eligibility import Asked, EligibilityPolicy, Eligible, Ineligible, ask_every_rule, judge
from dicom_node.errors import ImageRefused, PixelError
from dicom_node.image_check import ImageVerdict, check_image
from dicom_node.image_gate import require_shown
from dicom_node.pixels import read_source

PROCESSED = "PROCESSED"


@dataclass(frozen=True)
class Explanation:
    """One object's way through the gate.

    `code` is PROCESSED, or the reason of the refusal, and `detail` its sentence; `image` None when the pixels cannot be
    read, which `unseen` then says why.
    """

    asked: tuple[Asked, ...]
    open_questions: tuple[str, ...]
    image: ImageVerdict | None
    unseen: str
    code: str
    detail: str
    notes: tuple[str, ...]


def explain(ds: Dataset, policy: EligibilityPolicy) -> Explanation:
    """Every rule's answer, what the picture shows (also of a refused object, where it can be read), and the verdict."""
    verdict = judge(ds, policy)
    image, unreadable = _shown(ds)
    code, detail, notes = _decided(verdict, image, unreadable, policy)
    return Explanation(
        asked=ask_every_rule(ds, policy),
        open_questions=tuple(sorted(verdict.open_questions)) if isinstance(verdict, Eligible) else (),
        image=image,
        unseen="" if unreadable is None else f"{unreadable.code}: {unreadable.message}",
        code=code,
        detail=detail,
        notes=notes,
    )


def _shown(ds: Dataset) -> tuple[ImageVerdict | None, PixelError | None]:
    try:
        source = read_source(ds, check_polarity=False)
    except PixelError as error:
        return None, error
    return check_image(source.display, source.valid), None


def _decided(
    verdict: Eligible | Ineligible, image: ImageVerdict | None, unreadable: PixelError | None, policy: EligibilityPolicy
) -> tuple[str, str, tuple[str, ...]]:
    if isinstance(verdict, Ineligible):
        return str(verdict.code), verdict.detail, ()
    if image is None:
        return (unreadable.code, unreadable.message, ()) if unreadable else ("", "", ())
    try:
        notes = require_shown(image, verdict, policy)
    except ImageRefused as refused:
        return refused.code, refused.message, verdict.notes
    return PROCESSED, "an adult's frontal chest radiograph, as far as header and picture tell", (*verdict.notes, *notes)
