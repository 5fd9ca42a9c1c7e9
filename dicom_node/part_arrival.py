"""One part of a STOW-RS request on its way into the instance store: the head of the file is read, its data set written.

Like the data set of a C-STORE-RQ, it is written and hashed as it comes, under a head of our own. What keeps it from
being stored is remembered until it is over: the sender goes on sending.
"""

from __future__ import annotations

from dicom_node.arrival import Arrival, ArrivingMessage, DataSetTooLargeError
from dicom_node.errors import RefusedObject
from dicom_node.intake import Intake
from dicom_node.part10 import HEAD_BYTES, FileHead, read_file_head
from dicom_node.received_instance import ReceivedInstance
from dicom_node.status import CANNOT_UNDERSTAND

DICOM_MEDIA_TYPES = ("application/dicom", "")
TOO_LARGE = "INSTANCE_TOO_LARGE"


class PartArrival:
    """Takes the content of a part in pieces. `received` gives the instance, or raises what kept it from arriving."""

    def __init__(self, intake: Intake, media_type: str, calling_ae_title: str, max_bytes: int) -> None:
        """`max_bytes`: the longest part that is kept."""
        self.calling_ae_title = calling_ae_title
        self.head: FileHead | None = None
        self._intake = intake
        self._max_bytes = max_bytes
        self._size = 0
        self._begin: bytearray | None = bytearray()  # until the head is read
        self._arrival: Arrival | None = None
        self._failure: RefusedObject | None = None
        if media_type not in DICOM_MEDIA_TYPES:
            self._refuse("NOT_A_DICOM_FILE", "expected a part of type application/dicom")

    def write(self, content: bytes) -> None:
        """The next bytes; nothing is raised."""
        self._size += len(content)
        if self._begin is not None:
            self._begin += content
            if len(self._begin) >= HEAD_BYTES:
                self._read_head(self._begin)
        elif self._arrival is not None:
            self._keep(content)

    def end(self) -> None:
        """The part is whole; nothing is raised."""
        if self._begin is not None:
            self._read_head(self._begin)
        if self._size > self._max_bytes and (self._failure is None or self._failure.code == TOO_LARGE):
            self._discard_file()
            self._refuse(TOO_LARGE, f"expected at most {self._max_bytes} bytes, found {self._size}")

    def received(self) -> ReceivedInstance:
        """The whole instance, after `end`. Raises TransientError or RefusedObject."""
        if self._failure is not None or self._arrival is None:
            raise self._failure or RefusedObject("NOT_A_DICOM_FILE", "expected a DICOM file", CANNOT_UNDERSTAND)
        return self._arrival.received()

    def discard(self) -> None:
        """Remove the file unless the store has taken it."""
        self._begin = None
        self._discard_file()

    def _read_head(self, begin: bytearray) -> None:
        self._begin = None
        try:
            self.head = head = read_file_head(begin)
        except RefusedObject as refused:
            self._failure = refused
            return
        message = ArrivingMessage(
            head.sop_class_uid, head.sop_instance_uid, head.transfer_syntax_uid, self.calling_ae_title
        )
        self._arrival = self._intake.open_arrival(message)
        self._keep(bytes(begin[head.size_bytes :]))

    def _keep(self, content: bytes) -> None:
        if self._arrival is None:
            return
        try:
            if self._size > self._max_bytes:
                raise DataSetTooLargeError
            self._arrival.write(memoryview(content))
        except DataSetTooLargeError:
            self._discard_file()
            self._refuse(TOO_LARGE, f"expected at most {self._max_bytes} bytes, found more")

    def _discard_file(self) -> None:
        if self._arrival is not None:
            self._arrival.discard()
            self._arrival = None

    def _refuse(self, code: str, message: str) -> None:
        self._begin = None
        self._failure = RefusedObject(code, message, CANNOT_UNDERSTAND)
