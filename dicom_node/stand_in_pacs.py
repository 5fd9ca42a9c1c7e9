"""A small Storage SCP that stands in for a PACS, in the demo and in tests; shipped, so that anybody can try softray.

It keeps what it receives as files and answers as told. It is no archive: nothing is indexed, nothing survives a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import cast

from pydicom.uid import UID, SecondaryCaptureImageStorage
from pynetdicom import AE, build_context, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.conformance import ACCEPTED_SOP_CLASSES, UNCOMPRESSED
from dicom_node.status import PROCESSING_FAILURE, SUCCESS, Outcome, meaning_of
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes

Answer = Callable[[str], int]


class StandInPacs:
    """Listens on `host`:`port` (0: a free one) under `ae_title`; usable in a with statement.

    `answer` gives the status for a SOP Instance UID; an instance is kept only when that means stored. The first file
    under a UID stays. `transfer_syntaxes` None accepts everything that can be decoded here. `allowed_callers` empty
    accepts everybody.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ae_title: str = "PACS",
        host: str = "127.0.0.1",
        port: int = 0,
        answer: Answer = lambda _: SUCCESS,
        sop_classes: Sequence[UID] = (*ACCEPTED_SOP_CLASSES, SecondaryCaptureImageStorage),
        transfer_syntaxes: Sequence[UID] | None = None,
        allowed_callers: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.ae_title = ae_title
        self.host = host
        self.port = port
        self.answer = answer
        self._arrival = threading.Condition()
        self._keeping = threading.Lock()
        self._answers: list[tuple[str, int]] = []
        self._server: ThreadedAssociationServer | None = None
        self._entity = AE(ae_title=ae_title)
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = list(allowed_callers)
        self._entity.maximum_pdu_size = 0
        syntaxes: list[str | UID] = list(transfer_syntaxes or decodable_transfer_syntaxes())
        self._entity.supported_contexts = [
            build_context(Verification, list(UNCOMPRESSED)),
            *(build_context(sop_class, syntaxes) for sop_class in sop_classes),
        ]

    def start(self) -> None:
        """Listen; `port` is then the real one, and stays the same over `stop` and `start`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        server = self._entity.start_server(
            (self.host, self.port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._on_c_store)]
        )
        self._server = cast(ThreadedAssociationServer, server)
        self.port = int(self._server.server_address[1])

    def stop(self) -> None:
        """Stop listening and abort what runs."""
        if self._server is not None:
            self._server.shutdown()
            self._entity.shutdown()
            self._server = None

    def files(self) -> list[Path]:
        """The files kept, in the order of their arrival; whole ones only."""
        return sorted(self.folder.glob("*.dcm"), key=lambda path: path.stat().st_mtime_ns)

    def path_of(self, sop_instance_uid: str) -> Path | None:
        """The file kept under a SOP Instance UID, if there is one."""
        path = self._place(sop_instance_uid)
        return path if path.is_file() else None

    def answers(self) -> list[tuple[str, int]]:
        """Every C-STORE answered since the first start: SOP Instance UID and status."""
        with self._arrival:
            return list(self._answers)

    def wait_for(self, count: int, timeout_s: float) -> list[Path]:
        """The files kept, as soon as there are `count` of them; fewer when `timeout_s` passed first."""
        with self._arrival:
            self._arrival.wait_for(lambda: len(self.files()) >= count, timeout_s)
        return self.files()

    def __enter__(self) -> StandInPacs:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _on_c_store(self, event: Event) -> int:
        uid = str(cast(C_STORE, event.request).AffectedSOPInstanceUID)
        status = self.answer(uid)
        if meaning_of(status).outcome is Outcome.SENT:
            try:
                self._keep(self._place(uid), event.encoded_dataset())
            except OSError:
                status = PROCESSING_FAILURE
        with self._arrival:
            self._answers.append((uid, status))
            self._arrival.notify_all()
        return status

    def _keep(self, path: Path, encoded: bytes) -> None:
        with self._keeping:
            if not path.exists():
                unfinished = path.with_suffix(".part")
                unfinished.write_bytes(encoded)
                unfinished.replace(path)  # whoever watches the folder sees whole files only

    def _place(self, sop_instance_uid: str) -> Path:
        # A UID comes from the network: what is not one must not become a path.
        safe = "".join(c for c in sop_instance_uid if c.isdigit() or c == ".").strip(".")
        return self.folder / f"{safe or 'unnamed'}.dcm"
