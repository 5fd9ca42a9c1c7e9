"""Results go to a real PACS by STOW-RS, everything a site wants, and are found there by QIDO-RS."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from pydicom import dcmread

from dicom_node.pixels import read_source
from dicom_node.radiograph import wrap_radiograph
from dicom_node.triple import check_triple
from service.registry import remote_nodes
from service.registry.job_states import DeliveryState, JobState
from service.registry.remote_nodes import DeliveryTerms
from service.registry.result_kinds import ResultKind
from service.routing import ResultsSection
from tests.peers.orthanc import Orthanc
from tests.radiographs import phantom
from tests.worker.conftest import ConstantSuppressor, DirectHost, context, queue_job
from tests.worker.test_deliver import detail, pending
from worker.commit import follow_up
from worker.context import WorkerContext
from worker.deliver import deliver
from worker.infer import infer

__all__ = ["context"]
pytestmark = [pytest.mark.interop]


def test_a_triple_its_label_and_its_report_go_by_stow_rs_and_are_verified(
    context: WorkerContext, dicomweb_orthanc: Orthanc
) -> None:
    everything = ResultsSection(bone=True, presentation_state=True, report=True, compression="jpeg-ls")
    site = replace(context, results=everything)
    with site.sessions.begin() as session:
        remote_nodes.add_remote_node(
            session,
            name="web",
            ae_title="STOW-RS",
            host="127.0.0.1",
            port=80,
            may_send=False,
            receives_results=True,
            now=site.clock(),
            terms=DeliveryTerms(url=dicomweb_orthanc.dicomweb_url, verifies=True),
        )
    source = wrap_radiograph(phantom(1024).radiograph)
    job_id = queue_job(site, source)
    assert infer(job_id, site, DirectHost(ConstantSuppressor(residual=0.05)))  # type: ignore[arg-type]
    for delivery_id in pending(site, job_id):
        assert deliver(delivery_id, site)
    found = detail(site, job_id)
    assert found.summary.state is JobState.DELIVERED
    returned = {}
    for made in found.results:
        [there] = dicomweb_orthanc.find_instances(made.sop_instance_uid)
        returned[made.kind] = dcmread(BytesIO(dicomweb_orthanc.download(there)))
    check_triple(read_source(source).stored, returned[ResultKind.SOFT_TISSUE], returned[ResultKind.BONE])

    # Some time later the follow-up looks for them.
    later = site.clock() + timedelta(days=2)
    after = replace(site, clock=lambda: later)
    for _ in range(4):
        follow_up(after)
    found = detail(after, job_id)
    assert {row.state for row in found.deliveries} == {DeliveryState.VERIFIED}
    assert found.summary.state is JobState.COMMITTED
