"""Which release is running."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from service.api.problems import problems
from service.api.schemas import Version

router = APIRouter(tags=["version"])


@router.get("/version", summary="Release", responses=problems(500))
def read_version() -> Version:
    """The release of softray and of the Python that runs it, as a bug report needs them."""
    return Version(name="softray", version=release(), python=platform.python_version())


def release() -> str:
    """The installed release, such as `0.1.0`."""
    try:
        return version("softray")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"
