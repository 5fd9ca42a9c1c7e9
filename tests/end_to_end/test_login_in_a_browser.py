"""Working with the pages where everybody must log in: first start, an account with fewer rights, Retry, log out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By

from service.access import tokens, users
from service.access.roles import Role
from service.audit.records import read_events
from service.registry.job_states import JobState
from tests.end_to_end.test_dashboard_in_a_browser import PATIENCE_S, browser, shown, wait_for_text
from tests.service.api.installation import Installation, install
from tests.service_process import free_port

pytestmark = pytest.mark.interop

__all__ = ["browser"]
PASSWORD = "correct horse battery"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def address(installation: Installation) -> Iterator[str]:
    port = free_port()
    app = installation.app(login_required=True)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < deadline, "uvicorn did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=PATIENCE_S)


def fill(browser: webdriver.Chrome, **fields: str) -> None:
    for name, value in fields.items():
        browser.find_element(By.ID, name.replace("_", "-")).send_keys(value)


def test_people_log_in_do_what_they_may_and_log_out(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
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
    browser.get(study)
    assert browser.title == "Log in · softray"
    assert shown(browser, "nav") == []
    browser.find_element(By.CSS_SELECTOR, ".first-start summary").click()
    fill(browser, token=first)
    browser.find_element(By.ID, "use-token").click()
    wait_for_text(browser, "#who", "first-start")
    assert browser.current_url == study  # where they wanted to go
    assert browser.get_cookies()[0]["httpOnly"] is True
    browser.find_element(By.ID, "log-out").click()
    wait_for_text(browser, "h1", "Log in")

    # A wrong password says so and leaves everybody where they were.
    fill(browser, name="op", password="wrong password")
    browser.find_element(By.ID, "log-in").click()
    wait_for_text(browser, "#refused", "LOGIN_FAILED")

    # A viewer sees the failure and has no button for it.
    browser.get(f"{address}/login?next=/pages/studies/1.2.3")
    fill(browser, name="rad", password=PASSWORD)
    browser.find_element(By.ID, "log-in").click()
    wait_for_text(browser, ".status", "PIXELS_UNDECODABLE")
    assert shown(browser, "[data-retry]") == []
    browser.find_element(By.ID, "log-out").click()
    wait_for_text(browser, "h1", "Log in")

    # An operator presses Retry: the page brings its session's CSRF token along.
    browser.get(f"{address}/login?next=/pages/studies/1.2.3")
    fill(browser, name="op", password=PASSWORD)
    browser.find_element(By.ID, "log-in").click()
    wait_for_text(browser, "#who", "op")
    browser.execute_script("document.body.dataset.token = document.body.dataset.csrf; document.body.dataset.csrf = 'x'")
    browser.find_element(By.CSS_SELECTOR, "[data-retry]").click()
    wait_for_text(browser, ".outcome", "Not retried: load the page again")
    assert installation.state(failed) is JobState.FAILED
    browser.execute_script("document.body.dataset.csrf = document.body.dataset.token")
    browser.find_element(By.CSS_SELECTOR, "[data-retry]").click()
    wait_for_text(browser, ".outcome", "Retry accepted.")
    assert installation.state(failed) is JobState.QUEUED

    # Logged out elsewhere: the open page notices by itself and leads back after the next login.
    browser.execute_script("fetch('/logout/everywhere', {method: 'POST', headers: token()})")
    wait_for_text(browser, "h1", "Log in")
    assert browser.get_cookies() == []
    assert browser.current_url.endswith("/login?next=%2Fpages%2Fstudies%2F1.2.3")

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
