"""Minutes that somebody already has become travel times: tables of pairs, as offices and map services write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sy_coverage import siting
from sy_coverage.errors import FrameError, InputError
from sy_coverage.roads import TravelTimes

PAIRS = [("007", "S1", 4.5, 3000.0), ("007", "S2", 31.0, 25_000.0), ("B", "S1", 12.0, 9000.0)]


def table(columns: tuple[str, ...], *, factor: float = 1.0) -> pd.DataFrame:
    rows = [(a, b, t * factor, m) for a, b, t, m in PAIRS]
    return pd.DataFrame([row[: len(columns)] for row in rows], columns=columns)


@pytest.mark.parametrize(
    ("columns", "factor"),
    [
        (("from", "to", "minutes"), 1),
        (("demand_id", "site_id", "minutes", "metres"), 1),
        (("origin_id", "dest_id", "duration", "distance"), 60),
        (("origin", "destination", "duration.value", "distance.value"), 60),
        (("起点", "终点", "时间（分钟）", "距离（米）"), 1),
        (("出发地", "目的地", "耗时（秒）"), 60),
        ((" From ", "TO", "Minutes"), 1),
    ],
)
def test_the_columns_of_offices_and_of_map_services_are_understood(columns, factor) -> None:
    times = TravelTimes.from_long(table(columns, factor=factor))
    assert (times.site_ids, times.demand_ids) == (("S1", "S2"), ("007", "B"))
    np.testing.assert_allclose(times.to_dense(), [[4.5, 12.0], [31.0, np.inf]], rtol=1e-12)
    assert times.within(30).toarray().tolist() == [[True, True], [False, False]]
    if len(columns) == 4:
        assert times.to_frame()["metres"].tolist() == [3000, 9000, 25_000]
        half = times.select(sites=["S2", "S1"], demand=["B"])
        assert half.to_frame()[["site_id", "minutes", "metres"]].to_numpy().tolist() == [["S1", 12.0, 9000.0]]
    else:
        assert times.metres is None


def test_a_table_of_chosen_ids_has_them_in_their_order_and_nothing_else() -> None:
    given = table(("from", "to", "minutes"))
    times = TravelTimes.from_long(given, site_ids=["S3", "S1"], demand_ids=["B", "C", "007"], cutoff_min=10)
    assert times.to_dense().tolist() == [[np.inf] * 3, [np.inf, np.inf, 4.5]]
    assert times.cutoff_min == 10
    assert siting.mclp(TravelTimes.from_long(given), 15.0, [1.0, 1.0], p=1).sites == ("S1",)


def test_a_row_without_minutes_cannot_be_travelled_and_one_twice_is_one() -> None:
    given = pd.DataFrame({"from": [1, 1, 2, 2], "to": ["S", "S", "S", "T"], "minutes": ["5", "5", "", None]})
    times = TravelTimes.from_long(given)
    assert times.demand_ids == ("1", "2")
    assert times.to_dense().tolist() == [[5.0, np.inf], [np.inf, np.inf]]


def test_modes_are_kept_apart() -> None:
    both = pd.DataFrame({"from": "A", "to": "S", "minutes": [3.0, 40.0], "mode": ["drive", "walk"]})
    assert TravelTimes.from_long(both, mode="walk").minutes.data.tolist() == [40.0]
    with pytest.raises(InputError, match="several modes"):
        TravelTimes.from_long(both)
    with pytest.raises(InputError, match="no minutes of mode 'bike'; there are drive, walk"):
        TravelTimes.from_long(both, mode="bike")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"from": ["A"], "minutes": [1]}, "no column 'to'"),
        ({"from": ["A"], "to": ["S"]}, "no column of minutes"),
        ({"from": ["A"], "to": ["S"], "minutes": [-1]}, r"numbers of 0 or more; 1 are not \(0: -1\)"),
        ({"from": ["A"], "to": ["S"], "minutes": ["soon"]}, "soon"),
        ({"from": ["A", None], "to": ["S", "S"], "minutes": [1, 1]}, "'from' is empty in rows 1"),
        ({"from": ["A", "A"], "to": ["S", "S"], "minutes": [1, 2]}, "1 pairs have two times: A → S"),
        ({"from": ["A"], "origin": ["A"], "to": ["S"], "minutes": [1]}, "both say 'from'"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(columns, words) -> None:
    with pytest.raises(FrameError, match=words):
        TravelTimes.from_long(pd.DataFrame(columns))


def test_no_row_is_an_answer_too_and_order_does_not_matter() -> None:
    empty = TravelTimes.from_long(table(("from", "to", "minutes")).iloc[:0], site_ids=["S"], demand_ids=["A"])
    assert empty.to_dense().tolist() == [[np.inf]]
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame(
        [(f"d{i}", f"s{j}", float(t)) for i in range(40) for j, t in enumerate(rng.integers(0, 60, 9))],
        columns=["from", "to", "minutes"],
    ).sample(frac=0.6, random_state=1)
    one, other = TravelTimes.from_long(pairs), TravelTimes.from_long(pairs.sample(frac=1, random_state=2))
    assert one.to_dense().tobytes() == other.to_dense().tobytes()
    known = pairs.set_index(["to", "from"])["minutes"]
    assert all(known[row.site_id, row.demand_id] == row.minutes for row in one.to_frame().itertuples())
    assert one.minutes.nnz == len(pairs)


def test_metres_must_be_those_of_the_same_pairs() -> None:
    times = TravelTimes.from_long(table(("from", "to", "minutes", "metres")))
    with pytest.raises(InputError, match="same pairs"):
        TravelTimes(times.minutes, times.site_ids, times.demand_ids, 99, metres=times.metres[:, [1, 0]][:1])
