"""Run a study county by county, on several processes of this machine or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from importlib.metadata import version
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sy_coverage import _files
from sy_coverage.errors import ConfigError, CoverageError, InputError, OfflineError, SolverError, some
from sy_coverage.siting import SitingPlan
from sy_coverage.siting.planning.explain.sites import Told
from sy_coverage.siting.reasons import reason_frame
from sy_coverage.study.job import Outcome
from sy_coverage.study.plans.alternatives import compared, plan_county
from sy_coverage.study.results.files import made_here
from sy_coverage.study.results.save import DECIDING, require_writable, save

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from multiprocessing.context import SpawnProcess

    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.study.config.questions.compare import Compare
    from sy_coverage.study.study import Study

    Key = str | None
    Task = Callable[[Any, Any], Any]

PATIENCE_S = 60.0
"""A cluster without any worker for so long is given up."""
POLL_S = 0.5
TRIES = 3
"""A task whose worker is lost this many times has failed."""
# drawing keeps state of its own in a process, so a worker with several threads still makes one county at a time
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Failed:
    """Instead of a result: what went wrong, in one sentence."""

    reason: str


_LOST = Failed("lost")


class Crew(Protocol):
    """Whoever does the work: gives `task(shared, key)` for every key, in the order in which they are ready."""

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        """Yield every key with its result or `Failed`; `shared` travels to each worker once."""
        ...


def run(
    study: Study,
    folder: str | os.PathLike[str] | None = None,
    *,
    counties: Sequence[str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Outcome:
    """Plan every county and make its files on several workers, and write what `study.save` would write.

    Inputs are read, and travel times computed, once and here; each worker is sent once what it needs of them. Plans, their
    reasons and the files of a county are made by the workers; only this process writes. Every file but the manifest's
    timings is byte for byte that of a run in one process.

    Parameters
    ----------
    folder
        Where to write; by default the study's own `output`.
    counties
        Write only the proposals and maps of these.
    workers
        Processes of this machine, 2 by default. They are started afresh, so a script of yours must call this under
        ``if __name__ == "__main__":``.
    scheduler
        Address of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, whose workers are used instead.

    Returns
    -------
    outcome
        The folder, and the counties that failed. A county whose plan failed stands in every output as one without an
        answer; the others are complete.

    Raises
    ------
    ConfigError
        If both or impossible numbers of workers are asked for, Dask is not installed, or its workers run other versions.
    OfflineError
        If the scheduler does not answer or has no workers.
    CoverageError
        If the inputs are bad, or every county failed.
    CannotWriteError
        If the folder cannot be written.
    """
    target = Path(study.path(study.config.study.output) if folder is None else folder)
    require_writable(study.answers, target, whole=counties is None)
    with _files.locked(target), crew_of(workers=workers, scheduler=scheduler) as crew:
        counties = None if counties is None else [study.county_id(named) for named in counties]
        study = study if counties is None else study.only(counties)
        failed = plan_with(study, crew)

        def make(findings: Findings, county_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
            for key, answer in crew.work(_files_of, findings, county_ids):
                if isinstance(answer, Failed):
                    failed[str(key)] = answer.reason
                else:
                    yield from answer

        save(
            study.answers, target, counties=None if counties is None else tuple(counties), make_counties=make
        )
    return Outcome(folder=target, failed=dict(sorted(failed.items())))


def crew_of(*, workers: int | None = None, scheduler: str | None = None) -> AbstractContextManager[Crew]:
    """Hire `workers` processes of this machine (2 by default), or those of a Dask scheduler; dismiss them at the end.

    Raises
    ------
    ConfigError, OfflineError
        As `run`.
    """
    if scheduler is None:
        return _processes(2 if workers is None else workers)
    if workers is not None:
        raise ConfigError("give a number of workers or the address of a scheduler, not both")
    return _cluster(scheduler)


def plan_with(study: Study, crew: Crew) -> dict[str, str]:
    """Give `study` the plan of every county, and return why those that failed did."""
    scopes, plans = study.scopes, {}
    tables: dict[Key, dict[str, DataFrame]] = {}
    reasons: dict[Key, str] = {}
    shared = study.task
    with study.progress("plans" if None not in scopes else "plan_of_city", total=len(scopes)) as advance:
        for key, answer in crew.work(_plan_of, shared, scopes):
            if isinstance(answer, Failed):
                reasons[key] = answer.reason
                plans[key], tables[key] = _no_plan(study, key), {}
            else:
                plans[key], tables[key] = answer
            advance()
    if len(reasons) == len(scopes):
        raise SolverError(f"no county could be planned: {some(sorted(set(reasons.values())), most=1)}")
    study.adopt(plans, tables)
    return {str(key): reason for key, reason in reasons.items()}


def _no_plan(study: Study, county_id: Key) -> SitingPlan:
    row = {"reason_id": "county_failed", "subject": county_id, "scope_id": county_id}
    return SitingPlan(
        sites=(),
        status="no_answer",
        objective=None,
        bound=None,
        gap=None,
        certificate=None,
        findings=reason_frame([row], policy=study.policy),
    )


# --- what a worker does -----------------------------------------------------------------------------------------------


def _plan_of(
    shared: tuple[Mapping[str, Any], Compare], county_id: Key
) -> tuple[SitingPlan, dict[str, DataFrame]]:
    case, asked = shared
    plan = plan_county(case, county_id)
    tables = compared(case, county_id, plan, asked)
    return _said(plan), tables


def _said(plan: SitingPlan) -> SitingPlan:
    """Return `plan` with its reasons worked out, so that what they come from need not travel."""
    figures, best = plan.figures, plan.best
    if best is not plan:
        figures = replace(figures, attainable=_said(best))
    return replace(plan, reasons=Told(plan.why()), figures=figures)


def _files_of(findings: Findings, county_id: str) -> list[tuple[str, bytes]]:
    return list(made_here(findings, [county_id]))


def _attempt(task: Task, shared: object, key: Key) -> Any:
    """Return the result, or what went wrong: an exception of a library may not survive the way back."""
    with _ALONE:
        try:
            return task(shared, key)
        except CoverageError as error:
            return Failed(str(error))
        except Exception as error:  # noqa: BLE001  (one county's fault must not stop the others)
            return Failed(f"{type(error).__name__}: {error}")


# --- processes of this machine ----------------------------------------------------------------------------------------


def _serve(pipe: connection.Connection) -> None:
    """Be a worker: take jobs (bytes of a task and what it shares) and keys, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    job: tuple[Task, object] | None = None
    with suppress(EOFError, OSError):  # the parent is gone, and nobody waits any more
        while True:
            kind, content = pipe.recv()
            if kind == "job":
                job = pickle.loads(content)  # noqa: S301  (from our own parent)
            elif job is not None:
                pipe.send(_attempt(*job, content))


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes begin that never hear Ctrl-C; our own waits until the block has ended."""
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    resource_tracker.ensure_running()  # the first start of all would do so, and unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(eq=False)
class _Worker:
    """A process, its pipe, and which job it holds."""

    process: SpawnProcess
    pipe: connection.Connection
    job: bytes | None = None

    @classmethod
    def start(cls) -> _Worker:
        context = multiprocessing.get_context("spawn")  # threads of numba and arrow do not survive a fork
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there,), daemon=True)
        with _deaf_to_ctrl_c():
            process.start()
        there.close()
        return cls(process, here)

    def give(self, job: bytes, key: Key) -> None:
        """Hand over `key`, after `job` if it holds another."""
        if self.job is not job:
            self.pipe.send(("job", job))
            self.job = job
        self.pipe.send(("key", key))

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


@dataclass
class _Processes:
    """Workers on this machine; one that dies is replaced, and only what it was at is done again."""

    most: int
    idle: list[_Worker] = field(default_factory=list)
    busy: dict[_Worker, Key] = field(default_factory=dict)

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        job = pickle.dumps((task, shared), protocol=pickle.HIGHEST_PROTOCOL)
        waiting = deque(keys)
        lost: Counter[Key] = Counter()
        while waiting or self.busy:
            while waiting and len(self.busy) < self.most:
                self._assign(job, waiting.popleft())
            for worker, answer in self._answers():
                key = self.busy.pop(worker)
                if answer is not _LOST:
                    self.idle.append(worker)
                    yield key, answer
                    continue
                worker.stop()
                lost[key] += 1
                if lost[key] < TRIES:
                    waiting.append(key)
                else:
                    yield key, Failed(f"its worker was lost {TRIES} times (killed, or out of memory)")

    def _assign(self, job: bytes, key: Key) -> None:
        worker = self.idle.pop() if self.idle else _Worker.start()
        self.busy[worker] = key
        with suppress(OSError):  # it died while idle or while being told; its silence is noticed below
            worker.give(job, key)

    def _answers(self) -> Iterator[tuple[_Worker, Any]]:
        """Yield every worker that has spoken, or was lost, as soon as there is one."""
        by_pipe = {worker.pipe: worker for worker in self.busy}
        for pipe in connection.wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]  # wait gives back what it was given
            try:
                yield worker, worker.pipe.recv()
            except (EOFError, OSError):
                yield worker, _LOST

    def stop(self) -> None:
        for worker in [*self.idle, *self.busy]:
            worker.stop()


@contextmanager
def _processes(workers: int) -> Iterator[Crew]:
    if workers < 1:
        raise ConfigError(f"workers: at least 1, not {workers}")
    crew = _Processes(workers)
    try:
        yield crew
    finally:
        crew.stop()


# --- a Dask cluster ---------------------------------------------------------------------------------------------------


@dataclass
class _Cluster:
    """The workers of a Dask scheduler; Dask gives the tasks of a lost one to others."""

    distributed: Any
    client: Any

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        try:
            yield from self._work(task, shared, list(keys))
        except OfflineError:
            raise
        except (OSError, self.distributed.CancelledError) as error:
            raise OfflineError(f"the Dask cluster is gone ({error}); start it and run again") from error

    def _work(self, task: Task, shared: object, waiting: list[Key]) -> Iterator[tuple[Key, Any]]:
        for attempt in range(TRIES):
            # a copy on every worker: losing one loses nothing; should all be lost, it is sent again
            held = self.client.scatter([shared], broadcast=True, hash=False)[0]
            futures = {
                self.client.submit(partial(_attempt, task), held, key, pure=False): key for key in waiting
            }
            waiting = []
            for future in self._ready(self.distributed.as_completed(futures, loop=self.client.loop)):
                key = futures[future]
                if future.status == "finished":
                    yield key, future.result()
                elif future.status == "error":  # Dask has given it to several workers, and each was lost
                    yield key, Failed(f"its workers were lost ({future.exception()})")
                elif attempt + 1 < TRIES:
                    waiting.append(key)
                else:
                    yield key, Failed(f"the cluster lost it {TRIES} times ({future.status})")
            if not waiting:
                return

    def _ready(self, futures: Any) -> Iterator[Any]:
        """Yield futures as they are ready, as long as there is anybody to wait for."""
        seen = time.monotonic()
        while not futures.is_empty():
            if futures.has_ready():
                yield next(futures)
                continue
            time.sleep(POLL_S)
            if self.client.nthreads():  # asks the scheduler, and fails where it is gone
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_S:
                raise OfflineError("the Dask cluster has no workers any more; start some and run again")


@contextmanager
def _cluster(scheduler: str) -> Iterator[Crew]:
    if not scheduler.startswith(("tcp://", "tls://")):
        raise ConfigError(f"scheduler: an address such as tcp://10.0.0.5:8786 is needed, not '{scheduler}'")
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ConfigError('a Dask cluster needs the extra "dask": pip install "sy-coverage[dask]"') from error
    try:
        client = distributed.Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OfflineError(
            f"{scheduler}: no Dask scheduler answers there ({error}); start it, or check the address"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=30)
        except TimeoutError as error:
            raise OfflineError(f"{scheduler}: the scheduler has no workers; start some") from error
        _require_same(client.run(_versions))
        yield _Cluster(distributed, client)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("sy-coverage", *DECIDING)}


def _require_same(of_workers: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse workers whose libraries could give another answer."""
    ours = _versions()
    other = sorted(
        f"{address}: {name} {theirs.get(name)} (here {ours[name]})"
        for address, theirs in of_workers.items()
        for name in ours
        if theirs.get(name) != ours[name]
    )
    if other:
        raise InputError(
            f"workers with other versions would give other bytes: {some(other)}; install the same"
        )
