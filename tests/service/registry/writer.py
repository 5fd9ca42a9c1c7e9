"""One of several processes that record instances in the same registry: `URL NUMBER HOW_MANY`."""

from __future__ import annotations

import sys

from service.database import make_engine, make_session_factory, transaction
from tests.service.registry.factories import facts, record


def main(url: str, number: str, how_many: int) -> None:
    sessions = make_session_factory(make_engine(url))
    for index in range(how_many):
        for uid in (f"2.25.9{number}.{index}", f"2.25.8.{index}"):
            with transaction(sessions) as session:
                record(session, facts(study_instance_uid="2.25.1", series_instance_uid="2.25.2", sop_instance_uid=uid))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
