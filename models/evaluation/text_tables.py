"""The tables as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from models.evaluation.figures import HONEST, PUBLISHED, Column, Figures
from models.evaluation.over_pairs import PairsTable
from models.evaluation.over_projections import ProjectionsTable
from models.evaluation.over_radiographs import RadiographsTable
from models.evaluation.pictures import FIGURE_SIDE
from models.evaluation.run import Evaluation

NONE = "–"
METHOD_WIDTH = 20


def tables(evaluation: Evaluation) -> Iterator[Table | str]:
    """Everything that was measured, with a line on how to read it after each table."""
    if evaluation.pairs is not None:
        yield from _pairs(evaluation.pairs)
        for column in (*HONEST, *PUBLISHED):
            yield f"  [bold]{escape(column.heading)}[/bold] {escape(column.meaning)}"
        if not evaluation.lpips_supplied:
            yield "LPIPS: weights not supplied (--lpips)"
        yield _sizes(evaluation.pairs)
    if evaluation.projections is not None:
        yield _projections(evaluation.projections)
        yield "kept: share of a planted nodule's contrast that the result shows, 1 is right; ±10 %: nodules so near it"
    if evaluation.radiographs is not None:
        yield _radiographs(evaluation.radiographs)
        yield "outside: |change| outside the patient, % of range; corr.: of fine structure, source with result"


def _pairs(found: PairsTable) -> Iterator[Table]:
    for image in found.images if len(found.images) > 1 else ():
        yield _figures(f"pair {image.name}", image.methods, HONEST)
        yield _figures(f"pair {image.name}, as papers quote", image.methods, PUBLISHED)
    which = "mean of the pairs" if len(found.images) > 1 else f"pair {found.images[0].name}"
    yield _figures(f"{which} ({len(found.images)})", found.mean, HONEST)
    yield _figures(f"{which} ({len(found.images)}), as papers quote", found.mean, PUBLISHED)


def _figures(title: str, methods: Mapping[str, Figures], columns: Sequence[Column]) -> Table:
    table = _table(title, [column.heading for column in columns])
    for method, figures in methods.items():
        table.add_row(escape(method), *(_number(column.of(figures), column.decimals) for column in columns))
    return table


def _projections(found: ProjectionsTable) -> Table:
    headings = ["PSNR fitted", "bone left", "detail kept", "nodules", "kept, mean", "least", "most", "±10 %"]
    table = _table(f"{len(found.images)} CT projections left out of training, mean", headings)
    for method, scores in found.mean.items():
        nodules = found.nodules[method]
        table.add_row(
            escape(method),
            _number(scores.psnr_db, 2),
            _number(scores.bone_left, 3),
            _number(scores.detail_kept, 3),
            str(nodules.count),
            *(_number(value, 2) for value in (nodules.mean, nodules.least, nodules.most)),
            f"{100 * nodules.within:.0f} %" if nodules.count else NONE,
        )
    return table


def _radiographs(found: RadiographsTable) -> Table:
    headings = ["outside, mean", "worst image", "99.9th perc.", "corr., mean", "corr., least"]
    title = f"{len(found.images)} radiographs without a truth, {found.with_outside} with something besides the patient"
    table = _table(title, headings)
    for method, summary in found.summary.items():
        changes = (summary.outside_mean, summary.outside_worst, summary.outside_p999)
        correlations = (summary.high_pass_correlation, summary.least_correlation)
        table.add_row(escape(method), *(_number(value, 3) for value in (*changes, *correlations)))
    return table


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("method", min_width=METHOD_WIDTH, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _number(value: float | None, decimals: int) -> str:
    return NONE if value is None or value != value else f"{value:.{decimals}f}"


def _sizes(found: PairsTable) -> str:
    resized = sum(max(image.width, image.height) != FIGURE_SIDE for image in found.images)
    what = f"{resized} of {len(found.images)} pairs were resized to it" if resized else "no pair had to be resized"
    return f"figures are taken with the longer side at {FIGURE_SIDE} px: {what}; means are means over images"
