"""Say what changes with rows that only the office can settle: counted by their names alone, or not counted at all yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage import labels
from sy_coverage.study.steps.office.rows import LEAST, MOST

if TYPE_CHECKING:
    from sy_coverage.study.answers import Answers

COLUMNS = ("scope_id", "what", "counted", "least", "most")
COST = "cost"
CITY = "city"


def both_readings(study: Answers) -> pd.DataFrame:
    """Return what differs between the readings of a study's facilities: columns COLUMNS.

    `counted` is what the study says; `least` leaves out the facilities that are of their kind by their names alone, `most`
    counts those too that tell no kind (as what a coverage rate counts) or whose unit is a slip. `what` is the id of a target, or
    ``cost``: what the plan of a county costs (10⁴ yuan), for the counties in which such a row is of a kind that a rate counts.
    """
    by_name, open_rows = study.name_only, study.unsettled
    readings = {"least": LEAST if by_name else None, "most": MOST if len(open_rows) else None}
    asked = {name: study.heir(reading=reading) for name, reading in readings.items() if reading}
    if not asked:
        return pd.DataFrame(columns=list(COLUMNS))
    table = study.scorecard_today[["value"]].rename(columns={"value": "counted"})
    for name in readings:
        table[name] = asked[name].scorecard_today["value"] if name in asked else table["counted"]
    apart = table[table.sub(table["counted"], axis=0).abs().gt(0).any(axis=1)].reset_index()
    found = apart.rename(columns={"target_id": "what"})[list(COLUMNS)]
    named = study.facilities.loc[[one for one in by_name if one in study.facilities.index]]
    covered = study.policy.covered_kinds
    counties = set(named[named["kind"].isin(covered)]["county_id"].dropna())
    of_unit = study.units["county_id"]
    counties |= set(of_unit.reindex(open_rows[open_rows["kind"].isin(covered)]["unit_id"]).dropna())
    costs = [
        {"scope_id": one, "what": COST, "counted": _cost(study, one)}
        | {name: _cost(asked.get(name, study), one) for name in readings}
        for one in sorted(counties & set(study.scopes))
    ]
    return pd.concat([found, pd.DataFrame(costs, columns=list(COLUMNS))], ignore_index=True)


def _cost(study: Answers, county_id: str) -> float:
    sites = study.propose(county_id).best.sites
    return float(study.candidates["cost"].reindex(list(sites)).sum())


def notices(study: Answers) -> dict[str, str]:
    """Return by scope (each county concerned, and ``city``) the sentence about the readings that its outputs carry."""
    table = both_readings(study)
    rows = study.facility_rows
    of_county = (
        rows["unit_id"].map(study.units["county_id"]).where(rows["unit_id"].notna(), rows["county_id"])
    )
    by_name, open_rows = list(study.name_only), list(study.unsettled.index)
    of_open = study.unsettled["unit_id"].map(study.units["county_id"])
    counties = set(of_county.reindex(by_name).dropna()) | set(of_open.dropna())
    found = {}
    for scope in (*sorted(counties & set(study.counties)), CITY):
        here = table if scope == CITY else table[table["scope_id"] == scope]
        groups = {
            "least": [i for i in by_name if scope == CITY or of_county[i] == scope],
            "most": [i for i in open_rows if scope == CITY or of_open[i] == scope],
        }
        said = [
            _sentence(study, reading, rows["name"].reindex(ids), here)
            for reading, ids in groups.items()
            if ids
        ]
        if said:
            found[scope] = "".join(said) if study.config.study.language == "zh" else " ".join(said)
    return found


def _sentence(study: Answers, reading: str, names: pd.Series, table: pd.DataFrame) -> str:
    """Return which rows are in question and what would be otherwise."""
    language = study.config.study.language
    targets = {target.id: target for target in study.policy.targets}
    parts = []
    for row in table.itertuples():
        counted, other = row.counted, getattr(row, reading)
        if counted == other or (pd.isna(counted) and pd.isna(other)):
            continue
        place = study.counties.get(row.scope_id, labels.pick(study.policy.area, language))
        target = targets.get(row.what)
        if target is None:
            key = "plan_costs_less" if other < counted else "plan_costs_more"
            amount = f"{abs(counted - other):,.6g}"
            parts.append(
                labels.text(
                    f"study.{key}",
                    language,
                    place=place,
                    amount=amount,
                    counted=f"{counted:,.6g}",
                    other=f"{other:,.6g}",
                )
            )
            continue
        shown = [_value(v, is_share=target.rule.startswith("share")) for v in (counted, other)]
        name = labels.pick(target.name, language)
        parts.append(
            labels.text(
                "study.both_readings", language, place=place, what=name, counted=shown[0], other=shown[1]
            )
        )
    key = {"least": "name_only", "most": "unsettled"}[reading]
    return labels.text(
        f"study.{key}" if parts else f"study.{key}_same",
        language,
        count=len(names),
        names=labels.first(names.astype(str), language),
        parts=labels.joined(parts, language),
    )


def _value(value: float, *, is_share: bool) -> str:
    if value is None or not np.isfinite(value):
        return "—"
    return f"{value:.1%}" if is_share else f"{value:,.6g}"
