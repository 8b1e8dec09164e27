"""List every number that decided an answer: its value, its unit, and where it was set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import labels
from sy_coverage._frames import metric_crs
from sy_coverage.outputs.findings import in_china
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words
from sy_coverage.study.results.lists import roads

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.study.answers import Answers


def policy_of(study: Answers) -> Policy:
    """Return the study's policy with its own words for money and units, or those of the place it lies in."""
    return words.at_home(study.policy, in_china=in_china(study.units))


def parameters(study: Answers) -> DataFrame:
    """Return every number that decided an answer: its value, its unit, and where it was set."""
    config, kind, about = study.config, study.centre_kind, study.config.study
    given, money = config.siting, words.money(policy_of(study), about.language)
    rows: list[tuple[str, object, str, bool]] = [
        ("policy", labels.pick(study.policy.name, config.study.language), "", True),
        ("date", fmt.date(config.study.date, config.study.language), "", True),
        *_rate_parameters(study),
        ("mode", study.words(f"study.mode_{kind.mode}"), "", config.access.mode is not None),
        *_cutoff_parameters(study),
        *_home_parameters(study),
        ("beds_per_elder", given.beds_per_elder, "", True),
        *_choice_parameters(study),
        ("budget", given.budget, "cost", True),
        ("generate", config.candidates.generate, "", True),
        *(
            [("generate_apart_m", config.candidates.generate_apart_m, "m", True)]
            if config.candidates.generate
            else []
        ),
        ("one_place_m", config.candidates.one_place_m, "m", True),
        *([("osm", config.candidates.osm, "", True)] if config.candidates.osm else []),
        *([("max_snap_m", config.roads.max_snap_m, "m", True)] if config.roads.source else []),
        ("time_limit_s", given.time_limit_s, "s", True),
        *_demand_parameters(study),
        ("crs", metric_crs(study.units), "", False),
    ]
    chosen = [
        {
            "name": study.words(f"study.parameter_{name}"),
            "value": study.words("study.not_set") if value is None else value,
            "unit": study.words(f"study.unit_{unit}", money=money) if unit else "",
            "source": study.words("study.from_study" if set_here else "study.from_policy"),
        }
        for name, value, unit, set_here in rows
        if value is not None or name == "budget"
    ]
    return pd.DataFrame([*chosen, *_of_candidates(study), *roads.parameters(study)])


def _rate_parameters(study: Answers) -> list[tuple[str, object, str, bool]]:
    """Return how the coverage rates are read, where the policy has any and leaves that open."""
    policy, given = study.policy, study.config.siting
    readings = policy.readings
    rows: list[tuple[str, object, str, bool]] = []
    if any(target.scope == "county_or_city" for target in policy.targets):
        rows.append(("scope", study.words(f"study.scope_{readings.scope}"), "", given.scope is not None))
    if policy.covered_kinds:
        rows.append(("rule", study.words(f"study.rule_{readings.rule}"), "", given.rule is not None))
        rows.append(("share", fmt.share(readings.share), "", given.share is not None))
    return rows


def _cutoff_parameters(study: Answers) -> list[tuple[str, object, str, bool]]:
    """Return the time limits of the classes of units that are there."""
    cutoffs, given = study.centre_kind.cutoff_min, study.config.access.cutoff_min
    there = sorted(set(study.units["kind"]))
    if len(there) == 1:
        return [("cutoff", cutoffs[there[0]], "min", there[0] in given)]
    return [(f"cutoff_{unit}", cutoffs[unit], "min", unit in given) for unit in there]


