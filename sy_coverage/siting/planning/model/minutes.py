"""Find by which sites elders' ways to the nearest facility can still become shorter, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.travel_times import shortest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Shorter:
    """Pairs of site and demand, sorted by demand and site."""

    site: Integers
    demand: Integers
    saved: Floats
    """Elder-minutes saved if the site is the nearest."""
    alone: Flags
    """The only pair of its demand point, so that it needs no column of its own."""
    base: float


def shorter(
    case: PlanCase, kind: str, county: str | None, *, certain: list[Integers], free: Flags
) -> Shorter:
    """Return the pairs by which a choice shortens the way of elders, against what is sure already.

    Parameters
    ----------
    county
        Only sites and elders of this county count; None: all.
    certain
        Groups of sites of which one is open in every answer that is left.
    free
        Which sites are still open to choice.
    """
    reach = case.reach(kind)
    elders, own_sites = case.elders if county is None else case.people(kind), case.sites.of_kind(kind)
    today = reach.today_min
    if county is not None:
        elders = np.where(case.county_of_demand == county, elders, 0.0)
        own_sites = own_sites & (case.sites.county == county)
        today = today_within(case, kind, county)
    sure = np.minimum(today, reach.cap_min)
    for group in certain:
        if own_sites[group].all():
            part = reach.minutes[group].tocsc()
            full = np.flatnonzero(np.diff(part.indptr) == len(group))
            # a column that holds all of the group holds as many numbers as it has sites
            worst = part.data[part.indptr[full][:, None] + np.arange(len(group))].max(axis=1)
            sure[full] = np.minimum(sure[full], worst)
    rows = np.flatnonzero(free & own_sites)
    coo = reach.minutes[rows].tocoo()
    site, demand = rows[coo.row], coo.col
    gain = (sure[demand] - coo.data) * elders[demand]
    keep = gain > 0
    site, demand, gain = site[keep], demand[keep], gain[keep]
    order = np.lexsort((site, demand))
    site, demand, gain = site[order], demand[order], gain[order]
    alone = np.bincount(demand, minlength=len(sure))[demand] == 1 if len(demand) else np.zeros(0, dtype=bool)
    return Shorter(site, demand, gain, alone, float(elders @ sure))


def today_within(case: PlanCase, kind: str, county: str) -> Floats:
    """Return minutes to the nearest open facility of `kind` that lies in `county`; inf where there is none."""
    times, standing = case.own_times(kind), case.standing
    here = standing.ids[standing.of_kind(kind) & (standing.county == county)]
    minutes = times.minutes[[times.site_at[i] for i in here if i in times.site_at]]
    return shortest(minutes)
