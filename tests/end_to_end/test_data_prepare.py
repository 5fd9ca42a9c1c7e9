"""`softray data prepare` on every kind of source, from files to the folder that a trainer reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless
from typer.testing import CliRunner

from dicom_node.radiograph import wrap_radiograph
from models.pairs.align import resized
from models.pairs.folder import PairFolder, read_grey16, read_pair_folder
from models.pairs.grey_png import write_grey16
from models.pairs.motion import carry, motion_of
from models.pairs.record import read_pairs_file
from service.cli import app
from tests.dicom_node.factories import in_transfer_syntax
from tests.models.pairs.phantom_pairs import exposures
from tests.radiographs import write

pytestmark = pytest.mark.slow
runner = CliRunner()
AT = datetime(2024, 5, 17, 9, 30, 12)
INSIDE = (slice(16, -16), slice(16, -16))


@pytest.fixture(autouse=True)
def _own_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def prepare(*arguments: object) -> tuple[int, str]:
    answer = runner.invoke(app, ["data", "prepare", *map(str, arguments)])
    assert "Traceback" not in answer.output
    return answer.exit_code, answer.output


def prepared(*arguments: object) -> PairFolder:
    code, output = prepare(*arguments, "--into", "pairs")
    assert code == 0, output
    return read_pair_folder(Path("pairs"))


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def energy_image(pixels: np.ndarray, series: str, *, seed: int, syntax: UID, monochrome1: bool = False) -> Dataset:
    ds = wrap_radiograph(
        pixels, patient_id=f"HOSP-{seed}", patient_name="Muster^Maria", study_instance_uid=f"1.2.3.{seed}",
        acquired_at=AT + timedelta(seconds=seed), monochrome1=monochrome1, accession_number=f"ACC{seed}",
    )  # fmt: skip
    ds.SeriesDescription = series
    return in_transfer_syntax(ds, syntax)


def archive(folder: Path, seeds: tuple[int, ...] = (7, 8, 9)) -> Path:
    """Dual-energy studies of several patients, each in another transfer syntax, the first bone dark in its file."""
    for seed, syntax in zip(seeds, (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless), strict=False):
        cxr, soft = exposures(seed=seed)
        soft = carry(soft, motion_of(2.5, -1.5))
        standard = energy_image(cxr, "Chest PA Dual Energy", seed=seed, syntax=syntax, monochrome1=seed == 7)
        write(folder / f"Maria{seed}/standard", standard)
        write(folder / f"Maria{seed}/soft", energy_image(soft, "Chest PA Soft Tissue", seed=seed, syntax=syntax))
        bone = np.clip(cxr - soft + 0.3, 0, 1)
        write(folder / f"Maria{seed}/bone", energy_image(bone, "Chest PA Bone", seed=seed, syntax=syntax))
    return folder


def raw(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.rint((1 - resized(picture, (2048, 2048))) * 4095).astype(">u2").tobytes())


def test_dual_energy_studies_become_registered_pairs_under_pseudonyms(tmp_path: Path) -> None:
    found = prepared(archive(tmp_path / "archive"))
    assert len(found.pairs) == len({pair.patient for pair in found.pairs}) == 3
    assert len({pair.split for pair in found.pairs}) == 3
    record = read_pairs_file(tmp_path / "pairs")
    for each in record.pairs.values():
        assert (each.shift_x, each.shift_y) == pytest.approx((-2.5, 1.5), abs=0.2)
        assert each.match_after > each.match_before
    distances = [
        min(np.abs(read_grey16(pair.cxr) - exposures(seed=seed)[0]).max() for seed in (7, 8, 9)) for pair in found.pairs
    ]
    assert max(distances) < 1 / 2**13  # 14 bits kept, bone bright from either Photometric Interpretation
    assert all(np.abs(read_grey16(pair.soft) - read_grey16(pair.cxr)).max() > 0.05 for pair in found.pairs)


def test_no_name_identifier_or_date_leaves_a_dicom_archive(tmp_path: Path) -> None:
    _, output = prepare(archive(tmp_path / "archive", (7,)), "--into", "pairs")
    written = output.encode() + b"".join(
        path.read_bytes() for path in (tmp_path / "pairs").rglob("*") if path.is_file()
    )
    names = " ".join(contents(tmp_path / "pairs"))
    for secret in ("Maria", "Muster", "HOSP", "ACC7", "20240517", "1.2.3.7"):
        assert secret.encode() not in written
        assert secret not in names


def test_a_dicom_pair_that_cannot_be_used_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    archive(tmp_path / "archive")
    cut = tmp_path / "archive/Maria7/soft"
    cut.write_bytes(cut.read_bytes()[:-5000])
    lying = tmp_path / "archive/Maria8/standard"
    write(lying, energy_image(1 - exposures(seed=8)[0], "Chest PA", seed=8, syntax=ExplicitVRLittleEndian))
    found = prepared("archive")
    assert len(found.pairs) == 1
    assert read_pairs_file(tmp_path / "pairs").refused == {"PIXEL_DATA_TRUNCATED": 1, "POLARITY_UNSURE": 1}


def test_the_same_archive_gives_the_same_bytes_again(tmp_path: Path) -> None:
    archive(tmp_path / "archive", (7, 8))
    prepared("archive")
    first = contents(tmp_path / "pairs")
    prepared("archive")
    assert contents(tmp_path / "pairs") == first


def test_jsrt_raw_files_are_turned_to_bone_bright(tmp_path: Path) -> None:
    for seed, name in ((7, "JPCLN001"), (8, "JPCNN002"), (9, "JPCNN003")):
        cxr, soft = exposures(seed=seed)
        raw(tmp_path / f"jsrt/{name}.IMG", cxr)
        if seed == 7:
            raw(tmp_path / f"bse/{name}.IMG", soft)
        if seed == 8:  # published companions are also bone bright PNG
            write_grey16(tmp_path / f"bse/{name}.png", resized(soft, (2048, 2048)))
    (tmp_path / "jsrt/JPCNN003.IMG").write_bytes(bytes(4096))
    (tmp_path / "bse/JPCNN003.IMG").write_bytes(bytes(4096))
    code, output = prepare("jsrt", "bse", "--into", "pairs", "--size", 256, "--split", "7:2:1")
    assert code == 0, output
    assert "RAW_SIZE_WRONG" in output
    found = read_pair_folder(tmp_path / "pairs")
    assert [pair.name for pair in found.pairs] == ["JPCLN001", "JPCNN002"]
    record = read_pairs_file(tmp_path / "pairs")
    assert [(each.cxr_turned, each.soft_turned) for each in record.pairs.values()] == [(True, True), (True, False)]
    for pair, seed in zip(found.pairs, (7, 8), strict=True):
        for path, picture in zip((pair.cxr, pair.soft), exposures(seed=seed), strict=True):
            assert np.abs(read_grey16(path) - picture)[INSIDE].mean() < 0.01


def test_two_png_folders_are_turned_equalised_and_sized(tmp_path: Path) -> None:
    for folder in ("cxr", "soft"):
        (tmp_path / folder).mkdir()
    for seed in (7, 8):
        cxr, soft = exposures(seed=seed)
        write_grey16(tmp_path / f"cxr/p{seed}.png", 1 - cxr if seed == 8 else cxr)
        Image.fromarray(np.rint(255 * soft).astype(np.uint8)).save(tmp_path / f"soft/p{seed}.png")
    found = prepared("cxr", "soft", "--size", 128, "--clahe")
    assert [pair.patient for pair in found.pairs] == ["p7", "p8"]
    record = read_pairs_file(tmp_path / "pairs")
    assert [(each.cxr_turned, each.soft_turned) for each in record.pairs.values()] == [(False, False), (True, False)]
    assert record.settings["clahe"] == {"clip": 2.0, "tiles": 8}
    assert read_grey16(found.pairs[0].cxr).shape == (128, 128)


def test_every_bad_picture_is_refused_by_its_reason_and_the_good_pair_stays(tmp_path: Path) -> None:
    cxr, soft = exposures()
    bad: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "good": (cxr, soft),
        "sizes": (cxr, soft[:200]),
        "other": (cxr, np.random.default_rng(0).random(cxr.shape)),
        "same": (cxr, cxr),
        "flat": (cxr, np.full_like(cxr, 0.5)),
        "moved": (cxr, carry(soft, motion_of(25, 0))),
        "corrupt": (cxr, soft),
        "alone": (cxr, soft),
    }
    for name, pictures in bad.items():
        for folder, picture in zip(("a", "b"), pictures, strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_grey16(tmp_path / folder / f"{name}.png", picture.astype(np.float32))
    coloured = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    for folder in "ab":
        Image.fromarray(coloured).save(tmp_path / folder / "colour.png")
    whole = (tmp_path / "b/corrupt.png").read_bytes()
    (tmp_path / "b/corrupt.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b/alone.png").unlink()
    (tmp_path / "b/model.pkl").write_bytes(b"\x80\x04.")
    code, output = prepare("a", "b", "--into", "pairs")
    assert code == 0, output
    assert [pair.name for pair in read_pair_folder(tmp_path / "pairs").pairs] == ["good"]
    assert read_pairs_file(tmp_path / "pairs").refused == {
        "NOT_GREY": 1,
        "NOT_READABLE": 1,
        "MOVED_TOO_FAR": 1,
        "NO_CONTRAST": 1,
        "PAIR_IDENTICAL": 1,
        "PAIR_MISSING": 1,
        "PAIR_SIZES_DIFFER": 1,
        "PAIR_UNRELATED": 1,
    }
    assert "256 × 256" in output
    assert "256 × 200" in output
    assert "model.pkl" in output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("empty",), "EMPTY_FOLDER"),
        (("nowhere",), "EMPTY_FOLDER"),
        (("png",), "--cxr-suffix"),
        (("png", "png", "png"), "OPTION_INVALID"),
        (("png", "png", "--split", "8:1"), "8:1:1"),
        (("png", "png", "--split", "0:1:1"), "8:1:1"),
        (("png", "png", "--polarity", "grey"), "polarity"),
        (("png", "png", "--kind", "film"), "kind"),
        (("png", "png", "--size", "7"), "64 to 8192"),
        (("png", "png", "--clahe", "--clahe-clip", "0"), "CLAHE"),
        (("png", "png"), "PAIR_IDENTICAL"),
    ],
)
def test_a_mistake_ends_with_its_reason_and_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "png").mkdir()
    write_grey16(tmp_path / "png/a.png", exposures()[0])
    code, output = prepare(*arguments, "--into", "pairs")
    assert code == 1, output
    assert word in output
    assert not (tmp_path / "pairs").exists()


def test_the_target_is_neither_a_source_nor_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "png").mkdir()
    write_grey16(tmp_path / "png/a.png", exposures()[0])
    for place in ("png/pairs", "png", "."):
        code, output = prepare("png", "png", "--into", place)
        assert code == 1
        assert "neither lies in a source nor holds one" in output
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs/thesis.txt").write_text("mine")
    code, output = prepare("png", "png", "--into", "pairs")
    assert code == 1
    assert "thesis.txt" in output
    assert (tmp_path / "pairs/thesis.txt").read_text() == "mine"


def test_real_pairs_are_moved_by_less_than_a_pixel_or_two(shared: Path) -> None:
    found = prepared(shared / "data/pairs", "--size", 512)
    assert len(found.pairs) == 3
    for each in read_pairs_file(Path("pairs")).pairs.values():
        assert max(abs(each.shift_x), abs(each.shift_y)) < 2
        assert not each.cxr_turned
        assert not each.soft_turned
        assert each.match_after > 0.5
