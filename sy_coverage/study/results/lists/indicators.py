"""Say where every county stands today in the officials' own indicator table, without planning anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage import coverage
from sy_coverage.study.results.lists import located
from sy_coverage.study.results.lists import rows as lists

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from sy_coverage.study.answers import Answers


def indicators(study: Answers) -> DataFrame:
    """Return the officials' table (序号, 所在县（市、区）, 镇（街道）数量, …数量, …覆盖率), the rate written as a percentage."""
    language = study.config.study.language
    table = coverage.indicator_table(study.coverage, policy=study.policy, language=language)
    rate = table.columns[-1]
    # two decimals, so that 64.96 % does not read as 65 %
    table[rate] = [f"{share:.2%}" if share == share else "" for share in table[rate]]  # noqa: PLR0124  (NaN)
    return table


def write(study: Answers, folder: Path) -> list[Path]:
    """Write the indicator table, and the lists of every row and doubt behind it, into `folder`; return the paths."""
    content = {"indicators.csv": lists.plain_csv(indicators(study))}
    return [*lists.write(folder, content), *located.write(study, located.locate(study), folder)]
