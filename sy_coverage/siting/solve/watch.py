"""Say how long a solve may take, count its time, and hear Ctrl-C without losing the best answer so far."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sy_coverage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

REALS = 1e-9
"""Relative difference below which two real objectives are the same number."""


@dataclass(frozen=True)
class Progress:
    """What a long solve knows so far: seconds since it began, best objective, bound and relative gap (None: not yet)."""

    seconds: float
    objective: float | None
    bound: float | None
    gap: float | None


@dataclass(frozen=True)
class SolveOptions:
    """How long a solve may take and how close is close enough.

    Raises
    ------
    InputError
        If a number is NaN or negative, or the time limit is 0.
    """

    time_limit_s: float = 60.0
    """Seconds for the whole problem, all its stages; a plan cut short is ``feasible`` with its gap, never ``optimal``."""
    gap: float = 0.0
    """Relative gap at which to stop; a plan stopped so is ``feasible`` unless its bound meets its objective."""
    progress: Callable[[Progress], None] | None = field(default=None, compare=False, repr=False)
    """Called now and then during a long solve; it decides nothing."""

    def __post_init__(self) -> None:
        """Refuse numbers that are none."""
        if not self.time_limit_s > 0:
            raise InputError(f"time_limit_s={self.time_limit_s}: must be a number of seconds above 0")
        if not 0 <= self.gap < np.inf:
            raise InputError(f"gap={self.gap}: must be a relative gap such as 0.01, or 0 for proof")


class Watch:
    """Count the time of one problem, and hear Ctrl-C without losing the best answer so far.

    Used as a context manager around all stages of a problem: within it Ctrl-C sets `interrupted` instead of raising
    (only in the main thread, where Python delivers it), and a second Ctrl-C raises KeyboardInterrupt as ever. Whoever
    handles Ctrl-C in their own way is told at the end: an exception is lost in code that the solver calls back.
    """

    def __init__(self, options: SolveOptions) -> None:
        """Start counting now."""
        self.options = options
        self.interrupted = False
        self.out_of_memory = False
        self.in_hand: Any = None
        """The best answer so far, for whoever has to end where memory does."""
        self._told = False
        self._began = time.monotonic()
        self._former: Any = None
        self._depth = 0

    def __enter__(self) -> Self:
        """Listen to Ctrl-C."""
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            former = signal.getsignal(signal.SIGINT)
            if callable(former):  # not where it is ignored, as in workers, or not Python's
                self._former = signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        """Give Ctrl-C back."""
        self._depth -= 1
        if self._depth == 0 and self._former is not None:
            former, self._former = self._former, None
            signal.signal(signal.SIGINT, former)
            # once: told again by every later solve, another watch would take it for a second Ctrl-C
            if self.interrupted and not self._told and former is not signal.default_int_handler:
                self._told = True
                former(signal.SIGINT, None)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            signal.default_int_handler(number, frame)
        self.interrupted = True

    @property
    def seconds(self) -> float:
        """Return the seconds since the watch was started."""
        return time.monotonic() - self._began

    @property
    def stopped(self) -> tuple[str, ...]:
        """Return why a solve ends early, where not by its time, as a certificate notes it."""
        found = (("interrupted", self.interrupted), ("memory_limit", self.out_of_memory))
        return tuple(note for note, holds in found if holds)

    @property
    def left_s(self) -> float:
        """Return the seconds that are left, 0 when interrupted or out of memory."""
        return 0.0 if self.stopped else max(0.0, self.options.time_limit_s - self.seconds)

    @property
    def over(self) -> bool:
        """Whether to stop and hand back what there is."""
        return self.left_s <= 0.0

    def say(self, objective: float | None, bound: float | None) -> None:
        """Report progress to whoever asked for it."""
        if self.options.progress is not None:
            gap = None if objective is None or bound is None else relative_gap(objective, bound)
            self.options.progress(Progress(self.seconds, objective, bound, gap))


def relative_gap(objective: float, bound: float) -> float:
    """Return |objective − bound| / max(|objective|, 1e-9), and exactly 0.0 where they are the same number."""
    if same(objective, bound):
        return 0.0
    return abs(objective - bound) / max(abs(objective), 1e-9)


def same(one: float, other: float) -> bool:
    """Whether two objectives are equal: to 1e-9 relative, 1e-9 absolute below 1; infinite ones where they are the same."""
    return one == other or abs(one - other) <= REALS * max(1.0, abs(one), abs(other))
