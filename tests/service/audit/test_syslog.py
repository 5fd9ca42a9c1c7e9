from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy.orm import Session, sessionmaker

from service.audit.dicom_message import AuditSource
from service.audit.spool import Spool
from service.audit.syslog import Repository, SyslogConnection, framed, repository_address, to_syslog
from service.errors import ConfigurationError, TransientError
from tests.peers.certificates import Authority, authority
from tests.peers.process import free_port
from tests.peers.rsyslog import received, require_rsyslog, running_rsyslog
from tests.service.audit.factories import chain_of, event, one_of_each_kind, write
from tests.service_process import wait_for

SOURCE = AuditSource("softray@test", "SOFTRAY")
RFC5424 = re.compile(
    r"<85>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S{1,255} softray \d+ DICOM\+RFC3881 "
    r"\[meta sequenceId=\"(\d+)\"\] (<AuditMessage.*)"
)


@pytest.fixture
def certificates(tmp_path: Path) -> Authority:
    return authority(tmp_path / "authority")


def test_a_message_is_one_line_of_rfc_5424_in_a_counted_frame(sessions: sessionmaker[Session]) -> None:
    write(sessions, *one_of_each_kind())
    for chained in chain_of(sessions):
        message = to_syslog(chained, SOURCE)
        found = RFC5424.fullmatch(message.decode("ascii"))
        assert found
        assert int(found[1]) == chained.seq
        length, _, content = framed(message).partition(b" ")
        assert (int(length), content) == (len(message), message)


@pytest.mark.parametrize(
    ("text", "address"),
    [("arr.example", ("arr.example", 6514)), ("arr:7000", ("arr", 7000)), ("[::1]:6514", ("::1", 6514))],
)
def test_the_repository_has_the_port_of_rfc_5425_unless_it_is_said(text: str, address: tuple[str, int]) -> None:
    assert repository_address(text) == address


@pytest.mark.parametrize("text", ["", ":6514", "arr:port", "arr:0", "arr:70000"])
def test_an_address_that_is_none_is_said(text: str) -> None:
    with pytest.raises(ConfigurationError):
        repository_address(text)


def test_a_repository_that_is_away_is_a_transient_error() -> None:
    with pytest.raises(TransientError, match="AUDIT_REPOSITORY_UNREACHABLE"):
        SyslogConnection(Repository("127.0.0.1", free_port()))


@pytest.mark.interop
def test_events_wait_while_the_repository_is_away_and_arrive_in_order_once_it_is_back(
    sessions: sessionmaker[Session], certificates: Authority, tmp_path: Path
) -> None:
    require_rsyslog()
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    server, client = certificates.issue("server"), certificates.issue("client")
    port = free_port()
    repository = Repository("127.0.0.1", port, client.ca, client.certificate, client.private_key)
    spool = Spool(sessions, "syslog", "test", lambda: datetime.now(UTC))

    def send_all(connection: SyslogConnection) -> None:
        while spool.send_batch(connection, lambda one: to_syslog(one, SOURCE)):
            pass

    def numbers() -> list[int]:
        return [int(found[1]) for line in received(folder) if (found := RFC5424.fullmatch(line))]

    write(sessions, *one_of_each_kind(), *(event(number) for number in range(150)))
    first = len(chain_of(sessions))
    with pytest.raises(TransientError):
        SyslogConnection(repository)
    assert spool.sent_up_to() == 0
    with running_rsyslog(folder, port, server):
        connection = SyslogConnection(repository)
        send_all(connection)
        wait_for("the repository to have all", lambda: len(numbers()) == first, 20)
    # It goes away: what happens meanwhile waits.
    write(sessions, *(event(number) for number in range(150, 300)))
    with pytest.raises(TransientError):
        send_all(connection)
    assert spool.sent_up_to() == first
    with running_rsyslog(folder, port, server):
        connection = SyslogConnection(repository)
        send_all(connection)
        connection.close()
        wait_for("the repository to have the rest", lambda: len(numbers()) >= first + 150, 20)
        time.sleep(0.2)  # whatever would come twice would be here by now
    assert numbers() == list(range(1, first + 151))
    for line in received(folder):
        found = RFC5424.fullmatch(line)
        assert found
        etree.fromstring(found[2])


@pytest.mark.interop
def test_a_repository_whose_certificate_nobody_trusts_is_told_nothing(certificates: Authority, tmp_path: Path) -> None:
    require_rsyslog()
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    other = authority(tmp_path / "other")
    port = free_port()
    with running_rsyslog(folder, port, certificates.issue("server")):
        client = other.issue("client")
        with pytest.raises(TransientError, match="AUDIT_REPOSITORY_UNREACHABLE"):
            SyslogConnection(Repository("127.0.0.1", port, client.ca, client.certificate, client.private_key))
    assert received(folder) == []
