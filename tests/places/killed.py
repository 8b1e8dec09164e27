"""Locate twelve rows through a scripted server, in a process that the test kills."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd

from sy_coverage._fetch import Cache, Client
from sy_coverage.places import geocode
from sy_coverage.places.locating.providers import Amap
from tests import toy

ADDRESSES = [f"某镇某村{i}号" for i in range(12)]


def run(url: str, cache: str, out: str) -> None:
    """Locate every address and write the result whole or not at all."""
    index = pd.Index([f"F{i:02d}" for i in range(len(ADDRESSES))], name="facility_id")
    frame = gpd.GeoDataFrame(
        {"name": "某敬老院", "kind": "township_home", "address": ADDRESSES},
        geometry=[None] * 12,
        index=index,
        crs="EPSG:4326",
    )
    client = Client(
        frozenset({"localhost"}), cache=Cache(cache), loopback=True, resolve=lambda *_: ["127.0.0.1"]
    )
    found = geocode(frame, [Amap(client, None, url)], units=toy.units())
    part = Path(out).with_suffix(".part")
    part.write_text(found.drop(columns="location_time").to_json(), encoding="utf-8")
    part.replace(out)


if __name__ == "__main__":
    run(*sys.argv[1:])
