"""How many associations at a time: in all, and of one calling AE title, so that nobody can take every place."""

from __future__ import annotations

import threading
from collections import Counter


class AssociationSlots:
    """Places shared by every port of the node; `of_one_caller` is never more than `total`."""

    def __init__(self, total: int, of_one_caller: int) -> None:
        self._total = total
        self._of_one_caller = min(total, of_one_caller)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, calling_ae_title: str) -> bool:
        """A place for this caller, or False: come again later."""
        with self._lock:
            if self._taken.total() >= self._total or self._taken[calling_ae_title] >= self._of_one_caller:
                return False
            self._taken[calling_ae_title] += 1
            return True

    def give_back(self, calling_ae_title: str) -> None:
        """The place is free again."""
        with self._lock:
            self._taken[calling_ae_title] -= 1
            if not self._taken[calling_ae_title]:
                del self._taken[calling_ae_title]  # titles are the peers' own, and endless

    @property
    def taken(self) -> int:
        """Places in use."""
        with self._lock:
            return self._taken.total()
