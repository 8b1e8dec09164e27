"""Bring together, from one study, all that an output may say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, labels, places, roads
from sy_coverage.coverage import open_on
from sy_coverage.outputs import edition
from sy_coverage.outputs import roadless as told
from sy_coverage.outputs.findings import Findings
from sy_coverage.outputs.maps.choices import what_if
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.reasons import reason_frame
from sy_coverage.study.answers import sentences_of
from sy_coverage.study.plans import alternatives
from sy_coverage.study.results import parameters
from sy_coverage.study.results.comparisons import beside, both_readings
from sy_coverage.study.results.lists import located
from sy_coverage.study.results.lists import roads as roads_lists
from sy_coverage.study.results.lists.rows import open_doubts_of
from sy_coverage.study.results.parameters import policy_of
from sy_coverage.study.steps.roads import network, roadless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.answers import Answers

AT_ONCE = 100
"""Catchments drawn between two steps of progress."""
PER_UNIT = [
    "elders_covered",
    "share_covered",
    "nearest_mean_min",
    "nearest_worst_min",
    "elders_unreached",
    "backup_share",
    "has_centre",
    "covered",
]


def findings(study: Answers) -> Findings:
    """Return the findings of the whole city, gathered when they are first asked for."""
    return study.memory.get(("findings",), lambda: edition.of(gather(study), study.config.outputs.edition))


def presented(study: Answers) -> Findings:
    """Return the findings with what stands beside each plan: alternatives, sensitivity, closures (see `[compare]`); none of it is public."""
    if study.config.outputs.edition == "public":
        return findings(study)
    return study.memory.get(("presented",), lambda: replace(findings(study), extras=beside.extras(study)))


def gather(study: Answers) -> Findings:
    """Return the findings of the whole city; every stage that was not yet computed is computed now.

    Where the study holds the plans of some counties only, what would need the others' is left out.
    """
    plans = dict(study.plans)
    alone = len(plans) < len(study.counties) or study.asked.is_part
    by_unit = study.coverage.join(
        study.coverage_planned[PER_UNIT].add_suffix("_planned"), validate="one_to_one"
    ).join(study.access_beside, validate="one_to_one")
    demand = _demand(study)
    reasons = _reasons(study)
    proposals = _proposals(study, reasons)
    about = study.config.study
    readings = both_readings.notices(study)
    catchments = _catchments(study, proposals, counties=set(plans) if alone else None)
    return Findings(
        study_name=about.title,
        policy=policy_of(study),
        language=about.language,
        date=about.date,
        units=by_unit,
        counties=_counties(study, by_unit, proposals, plans),
        facilities=study.facilities,
        demand=demand,
        proposals=proposals,
        catchments=catchments,
        overlap=_overlap(study, catchments),
        access_legs=study.access_legs,
        road_changes=network.changed_roads(study.config.roads, study.files),
        roads=study.network.lines(),
        water=study.water,
        scorecard=study.scorecard_of(plans) if alone else study.scorecard,
        plans=plans,
        reasons=reasons,
        left_out=_left_out(study),
        doubts=_doubts(study),
        parameters=pd.concat(
            [parameters.parameters(study), pd.DataFrame(roads_lists.agreement(study, catchments))],
            ignore_index=True,
        ),
        sources=sources(study),
        notices=(*_notices(study), *([readings["city"]] if "city" in readings else [])),
        readings=readings,
        approval_number=study.config.map.approval_number,
        base_map=study.config.map.base_map,
        key_in_page=study.config.map.key_in_page,
        attribution=study.attribution,
        scope_name=about.title,
        office=about.office,
        issued=about.issued,
        document_number=about.document_number,
        signatory=about.signatory,
        copies_to=about.copies_to,
        printed_by=about.printed_by,
        alone=alone,
        recounts=_recounts(study, plans),
    )


def _recounts(study: Answers, plans: Mapping[str, SitingPlan]) -> dict[str, str]:
    """Return what the page of each county counts any choice of its sites again from; nothing where one plan decides all counties."""
    if study.config.map.what_if == "off" or study.policy.readings.scope == "city":
        return {}
    language, solves = study.config.study.language, study.config.map.what_if == "plan"
    return {
        county_id: what_if.packed(
            alternatives.read_county(study.case, county_id),
            plan.best.sites,
            closed=plan.best.figures.closed,
            language=language,
            solves=solves,
        )
        for county_id, plan in sorted(plans.items())
    }


def _demand(study: Answers) -> GeoDataFrame:
    """Return the villages with minutes to the nearest centre and whether that is within the cutoff, today and planned."""
    kind = study.centre_kind
    kinds = (
        study.demand["unit_id"].map(study.units["kind"]).fillna("other")
    )  # a village in no unit is of neither class
    cutoff = kinds.map(kind.cutoff_min.__getitem__)
    demand = study.demand.copy()
    for suffix, facilities in _points_in_time(study):
        near = study.nearest_sites(facilities, kind)
        demand[f"nearest{suffix}_min"] = near["nearest_min"]
        demand[f"nearest{suffix}_id"] = near["site_id"]
        demand[f"covered{suffix}"] = within_cutoff(near["nearest_min"], cutoff).fillna(value=False)
    return demand


def _points_in_time(study: Answers) -> Iterator[tuple[str, GeoDataFrame]]:
    """Yield the facilities of today, of every year of the plans with what is opened until then, and of the whole plan."""
    yield "", study.open_facilities
    planned = study.planned_facilities
    phases = {site: year for plan in study.proposed_plans for site, year in plan.phase.items()}
    for year in sorted({int(year) for year in phases.values() if year is not None}):
        later = [i for i in study.chosen if phases.get(i) is None or phases[i] > year]
        yield f"_{year}", planned.drop(index=planned.index.intersection(later))
    yield "_planned", planned


def _reasons(study: Answers) -> DataFrame:
    """Return why each site was chosen, with a sentence in the study's language."""
    plans = study.proposed_plans
    with study.progress("reasons", total=len(plans)) as advance:
        frames = []
        for plan in plans:
            frames.append(plan.why())
            advance()
    none = reason_frame([], policy=study.policy, index="site_id")
    together = pd.concat(frames) if frames else none
    said = sentences_of(study, together)
    return said.reset_index()


