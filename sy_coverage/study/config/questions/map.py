"""Look up what `[map]` of a study file may say."""

from __future__ import annotations

from typing import Literal

from sy_coverage.study.config.section import Section


class MapOptions(Section):
    """`[map]`: what a map must carry."""

    approval_number: str = ""
    """审图号, printed on every map."""
    base_map: Literal["tianditu", "osm", "gaode"] | None = None
    """An online base map; without one a map asks nobody for anything. Servers of OpenStreetMap may refuse a page that is opened from
    a disk and not from a web site."""
    key_in_page: bool = False
    """Whether a map over Tianditu carries the key (of type browser, from TIANDITU_BROWSER_KEY) where everybody can read it; without,
    the page asks its reader for one."""
    what_if: Literal["off", "recount", "plan"] = "plan"
    """What the map of a county lets its reader do: switch sites on and off and have them counted again in the page (``recount``), and
    have the county planned again there too (``plan``; the page holds a solver and takes 2 MB more)."""
