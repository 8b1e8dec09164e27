"""Decide what to open next, with proof and reasons."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage.siting._solver import Progress, SolveOptions
    from sy_coverage.siting.candidates import generate_candidates
    from sy_coverage.siting.certificate import Certificate, SitingPlan
    from sy_coverage.siting.decay import LinearDecay, StepDecay
    from sy_coverage.siting.explain import closures, sentences
    from sy_coverage.siting.policy_plan import policy_plan
    from sy_coverage.siting.problems import (
        lscp,
        lscp_backup,
        mclp,
        p_center,
        p_dispersion,
        p_median,
        partial_cover,
    )

__all__ = [
    "Certificate",
    "LinearDecay",
    "Progress",
    "SitingPlan",
    "SolveOptions",
    "StepDecay",
    "closures",
    "generate_candidates",
    "lscp",
    "lscp_backup",
    "mclp",
    "p_center",
    "p_dispersion",
    "p_median",
    "partial_cover",
    "policy_plan",
    "sentences",
]

_HOMES = {
    "Certificate": "certificate",
    "LinearDecay": "decay",
    "Progress": "_solver",
    "SitingPlan": "certificate",
    "SolveOptions": "_solver",
    "StepDecay": "decay",
    "closures": "explain",
    "generate_candidates": "candidates",
    "policy_plan": "policy_plan",
    "sentences": "explain",
}


def __getattr__(name: str) -> Any:
    # each problem is loaded when it is first asked for
    if name in __all__:
        return getattr(import_module(f"sy_coverage.siting.{_HOMES.get(name, 'problems')}"), name)
    raise AttributeError(f"module 'sy_coverage.siting' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
