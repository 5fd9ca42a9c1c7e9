"""Writes the generated tables into docs/conformance-statement.md, between their markers (`make conformance`).

    <!-- generated: NAME -->
    … a table of `conformance_tables` …
    <!-- end -->

What stands outside the markers is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from dicom_node.conformance_tables import tables
from service.errors import ConfigurationError

STATEMENT = Path(__file__).resolve().parents[1] / "docs" / "conformance-statement.md"
_GENERATED = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Rewrite the statement of this repository."""
    STATEMENT.write_text(with_current_tables(STATEMENT.read_text(encoding="utf-8")), encoding="utf-8")


def with_current_tables(text: str) -> str:
    """`text` with every table as the code has it. Raises ConfigurationError when a table has no place or no source."""
    made = tables()
    named = [match["name"] for match in _GENERATED.finditer(text)]
    if sorted(named) != sorted(made):
        odd = ", ".join(sorted(set(named) ^ set(made))) or "one twice"
        raise ConfigurationError(
            "CONFORMANCE_TABLES_DIFFER", f"expected each table in one place of the statement: {odd}"
        )
    return _GENERATED.sub(lambda match: f"{match[1]}\n{made[match['name']]}\n\n{match[3]}", text)


if __name__ == "__main__":
    main()
