from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset, FileMetaDataset

from service.access.roles import Role
from service.access.users import add_user
from service.audit.notes import seal_notes
from service.registry import queries
from service.registry.audit_tables import AuditNote
from tests.service.api.installation import STARTED, Installation, striped_pictures

PASSWORD = "correct horse battery"
API = "/api/v1"


def case(installation: Installation, study: str, *, spacing: bool = True) -> str:
    """A job with a result whose source is a DICOM header of 400 × 300 pixels, 0.2 mm apart."""
    job_id = installation.receive(study)
    installation.derive(job_id)
    detail = installation.read(lambda session: queries.job_detail(session, job_id))
    assert detail is not None
    write_header(installation.store.resolve(detail.source_path), spacing=spacing)
    return job_id


def write_header(path: Path, *, spacing: bool) -> None:
    header = Dataset()
    header.Rows, header.Columns = 400, 300
    if spacing:
        header.ImagerPixelSpacing = [0.2, 0.2]
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    header.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    path.chmod(0o600)
    header.save_as(path, enforce_file_format=True)


def person(installation: Installation, name: str, role: Role, *, images: bool) -> TestClient:
    """A browser in which `name` is logged in; it sends what the pages send."""
    installation.write(
        lambda session: add_user(session, name=name, role=role, images=images, password=PASSWORD, now=STARTED)
    )
    browser = TestClient(installation.app(login_required=True), follow_redirects=False)
    answer = browser.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303
    page = browser.get("/docs").text
    browser.headers["X-CSRF-Token"] = page.split('data-csrf="')[1].split('"')[0]
    return browser


@pytest.fixture
def boss(installation: Installation) -> TestClient:
    return person(installation, "boss", Role.ADMIN, images=False)


@pytest.fixture
def ann(installation: Installation) -> TestClient:
    return person(installation, "ann", Role.VIEWER, images=True)


def test_from_the_list_to_the_report(installation: Installation, boss: TestClient, ann: TestClient) -> None:
    jobs = [case(installation, "1.2.1"), case(installation, "1.2.2")]
    wanted = {"name": "nodules", "readers": ["ann"], "job_ids": jobs, "washout_days": 0, "tolerance_mm": 10}
    study = boss.post(f"{API}/reader-studies", json=wanted)
    assert study.status_code == 201, study.text
    address = f"{API}/reader-studies/{study.json()['id']}"
    assert boss.get(f"{address}/report").json()["code"] == "TRUTH_LIST_MISSING"
    truth = "sop_instance_uid,column,row,type\n1.2.1.1.1,100,100,nodule\n1.2.2.1.2,,,\n"
    assert boss.put(f"{address}/truth", json={"text": truth}).json()["truth_known"] is True

    (own,) = ann.get(f"{API}/my-reader-studies").json()["items"]
    assert (own["name"], own["finished"], own["readings"]) == ("nodules", 0, 4)
    for number in range(1, 5):
        shown = ann.post(f"{address}/next").json()
        assert (shown["state"], shown["number"], shown["rows"]) == ("READ", number, 400)
        assert not [job_id for job_id in jobs if job_id in str(shown)]
        pictures = f"{API}/readings/{shown['reading_id']}/pictures"
        assert ann.get(f"{pictures}/original.png").content == striped_pictures()["source"]
        beside = ann.get(f"{pictures}/soft-tissue.png")
        if shown["shows"] == "ORIGINAL":
            assert beside.json()["code"] == "READ_ALONE"
        else:
            assert beside.content == striped_pictures()["soft-tissue"]
        marks = [{"column": 120, "row": 100, "type": "nodule", "confidence": 4}]
        marks = marks if shown["shows"] == "WITH_SOFT_TISSUE" else []
        done = ann.post(f"{API}/readings/{shown['reading_id']}/finish", json={"marks": marks, "active_ms": 5})
        assert done.status_code == 200, done.text
        assert ann.get(f"{pictures}/original.png").json()["code"] == "READING_UNKNOWN"
    assert ann.post(f"{address}/next").json()["state"] == "DONE"

    overall = boss.get(f"{address}/report").json()["report"]["overall"]
    # With the companion the mark is 4 mm from the nodule, and nothing is where it is in the healthy case.
    assert overall["comparison"]["with_soft_tissue"]["recall"]["value"] == 1
    assert overall["comparison"]["with_soft_tissue"]["precision"]["value"] == 0.5
    assert overall["comparison"]["original"]["recall"]["value"] == 0
    assert "recall,1.0," in boss.get(f"{address}/report.csv").text
    assert boss.get(f"{address}/marks.csv").text.count("nodule,4") == 2
    looked = installation.read(lambda session: [row.actor for row in session.query(AuditNote)])
    assert looked.count("ann") >= 6
    assert installation.write(lambda session: seal_notes(session, now=STARTED.replace(year=2040))) >= 6


