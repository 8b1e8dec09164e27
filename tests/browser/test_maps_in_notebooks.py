"""A map in a notebook is right where it is opened again: in JupyterLab, below the fold, and in the page that nbconvert exports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import closing

import nbformat
import pytest

from sy_coverage.outputs import maps
from tests.browser.test_maps_as_opened import IN_VIEW

SIZES = ((1366, 768), (600, 450), (390, 844))


@pytest.fixture(scope="module")
def notebook(all_findings, tmp_path_factory):
    """Return a folder with a notebook whose map lies below the fold, as it was kept with its output."""
    folder = tmp_path_factory.mktemp("notebook")
    shown = nbformat.v4.new_output(
        "display_data", data={"text/html": maps.draw(all_findings.of_county("990100"))._repr_html_()}
    )
    above = [nbformat.v4.new_markdown_cell("一段文字。\n\n" * 40)]
    cells = [*above, nbformat.v4.new_code_cell("study.map(plan)", outputs=[shown], execution_count=1)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "map.ipynb")
    return folder


def environment(folder):
    """Return an environment whose Jupyter reads and writes nothing outside `folder`."""
    return os.environ | {
        f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")
    }


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def frame_of(page):
    page.wait_for_selector("iframe[srcdoc]", state="attached")
    element = page.query_selector("iframe[srcdoc]")
    element.scroll_into_view_if_needed()
    inner = element.content_frame()
    inner.wait_for_selector(".sy-root[data-ready]", state="attached")
    page.wait_for_timeout(500)
    return inner


def assert_fitted(inner, size):
    seen = inner.evaluate(IN_VIEW)
    assert seen["inside"], (size, seen)
    assert 4 <= seen["zoom"] <= 18, (size, seen)
    assert seen["wide"] > inner.evaluate("window.innerWidth") * 0.25, (size, seen)


@pytest.mark.nightly
@pytest.mark.parametrize("size", SIZES)
def test_in_the_page_that_nbconvert_exports_the_map_is_fitted(chromium, notebook, size):
    page_file = notebook / "map.html"
    if not page_file.exists():
        convert = [program("jupyter-nbconvert"), "--to", "html", "map.ipynb"]
        subprocess.run(convert, cwd=notebook, env=environment(notebook), check=True, timeout=300)
    with closing(chromium.new_context(viewport=dict(zip(("width", "height"), size, strict=True)))) as context:
        page = context.new_page()
        page.goto(page_file.as_uri())
        assert_fitted(frame_of(page), size)


@pytest.mark.nightly
def test_in_jupyterlab_a_trusted_map_below_the_fold_is_fitted(chromium, notebook, socket_enabled):
    own = environment(notebook)
    subprocess.run([program("jupyter-trust"), "map.ipynb"], cwd=notebook, env=own, check=True, timeout=120)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    server = subprocess.Popen(
        [program("jupyter-lab"), *asked],
        cwd=notebook,
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for line in iter(server.stdout.readline, ""):
            if f":{port}/lab" in line:
                break
        for size in SIZES:
            sized = dict(zip(("width", "height"), size, strict=True))
            with closing(chromium.new_context(viewport=sized)) as context:
                page = context.new_page()
                page.set_default_timeout(120_000)
                page.goto(f"http://127.0.0.1:{port}/doc/tree/map.ipynb?reset")
                inner = frame_of(page)
                page.screenshot(path=str(notebook / f"lab-{size[0]}.png"))
                assert_fitted(inner, size)
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
