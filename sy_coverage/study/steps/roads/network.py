"""Read a study's roads: from a file or live from OpenStreetMap, with the study's own travel tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage import roads
from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage._osm import is_osm
from sy_coverage.errors import ConfigError
from sy_coverage.roads.read.overpass import OVERPASS
from sy_coverage.roads.travel_modes import at_walking_speed, elder_walk_m_per_s, travel_mode

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.roads import RoadNetwork, TravelMode
    from sy_coverage.study.config.inputs.roads import Roads
    from sy_coverage.study.config.questions.siting import Siting
    from sy_coverage.study.steps.files import StudyFiles

LIVE = "osm"
"""The `[roads] source` that asks OpenStreetMap."""
SAVED = ".network"
"""How the name of a file ends that `RoadNetwork.save` wrote and `[roads] source` may name."""
FROM_OSM = (".graphml", SAVED)
"""Files that hold roads of OpenStreetMap, though not in its own format."""
OPENSTREETMAP = "© OpenStreetMap contributors, ODbL"
WALK = "walk"
METRES_A_MINUTE = 1000 / 60
"""Of one kilometre an hour."""


def modes(given: Roads, policy: Policy, beside: tuple[str, ...] = ()) -> tuple[TravelMode, ...]:
    """Return the travel modes that the policy's kinds use, walking, and those `beside`, with what the study changes in their tables."""
    changes: dict[str, Any] = {str(name): table for name, table in given.modes.items()}
    names = sorted({kind.mode for kind in policy.kinds.values()} | {WALK, *beside, *changes})
    chosen = []
    for name in names:
        mode = travel_mode(name)
        if name == WALK and given.walk_m_per_s is not None:
            mode = at_walking_speed(mode, given.walk_m_per_s)
        chosen.append(mode.changed(changes.get(name, {})))
    return tuple(chosen)


def walk_m_per_s(given: Roads) -> float:
    """Return how fast elders walk to the road, in metres a second."""
    return elder_walk_m_per_s() if given.walk_m_per_s is None else given.walk_m_per_s


def buffer_m(given: Roads, asked: Siting, policy: Policy) -> float:
    """Return how many metres around the units roads are read."""
    return needed_m(given, asked, policy) if given.buffer_m is None else given.buffer_m


def needed_m(given: Roads, asked: Siting, policy: Policy) -> float:
    """Return how many metres around the units roads can matter: the longest cutoff at the top speed.

    A way between two places in the area that takes twice as long leaves it by no more either.
    """
    top = {mode.name: mode.most_kph * METRES_A_MINUTE for mode in modes(given, policy)}
    apart = max(asked.spread_min or 0.0, asked.medical_min or 0.0) / 2
    reaches = [kind.longest_min * top[kind.mode] for kind in policy.kinds.values()]
    return float(max([*reaches, apart * top.get("drive", 0.0)]))


def read_network(
    given: Roads,
    asked: Siting,
    files: StudyFiles,
    *,
    units: GeoDataFrame,
    policy: Policy,
    beside: tuple[str, ...] = (),
    fresh: Path | None = None,
) -> RoadNetwork:
    """Return the roads that `[roads]` names; `fresh` is a cache to use in place of the study's own.

    Raises
    ------
    ConfigError
        If a saved network was worked out with other travel tables than the study asks for.
    OfflineError, ServiceStoppedError, IncompleteNetworkError
        If OpenStreetMap is asked and does not answer, or not in full.
    """
    chosen = modes(given, policy, beside)
    if given.source is None:
        return _no_roads(units, chosen)
    if given.source.endswith(SAVED):
        network = roads.load(files.path(given.source))
        _require_tables(network, chosen, given.source)
        return network
    ground = None if given.elevation is None else files.path(given.elevation)
    around = buffer_m(given, asked, policy)
    if given.lines is not None:
        return roads.read_lines(
            files.path(given.source),
            modes=chosen,
            fields={str(key): column for key, column in given.lines.fields.items()},
            classes=given.lines.classes,
            tolerance_m=given.lines.tolerance_m,
            area=units,
            buffer_m=around,
            limits=files.limits,
        )
    if given.source != LIVE:
        return roads.read_osm(
            files.path(given.source),
            modes=chosen,
            area=units,
            buffer_m=around,
            elevation=ground,
            limits=files.limits,
        )
    return roads.fetch_osm(
        units,
        modes=chosen,
        buffer_m=around,
        elevation=ground,
        server=given.server or OVERPASS,
        date=given.date,
        cache=fresh or cache_path(given, files),
        offline=not files.gate.services,
    )


