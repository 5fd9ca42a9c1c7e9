"""The pages of studies in a real browser: states that follow by themselves, pictures that toggle in place, Retry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.registry.job_states import JobState
from tests.peers.browser import PATIENCE_S, served, started_browser
from tests.service.api.installation import Installation, install

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as started:
        yield started


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def address(installation: Installation) -> Iterator[str]:
    with served(installation.app()) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:  # closed before the server stops
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(PATIENCE_S * 1000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    # A 409 that a test provokes is the only thing a page may complain of.
    assert [one for one in complaints if "409" not in one] == []


def visible_picture(page: Page) -> str:
    """The file name of the picture that the toggling panel shows; its pixels must have arrived."""
    picture = page.locator(".stage img:visible")
    page.wait_for_function("(picture) => picture.naturalWidth > 0", arg=picture.element_handle())
    return str(picture.get_attribute("src")).rsplit("/", 1)[1]


def test_the_list_leads_to_the_study_and_on_to_the_image(page: Page, address: str, installation: Installation) -> None:
    installation.fail(installation.receive("1.2.3"))
    page.goto(f"{address}/pages/studies")
    expect(page.locator("tbody tr")).to_contain_text("Failed")
    expect(page.locator("tbody tr")).to_contain_text("PIXELS_UNDECODABLE")
    page.locator("tbody a").click()
    expect(page).to_have_title("Study · softray")
    expect(page.locator("main")).to_contain_text("1.2.3")


def test_a_study_shows_progress_and_then_the_pictures(page: Page, address: str, installation: Installation) -> None:
    job_id = installation.receive("1.2.3")
    page.goto(f"{address}/pages/studies/1.2.3")
    expect(page.locator(".viewer")).to_have_count(0)
    installation.derive(job_id)
    expect(page.locator(".status")).to_contain_text("Being delivered")
    expect(page.locator("figcaption")).to_contain_text(["Original", "Soft tissue", "Bone taken away"])
    visible_picture(page)
    left, middle, right = (figure.bounding_box() for figure in page.locator("figure").all())
    assert left is not None
    assert middle is not None
    assert right is not None
    assert left["y"] == middle["y"] == right["y"]
    assert left["x"] < middle["x"] < right["x"]


def test_the_picture_toggles_in_place_enlarges_and_stays_through_a_refresh(
    page: Page, address: str, installation: Installation
) -> None:
    installation.add_destination("PACS")
    job_id = installation.receive("1.2.3")
    installation.derive(job_id)
    page.goto(f"{address}/pages/studies/1.2.3")
    button = page.locator("[data-toggle]")
    before = page.locator(".stage img:visible").bounding_box()
    assert visible_picture(page) == "source.png"
    page.keyboard.press("Space")
    assert (visible_picture(page), button.inner_text()) == ("soft-tissue.png", "Show original")
    assert page.locator(".stage img:visible").bounding_box() == before
    button.click()
    assert visible_picture(page) == "source.png"
    # With the button focused the key is the button's own: once, not twice.
    button.press("Space")
    assert visible_picture(page) == "soft-tissue.png"
    installation.deliver(job_id)
    expect(page.locator(".status")).to_contain_text("Delivered")
    expect(page.locator(".deliveries")).to_contain_text("0x0000")
    assert visible_picture(page) == "soft-tissue.png"
    page.keyboard.press("f")
    stage = page.locator("figure:visible").bounding_box()
    assert stage is not None
    assert stage["width"] >= 0.95 * 1600
    page.keyboard.press("Escape")
    expect(page.locator("figure:visible")).to_have_count(3)


def test_retry_is_pressed_by_keyboard_and_the_page_follows(
    page: Page, address: str, installation: Installation
) -> None:
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    page.goto(f"{address}/pages/studies/1.2.3")
    page.locator("[data-retry]").press("Enter")
    expect(page.locator(".outcome")).to_have_text("Retry accepted.")
    expect(page.locator(".status")).to_contain_text("Queued")
    assert installation.state(job_id) is JobState.QUEUED
    assert installation.queue.inferences == [job_id]
    expect(page.locator("[data-retry]")).to_have_count(0)


def test_a_retry_that_comes_too_late_says_why(page: Page, address: str, installation: Installation) -> None:
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    page.goto(f"{address}/pages/studies/1.2.3")
    # Somebody else is faster: the page must not have refreshed between the two.
    page.evaluate("() => { window.setTimeout = () => 0; }")
    page.evaluate("(id) => fetch(`/api/v1/jobs/${id}/retry`, {method: 'POST'}).then(() => 0)", job_id)
    page.evaluate("document.querySelector('[data-retry]').click()")
    expect(page.locator(".outcome")).to_contain_text("Not retried: expected job")


def test_the_page_says_when_softray_no_longer_answers(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('gone')); }")
    expect(page.locator("#live")).to_contain_text("No answer from softray")
