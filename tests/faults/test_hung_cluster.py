"""On a Dask cluster too a worker that hangs, is killed or begins anew costs its county a second try, and never the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from sy_coverage.counties.cluster import cluster_crew
from tests.conftest import ROOT
from tests.faults import jobs

pytest.importorskip("distributed")
pytestmark = pytest.mark.enable_socket


def started(*words: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        [sys.executable, *words], env=environment, cwd=ROOT, start_new_session=True, **quiet
    )


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers under nannies, who begin a lost one anew: the address."""
    file = tmp_path / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    every = [started("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common)]
    deadline = time.monotonic() + 120
    while not (file.exists() and file.read_text(encoding="utf-8").endswith("}")):
        assert time.monotonic() < deadline, "the scheduler does not start"
        time.sleep(0.1)
    every += [
        started("-m", "distributed.cli.dask_worker", "--nthreads", "1", "--name", name, *common)
        for name in ("one", "two")
    ]
    try:
        yield json.loads(file.read_text(encoding="utf-8"))["address"]
    finally:
        for process in reversed(every):  # a nanny and its worker are a group of their own
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def work(address, task, shared, limit_s):
    begun = time.monotonic()
    with cluster_crew(address, limit_s=limit_s) as crew:
        found = dict(crew.work(task, shared, "abcd"))
    return found, time.monotonic() - begun


NIGHTLY = [
    pytest.param(jobs.loop_at_first_b, id="loops", marks=pytest.mark.nightly),
    pytest.param(jobs.die_at_first_b, id="out of memory", marks=pytest.mark.nightly),
]


@pytest.mark.parametrize("task", [pytest.param(jobs.stop_at_first_b, id="stopped"), *NIGHTLY])
def test_row_115_a_worker_of_a_cluster_that_hangs_or_is_killed_costs_a_second_try(cluster, tmp_path, task):
    found, took = work(cluster, task, str(tmp_path), limit_s=15.0)
    assert found == {"a": "a", "b": "b", "c": "c", "d": "d"}
    assert took < 120


@pytest.mark.nightly
def test_row_115_a_county_at_which_every_worker_of_a_cluster_hangs_is_reported(cluster):
    found, took = work(cluster, jobs.always_stop_on_b, None, limit_s=15.0)
    assert {key: found[key] for key in "acd"} == {"a": "a", "c": "c", "d": "d"}
    assert "longer at it" in found["b"].reason or "lost" in found["b"].reason
    assert took < 240
