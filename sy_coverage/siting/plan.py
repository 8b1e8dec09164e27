"""Hold a plan together with its proof: a `SitingPlan` exists only with a `Certificate`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pandas import DataFrame, Series

Status = Literal["optimal", "feasible", "infeasible", "no_answer"]


@dataclass(frozen=True)
class Stage:
    """One step of a lexicographic solve: what was optimised, what was reached, what is proved possible at best."""

    objective_id: str
    """Such as ``cost``, ``elders``, ``elder_minutes``, ``site_ranks``, or the name of a classic problem."""
    sense: Literal["min", "max"]
    value: float
    """Recomputed from the travel times in our own arithmetic, never the solver's number."""
    bound: float
    proved: bool


@dataclass(frozen=True)
class Certificate:
    """What was checked, by whom, and what is proved."""

    problem: str
    rules: tuple[str, ...]
    """Ids of the rules that were recomputed and hold."""
    stages: tuple[Stage, ...]
    solver: str
    """Name and version, such as ``HiGHS 1.16.0``."""
    options: tuple[tuple[str, str], ...]
    heuristic_value: float | None
    """The best of our own greedy + swap on the first stage; it must not beat the plan."""
    ties: tuple[str, ...] = ()
    """Sites that could be exchanged without loss, as far as known."""
    notes: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether every stage met its bound."""
        return all(stage.proved for stage in self.stages)


@dataclass(frozen=True)
class SitingPlan:
    """Which sites to open, how good that is, and how it is known."""

    sites: tuple[str, ...]
    """Ids of the sites the plan opens (or, in the classic problems, chooses), sorted as text."""
    status: Status
    objective: float | None
    """The first stage's objective, recomputed; None when there is no plan."""
    bound: float | None
    gap: float | None
    """|objective − bound| / max(|objective|, 1e-9); 0.0 when optimal."""
    certificate: Certificate | None = field(repr=False)
    """None only when there is neither a plan nor a proof that there is none."""
    assignment: Series = field(default_factory=lambda: pd.Series(dtype=object), repr=False)
    """Site that serves each demand point, by `demand_id`; missing where none does."""
    phase: Mapping[str, int] = field(default_factory=dict)
    """Year in which each site opens."""
    reasons: Callable[[], DataFrame] | None = field(default=None, repr=False)
    """Computes the answer to `why()` when it is asked for."""
    findings: DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """Why there is no plan, or what a plan leaves undone: `reason_id`, `subject`, and numbers; labels make sentences of it."""
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Figures of the plan by name (`cost`, `elders_covered`, …), all recomputed."""

    @property
    def best(self) -> SitingPlan:
        """The plan itself or, where the targets cannot all be met, the best that can be had meanwhile, if there is one."""
        meanwhile = self.details.get("attainable") if self.status == "infeasible" else None
        return self if meanwhile is None else meanwhile

    def why(self) -> DataFrame:
        """Return the reasons for each site: a frame indexed by `site_id` with `reason_id`, `subject` and numbers."""
        if self.reasons is None:
            return pd.DataFrame(columns=["reason_id", "subject", "value"], index=pd.Index([], name="site_id"))
        return self.reasons()
