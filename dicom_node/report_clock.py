"""Dates and times of the documents we write, in the zone that their source's are in (PS3.3 C.12.1.1.8)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset

from dicom_node.header_values import text


def in_the_sources_zone(source: Dataset, now: datetime) -> datetime:
    """`now` in the source's Timezone Offset From UTC; as it is where there is none, or where `now` is naive."""
    offset = re.fullmatch(r"([+-])(\d\d)(\d\d)", text(source, "TimezoneOffsetFromUTC"), re.ASCII)
    if now.tzinfo is None or offset is None or int(offset[2]) > 14 or int(offset[3]) > 59:
        return now
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return now.astimezone(timezone(-distance if offset[1] == "-" else distance))


def date_of(now: datetime) -> str:
    """A DA."""
    return now.strftime("%Y%m%d")


def time_of(now: datetime) -> str:
    """A TM, with microseconds."""
    return now.strftime("%H%M%S.%f")
