from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from service.logs import configure_logging, log_event

LOGGER = logging.getLogger("softray.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream that `configure_logging` may be pointed at; pytest's own handlers come back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    with warnings.catch_warnings():
        yield io.StringIO()
    root.handlers[:], root.level = handlers, level
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def test_an_event_is_one_line_of_keys_and_values(stream: io.StringIO) -> None:
    configure_logging("INFO", "text", stream)
    log_event(LOGGER, "job_claimed", job_id="4f", attempt=1, seconds=0.123456789, detail=None, ok=True)
    time, rest = stream.getvalue().split(" ", 1)
    assert time.endswith("Z")
    assert rest == "INFO softray.test job_claimed job_id=4f attempt=1 seconds=0.123457 ok=True\n"


def test_a_value_cannot_forge_a_second_line(stream: io.StringIO) -> None:
    configure_logging("INFO", "text", stream)
    log_event(LOGGER, "refused", ae_title='EVIL"\n2026-01-01 INFO accepted')
    assert stream.getvalue().count("\n") == 1
    assert '"EVIL\\"\\n2026' in stream.getvalue()


def test_json_lines_hold_the_same(stream: io.StringIO) -> None:
    configure_logging("INFO", "json", stream)
    log_event(LOGGER, "job_claimed", job_id="4f", attempt=1, detail=None)
    line = json.loads(stream.getvalue())
    assert {key: line[key] for key in line if key != "time"} == {
        "level": "INFO",
        "logger": "softray.test",
        "event": "job_claimed",
        "job_id": "4f",
        "attempt": 1,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_stays_on_the_line(stream: io.StringIO, form: str) -> None:
    configure_logging("INFO", form, stream)  # type: ignore[arg-type]
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        LOGGER.exception("task_failed")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError" in stream.getvalue()


def test_below_the_level_nothing_is_logged(stream: io.StringIO) -> None:
    configure_logging("WARNING", "text", stream)
    log_event(LOGGER, "detail", level=logging.INFO)
    log_event(LOGGER, "trouble", level=logging.WARNING)
    assert stream.getvalue().count("\n") == 1


def test_libraries_that_quote_element_values_are_kept_quiet(stream: io.StringIO) -> None:
    configure_logging("DEBUG", "text", stream)
    logging.getLogger("pydicom").error("Invalid value for VR PN: 'Doe^Jane'")
    logging.getLogger("pynetdicom.service-c").info("Doe^Jane")
    assert stream.getvalue() == ""


def test_configuring_again_replaces_the_first_configuration(stream: io.StringIO) -> None:
    configure_logging("INFO", "json", io.StringIO())
    configure_logging("INFO", "text", stream)
    log_event(LOGGER, "once")
    assert stream.getvalue().count("once") == 1
