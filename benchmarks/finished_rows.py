"""A registry with many images in it, finished ones as a year of work would leave them or waiting ones, in bulk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, Engine, insert, text

from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.result_kinds import ResultKind
from service.registry.tables import Delivery, Instance, Job, JobEvent, RejectedObject, Result, Series, Study, Table
from service.registry.urgency import Priority

Row = Mapping[str, object]
DX = "1.2.840.10008.5.1.4.1.1.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
WEIGHTS = hashlib.sha256(b"the weights of a year").hexdigest()
_AT_ONCE = 2000


def fill(engine: Engine, first: int, last: int, *, node_id: int, analyze: bool = True) -> None:
    """Images `first` to `last` (numbers from 1, used as row ids), all finished: 96 in 100 delivered to the node, 2
    failed, 1 refused by their picture, 1 not eligible; and a rejected object for each hundred. With `analyze`,
    statistics are brought up to date on PostgreSQL, as autovacuum does within a minute."""
    numbers = range(first, last + 1)
    _write(
        engine,
        {
            Study: map(_study, numbers),
            Series: map(_series, numbers),
            Instance: map(_instance, numbers),
            Job: (_job(n) for n in numbers if _has_job(n)),
            Result: (_result(n) for n in numbers if _is_delivered(n)),
            Delivery: (_delivery(n, node_id) for n in numbers if _is_delivered(n)),
            JobEvent: (event for n in numbers if _has_job(n) for event in _events(n)),
            RejectedObject: (_rejected(n) for n in numbers if n % 100 == 0),
        },
        analyze=analyze,
    )


def fill_waiting(engine: Engine, first: int, last: int, *, node_id: int, now: datetime) -> None:
    """Images `first` to `last` that wait since `now`, all of them announced: one half for a worker, one to be sent."""
    numbers = range(first, last + 1)
    queued = {"state": JobState.QUEUED, "attempts": 0, "announced_at": now, "created_at": now}
    derived = {"state": JobState.DERIVED, "created_at": now}
    pending = {
        "state": DeliveryState.PENDING,
        "priority": Priority.ROUTINE,
        "attempts": 0,
        "sent_at": None,
        "dimse_status": None,
    }
    _write(
        engine,
        {
            Study: map(_study, numbers),
            Series: map(_series, numbers),
            Instance: ({**_instance(n), "eligible": True, "reason_code": None, "reason_detail": None} for n in numbers),
            Job: ({**_job(n), "reason_code": None, **(queued if n % 2 else derived)} for n in numbers),
            Result: (_result(n) for n in numbers if n % 2 == 0),
            Delivery: ({**_delivery(n, node_id), **pending, "announced_at": now} for n in numbers if n % 2 == 0),
        },
    )


def _write(engine: Engine, tables: Mapping[type[Table], Iterator[Row]], *, analyze: bool = True) -> None:
    with engine.begin() as connection:
        for table, rows in tables.items():
            while part := list(islice(rows, _AT_ONCE)):
                connection.execute(insert(table), part)
        if connection.dialect.name == "postgresql":
            _continue_numbers(connection)
    if analyze and engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _continue_numbers(connection: Connection) -> None:
    for table in ("studies", "series", "instances", "results", "deliveries"):
        connection.execute(
            text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        )


def _has_job(n: int) -> bool:
    return n % 100 != 99


def _is_delivered(n: int) -> bool:
    return n % 100 < 96


def _job_id(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012d}"


def _uid(kind: int, n: int) -> str:
    return f"2.25.{kind}{n:036d}"


def _sha256(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _at(n: int, seconds: float = 0.0) -> datetime:
    return FIRST + timedelta(seconds=10 * n + seconds)


def _study(n: int) -> Row:
    return {"id": n, "study_instance_uid": _uid(1, n), "first_received_at": _at(n), "last_received_at": _at(n)}


def _series(n: int) -> Row:
    return {"id": n, "study_id": n, "series_instance_uid": _uid(2, n), "modality": "DX"}


def _instance(n: int) -> Row:
    sha256 = _sha256("source", n)
    return {
        "id": n,
        "series_id": n,
        "sop_instance_uid": _uid(3, n),
        "sop_class_uid": DX,
        "transfer_syntax_uid": EXPLICIT,
        "path": f"source/{sha256[:2]}/{sha256}.dcm",
        "sha256": sha256,
        "size_bytes": 8_000_000,
        "calling_ae_title": f"MODALITY{n % 7}",
        "body_part": "CHEST",
        "irradiation_event_uid": _uid(4, n),
        "received_at": _at(n),
        "eligible": _has_job(n),
        "reason_code": None if _has_job(n) else "VIEW_NOT_FRONTAL",
        "reason_detail": None if _has_job(n) else "expected PA or AP, found LATERAL",
    }


def _job(n: int) -> Row:
    state = JobState.DELIVERED if _is_delivered(n) else JobState.REFUSED if n % 100 == 98 else JobState.FAILED
    return {
        "id": _job_id(n),
        "instance_id": n,
        "purpose": JobPurpose.SUPPRESS,
        "state": state,
        "priority": Priority.ROUTINE,
        "source": f"MODALITY{n % 7}",
        "turn": n,
        "reason_code": None if _is_delivered(n) else "DECODE_FAILED",
        "reason_detail": None,
        "attempts": 1,
        "announced_at": _at(n),
        "fencing_token": 1,
        "step": 1,
        "total_steps": 1,
        "model_sha256": WEIGHTS,
        "created_at": _at(n),
        "updated_at": _at(n, 3),
    }


def _result(n: int) -> Row:
    sha256 = _sha256("derived", n)
    return {
        "id": n,
        "job_id": _job_id(n),
        "kind": ResultKind.SOFT_TISSUE,
        "sop_class_uid": DX,
        "sop_instance_uid": _uid(5, n),
        "series_instance_uid": _uid(6, n),
        "path": f"derived/{sha256[:2]}/{sha256}.dcm",
        "sha256": sha256,
        "created_at": _at(n, 2),
    }


def _delivery(n: int, node_id: int) -> Row:
    return {
        "id": n,
        "job_id": _job_id(n),
        "result_id": n,
        "remote_node_id": node_id,
        "state": DeliveryState.SENT,
        "attempts": 1,
        "resends": 0,
        "sent_at": _at(n, 3),
        "announced_at": _at(n, 2),
        "fencing_token": 1,
        "dimse_status": 0,
        "updated_at": _at(n, 3),
    }


def _events(n: int) -> Iterator[Row]:
    history: list[tuple[str, JobState | None, JobState | None]] = [
        ("queued", None, JobState.QUEUED),
        ("claimed", JobState.QUEUED, JobState.RUNNING),
    ]
    if _is_delivered(n):
        history += [
            ("derived", JobState.RUNNING, JobState.DERIVED),
            ("delivery_planned", None, None),
            ("delivery_claimed", None, None),
            ("delivery_sent", None, None),
            ("delivered", JobState.DERIVED, JobState.DELIVERED),
        ]
    else:
        history.append(("failed", JobState.RUNNING, JobState.FAILED))
    for second, (event, from_state, to_state) in enumerate(history):
        yield {
            "job_id": _job_id(n),
            "at": _at(n, second / 2),
            "event": event,
            "from_state": from_state,
            "to_state": to_state,
        }


def _rejected(n: int) -> Row:
    return {
        "received_at": _at(n),
        "reason_code": "CALLER_NOT_ALLOWED",
        "detail": "the calling AE title may not send",
        "calling_ae_title": "UNKNOWN",
        "sop_instance_uid": _uid(7, n),
    }
