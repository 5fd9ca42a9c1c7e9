from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluation import ModelRun, Subjects, evaluate, missed, parse_requirements
from models.library import BUILTIN_WEIGHTS_DIR, find, load
from models.manifest import FILE_NAME

BARS = {
    # Patient 0's port keeps its contrast (decision 17) where the dual-energy truth has none: 0.024 of the bone left.
    "0": "psnr>=31.5,bone_left<=0.225,detail>=0.78",
    "2": "psnr>=32.5,bone_left<=0.18,detail>=0.76",
}


def shipped() -> list[str]:
    return sorted(path.parent.name for path in BUILTIN_WEIGHTS_DIR.glob(f"*/{FILE_NAME}"))


@pytest.mark.parametrize("pair", BARS)
def test_the_default_model_meets_the_bar_on_a_real_pair_as_its_card_says(shared: Path, pair: str) -> None:
    # The shipped weights know these pairs; what a patient left out scores stands in the card and in docs/models.md.
    pairs = shared / "data" / "pairs"
    found = evaluate(
        Subjects(pairs / "cxr", pairs / "soft_tissue", pairs=(pair,)),
        [ModelRun(load(device="cpu"))],
        on_image=lambda _what, _done, _total: None,
    )
    assert missed(parse_requirements(BARS[pair]), found) == []


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_model_has_a_card_that_says_it_is_not_a_medical_device(name: str) -> None:
    card = (BUILTIN_WEIGHTS_DIR / name / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "not a medical device" in card.lower()
    for source in ("SZCH", "NIH", "Hannover", "LIDC-IDRI-0314"):
        assert source in card


def test_the_shipped_weights_stay_below_twenty_megabytes() -> None:
    files = [path for name in shipped() for path in (BUILTIN_WEIGHTS_DIR / name).glob("*.safetensors")]
    assert files
    assert sum(path.stat().st_size for path in files) < 20_000_000


def test_the_default_is_installed() -> None:
    assert find().name in shipped()
