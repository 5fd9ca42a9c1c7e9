"""Version 1 of the REST API, `/api/v1`: one router per noun. What is there keeps its meaning as long as it is there."""

from __future__ import annotations
