from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from service.cli.app import app
from service.database import make_engine

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("SOFTRAY_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def softray(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


def test_people_are_added_changed_and_shut_out_and_all_of_it_is_in_the_trail(tmp_path: Path) -> None:
    secret = password_file(tmp_path)
    assert softray("user", "add", "Root", "--role", "admin", "--password-file", secret).exit_code == 0
    assert softray("user", "add", "jane", "--role", "viewer", "--images", "--password-file", secret).exit_code == 0
    again = softray("user", "add", "jane", "--role", "viewer", "--password-file", secret)
    assert (again.exit_code, "USER_EXISTS" in again.output) == (1, True)
    assert softray("user", "role", "jane", "operator", "--no-images").exit_code == 0
    assert softray("user", "disable", "jane").exit_code == 0
    last = softray("user", "disable", "root")
    assert (last.exit_code, "LAST_ADMIN" in last.output) == (1, True)
    listed = softray("user", "list").output
    assert "operator" in listed
    assert "disabled" in listed
    exported = softray("audit", "export", "--to", str(tmp_path / "trail.jsonl"))
    assert exported.exit_code == 0, exported.output
    events = [json.loads(line) for line in (tmp_path / "trail.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in events] == [
        *("USER_ADDED", "USER_ADDED", "USER_CHANGED", "USER_CHANGED", "AUDIT_EXPORTED")
    ]
    assert {event["actor_kind"] for event in events} == {"COMMAND_LINE"}
    assert PASSWORD not in (tmp_path / "trail.jsonl").read_text()


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    made = softray("token", "create", "grafana", "--role", "metrics", "--days", "30")
    secret = made.stdout.strip()
    assert secret.startswith("softray_")
    listed = softray("token", "list").output
    assert "grafana" in listed
    assert secret not in listed
    assert softray("token", "revoke", "grafana").exit_code == 0
    assert softray("token", "revoke", "grafana").exit_code == 1
    assert "revoked" in softray("token", "list").output
    assert softray("token", "create", "x", "--role", "metrics", "--images").exit_code == 1


def test_a_trail_that_was_changed_is_told_with_exit_code_3(tmp_path: Path) -> None:
    for name in ("A", "B", "C"):
        softray("remote", "add", name, name, "pacs.example", "104")
    whole = softray("audit", "verify")
    assert (whole.exit_code, "3 events" in whole.output) == (0, True)
    checkpoint = whole.output.split()[-1]
    assert softray("audit", "verify", "--checkpoint", checkpoint).exit_code == 0
    softray("audit", "export", "--to", str(tmp_path / "trail.jsonl"))
    assert softray("audit", "verify", "--file", str(tmp_path / "trail.jsonl")).exit_code == 0
    forged = (tmp_path / "trail.jsonl").read_text().replace('"subject":"B"', '"subject":"Z"')
    (tmp_path / "trail.jsonl").write_text(forged)
    assert softray("audit", "verify", "--file", str(tmp_path / "trail.jsonl")).exit_code == 3
    engine = make_engine(f"sqlite:///{tmp_path / 'data' / 'softray.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_events_are_not_changed"))
        connection.execute(text("UPDATE audit_events SET subject = 'Z' WHERE seq = 2"))
    engine.dispose()
    broken = softray("audit", "verify")
    assert broken.exit_code == 3
    assert "AUDIT_ALTERED" in broken.output
    assert "event 2" in broken.output
