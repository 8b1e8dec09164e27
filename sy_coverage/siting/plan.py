"""Hold a plan together with its proof: a `SitingPlan` exists only with a `Certificate`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sy_coverage import _cells, labels
from sy_coverage.errors import CertificateError
from sy_coverage.siting import cells
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pandas import DataFrame, Series

    from sy_coverage.labels import Language

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

    def _repr_html_(self) -> str:
        """Return what is proved, stage by stage, and what was recounted."""
        return self.told("en")

    def told(self, language: Language) -> str:
        """Return the same in `language`, as a table of HTML."""
        said = labels.text("siting.cell_recounted", language, count=len(self.rules), solver=self.solver)
        return cells.stages(self.stages, language) + _cells.table([[self.problem, said]])


@dataclass(frozen=True, kw_only=True)
class PlanFigures:
    """What came out of a plan, all of it recomputed; None: not asked, or not known of such a plan."""

    cost: float | None = None
    """10⁴ yuan, with the beds that are converted."""
    new_sites: int | None = None
    closed: tuple[str, ...] = ()
    """Facilities that stand today and close, or move to one of the sites; not those that a site is rebuilt from."""
    elders_covered: float | None = None
    """Elders within the cutoff of an open centre."""
    elder_minutes: float | None = None
    """Elder-minutes to the nearest centre; elders beyond the times count their longest minutes."""
    home_minutes: float | None = None
    """The same for the kinds counted by county, to the nearest of one's own county."""
    served: DataFrame | None = None
    """By kind that is for some of the elders only, such as homes for the destitute: `serves` (the column of demand), `people`,
    how many of them live `within` the cutoff of one of their own county, and their `mean_min` to the nearest of these."""
    running_cost: float | None = None
    """10⁴ yuan a year to run the sites that open, where candidates say it."""
    worst_min: float | None = None
    """Minutes of the elder whose way to the nearest open centre is longest, of those whose way is known."""
    worst_tenth_min: float | None = None
    """Mean minutes of the tenth of these elders whose way is longest."""
    gini_min: float | None = None
    """Gini coefficient of their minutes to the nearest open centre: 0 where all ways are equally long."""
    targets: DataFrame | None = None
    """`target_id`, `scope_id`, `needed`, `reached`, `met`."""
    targets_met: bool | None = None
    conversions: DataFrame | None = None
    """Beds of each home turned into nursing beds, as `siting.nursing_bed_conversions` gives them."""
    conversion_cost: float | None = None
    beds: DataFrame | None = None
    """By county, beds `needed`, `beds` there are, `short`."""
    demonstration: DataFrame | None = None
    """By `site_id`: `target_id`, `kind`, `unit_id`, `county_id`, `planned`, `marked_before`."""
    years: DataFrame | None = None
    """What each year buys."""
    closes: Mapping[str, int] = field(default_factory=dict)
    """Of a plan of several years: the year in which each facility that stands closes, moves or is rebuilt."""
    least_cost: float | None = None
    """What all targets would cost, where a budget cannot meet them."""
    attainable: SitingPlan | None = None
    """The best plan that can be had meanwhile, where the targets cannot all be met."""
    verification: Verification | None = None
    """What the plan came to when it was counted again."""
    demand_covered: int | None = None
    """Of the classic problems: demand points within the cutoff of a chosen site."""
    weight_covered: float | None = None
    demand_unserved: int | None = None
    """With `unserved_min`: demand points that no site serves."""
    weight_unserved: float | None = None
    demand_served: int | None = None
    """With capacities: demand points that are served in full."""
    weight_served: float | None = None
    service: DataFrame | None = None
    """With capacities: the `share` of each `demand_id` that each `site_id` serves."""

    def known(self) -> dict[str, Any]:
        """Return the figures that are known, by name."""
        every = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: v
            for name, v in every.items()
            if not (v is None or (name in {"closed", "closes"} and not v))
        }


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
    figures: PlanFigures = field(default_factory=PlanFigures, repr=False)
    """What came out: cost, elders covered, targets, …."""
    language: Language = field(default="en", repr=False, compare=False)
    """In which it shows itself in a notebook."""

    @property
    def best(self) -> SitingPlan:
        """The plan itself or, where the targets cannot all be met, the best that can be had meanwhile, if there is one."""
        meanwhile = self.figures.attainable if self.status == "infeasible" else None
        return self if meanwhile is None else meanwhile

    @property
    def details(self) -> dict[str, Any]:
        """The figures that are known, by name: for tables and files; in code ask `figures`."""
        return self.figures.known()

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it: what it costs, its sites and targets, the proof, and a small map."""
        best, language = self.best, self.language
        known = best.reasons.frames() if isinstance(best.reasons, cells.KnowsFrames) else None
        status = labels.text(f"study.status_{self.status}", language)
        figures = {"objective": best.objective, "bound": best.bound, "cost": best.figures.cost}
        figures |= {"elders": best.figures.elders_covered, "count": len(best.sites)}
        rows = [
            [labels.text(f"siting.cell_{key}", language), cells.number(value)]
            for key, value in figures.items()
            if value is not None
        ]
        parts = [_cells.table([[labels.text("siting.cell_plan", language), status], *rows])]
        parts.append(cells.sites(best.sites, known, best.phase, language))
        if best.figures.targets is not None:
            parts.append(cells.targets(best.figures.targets, known, language))
        if best.certificate is not None:
            parts.append(best.certificate.told(language))
        if known is not None:
            parts.append(cells.drawn(best.sites, known, status))
        return f"<div>{''.join(parts)}</div>"

    def why(self) -> DataFrame:
        """Return the reasons for each site: a frame indexed by `site_id` with `reason_id`, `subject` and numbers."""
        if self.reasons is None:
            return pd.DataFrame(columns=["reason_id", "subject", "value"], index=pd.Index([], name="site_id"))
        return self.reasons()


@dataclass(frozen=True)
class Verification:
    """What was looked at again, and what it came to; it exists only when everything holds."""

    problem: str
    objective: float | None
    """Recomputed; None when the plan says that there is no plan."""
    rules: DataFrame
    """`rule_id`: `holds`, every one true."""
    figures: Mapping[str, Any]
    """Recomputed figures of the plan by name (`sites`, `weight_covered`, …)."""


def require_assignment(plan: SitingPlan, expected: Series) -> None:
    """Refuse a plan whose demand goes elsewhere than the travel times say.

    Raises
    ------
    CertificateError
        If it does.
    """
    if not plan.assignment.reindex(expected.index).fillna("").equals(expected.fillna("")):
        raise CertificateError("demand is not assigned to the sites that the travel times give")


def require_numbers(plan: SitingPlan, objective: float, sense: str) -> None:
    """Refuse objective, bound, gap and status that do not fit one another.

    Raises
    ------
    CertificateError
        If they do not.
    """
    said = plan.objective
    if said is None or not _meet(said, objective):
        raise CertificateError(f"the plan says it is worth {said!r}; the travel times give {objective!r}")
    if plan.status == "optimal" and (plan.bound is None or not _meet(plan.bound, objective)):
        raise CertificateError(
            f"the plan calls itself optimal at {objective!r} with the bound {plan.bound!r}"
        )
    if plan.bound is None:
        return
    beyond = objective < plan.bound if sense == "min" else objective > plan.bound
    if beyond and not _meet(plan.bound, objective):
        raise CertificateError(f"the plan is worth {objective!r}, beyond its own bound {plan.bound!r}")
    gap = 0.0 if _meet(plan.bound, objective) else highs.relative_gap(objective, plan.bound)
    if plan.gap is None or abs(plan.gap - gap) > 1e-9:
        raise CertificateError(f"the plan says its gap is {plan.gap!r}; it is {gap!r}")


def _meet(one: float, other: float) -> bool:
    return one == other or same_number(one, other)


def same_number(one: float, other: float) -> bool:
    """Return whether two figures are the same: whole numbers exactly, others but for rounding."""
    if float(one).is_integer() and float(other).is_integer():
        return one == other
    return highs.same(one, other)
