"""The command line `softray`: one program for the PACS administrator and for every container's start command.

Other packages are known here by name only (`service.cli.launch`), so that `softray node` never loads torch.
"""

from __future__ import annotations

from service.cli.app import app, main

__all__ = ["app", "main"]
