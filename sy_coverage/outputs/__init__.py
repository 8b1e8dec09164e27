"""Hand over what planners take away: maps, figures, tables and proposals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage.outputs import figures, maps, reports, tables

__all__ = ["figures", "maps", "reports", "tables"]


def __getattr__(name: str) -> Any:
    # drawing and writing load heavy libraries: each when it is asked for
    if name in __all__:
        return import_module(f"sy_coverage.outputs.{name}")
    raise AttributeError(f"module 'sy_coverage.outputs' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__all__)
