"""The desk as a person uses it: a real server, a real browser whose network ends at this machine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from sy_coverage import _files
from tests.desk.county import write_county

SHARED = Path(os.environ.get("SY_COVERAGE_TEST_DATA", "../shared/data")).resolve().parent / "cases" / "bureau"


@contextmanager
def served(folder):
    """Start the desk as the command line does, and give its link and its process."""
    command = [sys.executable, "-m", "sy_coverage", "desk", str(folder), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        link = process.stdout.readline().strip()
        assert link.startswith("http://127.0.0.1:"), link + process.stdout.read()
        yield link, process
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


@pytest.fixture
def person(chromium):
    """Return a page in a browser that reaches this machine alone, and what went wrong on it."""
    context = chromium.new_context(
        viewport={"width": 1366, "height": 768}, accept_downloads=True, locale="zh-CN"
    )
    context.set_default_timeout(300_000)
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda e: page.wrong.append(str(e)))
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: (
            page.wrong.append(r.url)
            if not r.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else None
        ),
    )
    yield page
    context.close()


def shown(page, said):
    page.get_by_text(said).first.wait_for()


@pytest.mark.enable_socket
def test_an_office_drops_its_files_answers_its_doubts_and_takes_an_answer_back(tmp_path, person):
    given, folder = tmp_path / "given", tmp_path / "研究"
    given.mkdir()
    write_county(given)
    with served(folder) as (link, _):
        person.goto(link)
        assert "token" not in person.url
        shown(person, "需要哪些材料")
        person.set_input_files("input[type=file]", [str(path) for path in sorted(given.iterdir())])
        shown(person, "读到了什么")
        shown(person, "1 个县市区")
        assert sorted(path.name for path in folder.glob("*.csv")) == ["人口.csv", "备选点.csv", "机构.csv"]
        person.get_by_role("link", name="下一步：核实").click()
        shown(person, "数字为约数")
        person.get_by_role("button", name="全部确认，按现在的算（3 条）").first.click()
        shown(person, "已答复 3 条")
        assert (folder / "待核实-答复.xlsx").is_file()
        person.get_by_text("已答复 3 条").click()
        person.get_by_role("button", name="全部撤回").click()
        person.get_by_text("已答复 3 条").wait_for(state="detached")
        # a second tab sees the same, in the other language too
        other = person.context.new_page()
        other.goto(person.url)
        shown(other, "条待核实")
        other.get_by_role("button", name="English").click()
        shown(other, "What the lists leave open")
        assert person.wrong == []


@pytest.mark.enable_socket
def test_who_has_no_token_comes_from_elsewhere_or_climbs_gets_nothing(tmp_path):
    (tmp_path / "secret.csv").write_text("x", encoding="utf-8")
    with served(tmp_path / "研究") as (link, _):
        base, token = link.split("/?token=")
        port = base.rpartition(":")[2]
        cookie = {"Cookie": f"sy_desk_{port}={token}"}

        def status(path, **headers):
            request = urllib.request.Request(base + path, headers=headers)  # noqa: S310  (this machine)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code

        assert status("/") == 401
        assert status("/plan", Cookie=f"sy_desk_{port}=no") == 401
        assert status("/plan", **cookie) == 200
        assert status("/plan", **cookie, Host="example.org") == 421
        assert status("/plan", **cookie, Origin="http://example.org") == 403
        for path in (
            "/results/file/../secret.csv",
            "/results/file/%2e%2e/secret.csv",
            "/results/view/%252e%252e/secret.csv",
        ):
            assert status(path, **cookie) == 400
        for path in (
            "/results/file/study.toml",
            "/results/view/study.toml",
            "/results/file//etc/passwd",
            "/results/view/.desk/run.json",
        ):
            assert status(path, **cookie) in (400, 404)


def _digests(out):
    said = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return said["outputs"]


def _until(page, said, seconds=900):
    page.get_by_text(said).first.wait_for(timeout=seconds * 1000)


@pytest.mark.enable_socket
@pytest.mark.nightly
@pytest.mark.skipif(not SHARED.is_dir(), reason="the bureau's folder is not here")
def test_two_bureaus_go_from_an_empty_folder_to_proposals_in_at_most_forty_actions(tmp_path, person):
    folder, actions = tmp_path / "两县", 0
    files = [str(path) for path in sorted(SHARED.iterdir())] + [str(_files.sample_folder() / "roads.osm.pbf")]
    with served(folder) as (link, _):
        person.goto(link)
        person.set_input_files("input[type=file]", files)
        shown(person, "2 个县市区")
        person.get_by_role("link", name="下一步：核实").click()
        actions += 3
        while True:  # each kind of doubt at once
            shown(person, "条待核实")
            known = (
                person.get_by_role("button", name="全部")
                .filter(has_text="条）")
                .filter(has_not_text="不计入")
            )
            if not known.count():
                break
            before = person.locator(".sy-counts b").last.inner_text()
            known.first.click()
            person.wait_for_function(
                "(before) => { const all = document.querySelectorAll('.sy-counts b'); return all.length && all[all.length - 1].textContent !== before; }",
                arg=before,
            )
        shown(person, "没有待核实的了")
        person.goto(link.partition("/?")[0] + "/plan")
        person.get_by_role("button", name="开始求解").click()
        _until(person, "求解完成")
        actions += 2
        first = _digests(folder / "out")
        chooser = person.get_by_role("combobox", name="不设")
        chooser.click()
        person.get_by_role("option").first.click()
        person.keyboard.press("Tab")
        for _ in range(300):
            if "forbid" in (folder / "study.toml").read_text(encoding="utf-8"):
                break
            time.sleep(0.2)
        person.get_by_role("button", name="开始求解").click()
        actions += 4
        person.get_by_role("button", name="停止").wait_for()
        _until(person, "求解完成")
        person.goto(link.partition("/?")[0] + "/results")
        with person.expect_download() as taken:
            person.get_by_role("link", name="全部成果").click()
        actions += 2
        assert taken.value.path().stat().st_size > 1_000_000
        assert person.wrong == []
    assert actions <= 40
    again = tmp_path / "again"
    done = subprocess.run(
        [sys.executable, "-m", "sy_coverage", "run", str(folder), "--out", str(again)],
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1)
    by_desk, by_hand = _digests(folder / "out"), _digests(again)
    assert {name: by_desk[name] for name in by_hand} == by_hand
    assert by_desk != first


@pytest.mark.enable_socket
@pytest.mark.nightly
def test_a_desk_and_its_run_that_are_killed_go_on_where_they_were(tmp_path, person):
    folder = tmp_path / "县"
    folder.mkdir()
    write_county(folder)
    with served(folder) as (link, _):
        person.goto(link)
        person.get_by_role("button", name="采用文件夹里的").click()
        shown(person, "1 个县市区")
        person.goto(link.partition("/?")[0] + "/plan")
        person.get_by_role("button", name="开始求解").click()
        state = folder / ".desk" / "run.json"
        for _ in range(600):
            if state.is_file() and json.loads(state.read_text())["stage"]:
                break
            time.sleep(0.2)
    # the desk is gone; so is its run, without a word
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sy_coverage.desk.running" in words and str(folder).encode() in words:
            os.kill(int(entry.parent.name), signal.SIGKILL)
    assert json.loads(state.read_text())["state"] == "running"
    with served(folder) as (link, _):
        person.goto(link)
        person.goto(link.partition("/?")[0] + "/plan")
        _until(person, "求解完成")
    assert _digests(folder / "out")
