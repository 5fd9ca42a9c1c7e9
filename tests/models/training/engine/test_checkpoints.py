from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from models.training.engine.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from models.training.errors import TrainingError, TrainingFault

ONE = Checkpoint(7, 2, {"net": {"network": {"w": torch.ones(2)}, "averaged": {"w": torch.zeros(2)}, "optimiser": {}}})


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_checkpoint(ONE, tmp_path / "c.pt")
    found = read_checkpoint(tmp_path / "c.pt")
    assert (found.step, found.micro_batch) == (7, 2)
    assert torch.equal(found.learners["net"]["network"]["w"], torch.ones(2))  # type: ignore[arg-type]


def test_an_interrupted_write_leaves_the_checkpoint_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(ONE, tmp_path / "c.pt")

    def cut(_state: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(Checkpoint(9, 0, {}), tmp_path / "c.pt")
    assert read_checkpoint(tmp_path / "c.pt").step == 7


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 2, "step": Hostile()}, tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Hostile()))
    for name in ("zip.pt", "plain.pt"):
        with pytest.raises(TrainingError) as caught:
            read_checkpoint(tmp_path / name)
        assert caught.value.code == TrainingFault.CHECKPOINT_UNREADABLE
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_what_is_no_checkpoint_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.pt").write_bytes(content)
    with pytest.raises(TrainingError, match="expected a checkpoint of softray train"):
        read_checkpoint(tmp_path / "c.pt")


def test_a_checkpoint_of_another_format_is_refused(tmp_path: Path) -> None:
    torch.save({"network": {}, "step": 3}, tmp_path / "c.pt")
    with pytest.raises(TrainingError, match="format 2"):
        read_checkpoint(tmp_path / "c.pt")


def test_a_missing_file_is_not_an_unreadable_one(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        read_checkpoint(tmp_path / "c.pt")
    assert caught.value.code == TrainingFault.RUN_MISSING
