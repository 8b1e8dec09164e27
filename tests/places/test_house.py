"""The room is what its names say: public names only."""

from sy_coverage import places
from sy_coverage.places.sheets.doubts.doubtful import Doubt, doubts_frame


def test_the_room_shows_its_public_names_only():
    assert set(dir(places)) == set(places.__all__)
    assert callable(places.geocode)


def test_the_id_of_a_doubt_does_not_depend_on_its_row_and_never_repeats():
    said = {
        "kind": "number_unread",
        "list": "facilities",
        "name": "甲敬老院",
        "field": "beds",
        "written": "若干",
    }
    one, other = doubts_frame([Doubt(row="5", **said)]), doubts_frame([Doubt(row="9", **said)])
    assert one.index[0] == other.index[0]
    twice = doubts_frame([Doubt(row="5", **said), Doubt(row="9", **said)])
    assert twice.index.is_unique
    assert twice.index[0] == one.index[0]
