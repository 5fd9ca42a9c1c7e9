"""The command line as an administrator uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dicom_node.radiograph import wrap_radiograph
from dicom_node.stand_in_pacs import StandInPacs
from service.cli import app
from tests.dicom_node.scripted_web_peer import scripted_peer
from tests.radiographs import write
from tests.service.api.installation import install

runner = CliRunner()


@pytest.fixture(autouse=True)
def _own_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    answer = runner.invoke(app, list(arguments))
    return answer.exit_code, answer.output


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield path, command


ALL = dict(commands(typer.main.get_command(app)))


def test_every_command_of_the_design_is_there() -> None:
    expected = {"up", "node", "api", "worker", "migrate", "suppress", "demo", "echo", "send", "jobs"}
    expected |= {
        "remote add",
        "remote add-web",
        "remote list",
        "remote remove",
        "weights import",
        "weights list",
        "weights verify",
    }
    expected |= {"models golden"}
    assert expected <= {" ".join(path) for path in ALL}


@pytest.mark.parametrize("path", list(ALL), ids=" ".join)
def test_every_command_and_option_explains_itself(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert len((command.help or "").split()) >= 4
    assert [p.name for p in command.params if not getattr(p, "help", None) and p.name != "help"] == []
    code, output = run(*path, "--help")
    assert code == 0
    assert "Usage" in output


def test_a_remote_node_is_added_listed_and_removed() -> None:
    assert run("remote", "add", "PACS", "ORTHANC", "pacs.example", "4242")[0] == 0
    code, listed = run("remote", "list")
    assert code == 0
    assert "ORTHANC" in listed
    assert "4242" in listed
    assert run("remote", "add-web", "ARCHIVE", "https://archive.example/dicom-web", "--verify")[0] == 0
    assert "archive.example" in run("remote", "list")[1]
    assert run("remote", "remove", "PACS")[0] == 0
    assert "ORTHANC" not in run("remote", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("remote", "add", "PACS", "AN AE TITLE THAT IS TOO LONG", "host", "104"), "REMOTE_NODE_INVALID"),
        (("remote", "remove", "NOBODY"), "REMOTE_NODE_UNKNOWN"),
        (("remote", "add-web", "WEB", "ftp://archive.example"), "REMOTE_NODE_INVALID"),
        (("remote", "add-web", "WEB", "https://user:word@archive.example/dicom-web"), "REMOTE_NODE_INVALID"),
        (("jobs", "no-such-job"), "no-such-job"),
        (("jobs", "no-such-job", "--retry"), "JOB_UNKNOWN"),
        (("jobs", "no-such-job", "--cancel"), "JOB_UNKNOWN"),
        (("jobs", "no-such-job", "--priority", "stat"), "JOB_UNKNOWN"),
        (("jobs", "--cancel"), "JOB_ID"),
        (("jobs", "--retry"), "JOB_ID"),
        (("jobs", "no-such-job", "--retry", "--cancel"), "one of"),
        (("echo", "NOBODY"), "UNKNOWN_NODE"),
        (("send", "missing.dcm", "--to", "PACS@127.0.0.1:1"), "NO_FILES"),
        (("suppress", "missing.dcm", "out.dcm"), "NOT_READABLE"),
        (("weights", "verify", "no-such-model"), "WEIGHTS_MISSING"),
        (("models", "golden", "no-such-folder"), "NO_FOLDER"),
    ],
)
def test_a_mistake_ends_with_its_reason_and_exit_code_one(arguments: tuple[str, ...], word: str) -> None:
    code, output = run(*arguments)
    assert code == 1, output
    assert word in output
    assert "Traceback" not in output


def test_settings_that_cannot_be_end_with_the_name_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DICOM_PORT", "eleven")
    code, output = run("migrate")
    assert code == 2
    assert "SOFTRAY_DICOM_PORT" in output


def test_migrate_can_be_repeated() -> None:
    assert [run("migrate")[0] for _ in range(2)] == [0, 0]


def test_jobs_says_when_there_are_none() -> None:
    assert run("jobs") == (0, "no jobs yet\n")


def test_echo_and_send_reach_a_node_by_name_and_by_address(tmp_path: Path) -> None:
    image = write(tmp_path / "image.dcm", wrap_radiograph(np.full((1024, 1024), 0.3, dtype=np.float32)))
    with StandInPacs(tmp_path / "pacs", ae_title="STANDIN") as pacs:
        assert run("remote", "add", "PACS", "STANDIN", "127.0.0.1", str(pacs.port))[0] == 0
        assert run("echo", "PACS")[0] == 0
        assert run("echo", f"STANDIN@127.0.0.1:{pacs.port}")[0] == 0
        code, output = run("send", str(image), "--to", "PACS")
        assert code == 0, output
        assert "0x0000" in output
        assert len(pacs.files()) == 1
    assert run("echo", "PACS")[0] == 1


def test_send_reaches_a_dicomweb_service_by_its_address(tmp_path: Path) -> None:
    image = write(tmp_path / "image.dcm", wrap_radiograph(np.full((1024, 1024), 0.3, dtype=np.float32)))
    (tmp_path / "token").write_text("secret")
    with scripted_peer() as peer:
        code, output = run("send", str(image), "--to", peer.url, "--token-file", str(tmp_path / "token"))
        assert code == 0, output
        assert "SENT" in output
        [asked] = peer.asked
        assert asked.headers["authorization"] == "Bearer secret"
        peer.says(401)
        code, output = run("send", str(image), "--to", peer.url)
    assert code == 1
    assert "HTTP_NOT_AUTHORISED" in output
    assert "NOT_STORED" in output
    assert run("send", str(image), "--to", "https://user:secret@pacs/")[0] == 1


def test_weights_list_names_the_default() -> None:
    code, output = run("weights", "list")
    assert code == 0
    assert "default" in output


def test_a_retry_follows_the_routes_of_the_site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.toml").write_text('[[route]]\nto = ["PACS"]\n')
    monkeypatch.setenv("SOFTRAY_SITE_FILE", str(tmp_path / "site.toml"))
    monkeypatch.setenv("SOFTRAY_DATABASE_URL", f"sqlite:///{tmp_path / 'softray.sqlite3'}")
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path))
    installed = install(tmp_path)
    installed.add_destination("PACS")
    job_id = installed.receive("1.2.1")
    installed.derive(job_id)
    installed.deliver(job_id, status=0xC000)
    installed.add_destination("RESEARCH")
    installed.sessions.kw["bind"].dispose()
    code, said = run("jobs", job_id, "--retry")
    assert code == 0, said
    _, shown = run("jobs", job_id)
    assert "to PACS: PENDING" in shown
    assert "RESEARCH" not in shown


def test_dead_letters_are_listed_and_retried_and_a_job_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTRAY_DATABASE_URL", f"sqlite:///{tmp_path / 'softray.sqlite3'}")
    installed = install(tmp_path)
    installed.add_destination("PACS")
    job_id = installed.receive("1.2.1")
    installed.derive(job_id)
    installed.deliver(job_id, status=0xC000)
    waiting = installed.receive("1.2.2")
    installed.sessions.kw["bind"].dispose()
    _, listed = run("jobs", "--failed")
    assert job_id in listed
    assert waiting not in listed
    monkeypatch.setenv("COLUMNS", "40")
    _, narrow = run("jobs")
    assert any(line.split()[:3] == [job_id, "FAILED", "ROUTINE"] for line in narrow.splitlines())
    assert run("jobs", "--failed", "--reason", "NO_ANSWER", "--retry")[1].startswith("0 jobs started again")
    code, said = run("jobs", "--failed", "--node", "PACS", "--retry")
    assert (code, said) == (0, "1 jobs started again, 0 failed ones left\n")
    assert "STAT, was ROUTINE" in run("jobs", waiting, "--priority", "stat")[1]
    code, said = run("jobs", waiting, "--cancel")
    assert (code, "is cancelled" in said) == (0, True)
    assert "CANCELLED" in run("jobs", waiting)[1]
