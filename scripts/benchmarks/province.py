"""The province: a run county by county over copies of the sample at a real province's density of roads, with memory over time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

APART_DEG = (2.4, 1.8)
"""How far copies of the sample lie from each other, east and north."""
A_ROW = 4
LOCAL = 7
"""A village has so many times so many crossings of local roads: with the sample's own roads some 16,000 nodes a county, as a real extract."""
STEP_DEG = 0.0016
NATION = 2_800
STUDY = """
[study]
name = "某省养老服务设施布局（测试）"
policy = "shaoyang_2025"
date = 2027-12-31
[boundaries]
units = "units.gpkg"
[facilities]
files = ["facilities.csv"]
coordinate_system = "wgs84"
[candidates]
files = ["candidates.csv"]
coordinate_system = "wgs84"
generate = 3
[demand]
villages = "villages.csv"
coordinate_system = "wgs84"
[roads]
source = "roads.osm.pbf"
[siting]
spread_min = 20
medical_min = 30
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the province benchmark needs to know."""
    parser.add_argument("--counties", type=int, default=122)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scheduler", help="a Dask scheduler whose workers are used instead")
    parser.add_argument(
        "--folder", type=Path, help="where the province and its results are kept; by default nowhere"
    )
    parser.add_argument("--quick", action="store_true", help="without [compare] and the page's own counting")


def run(arguments: argparse.Namespace) -> None:
    """Make the province, run it county by county, and print time and memory of client, roads and workers."""
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="province-"))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "study.toml").exists():
        # in a process of its own, so that what is measured is the run
        code = f"from benchmarks import province; province.write({str(folder)!r}, {arguments.counties}, quick={arguments.quick})"
        path = os.pathsep.join([str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")])
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})
    crew = (
        ["--scheduler", arguments.scheduler] if arguments.scheduler else ["--workers", str(arguments.workers)]
    )
    words = [
        sys.executable,
        "-m",
        "sy_coverage",
        "run",
        str(folder),
        "--by-county",
        *crew,
        "--out",
        str(folder / "out"),
    ]
    begun = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = list(_watched(process, begun))
    said = process.stdout.read() if process.stdout else ""
    took = time.monotonic() - begun
    print(said)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    _report(arguments, folder, seen, took)
    if arguments.folder is None:
        shutil.rmtree(folder)


def _report(arguments: argparse.Namespace, folder: Path, seen: list[dict[str, float]], took: float) -> None:
    print("      s   client MB  others MB  all MB  CPU s")
    for n in sorted({round(k * (len(seen) - 1) / 14) for k in range(15)}):
        row = seen[n]
        print(
            f"{row['at']:7.0f}  {row['client']:9.0f}  {row['others']:9.0f}  {row['all']:6.0f}  {row['cpu']:5.0f}"
        )
    peak = {name: max(row[name] for row in seen) for name in ("client", "others", "all", "cpu")}
    n = arguments.counties
    results = sum(p.stat().st_size for p in (folder / "out").rglob("*") if p.is_file())
    print(
        f"{n} counties: {took:.0f} s, {peak['cpu']:.0f} s CPU ({peak['cpu'] / n:.1f} a county); peak {peak['all']:.0f} MB of all processes, "
        f"client {peak['client']:.0f} MB; results {results / 1e6:.0f} MB; map {(folder / 'out' / 'map.html').stat().st_size / 1e6:.2f} MB"
    )
    print(
        f"estimated for {NATION:,} counties (not run): {NATION * peak['cpu'] / n / 3600:.1f} hours of one core, {NATION * results / n / 1e9:.1f} GB of results"
    )


def _watched(process: subprocess.Popen[str], begun: float) -> Iterator[dict[str, float]]:
    """Yield every second the memory (proportional shares) and processor time of a process and all below it, until it ends."""
    spent: dict[int, float] = {}
    while process.poll() is None:
        sizes = {}
        for pid in (process.pid, *_below(process.pid)):
            try:
                sizes[pid] = _pss_mb(pid)
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                spent[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, ValueError, IndexError):  # it has just ended
                continue
        own = sizes.pop(process.pid, 0.0)
        others = sum(sizes.values())
        yield {
            "at": time.monotonic() - begun,
            "client": own,
            "others": others,
            "all": own + others,
            "cpu": sum(spent.values()),
        }
        time.sleep(1)


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    return 0.0


def _below(pid: int) -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    found, waiting = [], [pid]
    while waiting:
        here = waiting.pop()
        own = [child for child, parent in parents.items() if parent == here]
        found += own
        waiting += own
    return found


# --- the province -----------------------------------------------------------------------------------------------------


