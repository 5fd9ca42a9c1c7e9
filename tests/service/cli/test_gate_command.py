"""`softray gate`: verdicts on files, explained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_files
from typer.testing import CliRunner

from dicom_node.radiograph import wrap_radiograph
from models.phantom import render
from service.cli import app
from tests.dicom_node.factories import radiograph
from tests.radiographs import write

runner = CliRunner()
PHANTOM = render(1024, seed=5).radiograph


@pytest.fixture(autouse=True)
def _own_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    answer = runner.invoke(app, ["gate", *arguments])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def test_a_frontal_chest_would_be_processed(tmp_path: Path) -> None:
    path = write(tmp_path / "chest.dcm", wrap_radiograph(PHANTOM))
    code, output = run(str(path))
    assert code == 0
    assert "PROCESSED" in output
    assert "View Code 272479007" in output
    assert "FRONTAL_CHEST (frontal " in output
    assert "1 of 1 would be processed" in output


def test_every_rule_is_shown_with_what_it_found(tmp_path: Path) -> None:
    path = write(
        tmp_path / "hip.dcm", radiograph(BodyPartExamined="HIP", ViewPosition="LL", remove=("ViewCodeSequence",))
    )
    code, output = run(str(path))
    assert code == 3
    assert "NOT_CHEST: expected the chest, found body part 'HIP'" in output
    assert "VIEW_NOT_FRONTAL: expected View Position PA or AP, found 'LL'" in output


def test_json_tells_the_same(tmp_path: Path) -> None:
    silent = radiograph(pixels=PHANTOM, remove=("BodyPartExamined", "AnatomicRegionSequence", "SeriesDescription"))
    write(tmp_path / "in" / "1.dcm", silent)
    write(tmp_path / "in" / "2.dcm", radiograph(pixels=1 - PHANTOM))
    (tmp_path / "in" / "3.txt").write_text("no radiograph")
    code, output = run("--json", str(tmp_path / "in"))
    first, second, third = json.loads(output)
    assert code == 3
    assert (first["code"], first["open_questions"], first["processed"]) == ("PROCESSED", ["BODY_PART_UNKNOWN"], True)
    assert "IMAGE_CONFIRMED" in first["notes"]
    assert (second["code"], second["picture"]["kind"]) == ("POLARITY_SUSPECT", "INVERTED_POLARITY")
    assert third["code"] == "NOT_READABLE"
    assert len(first["rules"]) == 12


def test_the_site_file_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "chest.dcm", wrap_radiograph(PHANTOM))
    (tmp_path / "site.toml").write_text('[gate]\nviews = ["AP"]')
    monkeypatch.setenv("SOFTRAY_SITE_FILE", str(tmp_path / "site.toml"))
    code, output = run(str(path))
    assert code == 3
    assert "VIEW_NOT_ACCEPTED" in output
    (tmp_path / "site.toml").write_text("[gate]\nvieuws = []")
    code, output = run(str(path))
    assert code == 1
    assert "gate.vieuws" in output


def test_no_patient_data_is_printed(tmp_path: Path) -> None:
    path = write(tmp_path / "chest.dcm", radiograph(pixels=PHANTOM, PatientAge="043Y", StudyDescription="Mrs Secret"))
    for flags in ((), ("--json",)):
        output = run(*flags, str(path))[1]
        for secret in ("TEST-0001", "Test^Chest", "1970", "ACC-1", "043", "Secret"):
            assert secret not in output


def test_files_that_cannot_be_read_get_a_line(tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("nothing")
    (tmp_path / "cut.dcm").write_bytes(write(tmp_path / "whole.dcm", wrap_radiograph(PHANTOM)).read_bytes()[:3000])
    code, output = run(str(tmp_path / "text.dcm"), str(tmp_path / "cut.dcm"), str(tmp_path / "absent.dcm"))
    assert code == 3
    assert output.count("NOT_READABLE") >= 2
    assert "0 of 3 would be processed" in output


@pytest.mark.filterwarnings("ignore")
def test_every_odd_file_of_pydicom_is_judged(tmp_path: Path) -> None:
    paths = [path for path in get_testdata_files() if Path(path).is_file() and Path(path).stat().st_size < 600_000]
    assert len(paths) > 100
    code, output = run("--json", *paths)
    judged = json.loads(output)
    assert code == 3
    assert len(judged) == len(paths)
    assert [one["file"] for one in judged if one["processed"] or not one["code"] or not one["detail"]] == []


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(132, 4000), st.binary(min_size=1, max_size=24))
def test_no_damaged_file_makes_it_raise(tmp_path: Path, at: int, junk: bytes) -> None:
    whole = tmp_path / "small.dcm"
    if not whole.exists():
        write(whole, wrap_radiograph(np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(64, 48)))
    stored = bytearray(whole.read_bytes())
    stored[at : at + len(junk)] = junk
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(stored)
    code, output = run(str(damaged))
    assert code == 3
    assert "0 of 1 would be processed" in output


def test_the_real_files_are_turned_away_each_for_its_own_reason(shared: Path) -> None:
    code, output = run("--json", str(shared / "data" / "dicom"))
    found = {Path(one["file"]).name: one["code"] for one in json.loads(output)}
    hips_and_shins = {name: reason for name, reason in found.items() if name.startswith("RG")}
    assert code == 3
    assert {reason for name, reason in hips_and_shins.items() if not name.endswith("RLE")} == {"NOT_CHEST"}
    assert {reason for name, reason in hips_and_shins.items() if name.endswith("RLE")} == {"SECONDARY_IMAGE"}
    assert found["nih_secondary_capture_8bit.dcm"] == "SECONDARY_CAPTURE"
    assert found["rogue_dog_thorax_labelled_dx.dcm"] == "VETERINARY"
