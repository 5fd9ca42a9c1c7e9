from __future__ import annotations

import pytest

from service.api.access_policy import access_policy
from service.settings import Settings
from tests.service.api.installation import Installation


@pytest.mark.parametrize(
    ("changed", "login_required"),
    [
        ({}, True),
        ({"api_login": "auto"}, False),
        ({"api_login": "auto", "api_host": "::1"}, False),
        ({"api_login": "auto", "api_host": "0.0.0.0"}, True),
        # To softray, all visitors of a proxy come from this machine, and not every proxy says that it is one.
        ({"api_login": "auto", "api_public_url": "https://softray.example"}, True),
        ({"api_login": "auto", "api_trusted_proxies": "127.0.0.1"}, True),
    ],
)
def test_without_a_login_is_for_this_machine_alone(
    installation: Installation, changed: dict[str, str], login_required: bool
) -> None:
    settings = Settings(_env_file=None, **changed)  # type: ignore[call-arg, arg-type]
    assert access_policy(settings, installation.sessions).login_required is login_required
