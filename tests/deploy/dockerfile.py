"""Reads a Dockerfile into its instructions, as far as ours use the language."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILES = {name: ROOT / "deploy" / f"Dockerfile.{name}" for name in ("core", "worker")}


@dataclass(frozen=True)
class Instruction:
    """Such as RUN and what stands behind it, on one line."""

    keyword: str
    arguments: str

    @property
    def words(self) -> list[str]:
        if self.arguments.startswith("["):
            return [str(word) for word in json.loads(self.arguments)]
        return shlex.split(self.arguments)


def read_dockerfile(path: Path) -> list[Instruction]:
    """The instructions in order; comments are left out, continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def of(instructions: list[Instruction], keyword: str) -> list[Instruction]:
    """All instructions of one kind."""
    return [instruction for instruction in instructions if instruction.keyword == keyword]
