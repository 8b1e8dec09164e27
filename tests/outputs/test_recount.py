"""The recount script counts a run again from its files alone, and sees a figure that was changed."""

import importlib.util
import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

import sy_coverage as sy
from tests import counties_toy

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "recount.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("recount", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recount")
    path = counties_toy.write_study(folder, counties=2)
    text = (
        path.read_text(encoding="utf-8")
        + "conversion_cost = 0.0\n[compare]\ntrade_off_points = 0\ncutoff_factors = []\nclosures = false\n"
    )
    path.write_text(text, encoding="utf-8")
    sy.read_study(path).save(folder / "out")
    return folder / "out"


def test_a_run_counted_again_agrees(script, run):
    found = script.recount(run)
    assert found.wrong == []
    # 8 units by 2 states: elders within, unreached, mean minutes, covered; their elders; the scorecard twice with its verdicts; sites
    assert found.agreed > 8 * 9 + 40


@pytest.mark.parametrize(
    "change",
    [
        "update units set nearest_mean_min = nearest_mean_min + 0.1 where unit_id = '990100100'",
        "update units set covered_planned = 0 where unit_id = '990100001'",
        "update demand set elders = elders + 1 where demand_id = 'A-0'",
        "update facilities set kind = 'nursing_home' where kind = 'service_centre'",
        "delete from proposals where kind = 'regional_home'",
    ],
)
def test_a_figure_that_was_changed_is_seen(script, run, tmp_path, change):
    copy = tmp_path / "out"
    shutil.copytree(run, copy)
    with sqlite3.connect(copy / "coverage.gpkg") as db:
        for (trigger,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f'drop trigger "{trigger}"')
        db.execute(change)
    assert script.recount(copy).wrong


def test_a_scorecard_that_was_changed_is_seen(script, run, tmp_path):
    copy = tmp_path / "out"
    shutil.copytree(run, copy)
    card = copy / "scorecard.csv"
    table = pd.read_csv(card, dtype=str, encoding="utf-8-sig")
    line = table.index[(table["target_id"] == "county_regional_home") & (table["basis"] == "computed")][0]
    table.loc[line, "value_planned"] = "3"
    table.to_csv(card, index=False, encoding="utf-8-sig")
    assert len(script.recount(copy).wrong) == 1


def test_the_script_knows_nothing_of_the_package():
    text = SCRIPT.read_text(encoding="utf-8")
    assert "import sy_coverage" not in text
    assert "from sy_coverage" not in text
