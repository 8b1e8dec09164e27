"""Say of every candidate, listed or suggested, what became of it, and what each plan would cost with listed sites only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels, siting
from sy_coverage.errors import InputError
from sy_coverage.outputs.text import format as fmt
from sy_coverage.places.sheets.doubts.answered import SET_ASIDE
from sy_coverage.places.sheets.kinds import UNKNOWN
from sy_coverage.policy.targets import CITY

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.answers import Answers

COLUMNS = (
    "county_id", "county", "unit", "candidate_id", "name", "kind", "origin", "cost", "outcome", "extra_cost", "sentence",
    "reason", "lon", "lat", "source",
)  # fmt: skip
"""Of the table of candidates; `sentence` says in the study's language what became of each."""


def of_study(study: Answers, *, money: str) -> DataFrame:
    """Return every row of the candidate lists and every suggested site with what became of it: columns `COLUMNS`."""
    listed, planned = study.candidate_rows, study.candidates
    made = planned[~planned.index.isin(listed.index)]
    rows = pd.concat([listed, made]) if len(made) else listed
    found = pd.concat([_none(), *(_outcomes(plan) for plan in study.distinct_plans)])
    language = study.config.study.language
    flagged = planned["flagged_by"] if "flagged_by" in planned.columns else pd.Series(dtype=object)
    kinds = {key: labels.pick(kind.name, language) for key, kind in study.policy.kinds.items()}
    units = study.units["name"].to_dict()
    told: list[dict[str, Any]] = []
    for site_id, row in rows.sort_index().iterrows():
        said = found.loc[site_id].to_dict() if site_id in found.index else _unplanned(row)
        sentence = labels.text(
            f"siting.outcome_{said['reason']}",
            language,
            subject=study.names.get(said["subject"], said["subject"]),
            value=said["value"],
            limit=said["limit"],
            extra=said["extra_cost"],
            money=money,
        )
        layer = flagged.get(site_id)
        if isinstance(layer, str):
            sentence += labels.text("siting.outcome_flagged", language, subject=layer)
        point = row["geometry"]
        is_placed = point is not None and not point.is_empty
        told.append(
            {
                "candidate_id": site_id,
                "name": fmt.plain(row["name"]),
                "kind": kinds.get(row["kind"], row["kind"]),
                "county_id": row["county_id"],
                "county": study.counties.get(row["county_id"], row.get("county_named")),
                "unit": units.get(row["unit_id"], row.get("unit_named")),
                "origin": labels.text(f"study.origin_{row['origin']}", language),
                "cost": row["cost"],
                **{name: said[name] for name in ("outcome", "extra_cost", "reason")},
                "sentence": sentence,
                "lon": round(point.x, 6) if is_placed else None,
                "lat": round(point.y, 6) if is_placed else None,
                "source": row.get("source"),
            }
        )
    frame = pd.DataFrame(told, columns=list(COLUMNS))
    asked = study.asked_counties
    if asked is not None:
        frame = frame[frame["county_id"].isin(list(asked))]
    return frame.sort_values(["county_id", "candidate_id"], kind="stable", na_position="last").reset_index(
        drop=True
    )


def _outcomes(plan: SitingPlan) -> DataFrame:
    try:
        return siting.outcomes(plan)
    except InputError:  # it has no sites: nothing became of anything
        return _none()


def _none() -> DataFrame:
    columns = ["outcome", "reason", "subject", "value", "limit", "extra_cost"]
    return pd.DataFrame(columns=columns, dtype=object)


def _unplanned(row: Series) -> dict[str, Any]:
    """Return why a row of a list was in no plan at all."""
    if fmt.known(row.get(SET_ASIDE)):
        reason = "set_aside"
    elif row["kind"] == UNKNOWN:
        reason = "kind_unknown"
    elif row["geometry"] is None or row["geometry"].is_empty:
        reason = "not_located"
    else:
        reason = "no_plan" if fmt.known(row["county_id"]) else "outside"
    nothing = float("nan")
    return {
        "outcome": "barred",
        "reason": reason,
        "subject": "",
        "value": nothing,
        "limit": nothing,
        "extra_cost": nothing,
    }


def listed_only(study: Answers, *, money: str) -> DataFrame:
    """Return for each plan that opens sites no list names what it would cost without them: `county_id`, `cost`, `listed_cost`, `sentence`."""
    language = study.config.study.language
    unlisted = set(study.candidates.index[study.candidates["origin"] != "listed"])
    scopes = {
        id(plan): scope or CITY for scope, plan in zip(study.scopes, study.distinct_plans, strict=False)
    }
    rows = []
    for plan in study.distinct_plans:
        ours = unlisted & set(plan.best.sites)
        if not ours or plan.status not in {"optimal", "feasible"}:
            continue
        cost = plan.best.figures.cost
        other = siting.cost_without(plan, unlisted, options=study.case["options"])
        key = "study.listed_only" if other is not None else "study.listed_only_impossible"
        sentence = labels.text(key, language, count=len(ours), cost=cost, other=other or 0.0, money=money)
        rows.append({"county_id": scopes[id(plan)], "cost": cost, "listed_cost": other, "sentence": sentence})
    return pd.DataFrame(rows, columns=["county_id", "cost", "listed_cost", "sentence"])
