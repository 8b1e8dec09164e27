"""Have counties worked on by processes of this machine; one that dies or hangs is replaced, and its county tried again."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING, Any

from sy_coverage.counties.crew import TRIES, Failed, attempt
from sy_coverage.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.context import SpawnProcess

    from sy_coverage.counties.crew import Crew, Key, Task

BEAT_S = 2.0
"""A worker that works says so this often."""
SILENCE_S = 120.0
"""A worker that has not been heard of for so long has been stopped, or waits for a disk that is gone. Compiled code may hold the
thread that speaks for a while: a busy machine must not look like a dead one."""
START_S = 600.0
"""A process may take so long to begin: it loads the libraries, and is sent what the counties share."""
GRACE_S = 2.0
"""A process that was told to end is killed when it has not done so."""
HUNG_TRIES = 2
"""A county at which a worker hangs is tried once more; then it is reported."""
_LOST, _HUNG = Failed("lost"), Failed("hung")


def _serve(pipe: connection.Connection) -> None:
    """Be a worker: take jobs (bytes of a task and what it shares) and keys, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    speaking, working = threading.Lock(), threading.Event()

    def beat() -> None:
        with suppress(OSError, ValueError):
            while True:
                working.wait()
                time.sleep(BEAT_S)
                with speaking:
                    if working.is_set():
                        pipe.send(("beat", None))

    threading.Thread(target=beat, daemon=True).start()
    job: tuple[Task, object] | None = None
    with suppress(EOFError, OSError):  # the parent is gone, and nobody waits any more
        while True:
            kind, content = pipe.recv()
            if kind == "job":
                job = pickle.loads(content)  # noqa: S301  (from our own parent)
            elif job is not None:
                with speaking:
                    pipe.send(("began", None))
                working.set()
                answer = attempt(*job, content)
                working.clear()
                with speaking:
                    pipe.send(("answer", answer))


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
class Worker:
    """A process, its pipe, which job it holds, and when it was heard of."""

    process: SpawnProcess
    pipe: connection.Connection
    job: bytes | None = None
    began: float | None = None
    """When it took up its county; None while it has not."""
    heard: float = 0.0

    @classmethod
    def start(cls) -> Worker:
        """Start a process that waits for work."""
        context = multiprocessing.get_context("spawn")  # threads of numba and arrow do not survive a fork
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there,), daemon=True)
        with _deaf_to_ctrl_c():
            process.start()
        there.close()
        return cls(process, here)

    def give(self, job: bytes, key: Key) -> None:
        """Hand over `key`, after `job` if it holds another."""
        self.began, self.heard = None, time.monotonic()
        if self.job is not job:
            self.pipe.send(("job", job))
            self.job = job
        self.pipe.send(("key", key))

    def hangs(self, limit_s: float) -> bool:
        """Whether nothing was heard of it for too long, or it has been at one county for too long."""
        now = time.monotonic()
        if self.began is None:
            return now - self.heard > START_S
        return now - self.heard > SILENCE_S or now - self.began > limit_s


def dismiss(workers: Iterable[Worker]) -> None:
    """End all these processes: told first, killed where they do not listen, such as one that was stopped."""
    workers = list(workers)
    for worker in workers:
        worker.process.terminate()
    until = time.monotonic() + GRACE_S
    for worker in workers:
        worker.process.join(max(0.0, until - time.monotonic()))
    for worker in workers:
        if worker.process.is_alive():
            worker.process.kill()
    until = (
        time.monotonic() + GRACE_S
    )  # one that waits for a dead disk cannot even be killed: nobody waits for it
    for worker in workers:
        worker.process.join(max(0.0, until - time.monotonic()))
        worker.pipe.close()


@dataclass
class Processes:
    """Workers on this machine; one that dies or hangs is replaced, and only what it was at is done again."""

    most: int
    limit_s: float = float("inf")
    """How long one county may take."""
    idle: list[Worker] = field(default_factory=list)
    busy: dict[Worker, Key] = field(default_factory=dict)

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        """Yield every key with its result or `Failed`."""
        job = pickle.dumps((task, shared), protocol=pickle.HIGHEST_PROTOCOL)
        waiting = deque(keys)
        lost: Counter[Key] = Counter()
        hung: Counter[Key] = Counter()
        while waiting or self.busy:
            while waiting and len(self.busy) < self.most:
                self._assign(job, waiting.popleft())
            for worker, answer in self._answers():
                key = self.busy.pop(worker)
                if answer is not _LOST and answer is not _HUNG:
                    self.idle.append(worker)
                    yield key, answer
                    continue
                dismiss([worker])
                if answer is _LOST:
                    lost[key] += 1
                else:
                    hung[key] += 1
                if lost[key] >= TRIES:
                    yield key, Failed(f"its worker was lost {TRIES} times (killed, or out of memory)")
                elif hung[key] >= HUNG_TRIES:
                    yield key, Failed(self._why_hung())
                else:
                    waiting.append(key)

    def _why_hung(self) -> str:
        return (
            f"its worker hung {HUNG_TRIES} times (nothing heard for {SILENCE_S:g} s, or longer at it than "
            f"[limits] county_s = {self.limit_s:g}); look at its data, or allow more"
        )

    def _assign(self, job: bytes, key: Key) -> None:
        worker = self.idle.pop() if self.idle else Worker.start()
        self.busy[worker] = key
        with suppress(OSError):  # it died while idle or while being told; its silence is noticed below
            worker.give(job, key)

    def _answers(self) -> Iterator[tuple[Worker, Any]]:
        """Yield every worker that has answered, was lost or hangs, as soon as there is one."""
        by_pipe = {worker.pipe: worker for worker in self.busy}
        for pipe in connection.wait(list(by_pipe), timeout=BEAT_S / 2):
            worker = by_pipe[pipe]  # type: ignore[index]  # wait gives back what it was given
            worker.heard = time.monotonic()
            try:
                kind, answer = worker.pipe.recv()
            except (EOFError, OSError):
                yield worker, _LOST
                continue
            if kind == "began":
                worker.began = worker.heard
            elif kind == "answer":
                yield worker, answer
        for worker in [w for w in self.busy if w.hangs(self.limit_s)]:
            yield worker, _HUNG

    def stop(self) -> None:
        """Dismiss everybody."""
        dismiss([*self.idle, *self.busy])


@contextmanager
def local_crew(workers: int, *, limit_s: float = float("inf")) -> Iterator[Crew]:
    """Hire so many processes of this machine; dismiss them at the end.

    Raises
    ------
    ConfigError
        If there would be none.
    """
    if workers < 1:
        raise ConfigError(f"workers: at least 1, not {workers}")
    crew = Processes(workers, limit_s)
    try:
        yield crew
    finally:
        crew.stop()
