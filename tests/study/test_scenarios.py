"""Two settings of one study side by side."""

from __future__ import annotations

import sy_coverage as sy
from tests import toy


# with homes 10 minutes apart r15 and r36 open; at 30 minutes r15 is too near to r36 (21 km) and r04, 250 dearer, takes its place
def test_two_settings_show_what_they_share_what_differs_and_what_it_costs(tmp_path):
    study = sy.read_study(toy.write_study(tmp_path))
    table = study.beside(study.but(siting={"spread_min": 30}))
    assert table.index[table["in_one"] & table["in_other"]].to_list() == ["c15", "c35", "d15", "r36"]
    assert table.index[table["in_one"] & ~table["in_other"]].to_list() == ["r15"]
    assert table.index[~table["in_one"] & table["in_other"]].to_list() == ["r04"]
    totals = table.attrs["totals"]
    assert totals["shared"].to_list() == [4, 4]
    assert totals["sites"].to_list() == [5, 5]
    assert totals["cost"].to_list() == [700.0, 950.0]
