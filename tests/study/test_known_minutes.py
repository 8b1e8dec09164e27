"""A study whose minutes somebody already has: with no roads at all, or with roads for what the table does not say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage import roads
from sy_coverage.errors import ConfigError, FrameError, UnreadableFileError
from sy_coverage.study.check import check
from tests import toy

SITES = {
    "S1": 5,
    "c15": 15,
    "c19": 19,
    "c25": 25,
    "c35": 35,
    "T1": 15,
    "M1": 6,
    "d05": 5,
    "d15": 15,
    "r04": 4,
    "r15": 15,
    "r36": 36,
}
HOMES = ("T1", "r04", "r15", "r36")


def pairs(without: str = "") -> pd.DataFrame:
    """Return a minute for each kilometre between a village and a site, up to 30; and between homes."""
    rows = [
        (village, site, abs(km - at), 1000 * abs(km - at))
        for village, (km, _) in toy.VILLAGES.items()
        for site, at in SITES.items()
        if abs(km - at) <= 30 and village not in without
    ]
    rows += [(a, b, abs(SITES[a] - SITES[b]), 0) for a in HOMES for b in HOMES]
    return pd.DataFrame(rows, columns=["from", "to", "minutes", "metres"])


def study_with(folder, table: str = "od.csv", *, with_roads: bool = False, more: str = ""):
    path = toy.write_study(folder)
    text = path.read_text(encoding="utf-8")
    given = f'[times]\ntable = "{table}"\n{more}\n'
    if not with_roads:
        (folder / "roads.osm").unlink()
        text = text.replace('[roads]\nsource = "roads.osm"\n', "")
    path.write_text(text + given, encoding="utf-8")
    return path


# Minutes are kilometres. S1 at km 5: 甲镇's C is 7 and D 13 minutes away, so the elders of 甲镇 are (100·7 + 300·13) / 400 = 11.5
# minutes on average; A and B 3. E, F and G are 17, 23 and 27 away; H, 33 away, is not in the table.
def test_a_study_without_any_road_counts_plans_and_writes_by_its_table_alone(tmp_path):
    pairs().to_csv(tmp_path / "od.csv", index=False)
    path = study_with(tmp_path)
    study = sy.read_study(path)
    today = study.coverage
    assert today["nearest_mean_min"].round(9).to_list() == [3.0, 11.5, 20.0, 27.0]
    assert today["elders_unreached"].to_list() == [0, 0, 0, 100]
    assert today["elders_covered"].to_list() == [600, 400, 300, 200]
    plan = study.propose(toy.COUNTY)
    assert plan.certificate.proved
    by_road = tmp_path / "roads"
    by_road.mkdir()
    assert plan.sites == sy.read_study(toy.write_study(by_road)).propose(toy.COUNTY).sites
    out = tmp_path / "out"
    study.save(out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["inputs"]) >= {"od.csv", "villages.csv"}
    assert "roads.osm" not in manifest["inputs"]
    assert study.findings.roads.empty
    report = check(path)
    assert not report.errors
    assert not report.remarks
    assert any("出行时间表" in fact and "起点 12 个，终点 12 个" in fact for fact in report.facts)


def test_the_table_decides_what_is_opened(tmp_path):
    far = pairs()
    # every way to the candidates of 甲镇 but c19 takes an hour
    far.loc[far["to"] == "c15", "minutes"] = 60.0
    far.to_csv(tmp_path / "od.csv", index=False)
    study = sy.read_study(study_with(tmp_path)).but(siting={"rule": "access", "share": 1.0})
    assert study.times["service_centre"].select(sites=["c15"]).to_dense().min() == 60.0
    plan = study.propose(toy.COUNTY)
    assert "c15" not in plan.sites


def test_whom_the_table_leaves_out_is_named_everywhere(tmp_path):
    pd.concat(
        [pairs(without="DH"), pd.DataFrame({"from": ["X1", "A"], "to": ["S1", "Z9"], "minutes": [1.0, 2.0]})]
    ).to_csv(tmp_path / "od.csv", index=False)
    path = study_with(tmp_path)
    found = sy.read_study(path).findings
    (notice,) = found.notices
    assert "2 个村（社区）的 400 位老年人（D村、H村）" in notice
    assert "出行时间表" in notice
    assert found.roadless["elders"].to_dict() == {"D": 300, "H": 100}
    assert set(found.doubts.set_index("row_id").loc[["D", "H"], "doubt_id"]) == {"road_not_in_table"}
    said = " ".join(check(path).remarks)
    for words in (
        "1 个起点编号不在本研究中，未采用（X1）",
        "1 个终点编号不在本研究中，未采用（Z9）",
        "没有 2 个居民点的时间（D、H）",
    ):
        assert words in said


# With roads, a pair of the table is as the table has it (A–S1 20 instead of 3.3), one without minutes cannot be travelled (B–S1),
# and every other goes by the roads (C–S1).
def test_with_roads_the_table_replaces_the_pairs_it_has(tmp_path):
    pd.DataFrame({"from": ["A", "B"], "to": ["S1", "S1"], "minutes": [20.0, None]}).to_csv(
        tmp_path / "od.csv", index=False
    )
    study = sy.read_study(study_with(tmp_path, with_roads=True))
    to_s1 = study.times["service_centre"].select(sites=["S1"]).to_frame().set_index("demand_id")["minutes"]
    assert to_s1["A"] == 20.0
    assert "B" not in to_s1.index
    by_road = (
        sy.read_study(toy.write_study(tmp_path)).centre_times.to_frame().set_index("demand_id")["minutes"]
    )
    assert to_s1["C"] == by_road["C"]
    assert by_road["A"] < 5
    near = study.findings.demand
    assert near.loc["A", "nearest_min"] == 20.0
    assert np.isnan(near.loc["B", "nearest_min"])
    assert study.coverage["elders_unreached"].to_list() == [200, 0, 0, 0]


def test_minutes_hold_for_the_mode_they_are_of(tmp_path):
    table = pairs().assign(mode="驾车")
    on_foot = table[table["minutes"] < 3].assign(mode="步行", minutes=lambda t: t["minutes"] * 20)
    pd.concat([table, on_foot]).to_csv(tmp_path / "od.csv", index=False)
    study = sy.read_study(study_with(tmp_path)).but(access={"beside": ["walk", "ebike"]})
    assert study.centre_kind.mode == "drive"
    assert study.coverage["nearest_mean_min"].iloc[0] == 3.0
    # nobody lives within 3 km of S1, and of e-bikes nothing is known
    assert study.access_beside["share_walk"].to_list() == [0, 0, 0, 0]
    assert study.access_beside["share_ebike"].isna().all()
    only = study.but(times={"table": "od.csv", "mode": "walk"}, access={"beside": []})
    assert only.coverage["nearest_mean_min"].iloc[0] == 3.0  # a column that says it has the word


def amap(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "origin_id": table["from"],
            "dest_id": table["to"],
            "distance": table["metres"],
            "duration": table["minutes"] * 60,
        }
    )


def baidu(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "起点": table["from"],
            "终点": table["to"],
            "distance.value": table["metres"],
            "duration.value": table["minutes"] * 60,
        }
    )


@pytest.mark.parametrize(
    "name", ["od.csv", "od.csv.gz", "od.parquet", "od.xlsx", "amap.csv", "baidu.csv", "gbk.txt"]
)
def test_a_table_may_be_any_common_file(tmp_path, name):
    table = pairs()
    target = tmp_path / name
    if name.endswith("parquet"):
        table.to_parquet(target)
    elif name.endswith("xlsx"):
        with pd.ExcelWriter(target) as book:
            table.rename(columns={"from": "起点编号", "to": "设施编号", "minutes": "时间（分钟）"}).to_excel(
                book, index=False, startrow=2
            )
            book.sheets["Sheet1"]["A1"] = "村到点位时间表"
    elif name == "gbk.txt":
        table.rename(columns={"from": "出发地", "to": "目的地", "minutes": "分钟"}).to_csv(
            target, index=False, sep="\t", encoding="gb18030"
        )
    else:
        shaped = {"amap.csv": amap, "baidu.csv": baidu}.get(name, lambda t: t)(table)
        shaped.to_csv(target, index=False)
    found = roads.read_times(target).of_mode("drive")
    at = {
        (found.origin_ids[a], found.target_ids[b]): m
        for a, b, m in zip(found.origin, found.target, found.minutes, strict=True)
    }
    assert at == {(a, b): float(m) for a, b, m in table[["from", "to", "minutes"]].itertuples(index=False)}


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        (["A,S1,3", "B,S1,soon", ",S1,4", "", "C,S1,-1"], FrameError, r"'from' is empty in rows 4; 'minutes' must be .* 2 are not \(3: 'soon', 6: '-1'\)"),
        (["A,S1,3", "B,S1", "C,S1,4,5"], UnreadableFileError, r"2 rows do not have the header's 3 values \(3: B,S1, 4: C,S1,4,5\)"),
        (["A,S1,3", "B,S1,3", "A,S1,4"], FrameError, r"1 pairs have two times: A → S1 \(rows 2, 4\)"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_by_check_and_by_a_run(tmp_path, lines, error, words):
    (tmp_path / "od.csv").write_text("\n".join(["from,to,minutes", *lines]), encoding="utf-8")
    path = study_with(tmp_path)
    with pytest.raises(error, match=words):
        _ = sy.read_study(path).coverage
    assert any("od.csv" in one for one in check(path).errors)


def test_what_a_table_cannot_answer_is_refused_in_one_sentence(tmp_path):
    pairs()[lambda t: ~t["from"].isin(HOMES)].to_csv(tmp_path / "od.csv", index=False)
    path = study_with(tmp_path)
    study = sy.read_study(path)
    with pytest.raises(
        ConfigError, match="spread_min: the table of minutes says nothing about r04, r15, r36"
    ):
        _ = study.between_homes
    with pytest.raises(ConfigError, match=r"'candidates.generate' needs roads"):
        study.but(candidates={"generate": 2})
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('[times]\ntable = "od.csv"', ""), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"'roads.source' is missing; or give a table of minutes: \[times\] table"
    ):
        sy.read_study(path)
    path.write_text(text + '[roads]\nchanges = "changes.geojson"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="'source' is missing: changes is said of roads"):
        sy.read_study(path)


def test_a_scenario_may_bring_its_own_table(tmp_path):
    pairs().to_csv(tmp_path / "od.csv", index=False)
    pairs().assign(minutes=lambda t: t["minutes"] * 2).to_csv(tmp_path / "slow.csv", index=False)
    study = sy.read_study(study_with(tmp_path))
    slow = study.what_if(times={"table": "slow.csv"})
    assert slow.coverage["nearest_mean_min"].iloc[0] == 6.0
    assert study.coverage["nearest_mean_min"].iloc[0] == 3.0
