"""The kinds of training there are, and where each has its objective."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from models.errors import ConfigError
from models.json_fields import JsonFields
from models.training.engine.objective import Objective, Task

MakeObjective = Callable[[JsonFields, Task], Objective[object]]

OBJECTIVES = {
    "vqgan": "models.training.objectives.vqgan",
    "ldm": "models.training.objectives.ldm",
    "residual-unet": "models.training.objectives.residual_unet",
    "bsdiff": "models.training.objectives.bs_diff",
    "peer": "models.training.objectives.peers",
}


def make_objective(kind: str, config: JsonFields, task: Task) -> Objective[object]:
    """The objective of that kind. Raises ConfigError, and whatever the kind refuses."""
    if kind not in OBJECTIVES:
        raise ConfigError(f"expected a kind of training ({', '.join(OBJECTIVES)}), found {kind!r}")
    module = importlib.import_module(OBJECTIVES[kind])  # only the kind that is asked for is loaded
    return cast(MakeObjective, module.make_objective)(config, task)
