"""Who may import whom, and that our generic package names are ours."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["service", "models", "dicom_node", "worker", "migrations"]


@pytest.mark.parametrize("name", PACKAGES)
def test_our_package_is_not_shadowed_by_another_distribution(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(module.__file__ or "").resolve().is_relative_to(ROOT)


@pytest.mark.parametrize(
    "module",
    ["dicom_node.__main__", "service.cli", "service.api.app", "worker.app", "worker.deliver", "worker.sweep"],
)
def test_processes_that_do_not_compute_never_load_torch(module: str) -> None:
    code = f"import sys, importlib; importlib.import_module({module!r}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_the_registry_never_loads_fastapi() -> None:
    code = "import sys, service.registry.jobs, service.registry.queries; sys.exit('fastapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_imports_the_worker() -> None:
    offenders = [
        path
        for package in ("service", "models", "dicom_node", "migrations")
        for path in (ROOT / package).rglob("*.py")
        if any(line.startswith(("import worker", "from worker")) for line in path.read_text().splitlines())
    ]
    assert offenders == []
