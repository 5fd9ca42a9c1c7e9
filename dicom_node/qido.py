"""Asking a DICOMweb service which instances it has (QIDO-RS, PS3.18 §10.6): proof of delivery where nothing commits."""

from __future__ import annotations

from collections.abc import Iterable

import requests
from dicomweb_client import DICOMwebClient

from dicom_node.web_peer import CONNECTION_TIMEOUT_S, WebFailure, WebPeer, failure_of, failure_of_status, open_session

_SOP_INSTANCE_UID = "00080018"


def find_instances(
    peer: WebPeer, study_instance_uid: str, sop_instance_uids: Iterable[str], *, timeout_s: float = 20.0
) -> frozenset[str] | WebFailure:
    """Those of `sop_instance_uids` that the peer has in this Study, or why it could not be asked; nothing is raised.

    One question an instance, since not every service takes a list of UIDs, and few answer without paging.
    """
    with open_session(peer) as session:
        client = DICOMwebClient(
            peer.url.rstrip("/"),
            session,
            permissive_uid=True,
            timeout=(min(timeout_s, CONNECTION_TIMEOUT_S), timeout_s),
        )
        client.set_http_retry_params(retry=False)  # whoever asks decides when to ask again
        try:
            return frozenset(uid for uid in sop_instance_uids if uid in _answer(client, study_instance_uid, uid))
        except requests.exceptions.HTTPError as error:
            return failure_of_status(error.response.status_code if error.response is not None else 500)
        except requests.exceptions.JSONDecodeError:
            return WebFailure("ANSWER_UNREADABLE", "expected DICOM JSON, found other content")
        except requests.exceptions.RequestException as error:
            return failure_of(error)
        except Exception as error:  # an answer of another shape
            return WebFailure("ANSWER_UNREADABLE", f"expected DICOM JSON, found {type(error).__name__}")


def _answer(client: DICOMwebClient, study_instance_uid: str, sop_instance_uid: str) -> set[str]:
    """Every SOP Instance UID in the answer: a service that ignores the filter answers with others as well."""
    found = client.search_for_instances(
        study_instance_uid=study_instance_uid, search_filters={"SOPInstanceUID": sop_instance_uid}
    )
    return {str(value) for instance in found for value in instance.get(_SOP_INSTANCE_UID, {}).get("Value", [])}
