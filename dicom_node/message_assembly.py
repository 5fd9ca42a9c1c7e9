"""From presentation data values to DIMSE messages (PS3.8 §9.3.5 and Annex E), the data set of a C-STORE on the side.

Command sets and small data sets go through pynetdicom, which makes its messages of them. The data set of a C-STORE-RQ,
where the bulk is, goes from the socket's buffer straight into an `Arrival`; pynetdicom sees an empty one in its place
and the handler takes the arrival with `next_arrival`.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import cast

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.arrival import Arrival, ArrivingMessage, is_uid
from dicom_node.socket_reader import SocketReader
from dicom_node.urgency import CommandFacts

_COMMAND_SET_BYTES = 64 * 1024
_OTHER_DATA_SET_BYTES = 16 * 1024 * 1024  # identifiers of queries, lists of a storage commitment
_COMMAND, _LAST = 0x01, 0x02  # bits of the Message Control Header, PS3.8 Annex E.2
_PLACEHOLDER_UID = UID("0.0")

OpenArrival = Callable[[ArrivingMessage], Arrival]


class MalformedMessageError(Exception):
    """What came is no DIMSE message, or is too large; the association cannot go on. Names no content."""


def _command_facts(command_set: Dataset) -> CommandFacts:
    """How urgent the sender says it is, and whose C-MOVE it answers; a value that cannot be read says nothing."""
    try:
        priority = command_set.get("Priority")
        originator = str(command_set.get("MoveOriginatorApplicationEntityTitle") or "").strip()
    except Exception:  # pydicom raises whatever a value makes of its conversion
        return CommandFacts()
    return CommandFacts(priority if isinstance(priority, int) else None, originator or None)


class MessageAssembly:
    """The messages of one association, one after another."""

    def __init__(self, association: Association, open_arrival: OpenArrival) -> None:
        self._association = association
        self._open_arrival = open_arrival
        self._arrived: deque[Arrival] = deque()
        self._reset()

    def next_arrival(self) -> Arrival | None:
        """The data set of the oldest C-STORE-RQ that was not taken yet; None: it has none."""
        return self._arrived.popleft() if self._arrived else None

    @property
    def in_message(self) -> bool:
        """Whether a message was begun that is not complete, or a data set not taken yet."""
        return self._context_id is not None or bool(self._arrived)

    def discard(self) -> None:
        """Forget what was not taken, and what was still arriving."""
        for arrival in (*self._arrived, *([self._arrival] if self._arrival else [])):
            arrival.discard()
        self._arrived.clear()
        self._reset()

    def read_p_data(self, length: int, reader: SocketReader) -> None:
        """Read the body of one P-DATA-TF PDU of `length` bytes. Raises MalformedMessageError or OSError."""
        if not length:
            raise MalformedMessageError("expected a presentation data value, found none")
        while length:
            if length < 6:
                raise MalformedMessageError("expected a presentation data value, found fewer than 6 bytes")
            pdv_length, context_id, control = struct.unpack(">LBB", reader.exactly(6))
            if not 2 <= pdv_length <= length - 4:
                raise MalformedMessageError("expected a presentation data value within its PDU")
            length -= 4 + pdv_length
            if control & _COMMAND:
                self._command(context_id, control, pdv_length - 2, reader)
            else:
                self._data_set(context_id, control, pdv_length - 2, reader)

    def _reset(self) -> None:
        self._context_id: int | None = None
        self._received = 0
        self._in_data_set = False
        self._arrival: Arrival | None = None

    def _command(self, context_id: int, control: int, size: int, reader: SocketReader) -> None:
        if self._in_data_set or self._context_id not in (None, context_id):
            raise MalformedMessageError("expected the rest of the message that was begun")
        self._count(size, _COMMAND_SET_BYTES)
        self._context_id = context_id
        self._give(control, reader.exactly(size))
        if not control & _LAST:
            return
        message = self._association.dimse.message
        if message is None:  # complete, without a data set
            self._reset()
            return
        self._in_data_set, self._received = True, 0
        if isinstance(message, C_STORE_RQ):
            self._arrival = self._open_arrival(self._arriving_message(message.command_set))

    def _arriving_message(self, command_set: Dataset) -> ArrivingMessage:
        context = self._association._accepted_cx.get(cast(int, self._context_id))
        if context is None:
            raise MalformedMessageError("expected an accepted presentation context")
        try:
            sop_class = str(command_set.get("AffectedSOPClassUID", ""))
            sop_instance = str(command_set.get("AffectedSOPInstanceUID", ""))
        except Exception as error:  # pydicom raises whatever a value makes of its conversion
            raise MalformedMessageError(f"expected the UIDs of a C-STORE-RQ, found {type(error).__name__}") from None
        if not is_uid(sop_class):
            raise MalformedMessageError("expected an Affected SOP Class UID")
        if not is_uid(sop_instance):
            # pynetdicom would make no message of it, and the sender would get no answer.
            command_set.AffectedSOPInstanceUID = _PLACEHOLDER_UID
        return ArrivingMessage(
            sop_class,
            sop_instance,
            str(context.transfer_syntax[0]),
            str(self._association.requestor.ae_title).strip(),
            _command_facts(command_set),
        )

    def _data_set(self, context_id: int, control: int, size: int, reader: SocketReader) -> None:
        if not self._in_data_set or context_id != self._context_id:
            raise MalformedMessageError("expected a command set")
        if self._arrival is None:
            self._count(size, _OTHER_DATA_SET_BYTES)
            self._give(control, reader.exactly(size))
        else:
            for piece in reader.pieces(size):
                self._arrival.write(piece)
        if not control & _LAST:
            return
        arrival, self._arrival = self._arrival, None
        if arrival is not None:
            self._arrived.append(arrival)
            self._give(_LAST, b"")  # an empty data set ends the message
        self._reset()

    def _count(self, size: int, largest: int) -> None:
        self._received += size
        if self._received > largest:
            raise MalformedMessageError(f"expected at most {largest} bytes")

    def _give(self, control: int, content: bytes) -> None:
        fragment = P_DATA()
        value = [cast(int, self._context_id), bytes([control]) + content]  # a list, whatever the annotation says
        fragment.presentation_data_value_list = cast(list[tuple[int, bytes]], [value])
        try:
            self._association.dimse.receive_primitive(fragment)
        except Exception as error:
            raise MalformedMessageError(f"expected a DIMSE message, found {type(error).__name__}") from None
