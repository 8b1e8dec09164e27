"""Have counties worked on by the workers of a Dask cluster."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sy_coverage.counties.crew import TRIES, Failed, attempt
from sy_coverage.errors import ConfigError, InputError, OfflineError, some
from sy_coverage.study.results.save import DECIDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sy_coverage.counties.crew import Crew, Key, Task

PATIENCE_S = 60.0
"""A cluster without any worker for so long is given up."""
POLL_S = 0.5
HANDING_S = 60.0
"""A worker that does not hand over a result within so long hangs."""


@dataclass
class Cluster:
    """The workers of a Dask scheduler; Dask gives the tasks of a lost one to others."""

    distributed: Any
    client: Any
    limit_s: float = float("inf")
    """How long the cluster may work on its tasks without finishing one."""

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        """Yield every key with its result or `Failed`."""
        try:
            yield from self._work(task, shared, list(keys))
        except OfflineError:
            raise
        except (OSError, self.distributed.CancelledError) as error:
            raise OfflineError(f"the Dask cluster is gone ({error}); start it and run again") from error

    def _work(self, task: Task, shared: object, waiting: list[Key]) -> Iterator[tuple[Key, Any]]:
        for turn in range(TRIES):
            # a copy on every worker: losing one loses nothing; should all be lost, it is sent again
            held = self.client.scatter([shared], broadcast=True, hash=False)[0]
            futures = {
                self.client.submit(partial(attempt, task), held, key, pure=False): key for key in waiting
            }
            waiting = []
            for future in self._ready(self.distributed.as_completed(futures, loop=self.client.loop)):
                key, status = futures[future], future.status
                if status == "finished":
                    try:
                        result = self._result(future)
                    except (
                        self.distributed.CancelledError
                    ):  # the scheduler has forgotten it with the worker that held it
                        status = "forgotten"
                    else:
                        yield key, result
                        continue
                if status == "error":  # Dask has given it to several workers, and each was lost
                    yield key, Failed(f"its workers were lost ({future.exception()})")
                elif turn + 1 < TRIES:
                    waiting.append(key)
                else:
                    yield key, Failed(f"the cluster lost it {TRIES} times ({status})")
            if not waiting:
                return

    def _ready(self, futures: Any) -> Iterator[Any]:
        """Yield futures as they are ready, as long as there is anybody to wait for."""
        seen = finished = time.monotonic()
        while not futures.is_empty():
            if futures.has_ready():
                yield next(futures)
                finished = time.monotonic()
                continue
            if time.monotonic() - finished > self.limit_s:
                self._drop_busy_workers()
                finished = time.monotonic()
            time.sleep(POLL_S)
            if self.client.nthreads():  # asks the scheduler, and fails where it is gone
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_S:
                raise OfflineError("the Dask cluster has no workers any more; start some and run again")

    def _result(self, future: Any) -> Any:
        """Return a result from the worker that holds it; where that one hangs meanwhile, it is worked out again by another."""
        for _ in range(TRIES):
            try:
                return future.result(timeout=min(HANDING_S, self.limit_s))
            except TimeoutError:
                holders = {address for held in self.client.who_has([future]).values() for address in held}
                self.client.run_on_scheduler(_drop, addresses=sorted(holders))
        return Failed(f"its result could not be had from {TRIES} workers, which hang")

    def _drop_busy_workers(self) -> None:
        """Take from workers that hang what they are at; Dask gives it to others, and calls it lost after a few.

        They are not asked: one that was stopped never answers. A nanny begins a new one in its place.
        """
        busy = [address for address, keys in self.client.processing().items() if keys]
        self.client.run_on_scheduler(_drop, addresses=busy)


async def _drop(dask_scheduler: Any, addresses: list[str]) -> None:
    for address in addresses:
        await dask_scheduler.remove_worker(address, stimulus_id="sy-coverage-hung")


@contextmanager
def cluster_crew(scheduler: str, *, limit_s: float = float("inf")) -> Iterator[Crew]:
    """Hire the workers of a Dask scheduler.

    Raises
    ------
    ConfigError
        If the address is none, Dask is not installed, or workers run other versions.
    OfflineError
        If nobody answers, or there are no workers.
    """
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
        yield Cluster(distributed, client, limit_s)


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
