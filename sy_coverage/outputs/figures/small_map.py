"""Draw a small map of the surroundings of one point: roads, villages, the point, scale and north."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from sy_coverage import labels
from sy_coverage._frames import metric_crs
from sy_coverage.outputs.figures import canvas
from sy_coverage.outputs.text import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from sy_coverage.outputs.findings import Findings

REACH_M = 2_000.0
"""So far the map reaches to each side of its point."""
REACH_DEGREES = 0.06
"""As far at least, in degrees, as far north as people live."""
PIXELS = 720
SCALE_M = 1_000
_WIDTHS = {"motorway": 9, "trunk": 8, "primary": 7, "secondary": 5, "tertiary": 4}


class Surroundings:
    """What lies around the sites of one scope, projected once."""

    def __init__(self, findings: Findings) -> None:
        crs = metric_crs(findings.units)
        self._language = findings.language
        self._sites = findings.proposals.to_crs(crs)
        # only what lies near a site need be projected
        around = shapely.get_coordinates(findings.proposals.to_crs(findings.roads.crs).geometry)
        degrees = shapely.box(*(around - REACH_DEGREES).T, *(around + REACH_DEGREES).T)
        near = findings.roads.sindex.query(degrees, predicate="intersects")[1]
        self._roads = findings.roads.iloc[np.unique(near)].to_crs(crs)
        self._homes = findings.demand.to_crs(crs)
        self._tree = shapely.STRtree(self._roads.geometry.to_numpy())

    def png(self, candidate_id: str) -> bytes:
        """Return the map around one site."""
        point = self._sites.geometry[candidate_id]
        image = Image.new("RGB", (PIXELS, PIXELS), canvas.PAPER)
        pen = ImageDraw.Draw(image)
        box = point.buffer(REACH_M, cap_style="square")
        kinds = self._roads["highway"].astype(str).str.removesuffix("_link").to_numpy()
        for n in sorted(self._tree.query(box, predicate="intersects")):
            width = _WIDTHS.get(kinds[n], 2)
            for line in _lines(self._roads.geometry.iloc[n].intersection(box)):
                pen.line(_pixels(line, point), fill="#8a7f76", width=width, joint="curve")
        near = self._homes[self._homes.geometry.within(box)].sort_index()
        for name, home in zip(near["name"], near.geometry, strict=True):
            ((x, y),) = _pixels(home, point)
            pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=canvas.TODAY)
            pen.text((x + 9, y - 12), fmt.plain(name)[:8], fill=canvas.SOFT, font=_font(20))
        self._furnish(pen)
        out = io.BytesIO()
        image.save(out, "PNG", compress_level=4)
        return out.getvalue()

    def _furnish(self, pen: ImageDraw.ImageDraw) -> None:
        middle, bar = PIXELS / 2, PIXELS * SCALE_M / (2 * REACH_M)
        pen.ellipse((middle - 16, middle - 16, middle + 16, middle + 16), outline=canvas.WARN, width=6)
        pen.line([(24, PIXELS - 24), (24 + bar, PIXELS - 24)], fill=canvas.INK, width=5)
        length = labels.text("outputs.kilometres", self._language, length=f"{SCALE_M / 1000:g}")
        pen.text((24, PIXELS - 58), length, fill=canvas.INK, font=_font(24))
        pen.line([(PIXELS - 32, 84), (PIXELS - 32, 40)], fill=canvas.INK, width=4)
        pen.polygon([(PIXELS - 42, 48), (PIXELS - 22, 48), (PIXELS - 32, 24)], fill=canvas.INK)
        north = labels.text("outputs.north", self._language)
        pen.text((PIXELS - 44, 88), north, fill=canvas.INK, font=_font(24))
        pen.rectangle((0, 0, PIXELS - 1, PIXELS - 1), outline=canvas.RULE, width=2)


def _pixels(shape: BaseGeometry, middle: Any) -> list[tuple[float, float]]:
    at = shapely.get_coordinates(shape)
    x = (at[:, 0] - middle.x + REACH_M) * PIXELS / (2 * REACH_M)
    y = (middle.y + REACH_M - at[:, 1]) * PIXELS / (2 * REACH_M)
    return list(zip(np.round(x, 1).tolist(), np.round(y, 1).tolist(), strict=True))


def _lines(shape: BaseGeometry) -> Iterator[BaseGeometry]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString" and not part.is_empty:  # beside a square: an empty line
            yield part


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    content = files("sy_coverage.outputs.figures").joinpath("fonts", canvas.FACE).read_bytes()
    return ImageFont.truetype(io.BytesIO(content), size)


def surroundings(findings: Findings) -> Surroundings | None:
    """Return what lies around the sites of `findings`, or None where none is proposed."""
    located: GeoDataFrame = findings.proposals[findings.proposals.geometry.notna()]
    return None if located.empty else Surroundings(findings)
