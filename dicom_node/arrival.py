"""The data set of a C-STORE-RQ on its way from the socket into the instance store.

What keeps it from being stored is remembered and answered once it is over: the sender goes on sending (PS3.7 §9.3.1),
so the rest is read and thrown away. Only a data set that goes past the largest instance ends the association at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.uid import UID

from dicom_node.errors import RefusedObject
from dicom_node.received_instance import ReceivedInstance, file_head
from dicom_node.status import INVALID_SOP_INSTANCE
from dicom_node.urgency import NO_COMMAND, CommandFacts
from service.arriving_file import ArrivingFile
from service.errors import TransientError

_UID_FORM = re.compile(r"[0-9.]{1,64}")


class DataSetTooLargeError(Exception):
    """More was sent than the largest instance accepted."""


def is_uid(text: str) -> bool:
    """Whether `text` has the characters and length of a UID (PS3.5 §9.1)."""
    return _UID_FORM.fullmatch(text) is not None


@dataclass(frozen=True)
class ArrivingMessage:
    """What a C-STORE-RQ says before its data set comes; the SOP Instance UID may be anything."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    calling_ae_title: str
    command: CommandFacts = NO_COMMAND


class Arrival:
    """Takes the data set in pieces. `received` gives the instance, or raises what kept it from arriving."""

    def __init__(self, message: ArrivingMessage, open_file: Callable[[], ArrivingFile], largest: int) -> None:
        self._message = message
        self._largest = largest
        self._size = 0
        self._file: ArrivingFile | None = None
        self._failure: Exception | None = None
        self._head = b""
        if not is_uid(message.sop_instance_uid):
            self._failure = RefusedObject(
                "UID_INVALID",
                "expected Affected SOP Instance UID of 1 to 64 digits and dots, found other content",
                INVALID_SOP_INSTANCE,
            )
            return
        try:
            self._file = open_file()
            self._head = file_head(message.sop_class_uid, message.sop_instance_uid, message.transfer_syntax_uid)
            self._file.write(self._head)
        except (TransientError, RefusedObject) as error:
            self._fail(error)

    def write(self, piece: memoryview) -> None:
        """Append `piece`. Raises DataSetTooLargeError and nothing else."""
        self._size += len(piece)
        if self._size > self._largest:
            self.discard()
            raise DataSetTooLargeError(f"expected at most {self._largest} bytes")
        if self._file is not None:
            try:
                self._file.write(piece)
            except TransientError as error:
                self._fail(error)

    def received(self) -> ReceivedInstance:
        """The whole instance. Raises TransientError or RefusedObject."""
        if self._failure is not None or self._file is None:
            raise self._failure or TransientError("DATA_SET_DISCARDED", "the data set was not kept")
        return ReceivedInstance(
            sop_class_uid=UID(self._message.sop_class_uid),
            sop_instance_uid=UID(self._message.sop_instance_uid),
            transfer_syntax_uid=UID(self._message.transfer_syntax_uid),
            calling_ae_title=self._message.calling_ae_title,
            data_set=self._file.content()[len(self._head) :],
            file=self._file,
            command=self._message.command,
        )

    def discard(self) -> None:
        """Remove the file unless the store has taken it."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _fail(self, error: Exception) -> None:
        self.discard()
        self._failure = error
