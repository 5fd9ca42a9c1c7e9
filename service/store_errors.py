"""What an operating system error means for whoever wanted to write into the instance store."""

from __future__ import annotations

import errno

from service.errors import StoreFullError, TransientError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def store_error(error: OSError) -> TransientError:
    """The error to raise for `error`: both ask the sender to come again."""
    if error.errno in _NO_ROOM:
        return StoreFullError("STORE_FULL", f"no room left in the instance store: {error.strerror}")
    return TransientError("STORE_UNWRITABLE", f"the instance store cannot be written: {error}")
