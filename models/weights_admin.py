"""What an operator does with weights: list, verify, import. For the command line; nothing here loads a network to run.

Importing is `import_published.import_published`, offered here under one roof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint import file_sha256
from models.errors import ModelsError, WeightsError
from models.import_published import PublishedModel, import_published
from models.library import default_model, find, model_folders
from models.manifest import Manifest, read_manifest

__all__ = ["FileCheck", "InstalledModel", "PublishedModel", "import_published", "list_models", "verify_model"]


@dataclass(frozen=True)
class InstalledModel:
    """One line of the list."""

    name: str
    folder: Path
    is_default: bool
    manifest: Manifest | None
    """None when it cannot be read."""
    size_bytes: int
    fault: str
    """Why the manifest cannot be read; empty when it can."""


@dataclass(frozen=True)
class FileCheck:
    """One file of a model against its manifest."""

    file: str
    expected_sha256: str
    found_sha256: str
    """Empty when the file cannot be read."""

    @property
    def ok(self) -> bool:
        """Whether the file is what the manifest says."""
        return self.found_sha256 == self.expected_sha256


def list_models(weights_dirs: Sequence[Path] = ()) -> list[InstalledModel]:
    """Every installed model in the order of search, broken ones included; raises nothing for them."""
    default = default_model()
    found: dict[str, InstalledModel] = {}
    for folder in model_folders(weights_dirs):
        if folder.name not in found:
            found[folder.name] = _describe(folder, is_default=folder.name == default)
    return list(found.values())


def verify_model(name: str = "", weights_dirs: Sequence[Path] = ()) -> list[FileCheck]:
    """Every file of a model (empty: the shipped default) compared with its digest.

    Raises WeightsError when there is no such model, ConfigError when its manifest is not as it should be.
    """
    manifest = find(name, weights_dirs)
    expected = dict(manifest.files)
    if manifest.golden is not None:
        expected[manifest.golden.file] = manifest.golden.sha256
    return [FileCheck(file, sha256, _digest_or_empty(manifest.folder / file)) for file, sha256 in expected.items()]


def _describe(folder: Path, *, is_default: bool) -> InstalledModel:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        return InstalledModel(folder.name, folder, is_default, read_manifest(folder), size, "")
    except ModelsError as error:
        return InstalledModel(folder.name, folder, is_default, None, size, str(error))


def _digest_or_empty(path: Path) -> str:
    try:
        return file_sha256(path)
    except WeightsError:
        return ""
