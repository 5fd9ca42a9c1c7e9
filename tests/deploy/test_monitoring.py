"""The Prometheus rules, the example of a scrape and the Grafana dashboard: sound, tried, and of metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update

from service.observability.totals import count_finished
from service.registry.audit_tables import AuditCursor
from service.registry.tables import Instance, Job
from service.registry.upkeep_tasks import claim_task, pass_ended
from tests.deploy.dockerfile import ROOT
from tests.service.api.installation import STARTED, install

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "softray.json").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
UNITS = {"short", "s", "bytes", "percent"}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The metrics of an installation with something of everything: name to the names of its labels."""
    installation = install(tmp_path_factory.mktemp("scraped"))
    installation.add_destination("pacs")
    sent = installation.receive("2.25.7")
    installation.derive(sent)
    installation.deliver(sent)
    installation.receive("2.25.7")
    installation.receive("2.25.7", reason_code="VIEW_NOT_FRONTAL", reason_detail="found 'LL'")
    installation.reject()
    with installation.sessions.begin() as session:
        session.execute(insert(AuditCursor).values(receiver="syslog", seq=0, fencing_token=0))
        claim = claim_task(session, "orphans", owner="network-1", lease_s=60, now=STARTED)
        assert claim is not None
        pass_ended(session, claim, None, now=STARTED)
        count_finished(session, owner="network-1", now=STARTED + timedelta(days=1))
        session.execute(update(Job).values(late_at=STARTED))
        session.execute(update(Instance).values(file_fault="STORED_FILE_MISSING", file_fault_at=STARTED))
    answer = TestClient(installation.app()).get("/metrics")
    installation.sessions.kw["bind"].dispose()
    found: dict[str, set[str]] = {"up": {"instance", "job"}}
    for family in text_string_to_metric_families(answer.text):
        found.setdefault(family.name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def test_every_metric_of_rules_and_dashboard_is_in_a_real_scrape(scraped: dict[str, set[str]]) -> None:
    named = {name for expression in expressions() for name in re.findall(r"\bsoftray_[a-z_]+", expression)}
    assert len(named) > 15
    assert named - set(scraped) == set()


def test_every_metric_that_is_scraped_is_on_the_dashboard(scraped: dict[str, set[str]]) -> None:
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    families = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in scraped if name != "up"}
    assert {name for name in families if name not in shown} == set()


def test_every_label_that_a_panel_or_an_alert_names_exists(scraped: dict[str, set[str]]) -> None:
    for target in (target for panel in DASHBOARD["panels"] for target in panel["targets"]):
        labels = set().union(*(scraped[name] for name in re.findall(r"softray_[a-z_]+", target["expr"])))
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, target
    for rule in RULES:
        known = set().union(*(scraped[name] for name in re.findall(r"softray_[a-z_]+", rule["expr"])))
        used = re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))
        assert set(used) <= known | {"instance"}, rule["alert"]


def test_every_alert_leads_to_a_page_of_the_runbook() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        page = re.fullmatch(
            r"https://softray\.example/(docs/runbook/[a-z0-9-]+\.md)", rule["annotations"]["runbook_url"]
        )
        assert page is not None, rule["alert"]
        assert (ROOT / page[1]).is_file(), rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_every_alert_is_tried_both_firing_and_silent() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    every = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == every
    well = next(test for test in tests if test["name"] == "all is well")
    assert {case["alertname"] for case in well["alert_rule_test"] if case["exp_alerts"] == []} == every


def promtool(*arguments: str, folder: Path = PROMETHEUS) -> str:
    """What promtool says; the test fails when it does not agree."""
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
def test_promtool_takes_the_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "alerts.yml")


@needs_promtool
def test_promtool_takes_the_example_of_a_scrape(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    (tmp_path / "softray.token").write_text("token")
    assert "is valid prometheus config" in promtool("check", "config", "prometheus.yml", folder=tmp_path)


@needs_promtool
def test_the_alerts_fire_when_they_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@needs_promtool
def test_promtool_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$instance", ".*")} for number, query in enumerate(queries)
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", "panels.yml", folder=tmp_path)


def test_the_dashboard_is_what_grafana_reads() -> None:
    assert {"uid", "title", "schemaVersion", "time", "templating", "panels"} <= set(DASHBOARD)
    assert DASHBOARD["schemaVersion"] >= 36
    assert "id" not in DASHBOARD, "an id is of one Grafana, and keeps another from importing"
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert {"datasource", "instance"} == variables
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers) >= 15
    for panel in DASHBOARD["panels"]:
        assert panel["type"] in {"timeseries", "stat"}, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert [target["refId"] for target in panel["targets"]] == [chr(65 + i) for i in range(len(panel["targets"]))]
        for target in panel["targets"]:
            assert set(re.findall(r"\$\{?(\w+)", target["expr"])) <= variables


def test_no_panel_lies_on_another_or_beside_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
