"""`python -m tests.service.audit.writer URL`: appends events until it is killed, saying each number it committed."""

from __future__ import annotations

import sys

from service.database import make_engine, make_session_factory
from tests.service.audit.factories import event, write

if __name__ == "__main__":
    sessions = make_session_factory(make_engine(sys.argv[1]))
    while True:
        print(write(sessions, *(event(number) for number in range(5))), flush=True)
