from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from dicom_node.radiograph import RadiographKind, wrap_radiograph
from models.pairs.source import Findings
from tests.radiographs import write
from worker.prepare_pairs_dual_energy import pairs_of_dicom
from worker.prepare_pairs_exposures import Energy, energy_of, read_exposure

AT = datetime(2024, 5, 17, 9, 30, 12)
PIXELS = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)


def image(
    series: str, *, seconds: float = 0, patient: str = "P1", study: str = "1.2.3", kind: str = "DX", **overrides: object
) -> Dataset:
    at = AT + timedelta(seconds=seconds)
    ds = wrap_radiograph(
        PIXELS, sop_class=RadiographKind(kind), patient_id=patient, patient_name="Muster^Maria",
        study_instance_uid=study, acquired_at=at, accession_number=series[:16],
    )  # fmt: skip
    ds.SeriesDescription = series
    for keyword, value in overrides.items():
        setattr(ds, keyword, value)
    return ds


def found(folder: Path, *images: Dataset, window_s: float = 30, salt: bytes = b"s") -> Findings:
    for index, ds in enumerate(images):
        write(folder / f"{index}.dcm", ds)
    return pairs_of_dicom((folder,), salt=salt, window_s=window_s)


def matched(findings: Findings) -> list[tuple[str, str]]:
    return sorted((pair.cxr.path.stem, pair.soft.path.stem) for pair in findings.pairs)


def codes(findings: Findings) -> list[str]:
    return sorted(each.code for each in findings.refused)


@pytest.mark.parametrize(
    ("words", "energy"),
    [
        ("chest pa", Energy.STANDARD),
        ("chest pa standard dual energy", Energy.STANDARD),
        ("chest pa soft tissue", Energy.SOFT),
        ("thorax weichteil", Energy.SOFT),
        ("chest des bone", Energy.BONE),
        ("soft tissue bone removed", Energy.UNCLEAR),
        ("chest bone suppressed", Energy.OTHER),
        ("chest low energy", Energy.OTHER),
    ],
)
def test_words_say_what_an_image_shows(words: str, energy: Energy) -> None:
    assert energy_of(frozenset(words.split())) is energy


def test_the_image_type_says_it_too_and_a_site_adds_its_word(tmp_path: Path) -> None:
    typed = image("Chest PA", ImageType=["DERIVED", "PRIMARY", "SOFT_TISSUE"])
    exposure = read_exposure(write(tmp_path / "a.dcm", typed))
    assert exposure
    assert exposure.energy is Energy.SOFT
    own = read_exposure(write(tmp_path / "b.dcm", image("Chest TX2")), frozenset({"tx2"}))
    assert own
    assert own.energy is Energy.SOFT


def test_the_nearest_time_decides_between_two_exposures(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        image("Chest PA"), image("Chest PA soft", seconds=0.2), image("Chest PA bone", seconds=0.2),
        image("Chest PA repeat", seconds=20), image("Chest PA soft repeat", seconds=20.2),
    )  # fmt: skip
    assert matched(findings) == [("0", "1"), ("3", "4")]
    assert findings.refused == ()


def test_images_further_apart_than_the_window_are_no_pair(tmp_path: Path) -> None:
    findings = found(tmp_path, image("Chest PA"), image("Chest PA soft", seconds=31))
    assert findings.pairs == ()
    assert codes(findings) == ["PAIR_MISSING", "PAIR_MISSING"]


def test_another_study_is_never_matched(tmp_path: Path) -> None:
    findings = found(tmp_path, image("Chest PA"), image("Chest PA soft", study="1.2.4"))
    assert findings.pairs == ()
    assert codes(findings) == ["PAIR_MISSING"]  # the other study is an ordinary one
    assert [path.name for path in findings.skipped] == ["0.dcm"]


def test_a_reference_or_an_irradiation_event_goes_before_the_time(tmp_path: Path) -> None:
    first, second = image("Chest PA", IrradiationEventUID="1.9.1"), image("Chest PA", seconds=5)
    referring = image("Chest PA soft", seconds=4.9, IrradiationEventUID="1.9.1")
    assert matched(found(tmp_path / "event", first, second, referring)) == [("0", "2")]
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = second.SOPClassUID, second.SOPInstanceUID
    soft = image("Chest PA soft", SourceImageSequence=Sequence([item]))
    assert matched(found(tmp_path / "reference", image("Chest PA"), second, soft)) == [("1", "2")]


def test_without_times_one_of_each_kind_is_a_pair_and_two_are_not(tmp_path: Path) -> None:
    timeless = {"AcquisitionTime": "", "ContentTime": ""}
    one = [image("Chest PA", **timeless), image("Chest PA soft", **timeless)]
    assert matched(found(tmp_path / "one", *one)) == [("0", "1")]
    other = image("Chest PA again", InstanceNumber=2, SOPInstanceUID="1.2.9", **timeless)
    other.file_meta.MediaStorageSOPInstanceUID = "1.2.9"
    findings = found(tmp_path / "two", *one, other)
    assert findings.pairs == ()
    assert "PAIR_AMBIGUOUS" in codes(findings)


def test_a_for_processing_twin_gives_way_without_complaint(tmp_path: Path) -> None:
    findings = found(tmp_path, image("Chest PA", kind="DX-PROC"), image("Chest PA"), image("Chest PA soft"))
    assert matched(findings) == [("1", "2")]
    assert findings.refused == ()


@pytest.mark.parametrize("silent", [False, True])
def test_only_frontal_views_become_pairs(tmp_path: Path, silent: bool) -> None:
    view: dict[str, object] = {
        "ViewPosition": "" if silent else "LL",
        "PatientOrientation": None if silent else ["A", "F"],
    }
    both = [image("Chest", **view), image("Chest soft", **view)]
    for ds in both:
        del ds.ViewCodeSequence
    findings = found(tmp_path, *both)
    assert findings.pairs == ()
    assert ("VIEW_UNKNOWN" if silent else "VIEW_NOT_FRONTAL") in codes(findings)


def test_ordinary_studies_other_files_and_software_results_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"\x80\x04.")
    suppressed = image("Chest PA soft tissue, bone suppressed", study="1.2.5")
    findings = found(tmp_path, image("Chest PA"), suppressed)
    assert findings.pairs == findings.refused == ()
    assert sorted(path.name for path in findings.skipped) == ["0.dcm", "1.dcm", "weights.pth"]


def test_patients_are_pseudonyms_that_only_the_salt_repeats(tmp_path: Path) -> None:
    images = [
        image("Chest PA"), image("Chest PA soft"),
        image("Chest PA", study="1.2.4", seconds=99), image("Chest PA soft", study="1.2.4", seconds=99),
        image("Chest PA", study="1.2.5", patient="P2"), image("Chest PA soft", study="1.2.5", patient="P2"),
    ]  # fmt: skip
    findings = found(tmp_path, *images)
    patients = sorted(pair.patient for pair in findings.pairs)
    assert len(set(patients)) == 2
    assert len({pair.name for pair in findings.pairs}) == 3
    assert not any("P1" in text or "P2" in text for pair in findings.pairs for text in (pair.name, pair.patient))
    again = pairs_of_dicom((tmp_path,), salt=b"s", window_s=30)
    assert [pair.name for pair in again.pairs] == [pair.name for pair in findings.pairs]
    other = pairs_of_dicom((tmp_path,), salt=b"other", window_s=30)
    assert not {pair.patient for pair in other.pairs} & set(patients)
