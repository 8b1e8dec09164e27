"""Whatever a run of a public study writes says no cost, no contact and nothing that was not chosen, in any of its files."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile

import geopandas as gpd
import pandas as pd
import pytest

import sy_coverage as sy
from tests import toy

PHONE = "13987654321"
COST = 73913
SECRET = re.compile(rf"{PHONE}|73,?913|张主任|未选加点|示例(c19|c25|d05|r04)")
# the toy's plan opens c15, c35, d15, r15 and r36; without c15 it opens c25


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of a public run whose lists hold contacts and whose file holds costs, a scenario and a site of its own."""
    folder = tmp_path_factory.mktemp("public")
    path = toy.write_study(folder)
    for name in ("villages", "facilities", "candidates"):
        rows = pd.read_csv(folder / f"{name}.csv", dtype=str).assign(联系电话=PHONE)
        if name == "candidates":
            rows["responsible"] = f"张主任{PHONE}"
        rows.to_csv(folder / f"{name}.csv", index=False)
    units = gpd.read_file(folder / "units.gpkg").assign(负责人=PHONE)
    units.to_file(folder / "units.gpkg", layer="units", driver="GPKG")
    text = path.read_text(encoding="utf-8").replace(
        "[candidates]\n",
        f'[candidates]\nadd = [{{ lon = 111.2, lat = 27.1, kind = "service_centre", cost = {COST}, name = "未选加点" }}]\n',
    )
    text += f'[outputs]\nedition = "public"\n[what_if."换点"]\nforbid = ["c15"]\n[geocoding]\ncontact = "{PHONE}"\n'
    path.write_text(text, encoding="utf-8")
    sy.read_study(path).save(folder / "out")
    return folder / "out"


def text_of(path) -> str:
    content = path.read_bytes()
    if path.suffix in {".docx", ".xlsx"}:
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            return "\n".join(
                held.read(name).decode("utf-8", "replace") for name in held.namelist() if name.endswith("l")
            )
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8", "replace")


def test_no_file_says_a_cost_a_contact_or_what_was_not_chosen(written):
    files = [path for path in written.rglob("*") if path.is_file() and path.suffix != ".png"]
    assert len(files) > 20
    found = {str(path.relative_to(written)): SECRET.findall(text_of(path))[:3] for path in files}
    assert {name: said for name, said in found.items() if said} == {}


def test_a_comparison_has_no_column_of_costs_and_only_sites_of_the_plan(written):
    figures = pd.read_csv(written / "comparison" / "comparison.csv")
    assert figures["方案"].tolist() == ["现方案", "换点"]
    assert "投资（万元）" not in figures.columns
    sites = pd.read_csv(written / "comparison" / "sites.csv")
    assert sites["编号"].tolist() == ["c15", "c35", "d15", "r15", "r36"]
    assert sites["换点"].fillna("").tolist() == ["", "设", "设", "设", "设"]
    assert not list((written / "comparison").glob("map*"))


def test_the_manifest_is_json_without_amounts(written):
    def refused(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"), parse_constant=refused)
    assert manifest["plans"]["990100"]["objective"] is None
    assert "add" not in manifest["options"]["candidates"]
    assert manifest["options"]["siting"]["spread_min"] == 10
