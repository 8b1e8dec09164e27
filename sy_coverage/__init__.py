"""See where elder care is missing, decide where the next centres go, and prove that the plan meets the policy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage import counties, coverage, errors, outputs, places, policy, roads, siting, study
    from sy_coverage.study import Study, read_study, sample_study

__all__ = [
    "Study",
    "counties",
    "coverage",
    "errors",
    "outputs",
    "places",
    "policy",
    "read_study",
    "roads",
    "sample_study",
    "siting",
    "study",
]
__version__ = "0.2.0"

_STUDY = frozenset({"Study", "read_study", "sample_study"})


def __getattr__(name: str) -> Any:
    # rooms are opened when they are entered, so that `import sy_coverage` takes no time
    if name in _STUDY:
        return getattr(import_module("sy_coverage.study"), name)
    if name in __all__:
        return import_module(f"sy_coverage.{name}")
    raise AttributeError(f"module 'sy_coverage' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
