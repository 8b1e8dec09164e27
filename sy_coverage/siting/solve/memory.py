"""Refuse problems that memory is too small for: before anything is built, and wherever it runs out all the same."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sy_coverage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_A_PAIR = 100
"""Memory that a pair of site and demand takes while a problem is solved: the table, its transpose, and what is reduced."""
MOST_SHARE = 0.8
"""Share of the memory that a problem may take."""
SMALLER = "take a shorter cutoff, fewer candidates, or demand points put together"

P = ParamSpec("P")
T = TypeVar("T")


def memory_bytes() -> int | None:
    """Return how much memory this process may have: the machine's, or less where a limit is set; None where nobody says."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        import resource  # noqa: PLC0415  there is none on Windows
    except ImportError:
        return machine
    limits = [resource.getrlimit(which)[0] for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min([machine, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])


def require_room(problem: str, sites: int, demand: int, pairs: int) -> None:
    """Refuse a problem whose tables would not fit, before any of them is made.

    Raises
    ------
    InputError
        With how much would be needed, how much there is, and what to do.
    """
    room, needed = memory_bytes(), pairs * BYTES_A_PAIR
    if room is not None and needed > room * MOST_SHARE:
        raise InputError(
            f"{problem}: {sites:,} sites × {demand:,} points have {pairs / 1e6:,.0f} million pairs, which takes about "
            f"{needed / 1e9:,.1f} GB of this machine's {room / 1e9:,.1f}; {SMALLER}"
        )


def within_memory(ask: Callable[P, T]) -> Callable[P, T]:
    """Return `ask` as a function that refuses by name where memory runs out outside the solver, and gives no half answer."""

    @wraps(ask)
    def asked(*given: P.args, **named: P.kwargs) -> T:
        try:
            return ask(*given, **named)
        except MemoryError:
            name = getattr(ask, "__name__", "siting")
        raise InputError(f"{name}: memory ran out before there was an answer; {SMALLER}, or a larger machine")

    return asked
