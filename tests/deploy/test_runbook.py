"""The runbook names commands, settings, log events, metrics and codes that exist, and every code there is, once."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer

from service.cli import app
from service.settings import Settings
from tests.deploy.dockerfile import ROOT
from tests.deploy.reason_codes import all_strings, reason_codes

FOLDER = ROOT / "docs" / "runbook"
INDEX = ROOT / "docs" / "operating.md"
CODES = FOLDER / "codes.md"
PAGES = [INDEX, *sorted(FOLDER.glob("*.md"))]
SYMPTOMS = [page for page in PAGES if page not in (INDEX, CODES)]
COMPOSE_ONLY = {"SOFTRAY_SETTINGS_FILE", "SOFTRAY_SITE_FILE_HERE", "SOFTRAY_ENV_FILE"}


def documented_codes() -> list[str]:
    """The codes in the first column of the tables."""
    first_cells = re.findall(r"^\| (`[A-Z].*?) \|", CODES.read_text(), flags=re.MULTILINE)
    return [code for cell in first_cells for code in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)]


def test_every_code_of_the_sources_is_documented_and_no_other() -> None:
    codes = reason_codes()
    assert len(codes) > 200
    documented = set(documented_codes())
    assert {code: where for code, where in codes.items() if code not in documented} == {}
    assert documented <= all_strings(), documented - all_strings()


def test_no_code_is_documented_twice() -> None:
    assert {code: times for code, times in Counter(documented_codes()).items() if times > 1} == {}


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\(runbook/([a-z0-9-]+\.md)\)", INDEX.read_text()))
    assert linked == {page.name for page in FOLDER.glob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).resolve().exists()] == []


@pytest.mark.parametrize("page", SYMPTOMS, ids=lambda page: page.name)
def test_a_page_of_a_symptom_says_how_it_ends(page: Path) -> None:
    text = page.read_text()
    if page.stem != "upgrade":
        assert "## How you know that it" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_exists(page: Path) -> None:
    known = {f"SOFTRAY_{name.upper()}" for name in Settings.model_fields} | COMPOSE_ONLY
    assert set(re.findall(r"SOFTRAY_[A-Z_]+", page.read_text())) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_event_and_metric_named_exists(page: Path) -> None:
    text = page.read_text()
    named = {event for event in re.findall(r"`([a-z]+(?:_[a-z]+)+)[` ]", text) if not event.startswith("softray_")}
    texts = all_strings() | {f"{what}_{end}" for what in ("inference", "notice") for end in ("postponed", "failed")}
    foreign = {"stop_grace_period", "pg_isready", "pg_restore"}
    texts |= set(re.findall(r"\b[a-z_]+\b", (ROOT / "deploy" / "site.example.toml").read_text()))
    fields = set(re.findall(r"\b([a-z_]+)=", " ".join((ROOT / "dicom_node" / "handlers.py").read_text().split())))
    assert {name for name in named if name not in texts | foreign | fields | {"not_before"}} == set()
    metrics = set(re.findall(r"`(softray_[a-z_]+)", text))
    assert metrics <= set(re.findall(r'"(softray_[a-z_]+)"', (ROOT / "service" / "api" / "metrics.py").read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists_with_its_options(page: Path) -> None:
    text = page.read_text()
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(softray [a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL).replace("\n", " "))
    for line in lines:
        words = shlex.split(line.replace("…", ""), comments=True)
        if words and Path(words[0]).name == "softray":
            problem = unknown_part(words[1:])
            assert problem is None, f"{line}: {problem}"


def unknown_part(words: list[str]) -> str | None:
    """What of a command line softray does not know."""
    command: Any = typer.main.get_command(app)  # of typer's own copy of click, or of click
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return next((word for word in words if word.startswith("--") and word not in known), None)
