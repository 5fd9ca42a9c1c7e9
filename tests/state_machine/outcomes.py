"""What the outside answers, in one word each, as the values that the workers' code gets."""

from __future__ import annotations

from itertools import count

from dicom_node.commitment_scu import CommitmentAnswer
from dicom_node.errors import ImageRefused
from dicom_node.find_scu import Presence, PresenceAnswer
from dicom_node.status import Outcome
from dicom_node.store_scu import StoreResult
from service.errors import PermanentError, TransientError
from service.registry.claims import DeliveryClaim, DerivedFacts, ResultFacts
from service.registry.commitment_claims import RequestClaim
from service.registry.result_kinds import ResultKind
from service.registry.tables import CommitmentRequest as CommitmentRequest
from tests.service.registry.factories import derived_facts, result_facts

_serial = count(1)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
FAILURES = {
    "transient": TransientError("OUT_OF_MEMORY", "the device ran out of memory"),
    "permanent": PermanentError("PIXELS_UNREADABLE", "expected pixels, found none"),
    "refused": ImageRefused("NOT_FRONTAL", "expected a frontal view, found a lateral one"),
}
STORE_ANSWERS = {
    "sent": (Outcome.SENT, 0x0000, "SENT"),
    "warning": (Outcome.SENT, 0xB000, "SENT"),
    "busy": (Outcome.RETRY, 0xA700, "OUT_OF_RESOURCES"),
    "silent": (Outcome.RETRY, None, "CONNECTION_FAILED"),
    "refused": (Outcome.REFUSED, 0xC000, "CANNOT_UNDERSTAND"),
    "class_not_taken": (Outcome.REFUSED, None, "SOP_CLASS_NOT_ACCEPTED"),
}
COMMITMENT_ANSWERS = {
    "accepted": (Outcome.SENT, 0x0000, "ACCEPTED"),
    "busy": (Outcome.RETRY, 0x0110, "PROCESSING_FAILURE"),
    "silent": (Outcome.RETRY, None, "CONNECTION_FAILED"),
    "cut_off": (Outcome.RETRY, None, "NO_ANSWER"),
    "refused": (Outcome.REFUSED, 0x0122, "SOP_CLASS_NOT_SUPPORTED"),
}
PRESENCES = {
    "present": (Presence.PRESENT, "FOUND"),
    "absent": (Presence.ABSENT, "NOT_FOUND"),
    "unknown": (Presence.UNKNOWN, "CONNECTION_FAILED"),
    "no_query": (Presence.UNKNOWN, "SOP_CLASS_NOT_SUPPORTED"),
}


def derived(kinds: tuple[ResultKind, ...]) -> DerivedFacts:
    """Fresh results of these kinds."""
    return derived_facts(*(result_facts(kind=kind, sop_instance_uid=f"2.25.77{next(_serial)}") for kind in kinds))


def store_result(claim: DeliveryClaim, answer: str) -> StoreResult:
    """The PACS's answer to a C-STORE."""
    outcome, status, code = STORE_ANSWERS[answer]
    return StoreResult(claim.result.sop_instance_uid, outcome, status, code, "")


def replacement(claim: DeliveryClaim, result: StoreResult) -> ResultFacts | None:
    """The picture as Secondary Capture when its class was not taken, as the worker makes it."""
    picture = claim.result.kind in {ResultKind.SOFT_TISSUE, ResultKind.BONE}
    if result.code != "SOP_CLASS_NOT_ACCEPTED" or not picture or claim.result.sop_class_uid == SECONDARY_CAPTURE:
        return None
    return result_facts(
        kind=claim.result.kind,
        sop_class_uid=SECONDARY_CAPTURE,
        sop_instance_uid=f"{claim.result.sop_instance_uid}.7",
    )


def commitment_answer(answer: str) -> CommitmentAnswer:
    """The archive's answer to an N-ACTION."""
    outcome, status, code = COMMITMENT_ANSWERS[answer]
    return CommitmentAnswer(outcome, status, code, "")


def presence(claim: RequestClaim, answer: str) -> list[PresenceAnswer]:
    """The archive's answer to the question which of these it has."""
    found, code = PRESENCES[answer]
    return [PresenceAnswer(instance.sop_instance_uid, found, code, "") for instance in claim.instances]
