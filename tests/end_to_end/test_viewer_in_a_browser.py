"""The viewer, the failures page and the first page as people use them, in a real browser on a phantom."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from service.registry.job_states import JobState
from tests.end_to_end.derived_phantom import add_phantom
from tests.peers.browser import PATIENCE_S, served, started_browser
from tests.service.api.installation import Installation, install

pytestmark = pytest.mark.interop

LARGE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


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
    """A page without a word of complaint in its console."""
    context = browser.new_context(viewport=LARGE)
    context.set_default_timeout(PATIENCE_S * 1000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    # That the stored file of a made-up job is no image is the only thing a page may complain of.
    assert [one for one in complaints if "409" not in one] == []


def open_viewer(page: Page, address: str, job_id: str) -> None:
    page.goto(f"{address}/pages/images/{job_id}")
    page.wait_for_selector(".rv[data-ready]")


def painted(page: Page, act: str) -> None:
    """Press a key and wait until the picture was painted after it."""
    before = page.evaluate("Number(document.querySelector('.rv').dataset.painted)")
    page.keyboard.press(act)
    page.wait_for_function("(before) => Number(document.querySelector('.rv').dataset.painted) > before", arg=before)


def greys(page: Page, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """(H, W, 3) of the canvas, or of a part of it: left, top, width, height."""
    address = str(page.evaluate("document.querySelector('.rv-picture').toDataURL('image/png')"))
    picture = np.array(Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"), np.int64)
    if box is None:
        return picture
    left, top, width, height = box
    return picture[top : top + height, left : left + width]


def windowed(stored: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, 0…255, rounded."""
    return np.rint(np.clip((stored - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0) * 255.0)


def window_of(page: Page) -> tuple[float, float]:
    words = page.locator(".rv-numbers").inner_text().split()
    return float(words[1]), float(words[3])


def test_the_canvas_shows_the_window_that_was_dragged_of_every_stored_value(
    page: Page, address: str, installation: Installation
) -> None:
    job_id, images = add_phantom(installation)
    open_viewer(page, address, job_id)
    painted(page, "x")  # one image pixel on one canvas pixel
    size = page.evaluate("[document.querySelector('.rv-picture').width, document.querySelector('.rv-picture').height]")
    left, top = round(size[0] / 2 - 256), round(size[1] / 2 - 256)
    box, part = (left + 150, top + 100, 120, 90), (slice(100, 190), slice(150, 270))
    source, soft = (images[name].pixel_array[part].astype(np.float64) for name in ("source", "soft-tissue"))
    center, width = window_of(page)
    assert (center, width) == (8192.0, 16384.0)
    np.testing.assert_allclose(greys(page, box)[..., 0], windowed(source, center, width), atol=1)

    surface = page.locator(".rv-surface").bounding_box()
    assert surface is not None
    x, y = surface["x"] + 300, surface["y"] + 300
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 200, y - 60, steps=4)
    page.mouse.up()
    dragged = window_of(page)
    assert dragged[1] < width
    assert dragged[0] != center
    expected = windowed(source, *dragged)
    np.testing.assert_allclose(greys(page, box)[..., 0], expected, atol=1)
    assert len(np.unique(expected)) > 40  # narrower than eight bits of the range would give

    painted(page, " ")
    expect(page.locator(".rv-label").first).to_have_text("Soft tissue, derived")
    np.testing.assert_allclose(greys(page, box)[..., 0], windowed(soft, *dragged), atol=1)
    painted(page, "r")
    painted(page, "i")
    np.testing.assert_allclose(greys(page, box)[..., 0], 255 - windowed(soft, center, width), atol=1)


def test_the_wipe_shows_one_image_on_each_side_and_overlays_colour_what_differs(
    page: Page, address: str, installation: Installation
) -> None:
    job_id, _ = add_phantom(installation)
    open_viewer(page, address, job_id)
    original = greys(page)
    painted(page, "2")
    soft = greys(page)
    painted(page, "3")
    wiped = greys(page)
    middle = original.shape[1] // 2
    np.testing.assert_array_equal(wiped[:, : middle - 1], original[:, : middle - 1])
    np.testing.assert_array_equal(wiped[:, middle + 1 :], soft[:, middle + 1 :])
    assert (original != soft).any()
    painted(page, "1")
    assert (np.ptp(greys(page), axis=2) == 0).all()  # no colour without an overlay
    for key in ("b", "v"):
        painted(page, key)
        coloured = np.ptp(greys(page), axis=2) > 20
        assert 0.005 < coloured.mean() < 0.9
        painted(page, key)
    page.mouse.move(640, 600)
    expect(page.locator(".rv-readout")).to_contain_text("stored value")
    expect(page.locator(".rv-readout")).to_contain_text("% of display range")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Original and soft tissue in turn")
    expect(page.locator(".rv-caution")).to_contain_text("not a medical device")


