"""Who runs a command, for the audit trail."""

from __future__ import annotations

import getpass
import os
import socket

from service.audit.events import Actor, ActorKind


def operator() -> Actor:
    """The operating system's user; with sudo, the one who called it."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        name = f"uid {os.getuid()}"
    return Actor(ActorKind.COMMAND_LINE, name, socket.gethostname())
