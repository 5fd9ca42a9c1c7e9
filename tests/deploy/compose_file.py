"""Reads docker-compose.yml with Compose itself: the plugin of a container engine, or Debian's docker-compose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import ROOT

SECRETS = ("SOFTRAY_POSTGRES_PASSWORD", "SOFTRAY_REDIS_PASSWORD", "SOFTRAY_ORTHANC_PASSWORD")
YAML_TO_JSON = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"


@cache
def compose_command() -> tuple[str, ...]:
    """`docker compose` where the plugin is there, else `docker-compose`; skips the test, visibly, without either."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    pytest.skip("no Compose here: neither the docker plugin nor docker-compose (Debian: docker-compose)")


def config(**environment: str) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file under these variables; it checks the schema first."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SOFTRAY_", "COMPOSE_"))}
    # The example as it is, so that it is tried and a developer's own .env is not.
    example = ROOT / "deploy" / "example.env"
    command = [*compose_command(), "--env-file", str(example), "--project-directory", str(ROOT)]
    return subprocess.run(
        [*command, "--file", str(ROOT / "docker-compose.yml"), "config"],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def resolved() -> dict[str, Any]:
    """The whole file with anchors, variables and env files filled in."""
    answer = config(**dict.fromkeys(SECRETS, "secret"))
    assert answer.returncode == 0, answer.stderr
    # PyYAML is no dependency of ours; Debian's docker-compose brings it for the system's Python.
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists():
            read = subprocess.run(
                [python, "-c", YAML_TO_JSON], input=answer.stdout, capture_output=True, text=True, check=False
            )
            if read.returncode == 0:
                return dict(json.loads(read.stdout))
    pytest.skip("no PyYAML in any Python here (Debian: python3-yaml)")
