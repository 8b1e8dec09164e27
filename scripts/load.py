"""Run one study as large as a province's; see whether it finishes, in how much memory, and whether its progress is alive.

    .venv/bin/python scripts/load.py [--facilities 20000] [--villages 50000] [--units 500] [--nodes 1000000] [--most-gb 8]

Invents the study (a grid of roads 100 m apart, units of a hundred villages each, facilities of every kind), runs it in a
process of its own (with --workers on so many more), and prints seconds and memory by stage and the longest time in which progress said
nothing. Exits with 1 when the run fails, a plan is not found, progress is silent for more than --most-silent seconds, the run needs more
than --most-gb, or a list is of other than these sizes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from benchmarks._memory import peak_mb  # noqa: E402

from tests import study_folder  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

WEST, SOUTH = 110.5, 26.5
STEP_LON, STEP_LAT = 0.001, 0.0009
"""About 100 m at this latitude."""
STREETS = 8
"""Units of a county that are streets; the others are townships."""
COUNTY_UNITS = 50
SHARES = {
    "service_centre": 0.015,
    "township_home": 0.02,
    "nursing_home": 0.025,
    "regional_home": 0.0005,
    "dementia_unit": 0.0005,
    "medical": 0.04,
    "station": 0.1,
    "meal_point": 0.1,
}
"""Of all facilities; the rest are village stations."""
CANDIDATES = {"service_centre": 3, "dementia_unit": 0.3, "regional_home": 0.4}
"""Listed for each unit."""


def write_study(folder: Path, *, facilities: int, villages: int, units: int, nodes: int) -> Path:
    """Write the invented study and return the path of its study file."""
    chance = np.random.default_rng(20_000)
    side = round(nodes**0.5)
    _roads(folder / "roads.osm.pbf", side)
    frame = _units(units, side)
    villages_ = _points(frame, villages, chance, "demand_id", "V")
    villages_["elders"] = chance.integers(20, 400, villages)
    kinds = np.repeat(list(SHARES), [int(share * facilities) for share in SHARES.values()])
    kinds = np.concatenate([kinds, np.full(facilities - len(kinds), "village_station")])
    facilities_ = _points(frame, facilities, chance, "facility_id", "F").assign(
        kind=chance.permutation(kinds), status="open", beds=chance.integers(5, 200, facilities)
    )
    listed = chance.permutation(
        np.repeat(list(CANDIDATES), [int(each * units) for each in CANDIDATES.values()])
    )
    candidates = _points(frame, len(listed), chance, "candidate_id", "C").assign(
        kind=listed, cost=chance.integers(40, 300, len(listed)), premises="new"
    )
    return study_folder.write_study(
        folder,
        name="负载试验",
        units=frame,
        facilities=facilities_,
        candidates=candidates,
        villages=villages_,
        roads="roads.osm.pbf",
        spread_min=20,
    )


def _units(count: int, side: int) -> gpd.GeoDataFrame:
    columns = int(np.ceil(count**0.5))
    rows = -(-count // columns)
    width, height = side * STEP_LON / columns, side * STEP_LAT / rows
    found = []
    for n in range(count):
        west, south = WEST + (n % columns) * width, SOUTH + (n // columns) * height
        county, own = divmod(n, COUNTY_UNITS)
        is_street = own < STREETS
        found.append(
            {
                "unit_id": f"99{county + 1:02d}00{own + 1 if is_street else 100 + own:03d}",
                "name": f"第{n}{'街道' if is_street else '镇'}",
                "county_id": f"99{county + 1:02d}00",
                "county": f"第{county + 1}县",
                "geometry": box(west, south, west + width, south + height),
            }
        )
    return gpd.GeoDataFrame(found, crs="EPSG:4326").set_index("unit_id")


def _points(
    units: gpd.GeoDataFrame, count: int, chance: np.random.Generator, index: str, letter: str
) -> gpd.GeoDataFrame:
    """Return points dealt out to the units in turn, each somewhere inside its own."""
    own = np.arange(count) % len(units)
    bounds = units.geometry.bounds.to_numpy()[own]
    at = bounds[:, :2] + chance.uniform(0.02, 0.98, (count, 2)) * (bounds[:, 2:] - bounds[:, :2])
    return gpd.GeoDataFrame(
        {
            "name": [f"示例{letter}{n}" for n in range(count)],
            "unit_id": units.index.to_numpy()[own],
            "county_id": units["county_id"].to_numpy()[own],
        },
        geometry=gpd.points_from_xy(*at.round(6).T),
        index=pd.Index([f"{letter}{n:06d}" for n in range(count)], name=index),
        crs="EPSG:4326",
    )


def _roads(path: Path, side: int) -> None:
    """Write a grid of `side` × `side` junctions; every tenth road is a fast one."""
    import osmium

    with osmium.SimpleWriter(str(path)) as writer:
        for n in range(side * side):
            place = (WEST + (n % side) * STEP_LON, SOUTH + (n // side) * STEP_LAT)
            writer.add_node(osmium.osm.mutable.Node(id=n + 1, version=1, location=place))
        lines = [range(r * side, (r + 1) * side) for r in range(side)]
        lines += [range(c, side * side, side) for c in range(side)]
        for number, line in enumerate(lines):
            tags = {"highway": "secondary" if number % 10 == 0 else "residential"}
            refs = [n + 1 for n in line]
            writer.add_way(osmium.osm.mutable.Way(id=number + 1, version=1, nodes=refs, tags=tags))


class Listener:
    """Note when each stage begins, moves and ends, and how much memory there was."""

    def __init__(self) -> None:
        """Begin to listen now."""
        self.last = self.began = time.monotonic()
        self.longest, self.silent_in = 0.0, ""

    def heard(self, stage: str) -> None:
        """Note that progress spoke."""
        now = time.monotonic()
        if now - self.last > self.longest:
            self.longest, self.silent_in = now - self.last, stage
        self.last = now

    @contextmanager
    def __call__(self, stage: str, *, total: int = 1) -> Iterator[object]:
        """Be a study's progress."""
        self.heard(f"before {stage}")
        begun = time.monotonic()
        yield lambda: self.heard(stage)
        self.heard(stage)
        seconds = time.monotonic() - begun
        print(
            f"  {stage:<12} {seconds:8.1f} s  {total:6,} steps  peak so far {peak_gb():5.2f} GB", flush=True
        )


