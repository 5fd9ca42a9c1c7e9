"""`softray pull` and the options of `softray remote add` that concern the proof of delivery, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from typer.testing import CliRunner

from dicom_node.tls import server_context
from service.cli import app
from tests.dicom_node.fake_archive import running_archive
from tests.peers.certificates import authority

runner = CliRunner()
STUDY = "1.2.826.0.1.10"


@pytest.fixture(autouse=True)
def _own_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    answer = runner.invoke(app, list(arguments))
    return answer.exit_code, answer.output


def listed() -> Dataset:
    entry = Dataset()
    entry.StudyInstanceUID, entry.SeriesInstanceUID, entry.SOPInstanceUID = STUDY, f"{STUDY}.1", f"{STUDY}.1.1"
    entry.Modality, entry.AccessionNumber, entry.StudyDate = "DX", "A1", "20260110"
    entry.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    entry.PatientName = "Test^Chest"
    return entry


@pytest.mark.parametrize("criterion", [("--accession", "A1"), ("--study", STUDY), ("--date", "20260101-20260131")])
def test_a_dry_run_says_what_would_be_fetched(criterion: tuple[str, str]) -> None:
    with running_archive(catalogue=[listed()]) as archive:
        code, output = run("pull", "--from", f"ARCHIVE@127.0.0.1:{archive.port}", *criterion, "--dry-run")
    assert code == 0
    assert f"study {STUDY} series {STUDY}.1 DX: 1 to fetch" in output
    assert archive.moves == []


def test_a_registered_node_is_pulled_from_by_name_and_an_unknown_destination_is_exit_code_one() -> None:
    with running_archive(catalogue=[listed()]) as archive:
        assert run("remote", "add", "pacs", "ARCHIVE", "127.0.0.1", str(archive.port))[0] == 0
        code, output = run("pull", "--from", "pacs", "--study", STUDY)
    assert code == 1
    assert "MOVE_DESTINATION_UNKNOWN: ARCHIVE does not know SOFTRAY (0xA801)" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "nowhere", "--study", STUDY], "UNKNOWN_NODE"),
        (["--from", "A@127.0.0.1:1"], "CRITERIA_AMBIGUOUS"),
        (["--from", "A@127.0.0.1:1", "--accession", "A*"], "ACCESSION_INVALID"),
        (["--from", "A@127.0.0.1:1", "--date", "2026"], "DATE_INVALID"),
        (["--from", "A@127.0.0.1:1", "--study", "1.2*"], "STUDY_UID_INVALID"),
        (["--from", "A@127.0.0.1:1", "--study", STUDY, "--move-to", "A\\B"], "AE_TITLE_INVALID"),
        (["--from", "A@127.0.0.1:1", "--study", STUDY], "CONNECTION_FAILED"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: list[str], said: str) -> None:
    code, output = run("pull", *arguments)
    assert code == 1
    assert said in output
    assert "Traceback" not in output


def test_a_node_can_be_asked_for_proof_and_over_tls() -> None:
    assert run("remote", "add", "pacs", "PACS", "10.0.0.1", "104", "--commitment", "--verify")[0] == 0
    assert run("remote", "add", "safe", "SAFE", "10.0.0.2", "2762", "--tls")[0] == 0
    pacs, safe = (line for line in run("remote", "list")[1].splitlines() if "10.0.0" in line)
    assert [word in pacs for word in ("over TLS", "commits", "is verified")] == [False, True, True]
    assert [word in safe for word in ("over TLS", "commits", "is verified")] == [True, False, False]


def test_a_node_that_wants_tls_is_never_spoken_to_in_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = authority(tmp_path / "site")
    with running_archive(catalogue=[listed()], tls=server_context(site.issue("archive"))) as archive:
        assert run("remote", "add", "safe", "ARCHIVE", "127.0.0.1", str(archive.port), "--tls")[0] == 0
        without = run("pull", "--from", "safe", "--study", STUDY, "--dry-run")
        ours = site.issue("softray")
        monkeypatch.setenv("SOFTRAY_TLS_CERTIFICATE", str(ours.certificate))
        monkeypatch.setenv("SOFTRAY_TLS_PRIVATE_KEY", str(ours.private_key))
        monkeypatch.setenv("SOFTRAY_TLS_CA", str(ours.ca))
        encrypted = run("pull", "--from", "safe", "--study", STUDY, "--dry-run")
    assert (without[0], "TLS_NOT_CONFIGURED" in without[1]) == (1, True)
    assert (encrypted[0], "1 instances of 1 series would be fetched" in encrypted[1]) == (0, True)


def test_a_dicomweb_service_cannot_be_pulled_from() -> None:
    assert run("remote", "add-web", "web", "https://pacs.example/dicom-web")[0] == 0
    code, output = run("pull", "--from", "web", "--study", STUDY)
    assert (code, "NO_DICOM_ADDRESS" in output) == (1, True)
