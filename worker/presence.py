"""Looking whether a remote node has what it was sent: the proof of delivery where no storage commitment comes."""

from __future__ import annotations

from dicom_node.find_scu import Location, Presence, PresenceAnswer, verify_presence
from service.registry.commitment_claims import RequestClaim
from worker.context import WorkerContext
from worker.remote_peer import peer_of

NO_QUERY = "NO_QUERY_SERVICE"


def look_up(claim: RequestClaim, context: WorkerContext) -> list[PresenceAnswer]:
    """One answer for each instance of `claim`, in order, by C-FIND."""
    if claim.node.url is not None:
        detail = "a node that is sent to by STOW-RS has no C-FIND"
        return [PresenceAnswer(i.sop_instance_uid, Presence.UNKNOWN, NO_QUERY, detail) for i in claim.instances]
    return verify_presence(
        peer_of(claim.node, context),
        [Location(i.study_instance_uid, i.series_instance_uid, i.sop_instance_uid) for i in claim.instances],
        calling_ae_title=context.ae_title,
        timeout_s=context.network_timeout_s,
    )
