"""Verification by C-FIND: present only if the archive lists this very instance."""

from __future__ import annotations

import socket

import pytest
from pydicom.dataset import Dataset

from dicom_node.find_scu import Location, Presence, find_context, send_query, verify_presence
from dicom_node.outgoing_association import outgoing_association
from dicom_node.status import Outcome
from dicom_node.store_scu import Peer
from tests.dicom_node.fake_archive import running_archive


def entry(number: int, study: str = "2.25.1", series: str = "2.25.2") -> Dataset:
    dataset = Dataset()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.SOPInstanceUID = f"2.25.3{number}"
    return dataset


def ask(peer: Peer, *numbers: int) -> list[tuple[Presence, str]]:
    wanted = [Location("2.25.1", "2.25.2", f"2.25.3{number}") for number in numbers]
    answers = verify_presence(peer, wanted, calling_ae_title="SOFTRAY", timeout_s=3)
    assert [answer.sop_instance_uid for answer in answers] == [place.sop_instance_uid for place in wanted]
    return [(answer.presence, answer.code) for answer in answers]


def test_what_is_listed_is_present_and_what_is_not_is_absent() -> None:
    with running_archive(catalogue=[entry(1), entry(2)]) as archive:
        assert ask(archive.peer, 1, 3, 2) == [
            (Presence.PRESENT, "FOUND"),
            (Presence.ABSENT, "FOUND"),
            (Presence.PRESENT, "FOUND"),
        ]


def test_an_archive_that_ignores_the_keys_does_not_count_as_having_the_instance() -> None:
    with running_archive(catalogue=[entry(1)], ignores_keys=True) as archive:
        assert ask(archive.peer, 1, 2) == [(Presence.PRESENT, "FOUND"), (Presence.ABSENT, "FOUND")]


@pytest.mark.parametrize(
    ("status", "code"),
    [(0xA700, "OUT_OF_RESOURCES"), (0xC001, "UNABLE_TO_PROCESS"), (0x0122, "SOP_CLASS_NOT_SUPPORTED")],
)
def test_a_query_that_fails_says_nothing_about_the_instance(status: int, code: str) -> None:
    with running_archive(catalogue=[entry(1)], find_status=status) as archive:
        assert ask(archive.peer, 1) == [(Presence.UNKNOWN, code)]


def test_an_archive_that_is_away_says_nothing_about_the_instance() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        peer = Peer("ARCHIVE", "127.0.0.1", probe.getsockname()[1])
    assert ask(peer, 1, 2) == [(Presence.UNKNOWN, "CONNECTION_FAILED")] * 2


def test_more_matches_than_wanted_end_the_query() -> None:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "IMAGE"
    identifier.SOPInstanceUID = ""
    with (
        running_archive(catalogue=[entry(number) for number in range(20)]) as archive,
        outgoing_association(archive.peer, [find_context()], calling_ae_title="SOFTRAY", timeout_s=3) as association,
    ):
        result = send_query(association, identifier, most_matches=10)
    assert (result.outcome, result.code, result.matches) == (Outcome.REFUSED, "TOO_MANY_MATCHES", ())
