"""Image checks fetch gigabytes and run only when they are asked for."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "images" in (config.getoption("-m") or ""):
        return
    for item in items:
        if item.get_closest_marker("images"):
            item.add_marker(pytest.mark.skip(reason="installs whole images; run `make check-images`"))
