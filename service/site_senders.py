"""`[[sender]]` of the site file: what this site decides about the images of one calling AE title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.priorities import Priority
from service.settings import checked_ae_title


class SenderSection(BaseModel):
    """One sender, by its AE title; a key that is left out means what holds for everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ae_title: str
    priority: Literal["stat", "routine", "prior"] | None = None
    quota_bytes: int | None = Field(
        default=None, gt=0, description="Bytes of its images that are not finished yet above which more are refused."
    )

    @field_validator("ae_title")
    @classmethod
    def _is_an_ae_title(cls, value: str) -> str:
        return checked_ae_title(value)


def quotas(senders: Sequence[SenderSection]) -> Mapping[str, int]:
    """Bytes by AE title, of those that have a quota."""
    return {one.ae_title: one.quota_bytes for one in senders if one.quota_bytes is not None}


def priorities_of(senders: tuple[SenderSection, ...]) -> dict[str, Priority]:
    """The priority of each sender that has one."""
    return {sender.ae_title: Priority(sender.priority.upper()) for sender in senders if sender.priority is not None}
