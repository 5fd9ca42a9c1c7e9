"""`python -m service.api` is `softray api`."""

from __future__ import annotations

from service.api.serve import serve
from service.settings import load_settings

if __name__ == "__main__":
    serve(load_settings())
