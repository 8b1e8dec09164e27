"""Find one plan that holds in several futures: other numbers of elders, other travel times, other costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, InputError, some
from sy_coverage.siting.plan import Stage
from sy_coverage.siting.planning import plan_case
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.stages import Scaled, scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RobustPlan:
    """One plan that keeps every rule and meets every target in each of several futures."""

    sites: tuple[str, ...]
    """Ids of the sites to open, whichever future comes."""
    closed: tuple[str, ...]
    """Facilities that stand today and close, move or are rebuilt."""
    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    objective: float | None
    """10⁴ yuan: what the plan costs in the future in which it costs most; None where there is no plan."""
    bound: float | None
    gap: float | None
    stages: tuple[Stage, ...]
    """``greatest_cost``, then ``elders_in_all`` (within the cutoff, summed over the futures), then ``site_ranks``."""
    futures: DataFrame
    """By `future`: `own_status` and `own_cost` of the plan made for it alone, `cost` and `price` (what holding in all futures
    costs more than that), `own_elders` and `elders_covered`."""
    stays: DataFrame
    """By `site_id` of every site that some plan opens: `robust` (in the one plan), `futures` (in how many plans of one future
    alone it is), and a column of these by future."""
    own: Mapping[str, SitingPlan] = field(repr=False)
    """The plan of each future alone."""
    cases: Mapping[str, PlanCase] = field(repr=False)

    def verify(self) -> Mapping[str, Figures]:
        """Return what the plan comes to in every future, counted again without the solver.

        Raises
        ------
        CertificateError
            If a rule or target does not hold in one of them, or a figure is not what the plan says.
        """
        return {} if self.objective is None else _recounted(self)


def robust_plan(cases: Mapping[str, PlanCase], *, options: highs.SolveOptions | None = None) -> RobustPlan:
    """Return the plan that keeps every rule and meets every target in all of several futures, at the least greatest cost.

    Of all sets of sites that do: those whose cost in the dearest future is least; of these one with the most elders within
    the cutoff, summed over the futures; then the least sum of the ranks of its ids. Each stage is proved and fixed before
    the next.

    Parameters
    ----------
    cases
        What is planned, by the name of the future, each as `read_case` has read it: the same candidates and facilities,
        with other demand, travel times, costs or rules.
    options
        Time limit for everything together, gap, progress.

    Returns
    -------
    plan
        With what it costs in every future, against the plan that each would have for itself. ``infeasible`` where no set of
        sites holds in all of them; `futures` says which have no plan even for themselves.

    Raises
    ------
    InputError
        If there are no futures, or they differ in more than that, or ask for years, slack or a budget.
    CertificateError
        If the answer does not stand up to our own arithmetic.
    """
    _require_alike(cases)
    options = options or highs.SolveOptions()
    with highs.Watch(options) as watch:
        own = {name: plan_case(case, options=_left(watch)) for name, case in cases.items()}
        models: list[Model] = []
        for case in cases.values():
            models.append(Model(case, cheapest=False, beside=models[0] if models else None))
        status, stages, sites = _solved(list(cases.values()), models, watch)
    kept = () if sites is None else sites
    first = next(iter(cases.values()))
    checked = {} if sites is None else {name: figures(case, kept) for name, case in cases.items()}
    stands = set(first.movable)
    plan = RobustPlan(
        sites=first.opened_in(kept),
        closed=() if sites is None else tuple(sorted(stands - {*kept})),
        status=status,
        objective=stages[0].value if stages else None,
        bound=stages[0].bound if stages else None,
        gap=(0.0 if stages[0].proved else highs.relative_gap(stages[0].value, stages[0].bound))
        if stages
        else None,
        stages=stages,
        futures=_futures(own, checked),
        stays=_stays(first.opened_in(kept), own),
        own=own,
        cases=dict(cases),
    )
    plan.verify()
    return plan


def _left(watch: highs.Watch) -> highs.SolveOptions:
    return replace(watch.options, time_limit_s=max(0.01, watch.left_s))


def _require_alike(cases: Mapping[str, PlanCase]) -> None:
    if not cases:
        raise InputError("robust_plan: give one future at least")
    first_name, first = next(iter(cases.items()))
    for name, case in cases.items():
        if case.ids != first.ids or case.movable != first.movable:
            differ = sorted({*case.ids} ^ {*first.ids}) or sorted({*case.movable} ^ {*first.movable})
            raise InputError(
                f"robust_plan: futures '{first_name}' and '{name}' have other candidates or facilities: {some(differ)}; "
                "give all of them the same"
            )
        rules = case.rules
        asked = [
            n
            for n in ("phases", "differ_from", "adopted", "demonstration", "conversion_cost")
            if getattr(rules, n)
        ]
        asked += [n for n in ("slack", "budget") if getattr(rules, n) is not None]
        if asked:
            raise InputError(
                f"robust_plan: future '{name}' asks for {some(asked)}, which no plan of several futures weighs"
            )


def _solved(
    cases: list[PlanCase], models: list[Model], watch: highs.Watch
) -> tuple[
    Literal["optimal", "feasible", "infeasible", "no_answer"], tuple[Stage, ...], tuple[str, ...] | None
]:
    program, x = models[0].program, models[0].x
    money = scaled(np.concatenate([case.candidates["cost"].to_numpy(float) for case in cases]))
    people = scaled(np.concatenate([case.elders for case in cases]))
    stages: list[Stage] = []
    status: Literal["optimal", "feasible", "infeasible", "no_answer"] = "optimal"
    sites: tuple[str, ...] | None = None
    asked = (
        ("greatest_cost", "min", lambda: (_greatest_cost(cases, models, money), 0.0), money.exact, float(money.step)),
        ("elders_in_all", "max", lambda: _elders(cases, models, people), people.exact, float(people.step)),
        ("site_ranks", "min", lambda: (models[0].ranks(), 0.0), True, 1.0),
    )  # fmt: skip
    for name, sense, objective, whole, scale in asked:
        answer, constant = program.attempt(objective, sense, whole=whole, watch=watch)  # type: ignore[arg-type]  # min or max
        if answer.value is None:
            if not stages:
                return answer.status, (), None
            status = "feasible"
            break
        sites = tuple(s for s, v in zip(cases[0].ids, answer.x[x], strict=True) if v > 0.5)
        value, bound = ((constant + v) * scale for v in (answer.value, answer.bound or 0.0))
        proved = answer.status == "optimal"
        stages.append(Stage(name, sense, value, value if proved else bound, proved))  # type: ignore[arg-type]
        status = status if proved else "feasible"
    assert sites is not None  # noqa: S101  a stage was reached
    ours = _stages_of(cases, sites)
    wrong = [s.objective_id for s in stages if s.proved and not highs.same(s.value, ours[s.objective_id])]
    if wrong:
        raise CertificateError(
            f"recomputed from the travel times, {some(wrong)} is not what the solver says; the plan is not shown"
        )
    stages = [replace(s, value=ours[s.objective_id]) for s in stages]
    return status, tuple(stages), sites


def _greatest_cost(cases: list[PlanCase], models: list[Model], money: Scaled) -> Floats:
    """Return the objective *cost in the dearest future*: one column that no future's cost exceeds."""
    program, x = models[0].program, models[0].x
    rows = [_in_steps(case, money) for case in cases]
    most = max(float(np.abs(row).sum()) for row, _ in rows)
    t = program.columns(1, lower=-most, upper=most, integer=money.exact)
    for row, saved in rows:  # cost · x − what closing all would save ≤ t
        program.row(np.r_[x, t], np.r_[row, -1.0], upper=saved)
    objective = np.zeros(len(program.lower))
    objective[t] = 1.0
    return objective


