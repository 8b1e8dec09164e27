"""Bring together, over all counties, what stands beside their plans: one table a question, said in the study's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.outputs.text import words
from sy_coverage.policy.targets import CITY
from sy_coverage.study.results.lists import candidates
from sy_coverage.study.results.parameters import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from sy_coverage.study.answers import Answers

MOST_POINTS = 12
"""So many points of the city's curve are kept; between two of them any other one of the counties' points may lie."""
FIGURES = ["cost", "new_sites", "elders_covered"]


def extras(study: Answers) -> dict[str, DataFrame]:
    """Return `trade_off`, `closures`, `sensitivity` and `scope_price`, as far as the study asks for them, and what became of `candidates`.

    Each has a column `county_id`: a county, or ``city`` for all of them together. The city's `sensitivity` is the sum over
    its counties; its `trade_off` is put together from the counties' points.
    """
    found: dict[str, list[DataFrame]] = {}
    for scope, tables in study.compared.items():
        for name, table in tables.items():
            named = table.reset_index() if table.index.name else table
            found.setdefault(name, []).append(named.assign(county_id=scope or CITY))
    together = {name: pd.concat(tables, ignore_index=True) for name, tables in found.items()}
    money = words.money(policy_of(study), study.config.study.language)
    together["candidates"] = candidates.of_study(study, money=money)
    together["listed_only"] = candidates.listed_only(study, money=money)
    together |= _of_city(study)
    # a county's money says nothing of what the whole city could spend at once
    limited = study.config.phases or study.config.siting.budget is not None
    if study.config.compare.scope and not limited and len(study.counties) > 1:
        _add_scopes(study, together)
    if "sensitivity" in together:
        table = _with_sums(together["sensitivity"], len(study.counties))
        said = [_reading(study, row) for row in table.to_dict("records")]
        together["sensitivity"] = table.assign(reading=said)
    if "trade_off" in together and CITY not in set(together["trade_off"]["county_id"]):
        whole = city_curve(own for _, own in together["trade_off"].groupby("county_id"))
        if set(together["trade_off"]["county_id"]) == set(study.counties):
            together["trade_off"] = pd.concat([together["trade_off"], whole.assign(county_id=CITY)])
    return together


def _add_scopes(study: Answers, together: dict[str, DataFrame]) -> None:
    """Add the price of the scope and, for each county, what it would build with the other scope."""
    other, ours = study.other_scope, study.policy.readings.scope
    theirs = CITY if ours == "county" else "county"
    mine = pd.DataFrame(
        [
            {
                "status": plan.status,
                "cost": best.figures.cost,
                "new_sites": len(best.sites),
                "elders_covered": best.figures.elders_covered,
            }
            for plan, best in zip(study.distinct_plans, study.proposed_plans, strict=True)
        ]
    )
    rows = [{"scope": ours, **_summed(mine)}, {"scope": theirs, **_summed(other)}]
    together["scope_price"] = pd.DataFrame(rows).assign(county_id=CITY)
    if "sensitivity" in together and ours == "county":
        own = other.reset_index()
        together["sensitivity"] = pd.concat([together["sensitivity"], own], ignore_index=True)


def _summed(table: DataFrame) -> dict[str, Any]:
    """Return the sums of `FIGURES` and the worst status; no sum where a row has no number."""
    rank = ["optimal", "feasible", "infeasible", "no_answer"]
    status = max(table["status"], key=rank.index)
    return {"status": status, **{c: float(table[c].astype(float).sum(skipna=False)) for c in FIGURES}}


def _with_sums(table: DataFrame, counties: int) -> DataFrame:
    """Return `table` with a row for the city of each reading that every county has."""
    if CITY in set(table["county_id"]):
        return table
    sums = []
    for _, own in table.groupby(["reading_id", "factor"], sort=False):
        if len(own) == counties:
            first = own.iloc[0]
            same = {c: first[c] for c in ("reading_id", "factor", "street", "township")}
            sums.append({**same, **_summed(own), "county_id": CITY})
    return pd.concat([table, pd.DataFrame(sums, columns=table.columns)], ignore_index=True)


def _reading(study: Answers, row: dict[str, Any]) -> str:
    cutoffs = {unit: row["factor"] * minutes for unit, minutes in study.centre_kind.cutoff_min.items()}
    limits = words.limits(policy_of(study), cutoffs, study.units["kind"], study.config.study.language)
    change = f"{abs(row['factor'] - 1):.0%}"
    key = row["reading_id"]
    if key == "cutoff":
        key = "cutoff_shorter" if row["factor"] < 1 else "cutoff_longer"
    share = f"{study.policy.readings.share:.0%}"
    return study.words(f"study.reading_{key}", limits=limits, change=change, share=share)


def city_curve(curves: Iterable[DataFrame], *, most: int = MOST_POINTS) -> DataFrame:
    """Return the best sums of one point from each county's curve: no sum costs as little and reaches as many elders.

    Parameters
    ----------
    curves
        Each with `cost`, `elders_covered`, `new_sites` and `targets_met`, one row a point.
    most
        So many points are kept: both ends, and those between that lie nearest to even steps of elders.

    Returns
    -------
    curve
        The same columns and `cost_per_elder_more`, by cost.
    """
    columns = ["cost", "elders_covered", "new_sites", "targets_met"]
    best = np.array([[0.0, 0.0, 0.0, 1.0]])
    for curve in curves:
        more = curve[columns].to_numpy(dtype=float)
        sums = (best[:, None, :] + more[None, :, :]).reshape(-1, len(columns))
        sums[:, 3] = (best[:, None, 3] * more[None, :, 3]).ravel()
        # by cost, of equal cost the most elders first; then only what reaches more than all before
        sums = sums[np.lexsort((-sums[:, 1], sums[:, 0]))]
        before = np.r_[-np.inf, np.maximum.accumulate(sums[:, 1])[:-1]]
        best = sums[sums[:, 1] > before]
    if len(best) > most:
        steps = np.linspace(best[0, 1], best[-1, 1], most)
        best = best[sorted({int(np.abs(best[:, 1] - step).argmin()) for step in steps})]
    found = pd.DataFrame(best, columns=columns)
    found["targets_met"] = found["targets_met"] > 0
    found["cost_per_elder_more"] = found["cost"].diff() * 10_000 / found["elders_covered"].diff()
    return found


def _of_city(study: Answers) -> dict[str, DataFrame]:
    """Return what the whole city decides: `conversions` and `demonstration`, each with `county_id`, `name` and `unit`."""
    found: dict[str, DataFrame] = {}
    beds = study.conversions
    turned = beds["convert"].fillna(0).astype(float) > 0
    # beside homes whose beds are turned, those of which nobody knows
    beds = beds[turned | (beds["convert"].isna() & turned.any())]
    unit_of = pd.concat([study.facilities["unit_id"], study.candidates["unit_id"]])
    for name, table in (("conversions", beds), ("demonstration", study.demonstration)):
        if table is None or table.empty:
            continue
        own = table.rename_axis("site_id").reset_index()
        own["name"] = own["site_id"].map(dict(study.names))
        own["unit"] = own["site_id"].map(unit_of.to_dict()).map(study.units["name"].to_dict())
        found[name] = own.sort_values(["county_id", "site_id"]).reset_index(drop=True)
    return found
