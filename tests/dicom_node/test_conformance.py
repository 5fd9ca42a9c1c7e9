"""What is negotiated."""

from __future__ import annotations

from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]

from dicom_node.conformance import ACCEPTED_SOP_CLASSES, requested_contexts, supported_contexts
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes


def test_the_node_offers_verification_radiographs_and_commitment_and_nothing_else() -> None:
    offered = {context.abstract_syntax for context in supported_contexts()}
    assert offered == {Verification, StorageCommitmentPushModel, *ACCEPTED_SOP_CLASSES}
    assert {UID(uid).keyword for uid in ACCEPTED_SOP_CLASSES} == {
        "ComputedRadiographyImageStorage",
        "DigitalXRayImageStorageForPresentation",
        "DigitalXRayImageStorageForProcessing",
    }


def test_every_storage_class_is_offered_in_what_can_be_decoded_lossless_first() -> None:
    storage = [cx for cx in supported_contexts() if cx.abstract_syntax in ACCEPTED_SOP_CLASSES]
    assert len(storage) == 3
    for context in storage:
        assert context.transfer_syntax == decodable_transfer_syntaxes()
        assert context.transfer_syntax[0] == ExplicitVRLittleEndian


def test_no_video_or_reference_transfer_syntax_is_offered() -> None:
    names = " ".join(syntax.name for context in supported_contexts() for syntax in context.transfer_syntax)
    assert not any(word in names for word in ("MPEG", "HEVC", "JPIP", "SMPTE"))


def test_each_transfer_syntax_is_proposed_in_a_context_of_its_own() -> None:
    dx = DigitalXRayImageStorageForPresentation
    proposed = requested_contexts([(dx, JPEG2000Lossless), (dx, ExplicitVRLittleEndian)])
    assert [context.transfer_syntax for context in proposed] == [
        [JPEG2000Lossless],
        [ExplicitVRLittleEndian],
        [ImplicitVRLittleEndian],
    ]
