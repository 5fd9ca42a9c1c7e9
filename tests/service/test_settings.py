from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.settings import ENV_FILE_VARIABLE, Settings, checked_ae_title, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SOFTRAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.ae_title == "SOFTRAY"
    assert settings.effective_database_url == f"sqlite:///{tmp_path}/softray-data/softray.sqlite3"
    assert settings.effective_broker_url == "filesystem://"
    assert settings.effective_weights_dir == Path("softray-data/weights")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "softray.env").write_text("SOFTRAY_AE_TITLE=FILE\nSOFTRAY_DICOM_PORT=104\n")
    monkeypatch.setenv("SOFTRAY_AE_TITLE", "ENVIRONMENT")
    settings = load_settings()
    assert (settings.ae_title, settings.dicom_port) == ("ENVIRONMENT", 104)


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.env").write_text("SOFTRAY_STEPS=20\n")
    monkeypatch.setenv(ENV_FILE_VARIABLE, str(tmp_path / "other.env"))
    assert load_settings().steps == 20


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_FILE_VARIABLE, str(tmp_path / "absent.env"))
    with pytest.raises(ConfigurationError, match=r"SETTINGS_FILE_MISSING.*absent\.env"):
        load_settings()


def test_a_misspelt_name_in_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "softray.env").write_text("SOFTRAY_DICOM_PROT=104\n")
    with pytest.raises(ConfigurationError, match=r"INVALID_SETTING.*DICOM_PROT"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DICOM_PORT", "-1"),
        ("DICOM_PORT", "65536"),
        ("DICOM_PORT", "http"),
        ("LEASE_S", "0"),
        ("MAX_ATTEMPTS", "0"),
        ("PRESET", "slow"),
        ("DEVICE", "tpu"),
        ("AE_TITLE", "SEVENTEEN LETTERS"),
        ("SYNTHETIC_DATA", "NO"),
        ("LOG_LEVEL", "LOUD"),
        ("MIN_FREE_BYTES", "-1"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SOFTRAY_{name}", value)
    with pytest.raises(ConfigurationError, match=f"INVALID_SETTING.*SOFTRAY_{name}:"):
        load_settings()


def test_errors_and_representations_keep_passwords_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_DATABASE_URL", "postgresql://softray:hunter2@db/softray")
    monkeypatch.setenv("SOFTRAY_BROKER_URL", "redis://:hunter2@redis")
    assert "hunter2" not in repr(load_settings())
    monkeypatch.setenv("SOFTRAY_STEPS", "many")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().steps = 3


def test_an_empty_weights_folder_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_WEIGHTS_DIR", "")
    assert load_settings().effective_weights_dir == Path("softray-data/weights")


def test_synthetic_data_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTRAY_SYNTHETIC_DATA", "")
    assert load_settings().synthetic_data == ""


@pytest.mark.parametrize("title", ["", "   ", "A" * 17, "A\\B", "A\nB", "Ä"])
def test_what_is_not_an_ae_title_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="AE title"):
        checked_ae_title(title)


def test_spaces_around_an_ae_title_do_not_count() -> None:
    assert checked_ae_title("  PACS 1  ") == "PACS 1"
