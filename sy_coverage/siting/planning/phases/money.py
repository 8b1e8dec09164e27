"""Tell what each year of a plan opens, closes and spends, exactly, and whether it keeps within what the year has."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.errors import InputError, UnknownIdError, some
from sy_coverage.siting.planning.rules.nursing import conversion_cost, conversions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.siting.planning.rules.case import PlanCase


@dataclass(frozen=True)
class Year:
    """What one year may open; None: no limit."""

    year: int
    budget: float | None = None
    """10⁴ yuan; what is left over is carried to the next year only where the rules say so."""
    sites: int | None = None
    counties: tuple[tuple[str, float], ...] = ()
    """What may be spent in a county: (`county_id`, 10⁴ yuan)."""


@dataclass(frozen=True)
class Schedule:
    """When the sites of a plan open, and when facilities that stand close or move."""

    opens: Mapping[str, int]
    closes: Mapping[str, int] = field(default_factory=dict)

    def open_by(self, year: int) -> tuple[str, ...]:
        """Return the sites that are open by the end of a year."""
        return tuple(sorted(s for s, y in self.opens.items() if y <= year))

    def kept(self, case: PlanCase, year: int) -> tuple[str, ...]:
        """Return the columns that are open by the end of a year: also what stands and has not closed yet."""
        gone = [f for f, y in self.closes.items() if y <= year]
        return case.with_kept(self.open_by(year), gone)


def years_of(case: PlanCase) -> tuple[Year, ...]:
    """Return the years of a case in order.

    Raises
    ------
    InputError
        If a year has nothing that limits it, an unknown key, or a number that is none.
    UnknownIdError
        If a year names a county that is none.
    """
    found = []
    for year, limits in sorted(case.rules.phases.items()):
        unknown = sorted(set(limits) - {"budget", "sites", "counties"})
        if unknown:
            raise InputError(
                f"phases: {year} has unknown keys {some(unknown)}; allowed are budget, sites, counties"
            )
        budget, sites, counties = limits.get("budget"), limits.get("sites"), limits.get("counties") or {}
        if budget is None and sites is None and not counties:
            raise InputError(f"phases: {year} has neither a budget nor a number of sites; give one")
        for key, value in (
            ("budget", budget),
            ("sites", sites),
            *(("counties", v) for v in counties.values()),
        ):
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise InputError(f"phases: {key} of {year} must be a finite number, 0 or more, not {value}")
        own = _by_county(case, counties, year)
        if (
            own and len(case.counties) == 1
        ):  # one county's plan: its own money and everybody's are both limits
            budget = min(v for v in (budget, own[0][1]) if v is not None)
            own = ()
        found.append(Year(int(year), budget, None if sites is None else int(sites), own))
    if any(y.counties for y in found) and case.rules.conversion_cost:
        raise InputError(
            "phases: budgets of several counties cannot be kept together with the cost of converting beds, "
            "which the city's share spreads over them; plan county by county, or without conversion_cost"
        )
    return tuple(found)


def _by_county(case: PlanCase, counties: Mapping[str, float], year: int) -> tuple[tuple[str, float], ...]:
    named = {name: county_id for county_id, name in case.counties.items()}
    unknown = sorted(c for c in counties if c not in case.counties and c not in named)
    if unknown:
        raise UnknownIdError(
            f"phases: {year} has budgets of counties that are none of the plan's: {some(unknown)}"
        )
    return tuple(sorted((named.get(c, c), float(v)) for c, v in counties.items()))


def parts_in(first: int, opens: int, count: int) -> dict[int, int]:
    """Return how many of `count` equal parts of a site's cost are paid in which year, by position.

    One in the year in which it opens and one in each before it; those that would fall before the plan begins are paid in its first
    year.
    """
    found: dict[int, int] = {}
    for before in range(count):
        year = max(first, opens - before)
        found[year] = found.get(year, 0) + 1
    return found


def spent(
    case: PlanCase, years: tuple[Year, ...], schedule: Schedule, county_id: str | None = None
) -> dict[int, Fraction]:
    """Return what sites cost, less what closing facilities saves, by year; of one county or (None) of all."""
    at = {y.year: t for t, y in enumerate(years)}
    found = {y.year: Fraction(0) for y in years}
    costs = case.candidates["cost"]
    for site_id, year in schedule.opens.items():
        if county_id in {None, case.county_of_site[case.position(site_id)]}:
            count = case.rules.paid_over.get(site_id, 1)
            for t, parts in parts_in(0, at[year], count).items():
                found[years[t].year] += Fraction(str(costs[site_id])) * parts / count
    for facility_id, year in schedule.closes.items():
        if county_id in {None, case.county_of_site[case.position(facility_id)]}:
            found[year] -= Fraction(str(case.rules.close.get(facility_id, 0.0)))
    return found


def keeps_limits(case: PlanCase, years: tuple[Year, ...], schedule: Schedule) -> bool:
    """Return whether every year keeps within its money, that of each county, and its number of sites."""
    for county in (None, *sorted({c for y in years for c, _ in y.counties})):
        paid = spent(case, years, schedule, county)
        for t, year in enumerate(years):
            room = _room(case, years, t, county)
            since = years[: t + 1] if case.rules.carry else (year,)
            if room is not None and sum(paid[y.year] for y in since) > room:
                return False
    for year in years:
        if year.sites is not None and sum(y == year.year for y in schedule.opens.values()) > year.sites:
            return False
    return sum(converted(case, years, schedule).values()) == _beds(case, years, schedule)


def _room(case: PlanCase, years: tuple[Year, ...], t: int, county: str | None = None) -> Fraction | None:
    """Return what may be spent in a year, or with all before it where money is carried over; None: no limit."""
    here = years[: t + 1] if case.rules.carry else years[t : t + 1]
    budgets = [y.budget if county is None else dict(y.counties).get(county) for y in here]
    known = [Fraction(str(b)) for b in budgets if b is not None]
    return sum(known, start=Fraction(0)) if len(known) == len(budgets) else None


def _beds(case: PlanCase, years: tuple[Year, ...], schedule: Schedule) -> int:
    """Return how many beds must be nursing beds more by the last year."""
    price, kept = Fraction(str(case.rules.conversion_cost or 0.0)), schedule.kept(case, years[-1].year)
    if price == 0:
        return int(conversions(case, kept)["convert"].fillna(0).sum())
    return int(conversion_cost(case, kept) / price)


def converted(case: PlanCase, years: tuple[Year, ...], schedule: Schedule) -> dict[int, int]:
    """Return how many beds each year turns into nursing beds: as early as the money that sites leave allows."""
    price, left = Fraction(str(case.rules.conversion_cost or 0.0)), _beds(case, years, schedule)
    paid, found = spent(case, years, schedule), dict[int, int]()
    for t, year in enumerate(years):
        most = left
        # where money is carried over, what is converted now must leave enough for the sites of every later year
        for last in range(t, len(years) if case.rules.carry else t + 1):
            room = _room(case, years, last)
            if room is not None and price > 0:
                since = years[: last + 1] if case.rules.carry else (year,)
                before = sum(found.get(y.year, 0) for y in since) * price
                free = room - before - sum(paid[y.year] for y in since)
                most = max(0, min(most, int(free // price)))
        found[year.year] = most
        left -= most
    return found
