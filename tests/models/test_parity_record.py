from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models import library
from models.errors import ConfigError
from models.manifest import Manifest, write_manifest
from models.parity import Parity
from models.parity_record import FILE_NAME, ParityRecord, read_parity, require_parity, write_parity
from tests.models.bs_ldm.factories import install_model

GOOD, BAD = Parity(0.05, -0.01, -0.03, 0.0, 0.0), Parity(0.3, -0.2, -0.3, 0.0, 0.0)


@pytest.fixture
def imported(tmp_path: Path) -> Manifest:
    manifest = replace(install_model(tmp_path), sources={"unet.pth": "ab" * 32})
    write_manifest(manifest)
    return manifest


def record(manifest: Manifest, parity: Parity = GOOD) -> ParityRecord:
    fast, reference = manifest.preset("fast"), manifest.preset("reference")
    return ParityRecord(manifest.sha256, fast, reference, "phantom", 2, (0, 5), "cpu", parity)


def refused(manifest: Manifest, preset: str = "fast", steps: int = 0) -> str | None:
    try:
        library.load_manifest(manifest, preset, steps, "cpu")
    except ConfigError as error:
        return error.code
    return None


def test_a_record_is_read_as_it_was_written(imported: Manifest) -> None:
    written = record(imported)
    write_parity(written, imported.folder)
    assert read_parity(imported.folder) == written


def test_imported_weights_run_fast_only_after_a_comparison_that_passed(imported: Manifest) -> None:
    assert refused(imported) == "PARITY_NOT_SHOWN"
    write_parity(record(imported, BAD), imported.folder)
    assert refused(imported) == "PARITY_FAILED"
    write_parity(record(imported), imported.folder)
    assert refused(imported) is None


def test_the_refusal_names_the_command_and_the_way_round_it(imported: Manifest) -> None:
    with pytest.raises(ConfigError, match=r"softray models parity small.*SOFTRAY_PRESET=reference"):
        require_parity(imported, imported.preset("fast"))


def test_the_reference_and_a_check_of_the_weights_need_no_record(imported: Manifest) -> None:
    assert refused(imported, "reference") is None
    library.load_manifest(imported, device="cpu", unproven=True)


def test_own_weights_need_no_record(tmp_path: Path) -> None:
    assert refused(install_model(tmp_path)) is None


@pytest.mark.parametrize("steps", [5, 20])
def test_a_record_of_another_number_of_steps_vouches_for_nothing(imported: Manifest, steps: int) -> None:
    write_parity(record(imported), imported.folder)
    assert refused(imported, steps=steps) == "PARITY_NOT_SHOWN"


def test_a_record_of_other_weights_vouches_for_nothing(imported: Manifest) -> None:
    write_parity(replace(record(imported), model_sha256="cd" * 32), imported.folder)
    assert refused(imported) == "PARITY_NOT_SHOWN"


def test_a_verdict_that_the_figures_do_not_bear_out_counts_for_nothing(imported: Manifest) -> None:
    path = write_parity(record(imported, BAD), imported.folder)
    path.write_text(json.dumps({**json.loads(path.read_text()), "passed": True}))
    assert refused(imported) == "PARITY_FAILED"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', "[" * 100_000])
def test_a_record_that_is_none_is_refused(imported: Manifest, text: str) -> None:
    (imported.folder / FILE_NAME).write_text(text)
    assert refused(imported) == "MODEL_CONFIG_INVALID"
