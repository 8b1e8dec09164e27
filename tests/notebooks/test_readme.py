"""What the README shows runs, what it names is there, and both languages say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "README.zh.md")
MOST_BYTES = 400_000


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text(page), re.DOTALL | re.MULTILINE)
    return [inside for said, inside in fenced if said == language]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_readme_names_is_there(page):
    links = re.findall(r"\]\(((?!https?://|#)[^)]+)\)", text(page))
    assert len(links) >= 6
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_readme_begins_with_the_two_commands_and_a_picture(page):
    first = text(page)[:1500]
    assert first.index("bash scripts/demo") < first.index("bash scripts/test") < first.index("![")


def test_pictures_are_small():
    pictures = sorted((ROOT / "notebooks" / "pictures").glob("*"))
    assert {path.suffix for path in pictures} == {".png"}
    assert [path.name for path in pictures if path.stat().st_size > MOST_BYTES] == []


def test_both_languages_hold_ten_promises_and_five_sentences_of_proof_and_stay_short():
    for page in PAGES:
        whole = text(page)
        assert re.findall(r"^\| (\d+) \|", whole, re.MULTILINE) == [str(n) for n in range(1, 11)]
        assert re.findall(r"^(\d)\. ", whole, re.MULTILINE) == list("12345")
        assert len(whole.encode()) <= 10_000
        assert len(re.findall(r"^\|[-|]+\|$", whole, re.MULTILINE)) <= 3


@pytest.mark.parametrize("page", ["docs/explain/peers.md", "docs/explain/peers.zh.md"])
def test_seven_peers_are_named_with_what_they_do_better(page):
    assert len(re.findall(r"^\| \[[^]]+\]\(https://", text(page), re.MULTILINE)) == 7


def test_every_command_a_readme_shows_is_one_of_the_command_line():
    from sy_coverage.cli import app

    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    for page in PAGES:
        shown = set(re.findall(r"sy-coverage (\w+)", "\n".join(blocks(page, ""))))
        assert {"new", "check", "run"} <= shown <= known


def test_the_python_of_the_readme_runs_as_it_stands(capsys):
    shown = blocks("README.md", "python")
    assert len(shown) == 2
    names: dict[str, Any] = {}
    for block in shown:
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102  it is what a reader types
    plan, best = names["plan"], names["best"]
    said = capsys.readouterr().out
    assert f"{plan.status} {plan.objective} {plan.bound}" in said
    # the numbers in the comment beside it are those that come out
    assert f"# {plan.status} {plan.objective} {plan.bound}" in text("README.md")
    assert (plan.status, best.status, len(best.sites)) == ("optimal", "optimal", 5)
    assert names["scores"].ge(0).all()
