from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from service.database import transaction
from service.errors import ConfigurationError
from service.registry.remote_nodes import (
    add_remote_node,
    allowed_callers,
    find_remote_node,
    list_remote_nodes,
    remove_remote_node,
)
from tests.service.registry.factories import NOON, add_node


def test_only_nodes_that_may_send_are_allowed_callers(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "modality", may_send=True, receives_results=False)
    add_node(sessions, "pacs", may_send=False)
    add_node(sessions, "gone", may_send=True)
    with transaction(sessions) as session:
        remove_remote_node(session, "gone", now=NOON)
        assert allowed_callers(session) == {"MODALITY"}


def test_nodes_are_listed_by_name(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    add_node(sessions, "archive")
    with transaction(sessions, read_only=True) as session:
        assert [node.name for node in list_remote_nodes(session)] == ["archive", "pacs"]
        found = find_remote_node(session, "pacs")
        assert find_remote_node(session, "nobody") is None
    assert found is not None
    assert (found.ae_title, found.host, found.port, found.receives_results) == ("PACS", "127.0.0.1", 104, True)


def test_a_name_is_taken_until_its_node_is_removed(sessions: sessionmaker[Session]) -> None:
    add_node(sessions, "pacs")
    with pytest.raises(ConfigurationError, match="REMOTE_NODE_EXISTS"):
        add_node(sessions, "pacs")
    with transaction(sessions) as session:
        remove_remote_node(session, "pacs", now=NOON)
        assert list_remote_nodes(session) == []
    add_node(sessions, "pacs", receives_results=False)
    with transaction(sessions, read_only=True) as session:
        assert [node.receives_results for node in list_remote_nodes(session)] == [False]


def test_removing_an_unknown_node_is_an_error(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(ConfigurationError, match="REMOTE_NODE_UNKNOWN"), transaction(sessions) as session:
        remove_remote_node(session, "nobody", now=NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ae_title": "SEVENTEEN LETTERS"},
        {"ae_title": "   "},
        {"ae_title": "BACK\\SLASH"},
        {"host": ""},
        {"host": " pacs"},
        {"host": "*"},
        {"port": 0},
        {"port": 65536},
        {"name": ""},
        {"name": "line\nbreak"},
    ],
)
def test_a_node_that_cannot_be_right_is_refused(sessions: sessionmaker[Session], wrong: dict[str, object]) -> None:
    values = {"name": "pacs", "ae_title": "PACS", "host": "pacs.example", "port": 104} | wrong
    with pytest.raises(ConfigurationError, match="REMOTE_NODE_INVALID"), transaction(sessions) as session:
        add_remote_node(session, may_send=True, receives_results=True, now=NOON, **values)  # type: ignore[arg-type]
