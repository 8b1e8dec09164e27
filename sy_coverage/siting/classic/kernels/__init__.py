"""Run the inner loops of the classic problems; each module is loaded, or compiled the first time, when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

LOOPS = ("common", "cover", "median", "most", "odd", "prices")


def __getattr__(name: str) -> Any:
    if name in LOOPS:
        return import_module(f"sy_coverage.siting.classic.kernels.{name}")
    raise AttributeError(f"module 'sy_coverage.siting.classic.kernels' has no attribute '{name}'")