def test_readers_see_neither_the_report_nor_each_other(installation: Installation, ann: TestClient) -> None:
    bob = person(installation, "bob", Role.VIEWER, images=True)
    boss = person(installation, "boss", Role.ADMIN, images=False)
    wanted = {"name": "nodules", "readers": ["ann"], "job_ids": [case(installation, "1.2.1")]}
    address = f"{API}/reader-studies/{boss.post(f'{API}/reader-studies', json=wanted).json()['id']}"
    for path in ("", "/report", "/report.csv", "/marks.csv"):
        assert ann.get(f"{address}{path}").status_code == 403
    shown = ann.post(f"{address}/next").json()
    assert bob.post(f"{address}/next").json()["code"] == "NOT_A_READER"
    assert bob.get(f"{API}/my-reader-studies").json() == {"items": []}
    assert bob.get(f"{API}/readings/{shown['reading_id']}/pictures/original.png").status_code == 404
    assert (
        bob.post(f"{API}/readings/{shown['reading_id']}/finish", json={"marks": [], "active_ms": 1}).status_code == 404
    )
    assert boss.post(f"{address}/next").json()["code"] == "RIGHT_MISSING"
    assert boss.post(f"{address}/close").status_code == 200
    assert ann.post(f"{address}/next").json()["state"] == "CLOSED"


def test_a_list_that_cannot_be_read_is_refused(installation: Installation, boss: TestClient) -> None:
    waiting, plain = installation.receive("1.2.1"), case(installation, "1.2.2", spacing=False)
    good = case(installation, "1.2.3")
    for job_id, status, code in ((waiting, 404, "RESULT_MISSING"), (plain, 422, "PIXEL_SPACING_MISSING"),
                                 ("none", 422, "JOB_UNKNOWN")):  # fmt: skip
        wanted = {"name": "a", "readers": ["ann"], "job_ids": [job_id]}
        answer = boss.post(f"{API}/reader-studies", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    wanted = {"name": "a", "readers": ["ann"], "job_ids": [good]}
    made = boss.post(f"{API}/reader-studies", json=wanted)
    assert boss.post(f"{API}/reader-studies", json=wanted).json()["code"] == "READER_STUDY_EXISTS"
    truth = boss.put(f"{API}/reader-studies/{made.json()['id']}/truth", json={"text": "nonsense"})
    assert (truth.status_code, truth.json()["code"]) == (422, "TRUTH_LIST_INVALID")


def test_scores_are_the_readers_own_and_the_report_is_the_administrators(
    installation: Installation, boss: TestClient, ann: TestClient
) -> None:
    bob = person(installation, "bob", Role.VIEWER, images=True)
    job_id = case(installation, "1.2.1")
    address = f"{API}/jobs/{job_id}/scores"
    assert ann.get(address).json() == {"scored_at": None}
    for browser, vessels in ((ann, 1), (ann, 3), (bob, 2)):
        scores = {"lung_vessels": vessels, "airways": 2, "bone_suppression": 3}
        assert browser.put(address, json=scores).status_code == 200
    assert ann.get(address).json()["lung_vessels"] == 3
    assert ann.get(f"{API}/scores").status_code == 403
    (model,) = boss.get(f"{API}/scores").json()["models"]
    assert model["model_name"] == "residual-unet"
    vessels_report = model["criteria"][0]
    assert [(row["reader"], row["mean"]) for row in vessels_report["by_reader"]] == [("ann", 3), ("bob", 2)]
    assert vessels_report["overall"]["mean"] == 2.5
    assert "lung_vessels,mean,ann,,3" in boss.get(f"{API}/scores.csv").text
    wrong = {"lung_vessels": 4, "airways": 2, "bone_suppression": 3}
    assert ann.put(address, json=wrong).status_code == 422
    none = installation.receive("1.2.9")
    assert ann.put(f"{API}/jobs/{none}/scores", json=wrong | {"lung_vessels": 1}).json()["code"] == "RESULT_MISSING"