def _no_roads(units: GeoDataFrame, chosen: tuple[TravelMode, ...]) -> RoadNetwork:
    """Return a network without any road, on which nothing can be reached."""
    nodes = pd.DataFrame({"node_id": [], "x": [], "y": []}).astype({"node_id": "int64"})
    edges = pd.DataFrame(
        {name: [] for name in ("u", "v", "length_m", *(f"{m.name}_min" for m in chosen))}, dtype=float
    )
    return roads.from_edges(
        nodes, edges.astype({"u": "int64", "v": "int64"}), crs=metric_crs(units), source=""
    )


def _require_tables(network: RoadNetwork, chosen: tuple[TravelMode, ...], source: str) -> None:
    """Refuse a saved network whose minutes are not those the study asks for; one without tables says its own."""
    for mode in chosen:
        saved = network.tables.get(mode.name)
        if saved is not None and saved != mode:
            before, now = saved.table(), mode.table()
            keys = ", ".join(key for key in now if before[key] != now[key])
            raise ConfigError(
                f"{source}: was saved with other tables for '{mode.name}' ({keys}) than the study asks for; "
                "name the extract it was made from, and save it again with `sy-coverage roads`"
            )


def with_changes(network: RoadNetwork, given: Roads, files: StudyFiles) -> RoadNetwork:
    """Return the roads with the changes that ``[roads] changes`` names."""
    if given.changes is None:
        return network
    changes = roads.read_changes(files.path(given.changes), limits=files.limits)
    return network.with_changes(**changes)


def changed_roads(given: Roads, files: StudyFiles) -> GeoDataFrame | None:
    """Return the changes that ``[roads] changes`` names as one frame in EPSG:4326, by `change_id`: `change`, `name`; None without any."""
    if given.changes is None:
        return None
    rows = []
    for change, part in roads.read_changes(files.path(given.changes), limits=files.limits).items():
        names = next((part[c] for c in ("name", "名称", "路名") if c in part.columns), None)
        shapes = part.geometry.to_crs(GEOGRAPHIC)
        name = "" if names is None else names.fillna("").astype(str).to_numpy()
        rows.append(
            gpd.GeoDataFrame({"change": change, "name": name}, geometry=shapes.to_numpy(), crs=GEOGRAPHIC)
        )
    together = pd.concat(rows, ignore_index=True) if rows else None
    return None if together is None else together.rename_axis("change_id")


def cache_path(given: Roads, files: StudyFiles) -> Path:
    """Return where OpenStreetMap's answers are kept."""
    return Path(files.path(given.cache))


def read_water(given: Roads, files: StudyFiles, *, units: GeoDataFrame) -> GeoDataFrame | None:
    """Return rivers and lakes to draw, where the roads come from an OpenStreetMap extract."""
    if given.source is None:
        return None
    source = files.path(given.source)
    return roads.read_water(source, area=units) if is_osm(source) else None


def attribution(given: Roads) -> str:
    """Return who must be named beside a map for its roads and water."""
    if given.attribution is not None:
        return given.attribution
    source = given.source or ""
    return OPENSTREETMAP if source == LIVE or is_osm(source) or source.endswith(FROM_OSM) else ""
