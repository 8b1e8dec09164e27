"""The same study gives the same bytes, whatever the locale, time zone, hash seed, folder, threads or order of rows."""

import os
import subprocess
import sys

import geopandas as gpd
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sy_coverage.study import read_study
from tests import counties_toy, toy
from tests.conftest import ROOT
from tests.faults.finished import contents

ENVIRONMENTS = {
    "plain": {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0", "NUMBA_NUM_THREADS": "1"},
    "shaoyang": {"LC_ALL": "zh_CN.UTF-8", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "1", "NUMBA_NUM_THREADS": "2"},
    "turkish": {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1"},
    "utf8": {"LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "random", "PYTHONUTF8": "1"},
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What four runs of one study wrote, each in another environment and from another folder; two at a time."""
    study_file = toy.write_study(tmp_path_factory.mktemp("study"))
    found, waiting = {}, []

    def finish() -> None:
        name, out, run = waiting.pop(0)
        _, wrong = run.communicate(timeout=240)
        assert run.returncode in {0, 1}, wrong
        found[name] = contents(out)

    for name, environment in ENVIRONMENTS.items():
        if len(waiting) == 2:
            finish()
        out, cwd = tmp_path_factory.mktemp(f"out-{name}"), tmp_path_factory.mktemp(f"cwd {name}")
        kept = {k: v for k, v in os.environ.items() if k not in {"LANG", "LC_ALL", "TZ", "PYTHONHASHSEED"}}
        run = subprocess.Popen(
            [sys.executable, "-m", "sy_coverage", "run", study_file, "--out", out],
            env={**kept, "PYTHONPATH": str(ROOT), **environment},
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        waiting.append((name, out, run))
    while waiting:
        finish()
    return found


@pytest.mark.parametrize("name", list(ENVIRONMENTS)[1:])
def test_row_76_locale_time_zone_hash_seed_threads_and_folder_change_no_byte(runs, name):
    plain = runs["plain"]
    assert len(plain) > 10
    assert runs[name].keys() == plain.keys()
    assert [path for path in plain if runs[name][path] != plain[path]] == []


def shuffled(folder) -> None:
    """Turn the order of the rows of every table and layer round, and interleave the counties."""
    for name in ("facilities.csv", "candidates.csv", "villages.csv"):
        table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        table.sample(frac=1, random_state=7).to_csv(folder / name, index=False, lineterminator="\n")
    units = gpd.read_file(folder / "units.gpkg", layer="units")
    units.sample(frac=1, random_state=7).to_file(folder / "units.gpkg", layer="units", driver="GPKG")


FRAMES = ("units", "counties", "facilities", "demand", "proposals", "catchments", "roads", "scorecard", "reasons", "left_out", "parameters")  # fmt: skip

LISTED = ("facilities", "demand")


def test_row_63_the_order_of_rows_changes_nothing_that_is_found(tmp_path):
    study_file = counties_toy.write_study(tmp_path, counties=2)
    given = read_study(study_file).findings
    shuffled(tmp_path)
    turned = read_study(study_file).findings
    for name in FRAMES:
        one, other = getattr(given, name), getattr(turned, name)
        if name in LISTED:  # a list that was given keeps the order of its file
            one, other = one.sort_index(), other.sort_index()
        # each row says where in its file it stood
        one, other = (frame.drop(columns="source", errors="ignore") for frame in (one, other))
        assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other), check_exact=True, obj=name)
    assert {c: p.sites for c, p in given.plans.items()} == {c: p.sites for c, p in turned.plans.items()}
