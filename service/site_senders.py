"""The sections `[[sender]]` of the site file: what this site decides about one calling AE title."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from service.priorities import Priority
from service.settings import checked_ae_title


class SenderSection(BaseModel):
    """One `[[sender]]`; a key that is None leaves the sender as any other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ae_title: str
    priority: Literal["stat", "routine", "prior"] | None = None

    @field_validator("ae_title")
    @classmethod
    def _is_an_ae_title(cls, value: str) -> str:
        return checked_ae_title(value)


def priorities_of(senders: tuple[SenderSection, ...]) -> dict[str, Priority]:
    """The priority of each sender that has one."""
    return {sender.ae_title: Priority(sender.priority.upper()) for sender in senders if sender.priority is not None}
