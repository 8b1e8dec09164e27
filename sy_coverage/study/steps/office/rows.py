"""Choose the rows of a study's lists that can be used, and complete what they do not say: prices, ids of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage._frames import CANDIDATES, checked
from sy_coverage.places.sheets.doubts.answered import SET_ASIDE
from sy_coverage.places.sheets.kinds import UNKNOWN
from sy_coverage.siting.candidates.costs import COSTS, OTHER_COST

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.study.config.inputs.candidates import Candidates

LEAST, MOST = "least", "most"
"""How facilities are read besides as they count: without those of their kind by name only, with those that nobody could place or tell."""


def usable(rows: GeoDataFrame) -> GeoDataFrame:
    """Return the rows that count: not those that tell no kind, nor those the office has set aside."""
    aside = rows["kind"] == UNKNOWN
    if SET_ASIDE in rows.columns:
        aside |= rows[SET_ASIDE].notna()
    return rows[~aside] if aside.any() else rows


def with_unsettled(found: GeoDataFrame, rows: GeoDataFrame, unsettled: pd.DataFrame) -> GeoDataFrame:
    """Return the rows that count, and those of `rows` that would if all that is asked about them were so."""
    if unsettled.empty:
        return found
    more = rows.loc[unsettled.index].assign(kind=unsettled["kind"], unit_id=unsettled["unit_id"])
    return pd.concat([found[~found.index.isin(more.index)], more]).loc[
        [i for i in rows.index if i in found.index or i in more.index]
    ]


def completed(rows: GeoDataFrame, facilities: GeoDataFrame, given: Candidates) -> GeoDataFrame:
    """Return the rows of candidate lists with ids and prices of their own, contract `CANDIDATES`."""
    found: GeoDataFrame = checked(priced(apart_from(rows, facilities), given), CANDIDATES)
    return found


def apart_from(candidates: GeoDataFrame, facilities: GeoDataFrame) -> GeoDataFrame:
    """Return `candidates` with ids that no facility has: a list's own number stands behind its file's name then."""
    clash = candidates.index.isin(facilities.index)
    if not clash.any():
        return candidates
    files = candidates["source"].str.rpartition(" row ")[0].str.rpartition(".")[0]
    fresh = [
        f"{file}-{one}" if clashes else one
        for one, file, clashes in zip(candidates.index, files, clash, strict=True)
    ]
    return candidates.set_axis(pd.Index(fresh, name=candidates.index.name, dtype=object))


def priced(candidates: GeoDataFrame, given: Candidates) -> GeoDataFrame:
    """Return `candidates` with the usual figure for those that nobody priced, by kind and premises."""
    unknown = candidates["cost"].isna()
    if not unknown.any():
        return candidates
    usual = [
        usual_cost(given, kind, premises)
        for kind, premises in zip(
            candidates.loc[unknown, "kind"], candidates.loc[unknown, "premises"], strict=True
        )
    ]
    candidates = candidates.copy()
    candidates.loc[unknown, "cost"] = usual
    return candidates


def usual_cost(given: Candidates, kind: str, premises: str) -> float:
    """Return what a site of a kind costs on premises of a sort where nobody says, 10⁴ yuan: the study's figure, or the usual one."""
    own = given.costs.get(kind, {})
    table = {**OTHER_COST, **COSTS.get(kind, {}), **{str(sort): cost for sort, cost in own.items()}}
    return float(table.get(premises, table["new"]))
