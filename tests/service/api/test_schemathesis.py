"""Every operation against generated requests, right and wrong ones, with all of schemathesis' checks."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from service.access import tokens
from service.access.entry import Entry
from service.access.login_limits import LoginLimits
from service.access.roles import Role
from tests.service.api.installation import Installation, install

REPEATABLE = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One job in each interesting state, so that there is something to be shown and changed."""
    installed = install(tmp_path_factory.mktemp("schemathesis"))
    installed.add_destination("PACS")
    installed.derive(installed.receive("1.2.1"))
    installed.fail(installed.receive("1.2.2"))
    installed.receive("1.2.3", reason_code="LATERAL", reason_detail="found a lateral view")
    installed.reject()
    return installed


@pytest.fixture(scope="module")
def headers(filled: Installation) -> dict[str, str]:
    """Of an administrator who may see images: nothing is refused for want of a right."""
    secret = filled.write(
        lambda session: tokens.create_token(
            session,
            name="a",
            role=Role.ADMIN,
            images=True,
            created_by="test",
            expires_at=None,
            now=next(filled.clock),
        )
    )
    return {"Host": "testserver", "Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def operations(filled: Installation, headers: dict[str, str]) -> list[schemathesis.APIOperation]:
    patient = Entry(filled.sessions, limits=LoginLimits(of_address=1_000_000))  # many tokens here are made up
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", filled.app(login_required=True, entry=patient), headers=headers
    )
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


# Wrong requests are asked on demand (SOFTRAY_SCHEMATHESIS=all): which of them schemathesis takes for wrong is not the
# same in every run, and some are right (a value that is not sent at all).
MODES = (
    list(schemathesis.GenerationMode)
    if os.environ.get("SOFTRAY_SCHEMATHESIS") == "all"
    else [schemathesis.GenerationMode.POSITIVE]
)


@pytest.mark.parametrize("mode", MODES)
def test_whatever_is_asked_the_answer_is_one_that_is_described(
    operations: list[schemathesis.APIOperation], headers: dict[str, str], mode: schemathesis.GenerationMode
) -> None:
    assert len(operations) > 15
    for operation in operations:
        with suppress(Unsatisfiable):  # of an operation without parameters nothing can be wrong

            @REPEATABLE
            @given(case=operation.as_strategy(mode))
            def ask(case: schemathesis.Case) -> None:
                if mode is schemathesis.GenerationMode.POSITIVE and isinstance(case.query, dict):
                    case.query.pop("cursor", None)  # its description cannot say which texts are cursors
                answer = case.call(headers=headers)
                case.validate_response(answer, excluded_checks=excluded(case, answer))

            ask()


def excluded(case: schemathesis.Case, answer: schemathesis.Response) -> list[schemathesis.CheckFunction]:
    """The checks that cannot be right about this answer."""
    if answer.status_code == 422 and answer.json()["code"] != "INVALID_REQUEST":
        return [positive_data_acceptance]  # no schema says that one of several filters is needed, say
    if answer.status_code == 413:
        return [negative_data_rejection]  # which counts other refusals only
    if not any((case.query or {}).values()) and case.method == "GET":
        return [negative_data_rejection]  # a wrong value that is not sent at all, such as null
    return []
