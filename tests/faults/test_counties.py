"""A study run on many workers gives the bytes of a run in one process, whoever dies on the way."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from sy_coverage import counties
from sy_coverage.counties import cluster as dask_cluster
from sy_coverage.counties import crew, processes
from sy_coverage.errors import CannotWriteError, ConfigError, InputError, OfflineError, SolverError
from sy_coverage.study import read_study
from tests import counties_toy
from tests.conftest import ROOT
from tests.faults import jobs
from tests.faults.finished import contents


def answers(task, shared, keys="abc", workers=2):
    with processes.local_crew(workers) as crew:
        return dict(crew.work(task, shared, keys))


def test_every_key_gets_its_answer():
    assert answers(jobs.double, 2) == {"a": "aa", "b": "bb", "c": "cc"}


def test_workers_are_kept_from_job_to_job_and_all_are_gone_at_the_end():
    with processes.local_crew(2) as crew:
        first = set(dict(crew.work(jobs.own_pid, None, "abcd")).values())
        second = set(dict(crew.work(jobs.own_pid, None, "abcd")).values())
        assert second <= first
        assert len(first) <= 2
    assert not multiprocessing.active_children()


def test_a_task_that_fails_is_said_and_the_others_finish():
    found = answers(jobs.fail_on_b, None)
    assert found == {"a": "a", "b": counties.Failed("ZeroDivisionError: b cannot be divided"), "c": "c"}


def test_row_66_a_worker_does_not_hear_ctrl_c_even_while_it_starts():
    import pickle

    worker = processes.Worker.start()
    try:
        os.kill(worker.process.pid, signal.SIGINT)
        worker.give(pickle.dumps((jobs.double, 2)), "a")
        assert worker.pipe.recv() == ("began", None)
        assert worker.pipe.recv() == ("answer", "aa")
    finally:
        processes.dismiss([worker])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_killed_worker_loses_nothing(tmp_path):
    assert answers(jobs.die_at_first_b, str(tmp_path)) == {"a": "a", "b": "b", "c": "c"}
    assert (tmp_path / "died").exists()


def test_a_task_that_kills_every_worker_is_given_up_and_the_others_finish(tmp_path):
    found = answers(jobs.always_die_on_b, str(tmp_path))
    assert found["a"] == "a"
    assert found["c"] == "c"
    assert "worker was lost 3 times" in found["b"].reason


@pytest.mark.parametrize("task", [jobs.stop_at_first_b, jobs.loop_at_first_b])
def test_row_115_a_worker_that_hangs_is_killed_and_its_county_tried_once_more(task, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "SILENCE_S", 6.0)
    with processes.local_crew(2, limit_s=8.0) as hired:
        assert dict(hired.work(task, str(tmp_path), "abc")) == {"a": "a", "b": "b", "c": "c"}
    assert not multiprocessing.active_children()


def test_row_115_a_county_at_which_every_worker_hangs_is_reported_and_the_others_finish(monkeypatch):
    monkeypatch.setattr(processes, "SILENCE_S", 5.0)
    with processes.local_crew(2, limit_s=60.0) as hired:
        found = dict(hired.work(jobs.always_stop_on_b, None, "abc"))
    assert (found["a"], found["c"]) == ("a", "c")
    assert "hung 2 times" in found["b"].reason
    assert "county_s" in found["b"].reason
    assert not multiprocessing.active_children()


def test_row_115_workers_that_do_not_listen_are_gone_within_five_seconds():
    workers = [processes.Worker.start() for _ in range(3)]
    for worker in workers:
        os.kill(worker.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    processes.dismiss(workers)
    assert time.monotonic() - began < 5
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker_is_refused(workers, tmp_path):
    study = read_study(counties_toy.write_study(tmp_path, counties=1))
    with pytest.raises(ConfigError, match="at least 1"):
        counties.run(study, tmp_path / "out", workers=workers)


def test_what_cannot_be_a_scheduler_is_refused(tmp_path):
    study = read_study(counties_toy.write_study(tmp_path, counties=1))
    with pytest.raises(ConfigError, match="tcp://"):
        counties.run(study, tmp_path / "out", scheduler="10.0.0.5")
    with pytest.raises(ConfigError, match="not both"):
        counties.run(study, tmp_path / "out", scheduler="tcp://127.0.0.1:1", workers=2)
    assert study.seconds == {}


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    study = read_study(counties_toy.write_study(tmp_path, counties=1))
    (tmp_path / "file").touch()
    with pytest.raises(CannotWriteError):
        counties.run(study, tmp_path / "file" / "out")
    assert study.seconds == {}


def test_workers_with_other_libraries_are_refused():
    ours = dask_cluster._versions()
    dask_cluster._require_same({"tcp://a": ours})
    with pytest.raises(InputError, match=r"tcp://b: highspy 1\.0\.0"):
        dask_cluster._require_same({"tcp://a": ours, "tcp://b": {**ours, "highspy": "1.0.0"}})


# --- a study of two counties ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study_file(tmp_path_factory):
    return counties_toy.write_study(tmp_path_factory.mktemp("study"), counties=2)


@pytest.fixture(scope="module")
def alone(study_file, tmp_path_factory):
    """What a run in one process writes."""
    out = tmp_path_factory.mktemp("alone")
    read_study(study_file).save(out)
    return contents(out)


def same(found: dict[str, bytes], alone: dict[str, bytes]) -> None:
    assert found.keys() == alone.keys()
    assert [path for path in found if found[path] != alone[path]] == []


def test_row_72_two_processes_one_of_them_killed_give_the_bytes_of_one(study_file, alone, tmp_path):
    killed = []

    @contextmanager
    def progress(stage, *, total=1):
        def advance():
            if stage in {"plans", "outputs"} and killed.count(stage) == 0:
                killed.append(stage)
                os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

        yield advance

    study = read_study(study_file, progress=progress)
    outcome = counties.run(study, tmp_path / "out", counties=["990100", "990200"], workers=2)
    assert killed == ["plans", "outputs"]
    assert outcome.failed == {}
    of_counties = {path: c for path, c in alone.items() if "/990" in path}
    # each county: a page, a document, a workbook and points, the annex as page and document, a sheet for visits, its map, its
    # figure as PNG and SVG
    assert len(of_counties) == 2 * 10
    same(contents(tmp_path / "out"), of_counties)


def test_a_county_whose_plan_fails_is_said_everywhere_and_the_others_finish(study_file, alone, monkeypatch):
    study = read_study(study_file)

    class Crew:
        def work(self, task, shared, keys):
            for key in keys:
                yield (
                    key,
                    counties.Failed("boom") if key == "990200" else crew.attempt(task, shared, key),
                )

    assert counties.plan_with(study, Crew()) == {"990200": "boom"}
    assert study.plans["990100"].status == "optimal"
    assert study.plans["990200"].status == "no_answer"
    said = study.findings.left_out.set_index("county_id").loc[["990200"], "sentence"]
    assert any("第二县" in sentence and "运行出错" in sentence for sentence in said)
    assert study.findings.counties.loc["990200", "new_sites"] == 0
    assert not study.findings.counties.loc["990200", "proved"]


def test_where_every_county_fails_nothing_is_written(study_file, tmp_path):
    class Crew:
        def work(self, task, shared, keys):
            return ((key, counties.Failed("boom")) for key in keys)

    with pytest.raises(SolverError, match="no county could be planned: boom"):
        counties.plan_with(read_study(study_file), Crew())


def started(*words: str, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT, **options)


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own: the address and the processes."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    scheduler = started(
        "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common, **quiet
    )
    deadline = time.monotonic() + 120
    while not (file.exists() and file.read_text(encoding="utf-8").endswith("}")):  # it is not written at once
        assert time.monotonic() < deadline, "the scheduler does not start"
        time.sleep(0.1)
    worker = ("-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--name")
    workers = [started(*worker, name, *common, **quiet) for name in ("one", "two")]
    try:
        import json

        yield json.loads(file.read_text(encoding="utf-8"))["address"], workers, scheduler
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def on_a_cluster(study_file, out, address, *victims: subprocess.Popen) -> str:
    """Return what a run says on the cluster at `address` while `victims` are killed."""
    words = ("-m", "tests.faults.on_a_cluster", str(study_file), str(out), address)
    pids = [str(victim.pid) for victim in victims]
    run = started(*words, *pids, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said, wrong = run.communicate(timeout=240)
    assert said, wrong
    assert [victim.wait(10) for victim in victims] == [-signal.SIGKILL] * len(victims)
    return said.strip()


def test_row_72_a_dask_cluster_of_which_a_worker_is_killed_gives_the_bytes_of_one_process(
    study_file, alone, cluster, tmp_path
):
    address, workers, _ = cluster
    assert on_a_cluster(study_file, tmp_path / "out", address, workers[0]) == "{} killed"
    same(contents(tmp_path / "out"), alone)


@pytest.mark.parametrize("lost", ["all workers", "the scheduler"])
def test_a_cluster_that_is_lost_is_given_up_with_69_and_no_half_written_file(
    study_file, alone, cluster, tmp_path, lost
):
    address, workers, scheduler = cluster
    out = tmp_path / "out"
    said = on_a_cluster(study_file, out, address, *(workers if lost == "all workers" else [scheduler]))
    assert said.startswith("69 ")
    assert "the Dask cluster" in said
    found = contents(out)
    assert [path for path in found if found[path] != alone[path]] == []
    assert not list(out.rglob(".writing-*"))


def test_a_task_that_nobody_is_left_to_do_is_waited_for_only_so_long(monkeypatch):
    class Waiting:
        asked = 0

        def is_empty(self):
            return False

        has_ready = is_empty

        def nthreads(self):
            self.asked += 1
            return {"tcp://a": 1} if self.asked < 3 else {}

    monkeypatch.setattr(dask_cluster, "PATIENCE_S", 0.05)
    monkeypatch.setattr(dask_cluster, "POLL_S", 0.01)
    client = Waiting()
    with pytest.raises(OfflineError, match="no workers any more"):
        next(dask_cluster.Cluster(None, client)._ready(Waiting()))
    assert client.asked > 3


def test_a_scheduler_that_is_not_there_ends_with_69(study_file, tmp_path):
    pytest.importorskip("distributed")
    words = (
        "-m",
        "sy_coverage",
        "run",
        str(study_file),
        "--scheduler",
        "tcp://127.0.0.1:9",
        "--out",
        str(tmp_path / "out"),
    )
    run = started(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _, wrong = run.communicate(timeout=120)
    assert run.returncode == 69, wrong
    assert "没有 Dask 调度器应答" in wrong
    assert not (tmp_path / "out").exists()


def test_the_command_line_refuses_no_workers_in_one_sentence(study_file, tmp_path):
    words = ("-m", "sy_coverage", "run", str(study_file), "--workers", "0", "--out", str(tmp_path / "out"))
    run = started(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _, wrong = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "workers：至少为 1，不能是 0" in wrong
    assert len(wrong.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
