"""A stored result is computed again from its receipt, and nothing but the answer comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import pytest
from pydicom import Dataset
from sqlalchemy import func, select, update

from dicom_node.radiograph import wrap_radiograph
from models.suppressor import ModelIdentity
from service.errors import PermanentError
from service.instance_store import InstanceStore
from service.registry.receipt_table import Receipt
from service.registry.receipts import find_receipt
from service.registry.tables import Delivery, Instance, JobEvent, Result
from service.settings import Settings
from tests.radiographs import phantom
from tests.worker.conftest import IDENTITY, ConstantSuppressor, DirectHost, queue_job
from worker import replay as replay_module
from worker.context import WorkerContext
from worker.infer import infer
from worker.model_host import ModelHost
from worker.replay import replay, run
from worker.replay_verdict import Verdict


class StartedHost(DirectHost):
    """A direct host that is started and stopped as a real one is."""

    def start(self) -> ModelIdentity:
        return self.suppressor.identity

    def stop(self) -> None:
        return


@dataclass(frozen=True)
class Done:
    """A job that has made its images."""

    job_id: str
    context: WorkerContext
    settings: Settings

    def replay(self, residual: float = 0.1, identity: ModelIdentity = IDENTITY) -> Verdict:
        return replay(self.settings, self.job_id, self.host(residual, identity)).verdict

    def host(self, residual: float, identity: ModelIdentity = IDENTITY) -> Callable[[Settings], ModelHost]:
        def make(settings: Settings) -> ModelHost:
            assert (settings.model, settings.preset, settings.steps) == (IDENTITY.name, "fast", IDENTITY.steps)
            return StartedHost(ConstantSuppressor(residual, identity=identity))  # type: ignore[return-value]

        return make

    def change(self, table: type[Receipt | Instance | Result], **values: object) -> None:
        with self.context.sessions.begin() as session:
            session.execute(update(table).values(**values))


@pytest.fixture
def radiograph() -> Dataset:
    return wrap_radiograph(phantom(1024).radiograph)


@pytest.fixture
def done(context: WorkerContext, radiograph: Dataset, tmp_path: Path) -> Done:
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'registry.sqlite3'}")
    store = InstanceStore(settings.instances_dir, 0)
    there = replace(context, store=store, service_version=version("softray"), preset="fast")
    job_id = queue_job(there, radiograph)
    assert infer(job_id, there, StartedHost(ConstantSuppressor(0.1)))  # type: ignore[arg-type]
    return Done(job_id, there, settings)


def test_the_receipt_names_everything_that_decided_the_pixels(done: Done) -> None:
    with done.context.sessions() as session:
        row = find_receipt(session, done.job_id)
        source_sha256 = session.scalar(select(Instance.sha256))
    assert row is not None
    facts = row.facts
    assert facts.source_sha256 == source_sha256
    assert (facts.model_name, facts.model_sha256, facts.device) == (IDENTITY.name, IDENTITY.sha256, IDENTITY.device)
    assert (facts.preset, facts.sampler, facts.steps, facts.seed, facts.seeds) == ("fast", "one-pass", 1, 0, 1)
    assert f"torch {version('torch')}" in facts.libraries
    assert facts.inference_s > 0.0
    assert facts.storing_s > 0.0


def test_the_same_model_gives_every_pixel_again(done: Done) -> None:
    found = replay(done.settings, done.job_id, done.host(0.1))
    assert found.verdict is Verdict.IDENTICAL
    assert found.pixels == 1024 * 1024
    assert found.environment == ()


def test_a_network_that_takes_more_away_is_found_out(done: Done) -> None:
    assert done.replay(residual=0.11) is Verdict.DIFFERENT


def test_another_device_may_differ_a_little_and_no_more(done: Done) -> None:
    elsewhere = replace(IDENTITY, device="cuda (card)")
    assert done.replay(residual=0.1005, identity=elsewhere) is Verdict.WITHIN_TOLERANCE
    assert done.replay(residual=0.11, identity=elsewhere) is Verdict.DIFFERENT


def test_other_weights_under_the_same_name_are_not_run(done: Done) -> None:
    with pytest.raises(PermanentError, match="cdcd") as refused:
        done.replay(identity=replace(IDENTITY, sha256="cd" * 32))
    assert refused.value.code == "MODEL_CHANGED"


def test_nothing_is_recorded_stored_or_sent(done: Done) -> None:
    def everything() -> tuple[list[str], list[int | None]]:
        files = sorted(str(path) for path in done.settings.instances_dir.rglob("*") if path.is_file())
        with done.context.sessions() as session:
            counts = [session.scalar(select(func.count()).select_from(t)) for t in (JobEvent, Result, Delivery)]
        return files, counts

    before = everything()
    done.replay()
    assert everything() == before


def test_what_is_no_longer_there_is_named(done: Done) -> None:
    removed = done.context.clock()
    for table, code in ((Instance, "SOURCE_REMOVED"), (Result, "RESULT_REMOVED")):
        done.change(table, file_removed_at=removed)
        with pytest.raises(PermanentError) as refused:
            done.replay()
        assert refused.value.code == code
        done.change(table, file_removed_at=None)
    with pytest.raises(PermanentError) as unknown:
        replay(done.settings, "no-such-job", done.host(0.1))
    assert unknown.value.code == "RECEIPT_UNKNOWN"


def test_the_verdict_is_printed_with_its_figures(
    done: Done, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay_module, "model_host", done.host(0.1))
    assert run(done.settings, job_id=done.job_id, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["job_id"], answer["verdict"], answer["differing_pixels"]) == (done.job_id, "IDENTICAL", 0)
    monkeypatch.setattr(replay_module, "model_host", done.host(0.11))
    assert not run(done.settings, job_id=done.job_id)
    assert "DIFFERENT" in capsys.readouterr().out
