"""The conformance statement says what the code does, and a running node does what the statement says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pynetdicom.sop_class
import pytest
from pydicom.uid import UID, AllTransferSyntaxes, ExplicitVRLittleEndian
from pynetdicom import AllStoragePresentationContexts, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from dicom_node.application_entity import Node
from dicom_node.conformance_statement import STATEMENT, with_current_tables
from dicom_node.conformance_tables import tables
from service.errors import ConfigurationError
from tests.dicom_node.factories import radiograph
from tests.dicom_node.running_node import MODALITY, Installation, as_received, associate, installation, listening
from tests.peers.dcmtk import Dcmtk

# storescu's options that propose one transfer syntax alone, and what it then proposes.
DCMTK_PROPOSES = {
    "-xe": "1.2.840.10008.1.2.1",
    "-xb": "1.2.840.10008.1.2.2",
    "-xi": "1.2.840.10008.1.2",
}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as ready:
        yield ready


@pytest.fixture
def node(installed: Installation) -> Iterator[Node]:
    with listening(installed) as running:
        yield running


def claimed(heading: str) -> list[list[str]]:
    """The cells of the rows of one generated table, as a reader of the document sees them."""
    found = re.search(rf"<!-- generated: {heading} -->\n(.*?)<!-- end -->", STATEMENT.read_text(), re.DOTALL)
    assert found
    rows = [line.strip("| ").split(" | ") for line in found[1].strip().splitlines()]
    return rows[2:]


def claimed_storage() -> set[str]:
    return {uid for _, uid, _, as_scp in claimed("sop-classes") if as_scp == "yes" and uid != Verification}


def claimed_syntaxes() -> list[str]:
    return [uid for _, _, uid in claimed("transfer-syntaxes")]


def accepted(node: Node, proposals: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of (SOP class, transfer syntax) proposed alone in a context each, those that a real negotiation accepts."""
    found: set[tuple[str, str]] = set()
    for start in range(0, len(proposals), 100):
        some = proposals[start : start + 100]
        association = _proposing(node.port, some)
        found |= {(str(c.abstract_syntax), str(c.transfer_syntax[0])) for c in association.accepted_contexts}
        if association.is_established:
            association.release()
    return found


def _proposing(port: int, proposals: list[tuple[str, str]]) -> pynetdicom.association.Association:
    entity = pynetdicom.AE(MODALITY)
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in proposals]
    return entity.associate("127.0.0.1", port, contexts, ae_title="SOFTRAY")


def test_the_statement_is_current() -> None:
    text = STATEMENT.read_text(encoding="utf-8")
    assert with_current_tables(text) == text, "run `make conformance`"


def test_a_table_without_a_place_is_a_mistake() -> None:
    text = STATEMENT.read_text(encoding="utf-8").replace("generated: rejections", "generated: something-else")
    with pytest.raises(ConfigurationError, match=r"rejections.*something-else"):
        with_current_tables(text)


def test_no_table_is_empty() -> None:
    for name, table in tables().items():
        assert len(table.splitlines()) > 3, name


def test_exactly_what_is_claimed_is_accepted_of_every_storage_class_and_transfer_syntax(node: Node) -> None:
    classes = {str(context.abstract_syntax) for context in AllStoragePresentationContexts} | claimed_storage()
    syntaxes = {str(uid) for uid in AllTransferSyntaxes} | set(claimed_syntaxes())
    assert len(classes) > 150
    assert len(syntaxes) >= 39
    # Every syntax with the classes claimed, and every class with the syntax that everybody has.
    proposals = [(sop_class, syntax) for sop_class in claimed_storage() for syntax in sorted(syntaxes)]
    proposals += [(sop_class, ExplicitVRLittleEndian) for sop_class in sorted(classes - claimed_storage())]
    expected = {(sop_class, syntax) for sop_class in claimed_storage() for syntax in claimed_syntaxes()}
    assert accepted(node, proposals) == expected


def test_no_other_service_is_offered(node: Node) -> None:
    services = {
        str(value)
        for value in vars(pynetdicom.sop_class).values()
        if isinstance(value, UID) and value not in claimed_storage()
    }
    claimed_services = {uid for _, uid, *_ in claimed("accepted-contexts")}
    assert len(services) > 200
    found = {sop_class for sop_class, _ in accepted(node, [(uid, ExplicitVRLittleEndian) for uid in sorted(services)])}
    assert found == {uid for uid in claimed_services if uid not in claimed_storage()}


def test_of_all_transfer_syntaxes_in_one_context_the_first_claimed_is_taken(node: Node) -> None:
    sop_class = sorted(claimed_storage())[0]
    order = claimed_syntaxes()
    for first, preferred in enumerate(order):
        association = associate(node.port, [sop_class], list(reversed(order[first:])))
        assert association.accepted_contexts[0].transfer_syntax == [preferred]
        association.release()


@pytest.mark.interop
@pytest.mark.parametrize(("option", "syntax"), DCMTK_PROPOSES.items())
def test_dcmtk_is_accepted_with_the_transfer_syntax_claimed(
    node: Node, installed: Installation, dcmtk: Dcmtk, tmp_path: Path, option: str, syntax: str
) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(b"".join(as_received(radiograph()).file_parts()))
    assert syntax in claimed_syntaxes()
    assert dcmtk.storescu(node.port, path, calling=MODALITY, options=(option,)) == 0
    assert len(installed.instances()) == 1


@pytest.mark.interop
def test_dcmtk_proposes_everything_and_gets_what_is_claimed(node: Node, dcmtk: Dcmtk, tmp_path: Path) -> None:
    """DCMTK's own view of a negotiation over its association profile with every claimed and some refused contexts."""
    profile = tmp_path / "profile.cfg"
    refused_class, refused_syntax = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.4.50"
    syntaxes = [*claimed_syntaxes(), refused_syntax]
    classes = [*sorted(claimed_storage()), refused_class]
    lines = ["[[TransferSyntaxes]]"]
    for number, syntax in enumerate(syntaxes, 1):
        lines += [f"[T{number}]", f"TransferSyntax1 = {syntax}"]
    lines += ["[[PresentationContexts]]", "[All]"]
    pairs = [(sop_class, number) for sop_class in classes for number in range(1, len(syntaxes) + 1)]
    for position, (sop_class, number) in enumerate(pairs, 1):
        lines.append(f"PresentationContext{position} = {sop_class}\\T{number}")
    lines += ["[[Profiles]]", "[Default]", "PresentationContexts = All"]
    profile.write_text("\n".join(lines) + "\n")
    image = tmp_path / "image.dcm"
    image.write_bytes(b"".join(as_received(radiograph()).file_parts()))
    command = [
        "storescu",
        "-d",
        "-xf",
        profile,
        "Default",
        "-aet",
        MODALITY,
        "-aec",
        "SOFTRAY",
        "127.0.0.1",
        node.port,
        image,
    ]
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    shown = ended.stdout + ended.stderr
    accepted_part = shown[shown.rindex("Context ID:        1 ") :]
    results = re.findall(r"Context ID:\s+(\d+) \(([A-Za-z ]+)\)", accepted_part)
    assert len(results) == len(pairs), shown[-3000:]
    for (sop_class, number), (_, result) in zip(pairs, results, strict=True):
        expected = sop_class != refused_class and syntaxes[number - 1] != refused_syntax
        assert (result == "Accepted") is expected, (sop_class, syntaxes[number - 1], result)
    assert ended.returncode == 0
