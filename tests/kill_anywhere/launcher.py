"""Starts the processes under test: one that has loaded the product and forks, so that a restart takes milliseconds.

Run as `python -m tests.kill_anywhere.launcher CONTROL_FOLDER LOG_FOLDER` with the settings in the environment. Reads
`start NAME ROLE` lines and writes `started NAME PID` and `exited PID STATUS` ones; its end ends all. A child is a
process like any other: its own session, the product's own entry points, only the waits shorter (`_hasten`).
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import os
import select
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import celery.apps.worker
import celery.concurrency.solo
import celery.concurrency.thread
import celery.worker.components
import celery.worker.consumer
import celery.worker.strategy
import kombu.transport.redis
import psycopg
import sqlalchemy.dialects.postgresql.psycopg
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto

import dicom_node.__main__
import service.api.serve
import service.job_queue
import worker.app
import worker.infer
from service.registry import delivery_queue, due_jobs
from service.registry.circuit_breaker import BreakerPolicy
from service.settings import Settings, load_settings
from tests.kill_anywhere.copy_step import CopyHost
from tests.kill_anywhere.crash_points import ControlFolder, install
from tests.kill_anywhere.points import Role
from worker import pipeline
from worker.context import WorkerContext
from worker.errors import ResultRejectedError

LOADED_ONCE = (celery, kombu, psycopg, sqlalchemy, uvicorn)
SILENT_FOR_S = 1.0
PAUSE_AFTER_FAILURE_S = 0.5
BREAKER = BreakerPolicy(failures=3, first_s=0.5, longest_s=1.0)
COMMITMENT_DELAY_S = 0.2
WAIT_FOR_REPORT_S = 0.3
_PR_SET_PDEATHSIG = 1
ENTRIES: dict[str, Callable[[Settings], None]] = {
    Role.NODE: dicom_node.__main__.run,
    Role.API: service.api.serve.serve,
    Role.GPU: worker.app.run_gpu,
    Role.NETWORK: worker.app.run_network,
}


def main(control: Path, logs: Path) -> None:
    """Serve until standard input ends."""
    gc.collect()
    gc.freeze()
    waiting = b""
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        if ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                _, name, role = line.decode().split()
                pid = _fork(name, role, control, logs)
                children.add(pid)
                _tell(f"started {name} {pid}")
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.discard(pid)
                _tell(f"exited {pid} {os.waitstatus_to_exitcode(status)}")
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _fork(name: str, role: str, control: Path, logs: Path) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        log = os.open(logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nowhere, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        faulthandler.register(signal.SIGUSR1)  # every thread's stack into the log, to see why something stands still
        _run(role, ControlFolder(control))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(role: str, control: ControlFolder) -> None:
    settings = load_settings()
    _hasten()
    _let_some_images_be_unfit(control)
    install(role, control)
    if role == Role.GPU:
        worker.app.model_host = _copy_host
    ENTRIES[role](settings)


def _copy_host(settings: Settings) -> CopyHost:
    return CopyHost(
        model="", weights_dirs=[], preset="fast", steps=0, device="cpu", torch_threads=1, max_batch=settings.max_batch
    )


def _hasten() -> None:
    """Waits that are constants of the product and not settings, shortened; every one must still be there."""
    assert hasattr(service.job_queue, "PAUSE_AFTER_FAILURE_S")
    service.job_queue.PAUSE_AFTER_FAILURE_S = PAUSE_AFTER_FAILURE_S
    for search in (due_jobs.due_jobs, delivery_queue.due_deliveries):
        defaults = search.__kwdefaults__
        assert defaults is not None
        assert "silent_for_s" in defaults, search
        defaults["silent_for_s"] = SILENT_FOR_S
    build = worker.app.build_context

    def hastened(*args: Any, **kwargs: Any) -> WorkerContext:
        context = build(*args, **kwargs)
        soon = replace(context.commitment, delay_s=COMMITMENT_DELAY_S, wait_for_report_s=WAIT_FOR_REPORT_S)
        return replace(context, breaker=BREAKER, commitment=soon)

    worker.app.build_context = hastened


def _let_some_images_be_unfit(control: ControlFolder) -> None:
    """An image that the harness has named fails for good, as one whose result is not an image does."""
    suppress = pipeline.suppress

    def checked(dataset: Any, *args: Any, **kwargs: Any) -> Any:
        if control.unfit(str(dataset.SOPInstanceUID)).exists():
            raise ResultRejectedError("expected an image, found one that the test has made unfit")
        return suppress(dataset, *args, **kwargs)

    assert hasattr(worker.infer, "suppress")
    setattr(worker.infer, "suppress", checked)  # noqa: B010 (imported there by name)


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
