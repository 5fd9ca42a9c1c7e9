"""Working with the pages where everybody must log in: first start, an account with fewer rights, Retry, log out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.access import tokens, users
from service.access.roles import Role
from service.audit.records import read_events
from service.registry.job_states import JobState
from tests.peers.browser import PATIENCE_S, served, started_browser
from tests.service.api.installation import Installation, install

pytestmark = pytest.mark.interop

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    yield context.new_page()
    context.close()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def address(installation: Installation) -> Iterator[str]:
    with served(installation.app(login_required=True)) as where:
        yield where


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#{name}").fill(value)


def test_people_log_in_do_what_they_may_and_log_out(page: Page, address: str, installation: Installation) -> None:
    failed = installation.receive("1.2.3")
    installation.fail(failed)
    now = datetime.now(UTC)
    first = installation.write(lambda session: tokens.create_first_start_token(session, now=now))
    for name, role in (("op", Role.OPERATOR), ("rad", Role.VIEWER)):
        installation.write(
            lambda session, name=name, role=role: users.add_user(
                session, name=name, role=role, images=False, password=PASSWORD, now=now
            )
        )
    study = f"{address}/pages/studies/1.2.3"

    # The first start's token, once.
    page.goto(study)
    expect(page).to_have_title("Log in · softray")
    expect(page.locator("nav")).to_have_count(0)
    page.locator(".first-start summary").click()
    fill(page, token=first)
    page.locator("#use-token").click()
    expect(page.locator("#who")).to_contain_text("first-start")
    assert page.url == study  # where they wanted to go
    assert page.context.cookies()[0]["httpOnly"] is True
    page.locator("#log-out").click()
    expect(page.locator("h1")).to_contain_text("Log in")

    # A wrong password says so and leaves everybody where they were.
    fill(page, name="op", password="wrong password")
    page.locator("#log-in").click()
    expect(page.locator("#refused")).to_contain_text("LOGIN_FAILED")

    # A viewer sees the failure and has no button for it.
    page.goto(f"{address}/login?next=/pages/studies/1.2.3")
    fill(page, name="rad", password=PASSWORD)
    page.locator("#log-in").click()
    expect(page.locator(".status")).to_contain_text("PIXELS_UNDECODABLE")
    expect(page.locator("[data-retry]")).to_have_count(0)
    page.locator("#log-out").click()
    expect(page.locator("h1")).to_contain_text("Log in")

    # An operator presses Retry: the page brings its session's CSRF token along.
    page.goto(f"{address}/login?next=/pages/studies/1.2.3")
    fill(page, name="op", password=PASSWORD)
    page.locator("#log-in").click()
    expect(page.locator("#who")).to_contain_text("op")
    page.evaluate("document.body.dataset.token = document.body.dataset.csrf; document.body.dataset.csrf = 'x'")
    page.locator("[data-retry]").click()
    expect(page.locator(".outcome")).to_contain_text("Not retried: load the page again")
    assert installation.state(failed) is JobState.FAILED
    page.evaluate("document.body.dataset.csrf = document.body.dataset.token")
    page.locator("[data-retry]").click()
    expect(page.locator(".outcome")).to_contain_text("Retry accepted.")
    assert installation.state(failed) is JobState.QUEUED

    # Logged out elsewhere: the open page notices by itself and leads back after the next login.
    page.evaluate("fetch('/logout/everywhere', {method: 'POST', headers: token()})")
    expect(page.locator("h1")).to_contain_text("Log in")
    assert page.context.cookies() == []
    assert page.url.endswith("/login?next=%2Fpages%2Fstudies%2F1.2.3")

    kinds = installation.read(lambda session: [(one.kind, one.outcome, one.actor) for one in read_events(session)])
    assert [one for one in kinds if one[0] != "ACTION"] == [
        ("LOGIN", "SUCCESS", "first-start"),
        ("LOGOUT", "SUCCESS", "first-start"),
        ("LOGIN", "FAILURE", "op"),
        ("LOGIN", "SUCCESS", "rad"),
        ("LOGOUT", "SUCCESS", "rad"),
        ("LOGIN", "SUCCESS", "op"),
        ("SECURITY_ALERT", "FAILURE", "op"),
        ("LOGOUT", "SUCCESS", "op"),
    ]
