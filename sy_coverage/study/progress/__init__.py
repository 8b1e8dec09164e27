"""Tell whoever waits which stage a study is in; a study itself prints nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


class Progress(Protocol):
    """Called with a stage's id and its number of steps; gives a function to call after each step.

    If it has an attribute `tell`, that is called now and then during a long solve with a `siting.Progress`: best answer,
    bound and gap of the part that is being solved.
    """

    def __call__(self, stage: str, *, total: int = 1) -> AbstractContextManager[Callable[[], None]]:
        """Enter `stage`; leaving it marks it done."""
        ...


@contextmanager
def silent(stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
    """Say nothing."""
    del stage, total
    yield lambda: None
