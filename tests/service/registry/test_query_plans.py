"""What is asked every few seconds is found by index, however many finished rows there are (SQLite says how)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.registry.commitment_claims import CommitmentPolicy
from service.registry.commitment_plan import plan_requests
from service.registry.commitments import due_requests
from service.registry.remote_nodes import DeliveryTerms, add_remote_node
from tests.service.registry.factories import NOON


@pytest.fixture
def empty_database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'softray.sqlite3'}"


@pytest.fixture
def plans(engine: Engine, sessions: sessionmaker[Session]) -> Callable[[Callable[[Session], object]], str]:
    """How SQLite finds the rows that a function asks for."""
    add_pacs(sessions)
    asked: list[tuple[str, object]] = []

    def remember(_: Connection, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    def plans_of(ask: Callable[[Session], object]) -> str:
        event.listen(engine, "before_cursor_execute", remember)
        with transaction(sessions) as session:
            ask(session)
        event.remove(engine, "before_cursor_execute", remember)
        with engine.connect() as connection:
            rows = [
                row
                for statement, parameters in asked
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            ]
        return "\n".join(row.detail for row in rows)

    return plans_of


def add_pacs(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        add_remote_node(
            session,
            name="pacs",
            ae_title="PACS",
            host="127.0.0.1",
            port=104,
            may_send=False,
            receives_results=True,
            now=NOON,
            terms=DeliveryTerms(requests_commitment=True),
        )


def test_requests_whose_follow_up_has_ended_are_not_read_again(
    plans: Callable[[Callable[[Session], object]], str],
) -> None:
    found = plans(lambda session: due_requests(session, now=NOON, limit=20))
    assert "(state=? AND not_before<?)" in found
    assert "SCAN commitment_requests" not in found


def test_deliveries_that_were_asked_about_are_not_read_again(
    plans: Callable[[Callable[[Session], object]], str],
) -> None:
    found = plans(lambda session: plan_requests(session, CommitmentPolicy(), now=NOON))
    assert "(remote_node_id=? AND state=? AND commitment_request_id=?)" in found
