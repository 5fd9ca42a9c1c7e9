"""The site file: one TOML file for what a hospital decides about its images, named by SOFTRAY_SITE_FILE.

Unlike a setting, a decision of this kind has a structure: what the gate takes, which results go where. Every section
may be left out and says what it does by default. A key that nobody knows is an error, so that a typing mistake does not
pass for a decision.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.errors import ConfigurationError
from service.routing import ResultsSection, RouteSection, Routing
from service.settings import Settings
from service.site_gate import GateSection
from service.site_retention import RetentionSection
from service.site_senders import SenderSection

SITE_FILE_INVALID = "SITE_FILE_INVALID"


class SiteFile(BaseModel):
    """The whole file; one field a section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: GateSection = Field(default_factory=GateSection)
    results: ResultsSection = Field(default_factory=ResultsSection)
    route: tuple[RouteSection, ...] = ()
    sender: tuple[SenderSection, ...] = ()
    retention: RetentionSection = Field(default_factory=RetentionSection)

    @field_validator("sender")
    @classmethod
    def _each_sender_once(cls, senders: tuple[SenderSection, ...]) -> tuple[SenderSection, ...]:
        titles = [sender.ae_title for sender in senders]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            raise ValueError(f"expected one section a sender, found more of {', '.join(twice)}")
        return senders

    def routing(self) -> Routing:
        """The routes of the file."""
        return Routing(self.route)


def load_site_file(settings: Settings) -> SiteFile:
    """The site file that the settings name, or the defaults when they name none.

    Raises ConfigurationError naming the file and every key that is wrong.
    """
    return SiteFile() if settings.site_file is None else read_site_file(settings.site_file)


def read_site_file(path: Path) -> SiteFile:
    """The site file at `path`. Raises ConfigurationError as `load_site_file` does."""
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            "SITE_FILE_MISSING", f"expected the site file {path}, found: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(SITE_FILE_INVALID, f"{path}: expected TOML, found: {error}") from None
    try:
        return SiteFile.model_validate(sections)
    except ValidationError as error:
        problems = (f"{_key(one['loc'])}: {_sentence(one['type'], one['msg'])}" for one in error.errors())
        raise ConfigurationError(SITE_FILE_INVALID, f"{path}: {'; '.join(problems)}") from None


def _key(location: Iterable[int | str]) -> str:
    """`gate.views[0]` for what pydantic calls ("gate", "views", 0)."""
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return key


def _sentence(kind: str, message: str) -> str:
    return "expected a key that softray knows, found this one" if kind == "extra_forbidden" else message
