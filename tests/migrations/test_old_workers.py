"""An upgrade under way: workers of the previous release go on in the new schema, and the new code ends what they began.

`releases/` holds what that release writes, statement for statement (`record_release`).
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.database import make_engine, make_session_factory, transaction, upgrade
from service.registry.job_states import DeliveryState, JobState
from service.registry.tables import Delivery, Instance, Job, RemoteNode
from tests.migrations.release_file import execute, read_release
from tests.service.registry.factories import NOON
from tests.state_machine.fair_schedule import run_to_the_end
from tests.state_machine.invariants import check_registry, read_registry
from tests.state_machine.world import World

RELEASE = "0004"


@pytest.fixture
def upgraded(empty_database_url: str) -> sessionmaker[Session]:
    """A registry filled by the previous release, its schema brought to the newest, its workers still at work."""
    upgrade(empty_database_url, RELEASE)
    engine = make_engine(empty_database_url)
    sections = read_release(RELEASE, engine.dialect.name)
    with engine.begin() as connection:
        execute(connection, sections["fill"])
    upgrade(empty_database_url)
    with engine.begin() as connection:
        execute(connection, sections["old_workers"])
    return make_session_factory(engine)


def acknowledged(sessions: sessionmaker[Session]) -> dict[str, str]:
    with transaction(sessions, read_only=True) as session:
        return {row.sop_instance_uid: row.sha256 for row in session.scalars(select(Instance))}


def test_what_workers_of_the_previous_release_wrote_holds_together(upgraded: sessionmaker[Session]) -> None:
    with transaction(upgraded, read_only=True) as session:
        registry = read_registry(session)
        check_registry(registry, {row.sop_instance_uid: row.sha256 for row in registry.instances})
    states = [job.state for job in registry.jobs]
    # Eight jobs from before the upgrade, one that arrived after it at a node of the previous release.
    assert len(states) == 9
    assert set(states) >= {JobState.QUEUED, JobState.DERIVED, JobState.FAILED, JobState.REFUSED}
    sent = {delivery.state for of_job in registry.deliveries.values() for delivery in of_job}
    assert sent >= {DeliveryState.PENDING, DeliveryState.COMMITTED, DeliveryState.REPLACED}


def test_every_job_from_before_the_upgrade_is_finished_after_it(
    upgraded: sessionmaker[Session], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(upgraded, tmp_path_factory.mktemp("instances"))
    world.clock.now = NOON + timedelta(minutes=5)
    world.acknowledged = acknowledged(upgraded)
    run_to_the_end(world)
    with transaction(upgraded, read_only=True) as session:
        states = Counter(session.scalars(select(Job.state)))
        proven = set(
            session.scalars(
                select(Delivery.state)
                .join(RemoteNode, RemoteNode.id == Delivery.remote_node_id)
                .where(RemoteNode.name == "archive")
            )
        )
    # The viewer is not asked for a proof, so that a job which went to both stays DELIVERED.
    assert states == {JobState.DELIVERED: 7, JobState.FAILED: 1, JobState.REFUSED: 1}
    assert proven == {DeliveryState.COMMITTED, DeliveryState.VERIFIED}
