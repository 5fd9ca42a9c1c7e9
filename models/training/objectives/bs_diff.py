"""Training of BS-Diff, `softray train bsdiff CONFIG`: first the denoiser, then the enhancer over what it samples."""

from __future__ import annotations

from models.json_fields import JsonFields
from models.training.engine.objective import Task
from models.training.objectives.bs_diff_denoiser import DenoiserObjective
from models.training.objectives.bs_diff_enhancer import EnhancerObjective
from models.training.objectives.bs_diff_settings import DenoiserSettings, read_settings
from models.training.objectives.peers import require_truth
from models.training.objectives.trained_denoiser import read_first_stage


def make_objective(config: JsonFields, task: Task) -> DenoiserObjective | EnhancerObjective:
    """From `[bsdiff]`; its `stage` says which of the two."""
    require_truth(task)
    settings = read_settings(config)
    if isinstance(settings, DenoiserSettings):
        return DenoiserObjective(settings, task)
    return EnhancerObjective(settings, task, read_first_stage(settings.denoiser, task.device))
