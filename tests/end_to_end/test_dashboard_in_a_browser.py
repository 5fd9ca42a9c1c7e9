from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from service.registry.job_states import JobState
from tests.service.api.installation import Installation, install
from tests.service_process import free_port

pytestmark = pytest.mark.interop

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)
# A refresh comes every 2 s; a loaded machine may need several.
PATIENCE_S = 30


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no browser: chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    started.set_page_load_timeout(60)
    yield started
    started.quit()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def address(installation: Installation, browser: webdriver.Chrome) -> Iterator[str]:
    """The pages' address while the real application serves it; at the end the browser must have had no complaint."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(installation.app(), host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < deadline, "uvicorn did not start"
        time.sleep(0.05)
    browser.get_log("browser")
    yield f"http://127.0.0.1:{port}"
    complaints = [entry["message"] for entry in browser.get_log("browser")]
    browser.get("about:blank")
    server.should_exit = True
    thread.join(timeout=PATIENCE_S)
    # A 409 that a test provokes is the only thing a page may complain of.
    assert [message for message in complaints if "409" not in message] == []


def shown(browser: webdriver.Chrome, selector: str) -> list[WebElement]:
    return [element for element in browser.find_elements(By.CSS_SELECTOR, selector) if element.is_displayed()]


def wait_for_text(browser: webdriver.Chrome, selector: str, text: str) -> None:
    def there(_browser: object) -> bool:
        # One script call: between two calls a refresh may replace the element.
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent).join()"
        return text in str(browser.execute_script(script, selector))

    WebDriverWait(browser, PATIENCE_S).until(there, f"{text!r} in {selector}")


def visible_picture(browser: webdriver.Chrome) -> str:
    """The file name of the picture that the toggling panel shows; its pixels must have arrived."""
    (picture,) = shown(browser, ".stage img")
    WebDriverWait(browser, PATIENCE_S).until(lambda _: int(picture.get_property("naturalWidth")) > 0)
    return str(picture.get_attribute("src")).rsplit("/", 1)[1]


def test_the_list_leads_to_the_study(browser: webdriver.Chrome, address: str, installation: Installation) -> None:
    installation.fail(installation.receive("1.2.3"))
    browser.get(address)
    row = browser.find_element(By.CSS_SELECTOR, "tbody tr")
    assert "Failed" in row.text
    assert "PIXELS_UNDECODABLE" in row.text
    row.find_element(By.TAG_NAME, "a").click()
    assert "1.2.3" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.title == "Study · softray"


def test_the_list_follows_what_happens_without_a_reload(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    browser.get(address)
    browser.execute_script("window.stillTheSamePage = true")
    wait_for_text(browser, "#studies", "No images yet.")
    job_id = installation.receive("1.2.3")
    wait_for_text(browser, "#studies", "Queued")
    installation.run(job_id, step=3, total_steps=20)
    wait_for_text(browser, "#studies", "Computing")
    wait_for_text(browser, "#counts .running", "1")
    assert browser.execute_script("return window.stillTheSamePage") is True


def test_a_study_shows_progress_and_then_the_pictures(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    job_id = installation.receive("1.2.3")
    browser.get(f"{address}/pages/studies/1.2.3")
    assert shown(browser, ".viewer") == []
    installation.derive(job_id)
    wait_for_text(browser, ".status", "Being delivered")
    assert [figure.text.split("\n")[0] for figure in shown(browser, "figcaption")] == [
        "Original",
        "Soft tissue",
        "Bone taken away (grey = unchanged)",
    ]
    visible_picture(browser)
    widths = browser.execute_script("return [...document.querySelectorAll('.panels img')].map((e) => e.naturalWidth)")
    assert widths == [64, 64, 64, 64]
    left, middle, right = (figure.rect for figure in shown(browser, "figure"))
    assert left["y"] == middle["y"] == right["y"]
    assert left["x"] < middle["x"] < right["x"]


def test_space_and_the_button_toggle_original_and_soft_tissue_in_place(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    installation.derive(installation.receive("1.2.3"))
    browser.get(f"{address}/pages/studies/1.2.3")
    body, button = (browser.find_element(By.CSS_SELECTOR, selector) for selector in ("body", "[data-toggle]"))
    before = shown(browser, ".stage img")[0].rect
    assert (visible_picture(browser), button.text) == ("source.png", "Show soft tissue")
    body.send_keys(Keys.SPACE)
    assert (visible_picture(browser), button.text) == ("soft-tissue.png", "Show original")
    assert shown(browser, ".stage img")[0].rect == before
    assert shown(browser, ".stage figcaption")[0].text == "Soft tissue"
    button.click()
    assert visible_picture(browser) == "source.png"
    # With the button focused the key is the button's own: once, not twice.
    button.send_keys(Keys.SPACE)
    assert visible_picture(browser) == "soft-tissue.png"


def test_f_enlarges_the_picture_and_escape_brings_the_page_back(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    installation.derive(installation.receive("1.2.3"))
    browser.get(f"{address}/pages/studies/1.2.3")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("f")
    (stage,) = shown(browser, "figure")
    assert stage.rect["width"] >= 0.95 * browser.execute_script("return innerWidth")
    body.send_keys(Keys.SPACE)
    assert visible_picture(browser) == "soft-tissue.png"
    body.send_keys(Keys.ESCAPE)
    assert len(shown(browser, "figure")) == 3


def test_a_refresh_keeps_the_toggled_picture(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    installation.add_destination("PACS")
    job_id = installation.receive("1.2.3")
    installation.derive(job_id)
    browser.get(f"{address}/pages/studies/1.2.3")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.SPACE)
    installation.deliver(job_id)
    wait_for_text(browser, ".status", "Delivered")
    wait_for_text(browser, ".deliveries", "0x0000")
    assert visible_picture(browser) == "soft-tissue.png"


def test_retry_is_pressed_by_keyboard_and_the_page_follows(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    browser.get(f"{address}/pages/studies/1.2.3")
    browser.find_element(By.CSS_SELECTOR, "[data-retry]").send_keys(Keys.ENTER)
    wait_for_text(browser, ".outcome", "Retry accepted.")
    wait_for_text(browser, ".status", "Queued")
    assert installation.state(job_id) is JobState.QUEUED
    assert installation.queue.inferences == [job_id]
    assert shown(browser, "[data-retry]") == []


def test_a_retry_that_comes_too_late_says_why(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    job_id = installation.receive("1.2.3")
    installation.fail(job_id)
    browser.get(f"{address}/pages/studies/1.2.3")
    # Somebody else is faster: the page must not have refreshed between the two.
    browser.execute_script("window.setTimeout = () => 0")
    script = (
        "const done = arguments[1];"
        "fetch(`/api/v1/jobs/${arguments[0]}/retry`, {method: 'POST'})"
        ".then(() => document.querySelector('[data-retry]').click()).then(done)"
    )
    browser.execute_async_script(script, job_id)
    wait_for_text(browser, ".outcome", "Not retried: expected job")


def test_the_page_says_when_softray_no_longer_answers(
    browser: webdriver.Chrome, address: str, installation: Installation
) -> None:
    browser.get(address)
    browser.execute_script("window.fetch = () => Promise.reject(new TypeError('gone'))")
    wait_for_text(browser, "#live", "No answer from softray")


def test_text_from_outside_stays_text(browser: webdriver.Chrome, address: str, installation: Installation) -> None:
    hostile = "<img src=x onerror='document.title=1'>"
    installation.receive("1.2.3", reason_code="NOT_FRONTAL", reason_detail=hostile)
    browser.get(f"{address}/pages/studies/1.2.3")
    assert hostile in browser.find_element(By.CSS_SELECTOR, ".status").text
    assert browser.title == "Study · softray"
