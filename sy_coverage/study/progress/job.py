"""Follow a run and stop it: the same for terminal, notebook, desk and workers."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sy_coverage.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sy_coverage.siting import Progress as Solving


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where a job is."""

    stage: str = ""
    """Id of the stage, such as ``plans``; said in words by the label ``study.stage_<id>``."""
    done: int = 0
    """Steps of the stage that are done."""
    total: int = 1
    """Steps that it has."""
    best: float | None = None
    """Best objective so far of the part that is being solved (None: not yet, or nothing is)."""
    gap: float | None = None
    """How far it may be from the optimum, relative."""
    heartbeat_s: float = 0.0
    """When the job was last heard of, on a monotonic clock."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a run."""

    folder: Path
    """Where its results lie."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """One sentence by `county_id`; empty when all went well."""
    kept: tuple[str, ...] = ()
    """Counties that an interrupted run had worked out from the same inputs, and that were not worked out again."""
    status: Literal["done", "cancelled"] = "done"


@dataclass
class Job:
    """A run that somebody watches: hand it to a study as its `progress`, and ask it, or cancel it, from another thread.

    A job that was cancelled raises `CancelledError` at its next step; what was written before is whole. Two runs never write
    into one folder: the lock of the folder is taken before anything is computed (see `Study.save`).
    """

    listen: Callable[[Moment], None] = lambda _: None
    """Called at every step, in the thread of the run."""
    clock: Callable[[], float] = time.monotonic
    moment: Moment = field(default_factory=Moment)
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    @contextmanager
    def __call__(self, stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
        """Enter `stage`, which has `total` steps; the function that is given says that one is done."""
        self._say(Moment(stage=stage, total=total))

        def advance() -> None:
            self._say(replace(self.moment, stage=stage, total=total, done=min(steps[0] + 1, total)))
            steps[0] += 1

        steps = [0]
        yield advance
        self._say(Moment(stage=stage, done=total, total=total))

    def tell(self, seen: Solving) -> None:
        """Hear how far a long solve is; it is never stopped here, but at the next step."""
        self.moment = replace(self.moment, best=seen.objective, gap=seen.gap, heartbeat_s=self.clock())
        self.listen(self.moment)

    def cancel(self) -> None:
        """Ask the job to stop at its next step."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self._cancelled.is_set()

    def silent_s(self) -> float:
        """Return for how many seconds nothing was heard of the job."""
        return self.clock() - self.moment.heartbeat_s

    def _say(self, moment: Moment) -> None:
        self.moment = replace(moment, heartbeat_s=self.clock())
        self.listen(self.moment)
        if self.is_cancelled:
            raise CancelledError(f"stopped in stage '{moment.stage}', as asked; run again to begin anew")
