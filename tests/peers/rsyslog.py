"""A private rsyslog that takes syslog over TLS (RFC 5425) and writes what it received into a file."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_node.tls import TlsFiles
from tests.peers.process import listens, running

CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="256k"
       defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{files.ca}"
       defaultNetstreamDriverCertFile="{files.certificate}" defaultNetstreamDriverKeyFile="{files.private_key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{folder}/received" template="raw")
"""


def require_rsyslog() -> str:
    """The program, or the test is skipped."""
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    modules = list(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so"))
    if program is None or not modules:
        pytest.skip("rsyslog with TLS (rsyslog-gnutls) is not installed")
    return program


@contextlib.contextmanager
def running_rsyslog(folder: Path, port: int, files: TlsFiles) -> Iterator[None]:
    """It asks every client for a certificate of the same authority. What it received is in `folder`/received."""
    program = require_rsyslog()
    configuration = folder / "rsyslog.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, files=files))
    command = [program, "-n", "-f", configuration, "-i", folder / "pid"]
    with running(command, folder / "log", lambda: listens(port)):
        yield


def received(folder: Path) -> list[str]:
    """The messages received until now, in their order."""
    path = folder / "received"
    return path.read_text().splitlines() if path.exists() else []
