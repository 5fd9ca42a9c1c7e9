"""docs/api.md names every route of version 1 with its right, and every filter of the list of jobs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from service.api.route_rules import RULES
from service.api.search import StudyFilter, job_filter

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
ROW = re.compile(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(/\S+)` \| (\w+) \|", re.MULTILINE)


def test_the_table_is_the_rules() -> None:
    listed = ROW.findall(DOCUMENT.read_text())
    rules = [(rule.method, rule.path, str(rule.right)) for rule in RULES if rule.path.startswith("/api/v1/")]
    assert sorted(listed) == sorted(rules)


def test_every_filter_is_named() -> None:
    text = DOCUMENT.read_text()
    wanted = {*inspect.signature(job_filter).parameters, *inspect.signature(StudyFilter).parameters}
    assert {name for name in wanted if f"`{name}`" not in text} == set()