def peak_gb() -> float:
    """Return the most memory this process has had, in GB."""
    return peak_mb() * 2**20 / 1e9


def work(study_file: Path, out: Path, sizes: dict[str, int], given: argparse.Namespace) -> None:
    """Run the study in this process; leave with 1 if it does not end as it should."""
    from sy_coverage import counties, read_study

    listener = Listener()
    study = read_study(study_file, progress=listener)
    if given.workers:
        failed = counties.run(study, out, workers=given.workers).failed
        if failed:
            sys.exit(f"counties failed: {dict(failed)}")
    else:
        study.save(out)
    listener.heard("the end")
    found = {
        "facilities": len(study.facilities),
        "villages": len(study.demand),
        "units": len(study.units),
        "nodes": len(study.network.node_ids),
    }
    seconds = time.monotonic() - listener.began
    megabytes = sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6
    print(
        f"done in {seconds:.0f} s ({time.process_time():.0f} s of processor time), peak {peak_gb():.2f} GB, results {megabytes:.0f} MB"
    )
    print(f"progress was silent for at most {listener.longest:.1f} s ({listener.silent_in})")
    statuses = study.findings.counties["status"].value_counts().to_dict()
    print(f"plans: {statuses}")
    if not set(statuses) <= {"optimal", "feasible"}:
        sys.exit(f"asked for a plan of every county, not {statuses}")
    if listener.longest > given.most_silent:
        sys.exit(f"asked for progress every {given.most_silent} s at least")
    print(f"read: {found}")
    # a corner of the grid, where a road ends into another, is no junction
    lost = {name: size - found[name] for name, size in sizes.items()}
    if any(lost.values()) and not (lost["nodes"] <= 4 and sum(lost.values()) == lost["nodes"]):
        sys.exit(f"asked for {sizes}")
    if peak_gb() > given.most_gb:
        sys.exit(f"asked for at most {given.most_gb} GB")


def main() -> None:
    """Invent the study, and run it in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--facilities", type=int, default=20_000)
    parser.add_argument("--villages", type=int, default=50_000)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--nodes", type=int, default=1_000_000, help="rounded to a square")
    parser.add_argument("--most-gb", type=float, default=8.0)
    parser.add_argument("--most-silent", type=float, default=120.0, help="seconds without a word of progress")
    parser.add_argument("--workers", type=int, default=0, help="0: this process alone")
    given = parser.parse_args()
    sizes = {name: getattr(given, name) for name in ("facilities", "villages", "units")}
    sizes["nodes"] = round(given.nodes**0.5) ** 2
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        folder = Path(name)
        begun = time.monotonic()
        study_file = write_study(folder, **sizes)
        print(f"invented {sizes} in {time.monotonic() - begun:.0f} s", flush=True)
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(study_file, folder / "out", sizes, given)
        )
        process.start()
        process.join()
    sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
