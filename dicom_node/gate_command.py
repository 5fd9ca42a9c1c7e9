"""`softray gate FILE…`: the gate's verdict on files at hand, with every rule's answer and what the picture shows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from rich.console import Console
from rich.markup import escape

from dicom_node.eligibility import Asked, EligibilityPolicy
from dicom_node.eligibility_terms import Answer
from dicom_node.gate_explanation import PROCESSED, Explanation, explain
from dicom_node.site_policy import eligibility_policy
from service.errors import PermanentError
from service.settings import Settings

NOT_READABLE = "NOT_READABLE"
ANSWERS = {True: "[red]no [/red]", False: "[green]yes[/green]"}

console = Console(soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class Judged:
    """A file and its explanation, or the sentence that says why it is no readable DICOM file."""

    path: Path
    explanation: Explanation | None
    unreadable: str = ""

    @property
    def processed(self) -> bool:
        """Whether the service would process it."""
        return self.explanation is not None and self.explanation.code == PROCESSED


def run(settings: Settings, *, files: list[Path], as_json: bool = False) -> bool:
    """Print the verdict on each of `files` (folders are searched). True when every one would be processed.

    Raises PermanentError when there is no file, ConfigurationError when the site file is wrong.
    """
    policy = eligibility_policy(settings)
    paths = [path for named in files for path in (sorted(named.rglob("*")) if named.is_dir() else [named])]
    paths = [path for path in paths if not path.is_dir()]
    if not paths:
        raise PermanentError("NO_FILES", "expected at least one file to judge, found none")
    refused = 0
    listed = []
    for path in paths:
        judged = judge_file(path, policy)
        refused += not judged.processed
        if as_json:
            listed.append(_record(judged))
        else:
            _show(judged)
    if as_json:
        print(json.dumps(listed, indent=2))
    else:
        console.print(f"{len(paths) - refused} of {len(paths)} would be processed")
    return refused == 0


def judge_file(path: Path, policy: EligibilityPolicy) -> Judged:
    """The gate's verdict on one file; raises nothing, whatever the file holds."""
    try:
        ds = dcmread(path)
    except InvalidDicomError:
        return Judged(path, None, "expected a DICOM file (PS3.10: 128 bytes, then DICM), found another")
    except OSError as error:
        return Judged(path, None, f"expected a readable file, found: {error.strerror or type(error).__name__}")
    except Exception as error:  # a file can hold anything
        return Judged(path, None, f"expected a whole DICOM file, found one that ends in {type(error).__name__}")
    try:
        return Judged(path, explain(ds, policy))
    except Exception as error:
        return Judged(path, None, f"expected pixels that can be read, found {type(error).__name__}")


def _show(judged: Judged) -> None:
    explanation = judged.explanation
    name = escape(str(judged.path))
    if explanation is None:
        console.print(f"[bold]{name}[/bold]\n  [red]{NOT_READABLE}[/red]: {escape(judged.unreadable)}")
        return
    console.print(f"[bold]{name}[/bold]")
    for asked in explanation.asked:
        console.print(f"  {_answer(asked)} {asked.question:22} {escape(_reason(asked))}")
    console.print(f"      {'open questions':22} {', '.join(explanation.open_questions) or 'none'}")
    console.print(f"      {'picture':22} {escape(_picture(explanation))}")
    colour = "green" if judged.processed else "red"
    console.print(f"  [{colour}]{explanation.code}[/{colour}]: {escape(explanation.detail)}")
    if explanation.notes:
        console.print(f"      {'notes':22} {', '.join(explanation.notes)}")


def _answer(asked: Asked) -> str:
    if asked.open_questions or (asked.evidence.answer is Answer.UNKNOWN and not asked.refuses):
        return "[yellow]?  [/yellow]"
    return ANSWERS[asked.refuses]


def _reason(asked: Asked) -> str:
    if asked.refuses or asked.open_questions:
        return f"{asked.evidence.code or ', '.join(sorted(asked.open_questions))}: {asked.evidence.detail}"
    return asked.evidence.detail


def _picture(explanation: Explanation) -> str:
    if explanation.image is None:
        return f"not looked at ({explanation.unseen})"
    scores = ", ".join(f"{name} {value:.2f}" for name, value in asdict(explanation.image.scores).items())
    return f"{explanation.image.kind} ({scores})"


def _record(judged: Judged) -> dict[str, object]:
    explanation = judged.explanation
    if explanation is None:
        return {"file": str(judged.path), "code": NOT_READABLE, "detail": judged.unreadable, "processed": False}
    image = explanation.image
    return {
        "file": str(judged.path),
        "code": explanation.code,
        "detail": explanation.detail,
        "processed": judged.processed,
        "notes": list(explanation.notes),
        "open_questions": list(explanation.open_questions),
        "rules": [
            {
                "question": asked.question,
                "answer": asked.evidence.answer.value,
                "refuses": asked.refuses,
                "code": str(asked.evidence.code) if asked.evidence.code else None,
                "detail": asked.evidence.detail,
            }
            for asked in explanation.asked
        ],
        "picture": None
        if image is None
        else {"kind": str(image.kind), **{name: round(value, 4) for name, value in asdict(image.scores).items()}},
        "picture_not_read": explanation.unseen or None,
    }
