"""Who reads what in which order: a crossover of two sessions, balanced over readers and cases.

Every reader reads every case twice, once as the original alone and once with the soft-tissue image beside it, in two
sessions with a washout between them. In session 1 half of the cases are shown alone and half with the companion, the
other way round for the next reader; so neither reading is always the first, for a reader or for a case.

The cases follow one another as in a row of a balanced Latin square (E. J. Williams, Aust. J. Sci. Res. A 2 (1949)
149-168): over the square's rows each case stands equally often at each place and after each other case. Successive
readers take successive rows, and session 2 another row than session 1. All of it follows from the seed alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

SESSIONS = (1, 2)


class Reading(StrEnum):
    """What is shown of a case."""

    ORIGINAL = "ORIGINAL"
    WITH_SOFT_TISSUE = "WITH_SOFT_TISSUE"

    @property
    def other(self) -> Reading:
        """What the other session shows of the same case."""
        return Reading.WITH_SOFT_TISSUE if self is Reading.ORIGINAL else Reading.ORIGINAL


@dataclass(frozen=True)
class Turn:
    """One reading to be done; `case` counts from 0 in the order of the study's list."""

    session: int
    case: int
    reading: Reading


def reading_order(*, cases: int, reader: int, seed: int) -> tuple[Turn, ...]:
    """All readings of the reader whose number is `reader` (from 0), in the order in which they are shown.

    `cases` of at least 1. The same arguments give the same order on every machine and release.
    """
    if cases < 1 or reader < 0:
        raise ValueError(f"expected at least one case and a reader's number from 0, found {cases} and {reader}")
    shuffled = sorted(range(cases), key=lambda case: hashlib.sha256(f"{seed}/{case}".encode()).digest())
    rows = williams_square(cases)
    turns: list[Turn] = []
    for session in SESSIONS:
        # Half a square apart, so that session 2 does not repeat what the reader remembers of session 1.
        row = rows[(reader + (session - 1) * (len(rows) // 2)) % len(rows)]
        for place in row:
            alone_first = (place + reader) % 2 == 0
            first = Reading.ORIGINAL if alone_first else Reading.WITH_SOFT_TISSUE
            turns.append(Turn(session, shuffled[place], first if session == 1 else first.other))
    return tuple(turns)


def williams_square(size: int) -> tuple[tuple[int, ...], ...]:
    """Rows of 0 … size - 1 balanced for what precedes what: `size` rows, twice as many (mirrored) if it is odd."""
    zigzag = [(place + 1) // 2 if place % 2 else size - place // 2 for place in range(size)]
    rows = [tuple((step + shift) % size for step in zigzag) for shift in range(size)]
    if size % 2 and size > 1:
        rows += [row[::-1] for row in rows]
    return tuple(rows)
