"""What the node offers and asks for in an association (PS3.8 §7.1.1.13), in the words of a conformance statement.

As SCP: Verification, and storage of CR and DX images; nothing else, or a PACS would route everything here. Storage
Commitment is offered in the role of SCU, for archives that report over an association of their own; in the role of SCP
only if the site has switched that on. As SCU: the SOP classes at hand, each transfer syntax in a presentation context
of its own, so that the peer can accept several and the bytes on disk are sent unchanged whenever it takes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    ImplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from dicom_node.object_evidence import SOP_CLASSES
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes

ACCEPTED_SOP_CLASSES = tuple(UID(uid) for uid in SOP_CLASSES)
UNCOMPRESSED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)

# What we may propose as SCU; the conformance statement's tables are made from these.
REQUESTED_SERVICES: tuple[UID, ...] = (
    UID(Verification),
    UID(StorageCommitmentPushModel),
    UID(StudyRootQueryRetrieveInformationModelFind),
    UID(StudyRootQueryRetrieveInformationModelMove),
)
REQUESTED_STORAGE: tuple[UID, ...] = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    ComprehensiveSRStorage,
    KeyObjectSelectionDocumentStorage,
)


def supported_contexts(*, commits: bool = False) -> list[PresentationContext]:
    """What the SCP accepts. The acceptor chooses by its own order, so lossless transfer syntaxes stand first.

    `commits`: it takes requests for storage commitment as well.
    """
    syntaxes: list[str | UID] = list(decodable_transfer_syntaxes())
    storage = [build_context(sop_class, syntaxes) for sop_class in ACCEPTED_SOP_CLASSES]
    return [build_context(Verification, list(UNCOMPRESSED)), *storage, commitment_context(commits=commits)]


def commitment_context(*, commits: bool) -> PresentationContext:
    """Storage Commitment as an acceptor: the requestor may be the SCP that reports, and with `commits` also the SCU."""
    context = build_context(StorageCommitmentPushModel, list(UNCOMPRESSED))
    context.scp_role, context.scu_role = True, commits
    return context


def requested_contexts(instances: Iterable[tuple[UID, UID]]) -> list[PresentationContext]:
    """What the SCU proposes for `instances`, each given as (SOP Class UID, Transfer Syntax UID of its file)."""
    pairs: dict[tuple[UID, UID], None] = {}
    for sop_class, stored_in in instances:
        for syntax in (stored_in, *UNCOMPRESSED):
            pairs[sop_class, syntax] = None
    return [build_context(sop_class, syntax) for sop_class, syntax in pairs]


def verification_context() -> PresentationContext:
    """What an SCU proposes for C-ECHO."""
    return build_context(Verification, list(UNCOMPRESSED))
