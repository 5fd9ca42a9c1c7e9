"""Write `docs/settings.md` and `.env.example` from the settings in the code: `python -m service.settings_docs`.

The sections are the comments between the fields of `Settings`, so that code, documentation and example read alike.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

from service.result_settings import ResultSettings
from service.setting_types import Unit
from service.settings import ENV_PREFIX, Settings
from service.settings_access import AccessSettings

_INTRODUCTION = """\
# Settings

Written from `service/settings.py` by `python -m service.settings_docs`; a test keeps it so.

Each setting is an environment variable. It may also stand in a file: `softray.env` in the working directory, or the
file that `SOFTRAY_ENV_FILE` names ([`.env.example`](../.env.example) lists everything). The environment wins over the
file, and an unknown name in the file is an error, so that a typing mistake does not pass for a setting.

With PostgreSQL, `synchronous_commit` must stay on (its default): a C-STORE is answered with Success once the database
has committed, and that answer is a promise.
"""


def main() -> None:
    """Write both files into the repository that this module is part of."""
    root = Path(__file__).resolve().parents[1]
    (root / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")
    (root / ".env.example").write_text(env_example(), encoding="utf-8")


@dataclass(frozen=True)
class Entry:
    """What the documentation says about one setting."""

    section: str
    variable: str
    unit: str
    default: str
    meaning: str


def entries() -> list[Entry]:
    """Every setting in the order of the code: those of `Settings`, then those that it takes over."""
    section_of = _sections()
    found = []
    for name in section_of:
        field = Settings.model_fields[name]
        unit = next((piece.symbol for piece in field.metadata if isinstance(piece, Unit)), "")
        found.append(
            Entry(section_of[name], f"{ENV_PREFIX}{name.upper()}", unit, shown(field.default), field.description or "")
        )
    return found


def shown(default: object) -> str:
    """`default` as it is typed into the environment; empty for None."""
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case _:
            return str(default)


def settings_page() -> str:
    """The text of docs/settings.md: one table a section."""
    lines = [_INTRODUCTION]
    section = ""
    for entry in entries():
        if entry.section != section:
            section = entry.section
            lines += ["", f"## {section}", "", "| Variable | Default | Unit | Meaning |", "|---|---|---|---|"]
        default = f"`{entry.default}`" if entry.default else "(empty)"
        lines.append(f"| `{entry.variable}` | {default} | {entry.unit} | {entry.meaning} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def env_example() -> str:
    """The text of .env.example: every setting, commented out, at its default."""
    lines = ["# Every setting of softray at its default. Copy to softray.env and uncomment what you change."]
    section = ""
    for entry in entries():
        if entry.section != section:
            section = entry.section
            lines += ["", f"# --- {section}"]
        unit = f" [{entry.unit}]" if entry.unit else ""
        lines += ["", f"# {entry.meaning}{unit}", f"#{entry.variable}={entry.default}"]
    return "\n".join(lines) + "\n"


def _sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    current = ""
    sources = [inspect.getsource(part) for part in (Settings, ResultSettings, AccessSettings)]
    for line in "\n".join(sources).splitlines():
        if heading := re.fullmatch(r"    # (\w.*)", line):
            current = heading[1]
        elif field := re.match(r"    (\w+): .* = Field\(", line):
            sections[field[1]] = current
    return sections


if __name__ == "__main__":
    main()