def _proposals(study: Answers, reasons: DataFrame) -> GeoDataFrame:
    """Return the sites to open, numbered within their county in the order of kinds, units and ids."""
    sites = study.candidates.loc[list(study.chosen)].copy()
    rank = {kind: i for i, kind in enumerate(study.policy.kinds)}
    sites = sites.assign(_rank=sites["kind"].map(rank), _id=sites.index)
    sites = sites.sort_values(["county_id", "_rank", "unit_id", "_id"]).drop(columns=["_rank", "_id"])
    sites["number"] = sites.groupby("county_id").cumcount() + 1
    sites["unit"] = sites["unit_id"].map(study.units["name"])
    sites["county"] = sites["county_id"].map(study.counties)
    phases = {site: year for plan in study.proposed_plans for site, year in plan.phase.items()}
    sites["phase"] = pd.array([phases.get(site) for site in sites.index], dtype="Int64")
    gained = reasons[reasons["reason_id"] == "elders_gained"].set_index("site_id")["value"]
    sites["elders_gained"] = pd.to_numeric(pd.Series(sites.index.map(gained.to_dict()), index=sites.index))
    medical = study.open_facilities
    medical = medical[(medical["kind"] == study.policy.medical_kind) & medical.geometry.notna()]
    sites["medical_min"] = study.ways.nearest(medical, sites, mode="drive")["nearest_min"]
    blank = " " if study.config.study.language == "en" else ""
    words = reasons.groupby("site_id")["sentence"].agg(blank.join)
    sites["why"] = pd.Series(sites.index.map(words.to_dict()), index=sites.index, dtype=object).fillna("")
    return sites


