"""One C-STORE as SCU (PS3.4 Annex B, PS3.7 §9.1.1) over an association that stands, and what its answer means.

The file's bytes go out unchanged where the peer accepts their transfer syntax. What the peer may accept later is RETRY,
what it will never accept is REFUSED; an instance is SENT only on the peer's own Success or Warning for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import UID
from pynetdicom import _config
from pynetdicom.association import Association

from dicom_node.compression import WITHOUT_LOSS, uncompressed
from dicom_node.conformance import UNCOMPRESSED
from dicom_node.outgoing_association import NoAssociation
from dicom_node.status import Outcome, meaning_of

MEDIUM_PRIORITY = 0  # PS3.7 §9.1.1.1.5; pynetdicom's own default is LOW
_LAST_MESSAGE_ID = 65535


@dataclass(frozen=True)
class StoreResult:
    """What became of one instance; `status` None: there was no answer. `sop_instance_uid` "": it could not be read."""

    sop_instance_uid: str
    outcome: Outcome
    status: int | None
    code: str
    detail: str


@dataclass(frozen=True)
class Outgoing:
    """A DICOM file as its file meta information describes it."""

    path: Path
    sop_class_uid: UID
    sop_instance_uid: UID
    transfer_syntax_uid: UID

    @property
    def stored_in(self) -> tuple[UID, UID]:
        """(SOP Class UID, Transfer Syntax UID): what presentation contexts are asked for."""
        return self.sop_class_uid, self.transfer_syntax_uid


def read_outgoing(path: Path) -> Outgoing | StoreResult:
    """What is to be sent, or why it cannot be: the file is no DICOM file, or unreadable."""
    try:
        meta = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).file_meta
        return Outgoing(path, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID)
    except Exception as error:
        detail = f"expected a DICOM file, found {type(error).__name__}"
        return StoreResult("", Outcome.REFUSED, None, "FILE_UNREADABLE", detail)


def store(association: Association | NoAssociation, instance: Outgoing, *, number: int = 1) -> StoreResult:
    """Send `instance`, the `number`-th of its association. Errors of network, peer and file become results."""
    uid = str(instance.sop_instance_uid)
    if isinstance(association, NoAssociation):
        return StoreResult(uid, association.outcome, None, association.code, association.detail)
    if not association.is_established:
        return StoreResult(uid, Outcome.RETRY, None, "ASSOCIATION_LOST", "the association ended before this instance")
    accepted = {
        context.transfer_syntax[0]
        for context in association.accepted_contexts
        if context.abstract_syntax == instance.sop_class_uid
    }
    if not accepted:
        detail = f"the peer does not accept {instance.sop_class_uid.name}"
        return StoreResult(uid, Outcome.REFUSED, None, "SOP_CLASS_NOT_ACCEPTED", detail)
    as_it_is = instance.transfer_syntax_uid in accepted
    if not as_it_is and not (instance.transfer_syntax_uid in UNCOMPRESSED or _can_be_unpacked(instance, accepted)):
        detail = f"the peer does not accept {instance.transfer_syntax_uid.name}"
        return StoreResult(uid, Outcome.REFUSED, None, "TRANSFER_SYNTAX_NOT_ACCEPTED", detail)
    message_id = (number - 1) % _LAST_MESSAGE_ID + 1
    try:
        if as_it_is:
            # pynetdicom streams a file's bytes only under this flag; without it, it decodes and encodes them anew.
            _config.STORE_SEND_CHUNKED_DATASET = True
            answer = association.send_c_store(instance.path, message_id, MEDIUM_PRIORITY)
        else:
            dataset = pydicom.dcmread(instance.path)
            packed = instance.transfer_syntax_uid in WITHOUT_LOSS
            answer = association.send_c_store(uncompressed(dataset) if packed else dataset, message_id, MEDIUM_PRIORITY)
    except Exception as error:
        return StoreResult(uid, Outcome.RETRY, None, "SENDING_FAILED", f"{type(error).__name__} while sending")
    return _result(uid, answer.get("Status"), str(answer.get("ErrorComment") or ""))


def _can_be_unpacked(instance: Outgoing, accepted: set[UID]) -> bool:
    """Compressed without loss, to a peer that takes it uncompressed only: the pixels arrive all the same."""
    return instance.transfer_syntax_uid in WITHOUT_LOSS and bool(accepted & set(UNCOMPRESSED))


def _result(uid: str, status: int | None, comment: str) -> StoreResult:
    if status is None:
        return StoreResult(uid, Outcome.RETRY, None, "NO_ANSWER", "no answer within the timeout, or the peer aborted")
    meaning = meaning_of(status)
    # The peer's Error Comment is its own text and may name the patient: it is shown to nobody.
    detail = f"0x{status:04X} {meaning.meaning}" + (" (with a comment)" if comment else "")
    return StoreResult(uid, meaning.outcome, status, meaning.code, detail)
