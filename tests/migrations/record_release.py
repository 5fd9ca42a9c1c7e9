"""Records what the released code writes, for the upgrade test: `python -m tests.migrations.record_release REVISION`.

Run at the commit of a release, before its schema changes. Every statement stands in the file as the database saw it,
values included; an UPDATE with the number of rows it changed. Two sections: `fill`, and `old_workers`, what workers of
that release do after somebody else has upgraded the schema. Nothing in it comes from a patient.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory, transaction, upgrade
from service.registry import circuit_breaker, commitments, deliveries, delivery_queue, jobs
from service.registry.claims import Claim, DeliveryClaim, ResultFacts
from service.registry.commitment_claims import CommitmentPolicy, RequestClaim
from service.registry.commitment_plan import plan_requests
from service.registry.commitment_promises import record_promise
from service.registry.commitment_reports import record_report
from service.registry.due_jobs import due_jobs
from service.registry.instances import Verdict
from service.registry.job_states import DeliveryState, JobPurpose
from service.registry.proofs import delivery_proven
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from service.registry.result_kinds import ResultKind
from tests.migrations.release_file import Recorded, write_release
from tests.peers.postgres import fresh_database, postgres_programs, running_postgres
from tests.service.registry.factories import LEASE_S, NOON, derived_facts, facts, record, result_facts

Sessions = sessionmaker[Session]


def record_release(url: str, revision: str) -> dict[str, list[Recorded]]:
    """What the code at hand writes into a fresh database at `url` of schema `revision`."""
    upgrade(url, revision)
    engine = make_engine(url)
    sessions = make_session_factory(engine)
    with statements(engine, reads=False) as fill:
        held = fill_registry(sessions)
    with statements(engine, reads=True) as old_workers:
        go_on_working(sessions, held)
    engine.dispose()
    return {"fill": fill, "old_workers": old_workers}


def fill_registry(sessions: Sessions) -> tuple[Claim, DeliveryClaim, RequestClaim, str]:
    """A registry in mid-work; returns what the workers hold, and a job that waits."""
    with transaction(sessions) as session:
        for name, terms in (("archive", DeliveryTerms(requests_commitment=True, verifies=True)), ("viewer", None)):
            add_remote_node(
                session,
                name=name,
                ae_title=name.upper(),
                host="127.0.0.1",
                port=104,
                may_send=name == "archive",
                receives_results=True,
                now=NOON,
                terms=terms or DeliveryTerms(),
            )
    committed, sending, waiting, failed, released, running, queued = (_receive(sessions) for _ in range(7))
    with transaction(sessions) as session:
        record(
            session, reason_code="BODY_PART_NOT_CHEST", verdict=Verdict("BODY_PART_NOT_CHEST", "a knee", notice=True)
        )
        record(session, reason_code="BODY_PART_NOT_CHEST")
    for job_id in (committed, sending, waiting):
        _derive(sessions, _claim(sessions, job_id))
    for delivery_id in _pending(sessions, committed):
        _send(sessions, _claim_delivery(sessions, delivery_id))
    with transaction(sessions) as session:
        jobs.fail(session, _claim(sessions, failed, session), code="PIXELS_UNREADABLE", detail="found none", now=NOON)
        jobs.release(
            session,
            _claim(sessions, released, session),
            code="OUT_OF_MEMORY",
            detail="the device ran out of memory",
            not_before=NOON + timedelta(seconds=10),
            now=NOON,
        )
        record_promise(session, "ARCHIVE", "2.25.900", [("1.2.840.10008.5.1.4.1.1.1.1", "2.25.31")], now=NOON)
    first, second = _pending(sessions, sending)
    with transaction(sessions) as session:
        claim = deliveries.claim_delivery(session, second, owner="network-1", lease_s=LEASE_S, now=NOON)
        assert claim is not None
        circuit_breaker.node_failed(session, claim.node.remote_node_id, circuit_breaker.BreakerPolicy(), now=NOON)
        deliveries.delivery_postponed(
            session, claim, code="NO_ANSWER", detail="none", not_before=NOON, status=None, now=NOON
        )
    soon = NOON + timedelta(seconds=5)
    with transaction(sessions) as session:
        [request_id] = plan_requests(session, CommitmentPolicy(), now=soon)
        asking = commitments.claim_request(session, request_id, owner="network-1", lease_s=LEASE_S, now=soon)
        assert asking is not None
    return _claim(sessions, running), _claim_delivery(sessions, first), asking, queued


def go_on_working(sessions: Sessions, held: tuple[Claim, DeliveryClaim, RequestClaim, str]) -> None:
    """Node and workers of this release do each thing once more: what they held, and what they take now."""
    running, sending, asking, queued = held
    _derive(sessions, running)
    _send(sessions, sending)
    soon = NOON + timedelta(seconds=6)
    with transaction(sessions) as session:
        assert commitments.request_accepted(session, asking, timeout_s=3600, now=soon)
    with transaction(sessions) as session:
        uids = {instance.sop_instance_uid for instance in asking.instances}
        record_report(
            session,
            asking.transaction_uid,
            reporting_ae_title="ARCHIVE",
            committed=uids,
            failed={},
            most_resends=3,
            now=soon,
        )
    late = NOON + timedelta(seconds=60)
    with transaction(sessions) as session:
        jobs.queue_depth(session, 1000)
        due_jobs(session, late, 50)
        due_jobs(session, late, 50, purpose=JobPurpose.REFUSAL_NOTICE)
        delivery_queue.due_deliveries(session, late, 50)
    arrived = _receive(sessions)
    _derive(sessions, _claim(sessions, queued))
    for delivery_id in _pending(sessions, queued):
        _send(sessions, _claim_delivery(sessions, delivery_id))
    with transaction(sessions) as session:
        delivery_proven(session, sending.delivery_id, state=DeliveryState.VERIFIED, detail="listed", now=late)
        jobs.refuse(session, _claim(sessions, arrived, session), code="NOT_FRONTAL", detail="lateral", now=late)


@contextmanager
def statements(engine: Engine, *, reads: bool) -> Iterator[list[Recorded]]:
    """What `engine` sends meanwhile, with its values."""
    written: list[Recorded] = []
    render = _renderer(engine)

    def remember(_: Connection, cursor: object, statement: str, parameters: object, *__: object) -> None:
        verb = statement.split(None, 1)[0]
        if verb in {"INSERT", "UPDATE", "DELETE"} or (reads and verb == "SELECT"):
            rows = getattr(cursor, "rowcount", None) if verb == "UPDATE" else None
            written.append(Recorded(render(statement, parameters), rows))

    event.listen(engine, "after_cursor_execute", remember)
    yield written
    event.remove(engine, "after_cursor_execute", remember)


def _renderer(engine: Engine) -> Callable[[str, object], str]:
    if engine.dialect.name == "sqlite":
        return lambda statement, parameters: _sqlite_literal(statement, tuple(parameters))  # type: ignore[arg-type]
    connection = psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    cursor = psycopg.ClientCursor(connection)
    return lambda statement, parameters: cursor.mogrify(statement, parameters)  # type: ignore[arg-type]


def _sqlite_literal(statement: str, parameters: tuple[object, ...]) -> str:
    parts = statement.split("?")
    assert len(parts) == len(parameters) + 1, statement
    values = ["NULL" if p is None else str(int(p)) if isinstance(p, int) else _quoted(str(p)) for p in parameters]
    return "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _receive(sessions: Sessions) -> str:
    with transaction(sessions) as session:
        job_id = record(session, facts(), sha256="a" * 64).job_id
    assert job_id is not None
    return job_id


def _claim(sessions: Sessions, job_id: str, session: Session | None = None) -> Claim:
    if session is None:
        with transaction(sessions) as opened:
            return _claim(sessions, job_id, opened)
    claim = jobs.claim(session, job_id, owner="gpu-1", lease_s=LEASE_S, now=NOON)
    assert claim is not None
    return claim


def _derive(sessions: Sessions, claim: Claim) -> None:
    picture = result_facts(sop_instance_uid=f"{claim.sop_instance_uid}.1")
    with transaction(sessions) as session:
        assert jobs.renew(session, claim, lease_s=LEASE_S, step=1, total_steps=1, now=NOON)
    with transaction(sessions) as session:
        assert jobs.record_derived(session, claim, derived_facts(picture), now=NOON)


def _pending(sessions: Sessions, job_id: str) -> list[int]:
    with transaction(sessions) as session:
        return delivery_queue.pending_deliveries(session, job_id, now=NOON)


def _claim_delivery(sessions: Sessions, delivery_id: int) -> DeliveryClaim:
    with transaction(sessions) as session:
        claim = deliveries.claim_delivery(session, delivery_id, owner="network-1", lease_s=LEASE_S, now=NOON)
    assert claim is not None
    return claim


def _send(sessions: Sessions, claim: DeliveryClaim) -> None:
    with transaction(sessions) as session:
        assert deliveries.renew_delivery(session, claim, lease_s=LEASE_S, now=NOON)
        circuit_breaker.node_answered(session, claim.node.remote_node_id)
        if claim.node.name == "viewer" and claim.result.kind is ResultKind.SOFT_TISSUE and claim.attempts == 1:
            assert deliveries.delivery_replaced(
                session, claim, _secondary_capture(claim.result), code="SOP_CLASS_NOT_ACCEPTED", status=None, now=NOON
            )
        else:
            assert deliveries.delivery_sent(session, claim, status=0, now=NOON)


def _secondary_capture(result: ResultFacts) -> ResultFacts:
    return result_facts(
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
        sop_instance_uid=f"{result.sop_instance_uid}.7",
        path="derived/cc/c.dcm",
        sha256="c" * 64,
    )


def main(revision: str) -> None:
    """Write both files beside this module."""
    programs = postgres_programs()
    assert programs is not None, "expected PostgreSQL"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_postgres(programs))
        postgres = stack.enter_context(fresh_database(server))
        for dialect, url in (("sqlite", f"sqlite:///{folder / 'softray.sqlite3'}"), ("postgresql", postgres)):
            write_release(revision, dialect, record_release(url, revision))


if __name__ == "__main__":
    main(sys.argv[1])
