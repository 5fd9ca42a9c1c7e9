from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service import dashboard
from service.api.schemas import StudyState
from service.dashboard.pages import LABELS
from service.dashboard.what_helps import codes_with_help
from tests.service.api.installation import Installation, install

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def client(installation: Installation) -> TestClient:
    return TestClient(installation.app())


def test_the_list_shows_state_time_and_reason(client: TestClient, installation: Installation) -> None:
    installation.fail(installation.receive("1.2.3"))
    page = client.get("/pages/studies").text
    assert "1.2.3" in page
    assert "Failed" in page
    assert "PIXELS_UNDECODABLE" in page
    assert "2026-01-31 12:00:00 UTC" in page


def test_an_empty_list_says_what_to_do(client: TestClient) -> None:
    assert "softray remote add" in client.get("/").text


def test_the_list_has_pages(client: TestClient, installation: Installation) -> None:
    for number in range(3):
        installation.receive(f"1.2.{number}")
    first = client.get("/pages/studies", params={"limit": 2}).text
    [older] = re.findall(r'href="\?limit=2&amp;(cursor=[^"]+)" rel="next"', first)
    assert "1.2.0<" not in first
    assert "1.2.0<" in client.get(f"/pages/studies?limit=2&{older}").text


def test_a_study_shows_pictures_once_they_exist_and_retry_only_when_it_helps(
    client: TestClient, installation: Installation
) -> None:
    done, failed = installation.receive("1.2.1"), installation.receive("1.2.2")
    installation.derive(done)
    installation.fail(failed)
    with_pictures, without = client.get("/pages/studies/1.2.1").text, client.get("/pages/studies/1.2.2").text
    for name in ("source", "soft-tissue", "bone"):
        assert f"/api/v1/jobs/{done}/previews/{name}.png" in with_pictures
    assert "data-retry" not in with_pictures
    assert "previews" not in without
    assert f'data-retry="{failed}"' in without


def test_a_study_with_a_lateral_view_says_why_it_was_not_processed(
    client: TestClient, installation: Installation
) -> None:
    installation.receive("1.2.1", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    page = client.get("/pages/studies/1.2.1").text
    assert "NOT_FRONTAL" in page
    assert "View Position is LL" in page


def test_what_was_refused_and_what_was_not_processed_stand_on_one_page(
    client: TestClient, installation: Installation
) -> None:
    installation.reject()
    installation.receive("1.2.1", reason_code="NOT_FRONTAL", reason_detail="View Position is LL")
    page = client.get("/refused").text
    assert "UNPARSABLE" in page
    assert "NOT_FRONTAL" in page


def test_an_unknown_study_is_a_page_with_a_way_back(client: TestClient) -> None:
    answer = client.get("/pages/studies/1.2.3")
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


def test_everything_shown_is_escaped(client: TestClient, installation: Installation) -> None:
    installation.add_destination(SCRIPT)
    installation.reject(detail=SCRIPT)
    installation.receive(f"1.2{SCRIPT}", reason_code=SCRIPT, reason_detail=SCRIPT)
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    installation.deliver(job_id, status=0xA900)
    installation.fail(installation.receive("1.2.1"), SCRIPT, SCRIPT)
    for path in (
        "/",
        "/pages/images",
        "/pages/failures",
        "/pages/destinations",
        f"/pages/images/{job_id}",
        "/refused",
        "/pages/studies/1.2.1",
        "/pages/studies/1.2%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ):
        page = client.get(path).text
        assert "<script>" not in page, path
    assert "&lt;script&gt;" in client.get("/pages/studies/1.2.1").text


def test_every_state_has_a_label() -> None:
    assert set(LABELS) == {state.value for state in StudyState}


def test_nothing_comes_from_outside_and_no_style_or_script_is_inline() -> None:
    files = [file for file in Path(dashboard.__file__).parent.rglob("*") if file.suffix in {".html", ".css", ".js"}]
    assert len(files) >= 7
    for file in files:
        content = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"^\s*//.*$|\s// .*$", "", content, flags=re.MULTILINE), file.name
        if file.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|\|\s*safe", content), file.name


def test_the_api_page_names_every_operation_of_the_schema(client: TestClient) -> None:
    page, document = client.get("/docs").text, client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f"<code>{path}</code> {operation['summary']}" in page.replace("&#39;", "'")
            assert operation["description"].splitlines()[0] in page.replace("&#39;", "'")


def test_the_help_beside_a_code_is_for_codes_that_the_runbook_has() -> None:
    runbook = (Path(dashboard.__file__).parents[2] / "docs" / "runbook" / "codes.md").read_text()
    assert [code for code in codes_with_help() if f"`{code}`" not in runbook] == []


def test_counts_and_choices_are_offered_to_those_who_may_operate(
    client: TestClient, installation: Installation
) -> None:
    installation.fail(installation.receive("1.2.3"), "OUT_OF_MEMORY")
    page = client.get("/pages/failures").text
    assert "data-order" in page
    assert "make batches smaller" in page
