"""See where elder care is missing, decide where the next centres go, and prove that the plan meets the policy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage import coverage, outputs, places, policy, roads, siting
    from sy_coverage.study import Study, read_study, sample_study

__all__ = [
    "Study",
    "coverage",
    "outputs",
    "places",
    "policy",
    "read_study",
    "roads",
    "sample_study",
    "siting",
]
__version__ = "0.1.0"

_ROOMS = frozenset({"coverage", "outputs", "places", "policy", "roads", "siting"})
_STUDY = frozenset({"Study", "read_study", "sample_study"})


def __getattr__(name: str) -> Any:
    # rooms are opened when they are entered, so that `import sy_coverage` takes no time
    if name in _ROOMS:
        return import_module(f"sy_coverage.{name}")
    if name in _STUDY:
        return getattr(import_module("sy_coverage.study"), name)
    raise AttributeError(f"module 'sy_coverage' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS, *_STUDY])
