"""DCMTK's log lines with the time in front, as its senders and receivers write them here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# Without it every message waits some 40 ms for a delayed acknowledgement (Nagle's algorithm), on both sides.
DCMTK_ENVIRONMENT = {"TCP_NODELAY": "1"}

_CONFIGURATION = """\
log4cplus.rootLogger = INFO, console
log4cplus.appender.console = log4cplus::ConsoleAppender
log4cplus.appender.console.ImmediateFlush = true
log4cplus.appender.console.layout = log4cplus::PatternLayout
log4cplus.appender.console.layout.ConversionPattern = %D{%s.%q} %m%n
"""


def write_log_configuration(folder: Path) -> Path:
    """The file that `--log-config` names."""
    file = folder / "dcmtk-log.cfg"
    file.write_text(_CONFIGURATION)
    return file


def timed_lines(log: str) -> Iterator[tuple[float, str]]:
    """(seconds since 1970, message) of each line; lines of another form are left out."""
    for line in log.splitlines():
        seconds, _, message = line.partition(" ")
        try:
            yield float(seconds), message
        except ValueError:
            continue
