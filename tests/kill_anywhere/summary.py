"""A campaign as text: per process, state and fault, and in all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from tests.kill_anywhere.campaign import Outcome, Report
from tests.kill_anywhere.injection import Injection

_HEAD = ("victim", "hit while", "state", "step", "fault", "injected", "recovered", "median s", "longest s")


def summary(report: Report) -> str:
    """In all, and per victim and fault."""
    by_fault = _grouped(report, lambda one: (one.victim_name, str(one.fault)))
    lines = [*_totals(report), "", *_table(("victim", "fault", *_HEAD[5:]), by_fault)]
    for title, found in (
        ("lost", report.verdict.lost),
        ("twice", report.verdict.twice),
        ("half", report.verdict.half),
        ("failed though nothing asked for it", report.verdict.failed),
        ("wrong at the end of a round, right at the end", report.passing),
        ("doubts", [doubt for outcome in report.outcomes for doubt in outcome.doubts]),
        ("processes that ended by themselves", report.unexpected_exits),
        ("points not reached", [outcome.injection.name for outcome in report.outcomes if not outcome.reached]),
    ):
        if found:
            lines += ["", f"{title}:", *(f"  {line}" for line in found)]
    return "\n".join(lines)


def every_cell(report: Report) -> str:
    """One line per process, state and fault."""
    groups = _grouped(
        report, lambda one: (one.victim_name, str(one.point.role), one.point.state, one.point.step, str(one.fault))
    )
    return "\n".join(_table(_HEAD, groups))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _totals(report: Report) -> list[str]:
    injected = report.injected
    recoveries = [outcome.recovery_s for outcome in injected if outcome.recovery_s is not None]
    acknowledged = {image.number for image in report.images if image.acknowledged_at is not None}
    others = {image.number for image in report.images} - acknowledged
    lines = [
        f"seed {report.seed}, {report.seconds / 60:.1f} min",
        f"injected {len(injected)} (of {len(report.outcomes)} tried), recovered {len(recoveries)}",
        f"acknowledged {len(acknowledged)} = delivered exactly once {len(acknowledged & report.committed)} "
        f"+ failed visibly {len(acknowledged & report.failed)}",
        f"not acknowledged {len(others)}: delivered all the same {len(others & report.committed)}, "
        f"failed visibly {len(others & report.failed)}, absent {len(others - report.committed - report.failed)}",
        f"lost = {len(report.verdict.lost)}, twice = {len(report.verdict.twice)}, half = {len(report.verdict.half)}",
    ]
    if recoveries:
        lines.append(
            f"time to recover: median {statistics.median(recoveries):.1f} s, p99 {percentile(recoveries, 0.99):.1f} s, "
            f"longest {max(recoveries):.1f} s"
        )
    if report.undisturbed_s:
        lines.append(f"an image when nothing is broken: median {statistics.median(report.undisturbed_s):.1f} s")
    return lines


def _grouped(report: Report, key: Callable[[Injection], tuple[str, ...]]) -> dict[tuple[str, ...], list[Outcome]]:
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in report.injected:
        groups.setdefault(key(outcome.injection), []).append(outcome)
    return dict(sorted(groups.items()))


def _table(head: Sequence[str], groups: dict[tuple[str, ...], list[Outcome]]) -> list[str]:
    rows = [tuple(head)]
    for key, outcomes in groups.items():
        recoveries = [outcome.recovery_s for outcome in outcomes if outcome.recovery_s is not None]
        times = (f"{statistics.median(recoveries):.1f}", f"{max(recoveries):.1f}") if recoveries else ("-", "-")
        rows.append((*key, str(len(outcomes)), str(len(recoveries)), *times))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return [_line(row, widths) for row in rows]


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if cell[:1].isdigit() or cell == "-" else cell.ljust(width)
        for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
