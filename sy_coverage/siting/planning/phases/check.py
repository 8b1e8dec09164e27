"""Count a plan of several years again: what each year opens, spends and reaches, and whether another order would be better."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sy_coverage.errors import CertificateError, some
from sy_coverage.siting.plan import Stage
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.siting.planning.phases.model import Year
from sy_coverage.siting.planning.rules.bars import hosts
from sy_coverage.siting.planning.rules.nursing import conversion_cost, conversions
from sy_coverage.siting.planning.rules.targets import coverage_kinds, near_centres
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.phases.model import Run
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.stages import Reached


def open_by(opens: Mapping[str, int], year: int) -> tuple[str, ...]:
    """Return the sites that are open by the end of a year."""
    return tuple(sorted(s for s, y in opens.items() if y <= year))


def _spent(case: PlanCase, opens: Mapping[str, int], year: int) -> Fraction:
    new = [s for s, y in opens.items() if y == year]
    return sum((Fraction(str(c)) for c in case.candidates.loc[new, "cost"]), start=Fraction(0))


def _keeps_limits(case: PlanCase, years: tuple[Year, ...], opens: Mapping[str, int]) -> bool:
    for t, year in enumerate(years):
        room = _room(case, years, t)
        since = years[: t + 1] if case.rules.carry else (year,)
        if room is not None and sum(_spent(case, opens, y.year) for y in since) > room:
            return False
        if year.sites is not None and sum(y == year.year for y in opens.values()) > year.sites:
            return False
    return sum(_conversions(case, years, opens).values()) == _beds(case, opens)


def _room(case: PlanCase, years: tuple[Year, ...], t: int) -> Fraction | None:
    """Return what may be spent in a year, or with all before it where money is carried over; None: no limit."""
    budgets = [y.budget for y in (years[: t + 1] if case.rules.carry else years[t : t + 1])]
    known = [Fraction(str(b)) for b in budgets if b is not None]
    return sum(known, start=Fraction(0)) if len(known) == len(budgets) else None


def _beds(case: PlanCase, opens: Mapping[str, int]) -> int:
    """Return how many beds must be nursing beds more by the last year."""
    price = Fraction(str(case.rules.conversion_cost or 0.0))
    if price == 0:
        return int(conversions(case, case.with_kept(opens))["convert"].fillna(0).sum())
    return int(conversion_cost(case, case.with_kept(opens)) / price)


def _conversions(case: PlanCase, years: tuple[Year, ...], opens: Mapping[str, int]) -> dict[int, int]:
    """Return how many beds each year turns into nursing beds: as early as the money that sites leave allows."""
    price, left = Fraction(str(case.rules.conversion_cost or 0.0)), _beds(case, opens)
    found: dict[int, int] = {}
    for t, year in enumerate(years):
        most = left
        # where money is carried over, what is converted now must leave enough for the sites of every later year
        for last in range(t, len(years) if case.rules.carry else t + 1):
            room = _room(case, years, last)
            if room is not None and price > 0:
                since = years[: last + 1] if case.rules.carry else (year,)
                before = sum(found.get(y.year, 0) for y in since) * price
                free = room - before - sum(_spent(case, opens, y.year) for y in since)
                most = max(0, min(most, int(free / price)))
        found[year.year] = most
        left -= most
    return found


def require_rules(
    case: PlanCase, years: tuple[Year, ...], run: Run, checked: list[Figures], *, elastic: bool
) -> None:
    """Refuse a plan that breaks a rule in any year, or misses targets in its last.

    Raises
    ------
    CertificateError
        If it does.
    """
    # before the last year a required site need not be open yet, nor beds suffice, nor everybody have a centre near
    late = ("required:", "beds:", "nursing_beds:", "worst:")
    early = [b for f in checked[:-1] for b in f.broken if not b.startswith(late)]
    broken = [*early, *checked[-1].broken]
    if broken or not _keeps_limits(case, years, run.opens):
        raise CertificateError(f"the plan breaks rules: {some(broken or ['years'])}; it is not shown")
    if not elastic and not checked[-1].met:
        raise CertificateError("the plan misses targets in its last year; it is not shown")


def stage_of(
    case: PlanCase,
    years: tuple[Year, ...],
    opens: Mapping[str, int],
    checked: list[Figures],
    name: str,
    sense: Literal["min", "max"],
    answer: Reached,
    constant: float,
) -> Stage:
    """Return one stage recomputed, and refuse a solver whose numbers are not ours."""
    scale = {"cost": float(case.cost.step), "elder_years": float(case.weight.step)}.get(name, 1.0)
    last = years[-1].year
    rank = dict(zip(case.ids, case.ranks.tolist(), strict=True))
    held = {s: sum(opens[s] <= y.year <= last for y in years) for s in opens}
    ours = {
        "elder_years": sum(f.elders_covered for f in checked),
        "cost": checked[-1].cost,
        "open_years": float(sum(held.values())),
        "site_ranks": float(sum(rank[s] * n for s, n in held.items())),
        "towards_targets": float(checked[-1].towards_targets),
    }[name]

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


def require_unbeaten(case: PlanCase, years: tuple[Year, ...], run: Run, checked: list[Figures]) -> None:
    """Refuse a proved plan that gains elders when one site opens in another year, or two sites exchange theirs."""
    if run.status != "optimal":
        return
    best = sum(f.elders_covered for f in checked)
    movable = [s for s in run.opens if case.candidates.loc[s, "kind"] in coverage_kinds(case)]
    hosted = {i for pair in hosts(case) for i in pair}
    movable = [s for s in movable if case.position(s) not in hosted]
    tries: list[tuple[str, int, str | None]] = [
        (s, y.year, None) for s in movable for y in years if y.year < run.opens[s]
    ]
    tries += [(a, run.opens[b], b) for a in movable for b in movable if run.opens[a] > run.opens[b]]
    reach = near_centres(case)
    for a, year, b in tries[:2000]:
        moved = dict(run.opens) | {a: year} | ({b: run.opens[a]} if b is not None else {})
        if not _keeps_limits(case, years, moved):
            continue
        total = 0.0
        for y in years:
            open_ = [case.position(s) for s in case.with_kept(open_by(moved, y.year))]
            near = reach.today | (np.asarray(reach.within[open_].sum(axis=0)).ravel() > 0)
            total += case.weight.total(near)
        if total > best and not highs.same(total, best):
            raise CertificateError(
                f"a plan said to be the best gains if {a} opens in {year}; it is not shown"
            )


def table_of(
    case: PlanCase, years: tuple[Year, ...], opens: Mapping[str, int], checked: list[Figures]
) -> pd.DataFrame:
    """Return what each year buys: `year`; `budget`, `cost`, `new_sites`, `elders_covered`, `elders_gained`, `towards_targets`."""
    before, converted = figures(case, case.with_kept(())).elders_covered, _conversions(case, years, opens)
    price = float(case.rules.conversion_cost or 0.0)
    rows = []
    for year, reached in zip(years, checked, strict=True):
        rows.append(
            {
                "year": year.year,
                "budget": year.budget,
                "sites_allowed": year.sites,
                "new_sites": sum(y == year.year for y in opens.values()),
                "cost": float(_spent(case, opens, year.year)) + price * converted[year.year],
                "beds_converted": converted[year.year],
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
    years = tuple(
        Year(
            int(year),
            None if pd.isna(row["budget"]) else float(row["budget"]),
            None if pd.isna(row["sites_allowed"]) else int(row["sites_allowed"]),
        )
        for year, row in table.iterrows()
    )
    if set(plan.phase) != set(plan.sites) or not _keeps_limits(case, years, plan.phase):
        raise CertificateError("the plan breaks rules: years; it is not to be used")
    checked = [figures(case, case.with_kept(open_by(plan.phase, y.year))) for y in years]
    rank = dict(zip(case.ids, case.ranks.tolist(), strict=True))
    held = {s: sum(opens <= y.year for y in years) for s, opens in plan.phase.items()}
    return {
        "elder_years": sum(f.elders_covered for f in checked),
        "open_years": float(sum(held.values())),
        "site_ranks": float(sum(rank[s] * n for s, n in held.items())),
    }
