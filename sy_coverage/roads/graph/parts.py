"""Hold the parts of a road network: what is saved, and what a travel time can depend on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.travel_modes import TravelMode


@dataclass(frozen=True, eq=False)
class RoadParts:
    """Nodes and links of a road network with minutes by travel mode, and where they come from."""

    node_ids: Array
    """What the caller called the nodes: int64, or text as object."""
    node_xy: Array
    """float64 of shape (nodes, 2), metres."""
    links: Links
    crs: str | None
    """The metric CRS, such as ``"EPSG:4546"``; None if the caller named none."""
    source: str = ""
    """What the network was made from: a file's name and digest, or a word."""
    notes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What was counted, assumed or left out while it was built."""
    forbidden: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    """By mode, paths that may not be gone: int64 (paths, 2 m), links and directions (0 along, 1 against), filled up with −1."""
    ends_only: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    """By mode, positions of the links that a trip may use only where it begins or ends: int64."""
    tables: Mapping[str, TravelMode] = field(default_factory=lambda: MappingProxyType({}))
    """By mode, the speeds, delays and slopes its minutes were worked out with; none where the minutes were given."""

    @property
    def modes(self) -> tuple[str, ...]:
        """The travel modes the network was built for."""
        return tuple(self.links.minutes)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything a travel time can depend on."""
        links = self.links
        total = hashlib.sha256(f"{self.crs}\n{self.modes}\n{links.classes}".encode())
        total.update("\n".join(map(str, self.node_ids.tolist())).encode())
        arrays = (self.node_xy, links.tail, links.head, links.length_m, links.highway, links.xy, links.start)
        for array in (*arrays, *links.minutes.values(), *self.forbidden.values(), *self.ends_only.values()):
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()
