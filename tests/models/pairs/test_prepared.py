from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.pairs.align import AlignedPair, AlignOptions, align_pair
from models.pairs.errors import PairDataError
from models.pairs.folder import PairFolder, read_grey16, read_pair_folder
from models.pairs.grey_png import write_grey16
from models.pairs.prepared import PreparedFolder
from models.pairs.record import read_pairs_file
from models.pairs.source import Refusal, SourcePair, SourcePicture
from tests.models.pairs.phantom_pairs import exposures


def source(tmp_path: Path, name: str, patient: str) -> SourcePair:
    path = tmp_path / "source.png"
    write_grey16(path, np.zeros((4, 4), np.float32))
    return SourcePair(name, patient, SourcePicture(path, read_grey16), SourcePicture(path, read_grey16))


def aligned() -> AlignedPair:
    cxr, soft = exposures()
    return align_pair(cxr, soft, AlignOptions(size=64))


def prepare(tmp_path: Path, names: dict[str, str], into: str = "out") -> PairFolder:
    with PreparedFolder(tmp_path / into, seed=1, ratios=(8, 1, 1), settings={"size": 64}) as prepared:
        for name, patient in names.items():
            prepared.add(source(tmp_path, name, patient), aligned(), cxr_turned=True, soft_turned=False)
        return prepared.finish([Refusal("x", "NOT_GREY", "…")])


def test_what_is_prepared_is_what_the_reader_finds(tmp_path: Path) -> None:
    folder = prepare(tmp_path, {"a": "p", "b": "p", "c": "q"})
    assert read_pair_folder(tmp_path / "out") == folder
    assert folder.digest == read_pairs_file(tmp_path / "out").digest
    split = {pair.name: pair.split for pair in folder.pairs}
    assert split["a"] is split["b"] is not split["c"]
    record = read_pairs_file(tmp_path / "out")
    assert record.refused == {"NOT_GREY": 1}
    assert record.pairs["a"].cxr_turned
    with Image.open(tmp_path / "out/cxr/a.png") as picture:
        assert picture.mode.startswith("I")


def test_the_contact_sheet_has_a_column_of_three_pictures_for_each_pair(tmp_path: Path) -> None:
    prepare(tmp_path, {"a": "p", "b": "q"})
    with Image.open(tmp_path / "out/contact-sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.std() > 20
    # Small pairs are enlarged to a cell's width; two columns, three rows.
    assert sheet.size == (2 * 324 + 4, 3 * 324 + 16 + 4)


def test_an_earlier_preparation_is_replaced_whole(tmp_path: Path) -> None:
    prepare(tmp_path, {"a": "p", "b": "q"})
    prepare(tmp_path, {"c": "r"})
    assert [path.name for path in sorted((tmp_path / "out/cxr").iterdir())] == ["c.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source.png"]


@pytest.mark.parametrize("content", ["notes.txt", "cxr/photo.jpg", "cxr/a.png"])
def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "out" / content
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(PairDataError) as caught:
        prepare(tmp_path, {"a": "p"})
    assert caught.value.code == "TARGET_NOT_OURS"
    assert path.read_text() == "mine"


def test_a_failure_leaves_the_folder_that_was_there(tmp_path: Path) -> None:
    before = prepare(tmp_path, {"a": "p"})
    with pytest.raises(PairDataError, match="NOT_GREY 1"):
        prepare(tmp_path, {})
    assert read_pair_folder(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source.png"]


def test_a_disk_that_cannot_be_written_ends_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(PairDataError, match="too long") as caught:
        prepare(tmp_path, {"n" * 300: "p"})
    assert caught.value.code == "TARGET_NOT_WRITTEN"
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(PairDataError) as caught:
        prepare(tmp_path, {"a": "p"}, into="file/out")
    assert caught.value.code == "TARGET_NOT_WRITTEN"
