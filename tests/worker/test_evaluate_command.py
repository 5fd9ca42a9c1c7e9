from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from dicom_node.radiograph import wrap_radiograph
from models.evaluation import pictures
from models.phantom import render
from models.residual_unet.config import ResidualUNetSetup
from models.residual_unet.network import ResidualUNet, ResidualUNetConfig
from models.training.export import write_model
from models.training.objectives.residual_unet import installable
from service.cli import app
from tests.radiographs import write
from worker.evaluate_command import RadiographReader

SIDE = 64
PHANTOM = render(SIDE, 7)
runner = CliRunner()


@pytest.fixture(autouse=True)
def _own_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SOFTRAY_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("SOFTRAY_DEVICE", "cpu")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(pictures, "FIGURE_SIDE", SIDE)
    config = ResidualUNetConfig((8, 8), 1, SIDE)
    setup = ResidualUNetSetup(config, gain=1.0, slow_share=1.0)
    idle = installable(ResidualUNet(config), setup)
    write_model(idle, tmp_path / "weights/idle", version="0", note="untrained")


def png(path: Path, display: NDArray[np.float32]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(display * 65535).astype(np.uint16)).save(path)
    return path


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    """The options for one pair whose radiograph is DICOM and whose truth is PNG."""
    write(tmp_path / "cxr/one.dcm", wrap_radiograph(PHANTOM.radiograph, imager_pixel_spacing_mm=0.2))
    png(tmp_path / "truth/one.png", PHANTOM.soft_tissue)
    return ["evaluate", "--cxr", str(tmp_path / "cxr"), "--truth", str(tmp_path / "truth")]


def run(*arguments: str) -> tuple[int, str]:
    answer = runner.invoke(app, list(arguments))
    return answer.exit_code, answer.output


def test_a_dicom_radiograph_is_read_as_the_service_sees_it_with_or_without_an_ending(tmp_path: Path) -> None:
    reader = RadiographReader()
    dataset = wrap_radiograph(PHANTOM.radiograph, imager_pixel_spacing_mm=0.2)
    for name in ("one.dcm", "one"):
        path = write(tmp_path / name, dataset)
        assert reader.accepts(path)
        np.testing.assert_allclose(reader.read(path), PHANTOM.radiograph, atol=1e-3)
    (tmp_path / "notes.txt").write_text("neither")
    assert not reader.accepts(tmp_path / "notes.txt")


def test_the_table_goes_to_the_terminal_and_everything_to_json_and_pictures(tmp_path: Path, pair: list[str]) -> None:
    code, text = run(
        *pair, "--model", "idle", "--json", str(tmp_path / "out/e.json"), "--pictures", str(tmp_path / "p")
    )
    assert code == 0, text
    assert "idle (one-pass, 1)" in text
    mean = json.loads((tmp_path / "out/e.json").read_text())["pairs"]["mean"]
    assert mean["idle (one-pass, 1)"]["bone_left"] == pytest.approx(1.0, abs=1e-3)
    assert (tmp_path / "p/pairs-1.png").is_file()


def test_a_missed_requirement_is_named_and_ends_with_one(pair: list[str]) -> None:
    code, text = run(*pair, "--model", "idle", "--require", "bone_left<=0.2,detail>=0.1")
    assert code == 1
    assert "REQUIREMENT_MISSED" in text
    assert "idle (one-pass, 1): expected bone_left<=0.2, found 1" in text
    assert "detail>=0.1" not in text


def test_requirements_that_hold_end_with_zero(pair: list[str]) -> None:
    assert run(*pair, "--model", "idle", "--require", "bone_left<=1.01")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--model", "nonesuch"), "expected an installed model 'nonesuch'"),
        (("--model", "idle:quick"), "expected a model as NAME"),
        (("--require", "psnr>33"), "expected FIGURE>=NUMBER"),
        (("--require", "psnr>=33"), "expected a figure that is measured here"),
        (("--lpips", "none.safetensors"), "none.safetensors: cannot be read"),
        (("--prediction", "nowhere"), "no such folder"),
        (("--projections", "nowhere.npz"), "expected projections of a CT"),
        (("--pair", "two"), "none named two"),
        (("--split", "test"), "expected pairs.json as softray data prepare writes it"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_exit_code_one(
    pair: list[str], arguments: tuple[str, str], sentence: str
) -> None:
    code, text = run(*pair, *arguments)
    assert code == 1
    assert sentence in " ".join(text.split())
    assert "Traceback" not in text
