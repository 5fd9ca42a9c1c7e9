"""Why something about reader studies was refused."""

from __future__ import annotations

from service.errors import PermanentError


class ReaderStudyError(PermanentError):
    """What was asked for does not fit the study as it stands; nothing was changed."""
