"""The tables of the DICOM Conformance Statement (PS3.2 Annex N), taken from what the code offers and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydicom.uid import UID

from dicom_node import conformance, handlers, upper_layer
from dicom_node.application_entity import AssociationLimits
from dicom_node.kept_associations import IDLE_S, LONGEST_S
from dicom_node.status import C_STORE_ANSWERS, C_STORE_STATUSES
from dicom_node.transfer_syntaxes import decodable_transfer_syntaxes
from dicom_node.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from service.registry.deliveries import AT_ONCE_PER_NODE
from service.settings import Settings

YES, NO = "yes", "no"


def tables() -> dict[str, str]:
    """Every generated table by the name of its markers."""
    return {name: make() for name, make in _TABLES.items()}


def sop_classes() -> str:
    """Which SOP classes are supported, and as what."""
    accepted = {
        UID(str(context.abstract_syntax)): _role(context.scu_role, context.scp_role)
        for context in conformance.supported_contexts()
    }
    requested = {*conformance.REQUESTED_SERVICES, *conformance.REQUESTED_STORAGE}
    rows = []
    for uid in sorted({*accepted, *requested}, key=lambda uid: uid.name):
        as_scu = uid in requested or accepted.get(uid) == "SCU"
        as_scp = accepted.get(uid) == "SCP"
        rows.append((uid.name, str(uid), YES if as_scu else NO, YES if as_scp else NO))
    return _table(("SOP Class", "UID", "SCU", "SCP"), rows)


def transfer_syntaxes() -> str:
    """Transfer syntaxes accepted for storage, in the acceptor's order of preference."""
    return _table(
        ("Preference", "Transfer Syntax", "UID"),
        [(str(rank), uid.name, str(uid)) for rank, uid in enumerate(decodable_transfer_syntaxes(), 1)],
    )


def accepted_contexts() -> str:
    """Presentation contexts that the acceptor accepts."""
    rows = []
    for context in conformance.supported_contexts():
        uid = UID(str(context.abstract_syntax))
        syntaxes = [UID(syntax) for syntax in context.transfer_syntax]
        named = (
            "all of the table above"
            if syntaxes == decodable_transfer_syntaxes()
            else ", ".join(s.name for s in syntaxes)
        )
        rows.append((uid.name, str(uid), named, _role(context.scu_role, context.scp_role), "none"))
    return _table(("Abstract Syntax", "UID", "Transfer Syntaxes", "Role", "Extended Negotiation"), rows)


def requested_contexts() -> str:
    """Presentation contexts that the requestor proposes."""
    uncompressed = ", ".join(syntax.name for syntax in conformance.UNCOMPRESSED)
    proposals = [(uid, uncompressed) for uid in conformance.REQUESTED_SERVICES]
    proposals += [
        (uid, f"that of the stored file, {uncompressed}; each in a context of its own")
        for uid in conformance.REQUESTED_STORAGE
    ]
    return _table(
        ("Abstract Syntax", "UID", "Transfer Syntaxes", "Role", "Extended Negotiation"),
        [(uid.name, str(uid), syntaxes, "SCU", "none") for uid, syntaxes in proposals],
    )


def association_policy() -> str:
    """Defaults of what bounds an association; the settings change them."""
    limits = AssociationLimits()
    fields = Settings.model_fields
    return _table(
        ("Policy", "Value", "Setting"),
        [
            ("Application Context Name", handlers.APPLICATION_CONTEXT_NAME, ""),
            ("Implementation Class UID", str(IMPLEMENTATION_CLASS_UID), ""),
            ("Implementation Version Name", IMPLEMENTATION_VERSION_NAME, ""),
            ("Associations accepted at a time", str(fields["max_associations"].default), "max_associations"),
            (
                "of one calling AE title",
                str(fields["max_associations_per_caller"].default),
                "max_associations_per_caller",
            ),
            ("Connections without an association, each port", str(limits.max_waiting), ""),
            ("Associations requested at a time, each peer", f"{AT_ONCE_PER_NODE} for results, 1 for all else", ""),
            ("Association for results, released when idle for", f"{IDLE_S:g} s", ""),
            (
                "Association for results, released at the latest after",
                f"{LONGEST_S:g} s and the instance under way",
                "",
            ),
            ("Outstanding asynchronous transactions", "1", ""),
            ("Maximum PDU size received", f"{fields['max_pdu'].default} bytes", "max_pdu"),
            ("Maximum PDU size sent", "the peer's", ""),
            ("ARTIM before a request (PS3.8 §9.1.5)", f"{fields['acse_timeout_s'].default:g} s", "acse_timeout_s"),
            ("ARTIM before the peer's close", f"{upper_layer.ARTIM_CLOSING_S:g} s", ""),
            ("Silence on an association", f"{fields['network_timeout_s'].default:g} s", "network_timeout_s"),
            ("Wait for a DIMSE message", f"{fields['dimse_timeout_s'].default:g} s", "dimse_timeout_s"),
            ("TCP port, not encrypted", str(fields["dicom_port"].default), "dicom_port"),
            ("TCP port, TLS", "none", "tls_port"),
        ],
    )


def rejections() -> str:
    """A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""
    return _table(
        ("Result", "Source", "Reason", "When"),
        [(*map(str, answer), when) for answer, when in handlers.REJECTIONS],
    )


def statuses_answered() -> str:
    """C-STORE statuses that the SCP answers."""
    return _table(
        ("Status", "Meaning (PS3.4 Table B.2-1, PS3.7 Annex C)", "When"),
        [(f"0x{answer.status:04X}", answer.meaning, answer.when) for answer in C_STORE_ANSWERS],
    )


def statuses_understood() -> str:
    """C-STORE statuses that the SCU receives, and what it does."""
    behaviour = {"SENT": "counts as stored", "RETRY": "tried again later", "REFUSED": "given up, shown to the operator"}
    rows = [
        (
            f"0x{known.first:04X}" + (f" to 0x{known.last:04X}" if known.last != known.first else ""),
            known.meaning,
            behaviour[known.outcome],
        )
        for known in C_STORE_STATUSES
    ]
    return _table(
        ("Status", "Meaning", "Behaviour"),
        [*rows, ("any other", "a failure the Standard does not list", behaviour["REFUSED"])],
    )


def _role(scu_role: bool | None, scp_role: bool | None) -> str:
    """Ours: role selection is said of the requestor (PS3.7 Annex D.3.3.4)."""
    return "SCU" if scp_role and not scu_role else "SCP"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


_TABLES: dict[str, Callable[[], str]] = {
    "sop-classes": sop_classes,
    "transfer-syntaxes": transfer_syntaxes,
    "accepted-contexts": accepted_contexts,
    "requested-contexts": requested_contexts,
    "association-policy": association_policy,
    "rejections": rejections,
    "statuses-answered": statuses_answered,
    "statuses-understood": statuses_understood,
}
