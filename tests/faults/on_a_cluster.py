"""Run a study on a Dask cluster and kill some of its processes before the first plan is there: study out scheduler pid…"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

from distributed import Client

from sy_coverage import counties
from sy_coverage.counties import cluster
from sy_coverage.errors import CoverageError
from sy_coverage.study import read_study


def main(study_file: str, out: str, scheduler: str, *pids: str) -> None:
    victims = list(pids)

    @contextmanager
    def progress(stage: str, *, total: int = 1):
        def advance() -> None:
            while stage == "plans" and victims:
                os.kill(int(victims.pop()), signal.SIGKILL)

        yield advance

    with Client(scheduler) as client:  # one that joins late is none that a killed one's work could go to
        client.wait_for_workers(2, timeout=120)
    cluster.PATIENCE_S = 3.0
    try:
        outcome = counties.run(read_study(study_file, progress=progress), out, scheduler=scheduler)
    except CoverageError as error:
        sys.stdout.write(f"{error.exit_code} {error}\n")
    else:
        sys.stdout.write(f"{dict(outcome.failed)} {'nobody was killed' if victims else 'killed'}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
