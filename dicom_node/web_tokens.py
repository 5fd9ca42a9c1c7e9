"""Who may send over the web: bearer tokens (RFC 6750), each standing for an AE title.

A line of the file is an AE title and the SHA-256 of its token in hexadecimal digits; `#` starts a comment. The tokens
themselves are kept by their senders alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.errors import ConfigurationError
from service.settings import checked_ae_title

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class WebTokens:
    """AE titles by the SHA-256 of their tokens."""

    ae_titles: Mapping[str, str]

    def ae_title_of(self, authorization: str | None) -> str | None:
        """Whose token this Authorization header carries; None for nobody's. Takes as long for a near miss."""
        scheme, _, token = (authorization or "").partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
        found = [title for known, title in self.ae_titles.items() if hmac.compare_digest(known, digest)]
        return found[0] if found and scheme.lower() == "bearer" else None


def read_tokens(file: Path) -> WebTokens:
    """The tokens in `file`. Raises ConfigurationError naming the line that is none; an empty file lets nobody in."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "TOKENS_FILE_UNREADABLE", f"expected a text file at {file} ({type(error).__name__})"
        ) from error
    ae_titles: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        title, _, digest = line.split("#")[0].strip().rpartition(" ")
        digest = digest.lower()
        if not digest and not title:
            continue
        try:
            if not _SHA256.fullmatch(digest):
                raise ValueError("expected an AE title and 64 hexadecimal digits")
            ae_titles[digest] = checked_ae_title(title)
        except ValueError:
            # The line is not repeated: somebody may have written the token itself there.
            raise ConfigurationError(
                "TOKENS_FILE_INVALID", f"line {number} of {file}: expected an AE title and the SHA-256 of its token"
            ) from None
    return WebTokens(ae_titles)
