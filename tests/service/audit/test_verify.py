from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.audit.chain import NO_SHA256, ChainedEvent
from service.audit.records import Head, hold_moment, read_events, read_head
from service.audit.verify import Break, verify
from service.database import transaction
from tests.service.audit.factories import chain_of, event, write

Tamper = Callable[[list[ChainedEvent]], list[ChainedEvent]]


@pytest.fixture
def chain(sessions: sessionmaker[Session]) -> list[ChainedEvent]:
    write(sessions, *(event(number) for number in range(1, 11)))
    return chain_of(sessions)


def head(chain: list[ChainedEvent]) -> Head:
    return Head(chain[-1].seq, chain[-1].sha256)


def altered(chain: list[ChainedEvent]) -> list[ChainedEvent]:
    return [*chain[:4], replace(chain[4], actor="somebody else"), *chain[5:]]


def altered_and_hashed_again(chain: list[ChainedEvent]) -> list[ChainedEvent]:
    forged = replace(chain[4], actor="somebody else")
    return [*chain[:4], replace(forged, sha256=forged.hashed()), *chain[5:]]


@pytest.mark.parametrize(
    ("tamper", "broken", "seq"),
    [
        (altered, Break.ALTERED, 5),
        (altered_and_hashed_again, Break.NOT_LINKED, 6),
        (lambda chain: [*chain[:4], *chain[5:]], Break.MISSING, 5),
        (lambda chain: chain[1:], Break.MISSING, 1),
        (lambda chain: [*chain[:4], chain[5], chain[4], *chain[6:]], Break.MISSING, 5),
        (lambda chain: chain[:-2], Break.END_MISSING, 9),
        (lambda chain: [], Break.END_MISSING, 1),
    ],
)
def test_the_first_broken_event_is_named(chain: list[ChainedEvent], tamper: Tamper, broken: Break, seq: int) -> None:
    assert verify(chain, head(chain)).broken is None
    found = verify(tamper(chain), head(chain))
    assert (found.broken, found.seq) == (broken, seq)
    assert str(seq) in found.message


def test_an_empty_chain_is_whole() -> None:
    assert verify([], Head(0, NO_SHA256)).broken is None


def test_a_chain_that_was_rewritten_as_a_whole_is_found_out_by_a_checkpoint(chain: list[ChainedEvent]) -> None:
    noted = Head(chain[6].seq, chain[6].sha256)
    forged: list[ChainedEvent] = []
    for one in chain:
        previous = forged[-1].sha256 if forged else NO_SHA256
        unhashed = replace(one, previous_sha256=previous, actor="nobody")
        forged.append(replace(unhashed, sha256=unhashed.hashed()))
    assert verify(forged, head(forged)).broken is None
    assert verify(forged, head(forged), noted).broken is Break.CHECKPOINT_DIFFERS
    cut = chain[:5]
    assert verify(cut, head(cut), noted).broken is Break.END_MISSING


def test_a_head_that_is_gone_or_other_is_said(chain: list[ChainedEvent]) -> None:
    assert verify(chain, None).broken is Break.HEAD_DIFFERS
    assert verify(chain, Head(10, NO_SHA256)).broken is Break.HEAD_DIFFERS
    assert verify(chain, Head(3, chain[2].sha256)).broken is Break.HEAD_DIFFERS


def test_a_trail_that_is_written_while_it_is_read_is_whole(sessions: sessionmaker[Session]) -> None:
    write(sessions, *(event(number) for number in range(3)))
    with transaction(sessions, read_only=True) as session:
        hold_moment(session)
        head = read_head(session)
        write(sessions, event(3))
        found = verify(read_events(session), head)
    assert (found.broken, found.checked) == (None, 3)
