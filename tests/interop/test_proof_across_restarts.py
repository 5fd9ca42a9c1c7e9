"""The processes themselves, killed between the request for commitment and its report, with a real Orthanc."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from service.database import transaction
from service.instance_store import InstanceStore, Kind
from service.registry import jobs
from service.registry.job_states import CommitmentState, JobState
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.registry.tables import CommitmentRequest
from tests.dicom_node.factories import radiograph
from tests.peers.orthanc import Orthanc
from tests.service.registry.factories import claimed, derived_facts, facts, record, result_facts
from tests.service_process import Service, installation, wait_for

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SMALL = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)


def derived_result(service: Service, folder: Path) -> str:
    """A job whose result lies in the store, to be sent."""
    dataset = radiograph(pixels=SMALL)
    path = folder / "result.dcm"
    dataset.save_as(path, enforce_file_format=True)
    stored = InstanceStore(service.settings.instances_dir, 0).keep(Kind.DERIVED, [path.read_bytes()])
    result = result_facts(
        sop_class_uid=dataset.SOPClassUID,
        sop_instance_uid=dataset.SOPInstanceUID,
        series_instance_uid=dataset.SeriesInstanceUID,
        path=stored.path,
        sha256=stored.sha256,
    )
    now = datetime.now(UTC)
    with transaction(service.sessions) as session:
        job_id = record(session, facts(study_instance_uid=dataset.StudyInstanceUID), now=now).job_id
    assert job_id is not None
    claim = claimed(service.sessions, job_id, now=now)
    with transaction(service.sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(result), now=now)
    return job_id


def requests(service: Service) -> list[CommitmentRequest]:
    with service.sessions() as session:
        return list(session.scalars(select(CommitmentRequest).order_by(CommitmentRequest.id)))


def test_a_result_is_proven_although_everything_is_killed_before_the_report(tmp_path: Path, orthanc: Orthanc) -> None:
    with installation(tmp_path / "softray", COMMITMENT_TIMEOUT_S="8") as service:
        with transaction(service.sessions) as session:
            add_remote_node(
                session,
                name="orthanc",
                ae_title=orthanc.ae_title,
                host="127.0.0.1",
                port=orthanc.dicom_port,
                may_send=False,
                receives_results=True,
                now=datetime.now(UTC),
                terms=DeliveryTerms(requests_commitment=True),
            )
        orthanc.know_modality("SOFTRAY", "SOFTRAY", 9)  # its first report reaches nobody
        derived_result(service, tmp_path)
        service.start("node", "network")
        wait_for(
            "the request to be accepted",
            lambda: [r for r in requests(service) if r.state is CommitmentState.REQUESTED],
            60,
        )
        service.kill("node")
        service.kill("network")
        orthanc.know_modality("SOFTRAY", "SOFTRAY", service.settings.dicom_port)
        service.start("node", "network")
        service.wait_for_job(JobState.COMMITTED, within_s=60)
        first, second = requests(service)
    assert (first.state, second.state) == (CommitmentState.EXPIRED, CommitmentState.REPORTED)
    assert first.transaction_uid != second.transaction_uid
