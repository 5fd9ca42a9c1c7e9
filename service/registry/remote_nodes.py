"""The application entities that we accept from and deliver to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.errors import ConfigurationError
from service.registry.deliveries import abandon_deliveries
from service.registry.tables import RemoteNode
from service.settings import checked_ae_title

ANY_HOST = "*"
"""Of a sender that may call from anywhere."""


@dataclass(frozen=True)
class RemoteNodeRow:
    """A registered remote node."""

    name: str
    ae_title: str
    host: str
    port: int
    may_send: bool
    receives_results: bool
    created_at: datetime
    tls: bool = False
    url: str | None = None
    token_file: str | None = None
    requests_commitment: bool = False
    verifies: bool = False
    failures_in_a_row: int = 0
    paused_until: datetime | None = None


@dataclass(frozen=True)
class DeliveryTerms:
    """How results travel to a node, and what it is asked for afterwards.

    `url`: by STOW-RS to there, with the credential in `token_file`; else by C-STORE, encrypted if `tls`.
    `requests_commitment`: storage commitment after the C-STORE. `verifies`: where no commitment comes, ask the node
    (C-FIND or QIDO-RS) whether it has them.
    """

    tls: bool = False
    url: str | None = None
    token_file: str | None = None
    requests_commitment: bool = False
    verifies: bool = False


def add_remote_node(
    session: Session,
    *,
    name: str,
    ae_title: str,
    host: str,
    port: int,
    may_send: bool,
    receives_results: bool,
    now: datetime,
    terms: DeliveryTerms = DeliveryTerms(),
) -> None:
    """Register a node, or register a removed one of the same name again.

    Raises ConfigurationError when the name is taken or a value cannot be right.
    """
    _check_terms(terms)
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise ConfigurationError("REMOTE_NODE_INVALID", f"expected a name of 1 to 64 characters, found {name!r}")
    if not 1 <= port <= 65535 or not 1 <= len(host) <= 255 or host != host.strip():
        raise ConfigurationError("REMOTE_NODE_INVALID", f"expected a host and a TCP port, found {host!r} and {port}")
    if receives_results and host == ANY_HOST:
        raise ConfigurationError(
            "REMOTE_NODE_INVALID",
            "expected the host of a node that receives results, found * (add it with --no-results)",
        )
    try:
        title = checked_ae_title(ae_title)
    except ValueError as error:
        raise ConfigurationError("REMOTE_NODE_INVALID", str(error)) from None
    node = session.scalar(select(RemoteNode).where(RemoteNode.name == name))
    if node is not None and node.removed_at is None:
        raise ConfigurationError("REMOTE_NODE_EXISTS", f"a remote node named {name!r} is registered already")
    if node is None:
        node = RemoteNode(name=name, created_at=now)
        session.add(node)
    node.ae_title, node.host, node.port = title, host, port
    node.may_send, node.receives_results, node.removed_at = may_send, receives_results, None
    node.tls, node.url, node.token_file = terms.tls, terms.url, terms.token_file
    node.requests_commitment, node.verifies = terms.requests_commitment, terms.verifies
    node.failures_in_a_row, node.paused_until = 0, None
    session.flush()


def _check_terms(terms: DeliveryTerms) -> None:
    if terms.url is None and terms.token_file is not None:
        raise ConfigurationError("REMOTE_NODE_INVALID", "a token file goes with a URL, found none")
    if terms.url is None:
        return
    if not terms.url.startswith(("http://", "https://")) or len(terms.url) > 1000 or "@" in terms.url.split("/")[2]:
        raise ConfigurationError(
            "REMOTE_NODE_INVALID", "expected a URL that begins with http:// or https://, without a user in it"
        )
    if terms.requests_commitment:
        raise ConfigurationError(
            "REMOTE_NODE_INVALID", "storage commitment is a DICOM service; a node with a URL can be verified instead"
        )


def list_remote_nodes(session: Session) -> list[RemoteNodeRow]:
    """The registered nodes by name."""
    nodes = session.scalars(select(RemoteNode).where(RemoteNode.removed_at.is_(None)).order_by(RemoteNode.name)).all()
    return [_row(node) for node in nodes]


def find_remote_node(session: Session, name: str) -> RemoteNodeRow | None:
    """The registered node of this name."""
    return next((node for node in list_remote_nodes(session) if node.name == name), None)


def remove_remote_node(session: Session, name: str, *, now: datetime) -> int:
    """Remove a node; what waits for it fails visibly, and the number of such deliveries is returned.

    Its row stays for the history. Raises ConfigurationError when there is no such node.
    """
    node = session.scalar(select(RemoteNode).where(RemoteNode.name == name, RemoteNode.removed_at.is_(None)))
    if node is None:
        raise ConfigurationError("REMOTE_NODE_UNKNOWN", f"no remote node is named {name!r}")
    node.removed_at = now
    session.flush()
    return abandon_deliveries(session, node.id, now=now)


def _row(node: RemoteNode) -> RemoteNodeRow:
    return RemoteNodeRow(
        name=node.name,
        ae_title=node.ae_title,
        host=node.host,
        port=node.port,
        may_send=node.may_send,
        receives_results=node.receives_results,
        created_at=node.created_at,
        tls=node.tls,
        url=node.url,
        token_file=node.token_file,
        requests_commitment=node.requests_commitment,
        verifies=node.verifies,
        failures_in_a_row=node.failures_in_a_row,
        paused_until=node.paused_until,
    )


def allowed_callers(session: Session) -> set[str]:
    """AE titles that may open an association with us."""
    return set(
        session.scalars(select(RemoteNode.ae_title).where(RemoteNode.may_send, RemoteNode.removed_at.is_(None))).all()
    )
