"""Tell which sites exclude, need or bar each other: hosts, rebuilt homes, homes too close, homes far from medical care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sy_coverage.errors import InputError, some
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.planning.rules.targets import medical_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of sites that may not both be open: (position, position), and with which open facility a site clashes."""

    both: Integers
    """n × 2."""
    barred: Integers


def hosts(case: PlanCase) -> list[tuple[int, Integers]]:
    """Return the positions of candidates that need another column open, and of those that will do; an open host that stays needs no row.

    Raises
    ------
    InputError
        If a host is neither a candidate nor an open facility.
    """
    return case.once("hosts", lambda: _hosts(case))


def _hosts(case: PlanCase) -> list[tuple[int, Integers]]:
    sites, standing = case.sites, case.standing
    named = [(site_id, host) for site_id, host in zip(sites.ids, sites.host_id, strict=True) if host]
    unknown = [site_id for site_id, host in named if host not in sites.row_of and host not in standing.row_of]
    if unknown:
        raise InputError(
            f"candidates: host_id names neither a candidate nor an open facility: {some(unknown)}; correct it or leave it empty"
        )
    return [
        (sites.row_of[site_id], _positions(case, (host, *case.movable.get(host, ()))))
        for site_id, host in named
        if host in sites.row_of
    ]


def _positions(case: PlanCase, ids: Iterable[str]) -> Integers:
    return np.array(sorted(case.sites.row_of[i] for i in ids), dtype=np.int64)


def heirs(case: PlanCase) -> list[tuple[int, Integers, bool]]:
    """Return for each facility that the plan decides about its position, those of the candidates that take its place, and whether it may close."""
    found = []
    for facility_id, sites in case.movable.items():
        j = case.sites.row_of[facility_id]
        found.append((j, _positions(case, sites), facility_id in case.rules.close))
    return found


def one_of(case: PlanCase) -> list[tuple[str, Integers]]:
    """Return groups of candidates of which at most one opens, with the rule: those of one kind that rebuild one and the same home, sizes of one place, and places that one facility may move to."""
    return case.once("one of", lambda: _one_of(case))


def _one_of(case: PlanCase) -> list[tuple[str, Integers]]:
    groups: dict[tuple[str, ...], list[int]] = {}
    for j, (home, kind, group) in enumerate(
        zip(case.sites.upgrade_of, case.sites.kind, case.sites.group_id, strict=True)
    ):
        if home:
            groups.setdefault(("one_upgrade", home, kind), []).append(j)
        if group:
            groups.setdefault(("group", group), []).append(j)
    for site_id, facility_id in case.rules.move.items():
        if site_id in case.sites.row_of:
            groups.setdefault(("replaced", facility_id), []).append(case.sites.row_of[site_id])
    return [(key[0], np.array(rows, dtype=np.int64)) for key, rows in sorted(groups.items()) if len(rows) > 1]


def medical_minutes(case: PlanCase) -> Floats:
    """Return minutes from each candidate to the nearest medical institution; NaN where unknown, inf where beyond the times."""
    return case.once("medical minutes", lambda: _medical_minutes(case))


def _medical_minutes(case: PlanCase) -> Floats:
    times, ids = case.to_medical, case.ids
    nearest = np.full(len(ids), np.nan)
    if times is None:
        return nearest
    rows, columns = sparse.csr_array(times.minutes), times.minutes.tocsc()
    sites, points = times.site_at, times.demand_at
    for j, site_id in enumerate(ids):
        if site_id in sites:
            minutes = rows.data[rows.indptr[sites[site_id]] : rows.indptr[sites[site_id] + 1]]
        elif site_id in points:
            minutes = columns.data[columns.indptr[points[site_id]] : columns.indptr[points[site_id] + 1]]
        else:
            continue
        nearest[j] = minutes.min() if len(minutes) else np.inf
    return nearest


def too_far_from_care(case: PlanCase) -> Integers:
    """Return the positions of homes farther than `medical_min` from every medical institution.

    Raises
    ------
    InputError
        If `medical_min` is set but the minutes of a home to medical care are not given.
    """
    limit = case.rules.medical_min
    if limit is None:
        return np.empty(0, dtype=np.int64)
    asked = np.flatnonzero(case.sites.of_kind(*medical_kinds(case)) & ~case.stands)
    minutes = medical_minutes(case)[asked]
    unknown = asked[np.isnan(minutes)]
    if len(unknown):
        raise InputError(
            f"medical_min: minutes to medical care are missing for {some(case.ids[j] for j in unknown)}; give to_medical for them"
        )
    if case.to_medical is not None:
        case.to_medical.require_cutoff(limit)
    late = np.flatnonzero(~within_cutoff(minutes, limit))
    return asked[late]


def too_close(case: PlanCase) -> Pairs:
    """Return which homes of a county lie closer than `spread_min` to each other or to an open one, in either direction."""
    return case.once("too close", lambda: _too_close(case))


def _too_close(case: PlanCase) -> Pairs:
    times, limit = case.between_homes, case.rules.spread_min
    none = Pairs(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64))
    if times is None or limit is None:
        if limit is not None and case.of_kind(*medical_kinds(case)).size:
            raise InputError("spread_min: give between_homes, the minutes between the homes")
        return none
    times.require_cutoff(limit)
    coo = times.minutes.tocoo()
    near = ~within_cutoff(limit, coo.data)
    both: set[tuple[int, int]] = set()
    barred: set[int] = set()
    sites, standing = case.sites, case.standing
    place = {i: (s.kind[j], s.county[j]) for s in (sites, standing) for i, j in s.row_of.items()}
    at, rebuilt = sites.row_of, dict(zip(sites.ids, sites.upgrade_of, strict=True))
    for r, c in zip(coo.row[near], coo.col[near], strict=True):
        a, b = times.site_ids[r], times.demand_ids[c]
        if a == b or a not in place or b not in place or place[a] != place[b]:
            continue
        if rebuilt.get(a) == b or rebuilt.get(b) == a:  # a home is not too close to what it is rebuilt from
            continue
        if (_is_there(case, a) and _is_there(case, b)) or _takes_the_place(case, a, b):
            continue
        if a in at and b in at:
            both.add((min(at[a], at[b]), max(at[a], at[b])))
        elif a in at or b in at:
            barred.add(at[a] if a in at else at[b])
    return Pairs(
        np.array(sorted(both), dtype=np.int64).reshape(-1, 2), np.array(sorted(barred), dtype=np.int64)
    )


def _is_there(case: PlanCase, site_id: str) -> bool:
    """Return whether it is a facility that stands today: how near it is to another one is nothing that a plan decides."""
    return site_id in case.movable or site_id in case.standing.row_of


def _takes_the_place(case: PlanCase, one: str, other: str) -> bool:
    return one in case.movable.get(other, ()) or other in case.movable.get(one, ())
