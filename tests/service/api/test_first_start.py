from __future__ import annotations

import re

import pytest

from service.access import users
from service.access.roles import Role
from service.access.tokens import FIRST_START, list_tokens
from service.api.first_start import print_first_start_token
from tests.service.api.installation import STARTED, Installation

ADDRESS = "http://127.0.0.1:8080"


def test_the_first_start_prints_a_token_that_opens_one_session(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_first_start_token(installation.sessions, ADDRESS)
    assert not print_first_start_token(installation.sessions, ADDRESS)  # another process, at the same moment
    printed = capsys.readouterr()
    (secret,) = re.findall(r"softray_[\w-]{43}", printed.err)
    assert printed.out == ""
    assert f"{ADDRESS}/login" in printed.err
    entry = installation.policy().entry
    principal = entry.cookie(entry.by_first_start_token(secret, "10.0.0.7"))
    assert principal is not None
    assert principal.role is Role.ADMIN
    (kept,) = installation.read(list_tokens)
    assert (kept.name, kept.role) == (FIRST_START, Role.ADMIN)


def test_where_somebody_can_log_in_nothing_is_printed(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.write(
        lambda session: users.add_user(
            session, name="root", role=Role.ADMIN, images=False, password="correct horse battery", now=STARTED
        )
    )
    assert not print_first_start_token(installation.sessions, ADDRESS)
    assert capsys.readouterr().err == ""
