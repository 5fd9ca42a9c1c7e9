"""`[retention]` of the site file: how long files stay once nobody needs them any more. Rows stay for good.

Only what has done its duty is ever removed: a source whose results have arrived (and are proven to be there, where
proof is asked for), or that was refused; never one whose job failed or is under way, or that softray has committed to
keep. So the defaults bound the disk without losing anything: the originals are in the archive, where they came from or
went to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[float, Field(ge=0, le=36500)]


class RetentionSection(BaseModel):
    """Days; 0: for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivered_days: Days = Field(default=30, description="Received images, after their results were delivered.")
    refused_days: Days = Field(default=30, description="Received images that are not processed, with their reason.")
    derived_days: Days = Field(default=30, description="Results, after they were delivered.")
    previews_days: Days = Field(default=30, description="Pictures of the admin page, after delivery.")
    quarantine_days: Days = Field(default=0, description="Other content under a known UID, after it came.")


def before(days: float, now: datetime) -> datetime | None:
    """The moment `days` ago; None: for ever."""
    return now - timedelta(days=days) if days > 0 else None
