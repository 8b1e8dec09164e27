"""Build the documentation as a reader gets it: strictly, in two languages, from a disk, with nothing asked of another machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sy_coverage import policy

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(p for p in DOCS.glob("*/*.md") if not p.name.endswith(".zh.md"))
LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(https?:[^\"' >]+)|<link[^>]*\shref=[\"']?(https?:[^\"' >]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the built site; the lessons are shown and not run, which the tests of the lessons do."""
    work = tmp_path_factory.mktemp("documentation")
    environment = {**os.environ, "SY_COVERAGE_LESSONS": "shown", "NO_MKDOCS_2_WARNING": "1"}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("scripts/site/pages.py", work / "docs")
    for language in ("en", "zh"):
        run(
            "-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", work / "docs" / f"{language}.yml"
        )
    run("scripts/site/pages.py", "--built", work / "site")
    return work / "site"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_every_page_is_there_in_chinese_too(page):
    chinese = page.with_suffix(".zh.md")
    assert chinese.exists()
    links = [re.findall(r"\]\(([^)#]+?\.md)", p.read_text(encoding="utf-8")) for p in (page, chinese)]
    assert sorted(links[0]) == sorted(links[1])


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda p: str(p.relative_to(DOCS)))
def test_every_study_and_policy_in_a_page_can_be_read(page):
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        read = tomllib.loads(block)
        if "targets" in read:
            assert len(policy.policy_from(read).targets) == 2


def test_no_page_loads_anything_from_another_machine(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 60
    asked = {p.name: LOADED.findall(p.read_text(encoding="utf-8")) for p in pages}
    assert {name: found for name, found in asked.items() if found} == {}


def test_every_public_name_has_its_place_in_the_reference(site):
    import sy_coverage as sy

    for room in ("siting", "roads", "coverage", "places", "policy", "study"):
        text = (site / "reference" / "python" / f"{room}.html").read_text(encoding="utf-8")
        missing = [
            n
            for n in getattr(sy, room).__all__
            if f"sy_coverage.{room}.{n}" not in text and f">{n}<" not in text
        ]
        assert missing == []


@pytest.mark.parametrize(
    ("folder", "words", "found"), [("", "running budget", "study file"), ("zh", "备选点位", "研究文件")]
)
def test_the_search_answers_from_a_disk_without_a_network(site, chromium, folder, words, found):
    asked = []
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, offline=True)
    page = context.new_page()
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.goto((site / folder / "index.html").as_uri())
    page.fill(".md-search__input", words)
    page.press(".md-search__input", "Shift")
    page.wait_for_selector(".md-search-result__item a", state="attached", timeout=30_000)
    answers = page.inner_text(".md-search-result__list").lower().replace("\u200b", "")
    context.close()
    assert found in answers
    assert asked == []
