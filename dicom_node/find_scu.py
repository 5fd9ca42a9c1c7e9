"""Asking an archive what it holds: C-FIND of the Study Root Query/Retrieve Information Model (PS3.4 §C.4.1).

`verify_presence` is the proof of delivery where there is no storage commitment: does the archive list this very
instance? `send_query` is the step below it, for whoever walks the levels itself. Nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydicom.dataset import Dataset
from pynetdicom import build_context
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
)

from dicom_node.conformance import UNCOMPRESSED
from dicom_node.outgoing_association import NoAssociation, outgoing_association
from dicom_node.peer import Peer
from dicom_node.query_status import C_FIND_STATUSES, PENDING, meaning_in
from dicom_node.status import Outcome

MOST_MATCHES = 10_000
_CANCELLED_QUERY = 1  # Message ID of the query under way; one at a time over one association


@dataclass(frozen=True)
class Location:
    """Where one instance should be."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


class Presence(StrEnum):
    """Whether the archive lists an instance; UNKNOWN: it could not be asked."""

    PRESENT = "PRESENT"
    ABSENT = "ABSENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class FindResult:
    """The matches and how the query ended; without Outcome.SENT they may be incomplete."""

    outcome: Outcome
    status: int | None
    code: str
    detail: str
    matches: tuple[Dataset, ...] = ()


@dataclass(frozen=True)
class PresenceAnswer:
    """One instance's presence; `code` and `detail` say why it is unknown."""

    sop_instance_uid: str
    presence: Presence
    code: str
    detail: str


def find_context() -> PresentationContext:
    """What an SCU proposes for C-FIND."""
    return build_context(StudyRootQueryRetrieveInformationModelFind, list(UNCOMPRESSED))


def verify_presence(
    peer: Peer,
    instances: Sequence[Location],
    *,
    calling_ae_title: str,
    timeout_s: float = 30.0,
) -> list[PresenceAnswer]:
    """Ask for each of `instances` at IMAGE level over one association; one answer each, in order."""
    with outgoing_association(
        peer, [find_context()], calling_ae_title=calling_ae_title, timeout_s=timeout_s
    ) as association:
        return [_presence(association, instance) for instance in instances]


def send_query(
    association: Association | NoAssociation, identifier: Dataset, *, most_matches: int = MOST_MATCHES
) -> FindResult:
    """Send `identifier` and collect the matches, at most `most_matches` of them."""
    if isinstance(association, NoAssociation):
        return FindResult(association.outcome, None, association.code, association.detail)
    if not association.is_established:
        return FindResult(Outcome.RETRY, None, "ASSOCIATION_LOST", "the association ended before this query")
    matches: list[Dataset] = []
    try:
        answers = association.send_c_find(
            identifier, StudyRootQueryRetrieveInformationModelFind, msg_id=_CANCELLED_QUERY
        )
        for answer, match in answers:
            status = answer.get("Status")
            if status not in PENDING:
                return _ended(status, matches)
            if match is not None:
                matches.append(match)
            if len(matches) > most_matches:
                association.abort()
                detail = f"expected at most {most_matches} matches: ask for less"
                return FindResult(Outcome.REFUSED, None, "TOO_MANY_MATCHES", detail)
    except Exception as error:  # the connection was lost in between, or the answers cannot be decoded
        return FindResult(Outcome.RETRY, None, "ASKING_FAILED", f"{type(error).__name__} while asking")
    return _ended(None, matches)


def _presence(association: Association | NoAssociation, instance: Location) -> PresenceAnswer:
    uid = instance.sop_instance_uid
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "IMAGE"
    identifier.StudyInstanceUID = instance.study_instance_uid
    identifier.SeriesInstanceUID = instance.series_instance_uid
    identifier.SOPInstanceUID = uid
    found = send_query(association, identifier, most_matches=100)
    if found.outcome is not Outcome.SENT:
        return PresenceAnswer(uid, Presence.UNKNOWN, found.code, found.detail)
    # An archive that ignores the key and lists the whole series must not count as one that has the instance.
    present = any(str(match.get("SOPInstanceUID", "")) == uid for match in found.matches)
    return PresenceAnswer(uid, Presence.PRESENT if present else Presence.ABSENT, found.code, found.detail)


def _ended(status: int | None, matches: list[Dataset]) -> FindResult:
    if status is None:
        return FindResult(Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    meaning = meaning_in(C_FIND_STATUSES, status)
    return FindResult(meaning.outcome, status, meaning.code, f"0x{status:04X} {meaning.meaning}", tuple(matches))
