"""Pulling from an archive into our own node, over real associations on both sides."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_node import pull_command
from dicom_node.application_entity import Node
from dicom_node.pull_command import run_pull
from dicom_node.pull_criteria import PullCriteria
from service.errors import PermanentError
from service.settings import Settings
from tests.dicom_node.factories import radiograph
from tests.dicom_node.fake_archive import FakeArchive, running_archive
from tests.dicom_node.running_node import Installation, installation, listening

SMALL = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
STUDY = "1.2.826.0.1.10"


def image(
    number: int, *, study: str = STUDY, series: str = "1", date: str = "20260110", modality: str = "DX"
) -> Dataset:
    dataset = radiograph(
        pixels=SMALL,
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.{series}",
        SOPInstanceUID=f"{study}.{series}.{number}",
        StudyDate=date,
        AccessionNumber="A1" if study == STUDY else "A2",
        Modality=modality,
    )
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ModalitiesInStudy = modality
    return dataset


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, callers=("ARCHIVE",)) as made:
        yield made


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed) as running:
        yield running


def pull(installed: Installation, archive: FakeArchive, **changes: object) -> None:
    database = f"sqlite:///{installed.intake.store.root.parent / 'registry.sqlite3'}"
    criteria = {"accession": None, "study": None, "dates": None, "modality": None}
    options: dict[str, object] = {"dry_run": False, "rate": 60_000.0, "limit": None, "move_to": None}
    run_pull(
        Settings(data_dir=installed.intake.store.root.parent, database_url=database),
        ae_title=archive.ae_title,
        host="127.0.0.1",
        port=archive.port,
        **(criteria | options | changes),  # type: ignore[arg-type]
    )


def received(installed: Installation) -> set[str]:
    return {row.sop_instance_uid for row in installed.instances()}


@pytest.mark.parametrize("criterion", [{"study": STUDY}, {"accession": "A1"}, {"dates": "20260101-20260131"}])
def test_a_study_arrives_by_uid_accession_or_date(
    installed: Installation, node: Node, criterion: dict[str, str]
) -> None:
    other = image(1, study="1.2.826.0.1.20", date="20250601")
    with running_archive(
        catalogue=[image(1), image(2), image(1, series="2"), other], destination=("127.0.0.1", node.port)
    ) as archive:
        pull(installed, archive, **criterion)
    assert received(installed) == {f"{STUDY}.1.1", f"{STUDY}.1.2", f"{STUDY}.2.1"}
    assert [move.QueryRetrieveLevel for move in archive.moves] == ["SERIES", "SERIES"]


def test_what_is_here_already_is_not_fetched_again(installed: Installation, node: Node) -> None:
    with running_archive(catalogue=[image(1)], destination=("127.0.0.1", node.port)) as archive:
        pull(installed, archive, study=STUDY)
        archive.catalogue.append(image(2))
        pull(installed, archive, study=STUDY)
        pull(installed, archive, study=STUDY)
    assert [move.get("SOPInstanceUID") for move in archive.moves] == [None, f"{STUDY}.1.2"]
    assert received(installed) == {f"{STUDY}.1.1", f"{STUDY}.1.2"}


def test_only_radiographs_are_chosen_and_no_more_than_the_limit(installed: Installation, node: Node) -> None:
    structured_report = image(9, series="3")
    structured_report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    catalogue = [image(1), image(2), image(5, series="2", modality="CT"), structured_report, image(3, series="4")]
    with running_archive(catalogue=catalogue, destination=("127.0.0.1", node.port)) as archive:
        pull(installed, archive, study=STUDY, limit=1)
        assert received(installed) == {f"{STUDY}.1.1"}
        pull(installed, archive, study=STUDY)
    assert received(installed) == {f"{STUDY}.1.1", f"{STUDY}.1.2", f"{STUDY}.4.3"}


def test_a_dry_run_fetches_nothing_and_names_no_patient(
    installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_archive(catalogue=[image(1)], destination=("127.0.0.1", 9)) as archive:
        pull(installed, archive, accession="A1", dry_run=True)
        assert archive.moves == []
        printed = capsys.readouterr().out
        assert "1 instances of 1 series would be fetched" in printed
        assert f"{STUDY}.1" in printed
        assert str(archive.catalogue[0].PatientName) not in printed
        assert str(archive.catalogue[0].PatientID) not in printed
        assert "20260110" not in printed


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"destination": None}, "MOVE_DESTINATION_UNKNOWN", "does not know SOFTRAY"),
        ({"move_status": 0xA702}, "OUT_OF_RESOURCES", "try again later"),
        ({"move_status": 0xC000}, "NOT_ALL_ARRIVED", "expected 1 instances, found 0"),
        ({"move_status": 0x0124}, "NOT_AUTHORISED", "did not send"),
        ({"find_status": 0xA700}, "OUT_OF_RESOURCES", "did not answer the query"),
    ],
)
def test_a_refusal_is_said_in_a_sentence(
    installed: Installation, node: Node, changes: dict[str, object], code: str, said: str
) -> None:
    values = {"destination": ("127.0.0.1", node.port)} | changes
    with running_archive(catalogue=[image(1)], **values) as archive, pytest.raises(PermanentError) as raised:
        pull(installed, archive, study=STUDY)
    assert raised.value.code == code
    assert said in raised.value.message


def test_success_of_the_archive_alone_does_not_count_as_arrived(installed: Installation, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        installation(tmp_path / "other", callers=("ARCHIVE",)) as other,
        listening(other) as wrong_node,
        running_archive(catalogue=[image(1)], destination=("127.0.0.1", wrong_node.port)) as archive,
        pytest.raises(PermanentError) as raised,
    ):
        pull(installed, archive, study=STUDY)
    assert raised.value.code == "NOT_ALL_ARRIVED"


def test_an_archive_that_is_away_is_named(installed: Installation) -> None:
    with running_archive() as archive:
        pass
    with pytest.raises(PermanentError, match="did not answer the query: cannot connect") as raised:
        pull(installed, archive, study=STUDY)
    assert raised.value.code == "CONNECTION_FAILED"


def test_ctrl_c_cancels_the_move_and_says_how_to_go_on(installed: Installation, node: Node) -> None:
    def press_ctrl_c() -> None:
        while not received(installed):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    catalogue = [image(number) for number in range(1, 9)]
    with running_archive(catalogue=catalogue, destination=("127.0.0.1", node.port), delay_s=0.3) as archive:
        threading.Thread(target=press_ctrl_c, daemon=True).start()
        with pytest.raises(PermanentError) as raised:
            pull(installed, archive, study=STUDY)
        assert archive.cancelled.wait(5)
    assert raised.value.code == "STOPPED"
    assert 0 < len(received(installed)) < 8


def test_the_rate_is_kept(installed: Installation, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return False

    monkeypatch.setattr(pull_command, "_stopped_by_ctrl_c", lambda: _given(Clock()))
    catalogue = [image(1), image(2), image(3, series="2")]
    with running_archive(catalogue=catalogue, destination=("127.0.0.1", node.port)) as archive:
        pull(installed, archive, study=STUDY, rate=6.0)
    [between] = [wait for wait in waits if wait > 1]
    assert 15 < between <= 20  # two instances at six a minute, less the time that fetching them took


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"accession": "A1", "study": STUDY},
        {"accession": "A*"},
        {"accession": "A?"},
        {"accession": "A\\B"},
        {"accession": "A\n"},
        {"accession": ""},
        {"accession": " A"},
        {"accession": "A" * 17},
        {"study": "1.2.*"},
        {"study": "1.2\\1.3"},
        {"study": ""},
        {"dates": "2026"},
        {"dates": "20260131-20260101"},
        {"dates": "20260230"},
        {"dates": "20260101-"},
        {"dates": "*"},
        {"dates": "20260101", "modality": "CT"},
        {"dates": "20260101", "modality": "*"},
    ],
)
def test_a_criterion_that_could_match_anything_else_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(PermanentError):
        PullCriteria(**wrong)


class _given:  # noqa: N801 - a context manager like the one it replaces
    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __enter__(self) -> threading.Event:
        return self.event

    def __exit__(self, *_: object) -> None:
        pass
