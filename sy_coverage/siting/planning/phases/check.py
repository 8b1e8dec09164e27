"""Count a plan of several years again: what each year opens, spends and reaches, and whether another order would be better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, some
from sy_coverage.siting.plan import Stage
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.siting.planning.phases.money import Schedule, converted, keeps_limits, spent, years_of
from sy_coverage.siting.planning.rules.bars import heirs, hosts, too_close
from sy_coverage.siting.planning.rules.stations import services
from sy_coverage.siting.planning.rules.targets import coverage_kinds, near_centres
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.phases.model import Run
    from sy_coverage.siting.planning.phases.money import Year
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.stages import Reached


def require_rules(
    case: PlanCase, years: tuple[Year, ...], run: Run, checked: list[Figures], *, elastic: bool
) -> None:
    """Refuse a plan that breaks a rule in any year, or misses targets in its last.

    Raises
    ------
    CertificateError
        If it does.
    """
    # before the last year a required site need not be open yet, what must close not be closed, nor beds suffice, nor everybody
    # have a centre near; and what closes later has not saved anything yet
    late = ("required:", "forbidden:", "beds:", "nursing_beds:", "worst:", "budget:", "cost_limit:")
    early = [b for f in checked[:-1] for b in f.broken if not b.startswith(late)]
    broken = [*early, *checked[-1].broken]
    if broken or not keeps_limits(case, years, run.schedule):
        raise CertificateError(f"the plan breaks rules: {some(broken or ['years'])}; it is not shown")
    if not elastic and not checked[-1].met:
        raise CertificateError("the plan misses targets in its last year; it is not shown")


def stage_of(
    case: PlanCase,
    years: tuple[Year, ...],
    schedule: Schedule,
    checked: list[Figures],
    name: str,
    sense: Literal["min", "max"],
    answer: Reached,
    constant: float,
) -> Stage:
    """Return one stage recomputed, and refuse a solver whose numbers are not ours."""
    scale = {"cost": float(case.cost.step), "elder_years": float(case.weight.step)}.get(name, 1.0)
    ours = (
        stages_of(case, years, schedule, checked)
        | {
            "cost": checked[-1].cost,
            "worst_min": checked[-1].longest_way_min,
            "towards_targets": float(checked[-1].towards_targets),
        }
    )[name]

    def theirs(value: float) -> float:
        return constant - value if name == "towards_targets" else (constant + value) * scale

    sense = "max" if name == "towards_targets" else sense
    claimed = theirs(answer.value or 0.0)
    bound = theirs(answer.bound if answer.bound is not None else float("nan"))
    ahead = answer.status != "optimal" and (ours > claimed) == (sense == "max")
    if not ahead and not highs.same(ours, claimed):
        raise CertificateError(
            f"the solver says {name} is {claimed:.9g}, but recomputed it is {ours:.9g}; the plan is not shown"
        )
    proved = answer.status == "optimal" and highs.same(ours, bound)
    return Stage(name, sense, ours, ours if proved else bound, proved)


def stages_of(
    case: PlanCase, years: tuple[Year, ...], schedule: Schedule, checked: list[Figures]
) -> dict[str, float]:
    """Return what a plan of several years comes to in the stages that only such a plan has."""
    rank = dict(zip(case.ids, case.ranks.tolist(), strict=True))
    held = {s: sum(opens <= y.year for y in years) for s, opens in schedule.opens.items()}
    gone = [
        sum(y.year >= year for y in years) for f, year in schedule.closes.items() if f in case.rules.close
    ]
    return {
        "elder_years": sum(f.elders_covered for f in checked),
        "open_years": float(sum(held.values()) - sum(gone)),
        "site_ranks": float(sum(rank[s] * n for s, n in held.items())),
    }


def require_unbeaten(case: PlanCase, years: tuple[Year, ...], run: Run, checked: list[Figures]) -> None:
    """Refuse a proved plan that gains elders when one site opens in another year, or two sites exchange theirs."""
    if run.status != "optimal" or case.rules.prefer != "elders":
        return
    best, opens = sum(f.elders_covered for f in checked), run.schedule.opens
    tied = {j for pair in hosts(case) for j in np.r_[pair[0], pair[1]].tolist()}
    tied |= {j for _, instead, _ in heirs(case) for j in instead.tolist()}
    tied |= {j for pair in too_close(case).both.tolist() if case.stands[pair].any() for j in pair}
    tied |= {j for s in services(case) for j in (s.centre, *s.stations)}
    movable = [s for s in opens if case.candidates.loc[s, "kind"] in coverage_kinds(case)]
    movable = [s for s in movable if case.position(s) not in tied]
    tries: list[tuple[str, int, str | None]] = [
        (s, y.year, None) for s in movable for y in years if y.year < opens[s]
    ]
    tries += [(a, opens[b], b) for a in movable for b in movable if opens[a] > opens[b]]
    reach = near_centres(case)
    for a, year, b in tries[:2000]:
        moved = Schedule(
            dict(opens) | {a: year} | ({b: opens[a]} if b is not None else {}), run.schedule.closes
        )
        if not keeps_limits(case, years, moved):
            continue
        total = 0.0
        for y in years:
            open_ = [case.position(s) for s in moved.kept(case, y.year)]
            near = reach.today | (np.asarray(reach.within[open_].sum(axis=0)).ravel() > 0)
            total += case.weight.total(near)
        if total > best and not highs.same(total, best):
            raise CertificateError(
                f"a plan said to be the best gains if {a} opens in {year}; it is not shown"
            )


def table_of(
    case: PlanCase, years: tuple[Year, ...], schedule: Schedule, checked: list[Figures]
) -> pd.DataFrame:
    """Return what each year buys: `year`; `budget`, `cost`, `new_sites`, `elders_covered`, `elders_gained`, `towards_targets`."""
    before, beds = figures(case, case.with_kept(())).elders_covered, converted(case, years, schedule)
    price, paid = float(case.rules.conversion_cost or 0.0), spent(case, years, schedule)
    rows = []
    for year, reached in zip(years, checked, strict=True):
        rows.append(
            {
                "year": year.year,
                "budget": year.budget,
                "sites_allowed": year.sites,
                "new_sites": sum(y == year.year for y in schedule.opens.values()),
                "closed": sum(y == year.year for y in schedule.closes.values()),
                "cost": float(paid[year.year]) + price * beds[year.year],
                "beds_converted": beds[year.year],
                "elders_covered": reached.elders_covered,
                "elders_gained": reached.elders_covered - before,
                "towards_targets": reached.towards_targets,
                "targets_met": reached.met,
            }
        )
        before = reached.elders_covered
    return pd.DataFrame(rows).set_index("year")


def recount(case: PlanCase, plan: SitingPlan) -> dict[str, float]:
    """Return the stages of a plan of several years, counted again from the years in which its sites open.

    Raises
    ------
    CertificateError
        If a year spends or opens more than it may.
    """
    table = plan.figures.years
    if table is None:
        raise CertificateError("a plan of several years does not say what each year buys")
    years = years_of(case)
    schedule = Schedule(plan.phase, plan.figures.closes)
    left = {f for f in case.movable if f not in case.with_kept(plan.sites, plan.figures.closed)}
    fits = set(plan.phase) == set(plan.sites) and set(schedule.closes) == left
    said = {*plan.phase.values(), *schedule.closes.values()} <= {y.year for y in years}
    if not (fits and said and list(table.index) == [y.year for y in years]):
        raise CertificateError("the plan breaks rules: years; it is not to be used")
    if not keeps_limits(case, years, schedule):
        raise CertificateError("the plan breaks rules: years; it is not to be used")
    checked = [figures(case, schedule.kept(case, y.year)) for y in years]
    again = table_of(case, years, schedule, checked)
    if not again.drop(columns="budget").equals(table.drop(columns="budget")):
        raise CertificateError("the plan breaks rules: what its years buy; it is not to be used")
    return stages_of(case, years, schedule, checked)
