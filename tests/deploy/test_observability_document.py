"""docs/observability.md names every log event, every metric and every alert that there is, and no other."""

from __future__ import annotations

import re
from collections import Counter

from service.api.health import CHECKS
from tests.deploy.dockerfile import ROOT
from tests.deploy.log_events import log_events

TEXT = (ROOT / "docs" / "observability.md").read_text()
METRICS, _, LOGS = TEXT.partition("## Log lines")


def test_every_log_event_of_the_sources_is_documented_once_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \|", LOGS, flags=re.MULTILINE)
    events = log_events()
    assert len(events) > 80
    assert {event: where for event, where in events.items() if event not in documented} == {}
    assert set(documented) - set(events) == set()
    assert {event for event, times in Counter(documented).items() if times > 1} == set()


def test_every_metric_is_documented_and_no_other() -> None:
    sources = [ROOT / "service" / "api" / "metrics.py", *(ROOT / "service" / "observability").glob("*.py")]
    offered = {name for path in sources for name in re.findall(r'"(softray_[a-z_]+)"', path.read_text())}
    assert set(re.findall(r"`(softray_[a-z_]+)`", METRICS)) == offered


def test_every_alert_is_documented_and_no_other() -> None:
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    assert re.findall(r"^\| `(Softray\w+)` \|", METRICS, flags=re.MULTILINE) == alerts


def test_every_check_of_readiness_is_documented() -> None:
    assert {check for check in CHECKS if f"`{check}`" not in METRICS} == set()


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
