"""Looking whether a remote node has what it was sent: the proof of delivery where no storage commitment comes."""

from __future__ import annotations

from collections.abc import Iterator

from dicom_node.find_scu import Location, Presence, PresenceAnswer, verify_presence
from dicom_node.qido import find_instances
from dicom_node.web_peer import WebFailure
from service.registry.commitment_claims import RequestClaim
from worker.context import WorkerContext
from worker.remote_peer import peer_of
from worker.transport import web_peer_of


def look_up(claim: RequestClaim, context: WorkerContext) -> list[PresenceAnswer]:
    """One answer for each instance of `claim`, in order, by C-FIND, or by QIDO-RS from a node in the web."""
    if claim.node.url is not None:
        answers = {answer.sop_instance_uid: answer for answer in _in_the_web(claim, claim.node.url, context)}
        return [answers[one.sop_instance_uid] for one in claim.instances]
    return verify_presence(
        peer_of(claim.node, context),
        [Location(i.study_instance_uid, i.series_instance_uid, i.sop_instance_uid) for i in claim.instances],
        calling_ae_title=context.ae_title,
        timeout_s=context.network_timeout_s,
    )


def _in_the_web(claim: RequestClaim, url: str, context: WorkerContext) -> Iterator[PresenceAnswer]:
    peer = web_peer_of(claim.node, url, context)
    for study in dict.fromkeys(one.study_instance_uid for one in claim.instances):
        wanted = [one.sop_instance_uid for one in claim.instances if one.study_instance_uid == study]
        found = find_instances(peer, study, wanted, timeout_s=context.network_timeout_s)
        for uid in wanted:
            if isinstance(found, WebFailure):
                yield PresenceAnswer(uid, Presence.UNKNOWN, found.code, found.detail)
            elif uid in found:
                yield PresenceAnswer(uid, Presence.PRESENT, "FOUND", "")
            else:
                yield PresenceAnswer(uid, Presence.ABSENT, "NOT_FOUND", "QIDO-RS does not find it")
