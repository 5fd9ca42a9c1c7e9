"""A real Celery worker process that writes down what it was given: `BROKER_URL DATA_DIR FILE QUEUE [SECONDS]`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from service.job_queue import DELIVER_TASK, INFER_TASK, make_celery


def main(broker_url: str, data_dir: str, file: str, queue: str, seconds: str = "0") -> None:
    celery = make_celery(broker_url, Path(data_dir))

    def write_down(row_id: str | int) -> None:
        with Path(file).open("a") as output:
            output.write(f"{os.getpid()} {row_id!r}\n")
        time.sleep(float(seconds))

    celery.task(name=INFER_TASK)(write_down)
    celery.task(name=DELIVER_TASK)(write_down)
    alone = ["--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    celery.worker_main(["worker", "--pool", "solo", "--queues", queue, "--loglevel", "WARNING", *alone])


if __name__ == "__main__":
    main(*sys.argv[1:])
