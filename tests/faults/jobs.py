"""Tasks for workers of other processes, some of which end badly."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def double(shared: int, key: str) -> str:
    return key * shared


def fail_on_b(shared: object, key: str) -> str:
    if key == "b":
        raise ZeroDivisionError("b cannot be divided")
    return key


def die_at_first_b(folder: str, key: str) -> str:
    """Die by kill -9 the first time that ``b`` is worked on."""
    mark = Path(folder) / "died"
    if key == "b" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return key


def always_die_on_b(folder: str, key: str) -> str:
    if key == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return key


def own_pid(shared: object, key: str) -> int:
    return os.getpid()
