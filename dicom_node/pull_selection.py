"""Which instances of an archive are worth pulling: STUDY, SERIES and IMAGE level queries, one after the other.

Chosen are CR and DX images that are not here yet. Many archives match on fewer keys than asked for or leave return keys
empty, so every match is looked at again, and an empty SOP Class UID counts as one that may be a radiograph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pynetdicom.association import Association

from dicom_node.commitment_report import valid_uid
from dicom_node.conformance import ACCEPTED_SOP_CLASSES
from dicom_node.find_scu import FindResult, send_query
from dicom_node.outgoing_association import NoAssociation
from dicom_node.pull_criteria import PullCriteria
from dicom_node.status import Outcome

Known = Callable[[Sequence[str]], set[str]]
"""Which of these SOP Instance UIDs are here already."""


@dataclass(frozen=True)
class ChosenSeries:
    """One series with the instances to fetch; `listed` counts all that the archive has in it, `known` what is here."""

    study_instance_uid: str
    series_instance_uid: str
    modality: str
    wanted: tuple[str, ...]
    listed: int
    known: int

    @property
    def whole(self) -> bool:
        """Whether the series can be fetched as a whole."""
        return len(self.wanted) == self.listed


class QueryFailedError(Exception):
    """A query was not answered to the end; `result` says why."""

    def __init__(self, result: FindResult) -> None:
        super().__init__(result.detail)
        self.result = result


def choose(
    association: Association | NoAssociation, criteria: PullCriteria, known: Known, *, limit: int | None = None
) -> Iterator[ChosenSeries]:
    """The series with something to fetch, until `limit` instances are chosen. Raises QueryFailedError."""
    room = limit
    for study_uid in _studies(association, criteria):
        for series_uid, modality in _series(association, study_uid, criteria.modalities):
            if room == 0:
                return
            chosen = _instances(association, study_uid, series_uid, modality, known, room)
            if chosen.wanted:
                yield chosen
            if room is not None:
                room -= len(chosen.wanted)


def identifiers(chosen: ChosenSeries) -> Iterator[tuple[Dataset, tuple[str, ...]]]:
    """What to ask for in a C-MOVE, and which instances that is: the series at once, or image by image."""
    if chosen.whole:
        yield _identifier("SERIES", chosen.study_instance_uid, chosen.series_instance_uid), chosen.wanted
        return
    for uid in chosen.wanted:
        identifier = _identifier("IMAGE", chosen.study_instance_uid, chosen.series_instance_uid)
        identifier.SOPInstanceUID = uid
        yield identifier, (uid,)


def _studies(association: Association | NoAssociation, criteria: PullCriteria) -> Iterator[str]:
    for match in _matches(association, criteria.study_identifier()):
        uid = valid_uid(match.get("StudyInstanceUID"))
        held = match.get("ModalitiesInStudy")
        modalities = set(held) if isinstance(held, MultiValue) else {held} if held else set()
        if uid is None or (criteria.study is not None and uid != criteria.study):
            continue
        if not modalities or modalities & set(criteria.modalities):
            yield uid


def _series(
    association: Association | NoAssociation, study_uid: str, modalities: Iterable[str]
) -> Iterator[tuple[str, str]]:
    identifier = _identifier("SERIES", study_uid, "")
    identifier.Modality = ""
    for match in _matches(association, identifier):
        uid, modality = valid_uid(match.get("SeriesInstanceUID")), str(match.get("Modality") or "")
        if uid is not None and modality in modalities:
            yield uid, modality


def _instances(
    association: Association | NoAssociation,
    study_uid: str,
    series_uid: str,
    modality: str,
    known: Known,
    room: int | None,
) -> ChosenSeries:
    identifier = _identifier("IMAGE", study_uid, series_uid)
    identifier.SOPInstanceUID = ""
    identifier.SOPClassUID = ""
    listed: dict[str, str] = {}
    for match in _matches(association, identifier):
        uid = valid_uid(match.get("SOPInstanceUID"))
        if uid is not None:
            listed[uid] = str(match.get("SOPClassUID") or "")
    radiographs = [uid for uid, sop_class in listed.items() if not sop_class or sop_class in ACCEPTED_SOP_CLASSES]
    here = known(radiographs)
    wanted = tuple(uid for uid in radiographs if uid not in here)[:room]
    return ChosenSeries(study_uid, series_uid, modality, wanted, len(listed), len(here))


def _matches(association: Association | NoAssociation, identifier: Dataset) -> tuple[Dataset, ...]:
    result = send_query(association, identifier)
    if result.outcome is not Outcome.SENT:
        raise QueryFailedError(result)
    return result.matches


def _identifier(level: str, study_uid: str, series_uid: str) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    identifier.StudyInstanceUID = study_uid
    identifier.SeriesInstanceUID = series_uid
    return identifier
