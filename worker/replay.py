"""`softray replay JOB_ID`: compute a stored result again as its receipt says, and compare the pixels.

Nothing is kept, recorded or delivered: the answer is the verdict and its figures.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console

from dicom_node.eligibility import Eligible, ReasonCode
from dicom_node.image_gate import ImageGate
from dicom_node.site_policy import derived_policy, eligibility_policy
from dicom_node.stored_instance import read_stored_instance
from models.golden import TOLERANCES
from models.suppressor import ModelIdentity
from service.database import make_engine, make_session_factory, require_current_schema, transaction
from service.errors import PermanentError
from service.registry.receipt_facts import ReceiptFacts
from service.registry.receipts import Replayable, find_replayable
from service.settings import Settings
from service.store_settings import open_store
from worker.app import model_host
from worker.model_host import ModelHost
from worker.pipeline import suppress
from worker.receipt import receipt_of
from worker.replay_verdict import Comparison, Verdict, changed_environment, compare

console = Console()


def run(settings: Settings, *, job_id: str, as_json: bool = False) -> bool:
    """Replay the job and print the verdict; False when the result is DIFFERENT.

    Raises PermanentError: RECEIPT_UNKNOWN, SOURCE_REMOVED, RESULT_REMOVED (nothing to replay from or to compare with),
    MODEL_CHANGED (other weights under the name that the receipt names); WeightsError when there are none.
    """
    comparison = replay(settings, job_id, model_host)
    if as_json:
        figures = asdict(comparison) | {"job_id": job_id}
        if not math.isfinite(comparison.deviation):  # not a number of JSON
            figures["deviation"] = None
        console.print_json(json.dumps(figures))
    else:
        _tell(job_id, comparison)
    return comparison.verdict is not Verdict.DIFFERENT


def replay(settings: Settings, job_id: str, make_host: Callable[[Settings], ModelHost]) -> Comparison:
    """The comparison of what the job made with what comes out now; raises as `run` does."""
    found = _found(settings, job_id)
    before = found.receipt.facts
    store = open_store(settings)
    source_bytes = store.read(found.source_path, before.source_sha256)
    stored = read_stored_instance(store.read(found.result_path, found.result_sha256))
    chosen = settings.model_copy(update={"model": before.model_name, "preset": before.preset, "steps": before.steps})
    host = make_host(chosen)
    try:
        _require_model(host.start(), before)
        gate = ImageGate(
            Eligible(open_questions=frozenset(ReasonCode(code) for code in found.open_questions)),
            eligibility_policy(settings),
        )
        dataset = read_stored_instance(source_bytes)
        source = read_stored_instance(source_bytes).pixel_array
        began = time.monotonic()
        result = host.run(
            lambda suppressor: suppress(
                dataset,
                suppressor,
                derived_policy(settings),
                service_version=version("softray"),
                seed=before.seed,
                spread_seeds=before.seeds,
                now=datetime.now(UTC).astimezone(),
                on_step=lambda step, total: None,
                gate=gate,
            )
        )
        seconds = time.monotonic() - began
    finally:
        host.stop()
    now = receipt_of(
        result, source_sha256=before.source_sha256, preset=before.preset, inference_s=seconds, storing_s=0.0
    )
    return compare(
        source,
        stored.pixel_array,
        result.derived.pixel_array,
        changed_environment(before, now),
        on_cpu=now.device == "cpu",
        tolerance=max(TOLERANCES[before.precision], TOLERANCES[now.precision]),
    )


def _found(settings: Settings, job_id: str) -> Replayable:
    engine = make_engine(settings.effective_database_url)
    try:
        require_current_schema(engine)
        with transaction(make_session_factory(engine), read_only=True) as session:
            found = find_replayable(session, job_id)
    finally:
        engine.dispose()
    if found is None:
        raise PermanentError(
            "RECEIPT_UNKNOWN", f"expected a job with a receipt and a soft-tissue image, found {job_id}"
        )
    if found.source_removed_at is not None:
        raise PermanentError("SOURCE_REMOVED", "expected the source file, which retention has removed")
    if found.result_removed_at is not None:
        raise PermanentError("RESULT_REMOVED", "expected the stored result, which retention has removed")
    return found


def _require_model(loaded: ModelIdentity, before: ReceiptFacts) -> None:
    if loaded.sha256 != before.model_sha256:
        raise PermanentError(
            "MODEL_CHANGED",
            f"expected {before.model_name} with weights {before.model_sha256}, found {loaded.sha256} under this name",
        )


def _tell(job_id: str, found: Comparison) -> None:
    console.print(f"{job_id}: {found.verdict}")
    console.print(
        f"{found.differing_pixels} of {found.pixels} pixels differ, by at most {found.largest_difference} stored "
        f"values; deviation {found.deviation:.2e} of what was taken away (allowed where bits may differ: "
        f"{found.tolerance:.0e})"
    )
    if found.bits_owed:
        console.print("the environment is as it was, so every pixel had to be the same")
    for change in found.environment:
        console.print(f"not as it was: {change}", markup=False)
