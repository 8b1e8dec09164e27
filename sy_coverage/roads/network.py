"""Ask a road network how many minutes people need: to every site, to the nearest, from node to node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import InputError, MissingCRSError, some
from sy_coverage.roads.forms import cells
from sy_coverage.roads.graph import describe, storage
from sy_coverage.roads.graph.altered import cut
from sy_coverage.roads.graph.altered.changes import added, closed, slowed
from sy_coverage.roads.graph.altered.pace import paced
from sy_coverage.roads.graph.connected import USABLE
from sy_coverage.roads.graph.snap import MAX_SNAP_M
from sy_coverage.roads.questions import drawn, joining, minutes, way
from sy_coverage.roads.questions.prepared import Prepared

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import networkx as nx
    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame

    from sy_coverage.roads.graph.describe import Route
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.parts import RoadParts
    from sy_coverage.roads.questions.joining import Direction, Side
    from sy_coverage.roads.travel_modes import TravelMode
    from sy_coverage.roads.travel_times import TravelTimes


@dataclass(frozen=True, eq=False, repr=False)
class RoadNetwork:
    """Roads as nodes and links with minutes by travel mode, in one metric CRS.

    Make one with `read_osm`, `from_networkx`, `from_edges` or `load`. Nodes and links are kept in an order that does not depend on the order they came in.
    """

    parts: RoadParts
    """What the network is made of."""

    @cached_property
    def prepared(self) -> Prepared:
        """What is worked out of the parts once for each travel mode; of use to other modules of this room alone."""
        return Prepared(self.parts)

    @property
    def node_ids(self) -> Array:
        """What the caller called the nodes: int64, or text as object."""
        return self.parts.node_ids

    @property
    def node_xy(self) -> Array:
        """Coordinates of the nodes in metres, float64 of shape (nodes, 2)."""
        return self.parts.node_xy

    @property
    def links(self) -> Links:
        """The road pieces between nodes."""
        return self.parts.links

    @property
    def crs(self) -> str | None:
        """The metric CRS, such as ``"EPSG:4546"``; None if the caller named none."""
        return self.parts.crs

    @property
    def source(self) -> str:
        """What the network was made from: a file's name and digest, or a word."""
        return self.parts.source

    @property
    def notes(self) -> Mapping[str, Any]:
        """What was counted, assumed or left out while it was built."""
        return self.parts.notes

    @property
    def tables(self) -> Mapping[str, TravelMode]:
        """By mode, the speeds, delays and slopes its minutes were worked out with; none where the minutes were given."""
        return self.parts.tables

    @property
    def modes(self) -> tuple[str, ...]:
        """The travel modes this network was built for."""
        return self.parts.modes

    @property
    def digest(self) -> str:
        """SHA-256 of everything a travel time can depend on."""
        return self.parts.digest

    def _joining(self, mode: str, max_snap_m: float, access_m_per_s: float | None) -> joining.Joining:
        return joining.Joining(self.prepared, mode, max_snap_m, access_m_per_s)

    def __repr__(self) -> str:
        """Say how large the network is and for which modes."""
        return (
            f"RoadNetwork({len(self.node_ids):,} nodes, {len(self.links):,} links, "
            f"modes {', '.join(self.modes)}, {self.crs})"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what the network holds, and a small map."""
        facts = {
            "nodes": f"{len(self.node_ids):,}",
            "links": f"{len(self.links):,}",
            "modes": ", ".join(self.modes),
        }
        return cells.network_cell(self.links, {**facts, "CRS": self.crs or "", "source": self.source})

    def snap(
        self,
        points: GeoDataFrame,
        *,
        mode: str,
        side: Side = "both",
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
    ) -> DataFrame:
        """Return where each point joins the roads that `mode` may use, as far as they lead anywhere.

        It is the nearest road from which a large part of the network can be reached, or that can be reached from one: a
        part with as many junctions as the travel mode's table asks for, or where none has, the longest. Only where no such
        road lies within `max_snap_m` it is the nearest stub.

        Parameters
        ----------
        points
            Points in any CRS, reprojected to the network's.
        mode
            A travel mode of this network, such as ``"drive"``.
        side
            Whether travel starts at the points (``"leaves"``: demand on its way to a site), ends there (``"arrives"``) or both.
        max_snap_m
            A point farther than this from every road is left without one.
        access_m_per_s
            How fast the way to the road is walked; None takes the elders' speed of the travel modes.

        Returns
        -------
        snapped
            Indexed like `points`: `edge` (position of the link, missing where too far), `fraction` along it (0–1),
            `snap_m`, `access_min`.

        Raises
        ------
        UnknownModeError, MissingCRSError, FrameError, GeometryError
            If the mode, the CRS, the ids or the points cannot be used.
        """
        by = self._joining(mode, max_snap_m, access_m_per_s)
        return joining.joined(by, points, side=side)

    def access_legs(
        self,
        points: GeoDataFrame,
        *,
        mode: str,
        direction: Direction = "to_site",
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
    ) -> GeoDataFrame:
        """Return the way from each demand point to the road that its minutes are counted on.

        Parameters
        ----------
        points
            Demand points in any CRS, reprojected to the network's.
        mode
            A travel mode of this network.
        direction
            ``"to_site"``: as points that travel starts from; ``"from_site"``: as points it ends at.
        max_snap_m, access_m_per_s
            As in `travel_times`.

        Returns
        -------
        legs
            Indexed like `points` (as text): `length_m`, `minutes` (missing where there is no road), `note` (``none``;
            ``passed_over``: a nearer road leads nowhere; ``stub``: every road near leads nowhere; ``too_far``), and lines
            in EPSG:4326.

        Raises
        ------
        UnknownModeError, MissingCRSError, FrameError, GeometryError
            If the mode, the CRS, the ids or the points cannot be used, or the network has no CRS.
        """
        by = self._joining(mode, max_snap_m, access_m_per_s)
        return joining.access_legs(by, points, direction=direction)

    def travel_times(
        self,
        sites: GeoDataFrame,
        demand: GeoDataFrame,
        *,
        mode: str,
        cutoff_min: float,
        direction: Direction = "to_site",
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
        threads: int | None = None,
    ) -> TravelTimes:
        """Return the minutes between all sites and all demand points that are at most `cutoff_min` apart.

        Parameters
        ----------
        sites, demand
            Points in any CRS, reprojected to the network's; their indices become `site_ids` and `demand_ids`.
            Each joins the nearest road that `mode` may use; the way to it is walked at both ends.
        mode
            A travel mode of this network, such as ``"drive"``.
        cutoff_min
            Minutes, inclusive.
        direction
            ``"to_site"``: from the demand point to the site; ``"from_site"``: the other way.
        max_snap_m, access_m_per_s
            As for `snap`.
        threads
            How many; the result does not depend on it.

        Returns
        -------
        times
            Sites × demand. `unreachable_sites` and `unreachable_demand` name the points farther than `max_snap_m` from any road.

        Raises
        ------
        UnknownModeError, CutoffError, MissingCRSError, FrameError, GeometryError
            If the mode, the cutoff, a CRS, ids or points cannot be used.
        """
        by = self._joining(mode, max_snap_m, access_m_per_s)
        return minutes.within(by, sites, demand, cutoff_min=cutoff_min, direction=direction, threads=threads)

    def nearest(
        self,
        sites: GeoDataFrame,
        demand: GeoDataFrame,
        *,
        mode: str,
        k: int = 1,
        cutoff_min: float | None = None,
        direction: Direction = "to_site",
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
    ) -> DataFrame:
        """Return, for every demand point, the site that is nearest by road and the minutes to it.

        Parameters
        ----------
        sites, demand
            Points in any CRS, reprojected to the network's; indexed by `site_id` and `demand_id`.
        mode
            A travel mode of this network, such as ``"drive"``.
        k
            How many sites for each point, the nearest first; of sites equally near the one whose id sorts first.
        cutoff_min
            Sites farther than this are not named; None for no limit.
        direction
            ``"to_site"``: from the demand point to the site; ``"from_site"``: the other way.
        max_snap_m, access_m_per_s
            As for `snap`.

        Returns
        -------
        nearest
            Indexed like `demand`: `site_id` and `nearest_min` (missing where no site can be reached); with `k` above 1
            `site_id_1`, `nearest_min_1`, `site_id_2` and so on.

        Raises
        ------
        UnknownModeError, CutoffError, MissingCRSError, FrameError, GeometryError
            If the mode, the cutoff, a CRS, ids or points cannot be used.
        """
        by = self._joining(mode, max_snap_m, access_m_per_s)
        return minutes.nearest(by, sites, demand, k=k, cutoff_min=cutoff_min, direction=direction)

    def node_times(
        self, node_ids: Iterable[Any], *, mode: str, cutoff_min: float, threads: int | None = None
    ) -> TravelTimes:
        """Return the minutes from some nodes to all nodes within the cutoff; a node reaches itself in 0.

        Returns
        -------
        times
            `site_ids` are the given nodes, `demand_ids` all nodes: the ids of `to_networkx`.

        Raises
        ------
        UnknownModeError, UnknownIdError, CutoffError
            If the network knows no such mode or node, or the cutoff is no number of minutes.
        """
        return minutes.from_nodes(self.prepared, node_ids, mode=mode, cutoff_min=cutoff_min, threads=threads)

    def catchments(
        self,
        sites: GeoDataFrame,
        *,
        mode: str,
        cutoffs_min: Sequence[float],
        direction: Direction = "to_site",
        buffer_m: float | None = None,
        within: GeoDataFrame | None = None,
        without: GeoDataFrame | None = None,
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
    ) -> GeoDataFrame:
        """Return polygons of the places from which each site is within each cutoff.

        They are drawings: whether a point is covered is decided by `travel_times`, never by a polygon. A place belongs to
        the road it would snap to, and is drawn where the minutes along it and those to walk there are within the cutoff:
        drawing and minutes agree, but for what changes within a cell of the grid (an eightieth of the way that is driven in the
        cutoff, or less). Holes larger than a few cells are kept, and a longer cutoff contains every shorter one.

        Parameters
        ----------
        sites
            Points in any CRS, reprojected to the network's; indexed by `facility_id`.
        mode
            A travel mode of this network, such as ``"drive"``.
        cutoffs_min
            Minutes, such as ``(5, 10, 15)``.
        direction
            ``"to_site"``: from where the site can be reached; ``"from_site"``: what can be reached from it.
        buffer_m
            Metres from a road that are drawn at most; None takes the mode's.
        within
            Land the catchments are clipped to.
        without
            Water that is cut out of them.
        max_snap_m, access_m_per_s
            As for `snap`.

        Returns
        -------
        catchments
            Indexed by (`facility_id`, `cutoff_min`): `area_km2`, geometry in EPSG:4326. A site too far from any road, or
            that reaches none within a cutoff, has no row there; ``.attrs["unreachable"]`` names the former.

        Raises
        ------
        UnknownModeError, CutoffError, MissingCRSError, FrameError, GeometryError
            If the mode, a cutoff, a CRS, ids or points cannot be used.
        """
        return drawn.catchments(
            self._joining(mode, max_snap_m, access_m_per_s),
            sites,
            cutoffs_min=cutoffs_min,
            direction=direction,
            buffer_m=buffer_m,
            within=within,
            without=without,
        )

    def route(
        self,
        a: GeoDataFrame,
        b: GeoDataFrame,
        mode: str,
        *,
        max_snap_m: float = MAX_SNAP_M,
        access_m_per_s: float | None = None,
    ) -> Route | None:
        """Return the quickest way from one point to another, and what its minutes are made of; None where there is none.

        Parameters
        ----------
        a, b
            Frames of one point each, in any CRS: where the way begins and where it ends.
        mode
            A travel mode of this network.
        max_snap_m, access_m_per_s
            As in `travel_times`.

        Returns
        -------
        route
            Its minutes are those of `travel_times`.

        Raises
        ------
        UnknownModeError, InputError, MissingCRSError, FrameError, GeometryError
            If the mode, a CRS or a point cannot be used, or a frame has not one row.
        """
        return way.quickest(self._joining(mode, max_snap_m, access_m_per_s), a, b)

    def with_changes(
        self,
        *,
        add: GeoDataFrame | None = None,
        close: GeoDataFrame | None = None,
        slow: GeoDataFrame | None = None,
    ) -> RoadNetwork:
        """Return this network with new, closed and slower roads; nothing is read again.

        Parameters
        ----------
        add
            New roads, one line a row, joined at their ends to roads within 25 m: `highway` (class; ``unclassified`` without),
            `speed_kph` (of modes that heed limits), `oneway`.
        close
            What is closed to every mode: roads as far as they lie in an area (a flood) or along a line (a bridge), or where a
            point stands on one; the rest of such a road stays open.
        slow
            The same of slower roads (at a point: from junction to junction): `factor` (how many times as long they take) or `speed_kph` (no faster than this).

        Returns
        -------
        network
            A network of its own; what lies outside the changes has the same minutes as before.

        Raises
        ------
        GeometryError, FrameError
            If a row has no shape or CRS, means no road, or says no class or speed that a mode can use.
        """
        parts = self.parts
        for change, rows in ((added, add), (slowed, slow), (closed, close)):
            parts = parts if rows is None or rows.empty else change(parts, rows)
        changed = RoadNetwork(parts)
        if parts.links.xy is self.parts.links.xy:
            # the same links, so the same cells
            changed.prepared.keep("snapper", lambda: self.prepared.snapper)
        return changed

    def with_speeds(
        self, mode: str, *, pace: Mapping[str, float] | None = None, delay: float = 1.0
    ) -> RoadNetwork:
        """Return this network with other speeds of one travel mode; nothing is read again.

        Parameters
        ----------
        mode
            A travel mode of this network.
        pace
            By class of road (`highway`), how many times as fast as now it is driven: 1.1 is a tenth faster; classes that are
            not here are driven as now.
        delay
            How many times as long as now every junction takes; only where the network knows its delays.

        Returns
        -------
        network
            With other minutes, and tables that say so; places, turns and everything else are shared.

        Raises
        ------
        UnknownModeError, InputError
            If the network was not built for `mode`, knows no such class, or a number is not above zero.
        """
        self.prepared.require_mode(mode)
        pace = dict(pace or {})
        unknown = sorted(set(pace) - set(self.links.classes))
        if unknown:
            raise InputError(
                f"pace: no road of class {some(unknown)}; there are {', '.join(self.links.classes)}"
            )
        wrong = [f"{name}: {x}" for name, x in {**pace, "delay": delay}.items() if not 0 < x < np.inf]
        if wrong:
            raise InputError(f"pace, delay: must be numbers above zero, not {some(wrong)}")
        parts = paced(self.parts, mode, pace, delay)
        changed = RoadNetwork(parts)
        # what is prepared does not depend on minutes, but for the graph itself
        vars(changed)["prepared"] = self.prepared.with_minutes(parts)
        return changed

    def to_networkx(self, *, mode: str) -> nx.DiGraph:
        """Return a DiGraph of exactly the graph the kernel runs on: parallel arcs reduced, loops left out.

        Nodes are those of `node_times` (as the caller named them) with `x` and `y`; edges carry ``<mode>_min``. Where a
        turn is forbidden or a barrier stands, a node is split into copies ``"<node>@<number>"``, one for each way in.

        Raises
        ------
        UnknownModeError
            If the network was not built for `mode`.
        """
        prepared = self.prepared
        prepared.require_mode(mode)
        xy = np.concatenate([self.node_xy, self.node_xy[prepared.turning(mode).origin]])
        return describe.to_networkx(
            prepared.graph(mode, reverse=False), prepared.kernel_ids(mode), xy, mode=mode, crs=self.crs
        )

    def summary(self) -> DataFrame:
        """Return what the network is, was made from and assumes, as (`subject`, `what`, `value`) rows.

        For each mode: kilometres of road open to it, and the strongly connected parts (islands, one-way traps): how
        many, and the share of nodes in the largest. Then everything that was counted while the network was built.
        """
        return describe.summary(self.parts, {mode: self.prepared.connected(mode) for mode in self.modes})

    def lines(self) -> GeoDataFrame:
        """Return all links for drawing: `highway` (class) and `length_m`, geometry in EPSG:4326.

        Raises
        ------
        MissingCRSError
            If the network was made without a CRS.
        """
        if self.crs is None:
            raise MissingCRSError(joining.NO_MAP)
        classes = np.array(self.links.classes, dtype=object)
        frame = gpd.GeoDataFrame(
            {"highway": classes[self.links.highway], "length_m": self.links.length_m},
            geometry=self.links.lines(),
            crs=self.crs,
        )
        return frame.to_crs(GEOGRAPHIC)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one file, which `roads.load` reads back bit by bit.

        Raises
        ------
        CannotWriteError
            If the folder or the disk refuses; an older file of that name is untouched.
        """
        storage.write_parts(self.parts, path)


def load(path: str | os.PathLike[str]) -> RoadNetwork:
    """Return the network that `RoadNetwork.save` wrote.

    Raises
    ------
    MissingFileError
        If there is no such file.
    IncompleteNetworkError
        If the file is no saved network, is of another version, cut short or damaged: not one bit may differ.
    """
    return RoadNetwork(storage.read_parts(path))


def junctions(network: RoadNetwork, *, mode: str | None = None) -> GeoDataFrame:
    """Return the nodes of `network` at which three or more ends of roads meet: points in its CRS, indexed by `node_id`.

    Parameters
    ----------
    network
        A road network.
    mode
        Only where roads meet that this mode may use, in parts of the network that are no stubs; None takes all roads.

    Returns
    -------
    junctions
        Points in the network's CRS, indexed by `node_id`.

    Raises
    ------
    UnknownModeError
        If the network was not built for `mode`.
    """
    parts = network.parts
    if mode is None:
        return describe.junctions(
            parts, np.ones(len(parts.links), bool), np.ones(len(parts.node_ids), dtype=bool)
        )
    prepared = network.prepared
    prepared.require_mode(mode)
    hangs = prepared.connected(mode)
    return describe.junctions(parts, (hangs.bits & USABLE) > 0, hangs.in_large(len(parts.node_ids)))


def pieces(
    network: RoadNetwork, areas: GeoSeries, *, reach_min: Mapping[str, float], margin_m: float
) -> Iterator[tuple[str, RoadNetwork]]:
    """Yield for each of `areas`, by its label, a network of the roads that matter to it; pieces overlap.

    Parameters
    ----------
    network
        The roads; they have a CRS.
    areas
        Polygons in any CRS, reprojected to the network's.
    reach_min
        By mode, within how many minutes of the area a road matters, there or back. Ways of at most so many minutes from or to
        the area take as long in its piece as in the whole network, and so do ways of twice as many between places in it.
    margin_m
        Roads so near to an area are taken for its own.

    Yields
    ------
    area_id, piece
        The label of an area as text, and its network.

    Raises
    ------
    UnknownModeError, MissingCRSError
        If the network was not built for a mode, or `areas` or the network have no CRS.
    """
    for mode in reach_min:
        network.prepared.require_mode(mode)
    if network.crs is None or areas.crs is None:
        what = (
            "network: was made without a CRS; give crs= to from_edges"
            if network.crs is None
            else "areas: have no CRS; set it with set_crs"
        )
        raise MissingCRSError(what)
    shapes = {str(area_id): shape for area_id, shape in areas.to_crs(network.crs).items()}
    for area_id, parts in cut.pieces(network.parts, shapes, reach_min=reach_min, margin_m=margin_m):
        yield area_id, RoadNetwork(parts)
