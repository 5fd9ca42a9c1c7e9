"""`softray recall` as two administrators use it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.service.api.installation import Installation, install


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUDO_USER", "anna")
    return install(folder)


def run(*arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["recall", *arguments])
    return answer.exit_code, answer.output


def test_two_people_recall_what_the_dry_run_showed(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.add_destination()
    job_id = installation.receive("1.2.1")
    installation.derive(job_id)
    installation.deliver(job_id)
    model = ("--model", "ab" * 32)
    code, said = run("plan", *model)
    assert (code, said.splitlines()[:2]) == (0, ["1 jobs of 1 studies", "PACS: 1 results there, 0 waiting"])
    assert job_id in said
    code, said = run("propose", *model, "--reason", "PATIENT_SAFETY", "--words", "Ribs left in place.")
    assert code == 0, said
    recall_id = said.splitlines()[0]
    code, said = run("approve", recall_id)
    assert (code, "RECALL_SAME_PERSON" in said) == (1, True)
    monkeypatch.setenv("SUDO_USER", "bert")
    assert run("approve", recall_id)[0] == 0
    code, said = run("status", recall_id)
    assert "approved by bert" in said
    assert f"{job_id}  LISTED  1.2.1" in said
    assert f"{recall_id}  APPROVED" in run("status")[1]


def test_what_cannot_be_done_ends_the_program_and_says_why(installation: Installation) -> None:
    del installation
    assert "RECALL_NO_CRITERION" in run("plan")[1]
    code, said = run("propose", "--source", "X", "--reason", "QUALITY", "--words", "w")
    assert (code, "RECALL_FINDS_NOTHING" in said) == (1, True)
    assert run("approve", "none")[0] == 1
    assert run("withdraw", "none")[0] == 1
    assert run("status", "none")[0] == 1
