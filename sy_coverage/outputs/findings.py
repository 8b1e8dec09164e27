"""Gather all that an output may say about one county or the whole city; every map, table and report reads only this."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sy_coverage import labels
from sy_coverage._frames import metric_crs
from sy_coverage.outputs import roadless

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy.targets import Policy
    from sy_coverage.siting.plan import SitingPlan


def _in_no_unit(lost: DataFrame, language: Language) -> str:
    """Return the sentence about villages that lie in no unit; the same that the whole study shows."""
    elders = f"{lost['elders'].sum():,.0f}"
    return labels.text("study.in_no_unit", language, count=f"{len(lost):,}", elders=elders)


def in_china(units: GeoDataFrame) -> bool:
    """Return whether `units` lie where coordinates are those of China: by the one projected CRS of the study."""
    return metric_crs(units).startswith("EPSG:45")


@dataclass(frozen=True)
class Findings:
    """What is known of one scope. Frames are in EPSG:4326, joined by label, and never changed by an output."""

    study_name: str
    policy: Policy
    language: Language
    date: dt.date
    """The day that decides what counts as open."""
    units: GeoDataFrame
    """`unit_id`: `name`, `kind`, `county_id`, `county`, `boundary_quality`, `elders`; and twice, for today and (suffix
    `_planned`) with the plan's sites opened: `elders_covered`, `share_covered`, `nearest_mean_min` (over those whom a road
    takes to a centre), `elders_unreached` (the others), `has_centre`, `covered`. And ``share_<mode>``
    today for each mode of ``[access] beside``."""
    counties: DataFrame
    """`county_id`: `county`, `units`, `streets`, `townships`, `counted` (units that the coverage rates count) and of them
    `covered_today`, `covered_planned`,
    `elders`, `share_today`, `share_planned` (of elders within the cutoff), `new_sites`, `cost`, `status` (of the plan), `proved`."""
    facilities: GeoDataFrame
    """As in the column contract; `geometry` may be None, then `location_status` and `location_reason` say why."""
    demand: GeoDataFrame
    """As in the column contract, with `nearest_min`, `covered`, `nearest_planned_min`, `covered_planned`."""
    proposals: GeoDataFrame
    """`candidate_id`: `name`, `kind`, `unit_id`, `unit`, `county_id`, `county`, `number` (1… within its county), `cost`, `premises`,
    `phase` (year or missing), `upgrade_of`, `elders_gained`, `medical_min`, `why` (sentences in `language`), `geometry`."""
    catchments: GeoDataFrame
    """Index (`facility_id`, `cutoff_min`): `kind`, `county_id`, `area_km2`, `elders` (who reach the site in time, by road),
    `geometry`. Drawings; verdicts come from times."""
    roads: GeoDataFrame
    """Lines for orientation: `highway` (OSM class), `geometry`."""
    scorecard: DataFrame
    """Index (`target_id`, `scope_id`): `scope`, `value_today`, `value_planned`, `target`, `met_today`, `met_planned`, `needed`,
    `basis`, `reason`, `citation`."""
    plans: Mapping[str, SitingPlan]
    """The plan of each county by `county_id`."""
    reasons: DataFrame
    """What `why()` says of every proposed site: `site_id`, `reason_id`, `subject`, `value`, `sentence`."""
    left_out: DataFrame
    """Units that stay without a centre, and what a plan cannot reach: `unit_id` (or whatever else the sentence speaks of),
    `county_id`, `reason_id`, `sentence`."""
    doubts: DataFrame
    """To verify, one row a doubt: `frame`, `row_id`, `name`, `county_id`, `doubt_id`, `sentence`."""
    parameters: DataFrame
    """What decided the answer: `name`, `value`, `unit`, `source`."""
    sources: DataFrame
    """Where the data came from: `name`, `file`, `digest`, `note`."""
    notices: tuple[str, ...] = ()
    """Sentences that every output shows, such as the warning that the sample is modelled."""
    approval_number: str = ""
    base_map: Literal["tianditu", "osm", "gaode"] | None = None
    """An online base map for the interactive maps; None: they ask nobody for anything."""
    key_in_page: bool = False
    """Whether a map over Tianditu carries the key for everybody to read."""
    attribution: str = ""
    """Who must be named beside a map for its roads and water."""
    water: GeoDataFrame | None = None
    """For orientation: `water` (area or line), `geometry`."""
    overlap: DataFrame | None = None
    """How much of each unit each drawing holds: as `roads.catchment_overlap` returns it."""
    access_legs: GeoDataFrame | None = None
    """The way from each village to its road, `demand_id`: `name`, `unit_id`, `county_id`, `elders`, `mode`, `length_m`, `minutes`,
    `note` (``none``, ``passed_over``, ``stub``, ``too_far``; of a table of minutes ``table``, ``not_in_table``), and lines."""
    road_changes: GeoDataFrame | None = None
    """What the study takes for new, closed or slower roads, `change_id`: `change` (``add``, ``close``, ``slow``), `name`, shapes."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """By scope, what its numbers would be if rows that only an office can settle counted otherwise; the own one is among `notices`."""
    scope_id: str = "city"
    scope_name: str = ""
    office: str = ""
    """Who signs; empty: a blank is left."""
    issued: dt.date | None = None
    """The date under a proposal; None: a blank is left."""
    document_number: str = ""
    """The number of the document; empty: none."""
    signatory: str = ""
    """Who signs it off; empty: nobody is named."""
    copies_to: str = ""
    """Who gets a copy; empty: nobody."""
    printed_by: str = ""
    """Who prints it; empty: nobody."""
    alone: bool = False
    """Whether only the plan of this county was opened, and not those of its neighbours."""
    extras: Mapping[str, DataFrame] = field(default_factory=dict)
    """Further tables by name (`trade_off`, `sensitivity`, `scope_price`, `closures`, `conversions`, `demonstration`), where they were computed; see `beside`."""

    edition: Literal["internal", "public"] = "internal"
    """For whom outputs are: see `edition.public`."""
    recounts: Mapping[str, str] = field(default_factory=dict)
    """By county, what its page counts any choice of sites again from: JSON, as `maps.what_if.packed` makes it."""

    def of_county(self, county_id: str) -> Findings:
        """Return the findings of one county: its own rows, and every catchment of its facilities and sites."""

        def own(frame: DataFrame) -> DataFrame:
            return frame[frame["county_id"] == county_id] if "county_id" in frame.columns else frame

        proposals = own(self.proposals)
        units = own(self.units)
        named = self.counties.loc[county_id, "county"]
        scopes = self.scorecard.index.get_level_values("scope_id")
        return replace(
            self,
            scope_id=county_id,
            scope_name=str(named),
            units=units,
            counties=self.counties.loc[[county_id]],
            facilities=own(self.facilities),
            demand=own(self.demand),
            access_legs=None if self.access_legs is None else own(self.access_legs),
            proposals=proposals,
            catchments=own(self.catchments),
            scorecard=self.scorecard[scopes.isin([county_id, "city"])],
            plans={county_id: self.plans[county_id]} if county_id in self.plans else {},
            reasons=self.reasons[self.reasons["site_id"].isin(proposals.index)],
            left_out=own(self.left_out)
            if "county_id" in self.left_out.columns
            else self.left_out[self.left_out["unit_id"].isin(units.index)],
            doubts=own(self.doubts),
            notices=self.notices_of(county_id),
            extras={name: own(table) for name, table in self.extras.items()},
        )

    def notices_of(self, county_id: str) -> tuple[str, ...]:
        """Return the sentences that the outputs of a county show: of whom no road reaches and of rows in doubt, its own."""
        general = [one for one in self.notices if one not in self.readings.values()]
        if self.access_legs is not None:
            legs = self.access_legs
            whole = roadless.sentence(legs, self.language)
            own = roadless.sentence(legs[legs["county_id"] == county_id], self.language)
            said = (own if one == whole else one for one in general)
            general = [one for one in said if one is not None]
        lost = self.demand[self.demand["unit_id"].isna()]
        if len(lost):
            lost_said = _in_no_unit(lost, self.language)
            own_lost = lost[lost["county_id"] == county_id]
            mine = [_in_no_unit(own_lost, self.language)] if len(own_lost) else []
            general = [one for one in general if one != lost_said] + mine
        return (*general, *([self.readings[county_id]] if county_id in self.readings else []))

    @property
    def roadless(self) -> GeoDataFrame:
        """The villages that no road of the file leads anywhere from, as rows of `access_legs`, by `demand_id`."""
        if self.access_legs is None:
            return self.demand.iloc[:0]
        return self.access_legs[self.access_legs["note"].isin(roadless.ROADLESS)]

    def falls_short(self, county_id: str) -> bool:
        """Return whether a county has a plan that misses targets: they cannot be met at all, or not with the money given."""
        plan = self.plans.get(county_id)
        return plan is not None and plan.best.figures.targets_met is False

    def beside(self, name: str) -> DataFrame | None:
        """Return the rows of the table `name` of `extras` that speak of this scope, or None where there are none."""
        table = self.extras.get(name)
        if table is None:
            return None
        flat = table.reset_index() if table.index.name else table
        if "county_id" in flat.columns:
            flat = flat[flat["county_id"] == self.scope_id]
        return flat if len(flat) else None

    @property
    def homes(self) -> str:
        """Where elders are counted: ``villages``, or ``points`` that have no name (cells of a raster, settled areas, units)."""
        return "villages" if self.demand.empty or self.demand["name"].notna().any() else "points"

    @cached_property
    def in_china(self) -> bool:
        """Whether the study lies in China, where maps need an approval number and costs are counted in 10⁴ yuan."""
        return in_china(self.units)

    @property
    def totals(self) -> pd.Series:
        """Return the sums of `counties` over this scope."""
        return self.counties.select_dtypes("number").sum()
