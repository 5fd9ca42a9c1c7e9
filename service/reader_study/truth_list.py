"""Read a truth list: what is there on each radiograph of a study, according to CT, follow-up or a panel.

CSV with a heading, or JSON with a list of objects; both with the fields of `FIELDS`. A finding without `width` and
`height` is a point. A radiograph without findings has one line with nothing but its UID, so that a radiograph which was
forgotten is not taken for a healthy one.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping

from service.errors import PermanentError
from service.reader_study.findings import Region, TrueFinding

FIELDS = ("sop_instance_uid", "column", "row", "width", "height", "type")
LONGEST_KIND = 64
MOST_LINES = 10_000

TruthList = Mapping[str, tuple[TrueFinding, ...]]
"""Findings by SOP Instance UID of the original; an empty tuple: looked at, nothing there."""


def read_truth_list(text: str) -> TruthList:
    """The list in `text`. Raises PermanentError TRUTH_LIST_INVALID, which names the line and not what stands there."""
    lines = _json_lines(text) if text.lstrip().startswith(("[", "{")) else _csv_lines(text)
    found: dict[str, list[TrueFinding]] = {}
    healthy: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if number > MOST_LINES:
            raise _invalid(f"expected at most {MOST_LINES} lines")
        uid = line.get("sop_instance_uid", "")
        if not uid or len(uid) > 64 or not set(uid) <= set("0123456789."):
            raise _invalid(f"line {number}: expected a SOP Instance UID of digits and points")
        findings = found.setdefault(uid, [])
        finding = _finding(line, number)
        if finding is None:
            healthy.add(uid)
        else:
            findings.append(finding)
        if uid in healthy and (findings or finding is not None):
            raise _invalid(f"line {number}: this radiograph is said to have findings and to have none")
    if not found:
        raise _invalid("expected at least one line")
    return {uid: tuple(findings) for uid, findings in found.items()}


def _finding(line: Mapping[str, str], number: int) -> TrueFinding | None:
    if not any(line.get(field) for field in FIELDS[1:]):
        return None
    kind = line.get("type", "")
    if not kind or len(kind) > LONGEST_KIND or not kind.isprintable():
        raise _invalid(f"line {number}: expected a type of 1 to {LONGEST_KIND} characters")
    width, height = _length(line, "width", number, default=0.0), _length(line, "height", number, default=0.0)
    return TrueFinding(Region(_length(line, "column", number), _length(line, "row", number), width, height), kind)


def _length(line: Mapping[str, str], field: str, number: int, default: float | None = None) -> float:
    written = line.get(field, "")
    if written == "" and default is not None:
        return default
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100_000:  # also false for NaN
        raise _invalid(f"line {number}: expected {field} as a number of pixels from 0")
    return value


def _csv_lines(text: str) -> Iterable[Mapping[str, str]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="", strict=True)
    try:
        heading = [name.strip() for name in reader.fieldnames or ()]
        _require_fields(heading)
        reader.fieldnames = heading
        for line in reader:
            if "" in line:
                raise _invalid(f"line {reader.line_num}: expected as many fields as in the heading")
            yield {field: (line[field] or "").strip() for field in heading}
    except csv.Error:
        raise _invalid(f"line {reader.line_num}: expected CSV") from None


def _json_lines(text: str) -> Iterable[Mapping[str, str]]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("expected JSON, or CSV with a heading") from None
    if not isinstance(listed, list) or not all(isinstance(line, dict) for line in listed):
        raise _invalid("expected a list of objects")
    for line in listed:
        _require_fields(line)
        if not all(value is None or isinstance(value, str | int | float) for value in line.values()):
            raise _invalid("expected numbers and text as values")
        yield {field: "" if value is None else str(value).strip() for field, value in line.items()}


def _require_fields(names: Iterable[str]) -> None:
    listed = set(names)
    if "sop_instance_uid" not in listed or not listed <= set(FIELDS):
        raise _invalid(f"expected fields out of {', '.join(FIELDS)}, the first of them always")


def _invalid(message: str) -> PermanentError:
    return PermanentError("TRUTH_LIST_INVALID", message)
