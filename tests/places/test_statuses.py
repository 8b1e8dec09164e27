"""Statuses and dates decide coverage: what offices write of a place that is not open is seen in any cell of its row."""

from __future__ import annotations

import pytest

from sy_coverage.coverage import open_on
from sy_coverage.places import read_facilities

OPEN = [
    "正常运营", "2019年改扩建", "2023年完成改扩建", "原为停用校舍改建", "利用闲置校舍建设", "由停用粮站改造，2023年投用", "拟扩建",
    "规划床位100张", "二期在建", "2020年提质改造完成", "与停业的供销社相邻", "无停业记录", "装修良好", "计划2027年改造", "2024年建成投用",
    "公建民营", "在建档案管理", "原停用村部", "设施齐全，未发生安全事故", "待遇落实", "附近规划公园",
]  # fmt: skip
PLANNED = [
    "改扩建中", "正在改扩建", "装修中", "正在装修", "提质改造中", "适老化改造施工中", "维修中", "在建", "在建工程", "建设中", "正在建设", "筹建",
    "筹建中", "拟建", "待建", "未启用", "尚未启用", "暂未投入使用", "未正式运营", "尚未对外开放", "待验收", "待投用", "已建成未投用", "建成待运营",
    "主体已完工", "主体工程已封顶", "停工", "即将开业", "未开工", "规划建设中", "该院正在改扩建", "目前在建。", "因资金问题停工", "基本建成，尚未投入使用",
]  # fmt: skip
CLOSED = [
    "停用", "已停用", "停业", "已停业", "停业整顿", "暂停运营", "已关停", "已关闭", "关门", "歇业", "倒闭", "已注销", "已撤销", "撤并", "已撤并",
    "2023年撤并", "2024年6月停止运营", "因消防不达标停业整顿", "已撤并至县福利院", "并入中心敬老院", "已拆除", "闲置", "空置多年", "改作村部",
    "现已停办", "不再运营", "停止服务", "该院已于2022年关闭", "暂时停业（危房）", "停用3年", "长期停用", "2021.5起停用",
]  # fmt: skip
STATUS_CELLS = {
    "未正式运营": "planned", "尚未投入使用": "planned", "待投入使用": "planned", "暂未开放": "planned", "即将投入使用": "planned", "未营业": "planned",
    "已停止营业": "closed", "停止运营": "closed", "暂不运营": "closed", "暂停对外开放": "closed", "不再使用": "closed", "试运营": "open", "已正式运营": "open",
    "运营良好": "open", "正常开放": "open", "改扩建": "planned", "在建（预计2027年6月投用）": "planned", "已建成投入使用": "open", "under construction": "planned",
    "Temporarily closed": "closed", "公建民营，运营中": "open",
}  # fmt: skip


def read(folder, header, *rows):
    text = "\n".join([header, *rows]) + "\n"
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return read_facilities(folder / "a.csv")


def quoted(cell):
    return f'"{cell}"'


def test_a_remark_tells_the_status_and_what_speaks_of_something_else_tells_none(tmp_path):
    every = (
        [(cell, "open") for cell in OPEN]
        + [(c, "planned") for c in PLANNED]
        + [(c, "closed") for c in CLOSED]
    )
    rows = [f"第{n}敬老院,敬老院,2019.6,{quoted(cell)}" for n, (cell, _) in enumerate(every)]
    frame = read(tmp_path, "名称,类型,开办时间,备注", *rows)
    wrong = [
        (cell, meant, status)
        for (cell, meant), status in zip(every, frame["status"], strict=True)
        if meant != status
    ]
    assert wrong == []
    # the day each first opened, 2019.6, opens none of them again
    assert open_on(frame, "2027-12-31")["name"].tolist() == frame["name"].tolist()[: len(OPEN)]
    # each reading of a remark is a doubt
    asked = frame.attrs["doubts"]
    assert (asked["kind"] == "status_in_cell").sum() == len(PLANNED) + len(CLOSED)


def test_a_status_is_not_the_word_for_open_inside_it(tmp_path):
    rows = [f"第{n}敬老院,敬老院,{quoted(cell)}" for n, cell in enumerate(STATUS_CELLS)]
    frame = read(tmp_path, "名称,类型,运营状态", *rows)
    assert dict(zip(STATUS_CELLS, frame["status"], strict=True)) == STATUS_CELLS


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [("是否运营", "open", "closed"), ("是否停用", "closed", "open"), ("是否在用", "open", "closed")],
)
def test_yes_and_no_are_statuses_where_the_header_asks(tmp_path, header, yes, no):
    frame = read(
        tmp_path, f"名称,类型,{header}", "甲敬老院,敬老院,是", "乙敬老院,敬老院,否", "丙敬老院,敬老院,"
    )
    assert frame["status"].tolist() == [yes, no, "open"]


def test_days_of_opening_are_those_that_can_come(tmp_path):
    frame = read(
        tmp_path,
        "名称,类型,开办时间,状态,备注",
        "甲敬老院,敬老院,2019.6,正常,",
        "乙敬老院,敬老院,2026年9月（在建）,,",
        "丙敬老院,敬老院,2018.6,在建,",
        "丁敬老院,敬老院,2015.6,改扩建中,",
        "戊敬老院,敬老院,2012.6,,改扩建中，预计2026年12月完工",
        "己敬老院,敬老院,2029.6,运营,",
        "庚敬老院,敬老院,2020年,停业整顿,",
        "辛敬老院（停用）,敬老院,2020年,,",
    )
    asked = frame.attrs["doubts"].set_index("name")["kind"]
    assert [name[0] for name in open_on(frame, "2027-12-31")["name"]] == ["甲", "乙", "戊"]
    assert asked.loc[["丙敬老院", "丁敬老院"]].tolist() == ["opening_past", "reopens_when"]
    assert frame.set_index("name").loc["戊敬老院", "opens_on"].date().isoformat() == "2026-12-31"


def test_an_answer_decides_over_the_remark(tmp_path):
    header, row = "名称,类型,开办时间,备注", "甲敬老院,敬老院,2019.6,改扩建中"
    frame = read(tmp_path, header, row)
    empty = {"lon": float("nan"), "lat": float("nan"), "unit": "", "facility_kind": ""}

    def answered(**changed):
        asked = frame.attrs["doubts"].assign(decision="confirm", value="", **empty)
        for kind, value in changed.items():
            asked.loc[asked["kind"] == kind, ["decision", "value"]] = ["change", value]
        found = read_facilities(tmp_path / "a.csv", answers=asked)
        assert found.attrs["doubts"].empty
        return found

    assert open_on(answered(), "2027-12-31").empty
    assert len(open_on(answered(status_in_cell="运营"), "2027-12-31")) == 1
    assert len(open_on(answered(reopens_when="2027年6月"), "2027-12-31")) == 1
    assert open_on(answered(reopens_when="2028年6月"), "2027-12-31").empty
