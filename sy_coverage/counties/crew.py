"""Say what is asked of whoever works on counties, and try one county so that its fault stops no other."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sy_coverage.errors import CoverageError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Key = str | None
    Task = Callable[[Any, Any], Any]

TRIES = 3
"""A task whose worker is lost this many times has failed."""
# drawing keeps state of its own in a process, so a worker with several threads still makes one county at a time
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Failed:
    """Instead of a result: what went wrong, in one sentence."""

    reason: str
    exit_code: int = InputError.exit_code
    """With what a program ends that can do nothing else."""


class Crew(Protocol):
    """Whoever does the work: gives `task(shared, key)` for every key, in the order in which they are ready."""

    def work(self, task: Task, shared: object, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        """Yield every key with its result or `Failed`; `shared` travels to each worker once."""
        ...


def attempt(task: Task, shared: object, key: Key) -> Any:
    """Return the result, or what went wrong: an exception of a library may not survive the way back."""
    with _ALONE:
        try:
            return task(shared, key)
        except CoverageError as error:
            return Failed(str(error), error.exit_code)
        except Exception as error:  # noqa: BLE001  (one county's fault must not stop the others)
            return Failed(f"{type(error).__name__}: {error}")
