"""The reason codes of the sources, found by their form, and the words of that form that are none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.dockerfile import ROOT

PACKAGES = ("service", "dicom_node", "worker", "models")
_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_ONE_WORD = re.compile(r"[A-Z]{4,}")
_RAISES = re.compile(r"(?:Error|RefusedObject|RefusedReport|ImageRefused|_refused|_refuse)$")
# Enumerations whose members name other things than reasons.
_ENUMERATIONS = {
    "ActorKind", "AuditKind", "Break", "Compression", "FrontalView", "Health", "ImageKind", "JobPurpose", "JobState",
    "Kind", "Presence", "RadiographKind", "Reading", "Rejection", "Relationship", "ResultKind", "StudyState", "Verdict",
    "VoiFunction",
}  # fmt: skip
# Values of DICOM attributes, names of other libraries, and names that are only names.
_WORDS = {
    "AI_LABEL", "ALGORITHM_REPORT", "BONE_SUPPRESSED", "DEMO_MODALITY", "DEMO_PACS", "FOR_PROCESSING",
    "ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "KEY_VALUES_MISMATCH", "SUDO_USER",
}  # fmt: skip
_OTHER_FILES = {"models/pickle_import.py"}  # the instructions of pickle


def reason_codes() -> dict[str, str]:
    """Each code of the sources, with the first file that has it."""
    found: dict[str, str] = {}
    named_otherwise: set[str] = set(_WORDS)
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        name = str(path.relative_to(ROOT))
        if name in _OTHER_FILES:
            continue
        tree = ast.parse(path.read_text())
        named_otherwise |= set(_members(tree))
        for code in _codes(tree):
            found.setdefault(code, name)
    return {
        code: name
        for code, name in found.items()
        if code not in named_otherwise and not code.startswith("SOFTRAY_")  # a setting
    }


def _members(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in _ENUMERATIONS:
            yield from (constant for constant in _strings(node) if _CODE.fullmatch(constant))


def _codes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Call) and _RAISES.search(_name(node.func)):
            for argument in node.args[:2]:
                if isinstance(argument, ast.Constant) and _ONE_WORD.fullmatch(str(argument.value)):
                    yield str(argument.value)


def _strings(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def all_strings() -> set[str]:
    """Every string literal of the sources, for names of log events and the like."""
    trees = (ast.parse(path.read_text()) for package in PACKAGES for path in Path(ROOT / package).rglob("*.py"))
    return {text for tree in trees for text in _strings(tree)}
