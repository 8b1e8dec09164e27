"""Say of every unit and county what is reached today: whether there is a centre, and who can get to one in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import labels
from sy_coverage._frames import UNIT_KINDS, require_ids
from sy_coverage.coverage.counting import served_by, serves_some, without_rebuilt
from sy_coverage.errors import InputError, some
from sy_coverage.policy.standards import exact, reaches_share
from sy_coverage.policy.targets import CoverageRule
from sy_coverage.roads.travel_times import within_cutoff

if TYPE_CHECKING:
    import datetime as dt

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.labels import Language
    from sy_coverage.policy.targets import Kind, Policy
    from sy_coverage.roads.travel_times import TravelTimes

Minutes = float | Mapping[str, float] | None
"""A cutoff for every elder, or by class of unit, or None for what the kind says."""


def open_on(facilities: GeoDataFrame, date: dt.date | str | None = None) -> GeoDataFrame:
    """Return the facilities that are open on `date`: `open`, or `planned` with an opening day that has come.

    Parameters
    ----------
    facilities
        As in the column contract; `opens_on` may be missing.
    date
        The day that decides. None counts only what is `open` already.

    Returns
    -------
    facilities
        The rows that count, in their order. A row that is `open` but whose `opens_on` lies after `date` does not.
    """
    status = facilities["status"] if "status" in facilities.columns else pd.Series("open", facilities.index)
    if "opens_on" in facilities.columns:
        opens = pd.to_datetime(facilities["opens_on"])
    else:
        opens = pd.Series(pd.NaT, index=facilities.index)
    if date is None:
        return facilities[status == "open"]
    day = pd.Timestamp(date)
    return facilities[
        ((status == "open") & (opens.isna() | (opens <= day))) | ((status == "planned") & (opens <= day))
    ]


def reached(
    demand: DataFrame, units: DataFrame, times: TravelTimes, *, kind: Kind, cutoff_min: Minutes = None
) -> Any:
    """Return which sites every demand point can reach in time, by the class of the unit the point is in.

    Parameters
    ----------
    demand
        Every demand point of `times`, indexed by `demand_id`, with `unit_id`; in any order.
    units
        Indexed by `unit_id`, with `kind`. A point without a unit has the cutoff of class ``other``.
    times
        Minutes between sites and demand.
    kind
        The kind of the sites; its `cutoff_min` decides, both ends inclusive.
    cutoff_min
        Minutes instead of the kind's: one number, or by class of unit.

    Returns
    -------
    reached
        Boolean scipy CSR array, sites × demand, in the order of `times.site_ids` and `times.demand_ids`.

    Raises
    ------
    CutoffError
        If a cutoff in use is longer than `times` holds.
    UnknownIdError
        If a demand point of `times` is not in `demand`, or its unit not in `units`.
    """
    require_ids(times.demand_ids, demand.index, "demand of the travel times")
    order = demand.index.get_indexer(list(times.demand_ids))
    limits = cutoffs_of(demand.iloc[order], units, kind=kind, cutoff_min=cutoff_min)
    if len(limits):
        times.require_cutoff(float(limits.max()))
    minutes = times.minutes
    keep = within_cutoff(minutes.data, limits[minutes.indices])
    indptr = np.r_[0, np.cumsum(keep)][minutes.indptr]
    return sparse.csr_array(
        (np.ones(int(keep.sum()), dtype=bool), minutes.indices[keep], indptr), shape=minutes.shape
    )


def cutoffs_of(
    demand: DataFrame, units: DataFrame, *, kind: Kind, cutoff_min: Minutes = None
) -> NDArray[np.float64]:
    """Return the cutoff of each demand point in minutes, by the class of the unit it is in; without a unit, of class ``other``.

    Parameters
    ----------
    demand
        With `unit_id`.
    units
        Indexed by `unit_id`, with `kind`.
    kind
        The kind of facility, whose `cutoff_min` decides.
    cutoff_min
        Minutes instead of the kind's: one number, or by class of unit.

    Returns
    -------
    cutoffs
        In the order of `demand`.

    Raises
    ------
    InputError
        If `cutoff_min` names no class of unit.
    UnknownIdError
        If a unit of a demand point is not in `units`.
    """
    lived_in = demand["unit_id"].to_numpy(dtype=object)
    class_of = dict(
        zip(units.index[::-1], units["kind"][::-1], strict=True)
    )  # of an id given twice the first
    require_ids({u for u in lived_in if pd.notna(u)}, class_of, "units of the demand points")
    own: dict[str, float] = dict(kind.cutoff_min)
    if isinstance(cutoff_min, int | float):
        own = dict.fromkeys(UNIT_KINDS, float(cutoff_min))
    elif cutoff_min is not None:
        unknown = sorted(set(cutoff_min) - set(UNIT_KINDS))
        if unknown:
            there = ", ".join(UNIT_KINDS)
            raise InputError(f"cutoff_min: no such class of unit: {', '.join(unknown)}; there are {there}")
        own |= cutoff_min
    limit_of = {u: own.get(c, own["other"]) for u, c in class_of.items()}
    return np.array([limit_of.get(u, own["other"]) for u in lived_in], dtype=np.float64)


def _distinct(units: Any) -> Any:
    """Return `units` with an id that stands there twice counted once."""
    return units[~units.index.duplicated()]


def coverage_by_unit(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    demand: GeoDataFrame,
    times: TravelTimes,
    *,
    policy: Policy,
    kind: str = "service_centre",
    rule: CoverageRule | None = None,
    share: float | None = None,
    cutoff_min: Minutes = None,
    nearest_min: Series | None = None,
    date: dt.date | str | None = None,
) -> GeoDataFrame:
    """Return for every unit whether it has a facility of `kind`, and how many of its elders reach one in time.

    Parameters
    ----------
    units
        Indexed by `unit_id`, with `kind`; an id that stands there twice counts once.
    facilities
        Indexed by `facility_id`, with `kind`, `status`, `unit_id`; only those open on `date` count.
        One without a point counts for presence where it names its unit.
    demand
        Indexed by `demand_id`, with `unit_id` and the column of elders that the policy reads; of a kind that is for some of them
        only (`serves`) these are counted, where a column says how many they are.
    times
        Minutes to the facilities; its sites hold every open facility of `kind` that has a point.
    policy
        Gives the kind with its cutoffs, and the readings for `rule` and `share`.
    kind
        Kind of facility that is counted; None: the one whose coverage the policy's rates count.
    rule
        ``presence``, ``access`` or ``both``: what `covered` means. None: the policy's reading.
    share
        For access: the share of a unit's elders that must be within the cutoff. None: the policy's reading.
    cutoff_min
        Minutes instead of the kind's: one number, or by class of unit.
    nearest_min
        By `demand_id`, the true minutes to the nearest open facility of `kind`, as `RoadNetwork.nearest` gives them without
        any limit (missing where no road leads to one). None: the minutes that `times` holds, which end at its cutoff.
    date
        The day that decides what is open.

    Returns
    -------
    by_unit
        `units` in its order, with

        - `elders`, `elders_covered` (within the cutoff of at least one facility), `share_covered` (0..1; missing where
          there are no elders), `elders_covered_at_most` (were the unit's facilities without a point in reach of all
          of it; what they might add to its neighbours is not counted);
        - `nearest_mean_min` (mean over elders of the minutes to the nearest facility) and `nearest_worst_min`, both over
          the elders whose minutes are known; `elders_unreached` counts the others, whom no road takes to a facility (or,
          without `nearest_min`, none within `times.cutoff_min`);
        - `backup_share` (share of elders with two facilities or more within the cutoff);
        - `has_centre`, `centre_partial` (it has one, and every one there lists less than all functions of its kind);
        - `covered` by the rule, and `covered_at_most` (with those without a point counted in its favour). By access, a
          unit without elders counts as covered: nobody there is out of reach.

        `.attrs` says `kind`, `rule`, `share`, and `elders_without_unit`: elders of points outside every unit, who are in
        none of the rows.

    Raises
    ------
    UnknownIdError
        If the policy has no such kind, or `times` lacks an open facility or a demand point.
    InputError
        If the rule is unknown, `share` is not in 0..1, or elders are missing or negative.
    UnknownIdError
        If `nearest_min` lacks a demand point.
    CutoffError
        If a cutoff is longer than `times` holds.
    """
    about = policy.kind(kind)
    rule = policy.readings.rule if rule is None else rule
    if rule not in get_args(CoverageRule):
        raise InputError(f"rule '{rule}': must be one of {', '.join(get_args(CoverageRule))}")
    part = exact(policy.readings.share if share is None else share)
    there = without_rebuilt(open_on(facilities, date), policy)
    there = there[there["kind"] == kind].sort_index()
    frame = _distinct(units).drop(columns=_FIGURES, errors="ignore").copy()
    access = _access(
        frame,
        there,
        demand,
        times,
        kind=about,
        cutoff_min=cutoff_min,
        nearest_min=nearest_min,
        elders=policy.readings.elders,
    )
    frame = frame.assign(**{c: access[c] for c in access.columns})
    frame["has_centre"] = frame.index.isin(there["unit_id"].dropna())
    frame["centre_partial"] = _partial(frame, there, about)
    for covered, elders in (("covered", "elders_covered"), ("covered_at_most", "elders_covered_at_most")):
        enough = [reaches_share(e, w, part) for e, w in zip(frame[elders], frame["elders"], strict=True)]
        by_rule = {"presence": frame["has_centre"], "access": pd.Series(enough, frame.index, dtype=bool)}
        frame[covered] = by_rule["presence"] & by_rule["access"] if rule == "both" else by_rule[rule]
    if "geometry" in frame.columns:
        # chosen anew, not taken out and put back: without its geometry a GeoDataFrame becomes a plain one
        frame = frame[[*frame.columns.drop("geometry"), "geometry"]]
    outside = elders_of(demand, policy.readings.elders)[demand["unit_id"].isna()].sum()
    frame.attrs = {"kind": kind, "rule": rule, "share": float(part), "elders_without_unit": float(outside)}
    return frame


_FIGURES = [
    "elders",
    "elders_covered",
    "elders_covered_at_most",
    "share_covered",
    "nearest_mean_min",
    "nearest_worst_min",
    "elders_unreached",
    "backup_share",
    "has_centre",
    "centre_partial",
    "covered",
    "covered_at_most",
]


def elders_of(demand: DataFrame, column: str) -> Series:
    """Return the elders of every demand point, finite and 0 or more.

    Raises
    ------
    InputError
        If the column is not there, or a value is missing, negative or not finite; names the rows.
    """
    if column not in demand.columns:
        raise InputError(
            f"demand: column '{column}' is missing; choose another reading of `elders`, or add it"
        )
    elders = pd.to_numeric(demand[column], errors="coerce").astype("float64")
    wrong = elders.index[~(np.isfinite(elders) & (elders >= 0))]
    if len(wrong):
        raise InputError(f"demand: column '{column}' must be 0 or more in rows {some(wrong)}")
    return elders


def _access(
    units: DataFrame,
    there: GeoDataFrame,
    demand: GeoDataFrame,
    times: TravelTimes,
    *,
    kind: Kind,
    cutoff_min: Minutes,
    nearest_min: Series | None,
    elders: str,
) -> DataFrame:
    """Return the figures of access by unit, summed in the order of demand ids so that no row order shows."""
    demand = demand.sort_index()
    located = there.geometry.notna() & ~there.geometry.is_empty
    sites = there.index[located]
    require_ids(sites, times.site_ids, "travel times lack open facilities")
    near = times.select(sites=sites, demand=demand.index)
    within = reached(demand, units, near, kind=kind, cutoff_min=cutoff_min)
    in_reach = np.bincount(within.indices, minlength=len(demand))
    if nearest_min is None:
        nearest_min = near.nearest_minutes()
    require_ids(demand.index, nearest_min.index, "nearest_min lacks demand points")
    nearest = nearest_min.reindex(demand.index).to_numpy(dtype=np.float64)
    weight = elders_of(demand, elders).to_numpy()
    if serves_some(demand, kind):
        weight = served_by(demand, kind, elders=elders).to_numpy()
    place = units.index.get_indexer(demand["unit_id"])

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        inside = place >= 0
        return np.bincount(place[inside], weights=values[inside], minlength=len(units)).astype(np.float64)

    reaches = np.isfinite(nearest)
    sums = pd.DataFrame(
        {
            "elders": total(weight),
            "elders_covered": total(weight * (in_reach >= 1)),
            "elders_unreached": total(weight * ~reaches),
            "backup": total(weight * (in_reach >= 2)),
            "minutes": total(weight * np.where(reaches, nearest, 0.0)),
            "reach": total(weight * reaches),
        },
        index=units.index,
    )
    people = reaches & (weight > 0) & (place >= 0)
    worst = np.full(len(units), -np.inf)
    np.maximum.at(worst, place[people], nearest[people])
    some_elders = sums["elders"].where(sums["elders"] > 0)
    blind = _unlocated(units, there[~located])
    return pd.DataFrame(
        {
            "elders": sums["elders"],
            "elders_covered": sums["elders_covered"],
            "elders_covered_at_most": sums["elders_covered"].where(~blind, sums["elders"]),
            "share_covered": sums["elders_covered"] / some_elders,
            "nearest_mean_min": sums["minutes"] / sums["reach"].where(sums["reach"] > 0),
            "nearest_worst_min": np.where(np.isfinite(worst), worst, np.nan),
            "elders_unreached": sums["elders_unreached"],
            "backup_share": sums["backup"] / some_elders,
        },
        index=units.index,
    )


def _unlocated(units: DataFrame, lost: GeoDataFrame) -> Series:
    """Return which units may hold one of the facilities `lost`, none of which has a point.

    One that names its unit may be in it; one that names only its county, in any unit of it; one that names neither, anywhere.
    """
    unit_id = lost["unit_id"] if "unit_id" in lost.columns else pd.Series(None, lost.index, dtype=object)
    county = lost["county_id"] if "county_id" in lost.columns else pd.Series(None, lost.index, dtype=object)
    vague = ~unit_id.isin(units.index)
    may = units.index.isin(unit_id.dropna())
    if "county_id" in units.columns:
        may |= units["county_id"].isin(county[vague].dropna()).to_numpy()
    if (vague & county.isna()).any():
        may |= True
    return pd.Series(may, index=units.index)


def missing_functions(facilities: DataFrame, kind: Kind) -> Series:
    """Return for every facility the functions of `kind` that its list leaves out, as a tuple; None where no list says.

    The column `functions` is text with any of 、 ， , ; / between; 家庭床位 is found in 家庭床位运营.
    """
    given = (
        facilities["functions"] if "functions" in facilities.columns else pd.Series(None, facilities.index)
    )

    def lacking(words: object) -> tuple[str, ...] | None:
        if not isinstance(words, str) or not words.strip():
            return None
        has = [w for w in re.split(r"[\s、，,;；/]+", words) if w]
        return tuple(f for f in kind.functions if not any(f in w or w in f for w in has))

    lists = [lacking(words) for words in given]
    return pd.Series(lists, index=facilities.index, dtype=object, name="missing_functions")


def _partial(units: DataFrame, there: DataFrame, kind: Kind) -> Series:
    """Return which units have a facility, but none that is not known to lack a function."""
    partial = missing_functions(there, kind).map(bool).astype(bool)
    by_unit = partial.groupby(there["unit_id"]).all()
    return pd.Series(units.index.isin(by_unit.index[by_unit]), index=units.index)


def coverage_by_county(by_unit: DataFrame) -> DataFrame:
    """Return the figures of `coverage_by_unit` for every county.

    Returns
    -------
    by_county
        Indexed by `county_id`, sorted: `county`; `units`, `streets`, `townships`, `others` and how many of each are
        `covered`, `streets_covered`, `townships_covered`, `others_covered`; `with_centre`; `elders`, `elders_covered`,
        `elders_covered_at_most`, `elders_unreached` (sums); `share_covered`, `backup_share`, `nearest_mean_min` (over
        elders), `nearest_worst_min`.
    """
    frame = pd.DataFrame(by_unit.drop(columns="geometry", errors="ignore")).sort_index()
    elders = frame["elders"]
    frame = frame.assign(
        units=1,
        with_centre=frame["has_centre"].astype(int),
        backup=(frame["backup_share"] * elders).fillna(0.0),
        reach=elders - frame["elders_unreached"],
    )
    frame["minutes"] = (frame["nearest_mean_min"] * frame["reach"]).fillna(0.0)
    sums = ["units", "with_centre"]
    for kind, plural in zip(UNIT_KINDS, ("streets", "townships", "others"), strict=True):
        frame[plural] = (frame["kind"] == kind).astype(int)
        frame[f"{plural}_covered"] = ((frame["kind"] == kind) & frame["covered"]).astype(int)
        sums += [plural, f"{plural}_covered"]
    people = ["elders", "elders_covered", "elders_covered_at_most", "elders_unreached"]
    groups = frame.groupby("county_id", sort=True)
    county = groups[[*sums, *people, "backup", "reach", "minutes"]].sum()
    county["covered"] = groups["covered"].sum().astype(int)
    some_elders = county["elders"].where(county["elders"] > 0)
    county["share_covered"] = county["elders_covered"] / some_elders
    county["backup_share"] = county["backup"] / some_elders
    county["nearest_mean_min"] = county["minutes"] / county["reach"].where(county["reach"] > 0)
    county["nearest_worst_min"] = groups["nearest_worst_min"].max()
    county.insert(0, "county", groups["county"].first())
    return county.drop(columns=["backup", "reach", "minutes"])


def indicator_table(by_unit: DataFrame, *, policy: Policy, language: Language = "zh") -> DataFrame:
    """Return the officials' indicator table: for every county its streets and townships, and how many count as covered.

    Parameters
    ----------
    by_unit
        What `coverage_by_unit` returned; units of class ``other`` are outside the rates and not counted.
    policy
        Names the kind that was counted.
    language
        Language of the headers and names of classes: ``zh`` or ``en``.

    Returns
    -------
    table
        One row a county in the order of ids, and a last row with the total; columns in the officials' own words: 序号,
        所在县（市、区）, 镇（街道）数量, …数量, …覆盖率 (a share in 0..1, missing where there is no such unit).
    """
    counted = by_unit[by_unit["kind"] != "other"]
    groups = counted.groupby("county_id", sort=True)
    names = by_unit.groupby("county_id", sort=True)["county"].first()
    number = groups.size().reindex(names.index, fill_value=0)
    covered = groups["covered"].sum().reindex(names.index, fill_value=0).astype(int)
    total = labels.text("coverage.indicator_total", language)
    table = pd.DataFrame(
        {
            "number": [*range(1, len(names) + 1), pd.NA],
            "county": [*names, total],
            "units": [*number, int(number.sum())],
            "centres": [*covered, int(covered.sum())],
        }
    ).astype({"number": "Int64", "units": int, "centres": int})
    table["share"] = table["centres"] / table["units"].where(table["units"] > 0)
    kind = labels.pick(policy.kind(by_unit.attrs.get("kind", policy.coverage_kind)).name, language)
    return table.rename(
        columns={c: labels.text(f"coverage.indicator_{c}", language, kind=kind) for c in table.columns}
    )