def _in_steps(case: PlanCase, money: Scaled) -> tuple[Floats, float]:
    """Return the cost of each column, and what closing every facility that may close would save, in steps of all futures' money."""
    step = float(money.step)
    row = np.asarray(case.candidates["cost"].to_numpy(float) / step)
    if money.exact:
        row = np.round(row)
    return row, float(row[case.stands].sum())


def _elders(cases: list[PlanCase], models: list[Model], people: Scaled) -> tuple[Floats, float]:
    """Return the objective *elders within the cutoff, summed over the futures*, in steps of all futures' people, and its constant."""
    parts, constant = [], 0.0
    for case, model in zip(cases, models, strict=True):
        objective, sure = model.elders()
        scale = float(case.weight.step / people.step)
        parts.append(objective * scale)
        constant += sure * scale
    total = np.zeros(len(models[0].program.lower))
    for part in parts:
        total[: len(part)] += part
    return total, constant


def _stages_of(cases: list[PlanCase], sites: tuple[str, ...]) -> dict[str, float]:
    checked = [figures(case, sites) for case in cases]
    return {
        "greatest_cost": max(c.cost for c in checked),
        "elders_in_all": sum(c.elders_covered for c in checked),
        "site_ranks": cases[0].rank_sum(sites),
    }


def _recounted(plan: RobustPlan) -> dict[str, Figures]:
    first = next(iter(plan.cases.values()))
    kept = tuple(sorted({*plan.sites, *(set(first.movable) - {*plan.closed})}))
    checked = {name: figures(case, kept) for name, case in plan.cases.items()}
    for name, found in checked.items():
        missed = [] if found.met else ["targets"]
        if found.broken or missed:
            raise CertificateError(
                f"in future '{name}' the plan does not hold: {some([*found.broken, *missed])}"
            )
        said = plan.futures.loc[name]
        if not (
            highs.same(said["cost"], found.cost) and highs.same(said["elders_covered"], found.elders_covered)
        ):
            raise CertificateError(f"in future '{name}' the plan does not come to what it says")
    ours = _stages_of(list(plan.cases.values()), kept)
    wrong = [s.objective_id for s in plan.stages if not highs.same(s.value, ours[s.objective_id])]
    if wrong or plan.objective != plan.stages[0].value:
        raise CertificateError(f"the plan does not hold when counted again: {some(wrong or ['objective'])}")
    below = [
        name
        for name, own in plan.own.items()
        if own.status == "infeasible"
        or (own.status == "optimal" and (own.figures.cost or 0.0) > checked[name].cost + 1e-6)
    ]
    if below:
        raise CertificateError(
            f"a plan for all futures is cheaper than the cheapest of one alone: {some(below)}"
        )
    return checked


def _futures(own: Mapping[str, SitingPlan], checked: Mapping[str, Figures]) -> DataFrame:
    rows = {}
    for name, plan in own.items():
        there = plan.status in {"optimal", "feasible"}
        alone = plan.figures.cost if there else np.nan
        cost = checked[name].cost if checked else np.nan
        rows[name] = {
            "own_status": plan.status,
            "own_cost": alone,
            "cost": cost,
            "price": cost - alone if alone is not None else np.nan,
            "own_elders": plan.figures.elders_covered if there else np.nan,
            "elders_covered": checked[name].elders_covered if checked else np.nan,
        }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("future")
    numbers = [c for c in frame.columns if c != "own_status"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _stays(robust: tuple[str, ...], own: Mapping[str, SitingPlan]) -> DataFrame:
    every = sorted({*robust, *(s for plan in own.values() for s in plan.sites)})
    index = pd.Index(every, name="site_id", dtype=object)
    there = {name: index.isin(plan.sites) for name, plan in own.items()}
    count = np.sum(list(there.values()), axis=0) if there else 0
    return pd.DataFrame({"robust": index.isin(robust), "futures": count, **there}, index=index)
