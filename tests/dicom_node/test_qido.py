"""Asking which instances a DICOMweb service has: every answer is a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from dicom_node.qido import find_instances
from dicom_node.status import Outcome
from dicom_node.web_peer import WebFailure, WebPeer
from tests.dicom_node.scripted_web_peer import Asked, ScriptedPeer, scripted_peer

STUDY, ONE, TWO = "1.2.3", "1.2.826.0.1", "1.2.826.0.2"


@pytest.fixture
def scripted() -> Iterator[ScriptedPeer]:
    with scripted_peer() as script:
        yield script


def listing(*uids: str) -> bytes:
    return json.dumps([{"00080018": {"vr": "UI", "Value": [uid]}} for uid in uids]).encode()


def test_the_instances_that_the_peer_has_are_found(scripted: ScriptedPeer) -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        [wanted] = parse_qs(urlsplit(asked.path).query)["SOPInstanceUID"]
        return 200, {"Content-Type": "application/dicom+json"}, listing(wanted) if wanted == ONE else b"[]"

    scripted.answer = answer
    assert find_instances(scripted.peer, STUDY, [ONE, TWO]) == {ONE}
    assert {urlsplit(asked.path).path for asked in scripted.asked} == {f"/dicom-web/studies/{STUDY}/instances"}


def test_nothing_found_may_be_an_empty_answer(scripted: ScriptedPeer) -> None:
    scripted.says(204)
    assert find_instances(scripted.peer, STUDY, [ONE]) == frozenset()


def test_a_peer_that_ignores_the_filter_proves_nothing_about_the_others(scripted: ScriptedPeer) -> None:
    scripted.says(200, listing("9.9", TWO, "8.8"))
    assert find_instances(scripted.peer, STUDY, [ONE, TWO]) == {TWO}


@pytest.mark.parametrize(
    ("status", "body", "code", "outcome"),
    [
        (200, b"<html>", "ANSWER_UNREADABLE", Outcome.RETRY),
        (200, b"3", "ANSWER_UNREADABLE", Outcome.RETRY),
        (200, b'[{"00080018": 3}]', "ANSWER_UNREADABLE", Outcome.RETRY),
        (401, b"", "HTTP_NOT_AUTHORISED", Outcome.RETRY),
        (404, b"", "HTTP_NO_SUCH_SERVICE", Outcome.RETRY),
        (400, b"", "HTTP_REFUSED", Outcome.REFUSED),
        (503, b"", "HTTP_BUSY", Outcome.RETRY),
        (500, b"Doe^Jane", "HTTP_SERVER_ERROR", Outcome.RETRY),
    ],
)
def test_what_is_no_answer_is_a_failure_and_asked_once(
    scripted: ScriptedPeer, status: int, body: bytes, code: str, outcome: Outcome
) -> None:
    scripted.says(status, body)
    failure = find_instances(scripted.peer, STUDY, [ONE])
    assert isinstance(failure, WebFailure)
    assert (failure.code, failure.outcome) == (code, outcome)
    assert "Jane" not in failure.detail
    assert len(scripted.asked) == 1


def test_a_peer_that_is_away_is_a_failure() -> None:
    failure = find_instances(WebPeer("http://127.0.0.1:1/"), STUDY, [ONE], timeout_s=2)
    assert isinstance(failure, WebFailure)
    assert failure.code == "CONNECTION_FAILED"