def write(folder: str, counties: int, *, quick: bool) -> None:
    """Write a study of so many counties: the sample again and again, with local roads in every village."""
    import pandas as pd

    from sy_coverage import sample_study

    target, sample = Path(folder), sample_study()
    frames = {
        "units": sample.units,
        "facilities": sample.facilities[sample.facilities.geometry.notna()],
        "candidates": sample.given_candidates[sample.given_candidates.geometry.notna()],
        "villages": sample.demand,
    }
    every = [(k, c) for k in range(-(-counties // 12)) for c in sample.counties][:counties]
    made: dict[str, list[Any]] = {name: [] for name in frames}
    for copy in range(-(-counties // 12)):
        own = {c for k, c in every if k == copy}
        for name, frame in frames.items():
            made[name].append(_moved(frame[frame["county_id"].isin(own)], copy))
    joined = {name: pd.concat(parts) for name, parts in made.items()}
    joined["units"].reset_index().to_file(target / "units.gpkg", layer="units", driver="GPKG")
    for name in ("facilities", "candidates", "villages"):
        frame = joined[name]
        flat = pd.DataFrame(frame.drop(columns="geometry")).assign(lon=frame.geometry.x, lat=frame.geometry.y)
        (target / f"{name}.csv").write_text(flat.reset_index().to_csv(index=False), encoding="utf-8")
    nodes = _write_roads(target / "roads.osm.pbf", joined["villages"], copies=-(-counties // 12))
    print(
        f"a province of {counties} counties, {len(joined['units']):,} units, {len(joined['villages']):,} villages, {nodes:,} road nodes"
    )
    options = (
        '[map]\nwhat_if = "off"\n[compare]\ntrade_off_points = 0\nclosures = false\nrule = false\ncutoff_factors = []\n'
        if quick
        else ""
    )
    (target / "study.toml").write_text(STUDY + options, encoding="utf-8")


_KEPT = {
    "units": ("name", "kind", "county_id", "county", "boundary_quality"),
    "facilities": ("name", "kind", "status", "unit_id", "county_id", "beds", "nursing_beds", "has_medical"),
    "candidates": ("name", "kind", "unit_id", "county_id", "cost", "premises", "beds"),
    "villages": ("name", "elders", "elders_65", "elders_80", "households", "unit_id", "county_id"),
}


def _shift(copy: int) -> tuple[float, float]:
    return APART_DEG[0] * (copy % A_ROW), APART_DEG[1] * (copy // A_ROW)


def _moved(frame: Any, copy: int) -> Any:
    name = {
        "unit_id": "units",
        "facility_id": "facilities",
        "candidate_id": "candidates",
        "demand_id": "villages",
    }[frame.index.name]
    kept = frame[[*(c for c in _KEPT[name] if c in frame.columns), "geometry"]].copy()
    kept["geometry"] = kept.geometry.translate(*_shift(copy))

    def coded(code: Any) -> Any:
        return f"{code[:2]}{copy + 10:02d}{code[4:]}" if isinstance(code, str) and code.isdigit() else code

    for column in ("county_id", "unit_id"):
        if column in kept.columns:
            kept[column] = kept[column].map(coded)
    if "county" in kept.columns:
        kept["county"] = kept["county"] + f"{copy + 1:02d}"
    kept.index = kept.index.map(coded) if name == "units" else kept.index + f"-{copy}"
    return kept


def _write_roads(path: Path, villages: Any, *, copies: int) -> int:
    """Write the sample's roads for each copy, and in each village crossing local roads tied to its nearest road; return the nodes."""
    import numpy as np
    import osmium
    from scipy.spatial import cKDTree

    from sy_coverage import _files

    nodes, ways = [], []
    for thing in osmium.FileProcessor(str(_files.sample_folder() / "roads.osm.pbf")):
        if thing.is_node():
            nodes.append((thing.id, thing.location.lon, thing.location.lat))
        elif thing.is_way():
            ways.append(([n.ref for n in thing.nodes], dict(thing.tags)))
    place = {node: n for n, (node, _, _) in enumerate(nodes)}
    base = np.array([(lon, lat) for _, lon, lat in nodes])
    points = [base + _shift(copy) for copy in range(copies)]
    roads = [
        ([place[r] + copy * len(base) for r in refs], tags) for copy in range(copies) for refs, tags in ways
    ]
    trunk = np.vstack(points)
    _, nearest = cKDTree(trunk).query(np.column_stack([villages.geometry.x, villages.geometry.y]))
    count = len(trunk)
    steps = (np.arange(LOCAL) - LOCAL // 2) * STEP_DEG
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    local = {"highway": "residential"}
    for (x, y), joint in zip(
        zip(villages.geometry.x, villages.geometry.y, strict=True), nearest, strict=True
    ):
        points.append(np.add(grid, (x, y)))
        for k in range(LOCAL):
            roads.append(([count + k * LOCAL + j for j in range(LOCAL)], local))
            roads.append(([count + j * LOCAL + k for j in range(LOCAL)], local))
        roads.append(([int(joint), count + LOCAL * LOCAL // 2], {"highway": "unclassified"}))
        count += len(grid)
    xy = np.vstack(points)
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for n, (lon, lat) in enumerate(xy):
            writer.add_node(osmium.osm.mutable.Node(id=n + 1, version=1, location=(float(lon), float(lat))))
        for n, (refs, tags) in enumerate(roads):
            writer.add_way(
                osmium.osm.mutable.Way(id=n + 1, version=1, nodes=[r + 1 for r in refs], tags=tags)
            )
    return len(xy)
