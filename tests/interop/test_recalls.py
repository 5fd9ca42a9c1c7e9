"""A recall with a real PACS: proposed, approved by another, and told to the archive exactly once, killed or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import KeyObjectSelectionDocumentStorage

from dicom_node.radiograph import wrap_radiograph
from service import recalling
from service.audit.events import Actor, ActorKind
from service.audit.records import read_events
from service.database import transaction
from service.registry import jobs, recalls, retraction
from service.registry.job_states import JobPurpose, JobState
from service.registry.next_job import claim_next
from service.registry.recall_search import RecallCriteria
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.remote_nodes import add_remote_node
from tests.dicom_validation import assert_valid
from tests.peers.orthanc import Orthanc
from tests.radiographs import phantom
from tests.worker.conftest import IDENTITY, ConstantSuppressor, DirectHost, context, queue_job
from tests.worker.test_deliver import detail, pending
from worker.context import WorkerContext
from worker.deliver import deliver
from worker.infer import infer
from worker.recall import carry_out

pytestmark = pytest.mark.interop

ANNA, BERT = (Actor(ActorKind.USER, name, "127.0.0.1") for name in ("anna", "bert"))
__all__ = ["context"]  # the fixture


def delivered(context: WorkerContext) -> str:
    job_id = queue_job(context, wrap_radiograph(phantom(1024).radiograph))
    assert infer(job_id, context, DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    for delivery_id in pending(context, job_id):
        assert deliver(delivery_id, context)
    return job_id


def notes_in(orthanc: Orthanc) -> list[Dataset]:
    held = [dcmread(BytesIO(orthanc.download(instance))) for instance in orthanc.instances()]
    return [ds for ds in held if ds.SOPClassUID == KeyObjectSelectionDocumentStorage]


def test_the_archive_gets_one_note_that_refers_to_the_result(
    context: WorkerContext, orthanc: Orthanc, tmp_path: Path
) -> None:
    with transaction(context.sessions) as session:
        add_remote_node(
            session,
            name="orthanc",
            ae_title=orthanc.ae_title,
            host="127.0.0.1",
            port=orthanc.dicom_port,
            may_send=False,
            receives_results=True,
            now=context.clock(),
        )
    job_id = delivered(context)
    assert detail(context, job_id).summary.state is JobState.DELIVERED
    criteria = RecallCriteria(model_sha256=IDENTITY.sha256)
    with transaction(context.sessions) as session:
        recall_id = recalling.propose(
            session, criteria, RecallReason.PATIENT_SAFETY, "Ribs left in place.", by=ANNA, now=context.clock()
        )
    assert carry_out(context) == 0  # nobody has approved it
    with transaction(context.sessions) as session:
        recalling.approve(session, recall_id, by=BERT, now=context.clock())

    # A worker takes the note and is killed before it has recorded anything; the next one makes it.
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with transaction(context.sessions) as session:
        retraction.advance(session, recall_id, now=long_ago)
        lost = claim_next(session, owner="killed", lease_s=1, now=long_ago, chance=0.5, purpose=JobPurpose.RETRACTION)
    assert lost is not None
    with transaction(context.sessions) as session:
        assert jobs.expire_lease(session, lost.job_id, lost.fencing_token, context.clock())
    assert carry_out(context) == 1
    assert carry_out(context) == 0
    [delivery_id] = pending(context, lost.job_id)
    assert deliver(delivery_id, context)
    assert not deliver(delivery_id, context)
    carry_out(context)

    [note] = notes_in(orthanc)
    assert note.ConceptNameCodeSequence[0].CodeValue == "113037"
    [study] = note.CurrentRequestedProcedureEvidenceSequence
    named = {item.ReferencedSOPInstanceUID for s in study.ReferencedSeriesSequence for item in s.ReferencedSOPSequence}
    made = detail(context, job_id)
    assert named == {result.sop_instance_uid for result in made.results}
    assert study.StudyInstanceUID == note.StudyInstanceUID == made.summary.study_instance_uid
    assert all(orthanc.find_instances(uid) for uid in named)  # Orthanc goes on showing them: docs/recall.md
    written = tmp_path / "note.dcm"
    note.save_as(written)
    assert_valid(written)
    with transaction(context.sessions, read_only=True) as session:
        row = recalls.find_recall(session, recall_id)
        told = [event.kind for event in read_events(session) if event.subject == recall_id]
    assert row is not None
    assert (row.state, row.jobs_by_state) == (RecallState.DONE, {RecallItemState.RETRACTED: 1})
    assert told == ["RECALL_PROPOSED", "RECALL_APPROVED", "RECALL_DONE"]
    assert (made.summary.state, made.summary.reason_code) == (JobState.DELIVERED, "RECALLED")
