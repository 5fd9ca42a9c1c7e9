"""A remote application entity, as whoever associates with it needs to know it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from service.errors import PermanentError
from service.settings import checked_ae_title


@dataclass(frozen=True)
class Peer:
    """A remote application entity; `tls` None: not encrypted. Raises PermanentError when its AE title cannot be one."""

    ae_title: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        try:
            checked_ae_title(self.ae_title)
        except ValueError as error:
            raise PermanentError("AE_TITLE_INVALID", str(error)) from None
