"""The DICOM node on a free port of this machine, with a real registry and store, and raw C-STOREs to it."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE, _config, build_context
from pynetdicom.association import Association
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from dicom_node.application_entity import AssociationLimits, Node, NodeAddress
from dicom_node.caller_hosts import CallerHosts
from dicom_node.callers import Callers
from dicom_node.eligibility import EligibilityPolicy
from dicom_node.intake import Intake, Limits
from dicom_node.received_instance import ReceivedInstance
from service.database import make_engine, make_session_factory, upgrade
from service.instance_store import InstanceStore
from service.registry.remote_nodes import add_remote_node
from service.registry.tables import Instance, Job, RejectedObject

MODALITY = "MODALITY"


@dataclass
class RecordingQueue:
    """Keeps the announced jobs."""

    inferences: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def announce_inference(self, job_id: str) -> bool:
        self.inferences.append(job_id)
        return True

    def announce_notice(self, job_id: str) -> bool:
        self.notices.append(job_id)
        return True


@dataclass
class Installation:
    """A registry, a store and the intake on them."""

    intake: Intake
    engine: Engine
    queue: RecordingQueue

    @property
    def sessions(self) -> sessionmaker[Session]:
        return self.intake.sessions

    def instances(self) -> list[Instance]:
        with self.sessions() as session:
            return list(session.scalars(select(Instance).order_by(Instance.id)))

    def jobs(self) -> list[Job]:
        with self.sessions() as session:
            return list(session.scalars(select(Job)))

    def rejections(self) -> list[RejectedObject]:
        with self.sessions() as session:
            return list(session.scalars(select(RejectedObject).order_by(RejectedObject.id)))

    def add_caller(self, ae_title: str, *, may_send: bool = True, host: str = "127.0.0.1") -> None:
        with self.sessions.begin() as session:
            add_remote_node(
                session,
                name=ae_title.lower(),
                ae_title=ae_title,
                host=host,
                port=104,
                may_send=may_send,
                receives_results=False,
                now=datetime.now(UTC),
            )

    def store_path(self, path: str) -> Path:
        return self.intake.store.resolve(path)


@contextlib.contextmanager
def installation(folder: Path, *, callers: Sequence[str] = (MODALITY,)) -> Iterator[Installation]:
    url = f"sqlite:///{folder / 'registry.sqlite3'}"
    upgrade(url)
    engine = make_engine(url)
    sessions = make_session_factory(engine)
    queue = RecordingQueue()
    intake = Intake(
        sessions=sessions,
        store=InstanceStore(folder / "instances", 0),
        queue=queue,
        callers=Callers(sessions, hosts=CallerHosts()),
        policy=EligibilityPolicy(),
        limits=Limits(max_instance_bytes=64 * 1024 * 1024, max_queue_depth=100),
        shutting_down=threading.Event(),
    )
    installed = Installation(intake, engine, queue)
    for caller in callers:
        installed.add_caller(caller)
    try:
        yield installed
    finally:
        engine.dispose()


@contextlib.contextmanager
def listening(
    installed: Installation, terms: AssociationLimits | None = None, **intake_changes: object
) -> Iterator[Node]:
    """The node over `installed` on the given `terms`; `intake_changes` replace fields of its intake."""
    changes = {"shutting_down": threading.Event()} | intake_changes
    intake = replace(installed.intake, **changes)  # type: ignore[arg-type]
    node = Node(NodeAddress("SOFTRAY", "127.0.0.1", 0), terms or AssociationLimits(), intake)
    node.start()
    try:
        yield node
    finally:
        node.stop(finish_s=0.2, refuse_s=0.2)


def unreachable_registry(folder: Path) -> sessionmaker[Session]:
    """Sessions of a database that cannot be opened."""
    (folder / "not-a-file.sqlite3").mkdir()
    return make_session_factory(make_engine(f"sqlite:///{folder / 'not-a-file.sqlite3'}"))


def encoded(dataset: Dataset, *, implicit: bool = False) -> bytes:
    """The data set as an SCU puts it on the wire, without file meta information."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset_only(dataset), implicit_vr=implicit, little_endian=True)
    return buffer.getvalue()


def dataset_only(dataset: Dataset) -> Dataset:
    bare = Dataset()
    bare.update(dataset)
    return bare


def as_received(dataset: Dataset, data_set: bytes | None = None, **changes: object) -> ReceivedInstance:
    """`dataset` as the node sees it after a C-STORE-RQ from MODALITY in Explicit VR Little Endian."""
    received = ReceivedInstance(
        sop_class_uid=UID(dataset.SOPClassUID),
        sop_instance_uid=UID(dataset.SOPInstanceUID),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        calling_ae_title=MODALITY,
        data_set=encoded(dataset) if data_set is None else data_set,
    )
    return replace(received, **changes)  # type: ignore[arg-type]


def associate(
    port: int,
    sop_classes: Sequence[str],
    transfer_syntaxes: Sequence[str] = (ExplicitVRLittleEndian,),
    *,
    calling: str = MODALITY,
    called: str = "SOFTRAY",
) -> Association:
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 15
    contexts = [build_context(uid, list(transfer_syntaxes)) for uid in sop_classes]
    return entity.associate("127.0.0.1", port, contexts, ae_title=called)


def c_store(port: int, received: ReceivedInstance) -> Dataset:
    """Send exactly `received.data_set` by C-STORE; the answer's command set, empty when there was none."""
    association = associate(
        port, [received.sop_class_uid], [received.transfer_syntax_uid], calling=received.calling_ae_title
    )
    assert association.is_established, "the node rejected the association"
    try:
        return c_store_over(association, received)
    finally:
        if association.is_established:
            association.release()


def c_store_over(association: Association, received: ReceivedInstance) -> Dataset:
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(b"".join(received.file_parts()))
        file.flush()
        _config.STORE_SEND_CHUNKED_DATASET = True  # send the file's bytes, whatever they are
        return association.send_c_store(file.name)
