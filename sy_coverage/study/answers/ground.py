"""Read what everything else stands on: the policy, the units and the roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps import rules
from sy_coverage.study.steps.memory import Memory, Step
from sy_coverage.study.steps.roads import network
from sy_coverage.study.steps.roads.ways import ToRoad, Ways, read_minutes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Kind, Policy
    from sy_coverage.roads import RoadNetwork
    from sy_coverage.roads.forms.od_table import KnownMinutes
    from sy_coverage.study.answers.asked import Asked


@dataclass(frozen=True, eq=False)
class Ground:
    """The policy, the units and the roads of a study."""

    asked: Asked

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    @Step
    def policy(self) -> Policy:
        """What must be reached, with the readings and reaches that the study chose in place of the policy's own."""
        return rules.read_policy(self.asked.config, self.asked.files)

    @Step
    def kinds(self) -> Policy:
        """The policy as lists and roads are read by it; another number of a target or reading leaves it as it is."""
        return rules.read_kinds(self.asked.config, self.asked.files)

    @Step
    def counts(self) -> Policy:
        """The policy as sites are suggested by it; another rule, scope or share of a rate leaves it as it is."""
        return rules.read_counts(self.asked.config, self.asked.files)

    @Step
    def units(self) -> GeoDataFrame:
        """Streets and townships, indexed by `unit_id`."""
        with self.asked.progress("units"):
            given = self.asked.config.boundaries
            units = read.read_units(given, self.asked.files)
            if given.admin_level is not None and given.county_level is None:
                # an extract that is one county says no name of it: the policy does
                units = units.assign(county=labels.pick(self.kinds.area, self.asked.config.study.language))
            return self.asked.reported("units", units)

    @Step
    def counties(self) -> Mapping[str, str]:
        """Names of the counties by `county_id`, in order of their ids."""
        return read.county_names(self.units)

    @Step
    def centre_kind(self) -> Kind:
        """The kind of facility whose presence and access the coverage rates count."""
        return self.kinds.kind(self.kinds.coverage_kind)

    @Step
    def network(self) -> RoadNetwork:
        """The roads, for every travel mode the policy's kinds use; none where the study has only a table of minutes."""
        given, asked = self.asked.config.roads, self.asked.config.siting
        self.asked.memory.around("roads")  # whoever asks OpenStreetMap again has other roads
        with self.asked.progress("roads"):
            found = network.read_network(
                *(given, asked, self.asked.files),
                units=self.units,
                policy=self.kinds,
                beside=self.asked.config.access.beside,
            )
            return network.with_changes(found, given, self.asked.files)

    @Step
    def water(self) -> GeoDataFrame | None:
        """Rivers and lakes to draw, where the roads come from an OpenStreetMap extract."""
        return network.read_water(self.asked.config.roads, self.asked.files, units=self.units)

    @property
    def attribution(self) -> str:
        """Who must be named beside a map for its roads and water."""
        return network.attribution(self.asked.config.roads)

    @property
    def to_road(self) -> dict[str, Any]:
        """How points are brought to the roads: how far at most, and how fast that is walked."""
        return vars(self._by_road)

    @property
    def _by_road(self) -> ToRoad:
        given = self.asked.config.roads
        return ToRoad(given.max_snap_m, network.walk_m_per_s(given))

    @Step
    def known_minutes(self) -> KnownMinutes | None:
        """The minutes that somebody already has, by mode; None where the study names no table of them."""
        return read_minutes(self.asked.config.times, self.asked.files)

    @property
    def ways(self) -> Ways:
        """How people get to places: by the table of minutes, and on the roads."""
        return Ways(self.network, self._by_road, self.known_minutes)
