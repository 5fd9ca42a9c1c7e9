"""The types of the registry's columns."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, SmallInteger, String, TypeDecorator

from service.priorities import Priority


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware datetime in UTC; SQLite, which drops the zone, stores it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes, which mean a different instant on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("expected a timezone-aware datetime, found a naive one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always timezone-aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ForeignText(TypeDecorator[str]):
    """Text that a peer or a library made up: cut to its length, and without NUL, which PostgreSQL refuses.

    Otherwise a strange header value could keep the very record of it from being written.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length=length)
        self.kept_characters = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What the database can hold of `value`."""
        return None if value is None else value.replace("\0", "")[: self.kept_characters]


class PriorityRank(TypeDecorator[Priority]):
    """A Priority, kept as its rank so that the database orders by urgency."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Priority | None, dialect: Dialect) -> int | None:
        """The rank, 0 for the most urgent."""
        return None if value is None else Priority(value).rank

    def process_result_value(self, value: int | None, dialect: Dialect) -> Priority | None:
        """The class of the rank."""
        return None if value is None else Priority.of_rank(value)


ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
UID = String(64)  # PS3.5 §9.1
AE_TITLE = ForeignText(16)
SHA256 = String(64)
CODE = String(64)
PATH = String(255)
DETAIL = ForeignText(2000)
JOB_ID = String(36)
