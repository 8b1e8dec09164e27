"""Give the tests of the sample its layers, lists and roads."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from tests.sample.reading import FOLDER, KPH, METRIC, Roads, layer


@pytest.fixture(scope="module")
def units():
    return layer("units", "unit_id")


@pytest.fixture(scope="module")
def counties():
    return layer("counties", "county_id")


@pytest.fixture(scope="module")
def villages():
    return layer("villages", "demand_id")


@pytest.fixture(scope="module")
def facilities():
    lists = pd.read_csv(FOLDER / "facilities.csv", encoding="gb18030", dtype=str, keep_default_na=False)
    book = openpyxl.load_workbook(FOLDER / "facilities_villages.xlsx").active
    rows = [["" if v is None else str(v) for v in row] for row in book.iter_rows(min_row=2, values_only=True)]
    small = pd.DataFrame(rows[1:], columns=rows[0])
    return pd.concat([lists, small]).fillna("").set_index("编号").sort_index()


@pytest.fixture(scope="module")
def candidates():
    return pd.read_csv(
        FOLDER / "candidates.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False
    ).set_index("编号")


@pytest.fixture(scope="module")
def roads():
    found = Roads()
    found.apply_file(str(FOLDER / "roads.osm.pbf"))
    return found


@pytest.fixture(scope="module")
def drive(roads):
    """Return node ids, their places in metres and the directed matrix of minutes between them."""
    ids = np.array(sorted(roads.places))
    number = {n: k for k, n in enumerate(ids.tolist())}
    degrees = np.array([roads.places[n] for n in ids.tolist()])
    points = gpd.GeoSeries.from_xy(degrees[:, 0], degrees[:, 1], crs="EPSG:4326").to_crs(METRIC)
    where = np.c_[points.x, points.y]
    minutes = {}
    for nodes, tags in roads.ways:
        if tags["highway"] not in KPH:
            continue
        kph = float(tags.get("maxspeed", KPH[tags["highway"]]))
        rows = [number[n] for n in nodes]
        for a, b in pairwise(rows):
            took = max(np.hypot(*(where[a] - where[b])) / 1000 / kph * 60, 1e-6)
            if tags.get("oneway") != "-1":
                minutes[a, b] = min(took, minutes.get((a, b), np.inf))
            if tags.get("oneway") != "yes":
                minutes[b, a] = min(took, minutes.get((b, a), np.inf))
    ends = np.array(list(minutes))
    matrix = csr_matrix((list(minutes.values()), (ends[:, 0], ends[:, 1])), shape=(len(ids), len(ids)))
    return where, matrix
