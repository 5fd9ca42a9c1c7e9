"""Log lines: one event per state change, as `event key=value …` or as one JSON object, on standard error.

`configure_logging` is called once by each process's entry point; everything else calls `log_event`. Identifiers that
may be logged are UIDs, job ids, AE titles and reason codes; never a patient's name, ID, birth date, a date of the study
or an accession number. Libraries that quote element values in their messages are therefore kept quiet.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import warnings
from datetime import UTC, datetime
from typing import Literal, TextIO

FieldValue = str | int | float | bool | None
LogFormat = Literal["text", "json"]

_PLAIN = re.compile(r"[\w.:/+@%\\-]+")
# pydicom, pynetdicom and dicomweb-client quote element values and what peers wrote; Celery and kombu repeat URLs.
_QUOTING_LIBRARIES = {
    "pydicom": logging.CRITICAL,
    "pynetdicom": logging.ERROR,
    "highdicom": logging.ERROR,
    "dicomweb_client": logging.CRITICAL,
}
_TALKATIVE_LIBRARIES = ("celery", "kombu", "amqp", "sqlalchemy", "alembic", "httpx", "uvicorn.access", "urllib3")


def configure_logging(level: str, format: LogFormat, stream: TextIO | None = None) -> None:
    """Send every logger of this process to `stream` (standard error when None); replaces what was set up before.

    `level` is a name of the logging module (DEBUG, INFO, WARNING, ERROR).
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, threshold in _QUOTING_LIBRARIES.items():
        logging.getLogger(name).setLevel(threshold)
        warnings.filterwarnings("ignore", module=name)
    for name in _TALKATIVE_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def log_event(logger: logging.Logger, event: str, *, level: int = logging.INFO, **fields: FieldValue) -> None:
    """Log one event, such as `log_event(logger, "job_claimed", job_id=…, attempt=1)`."""
    logger.log(level, event, extra={"fields": fields})


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO service.job_queue job_announced job_id=… queue=gpu`, always one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record` without a line break, whatever its fields hold."""
        parts = [_timestamp(record), record.levelname, record.name, _one_line(record.getMessage())]
        parts += [f"{key}={_text_value(value)}" for key, value in _fields(record).items() if value is not None]
        if record.exc_info:
            parts.append(f"exception={_text_value(self.formatException(record.exc_info))}")
        return " ".join(parts)


class JsonFormatter(logging.Formatter):
    """The same content as one JSON object a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record` as a JSON object; fields stand beside `time`, `level`, `logger` and `event`."""
        line: dict[str, FieldValue] = {
            "time": _timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in _fields(record).items() if value is not None and key not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, FieldValue]:
    fields = getattr(record, "fields", {})
    return fields if isinstance(fields, dict) else {}


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _text_value(value: FieldValue) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
