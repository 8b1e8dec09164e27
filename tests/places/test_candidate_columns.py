"""Columns of candidate lists beyond place and price: one building in several sizes, what it costs to run, who pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import places

if TYPE_CHECKING:
    from pathlib import Path


def test_group_running_cost_fund_and_body_are_read_under_the_headers_that_offices_write(
    tmp_path: Path,
) -> None:
    path = tmp_path / "备选点.csv"
    path.write_text(
        "候选点编号,名称,类型,投资（万元）,房源编号,年运行费用,资金来源,责任单位,经度,纬度\n"
        "B-1,青石村部（小）,服务中心,60,青石村部,12万元,中央预算内投资,县民政局,111.01,27.01\n"
        "B-2,青石村部（大）,服务中心,90,青石村部,180000元,,县民政局,111.01,27.01\n"
        "B-3,白水小学,服务中心,80,,,,,111.05,27.02\n",
        encoding="utf-8",
    )
    found = places.read_candidates(path, coordinate_system="wgs84")
    assert list(found["group_id"].fillna("")) == ["青石村部", "青石村部", ""]
    assert found["running_cost"].iloc[0] == 12.0
    assert found["running_cost"].iloc[1] == 18.0  # 180,000 yuan
    assert pd.isna(found["running_cost"].iloc[2])
    assert list(found["fund_source"].fillna("")) == ["中央预算内投资", "", ""]
    assert list(found["responsible"].fillna("")) == ["县民政局", "县民政局", ""]
    assert list(found["origin"]) == ["listed"] * 3
