"""The table of faults is complete, and every test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
ROWS = {
    int(match[1]): re.findall(r"`([\w/]+\.py)::(test_\w+)`", match[2])
    for match in re.finditer(
        r"^\| (\d+) \|(.*)$", (HERE / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
}


def test_all_88_rows_of_the_first_round_are_there_and_others_are_of_the_second():
    assert sorted(ROWS)[:88] == list(range(1, 89))
    assert set(sorted(ROWS)[88:]) <= set(range(89, 132))


@pytest.mark.parametrize("row", sorted(ROWS))
def test_every_row_names_tests_that_exist(row):
    assert ROWS[row], f"row {row} has no test"
    for path, name in ROWS[row]:
        module = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        assert name in {f.name for f in module.body if isinstance(f, ast.FunctionDef)}, f"{path} lacks {name}"