def _counties(
    study: Answers, by_unit: GeoDataFrame, proposals: GeoDataFrame, plans: Mapping[str, SitingPlan]
) -> DataFrame:
    grouped = by_unit.groupby("county_id")
    counted = by_unit[by_unit["kind"].isin(study.policy.counted_unit_kinds)].groupby("county_id")
    table = pd.DataFrame({"county": pd.Series(dict(study.counties))}).rename_axis("county_id")
    table["units"] = grouped.size()
    for kind, column in (("street", "streets"), ("township", "townships")):
        table[column] = by_unit[by_unit["kind"] == kind].groupby("county_id").size()
    table[["streets", "townships"]] = table[["streets", "townships"]].fillna(0).astype(int)
    table["counted"] = counted.size()
    table["covered_today"] = counted["covered"].sum()
    table["covered_planned"] = counted["covered_planned"].sum()
    whole = ["counted", "covered_today", "covered_planned"]
    table[whole] = table[whole].fillna(0).astype(int)
    table["elders"] = grouped["elders"].sum()
    table["share_today"] = grouped["elders_covered"].sum() / table["elders"]
    table["share_planned"] = grouped["elders_covered_planned"].sum() / table["elders"]
    table["new_sites"] = proposals.groupby("county_id").size().reindex(table.index, fill_value=0)
    table["cost"] = proposals.groupby("county_id")["cost"].sum().reindex(table.index, fill_value=0.0)
    table["status"] = pd.Series({c: plan.status for c, plan in plans.items()})
    table["proved"] = pd.Series(
        {c: plan.certificate is not None and plan.certificate.proved for c, plan in plans.items()}
    )
    return table


def _left_out(study: Answers) -> DataFrame:
    """Return why each unit that stays without a centre does, and what an infeasible plan leaves undone."""
    plans = {id(plan): plan for plan in [*study.distinct_plans, *study.proposed_plans]}.values()
    frames = [plan.findings for plan in plans if len(plan.findings)]
    if not frames:
        return pd.DataFrame(columns=["unit_id", "county_id", "reason_id", "sentence"])
    said = sentences_of(study, pd.concat(frames))
    said = said.reset_index(drop=True).rename(columns={"subject": "unit_id"})
    # what is said of a unit or a site belongs to its county; what is said of a county, or in its name, to itself
    county = {c: c for c in study.counties}
    for frame in (study.candidates, study.facilities, study.units):
        county |= frame["county_id"].to_dict()
    of_subject = pd.Series([county.get(i) for i in said["unit_id"]], index=said.index, dtype=object)
    said["county_id"] = of_subject.where(of_subject.notna(), said["scope_id"])
    return said


def _notices(study: Answers) -> tuple[str, ...]:
    """Return what must stand on every output: the study's own notice, and elders whom no unit counts."""
    about, lost = study.config.study, _in_no_unit(study)
    own = [labels.pick(about.notice, about.language)] if about.notice else []
    if len(lost):
        elders = f"{lost['elders'].sum():,.0f}"
        own.append(study.words("study.in_no_unit", count=f"{len(lost):,}", elders=elders))
    changed = network.changed_roads(study.config.roads, study.files)
    if changed is not None:
        counts = changed["change"].value_counts()
        said = [
            study.words(f"study.changed_{change}", count=counts[change])
            for change in ("add", "close", "slow")
            if change in counts.index
        ]
        named = [name for name in dict.fromkeys(changed["name"]) if name]
        key = "study.changed_roads_named" if named else "study.changed_roads"
        own.append(
            study.words(
                key,
                changes=labels.joined(said, about.language),
                names=labels.first(named, about.language),
            )
        )
    roads_missing = told.sentence(study.access_legs, about.language)
    return (*own, *([roads_missing] if roads_missing else []))


def _in_no_unit(study: Answers) -> GeoDataFrame:
    return study.demand[study.demand["unit_id"].isna()]


def _doubts(study: Answers) -> DataFrame:
    """Return what to verify about facilities and listed candidates, and the villages whose elders no unit counts."""
    of_frames = [("facilities", study.facility_rows, open_doubts_of(study, "facilities"))]
    if study.config.candidates.files:
        of_frames.append(("candidates", study.candidate_rows, open_doubts_of(study, "candidates")))
    lost = _in_no_unit(study)
    if len(lost):
        listed = places.doubts(lost, study.units, policy=study.policy, villages=study.demand)
        of_frames.append(("demand", lost, listed))
    roads_missing = roadless.doubts(study.access_legs, study.config.roads.max_snap_m)
    if len(roads_missing):
        of_frames.append(("demand", study.demand, roads_missing))
    found = []
    for name, frame, listed in of_frames:
        doubts = listed.copy()
        doubts["frame"] = name
        doubts["name"] = doubts["row_id"].map(frame["name"])
        doubts["county_id"] = doubts["row_id"].map(frame["county_id"])
        found.append(doubts)
    doubts = pd.concat(found, ignore_index=True)
    doubts["sentence"] = [
        labels.text(
            f"places.doubt_{row.doubt_id}",
            study.config.study.language,
            name=row.name_,
            subject=row.subject,
            value=row.value,
        )
        for row in doubts.rename(columns={"name": "name_"}).itertuples()
    ]
    return doubts


