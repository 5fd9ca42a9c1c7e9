"""Requirements such as `psnr>=33,bone_left<=0.2,detail>=0.9`: what must hold for every model and prediction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.evaluation.errors import EvaluationError, EvaluationFault
from models.evaluation.figures import HONEST, PUBLISHED, by_key
from models.evaluation.run import Evaluation, Subjects

ON_PROJECTIONS = (
    "ct_psnr", "ct_bone_left", "ct_detail", "nodule_mean", "nodule_min", "nodule_max", "nodule_within",
)  # fmt: skip
ON_RADIOGRAPHS = ("outside", "outside_worst", "outside_p999", "high_pass_correlation")
KEYS = (*(column.key for column in (*HONEST, *PUBLISHED)), *ON_PROJECTIONS, *ON_RADIOGRAPHS)
NEED_WEIGHTS = ("lpips_as_published", "lpips")
PATTERN = re.compile(r"\s*([a-z0-9_]+)\s*(>=|<=)\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*")


@dataclass(frozen=True)
class Requirement:
    """A figure's key, whether it is a lower bound, and the bound."""

    key: str
    at_least: bool
    bound: float

    def __str__(self) -> str:
        return f"{self.key}{'>=' if self.at_least else '<='}{self.bound:g}"

    def holds_for(self, value: float) -> bool:
        """False for what is not a number."""
        return value >= self.bound if self.at_least else value <= self.bound


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """Comma-separated requirements; empty text: none. Raises EvaluationError."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = PATTERN.fullmatch(part)
        if match is None or match[1] not in KEYS:
            raise EvaluationError(
                EvaluationFault.REQUIREMENT_INVALID,
                f"expected FIGURE>=NUMBER or FIGURE<=NUMBER with FIGURE one of {', '.join(KEYS)}; found {part!r}",
            )
        found.append(Requirement(match[1], match[2] == ">=", float(match[3])))
    return tuple(found)


def require_measurable(
    requirements: Sequence[Requirement], subjects: Subjects, *, with_models: bool, with_lpips: bool
) -> None:
    """Raises EvaluationError for a requirement that nothing could miss, because its figure will not be measured."""
    measured: list[str] = []
    if subjects.cxr is not None and (with_models or subjects.predictions):
        measured += [column.key for column in (*HONEST, *PUBLISHED) if with_lpips or column.key not in NEED_WEIGHTS]
    if with_models and subjects.projections is not None:
        measured += ON_PROJECTIONS
    if with_models and subjects.unpaired is not None:
        measured += ON_RADIOGRAPHS
    for requirement in requirements:
        if requirement.key not in measured:
            found = f"found {', '.join(measured)}" if measured else "nothing of any model or prediction is measured"
            raise EvaluationError(
                EvaluationFault.REQUIREMENT_INVALID,
                f"expected a figure that is measured here for the requirement {requirement}; {found}",
            )


def missed(requirements: Sequence[Requirement], evaluation: Evaluation) -> list[str]:
    """A sentence for each requirement that a prediction or model misses; empty when all hold.

    A row that has no such figure is passed over: a folder of predictions has none on projections.
    """
    found = {title: figures_of(evaluation, title) for title in evaluation.judged}
    return [
        f"{title}: expected {requirement}, found {value:.4g}"
        for requirement in requirements
        for title, figures in found.items()
        if (value := figures.get(requirement.key)) is not None and not requirement.holds_for(value)
    ]


def figures_of(evaluation: Evaluation, title: str) -> Mapping[str, float | None]:
    """Every mean figure of one row of the tables, by the key that requirements use."""
    found: dict[str, float | None] = {}
    if evaluation.pairs is not None and title in evaluation.pairs.mean:
        found |= by_key(evaluation.pairs.mean[title])
    if evaluation.projections is not None and title in evaluation.projections.mean:
        scores, nodules = evaluation.projections.mean[title], evaluation.projections.nodules[title]
        found |= {"ct_psnr": scores.psnr_db, "ct_bone_left": scores.bone_left, "ct_detail": scores.detail_kept}
        found |= {"nodule_mean": nodules.mean, "nodule_min": nodules.least}
        found |= {"nodule_max": nodules.most, "nodule_within": nodules.within}
    if evaluation.radiographs is not None and title in evaluation.radiographs.summary:
        summary = evaluation.radiographs.summary[title]
        found |= {"outside": summary.outside_mean, "outside_worst": summary.outside_worst}
        found |= {"outside_p999": summary.outside_p999, "high_pass_correlation": summary.high_pass_correlation}
    return found
