"""What `softray pull` is asked for, checked before any of it becomes a query key; pure.

A wildcard in a key would ask for other patients' studies too, a backslash makes several values of one, and a control
character has no place in any: they are refused, not repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pydicom.dataset import Dataset

from dicom_node.commitment_report import valid_uid
from service.errors import PermanentError

MODALITIES = ("CR", "DX")
_LONGEST_ACCESSION = 16  # SH, PS3.5 Table 6.2-1


@dataclass(frozen=True)
class PullCriteria:
    """Exactly one of accession number, Study Instance UID and study date (`YYYYMMDD` or `YYYYMMDD-YYYYMMDD`).

    `modality` narrows it to CR or DX. Raises PermanentError for anything else.
    """

    accession: str | None = None
    study: str | None = None
    dates: str | None = None
    modality: str | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.accession, self.study, self.dates) if value is not None]
        if len(given) != 1:
            raise _refused("CRITERIA_AMBIGUOUS", "expected exactly one of --accession, --study and --date")
        if self.modality is not None and self.modality not in MODALITIES:
            raise _refused("MODALITY_INVALID", f"expected the modality CR or DX, found {self.modality!r}")
        if self.accession is not None and not _is_plain(self.accession):
            message = "expected an accession number of 1 to 16 printable ASCII characters without * ? and \\"
            raise _refused("ACCESSION_INVALID", message)
        if self.study is not None and valid_uid(self.study) != self.study:
            raise _refused("STUDY_UID_INVALID", f"expected a Study Instance UID, found {self.study!r}")
        if self.dates is not None:
            _check_dates(self.dates)

    def study_identifier(self) -> Dataset:
        """The query at STUDY level."""
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "STUDY"
        identifier.StudyInstanceUID = self.study or ""
        identifier.ModalitiesInStudy = self.modality or ""
        if self.accession is not None:
            identifier.AccessionNumber = self.accession
        if self.dates is not None:
            identifier.StudyDate = self.dates
        return identifier

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities whose series are wanted."""
        return MODALITIES if self.modality is None else (self.modality,)


def _is_plain(text: str) -> bool:
    plain = text.isascii() and text.isprintable() and text == text.strip() and not set(text) & set("*?\\")
    return plain and 1 <= len(text) <= _LONGEST_ACCESSION


def _check_dates(dates: str) -> None:
    first, dash, last = dates.partition("-")
    try:
        begin = _date(first)
        end = _date(last) if dash else begin
    except ValueError:
        raise _refused("DATE_INVALID", f"expected YYYYMMDD or YYYYMMDD-YYYYMMDD, found {dates!r}") from None
    if begin > end:
        raise _refused("DATE_INVALID", f"expected the earlier date first, found {dates!r}")


def _date(text: str) -> date:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%d").date()


def _refused(code: str, message: str) -> PermanentError:
    return PermanentError(code, message)
