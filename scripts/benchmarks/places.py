"""The places: reading a list of 10,000 facilities and locating them by the names of the sample's towns and villages."""

from __future__ import annotations

import csv
import io
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _memory

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

GOAL_S = 10.0
"""Reading and locating 10,000 facilities by the gazetteer takes at most so long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how long the list is."""
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=10)


def run(arguments: argparse.Namespace) -> None:
    """Write a list as an office keeps it, read it as CSV and as a workbook, locate it, and look for doubts."""
    from sy_coverage import places, sample_study

    study = sample_study()
    units, villages = study.units, study.demand
    rows = _rows(units, villages, arguments.rows, np.random.default_rng(arguments.seed))
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        seconds[what] = time.perf_counter() - wall
        print(f"  {what:<44} {seconds[what]:6.2f} s wall, {time.process_time() - processor:6.2f} s processor")

    print(f"{len(rows) - 1:,} facilities, {len(units)} units, {len(villages):,} villages:")
    with tempfile.TemporaryDirectory() as folder:
        table, book = Path(folder) / "list.csv", Path(folder) / "list.xlsx"
        _write(rows, table, book)
        with timed("read, GB18030 CSV"):
            facilities = places.read_facilities([table], units=units, coordinate_system="gcj02")
        with timed("read, XLSX"):
            same = places.read_facilities([book], units=units, coordinate_system="gcj02")
        assert facilities["name"].tolist() == same["name"].tolist()  # noqa: S101
    with timed("gazetteer of the study's names"):
        source = places.gazetteer(units, villages)
    with timed("locate every row by it"):
        located = places.geocode(facilities, [source], units=units)
    with timed("units by name and by place"):
        located = places.assign_units(located, units)
    with timed("doubts, duplicates among them"):
        doubts = places.doubts(located, units)
    found = located["location_status"].value_counts()
    print(f"  {', '.join(f'{status} {count:,}' for status, count in found.items())}; {len(doubts):,} doubts")
    total = sum(s for what, s in seconds.items() if not what.startswith(("read, X", "doubts")))
    peak = _memory.peak_mb()
    print(f"  read (CSV) + gazetteer + units {total:.2f} s, goal {GOAL_S:g} s; peak {peak:,.0f} MB")


def _rows(units: Any, villages: Any, count: int, rng: np.random.Generator) -> list[list[str]]:
    """Return a header and rows of made-up stations: two of three with an address only, one with a GCJ-02 point too."""
    from sy_coverage.places import from_wgs84

    chosen = rng.integers(len(villages), size=count)
    picked = villages.iloc[chosen]
    lon, lat = from_wgs84(picked.geometry.x.to_numpy(), picked.geometry.y.to_numpy(), "gcj02")
    rows = [
        ["序号", "机构名称", "类型", "床位数", "地址", "所在县（市、区）", "所在镇（街道）", "经度", "纬度"]
    ]
    for n, (village, unit_id) in enumerate(zip(picked["name"], picked["unit_id"], strict=True)):
        unit = units.loc[unit_id]
        address = f"{unit['county']}{unit['name']}{village}{rng.integers(1, 20)}组"
        point = [f"{lon[n]:.6f}", f"{lat[n]:.6f}"] if n % 3 == 0 else ["", ""]
        kind = "日间照料中心" if n % 2 else "敬老院"
        rows.append(
            [
                str(n + 1),
                f"第{n + 1}站",
                kind,
                f"{rng.integers(5, 80)}张",
                address,
                unit["county"],
                "",
                *point,
            ]
        )
    return rows


def _write(rows: list[list[str]], table: Path, book: Path) -> None:
    import openpyxl

    out = io.StringIO()
    csv.writer(out).writerows([["养老服务设施一览表"], *rows, ["合计", f"{len(rows) - 1}个"]])
    table.write_bytes(out.getvalue().encode("gb18030"))
    sheet = openpyxl.Workbook()
    for row in rows:
        sheet.active.append(row)
    sheet.save(book)