def _catchments(study: Answers, proposals: GeoDataFrame, *, counties: set[str] | None) -> GeoDataFrame:
    """Return the drawings of how far each centre (of `counties`) reaches: open ones and proposed ones."""
    kind = study.centre_kind
    sites = study.planned_facilities
    centres = sites[(sites["kind"] == kind.id) & sites.geometry.notna()]
    centres = open_on(centres, study.config.study.date)
    if counties is not None:
        centres = centres[centres["county_id"].isin(counties)]
    cutoffs = tuple(sorted(set(kind.cutoff_min.values())))
    water = study.water
    lakes = None if water is None else water[water["water"] == "area"]
    ground = {"within": study.units, "without": lakes}
    # block by block, so that progress moves on a large study too
    blocks = [centres.iloc[i : i + AT_ONCE] for i in range(0, max(len(centres), 1), AT_ONCE)]
    drawn = []
    with study.progress("catchments", total=len(blocks)) as advance:
        for block in blocks:
            drawn.append(
                study.network.catchments(
                    block, mode=kind.mode, cutoffs_min=cutoffs, **ground, **study.to_road
                )
            )
            advance()
    sheds = drawn[0] if len(drawn) == 1 else pd.concat(drawn)
    owner = sheds.index.get_level_values(0)
    sheds["elders"] = _reached_elders(study, sheds.index)
    sheds["kind"] = kind.id
    sheds["county_id"] = centres["county_id"].reindex(owner).to_numpy()
    sheds["proposed"] = owner.isin(proposals.index)
    return sheds


def _overlap(study: Answers, sheds: GeoDataFrame) -> DataFrame:
    """Return how much of each unit each drawing holds; villages outside of all units are of none."""
    placed = study.demand[study.demand["unit_id"].isin(study.units.index)]
    return roads.catchment_overlap(sheds, study.units, placed)


def _reached_elders(study: Answers, sheds: Any) -> list[float]:
    """Return how many elders reach each site within its cutoff: by times, which the drawing only illustrates."""
    times = study.times[study.centre_kind.id]
    elders = study.demand["elders"].reindex(times.demand_ids).to_numpy(float)
    by_cutoff = {
        cutoff: pd.Series(times.within(cutoff) @ elders, index=list(times.site_ids))
        for cutoff in sorted(set(sheds.get_level_values(1)))
    }
    return [float(by_cutoff[cutoff].get(site, float("nan"))) for site, cutoff in sheds]


def sources(study: Answers) -> DataFrame:
    """Return where the data came from: `name`, `file`, `digest`, `note`."""
    return study.memory.get(("sources",), lambda: _sources(study))


def _sources(study: Answers) -> DataFrame:
    config = study.config
    rows: list[dict[str, Any]] = []
    for room, written in study.lists_and_layers:
        rows.append(
            {
                "name": study.words(f"study.source_{room}"),
                "file": _files.without_password(written),
                "digest": study.digest(room, written),
                "note": "",
            }
        )
    if config.roads.source is not None:
        rows.append({"name": study.words("study.source_roads"), **roads_lists.source_row(study)})
    if config.roads.elevation is not None:
        name, digest = study.words("study.source_elevation"), study.digest("roads", config.roads.elevation)
        rows.append({"name": name, "file": config.roads.elevation, "digest": digest, "note": ""})
    answers = located.answers_digest(study)
    if answers is not None:
        name = study.words("places.source_geocoding")
        rows.append({"name": name, "file": config.geocoding.cache, "digest": answers, "note": ""})
    return pd.DataFrame(rows)