def test_failures_are_retried_many_at_once_from_the_keyboard(
    page: Page, address: str, installation: Installation
) -> None:
    jobs = [installation.receive(f"1.2.{number}") for number in range(3)]
    for job_id in jobs:
        installation.fail(job_id, "OUT_OF_MEMORY", "no memory left")
    page.goto(f"{address}/pages/failures")
    expect(page.locator("#found")).to_contain_text("make batches smaller")
    for job_id in jobs[:2]:
        page.locator(f"#choose-{job_id}").focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Retry chosen").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#orders-outcome")).to_have_text("2 retried.")
    expect(page.locator("#found tbody tr")).to_have_count(1)
    assert [installation.state(job_id) for job_id in jobs] == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    page.locator("[data-choose-all]").check()
    page.get_by_role("button", name="Cancel chosen").click()
    expect(page.locator("#orders-outcome")).to_have_text("1 cancelled.")
    assert installation.state(jobs[2]) is JobState.CANCELLED


def test_progress_is_followed_without_a_reload(page: Page, address: str, installation: Installation) -> None:
    page.goto(address)
    page.evaluate("window.same = true")
    expect(page.locator("#newest")).to_contain_text("No images yet.")
    job_id = installation.receive("1.2.3")
    expect(page.locator("#queue")).to_contain_text("Routine1")
    installation.run(job_id, step=3, total_steps=20)
    expect(page.locator("#running")).to_contain_text("step 3 of 20")
    assert page.evaluate("window.same") is True


def test_script_and_sql_of_a_header_are_shown_and_do_nothing(
    page: Page, address: str, installation: Installation
) -> None:
    hostile = "<img src=x onerror=document.title=1>'; DROP TABLE jobs;--"
    installation.add_destination("<b>PACS</b>")
    job_id = installation.receive("1.2.3")
    installation.fail(job_id, "UNEXPECTED", hostile)
    for path in ("/", "/pages/failures", "/pages/images", f"/pages/images/{job_id}"):
        page.goto(address + path)
        expect(page.locator("main")).to_contain_text(hostile)
        assert page.locator("main img").count() == 0
        assert page.title().endswith("softray")
    page.goto(f"{address}/pages/destinations")
    expect(page.locator("tbody th")).to_have_text("<b>PACS</b>")
    page.goto(f"{address}/pages/images?uid=%3Cscript%3E&since=x")
    expect(page.locator("[role=alert]").first).to_have_text("expected a UID of digits and dots")


def test_images_are_found_by_each_uid_sender_state_and_day(
    page: Page, address: str, installation: Installation
) -> None:
    installation.receive("1.2.3")
    installation.fail(installation.receive("1.2.4"))
    for query, rows in (
        ("uid=1.2.3", 1), ("uid=1.2.4.1.2", 1), ("uid=1.2.4.1", 1), ("uid=9.9", 0), ("sender=XRAY1", 2),
        ("sender=OTHER", 0), ("state=FAILED", 1), ("since=2026-01-31&until=2026-01-31", 2), ("since=2026-02-01", 0),
        ("limit=1", 1),
    ):  # fmt: skip
        page.goto(f"{address}/pages/images?{query}")
        assert page.locator("tbody tr").count() == rows, query
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody th")).to_have_text("1.2.3.1.1")


def contrast(page: Page) -> list[str]:
    """Text on its ground below 4.5 : 1 (WCAG 1.4.3), as "ratio text"."""
    return page.evaluate(
        """() => {
      const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      const parse = (text) => {
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
      };
      const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
      const ground = (element) => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) {
          layers.push(parse(getComputedStyle(each).backgroundColor));
        }
        const over = (under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
        return layers.reverse().reduce(over, [255, 255, 255]);
      };
      const poor = [];
      for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
        if (!own || !element.checkVisibility() || element.matches("option, :disabled, script, noscript")) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))];
        const [one, other] = pair.sort((a, b) => b - a);
        const ratio = (one + 0.05) / (other + 0.05);
        if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.textContent.trim().slice(0, 40)}`);
      }
      return poor;
    }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_legible_and_fits_a_phone(
    page: Page, address: str, installation: Installation, scheme: Literal["light", "dark"]
) -> None:
    job_id, _ = add_phantom(installation)
    installation.add_destination()
    installation.fail(installation.receive("1.2.826.0.1.3680043.8.498.11111111111111111111111111111111111"))
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in ("/", "/pages/images", "/pages/studies", "/pages/failures", "/pages/destinations", "/refused",
                 "/pages/studies/1.2.3", f"/pages/images/{job_id}"):  # fmt: skip
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        assert contrast(page) == [], path
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") != scheme
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") != scheme
