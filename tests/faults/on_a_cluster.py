"""Run a study on a Dask cluster and kill one of its workers as soon as the first plan is there: study out scheduler pid."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

from sy_coverage import counties
from sy_coverage.study import read_study


def main(study_file: str, out: str, scheduler: str, victim: str) -> None:
    @contextmanager
    def progress(stage: str, *, total: int = 1):
        def advance() -> None:
            nonlocal victim
            if stage == "plans" and victim:
                os.kill(int(victim), signal.SIGKILL)
                victim = ""

        yield advance

    outcome = counties.run(read_study(study_file, progress=progress), out, scheduler=scheduler)
    sys.stdout.write(f"{dict(outcome.failed)} {'nobody was killed' if victim else 'killed'}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
