"""The one evaluation: every model, prediction and baseline in one table, per image and mean, with a picture sheet.

Pairs with a dual-energy truth (`over_pairs`), CT projections with planted nodules (`over_projections`) and radiographs
without a truth (`over_radiographs`); `softray evaluate` is its command line. What the figures mean: `models.metrics`.
"""

from models.evaluation.errors import EvaluationError
from models.evaluation.json_tables import json_report
from models.evaluation.methods import ModelRun, model_runs, parse_model_choice
from models.evaluation.over_pairs import pairs_of_split
from models.evaluation.requirements import missed, parse_requirements, require_measurable
from models.evaluation.run import Evaluation, Subjects, evaluate
from models.evaluation.text_tables import tables

__all__ = [
    "Evaluation",
    "EvaluationError",
    "ModelRun",
    "Subjects",
    "evaluate",
    "json_report",
    "missed",
    "model_runs",
    "pairs_of_split",
    "parse_model_choice",
    "parse_requirements",
    "require_measurable",
    "tables",
]
