"""The folder of one training, which reproduces itself: configuration, code, seed and data are written down in it.

The same command with the same folder goes on where it stopped; with another configuration, other data or another
autoencoder it is refused, and the difference named.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.config import RunConfig, parse_config
from models.training.errors import TrainingError, TrainingFault
from models.training.run_files import CACHE, CHECKPOINT, CONFIG, FACTS
from models.training.toml_text import flattened, read_toml, to_toml

FREE = ("training.device", "training.save_every")
"""May differ between the parts of one training."""


@dataclass(frozen=True)
class RunFolder:
    """A folder and what lies in it."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return self.path / CHECKPOINT

    @property
    def cache(self) -> Path:
        """Prepared images."""
        return self.path / CACHE

    @property
    def begun(self) -> bool:
        """Whether there is something to go on from."""
        return self.checkpoint.is_file()

    def stored_config(self) -> RunConfig:
        """The configuration that the folder was begun with. Raises TrainingError when it was not."""
        if not (self.path / CONFIG).is_file() or not (self.path / FACTS).is_file():
            raise TrainingError(
                TrainingFault.RUN_MISSING,
                f"expected the folder of a training ({CONFIG} and {FACTS}), found none in {self.path}",
            )
        return parse_config(self.facts().text("kind"), read_toml(self.path / CONFIG))

    def facts(self) -> JsonFields:
        """What was written down at the beginning. Raises ConfigError."""
        try:
            value: object = json.loads((self.path / FACTS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path / FACTS}: expected JSON, found none ({type(error).__name__})") from error
        return JsonFields(value, FACTS)

    def enter(self, config: RunConfig, digests: Mapping[str, str]) -> None:
        """Write down a new training, or check that the folder's is this one. Raises TrainingError (RUN_DIFFERS).

        `digests`: of the data and of whatever else the training stands on. A folder without a checkpoint holds nothing
        that could be mixed up, and is written anew.
        """
        if self.begun:
            self.require_same_config(config)
            self._require_same_digests(digests)
            return
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / CONFIG).write_text(to_toml(config.table), encoding="utf-8")
        text = json.dumps(_facts(config, digests), indent=1)
        (self.path / FACTS).write_text(text + "\n", encoding="utf-8")

    def require_same_config(self, config: RunConfig) -> None:
        """Raises TrainingError (RUN_DIFFERS), naming every key that differs, unless there is nothing to differ from."""
        if not self.begun:
            return
        kind = self.facts().text("kind")
        if kind != config.kind:
            raise self._differs(f"kind (there {kind}, here {config.kind})")
        stored, asked = flattened(read_toml(self.path / CONFIG)), flattened(config.table)
        keys = sorted(key for key in stored.keys() | asked.keys() if key not in FREE)
        other = [
            f"{key} (there {stored.get(key, 'unset')}, here {asked.get(key, 'unset')})"
            for key in keys
            if stored.get(key) != asked.get(key)
        ]
        if other:
            raise self._differs(", ".join(other))

    def _require_same_digests(self, digests: Mapping[str, str]) -> None:
        recorded = self.facts().nested("digests")
        known = {name: recorded.text(name) for name in recorded.names()}
        changed = sorted(name for name in known.keys() | digests.keys() if known.get(name) != digests.get(name))
        if changed:
            raise self._differs(", ".join(f"{name} (another digest)" for name in changed))

    def _differs(self, what: str) -> TrainingError:
        return TrainingError(
            TrainingFault.RUN_DIFFERS,
            f"{self.path} holds a training that differs in {what}; go on with its own configuration, or name another "
            "folder with --run",
        )


def _facts(config: RunConfig, digests: Mapping[str, str]) -> dict[str, object]:
    return {
        "kind": config.kind,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": config.seed,
        "digests": dict(digests),
        "code": code_version(),
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__},
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }


def code_version() -> str:
    """The git commit in a checkout, with a mark where files differ from it; else the installed version."""
    root = Path(__file__).resolve().parents[2]
    if (root / ".git").exists():
        try:
            commit = _git(root, "rev-parse", "HEAD")
            changed = _git(root, "status", "--porcelain", "--untracked-files=no")
        except (OSError, subprocess.SubprocessError):
            pass
        else:
            return f"git {commit}{' and uncommitted changes' if changed else ''}"
    try:
        return f"softray {version('softray')}"
    except PackageNotFoundError:
        return "softray, version unknown"


def _git(root: Path, *arguments: str) -> str:
    finished = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=True
    )
    return finished.stdout.strip()
