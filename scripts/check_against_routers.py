"""Compare ways, minutes and reach with OSRM and Valhalla, two independent routers, by car and on foot, and explain what differs.

Both routers come in wheels for Python 3.12, in an environment of their own:

    python3.12 -m venv routers && routers/bin/pip install osrm-bindings pyvalhalla
    python scripts/check_against_routers.py malta.osm.pbf liechtenstein.osm.pbf --python routers/bin/python --report docs/routers.md

Of 300 pairs of junctions the metres of the shortest way are compared, so that speeds play no part and only access, one-way
streets, barriers, bans and lengths can differ (OSRM's quickest way on foot: it walks at one speed); and the minutes of the
quickest, which are stated and not tuned to.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from sy_coverage import roads
from sy_coverage.roads import travel_mode

KPH = 60.0
PAIRS, CENTRES = 300, 8
FAR_M = 12.0
"""What is farther from another line goes another way."""
ALIKE_SHARE, ALIKE_M = 0.03, 100.0
"""A way that differs by no more than either is the same way, measured or entered otherwise."""
REACH_MIN = {"drive": 10.0, "walk": 15.0}
ELLIPSOID = pyproj.Geod(ellps="WGS84")
ASKS = Path(__file__).with_name("ask_routers.py")


def one_speed(name: str) -> Any:
    """Return a travel mode whose quickest way is its shortest: one speed for all roads, no delays, every surface alike."""
    usual = travel_mode(name)
    open_ = {
        table: {word: float(share > 0) for word, share in getattr(usual, table).items()}
        for table in (
            "surface_factor",
            "smoothness_factor",
            "tracktype_factor",
            "usual_factor",
            "condition_factor",
        )
    }
    return travel_mode(
        name,
        {
            "speed_kph": dict.fromkeys(usual.speed_kph, KPH),
            "service_kph": dict.fromkeys(usual.service_kph, KPH),
            "junction_s": dict.fromkeys(usual.junction_s, 0.0),
            "signal_s": 0.0,
            "ford_s": 0.0,
            **open_,
            "ferry_kph": 0.0,
            "uses_maxspeed": False,
            "most_kph": KPH,
            "opened_kph": KPH,
        },
    )


def sampled(net: roads.RoadNetwork, modes: tuple[str, ...], seed: int) -> gpd.GeoDataFrame:
    """Return junctions that every mode uses, the ends of the pairs one after another."""
    places = [roads.junctions(net, mode=mode) for mode in modes]
    both = places[0][places[0].index.isin(places[1].index)]
    chosen = np.random.default_rng(seed).choice(len(both), 2 * PAIRS, replace=len(both) < 2 * PAIRS)
    found = both.iloc[chosen].reset_index(drop=True)
    return found.set_index(pd.Index([f"p{i}" for i in range(len(found))]))


def ours(net: roads.RoadNetwork, points: gpd.GeoDataFrame, mode: str) -> list[Any]:
    """Return our way of every pair, None where there is none."""
    return [net.route(points.iloc[[i]], points.iloc[[i + 1]], mode) for i in range(0, len(points), 2)]


def roads_near(net: roads.RoadNetwork, shape: Any, mode: str) -> Counter[str]:
    """Return the metres of our roads under a line in degrees, by class; what no road of ours is under is ``none``."""
    to = pyproj.Transformer.from_crs(4326, net.crs, always_xy=True)
    line = shapely.transform(shape, lambda xy: np.column_stack(to.transform(*xy.T)))
    links = net.links.lines()
    tree = shapely.STRtree(links)
    around = line.buffer(FAR_M)
    near = tree.query(around, predicate="intersects")
    found: Counter[str] = Counter()
    for i in near.tolist():
        inside = shapely.intersection(links[i], around).length
        if inside < FAR_M:
            continue
        open_ = np.isfinite(net.links.minutes[mode][i])
        state = "" if open_.all() else " (one way)" if open_.any() else " (closed)"
        private = (
            " (for its ends only)" if i in set(net.parts.ends_only.get(mode, np.zeros(0)).tolist()) else ""
        )
        found[net.links.classes[net.links.highway[i]] + state + private] += inside
    if not found:
        found["none"] = line.length
    return found


def explained(net: roads.RoadNetwork, route: Any, theirs: dict[str, Any] | None, mode: str) -> str:
    """Return in words why two ways differ: on which of our roads only one of them goes."""
    if route is None or theirs is None:
        return "only one of the two has a way" if (route is None) != (theirs is None) else "neither has a way"
    to = pyproj.Transformer.from_crs(4326, net.crs, always_xy=True)
    back = pyproj.Transformer.from_crs(net.crs, 4326, always_xy=True)
    flat = [
        shapely.transform(g, lambda xy: np.column_stack(to.transform(*xy.T)))
        for g in (route.geometry, shapely.LineString(theirs["line"]))
    ]
    shorter = 0 if route.metres < theirs["metres"] else 1
    apart = flat[shorter].difference(flat[1 - shorter].buffer(FAR_M))
    if apart.length < FAR_M:
        return "the same way, entered or left at another side"
    shape = shapely.transform(apart, lambda xy: np.column_stack(back.transform(*xy.T)))
    kinds = roads_near(net, shape, mode)
    who = ("only ours goes", "only theirs goes")[shorter]
    if not shorter:
        # a road that is closed to us only runs beside ours
        kinds = (
            Counter({kind: metres for kind, metres in kinds.items() if not kind.endswith("(closed)")})
            or kinds
        )
    kind = max(kinds, key=lambda k: kinds[k])
    return f"{who}: {kind}"


def compared(
    net: roads.RoadNetwork, found: list[Any], theirs: list[Any], mode: str
) -> tuple[dict[str, Any], Counter[str]]:
    """Return the distribution of metres of ours to theirs, and the causes of those that differ."""
    why: Counter[str] = Counter()
    ratios = []
    for route, other in zip(found, theirs, strict=True):
        if route is None or other is None:
            why[explained(net, route, other, mode)] += 1
            continue
        other = {**other, "metres": float(ELLIPSOID.line_length(*np.array(other["line"]).T))}  # noqa: PLW2901
        along = route.metres - float(route.parts.loc[route.parts["what"] == "access", "metres"].sum())
        ratios.append(along / max(other["metres"], 1.0))
        if abs(along - other["metres"]) > max(ALIKE_SHARE * other["metres"], ALIKE_M):
            why[explained(net, route, other, mode)] += 1
    share = np.quantile(ratios, [0.05, 0.5, 0.95]) if ratios else [np.nan] * 3
    alike = float(np.mean(np.abs(np.array(ratios) - 1) <= ALIKE_SHARE)) if ratios else np.nan
    return {
        "pairs": len(ratios),
        "5 %": share[0],
        "median": share[1],
        "95 %": share[2],
        "within 3 %": alike,
    }, why


def minutes_of(found: list[Any], theirs: list[Any]) -> dict[str, Any]:
    """Return the distribution of our minutes to theirs."""
    both = [
        (r.minutes, t["seconds"] / 60)
        for r, t in zip(found, theirs, strict=True)
        if r is not None and t is not None and t["seconds"] > 60
    ]
    ratio = np.array([a / b for a, b in both])
    low, middle, high = np.quantile(ratio, [0.05, 0.5, 0.95])
    return {"pairs": len(both), "5 %": low, "median": middle, "95 %": high}


def overlap(net: roads.RoadNetwork, places: gpd.GeoDataFrame, shapes: list[Any], mode: str) -> list[float]:
    """Return for each centre the share of both drawings that lies in both (intersection over union)."""
    drawn = net.catchments(places, mode=mode, cutoffs_min=(REACH_MIN[mode],)).to_crs(net.crs)
    found = []
    for (site, _), own in drawn.geometry.items():
        shape = shapes[list(places.index).index(site)]
        if shape is None:
            continue
        other = gpd.GeoSeries([shapely.geometry.shape(shape)], crs=4326).to_crs(net.crs).iloc[0].buffer(0)
        found.append(own.intersection(other).area / own.union(other).area)
    return found


def check(extract: str, python: str, seed: int) -> list[str]:
    """Return the lines of the report on one extract."""
    modes = ("drive", "walk")
    flat = roads.read_osm(extract, modes=tuple(one_speed(mode) for mode in modes))
    usual = roads.read_osm(extract, modes=modes)
    points = sampled(flat, modes, seed)
    degrees = points.to_crs(4326).geometry
    pairs = [[a.x, a.y, b.x, b.y] for a, b in zip(degrees.iloc[::2], degrees.iloc[1::2], strict=True)]
    centres = points.iloc[:CENTRES]
    asked: dict[str, Any] = {"extract": str(Path(extract).resolve()), "pairs": dict.fromkeys(modes, pairs)}
    asked["centres"] = {m: [[p.x, p.y, REACH_MIN[m]] for p in degrees.iloc[:CENTRES]] for m in modes}
    with tempfile.TemporaryDirectory() as folder:
        asked["folder"] = folder
        told = subprocess.run(
            [python, ASKS], input=json.dumps(asked), check=True, capture_output=True, text=True
        ).stdout
    answers = json.loads(told[told.index('{"osrm"') :])
    lines = [f"## {Path(extract).name}", "", f"{len(flat.node_ids):,} nodes; {PAIRS} pairs, seed {seed}.", ""]
    lines += ["| | router | pairs | 5 % | median | 95 % | within 3 % |", "|---|---|---|---|---|---|---|"]
    causes = []
    for mode in modes:
        short, quick = ours(flat, points, mode), ours(usual, points, mode)
        for router in ("osrm", "valhalla"):
            held = answers[router][mode]
            metres, why = compared(flat, short, held["shortest"], mode)
            taken = minutes_of(quick, held["quickest"])
            for what, row in (("metres", metres), ("minutes", taken)):
                same = f"{row['within 3 %']:.1%}" if "within 3 %" in row else ""
                lines.append(
                    f"| {mode}, {what} | {router} | {row['pairs']} | {row['5 %']:.3f} | {row['median']:.3f} | {row['95 %']:.3f} | {same} |"
                )
            causes += [f"- {mode}, {router}: {count} × {cause}" for cause, count in why.most_common()]
    lines += [
        "",
        "Pairs whose metres differ by more than 3 % and 100 m, or of which only one has a way:",
        "",
        *(causes or ["- none"]),
        "",
    ]
    for mode in modes:
        shares = overlap(usual, centres, answers["isochrones"][mode], mode)
        if shares:
            lines.append(f"Reach within {REACH_MIN[mode]:g} minutes, {mode}, beside Valhalla's isochrones: of both together "
                         f"{np.median(shares):.0%} lies in both (median of {len(shares)}; {min(shares):.0%} to {max(shares):.0%}).")  # fmt: skip
    return [*lines, ""]


def main() -> None:
    """Check every extract and print or write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extracts", nargs="+")
    parser.add_argument("--python", required=True, help="an interpreter with osrm-bindings and pyvalhalla")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lines = ["# Beside two other routers", ""]
    lines += [*" ".join((__doc__ or "").split("\n\n")[-1].split("\n")).strip().split("\n"), ""]
    lines += ["Ratios are ours to theirs.", ""]
    for extract in given.extracts:
        lines += check(extract, given.python, given.seed)
        print("\n".join(lines), flush=True)
    if given.report:
        given.report.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
