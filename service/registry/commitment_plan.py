"""Which requests for storage commitment there are to be: what was sent, batched by remote node. The caller commits."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from service.registry.commitment_claims import AwaitedInstance, CommitmentPolicy
from service.registry.job_states import CommitmentState, DeliveryState
from service.registry.tables import CommitmentRequest, Delivery, Instance, Job, RemoteNode, Result, Series, Study

MOST_AT_ONCE = 20


def plan_requests(session: Session, policy: CommitmentPolicy, *, now: datetime) -> list[int]:
    """Put what was sent to nodes that are asked for proof into requests, MOST_AT_ONCE a node; their ids.

    A node that proof is asked of from now on may have been sent a year's results: the next call goes on with them.
    A node that is only looked at, never asked, gets a row that is REFUSED from the start: its follow-up is the look.
    """
    nodes = session.execute(
        select(RemoteNode.id, RemoteNode.requests_commitment)
        .where(or_(RemoteNode.requests_commitment, RemoteNode.verifies), RemoteNode.removed_at.is_(None))
        .order_by(RemoteNode.id)
    ).all()
    planned: list[int] = []
    for node in nodes:
        for _ in range(MOST_AT_ONCE):
            sent = session.scalars(
                select(Delivery.id)
                .where(
                    Delivery.remote_node_id == node.id,
                    Delivery.state == DeliveryState.SENT,
                    Delivery.commitment_request_id.is_(None),
                    Delivery.sent_at <= now - timedelta(seconds=policy.delay_s),
                )
                .order_by(Delivery.id)
                .limit(policy.batch)
                .with_for_update(skip_locked=True, key_share=True)
            ).all()
            if not sent:
                break
            planned.append(insert_request(session, node.id, sent, asked=node.requests_commitment, now=now))
    return planned


def insert_request(
    session: Session,
    remote_node_id: int,
    delivery_ids: Iterable[int],
    *,
    asked: bool = True,
    attempts: int = 0,
    not_before: datetime | None = None,
    now: datetime,
) -> int:
    """A PLANNED request under a fresh Transaction UID, which these deliveries point to from now on."""
    values = {
        "transaction_uid": f"2.25.{uuid.uuid4().int}",
        "remote_node_id": remote_node_id,
        "state": CommitmentState.PLANNED if asked else CommitmentState.REFUSED,
        "attempts": attempts,
        "not_before": not_before if asked else now,
        "fencing_token": 0,
        "created_at": now,
        "updated_at": now,
        "reason_code": None if asked else "NOT_ASKED",
        "reason_detail": None if asked else "this node is looked at, not asked",
    }
    request_id = session.execute(
        insert(CommitmentRequest).values(**values).returning(CommitmentRequest.id)
    ).scalar_one()
    pointing = update(Delivery).where(Delivery.id.in_(list(delivery_ids)), Delivery.state == DeliveryState.SENT)
    session.execute(pointing.values(commitment_request_id=request_id).execution_options(synchronize_session=False))
    return request_id


def awaited_instances(session: Session, request_id: int) -> tuple[AwaitedInstance, ...]:
    """What the request asks about and the node has neither committed to nor lost since."""
    awaited = (
        select(Delivery, Result, Study.study_instance_uid)
        .join(Result, Result.id == Delivery.result_id)
        .join(Job, Job.id == Delivery.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Series.study_id)
        .where(Delivery.commitment_request_id == request_id, Delivery.state == DeliveryState.SENT)
        .order_by(Delivery.job_id, Delivery.id)
    )
    return tuple(
        AwaitedInstance(
            delivery_id=delivery.id,
            job_id=delivery.job_id,
            study_instance_uid=study_instance_uid,
            series_instance_uid=result.series_instance_uid,
            sop_class_uid=result.sop_class_uid,
            sop_instance_uid=result.sop_instance_uid,
        )
        for delivery, result, study_instance_uid in session.execute(awaited)
    )


def reporting_callers(session: Session) -> set[str]:
    """AE titles that may open an association with us in order to report, whether or not they may send images."""
    asked = RemoteNode.requests_commitment & RemoteNode.removed_at.is_(None)
    return set(session.scalars(select(RemoteNode.ae_title).where(asked)).all())
