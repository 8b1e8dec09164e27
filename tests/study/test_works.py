"""Hold an adopted list against a study from the command line: where it stands, what slips, and what mends it."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from sy_coverage.cli import app
from sy_coverage.study import read_study
from tests import toy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adopted")
    toy.write_study(folder)
    return folder


def test_an_adopted_list_says_what_slips_and_is_mended(folder):
    study = read_study(folder / "study.toml")
    plan = study.propose("990100")
    names = study.candidates["name"]
    lines = ["项目名称,计划年度,立项,开工,竣工,运营,实际投资（万元）,进展"]
    lines += [f"{names[s]},2027年,2025年四季度,2026年一季度,2026年三季度,2026Q4,," for s in plan.sites[1:]]
    whole = [*lines, f"{names[plan.sites[0]]},2027年,2025Q4,2026Q1,2026Q3,2026年12月,,"]
    (folder / "all.csv").write_text("\n".join(whole), encoding="utf-8")
    asked = [
        "works",
        str(folder / "study.toml"),
        str(folder / "all.csv"),
        "--on",
        "2026-12-31",
        "--out",
        str(folder / "o"),
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert f"{len(plan.sites)} 处点位中已运营 {len(plan.sites)} 处" in done.output.replace("\n", "")
    stopped = [*lines, f"{names[plan.sites[0]]},2027年,,,,,,资金未落实，取消"]
    (folder / "all.csv").write_text("\n".join(stopped), encoding="utf-8")
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 1, done.output
    said = done.output.replace("\n", "")
    assert names[plan.sites[0]] in said
    table = pd.read_csv(folder / "o" / "works.csv", dtype={"site_id": str, "county_id": str}).set_index(
        "site_id"
    )
    assert set(table.index) == set(plan.sites)
    assert table.loc[plan.sites[0], "stage"] == "已停"
    assert table["slips"].sum() == 1
    assert not table.loc[plan.sites[0], "repaired"]