def _home_parameters(study: Answers) -> list[tuple[str, object, str, bool]]:
    """Return what is asked of homes, stations and beds, where the policy speaks of them."""
    policy, given = study.policy, study.config.siting
    rows: list[tuple[str, object, str, bool]] = []
    if policy.spread_kind is not None:
        rows.append(("spread_min", given.spread_min, "min", True))
    if policy.home_kinds and policy.medical_kind is not None:
        rows.append(("medical_min", given.medical_min, "min", True))
        rows.append(("medical", study.words(f"study.medical_{given.medical}"), "", True))
    if policy.station_kinds:
        rows.append(("station_walk_min", given.station_walk_min, "min", True))
        if given.station_walk_min is not None:
            rows.append(("cluster_m", given.cluster_m, "m", True))
    if any(target.measure.of == "floor_area" for target in policy.targets):
        rows.append(("floor_area", study.words(f"study.medical_{given.floor_area}"), "", True))
    if policy.bed_share is not None:
        rows.append(("conversion_cost", given.conversion_cost or None, "cost", True))
    return rows


def _choice_parameters(study: Answers) -> list[tuple[str, object, str, bool]]:
    """Return the choices beyond the policy that were made."""
    given = study.config.siting
    return [
        ("beds_share", fmt.share(given.beds_share) if given.beds_share < 1 else None, "", True),
        ("slack", None if given.slack is None else fmt.share(given.slack), "", True),
        ("prefer", study.words("study.prefer_worst_min") if given.prefer == "worst_min" else None, "", True),
        ("worst_min", given.worst_min, "min", True),
        ("running_budget", given.running_budget, "cost", True),
        ("carry", study.words("study.carry_yes") if given.carry else None, "", True),
    ]


def _demand_parameters(study: Answers) -> list[tuple[str, object, str, bool]]:
    """Return the numbers that decided how many elders live where: only those that were used."""
    given = study.config.demand
    found: list[tuple[str, object, str, bool]] = [
        (f"share_{column}", fmt.share(share), "", True) for column, share in sorted(given.shares.items())
    ]
    if given.raster:
        found.append(("cell_m", given.cell_m, "m", True))
    growth = given.growth if isinstance(given.growth, dict) else {"elders": given.growth}
    if given.cohorts or given.growth is not None:
        found.append(("demand_year", given.year, "", True))
        found += [
            (f"growth_{c}", fmt.share(rate), "", True)
            for c, rate in sorted(growth.items())
            if rate is not None
        ]
    return found


def _of_candidates(study: Answers) -> list[dict[str, object]]:
    """Return what the sites that no list prices were taken to cost as rows of a proposal: `name`, `value`, `unit`, `source`."""
    language, given = study.config.study.language, study.config.candidates.costs
    sites = study.candidates[study.candidates["origin"] != "listed"]
    priced = sites.groupby(["kind", "priced_as"])["cost"].first()
    rows: list[dict[str, object]] = []
    for (kind, premises), cost in priced.items():
        own = premises in given.get(kind, {})
        named = labels.text(
            "study.parameter_cost",
            language,
            kind=labels.pick(study.policy.kind(kind).name, language),
            premises=labels.text(f"outputs.premises_{premises}", language),
        )
        unit = words.money(policy_of(study), language)
        source = labels.text(f"study.from_{'study' if own else 'package'}", language)
        rows.append({"name": named, "value": float(cost), "unit": unit, "source": source})
    return rows + _floor_areas(study, sites)


def _floor_areas(study: Answers, sites: GeoDataFrame) -> list[dict[str, object]]:
    """Return the floor area that generated stations were taken to have, or that nobody says, as such rows."""
    language, given = study.config.study.language, study.config.candidates.floor_area_m2
    made = sites[(sites["origin"] == "generated") & sites["kind"].isin(study.policy.station_kinds)]
    return [
        {
            "name": labels.text(
                "study.parameter_floor_area_of",
                language,
                kind=labels.pick(study.policy.kind(kind).name, language),
            ),
            "value": given.get(kind, labels.text("study.not_set", language)),
            "unit": labels.text("study.unit_m2", language),
            "source": labels.text(f"study.from_{'study' if kind in given else 'package'}", language),
        }
        for kind in sorted(made["kind"].unique())
    ]
