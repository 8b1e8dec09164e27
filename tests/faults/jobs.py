"""Tasks for workers of other processes, some of which end badly."""

from __future__ import annotations

import os
import signal
import time
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


def _first(folder: str, name: str) -> bool:
    mark = Path(folder) / name
    if mark.exists():
        return False
    mark.touch()
    return True


def stop_at_first_b(folder: str, key: str) -> str:
    """Be stopped, as by a debugger or a disk that is gone, the first time that ``b`` is worked on."""
    if key == "b" and _first(folder, "stopped"):
        os.kill(os.getpid(), signal.SIGSTOP)
    return key


def loop_at_first_b(folder: str, key: str) -> str:
    """Work for ever the first time that ``b`` is worked on."""
    while key == "b" and (Path(folder) / f"looping-{os.getpid()}").exists():
        time.sleep(0.05)
    if key == "b" and _first(folder, "looped"):
        (Path(folder) / f"looping-{os.getpid()}").touch()
        return loop_at_first_b(folder, key)
    return key


def always_stop_on_b(shared: object, key: str) -> str:
    if key == "b":
        os.kill(os.getpid(), signal.SIGSTOP)
    return key
