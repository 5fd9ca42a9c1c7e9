"""Every setting stands in docs/settings.md and .env.example with its default, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.settings import Settings, load_settings
from service.settings_docs import entries, env_example, settings_page

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "settings.md"
EXAMPLE = REPOSITORY / ".env.example"


def defaults() -> dict[str, str]:
    """The defaults in the code, typed as one would type them, independently of the generator."""
    typed = {}
    for name, field in Settings.model_fields.items():
        value = field.default
        is_flag = isinstance(value, bool)
        typed[f"SOFTRAY_{name.upper()}"] = "" if value is None else str(value).lower() if is_flag else str(value)
    return typed


def test_the_page_lists_every_setting_with_its_default_and_nothing_else() -> None:
    rows = re.findall(r"^\| `(SOFTRAY_\w+)` \| (?:`([^`]*)`|\(empty\)) \|", PAGE.read_text(), re.MULTILINE)
    assert dict(rows) == defaults()
    assert len(rows) == len(defaults())


def test_the_example_lists_every_setting_with_its_default_and_nothing_else() -> None:
    lines = re.findall(r"^#?(SOFTRAY_\w+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    assert dict(lines) == defaults()
    assert len(lines) == len(defaults())


def test_both_files_are_as_the_generator_writes_them() -> None:
    hint = "run `python -m service.settings_docs`"
    assert PAGE.read_text() == settings_page(), hint
    assert EXAMPLE.read_text() == env_example(), hint


def test_every_setting_has_a_meaning_and_times_and_sizes_have_a_unit() -> None:
    for entry in entries():
        assert entry.section, entry.variable
        assert len(entry.meaning) > 15, entry.variable
        assert entry.meaning.endswith("."), entry.variable
        if entry.variable.endswith("_S"):
            assert entry.unit == "s", entry.variable
        if entry.variable.endswith("_BYTES"):
            assert entry.unit == "bytes", entry.variable


def test_the_example_can_be_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uncommented = re.sub(r"^#(SOFTRAY_)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    (tmp_path / "softray.env").write_text(uncommented)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOFTRAY_ENV_FILE", raising=False)
    from_file = load_settings()
    (tmp_path / "softray.env").unlink()
    assert from_file == load_settings()
