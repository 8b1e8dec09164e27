"""Hold an adopted list against a study: county by county where it stands, what slips, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels, places, siting
from sy_coverage.study.plans.alternatives import read_county
from sy_coverage.study.steps.places import ids_named

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from pandas import DataFrame

    from sy_coverage.labels import Language


def county_works(case: Mapping[str, Any], path: str, *, on: dt.date | str) -> dict[str | None, siting.Works]:
    """Return how the list in a file is carried out, by county, or (None) of the whole city where its rates are counted over it."""
    works, candidates = places.read_works(path), case["candidates"]
    ids = [ids_named([one], candidates, "works")[0] for one in works["site"]]
    unread, options = works.attrs["unread"], case["options"]
    works = works.assign(site=ids)
    works.attrs["unread"] = unread
    rules, policy = case["rules"], case["policy"]
    if (rules.scope or policy.readings.scope) == "city":
        return {None: siting.carried_out(read_county(case, None), works, on=on, options=options)}
    county = candidates.loc[ids, "county_id"].to_numpy()
    found: dict[str | None, siting.Works] = {}
    for county_id in sorted(set(county)):
        own = works[county == county_id]
        own.attrs["unread"] = tuple(cell for cell in unread if cell[0] in own.index)
        found[county_id] = siting.carried_out(read_county(case, county_id), own, on=on, options=options)
    return found


def table(works: Mapping[str | None, siting.Works], language: Language) -> DataFrame:
    """Return the sites of all lists with what becomes of each, quarters and stages as text."""
    frames = []
    for county_id, one in works.items():
        sites = one.sites.copy()
        for column in ("due", *places.MILESTONES, "expected"):
            sites[column] = ["" if pd.isna(q) else str(q) for q in sites[column]]
        sites["stage"] = [labels.text(f"study.works_stage_{stage}", language) for stage in sites["stage"]]
        sites.insert(0, "county_id", county_id or "")
        plan = None if one.repaired is None else one.repaired.best
        sites["repaired"] = True if plan is None else sites.index.isin(plan.sites)
        frames.append(sites)
    return pd.concat(frames)


def sentences(
    works: Mapping[str | None, siting.Works], language: Language, *, names: Mapping[str, str], money: str
) -> Iterator[str]:
    """Yield in words where each list stands, what slips, and what mends it."""

    def say(key: str, **values: object) -> str:
        return labels.text(f"study.works_{key}", language, money=money, **values)

    def called(ids: Any) -> str:
        return labels.first([names.get(i, i) for i in ids], language, most=12) if ids else say("none")

    for county_id, one in works.items():
        stage = one.sites["stage"]
        yield say(
            "stands",
            place=names.get(county_id or "", say("whole_area")),
            on=str(one.on),
            count=len(one.sites),
            opened=int((stage == "opened").sum()),
            begun=int(stage.isin(("started", "completed")).sum()),
            expected=one.cost_expected,
            planned=one.cost_planned,
        )
        lacking = one.targets[one.targets["expected"] < one.targets["needed"]]
        if one.repaired is None:
            yield say("fits", ends=str(one.ends))
            continue
        yield say("slips", sites=called(one.slipped), ends=str(one.ends), targets=len(lacking))
        best = one.repaired.best
        changed = say(
            "repaired", dropped=called(one.dropped), added=called(one.added), cost=best.figures.cost or 0.0
        )
        yield (
            changed
            if one.repaired.status != "infeasible"
            else say("cannot", new_by=str(one.new_by)) + changed
        )
        for row, _, text in one.unread:
            yield say("unread", row=row, text=text)
