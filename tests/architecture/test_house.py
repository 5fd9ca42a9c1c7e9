"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for package in ("service", "models", "dicom_node", "worker") for path in (ROOT / package).rglob("*.py")
)
BANNED_NAMES = {"utils.py", "helpers.py", "common.py", "base.py", "manager.py"}
FORBIDDEN_DEPENDENCIES = ("torchvision", "lpips", "pylibjpeg-libjpeg")


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = {str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > 300}
    assert long == {}


def test_no_file_is_named_for_nothing_in_particular() -> None:
    assert [path for path in SOURCES if path.name in BANNED_NAMES] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert "TODO" not in docstring


def test_every_event_in_the_log_is_named_in_snake_case() -> None:
    named: set[str] = set()
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "log_event":
                event = call.args[1]
                choices = [event.body, event.orelse] if isinstance(event, ast.IfExp) else [event]
                named |= {str(one.value) for one in choices if isinstance(one, ast.Constant)}
    assert len(named) > 20
    assert [event for event in sorted(named) if not re.fullmatch(r"[a-z]+(_[a-z]+)*", event)] == []


def test_dependencies_that_replace_torch_or_are_gpl_are_absent() -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        lines = [line.split("#")[0] for line in (ROOT / name).read_text().splitlines()]
        assert not [line for line in lines for banned in FORBIDDEN_DEPENDENCIES if banned in line]


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["models"]]
    # Hyphen and underscore are the same letter in a package's name.
    names = {item.split(">")[0].split("=")[0].split("[")[0].lower().replace("_", "-") for item in wanted}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert names - pinned == set()


def test_only_checkpoint_code_opens_weights_and_nothing_unpickles() -> None:
    for path in SOURCES:
        text = path.read_text()
        name = str(path.relative_to(ROOT))
        if name != "models/checkpoint.py":
            assert "safetensors.torch" not in text or name.startswith("models/training/"), name
        if "weights_only=True" not in text:
            assert "torch.load(" not in text, name
